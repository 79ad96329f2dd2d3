/* gitops-pipe.yaml: what it may say, and how a wrong one is answered. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/files.h"
#include "core/base/json.h"
#include "core/base/yaml.h"
#include "core/config/config_keys.h"

#define HEADER "apiVersion: gitops-pipe.io/v1\nkind: Pipeline\n"

static bool read_text(struct arena *arena, const char *text, struct config *ret, struct err *err)
{
    char path[] = "/tmp/config-XXXXXX";
    int fd = mkstemp(path);
    cr_assert(fd >= 0);
    cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    bool ok = config_read(arena, path, ret, err);
    unlink(path);
    return ok;
}

Test(config, defaults_make_a_usable_pipeline)
{
    struct arena *arena = arena_new();
    struct config config;
    config_defaults(arena, &config);
    cr_expect_eq(config.environments.count, 3);
    cr_expect_eq(config.environments.items[2].replicas_rule, REPLICAS_AT_LEAST);
    cr_expect(str_is(config.stores.items[0].url, "file:./backups"));
    cr_expect_eq(config.weight_schema + config.weight_security + config.weight_production +
                     config.weight_resources,
                 100);
    cr_expect_eq(config.recovery_time_ms, 300000);
    cr_expect_eq(config.recovery_point_ms, 86400000);
    cr_expect_eq(config.secrets.mode, SECRETS_REFUSE);
    cr_expect_eq(config.exclude_types.count, 3);
    arena_free(arena);
}

Test(config, a_full_file_is_read)
{
    static const char text[] = HEADER
        "cluster: {name: prod-eu, context: prod, include: {namespaces: ['*']}, exclude: {types: [events]}}\n"
        "stores:\n  - {name: main, url: 's3://backups/prod', endpoint: 'https://minio.example.com', region: "
        "eu-1}\n"
        "  - {url: 'file:///srv/backups'}\n"
        "quality: {gate: {overall: 80}, failOn: [error], weights: {schema: 40}}\n"
        "secrets: {mode: omit}\n"
        "environments:\n  - {name: dev, replicas: {fixed: 1}, debug: true, hosts: {domain: "
        "dev.example.com}}\n"
        "git: {url: /srv/git/prod.git, author: 'Ops <ops@example.com>'}\n"
        "drills: {target: 'context:dr', objectives: {recoveryTime: 1h30m}}\n";
    struct arena *arena = arena_new();
    struct config config;
    struct err err;
    cr_assert(read_text(arena, text, &config, &err), "%s", err.msg);
    cr_expect(str_is(config.cluster_name, "prod-eu"));
    cr_expect_eq(config.exclude_types.count, 1);
    cr_expect_eq(config.stores.count, 2);
    cr_expect(str_is(config.stores.items[0].region, "eu-1"));
    cr_expect(config.stores.items[1].path_style);
    cr_expect(str_is(config.stores.items[1].name, "file:///srv/backups"));
    cr_expect_eq(config.gate_overall, 80);
    cr_expect(str_is(config.fail_on, "error"));
    cr_expect_eq(config.weight_schema, 40);
    cr_expect_eq(config.secrets.mode, SECRETS_OMIT);
    cr_expect_eq(config.environments.count, 1);
    cr_expect(config.environments.items[0].debug);
    cr_expect(str_is(config.environments.items[0].hosts_domain, "dev.example.com"));
    cr_expect_eq(config.recovery_time_ms, 5400000);
    cr_expect(str_is(config.git_branch, "main"));
    arena_free(arena);
}

Test(config, faults_name_the_place_and_the_nearest_key)
{
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"kind: Pipeline\n", "expected apiVersion: gitops-pipe.io/v1"},
        {"apiVersion: gitops-pipe.io/v1\nkind: Pipe\n", ":2:1: expected kind: Pipeline"},
        {HEADER "clustr: {name: x}\n", ":3:1: unknown key \"clustr\"; did you mean \"cluster\"?"},
        {HEADER "cluster:\n  contxt: x\n", ":4:3: unknown key \"contxt\"; did you mean \"context\"?"},
        {HEADER "stores:\n  - {url: 'file:///x', ednpoint: y}\n",
         ":4:24: unknown key \"ednpoint\"; did you mean \"endpoint\"?"},
        {HEADER "enviroments: []\n", ":3:1: unknown key \"enviroments\"; did you mean \"environments\"?"},
        {HEADER "store: []\n", "did you mean \"stores\"?"},
        {HEADER "zzzzzzzz: 1\n", "unknown key \"zzzzzzzz\""},
        {HEADER "cluster: {name: 5}\n", "expected a text, found a number"},
        {HEADER "cluster: x\n", ":3:1: expected a map, found a string"},
        {HEADER "quality: {gate: {overall: 101}}\n", "from 0 to 100"},
        {HEADER "secrets: {mode: plain}\n", "expected one of omit"},
        {HEADER "drills: {objectives: {recoveryTime: soon}}\n", "expected a duration"},
        {HEADER "environments: [{name: dev, replicas: 3}]\n", "expected {fixed: N}"},
        {HEADER "environments: [{name: ../x}]\n", "needs a name of lower-case"},
        {HEADER "environments: [{name: a}, {name: a}]\n", "comes twice"},
        {HEADER "stores: [{name: x}]\n", "a store needs a url"},
        {HEADER "git: {url: '${NO_SUCH_VARIABLE_HERE}'}\n",
         "environment variable NO_SUCH_VARIABLE_HERE is not set"},
        {HEADER "quality: {weights: {schema: 0, security: 0, production: 0, resources: 0}}\n", "above 0"},
        {HEADER "cluster: {name: a\n", "line"},
        {HEADER "transform: {disable: x}\n", "expected a list of rules"},
        {HEADER "transform:\n  disable:\n    - {rule: a}\n", ":5:7: match is empty"},
        {HEADER "transform:\n  disable:\n    - {match: {name: a}}\n", ":5:7: which rule?"},
        {HEADER "transform:\n  disable:\n    - {rule: a, match: {nmae: b}}\n",
         ":5:25: unknown key \"nmae\"; did you mean \"name\"?"},
        {HEADER "transform:\n  rules:\n    - {name: A b, drop: object}\n", ":5:7: a rule needs a name"},
        {HEADER "transform:\n  rules:\n    - {name: a, drop: object}\n",
         ":5:17: without a match this would leave out every object"},
        {HEADER "transform:\n  rules:\n    - {name: a}\n", ":5:7: this rule does nothing"},
        {HEADER "transform:\n  rules:\n    - {name: a, drop: spec.x}\n", "expected a JSON pointer"},
        {HEADER "transform:\n  rules:\n    - {name: a, drop: [/spec/a, /b~2]}\n", "expected a JSON pointer"},
        {HEADER "transform:\n  rules:\n    - {name: a, drop: /metadata/name}\n", "cannot change apiVersion"},
        {HEADER "transform:\n  rules:\n    - {name: a, set: {pointer: /*, value: 1}}\n",
         "cannot change apiVersion"},
        {HEADER "transform:\n  rules:\n    - {name: a, set: {pointer: /spec}}\n", "expected {pointer:"},
        {HEADER "transform:\n  rules:\n    - {name: a, drop: /x}\n    - {name: a, drop: /x}\n",
         ":6:7: this rule comes twice"},
        {HEADER "transform:\n  rules:\n    - {name: a, drop: /x, match: {labels: {a: 1}}}\n",
         "expected a text, found a number"},
        {HEADER "transform: {helm: away}\n", "expected keep or strip"},
        {HEADER "hooks: x\n", "expected a list of hooks"},
        {HEADER "hooks: [{command: [a]}]\n", ":3:9: a hook needs a name"},
        {HEADER "hooks: [{name: a/b, command: [a]}]\n", "a hook needs a name"},
        {HEADER "hooks: [{name: a}]\n", "a hook needs a command"},
        {HEADER "hooks: [{name: a, command: pg_dump}]\n", "expected a list of texts"},
        {HEADER "hooks: [{name: a, command: [a], when: during}]\n", "before or after"},
        {HEADER "hooks: [{name: a, command: [a], onFailure: retry}]\n", "fail or continue"},
        {HEADER "hooks: [{name: a, command: [a], timeout: 0s}]\n", "above 0"},
        {HEADER "hooks: [{name: a, command: [a], pod: {name: p}}]\n", "pod needs a namespace"},
        {HEADER "hooks: [{name: a, command: [a], pod: {namespace: x}}]\n", "a name or a selector"},
        {HEADER "hooks: [{name: a, command: [a], pod: {namespace: x, name: p, selector: q}}]\n", "not both"},
        {HEADER "hooks: [{name: a, command: [a], pod: {namespace: x, name: p}, environment: [X]}]\n",
         "environment is for commands on this machine"},
        {HEADER "hooks: [{name: a, command: [a]}, {name: a, command: [b]}]\n",
         ":3:34: this hook comes twice"},
        {HEADER "hooks: [{name: a, comand: [a]}]\n", "did you mean \"command\"?"},
    };
    struct arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct config config;
        struct err err = {0};
        cr_expect_not(read_text(arena, cases[i].text, &config, &err), "%s was taken", cases[i].text);
        cr_expect_not_null(strstr(err.msg, cases[i].says), "%s: said \"%s\"", cases[i].text, err.msg);
    }
    arena_free(arena);
}

Test(config, environment_variables_are_expanded)
{
    struct arena *arena = arena_new();
    struct config config;
    struct err err;
    setenv("CONFIG_TEST_HOST", "git.example.com", 1);
    cr_assert(read_text(arena, HEADER "git: {url: 'https://${CONFIG_TEST_HOST}/a$b.git'}\n", &config, &err),
              "%s", err.msg);
    cr_expect(str_is(config.git_url, "https://git.example.com/a$b.git"));
    arena_free(arena);
}

Test(config, paths_are_relative_to_the_file)
{
    struct arena *arena = arena_new();
    struct config config;
    struct err err;
    cr_assert(read_text(arena, HEADER "report: {dir: out}\nstores: [{url: 'file:b'}, {url: 'file:///c'}]\n",
                        &config, &err),
              "%s", err.msg);
    cr_expect(str_is(config.report_dir, "/tmp/out"));
    cr_expect(str_is(config.stores.items[0].url, "file:///tmp/b"));
    cr_expect(str_is(config.stores.items[1].url, "file:///c"));
    arena_free(arena);
}

Test(config, every_default_can_be_read_and_every_key_is_in_the_schema)
{
    struct arena *arena = arena_new();
    const struct value *schema = config_schema(arena);
    for (size_t i = 0; i < config_keys.count; i++) {
        const struct value *at = schema;
        struct str path = str_of(config_keys.keys[i].path);
        while (path.len != 0)
            at = value_get(value_key(at, "properties"), str_cut(&path, '.'));
        cr_expect_not_null(value_key(at, "description"), "%s", config_keys.keys[i].path);
    }
    arena_free(arena);
}

/* Every key of a table stands in `item`, the root of the example or one item of its lists. */
static void take_keys(const struct config_table *table, const struct value *item, bool *seen)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct value *at = item;
        struct str path = str_of(table->keys[i].path);
        while (path.len != 0)
            at = value_get(at, str_cut(&path, '.'));
        seen[i] = seen[i] || at != NULL;
    }
}

static void expect_all_seen(const struct config_table *table, const struct value *root, const char *list)
{
    bool seen[64] = {false};
    cr_assert(table->count <= COUNT_OF(seen));
    if (list == NULL)
        take_keys(table, root, seen);
    else
        VALUE_EACH(item, value_key(root, list))
            take_keys(table, item, seen);
    for (size_t i = 0; i < table->count; i++)
        cr_expect(seen[i], "the example lacks %s %s", list ? list : "", table->keys[i].path);
}

Test(config, the_example_of_the_manual_is_read_and_has_every_key)
{
    struct arena *arena = arena_new();
    struct yaml_documents documents;
    struct config config;
    struct err err;
    setenv("HOME", "/home/ops", 1);
    cr_assert(read_text(arena, config_example, &config, &err), "%s", err.msg);
    cr_expect(str_is(config.cluster_kubeconfig, "/home/ops/.kube/config"));
    cr_assert(yaml_parse(arena, str_of(config_example), STR("example"), &documents, &err), "%s", err.msg);
    expect_all_seen(&config_keys, documents.items[0].root, NULL);
    expect_all_seen(&config_store_keys, documents.items[0].root, "stores");
    expect_all_seen(&config_environment_keys, documents.items[0].root, "environments");
    expect_all_seen(&config_hook_keys, documents.items[0].root, "hooks");
    arena_free(arena);
}

Test(config, rules_of_the_transform_are_read_with_their_place)
{
    static const char text[] = HEADER
        "transform:\n"
        "  helm: strip\n"
        "  disable:\n"
        "    - noise.status\n"
        "    - {rule: service.addresses, match: {type: services, namespace: [a, 'b*'], labels: {app: web}}}\n"
        "  rules:\n"
        "    - {name: out, match: {name: x}, drop: object}\n"
        "    - {name: both, drop: [/spec/a, /spec/b], set: {pointer: /spec/c, value: {d: [1]}}}\n";
    struct arena *arena = arena_new();
    struct config config;
    struct err err;
    cr_assert(read_text(arena, text, &config, &err), "%s", err.msg);
    cr_expect_eq(config.helm_marks, HELM_STRIP);
    cr_expect_eq(config.disabled_rules.count, 1);
    cr_expect(str_ends(config.disabled_where.items[0], STR(":6:7")));
    cr_assert_eq(config.scoped_off.count, 1);
    cr_expect(str_ends(config.scoped_off.items[0].where, STR(":7:7")));
    cr_expect_eq(config.scoped_off.items[0].match.namespaces.count, 2);
    cr_expect_eq(value_count(config.scoped_off.items[0].match.labels), 1);
    cr_assert_eq(config.rules.count, 2);
    cr_expect(config.rules.items[0].drop_object);
    cr_expect_eq(config.rules.items[1].drop.count, 2);
    cr_expect(str_is(json_text(arena, config.rules.items[1].set_value), "{\"d\":[1]}"));
    arena_free(arena);
}
