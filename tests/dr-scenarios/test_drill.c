/* The cluster-loss drill from end to end: repository, sandbox, restore, comparison, figures. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/json.h"
#include "core/config/config.h"
#include "dr-scenarios/drill.h"

struct fixture {
    struct run run;
    struct config config;
    struct clock clock;
    struct bundle snapshot;
    struct drill_options options;
    struct err err;
    char tmp[64];
};

static void put(struct fixture *f, const char *path, const char *text)
{
    cr_assert(files_add(f->run.arena, &f->run.files, str_of(path), str_of(text), &f->err), "%s", f->err.msg);
}

/* A repository of one namespace, and a snapshot one hour old. */
static void start(struct fixture *f)
{
    *f = (struct fixture){.tmp = "/tmp/drill-test-XXXXXX", .clock = {1767225600000}};
    cr_assert(mkdtemp(f->tmp) != NULL);
    setenv("TMPDIR", f->tmp, 1);
    f->run.arena = arena_new();
    f->run.config = &f->config;
    f->run.clock = &f->clock;
    config_defaults(f->run.arena, &f->config);
    f->config.recovery_time_ms = 60000;
    f->config.recovery_point_ms = 2 * 3600 * 1000;
    bundle_init(&f->snapshot, f->run.arena);
    f->snapshot.taken_ms = f->clock.fixed_ms - 3600 * 1000;
    f->snapshot.cluster_uid = STR("another");
    put(f, "overlays/dev/kustomization.yaml", "resources: [../../base]\n");
    put(f, "base/kustomization.yaml", "resources: [space.yaml, web.yaml, map.yaml]\n");
    put(f, "base/space.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n");
    put(f, "base/map.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: shop}\ndata: {a: b}\n");
    put(f, "base/web.yaml",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\nspec:\n"
        "  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n    spec:\n"
        "      containers: [{name: main, image: 'web:1', envFrom: [{secretRef: {name: key}}]}]\n");
    cr_assert(files_sort(&f->run.files, &f->err), "%s", f->err.msg);
    f->options = (struct drill_options){.environment = STR("dev"), .target = STR("sandbox")};
}

static void add_secret(struct fixture *f)
{
    cr_assert(bundle_read_text(&f->snapshot,
                               STR("{apiVersion: v1, kind: Secret, metadata: {name: key, namespace: shop}, "
                                   "data: {a: aHVudGVyMg==}}"),
                               STR("backup"), &f->err));
}

static size_t entries_in(const char *dir)
{
    size_t count = 0;
    DIR *open = opendir(dir);
    for (struct dirent *entry; (entry = readdir(open)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(open);
    return count;
}

static void stop(struct fixture *f)
{
    cr_expect_eq(entries_in(f->tmp), 0, "the drill left files behind");
    rmdir(f->tmp);
    arena_free(f->run.arena);
}

static bool drill(struct fixture *f)
{
    return drill_run(&f->run, &f->snapshot, &f->options, &f->err);
}

static const struct value *section(struct fixture *f)
{
    return value_key(run_report(&f->run), "drill");
}

static const char *steps(struct fixture *f)
{
    struct buf text;
    buf_init(&text, 4096);
    VALUE_EACH(step, value_key(section(f), "steps")) {
        buf_fmt(&text, "%.*s%s ", STR_ARG(value_str(value_key(step, "name"))),
                value_true(value_key(step, "ok")) ? "" : "!");
    }
    const char *kept = str_c(f->run.arena, buf_view(&text));
    buf_done(&text);
    return kept;
}

static int64_t number(const struct value *map, const char *key)
{
    int64_t number = -1;
    value_i64(value_key(map, key), &number);
    return number;
}

Test(drill, a_lost_cluster_comes_back, .timeout = 60)
{
    struct fixture f;
    start(&f);
    add_secret(&f);

    cr_expect(drill(&f), "%s", f.err.msg);

    const struct value *it = section(&f), *objects = value_key(it, "objects");
    cr_expect_str_eq(steps(&f), "render target restore wait verdict read compare ");
    cr_expect(value_true(value_key(it, "ok")) && value_true(value_key(it, "sandbox")));
    cr_expect(value_true(value_in(it, PATH("objectives", "met"))));
    cr_expect_eq(number(it, "recoveryPointMs"), 3600 * 1000);
    cr_expect_gt(number(it, "recoveryTimeMs"), 199); /* pods take their time */
    cr_expect_lt(number(it, "recoveryTimeMs"), 20000);
    cr_expect_eq(number(objects, "declared"), 3);
    cr_expect_eq(number(objects, "restored"), 4); /* with the Secret */
    cr_expect_eq(number(objects, "different"), 0);
    cr_expect_eq(value_count(value_key(it, "findings")), 0);
    struct str text = json_text(f.run.arena, it);
    cr_expect(str_contains(text, STR("shop/key")) && !str_contains(text, STR("aHVudGVyMg==")));
    stop(&f);
}

Test(drill, the_stage_takes_its_settings_from_the_configuration, .timeout = 60)
{
    struct fixture f;
    start(&f);
    add_secret(&f);
    f.config.drill_environment = STR("dev");
    f.config.drill_target = STR("sandbox");
    cr_expect(drill_stage(&f.run, &f.snapshot, &f.err), "%s", f.err.msg);
    cr_expect(str_is(value_str(value_key(section(&f), "environment")), "dev"));
    stop(&f);
}

Test(drill, a_repository_on_disk_does_as_well, .timeout = 60)
{
    struct fixture f;
    char command[128];
    start(&f);
    add_secret(&f);
    char repository[] = "/tmp/drill-repository-XXXXXX";
    cr_assert(mkdtemp(repository) != NULL);
    cr_assert(files_write(&f.run.files, repository, &f.err), "%s", f.err.msg);
    f.run.files = (struct files){0};
    f.options.repository = str_of(repository);
    cr_expect(drill(&f), "%s", f.err.msg);
    static const char *const left[] = {"overlays/dev/kustomization.yaml",
                                       "base/kustomization.yaml",
                                       "base/space.yaml",
                                       "base/map.yaml",
                                       "base/web.yaml",
                                       ".gitops-pipe.files",
                                       "overlays/dev",
                                       "overlays",
                                       "base",
                                       ""};
    for (size_t i = 0; i < COUNT_OF(left); i++) {
        snprintf(command, sizeof command, "%s/%s", repository, left[i]);
        if (unlink(command) != 0)
            rmdir(command);
    }
    stop(&f);
}

Test(drill, objectives_that_are_missed_are_told, .timeout = 60)
{
    struct fixture f;
    start(&f);
    add_secret(&f);
    f.config.recovery_point_ms = 60 * 1000; /* the snapshot is an hour old */
    cr_expect_not(drill(&f));
    cr_expect_eq(f.err.code, ERR_FINDINGS);
    cr_expect(value_true(value_key(section(&f), "ok")));
    cr_expect_not(value_true(value_in(section(&f), PATH("objectives", "met"))));
    stop(&f);
}

Test(drill, what_cannot_be_declared_is_named, .timeout = 60)
{
    struct fixture f;
    start(&f);
    add_secret(&f);
    put(&f, "base/zz.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: BAD, namespace: shop}\n");
    f.run.files.items[0].bytes = STR("resources: [space.yaml, web.yaml, map.yaml, zz.yaml]\n");
    cr_assert(files_sort(&f.run.files, &f.err));
    cr_expect_not(drill(&f));
    cr_expect_eq(f.err.code, ERR_INCOMPLETE);
    cr_expect_str_eq(steps(&f), "render target restore wait verdict! read compare! ");
    const struct value *findings = value_key(section(&f), "findings");
    cr_expect_eq(value_count(findings), 2); /* refused, and so missing */
    cr_expect(str_is(value_str(value_key(value_item(findings, 1), "check")), "drill.missing-object"));
    stop(&f);
}

Test(drill, stops_at_the_first_step_that_fails, .timeout = 60)
{
    static const struct {
        struct drill_options options;
        enum err_code code;
        const char *steps;
    } cases[] = {
        {{.environment = STR_INIT("none"), .target = STR_INIT("sandbox")}, ERR_COUNT, "render! "},
        {{.environment = STR_INIT("dev"), .target = STR_INIT("moon")}, ERR_USAGE, "render target! "},
        {{.environment = STR_INIT("dev"), .target = STR_INIT("kubeconfig:/nowhere")},
         ERR_COUNT,
         "render target! "},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct fixture f;
        start(&f);
        f.options = cases[i].options;
        cr_expect_not(drill(&f), "case %zu", i);
        cr_expect_str_eq(steps(&f), cases[i].steps, "case %zu: %s", i, f.err.msg);
        if (cases[i].code != ERR_COUNT)
            cr_expect_eq(f.err.code, cases[i].code, "case %zu: %s", i, f.err.msg);
        stop(&f);
    }
}

Test(drill, only_what_runs_is_listed, .timeout = 60)
{
    struct fixture f;
    start(&f);
    add_secret(&f);
    for (size_t i = 0; i < drill_count(); i++) {
        f.options.scenario = str_of(drill_scenario(i).id);
        cr_expect(drill(&f), "%s: %s", drill_scenario(i).id, f.err.msg);
    }
    f.options.scenario = STR("meteor");
    cr_expect_not(drill(&f));
    cr_expect_eq(f.err.code, ERR_USAGE);
    stop(&f);
}
