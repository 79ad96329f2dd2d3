/* The stage itself: settings, log, report, and objects that are not what they should be. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/files.h"
#include "core/base/json.h"
#include "tests/transform/fixture.h"

static const char SHOP[] =
    "apiVersion: v1\n"
    "kind: Secret\n"
    "metadata: {name: db, namespace: shop, uid: s-1}\n"
    "data: {password: c3VwZXItc2VjcmV0}\n"
    "---\n"
    "apiVersion: v1\n"
    "kind: Service\n"
    "metadata: {name: web, namespace: shop, uid: s-2}\n"
    "spec: {clusterIP: 10.0.0.1, clusterIPs: [10.0.0.1], sessionAffinity: None, ports: [{port: 80}]}\n";

static void start(struct transform_fixture *fixture, const char *yaml)
{
    transform_fixture_init(fixture);
    cr_assert(transform_fixture_text(fixture, yaml), "%s", fixture->err.msg);
}

Test(transform, secrets_are_refused_until_a_way_is_chosen)
{
    struct transform_fixture fixture;
    start(&fixture, SHOP);
    fixture.config.secrets.mode = SECRETS_REFUSE;
    bundle_sort(&fixture.bundle);
    struct bundle before = fixture.bundle;

    cr_expect_not(transform_fixture_run(&fixture));

    cr_expect_eq(fixture.err.code, ERR_REFUSED);
    cr_expect(strstr(fixture.err.next, "--secrets omit"), "%s", fixture.err.next);
    cr_expect_eq(fixture.bundle.count, before.count, "a failure leaves the bundle alone");
    cr_expect_eq(fixture.run.findings.count, 0);
    transform_fixture_done(&fixture);
}

Test(transform, refusing_secrets_lets_a_bundle_without_any_through)
{
    struct transform_fixture fixture;
    start(&fixture, strstr(SHOP, "---") + 4);
    fixture.config.secrets.mode = SECRETS_REFUSE;
    cr_expect(transform_fixture_run(&fixture), "%s", fixture.err.msg);
    transform_fixture_done(&fixture);
}

Test(transform, secrets_leave_the_declared_objects_in_every_mode)
{
    static const enum secrets_mode modes[] = {SECRETS_OMIT, SECRETS_SEALED, SECRETS_SOPS, SECRETS_EXTERNAL};
    for (size_t i = 0; i < COUNT_OF(modes); i++) {
        struct transform_fixture fixture;
        start(&fixture, SHOP);
        fixture.config.secrets.mode = modes[i];
        cr_assert(transform_fixture_run(&fixture), "%s", fixture.err.msg);
        cr_expect_str_empty(transform_fixture_yaml(&fixture, "Secret", "db"));
        cr_assert_eq(fixture.run.secrets.count, 1);
        cr_expect(str_is(fixture.run.secrets.items[0].name, "db"));
        cr_expect_null(value_in(fixture.run.secrets.items[0].object, PATH("metadata", "uid")));
        transform_fixture_done(&fixture);
    }
}

Test(transform, one_environment_without_a_mode_is_enough_to_refuse)
{
    struct transform_fixture fixture;
    start(&fixture, SHOP);
    fixture.config.secrets.mode = SECRETS_REFUSE;
    *ARENA_PUSH(fixture.arena, &fixture.config.environments) =
        (struct config_environment){.name = STR("dev"), .secrets = {.mode = SECRETS_SOPS}};
    *ARENA_PUSH(fixture.arena, &fixture.config.environments) =
        (struct config_environment){.name = STR("prod")};
    cr_expect_not(transform_fixture_run(&fixture));
    cr_expect_eq(fixture.err.code, ERR_REFUSED);
    fixture.config.environments.items[1].secrets.mode = SECRETS_OMIT;
    cr_expect(transform_fixture_run(&fixture), "%s", fixture.err.msg);
    transform_fixture_done(&fixture);
}

Test(transform, a_rule_can_be_switched_off)
{
    struct transform_fixture fixture;
    start(&fixture, SHOP);
    *ARENA_PUSH(fixture.arena, &fixture.config.disabled_rules) = STR("service.addresses");
    cr_assert(transform_fixture_run(&fixture), "%s", fixture.err.msg);
    const char *web = transform_fixture_yaml(&fixture, "Service", "web");
    cr_expect(strstr(web, "clusterIP: 10.0.0.1"), "%s", web);
    cr_expect_not(strstr(web, "sessionAffinity"), "%s", web);
    transform_fixture_done(&fixture);
}

Test(transform, a_rule_that_does_not_exist_is_a_fault_of_the_configuration)
{
    struct transform_fixture fixture;
    start(&fixture, SHOP);
    *ARENA_PUSH(fixture.arena, &fixture.config.disabled_rules) = STR("service.adresses");
    cr_expect_not(transform_fixture_run(&fixture));
    cr_expect_eq(fixture.err.code, ERR_USAGE);
    cr_expect(strstr(fixture.err.msg, "service.adresses"), "%s", fixture.err.msg);
    cr_expect(strstr(fixture.err.msg, "did you mean \"service.addresses\"?"), "%s", fixture.err.msg);
    transform_fixture_done(&fixture);
}

Test(transform, a_rule_that_is_off_for_some_must_exist_and_is_named_with_its_place)
{
    struct transform_fixture fixture;
    start(&fixture, SHOP);
    *ARENA_PUSH(fixture.arena, &fixture.config.scoped_off) = (struct config_off){
        .rule = STR("no.such"), .where = STR("gitops-pipe.yaml:4:7"), .match.types.count = 0};
    cr_expect_not(transform_fixture_run(&fixture));
    cr_expect_eq(fixture.err.code, ERR_USAGE);
    cr_expect(strstr(fixture.err.msg, "gitops-pipe.yaml:4:7: no transform rule is called \"no.such\""), "%s",
              fixture.err.msg);
    transform_fixture_done(&fixture);
}

static const char *explained(struct transform_fixture *fixture, const char *kind, const char *namespace,
                             const char *name)
{
    const struct value *steps =
        transform_explanation(fixture->arena, &fixture->log, str_of(kind), str_of(namespace), str_of(name));
    return steps ? str_c(fixture->arena, json_text(fixture->arena, steps)) : "";
}

Test(transform, what_keeps_secrets_unreadable_and_folders_apart_cannot_be_switched_off)
{
    static const char *const guards[] = {"secrets.set-aside", "secrets.token-data",
                                         "system.impossible-namespace"};
    for (size_t i = 0; i < 2 * COUNT_OF(guards); i++) {
        struct transform_fixture fixture;
        start(&fixture, SHOP);
        struct str id = str_of(guards[i / 2]);
        if (i % 2)
            *ARENA_PUSH(fixture.arena, &fixture.config.disabled_rules) = id;
        else
            *ARENA_PUSH(fixture.arena, &fixture.config.scoped_off) = (struct config_off){.rule = id};
        cr_expect_not(transform_fixture_run(&fixture), "%s", guards[i / 2]);
        cr_expect_eq(fixture.err.code, ERR_REFUSED);
        cr_expect(strstr(fixture.err.next, "secrets.mode"), "%s", fixture.err.next);
        transform_fixture_done(&fixture);
    }
}

static void add_user_rule(struct transform_fixture *fixture, struct config_rule rule)
{
    *ARENA_PUSH(fixture->arena, &fixture->config.rules) = rule;
}

Test(transform, a_rule_of_the_users_own_is_counted_and_explained_like_the_others)
{
    struct transform_fixture fixture;
    start(&fixture, SHOP);
    add_user_rule(&fixture, (struct config_rule){.name = STR("port"),
                                                 .where = STR("gitops-pipe.yaml:9:5"),
                                                 .set_pointer = STR("/spec/ports/0/port"),
                                                 .set_value = value_int(fixture.arena, 8080)});
    cr_assert(transform_stage(&fixture.run, &fixture.bundle, &fixture.err), "%s", fixture.err.msg);
    cr_assert(strstr(transform_fixture_yaml(&fixture, "Service", "web"), "port: 8080"));
    struct str section = json_text(fixture.arena, value_key(run_report(&fixture.run), "transform"));
    cr_expect(str_contains(section, STR("\"user.port\":1")), "%.*s", STR_ARG(section));
    transform_fixture_done(&fixture);

    start(&fixture, SHOP);
    add_user_rule(&fixture, (struct config_rule){.name = STR("port"),
                                                 .where = STR("gitops-pipe.yaml:9:5"),
                                                 .set_pointer = STR("/spec/ports/0/port"),
                                                 .set_value = value_int(fixture.arena, 8080)});
    cr_assert(transform_fixture_run(&fixture), "%s", fixture.err.msg);
    const char *web = explained(&fixture, "Service", "shop", "web");
    cr_expect(strstr(web,
                     "\"changed\",\"path\":\"spec.ports[0].port\",\"before\":\"80\",\"after\":\"8080\","
                     "\"rule\":\"user.port\",\"why\":\"the configuration says so: gitops-pipe.yaml:9:5\""),
              "%s", web);
    transform_fixture_done(&fixture);
}

/* What an explanation shows of values is meant for eyes and logs: nothing that may be a secret. */
Test(transform, an_explanation_shows_no_value_that_may_be_secret)
{
    static const char yaml[] =
        "apiVersion: v1\n"
        "kind: ConfigMap\n"
        "metadata:\n"
        "  name: settings\n"
        "  namespace: shop\n"
        "  uid: c-1\n"
        "  annotations:\n"
        "    kubectl.kubernetes.io/last-applied-configuration: '{\"data\":{\"a\":\"hunter22\"}}'\n"
        "    example.com/token: hunter22\n"
        "data: {a: hunter22}\n"
        "---\n"
        "apiVersion: apps/v1\n"
        "kind: Deployment\n"
        "metadata: {name: settings, namespace: shop, uid: d-1}\n"
        "spec: {template: {spec: {containers: [{name: a, env: [{name: A, value: hunter22}], args: "
        "[hunter22]}]}}}\n";
    static const char *const drops[] = {"/data/a", "/metadata/annotations/example.com~1token",
                                        "/spec/template/spec/containers/*/env/*/value",
                                        "/spec/template/spec/containers/*/args/0"};
    struct transform_fixture fixture;
    struct config_rule rule = {.name = STR("all")};
    start(&fixture, yaml);
    for (size_t i = 0; i < COUNT_OF(drops); i++)
        *ARENA_PUSH(fixture.arena, &rule.drop) = str_of(drops[i]);
    add_user_rule(&fixture, rule);
    cr_assert(transform_fixture_run(&fixture), "%s", fixture.err.msg);
    const char *map = explained(&fixture, "ConfigMap", "", "settings");
    const char *deployment = explained(&fixture, "Deployment", "", "settings");
    cr_expect(strstr(map, "data.a"), "%s", map);
    cr_expect(strstr(deployment, "env[0].value"), "%s", deployment);
    cr_expect_not(strstr(map, "hunter22"), "%s", map);
    cr_expect_not(strstr(deployment, "hunter22"), "%s", deployment);
    transform_fixture_done(&fixture);
}

Test(transform, the_log_explains_what_each_rule_did)
{
    struct transform_fixture fixture;
    start(&fixture, SHOP);
    cr_assert(transform_fixture_run(&fixture), "%s", fixture.err.msg);

    const char *web = explained(&fixture, "service", "", "web");
    cr_expect(strstr(web, "\"resource\":\"shop/Service/web\""), "%s", web);
    cr_expect(strstr(web, "\"removed\",\"path\":\"spec.clusterIP\",\"before\":\"\\\"10.0.0.1\\\"\",\"rule\":"
                          "\"service.addresses\""),
              "%s", web);
    cr_expect(strstr(web, "\"removed\",\"path\":\"spec.sessionAffinity\",\"before\":\"\\\"None\\\"\","
                          "\"rule\":\"defaults.fields\""),
              "%s", web);
    cr_expect(strstr(explained(&fixture, "Secret", "shop", "db"),
                     "\"left out\",\"path\":\"\",\"rule\":\"secrets.set-aside\""));
    cr_expect_str_empty(explained(&fixture, "Service", "bank", "web"));
    cr_expect_str_empty(explained(&fixture, "Service", "", "other"));
    transform_fixture_done(&fixture);
}

Test(transform, the_report_counts_and_lists_secrets_without_values)
{
    struct transform_fixture fixture;
    start(&fixture, SHOP);
    cr_assert(transform_stage(&fixture.run, &fixture.bundle, &fixture.err), "%s", fixture.err.msg);

    const struct value *section = value_key(run_report(&fixture.run), "transform");
    struct str text = json_text(fixture.arena, section);
    cr_expect(str_starts(text, STR("{\"objects\":2,\"declared\":1,\"leftOut\":1,\"rules\":{")), "%.*s",
              STR_ARG(text));
    cr_expect(str_contains(text, STR("\"service.addresses\":1")), "%.*s", STR_ARG(text));
    cr_expect(
        str_contains(text, STR("\"secrets\":[{\"namespace\":\"shop\",\"name\":\"db\",\"type\":\"Opaque\","
                               "\"keys\":[\"password\"]}]")),
        "%.*s", STR_ARG(text));
    cr_expect_not(str_contains(text, STR("c3VwZXItc2VjcmV0")));
    transform_fixture_done(&fixture);
}

/* The value stands in the object, in last-applied, in a ConfigMap and in the environment; findings, report and
 * explanations never show it. */
Test(transform, no_secret_value_is_ever_said)
{
    static const char yaml[] =
        "apiVersion: v1\n"
        "kind: Secret\n"
        "metadata:\n"
        "  name: db\n"
        "  namespace: shop\n"
        "  uid: s-1\n"
        "  annotations:\n"
        "    kubectl.kubernetes.io/last-applied-configuration: '{\"stringData\":{\"password\":\"hunter22\"}} "
        "broken'\n"
        "stringData: {password: hunter22}\n"
        "---\n"
        "apiVersion: v1\n"
        "kind: ConfigMap\n"
        "metadata: {name: settings, namespace: shop}\n"
        "data: {password: hunter22, url: 'https://me:hunter22@example.com'}\n"
        "---\n"
        "apiVersion: v1\n"
        "kind: Pod\n"
        "metadata: {name: web, namespace: shop}\n"
        "spec: {containers: [{name: web, image: a, env: [{name: PASSWORD, value: hunter22}]}]}\n";
    struct transform_fixture fixture;
    start(&fixture, yaml);
    cr_assert(transform_stage(&fixture.run, &fixture.bundle, &fixture.err), "%s", fixture.err.msg);

    /* Three that look like credentials, and the three places again because they hold what the Secret does. */
    cr_expect_eq(fixture.run.findings.count, 6);
    cr_expect_eq(fixture.run.readable, 3);
    cr_expect_not(strstr(transform_fixture_findings(&fixture), "hunter22"));
    cr_expect_not(str_contains(json_text(fixture.arena, run_report(&fixture.run)), STR("hunter22")));
    transform_fixture_done(&fixture);
}

/* Every value that rules look at, replaced by one of the wrong type: nothing may crash, the object survives. */
Test(transform, objects_of_the_wrong_shape_survive)
{
    static const char *const kinds[] = {
        "v1 Service",
        "v1 Pod",
        "v1 PersistentVolumeClaim",
        "v1 PersistentVolume",
        "v1 ServiceAccount",
        "v1 Namespace",
        "v1 ConfigMap",
        "v1 Secret",
        "v1 Endpoints",
        "apps/v1 Deployment",
        "apps/v1 StatefulSet",
        "batch/v1 Job",
        "batch/v1 CronJob",
        "autoscaling/v2 HorizontalPodAutoscaler",
        "keda.sh/v1 ScaledObject",
        "rbac.authorization.k8s.io/v1 ClusterRole",
        "discovery.k8s.io/v1 EndpointSlice",
        "example.com/v1 Widget",
        "apiextensions.k8s.io/v1 CustomResourceDefinition",
        "apiregistration.k8s.io/v1 APIService",
        "admissionregistration.k8s.io/v1 ValidatingWebhookConfiguration",
    };
    static const char *const bodies[] = {
        "\"spec\":[],\"status\":[],\"data\":[],\"rules\":{},\"webhooks\":{},\"secrets\":{}",
        "\"spec\":\"text\",\"status\":\"text\",\"data\":\"text\",\"webhooks\":\"text\",\"subsets\":\"text\"",
        "\"spec\":null,\"status\":null,\"data\":null,\"aggregationRule\":null,\"type\":null,\"secrets\":null",
        "\"spec\":{\"template\":[],\"jobTemplate\":[],\"ports\":{},\"claimRef\":[],\"selector\":[],\"names\":"
        "[],"
        "\"volumeClaimTemplates\":{},\"finalizers\":{},\"tolerations\":{},\"containers\":{},\"volumes\":{},"
        "\"scaleTargetRef\":[],\"conversion\":[],\"behavior\":[],\"strategy\":[],\"group\":{},\"versions\":{}"
        "}",
        "\"spec\":{\"template\":{\"metadata\":[],\"spec\":{\"containers\":[1,[],null,{\"env\":[1],\"ports\":["
        "null]}],"
        "\"volumes\":[1,{\"configMap\":3}]}},\"ports\":[1,null,{\"nodePort\":{}}],\"volumes\":[1],"
        "\"containers\":"
        "[{\"volumeMounts\":[1,{\"name\":{}}]}],\"tolerations\":[1,{\"key\":{}}],\"volumeClaimTemplates\":[1,"
        "{}],"
        "\"finalizers\":[1,{}],\"versions\":[1,{}],\"names\":{\"kind\":1}},\"webhooks\":[1,{\"clientConfig\":"
        "1}],"
        "\"secrets\":[1,{\"name\":{}}],\"data\":{\"password\":1},\"status\":{\"conditions\":[1,{\"type\":{}}]"
        "}",
    };
    static const char *const metadata[] = {
        "\"labels\":[],\"annotations\":[],\"ownerReferences\":{},\"finalizers\":{},\"managedFields\":{}",
        "\"labels\":\"a\",\"annotations\":\"a\",\"ownerReferences\":\"a\",\"finalizers\":\"a\","
        "\"managedFields\":\"a\"",
        "\"labels\":{\"owner\":1,\"app\":[]},\"annotations\":{\"control-plane\":{}},"
        "\"ownerReferences\":[1,"
        "{\"controller\":true},{\"controller\":true,\"apiVersion\":1,\"kind\":[],\"name\":null}],"
        "\"finalizers\":"
        "[1,null,{}],\"managedFields\":[{\"fieldsV1\":{\"f:spec\":1,\"f:metadata\":{\"f:finalizers\":[]}}}]",
    };
    for (size_t k = 0; k < COUNT_OF(kinds); k++)
        for (size_t b = 0; b < COUNT_OF(bodies) * COUNT_OF(metadata); b++) {
            struct transform_fixture fixture;
            transform_fixture_init(&fixture);
            struct str kind = str_of(kinds[k]), version = str_cut(&kind, ' ');
            struct str text =
                str_fmt(fixture.arena,
                        "{\"apiVersion\":\"%.*s\",\"kind\":\"%.*s\",\"metadata\":{\"name\":\"a\","
                        "\"namespace\":\"shop\",\"uid\":\"u\",%s},%s}",
                        STR_ARG(version), STR_ARG(kind), metadata[b % COUNT_OF(metadata)],
                        bodies[b / COUNT_OF(metadata)]);
            cr_assert(transform_fixture_text(&fixture, str_c(fixture.arena, text)), "%s", fixture.err.msg);
            cr_expect(transform_fixture_run(&fixture), "%.*s: %s", STR_ARG(text), fixture.err.msg);
            transform_fixture_done(&fixture);
        }
}

Test(transform, rule_ids_are_unique_and_every_rule_says_what_and_why)
{
    for (size_t i = 0; i < transform_rule_count(); i++) {
        struct transform_rule_info info = transform_rule_info(transform_rule_at(i));
        cr_expect_eq(transform_rule_find(str_of(info.id)), transform_rule_at(i), "%s comes twice", info.id);
        cr_expect(info.what[0] && info.why[0] && info.applies[0], "%s", info.id);
    }
    cr_expect_null(transform_rule_at(transform_rule_count()));
    cr_expect_null(transform_rule_find(STR("no.such-rule")));
}

static bool has_case(int row)
{
    static const char *const folders[] = {"testdata/transform", "testdata/environments", "testdata/publish",
                                          "testdata/rebuild"};
    char prefix[8];
    bool found = false;
    snprintf(prefix, sizeof prefix, "%02d-", row);
    for (size_t i = 0; i < COUNT_OF(folders) && !found; i++) {
        DIR *dir = opendir(folders[i]);
        cr_assert_not_null(dir, "%s", folders[i]);
        for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
            found = found || strncmp(entry->d_name, prefix, 3) == 0;
        closedir(dir);
    }
    return found;
}

/* Every row of the list of pitfalls is handled somewhere that is named, and has a golden case. */
Test(transform, every_pitfall_has_a_place_and_a_case)
{
    static const struct {
        int row;
        const char *subject, *right, *where, *off;
    } rows[] = {
#define PITFALL(row, subject, right, where, off) {row, subject, right, where, off},
#include "transform/pitfalls.def"
#undef PITFALL
    };
    cr_assert_eq(COUNT_OF(rows), 32);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        size_t rules = 0;
        cr_expect_eq(rows[i].row, (int)i + 1);
        for (size_t j = 0; j < transform_rule_count(); j++)
            rules += transform_rule_info(transform_rule_at(j)).pitfall == rows[i].row;
        cr_expect(rules != 0 || rows[i].where[0], "row %d is handled nowhere", rows[i].row);
        cr_expect(rules != 0 || rows[i].row == 7 || rows[i].row == 13 || rows[i].off[0],
                  "row %d does not say how to turn it off", rows[i].row);
        cr_expect(has_case(rows[i].row), "row %d has no golden case", rows[i].row);
    }
}

/* docs/rules.md is printed from the table. Set UPDATE=1 to print it again. */
Test(transform, the_manual_says_what_the_table_says)
{
    struct transform_fixture fixture;
    struct str manual = STR_NONE;
    struct buf text;
    transform_fixture_init(&fixture);
    buf_init(&text, 1 << 20);
    transform_rules_markdown(&text);
    if (getenv("UPDATE"))
        cr_assert(file_write("docs/rules.md", buf_view(&text), 0644, &fixture.err), "%s", fixture.err.msg);
    cr_assert(file_read(fixture.arena, "docs/rules.md", 1 << 20, &manual, &fixture.err), "%s",
              fixture.err.msg);
    cr_expect(str_eq(manual, buf_view(&text)), "docs/rules.md is stale: run UPDATE=1 make unit "
                                               "FILTER='transform/the_manual*'");
    buf_done(&text);
    transform_fixture_done(&fixture);
}

Test(transform, values_of_secrets_are_found_wherever_they_are_declared_again)
{
    static const char yaml[] =
        "apiVersion: v1\nkind: Secret\n"
        "metadata: {name: db, namespace: shop, annotations: {note: 'is hunter22-marker'}}\n"
        "stringData: {password: hunter22-marker}\n---\n"
        "apiVersion: v1\nkind: ConfigMap\n"
        "metadata: {name: settings, namespace: shop, annotations: {a/b: hunter22-marker}}\n"
        "data: {app.ini: 'x=hunter22-marker', encoded: aHVudGVyMjItbWFya2Vy, plain: nothing}\n---\n"
        "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: t, namespace: shop}\n"
        "spec: {list: [{deep: hunter22-marker}]}\n---\n"
        "apiVersion: v1\nkind: Service\n"
        "metadata:\n  name: web\n  namespace: shop\n  uid: s-1\n  annotations:\n"
        "    kubectl.kubernetes.io/last-applied-configuration: "
        "'{\"metadata\":{\"labels\":{\"a\":\"hunter22-marker\"}}}'\n";
    static const char *const places[] = {
        "secrets.readable ConfigMap/settings: holds the value of key password of Secret shop/db\n",
        "secrets.readable ConfigMap/settings: holds the value of key password of Secret shop/db, in base64\n",
        "secrets.readable Thing/t: holds", "secrets.readable Secret/db: holds",
        "secrets.last-applied Service/web: "};
    struct transform_fixture fixture;
    start(&fixture, yaml);
    cr_assert(transform_fixture_run(&fixture), "%s", fixture.err.msg);
    const char *findings = transform_fixture_findings(&fixture);
    for (size_t i = 0; i < COUNT_OF(places); i++)
        cr_expect(strstr(findings, places[i]), "%s is not in\n%s", places[i], findings);
    cr_expect_not(strstr(findings, "hunter22"));
    cr_expect_eq(fixture.run.readable, 5, "last-applied is not written");
    transform_fixture_done(&fixture);
}
