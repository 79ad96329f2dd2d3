/* Publishing as a stage: what the commit says, and that a hole in the snapshot deletes nothing. */
#include "overlays/publish.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/files.h"
#include "core/base/json.h"
#include "core/base/yaml.h"
#include "core/config/config.h"
#include "core/git/repo.h"
#include "tests/harness/git_cli.h"

struct fixture {
    struct arena *arena;
    const char *dir, *bare;
    struct config config;
    struct clock clock;
    struct run run;
    struct bundle bundle;
    struct err err;
};

static struct fixture *set_up(void)
{
    struct arena *arena = arena_new();
    struct fixture *f = ARENA_NEW(arena, struct fixture);
    f->arena = arena;
    f->dir = temp_dir(arena);
    f->bare = str_fmt(arena, "%s/repo.git", f->dir).ptr;
    cr_assert(repo_create(f->bare, STR("main"), &f->err), "%s", f->err.msg);
    config_defaults(arena, &f->config);
    f->config.git_url = str_of(f->bare);
    f->config.git_branch = STR("main");
    f->config.git_author = STR("GitOps Pipe <gitops@example.com>");
    f->config.state_dir = str_fmt(arena, "%s/state", f->dir);
    f->clock.fixed_ms = 1763690400000;
    f->run = (struct run){.arena = arena, .config = &f->config, .clock = &f->clock};
    bundle_init(&f->bundle, arena);
    f->bundle.backup_id = STR("20251121T020000Z-1a2b");
    f->bundle.cluster = STR("shop");
    f->bundle.taken_ms = 1763690400000;
    f->bundle.complete = true;
    const struct resource_types *types = resource_builtin_types();
    for (size_t i = 0; i < types->count; i++)
        *ARENA_PUSH(arena, &f->bundle.types) = types->items[i];
    return f;
}

static void tear_down(struct fixture *f)
{
    temp_dir_remove(f->dir);
    arena_free(f->arena);
}

/* One object per name: "base/shop/service-web.yaml" holds Service web of namespace shop. */
static void set_files(struct fixture *f, const char *const *pairs)
{
    f->run.files = (struct files){0};
    for (; pairs[0] != NULL; pairs += 2)
        cr_assert(files_add(f->arena, &f->run.files, str_of(pairs[0]), str_of(pairs[1]), &f->err));
    cr_assert(files_sort(&f->run.files, &f->err), "%s", f->err.msg);
}
#define SET_FILES(f, ...) set_files((f), (const char *const[]){__VA_ARGS__, NULL})

#define SERVICE    "apiVersion: v1\nkind: Service\nmetadata:\n  name: web\n  namespace: shop\n"
#define DEPLOYMENT "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n  namespace: shop\n"
#define WIDGET     "apiVersion: example.com/v1\nkind: Widget\nmetadata:\n  name: w\n  namespace: shop\n"

static void mark_missing(struct fixture *f, const char *kind)
{
    f->bundle.complete = false;
    for (size_t i = 0; i < f->bundle.types.count; i++)
        if (str_is(f->bundle.types.items[i].kind, kind))
            f->bundle.types.items[i].missing = STR("forbidden");
}

static const struct value *section(struct fixture *f, const char *key)
{
    return value_in(run_report(&f->run), PATH("publish", key));
}

static struct str section_text(struct fixture *f, const char *key)
{
    const struct value *value = section(f, key);
    return value != NULL ? json_text(f->arena, value) : STR("");
}

Test(publish, the_commit_says_what_it_is_of)
{
    struct fixture *f = set_up();
    SET_FILES(f, "base/shop/service-web.yaml", SERVICE, "README.md", "hi\n", ".gitops-pipe.yaml", "x: 1\n",
              "argocd/app.yaml", "a: 1\n", "flux/dev/x.yaml", "a: 1\n");
    struct resource resource = {
        .api_version = STR("v1"), .kind = STR("Service"), .namespace = STR("shop"), .name = STR("web")};
    bundle_add(&f->bundle, &resource);
    run_section(&f->run, "score",
                VALUE_MAP(f->arena, {"overall", value_int(f->arena, 87)},
                          {"dimensions", VALUE_MAP(f->arena, {"schema", value_int(f->arena, 100)},
                                                   {"security", value_int(f->arena, 74)})}));
    cr_assert(publish_stage(&f->run, &f->bundle, &f->err), "%s", f->err.msg);
    struct str message = GIT(f->arena, f->bare, "log", "-1", "--format=%B", "main");
    cr_expect(
        str_is(message,
               "backup 20251121T020000Z-1a2b of shop\n\n1 object in 1 namespace, taken 2025-11-21T02:00:00Z, "
               "complete\nScore 87: schema 100, security 74"),
        "%.*s", STR_ARG(message));
    cr_expect(str_is(section_text(f, "files"), "{\"added\":5,\"changed\":0,\"removed\":0}"));
    cr_expect(str_eq(value_str(section(f, "commit")), GIT(f->arena, f->bare, "rev-parse", "main")));
    cr_expect(str_eq(value_str(section(f, "tree")), GIT(f->arena, f->bare, "rev-parse", "main^{tree}")));
    cr_expect(value_true(section(f, "changed")));
    tear_down(f);
}

Test(publish, the_same_files_make_no_second_commit)
{
    struct fixture *f = set_up();
    SET_FILES(f, "base/shop/service-web.yaml", SERVICE);
    cr_assert(publish_stage(&f->run, &f->bundle, &f->err), "%s", f->err.msg);
    f->bundle.backup_id = STR("20251122T020000Z-1a2b");
    cr_assert(publish_stage(&f->run, &f->bundle, &f->err), "%s", f->err.msg);
    cr_expect_not(value_true(section(f, "changed")));
    cr_expect(str_eq(value_str(section(f, "commit")), GIT(f->arena, f->bare, "rev-parse", "main")));
    cr_expect(str_is(GIT(f->arena, f->bare, "rev-list", "--count", "main"), "1"));
    tear_down(f);
}

Test(publish, a_preview_tells_and_does_nothing)
{
    struct fixture *f = set_up();
    SET_FILES(f, "base/shop/service-web.yaml", SERVICE);
    cr_assert(publish_preview(&f->run, &f->bundle, &f->err), "%s", f->err.msg);
    cr_expect(value_true(section(f, "changed")));
    cr_expect(value_true(section(f, "preview")));
    cr_expect(str_is(section_text(f, "commit"), "\"\""));
    cr_expect(str_is(section_text(f, "paths"),
                     "{\"added\":[\"base/shop/service-web.yaml\"],\"changed\":[],\"removed\":[]}"));
    cr_expect(str_is(GIT(f->arena, f->bare, "count-objects"), "0 objects, 0 kilobytes"));
    tear_down(f);
}

/* Each night starts from a branch with a Service and a Deployment; `now` is what is left of it. */
Test(publish, a_hole_never_becomes_a_deletion)
{
    static const struct {
        const char *what, *missing;
        bool complete, problems;
        const char *now[5];
        const char *withheld;
        bool changed;
    } cases[] = {
        {"a complete snapshot deletes",
         NULL,
         true,
         false,
         {"base/shop/service-web.yaml", SERVICE},
         "[]",
         true},
        {"the type was not read",
         "Deployment",
         false,
         false,
         {"base/shop/service-web.yaml", SERVICE},
         "[\"shop/Deployment/web\"]",
         false},
        {"another type was not read",
         "ConfigMap",
         false,
         false,
         {"base/shop/service-web.yaml", SERVICE},
         "[]",
         true},
        {"nobody knows what the hole is",
         NULL,
         false,
         false,
         {"base/shop/service-web.yaml", SERVICE},
         "[\"shop/Deployment/web\"]",
         false},
        {"input was left out",
         "ConfigMap",
         false,
         true,
         {"base/shop/service-web.yaml", SERVICE},
         "[\"shop/Deployment/web\"]",
         false},
        {"it moved to another file",
         "Deployment",
         false,
         false,
         {"base/shop/all.yaml", SERVICE "---\n" DEPLOYMENT},
         "[]",
         true},
        {"it moved to another place",
         "Deployment",
         false,
         false,
         {"base/shop/service-web.yaml", SERVICE, "overlays/dev/web.yaml", DEPLOYMENT},
         "[\"shop/Deployment/web\"]",
         false},
        {"it lost its document",
         "Deployment",
         false,
         false,
         {"base/shop/service-web.yaml", SERVICE, "base/shop/deployment-web.yaml", "{}\n"},
         "[\"shop/Deployment/web\"]",
         false},
        {"it only changed",
         "Deployment",
         false,
         false,
         {"base/shop/service-web.yaml", SERVICE, "base/shop/deployment-web.yaml", DEPLOYMENT "spec: {}\n"},
         "[]",
         true},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct fixture *f = set_up();
        SET_FILES(f, "base/shop/service-web.yaml", SERVICE, "base/shop/deployment-web.yaml", DEPLOYMENT);
        cr_assert(publish_stage(&f->run, &f->bundle, &f->err), "%s", f->err.msg);
        struct str first = GIT(f->arena, f->bare, "rev-parse", "main");
        set_files(f, cases[i].now);
        f->bundle.complete = cases[i].complete;
        if (cases[i].missing != NULL)
            mark_missing(f, cases[i].missing);
        if (cases[i].problems)
            *ARENA_PUSH(f->arena, &f->bundle.problems) = STR("x.yaml:1:1: malformed");
        cr_assert(publish_stage(&f->run, &f->bundle, &f->err), "%s: %s", cases[i].what, f->err.msg);
        cr_expect(str_is(section_text(f, "withheld"), cases[i].withheld), "%s: %.*s", cases[i].what,
                  STR_ARG(section_text(f, "withheld")));
        cr_expect_eq(value_true(section(f, "changed")), cases[i].changed, "%s", cases[i].what);
        cr_expect_eq(str_eq(first, GIT(f->arena, f->bare, "rev-parse", "main")), !cases[i].changed, "%s",
                     cases[i].what);
        cr_expect_eq(f->run.findings.count, !cases[i].changed, "%s", cases[i].what);
        tear_down(f);
    }
}

Test(publish, a_type_nobody_knows_may_be_a_hole_too)
{
    struct fixture *f = set_up();
    SET_FILES(f, "base/shop/widget-w.yaml", WIDGET);
    cr_assert(publish_stage(&f->run, &f->bundle, &f->err), "%s", f->err.msg);
    SET_FILES(f, "base/shop/service-web.yaml", SERVICE);
    mark_missing(f, "ConfigMap");
    cr_assert(publish_stage(&f->run, &f->bundle, &f->err), "%s", f->err.msg);
    cr_expect(str_is(section_text(f, "withheld"), "[\"shop/Widget/w\"]"));
    cr_assert_eq(f->run.findings.count, 1);
    cr_expect(str_contains(f->run.findings.items[0].message, STR("shop/Widget/w")));
    tear_down(f);
}

/* Every folder of testdata/publish is a case: the objects of before.yaml are on the branch, those of in.yaml are published
 * over them, from a backup that could not read the kinds of missing.txt; want.txt says what came of it. */
static void set_objects(struct fixture *f, const char *path)
{
    struct bundle bundle;
    f->run.files = (struct files){0};
    cr_assert(bundle_read_manifests(f->arena, path, &bundle, &f->err), "%s", f->err.msg);
    for (size_t i = 0; i < bundle.count; i++) {
        const struct resource *r = &bundle.items[i];
        struct buf text CLEANUP(buf_done);
        buf_init(&text, 1 << 20);
        yaml_write(&text, r->object);
        struct str file = str_fmt(f->arena, "base/%.*s/%.*s-%.*s.yaml", STR_ARG(r->namespace),
                                  STR_ARG(str_lower(f->arena, r->kind)), STR_ARG(r->name));
        cr_assert(files_add(f->arena, &f->run.files, file, str_dup(f->arena, buf_view(&text)), &f->err), "%s",
                  f->err.msg);
    }
    cr_assert(files_sort(&f->run.files, &f->err), "%s", f->err.msg);
}

static struct str outcome_of(struct fixture *f)
{
    if (!publish_stage(&f->run, &f->bundle, &f->err))
        return str_fmt(f->arena, "refused: %s\n", f->err.msg);
    struct str withheld = section_text(f, "withheld");
    if (!str_is(withheld, "[]"))
        return str_fmt(f->arena, "withheld: %.*s\n", STR_ARG(withheld));
    return str_fmt(f->arena, "published, deleted %.*s\n", STR_ARG(section_text(f, "deleted")));
}

static void run_case(const char *folder)
{
    struct fixture *f = set_up();
    struct str want, missing = STR_NONE;
    struct config config;
    const char *path = str_c(f->arena, str_fmt(f->arena, "testdata/publish/%s/", folder));
#define IN_CASE(file) str_c(f->arena, str_fmt(f->arena, "%s%s", path, file))
    set_objects(f, IN_CASE("before.yaml"));
    cr_assert(publish_stage(&f->run, &f->bundle, &f->err), "%s", f->err.msg);
    if (config_read(f->arena, IN_CASE("config.yaml"), &config, &f->err)) {
        f->config.include_namespaces = config.include_namespaces;
        f->config.exclude_namespaces = config.exclude_namespaces;
        f->config.exclude_types = config.exclude_types;
        f->config.max_deletions = config.max_deletions;
    }
    if (file_read(f->arena, IN_CASE("missing.txt"), 4096, &missing, &f->err))
        while (missing.len != 0)
            mark_missing(f, str_c(f->arena, str_cut(&missing, '\n')));
    set_objects(f, IN_CASE("in.yaml"));
    cr_assert(file_read(f->arena, IN_CASE("want.txt"), 4096, &want, &f->err), "%s", f->err.msg);
    struct str got = outcome_of(f);
    cr_expect(str_eq(got, want), "%s\n  got:  %.*s\n  want: %.*s", folder, STR_ARG(got), STR_ARG(want));
    f->config.allow_deletions = true;
    if (!str_starts(want, STR("published")) && missing.len == 0 && !access(IN_CASE("config.yaml"), F_OK))
        cr_expect(str_starts(outcome_of(f), STR("published")), "%s: --allow-deletions is a yes", folder);
#undef IN_CASE
    tear_down(f);
}

Test(publish, every_case_of_deletion_ends_as_it_should)
{
    struct dirent **entries;
    int count = scandir("testdata/publish", &entries, NULL, alphasort);
    cr_assert_gt(count, 2, "there is no testdata/publish");
    for (int i = 0; i < count; i++) {
        if (entries[i]->d_name[0] != '.' && strchr(entries[i]->d_name, '.') == NULL)
            run_case(entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
}

Test(publish, failures_say_where_and_what_next)
{
    struct fixture *f = set_up();
    f->config.git_url = STR("/nonexistent.git");
    cr_assert_not(publish_stage(&f->run, &f->bundle, &f->err));
    cr_expect_eq(f->err.code, ERR_NOT_FOUND);
    cr_expect(strncmp(f->err.msg, "publish: /nonexistent.git: ", 27) == 0, "%s", f->err.msg);
    cr_expect(f->err.next[0] != '\0');
    cr_expect_null(value_key(run_report(&f->run), "publish"));
    tear_down(f);
}

/* What was not asked for this once is no deletion either, whatever type it is of. */
Test(publish, a_part_of_the_cluster_deletes_nothing)
{
    struct fixture *f = set_up();
    SET_FILES(f, "base/shop/service-web.yaml", SERVICE, "base/shop/deployment-web.yaml", DEPLOYMENT);
    cr_assert(publish_stage(&f->run, &f->bundle, &f->err), "%s", f->err.msg);
    f->bundle.narrowed = true;
    SET_FILES(f, "base/shop/service-web.yaml", SERVICE);
    f->run.sections = (struct value_map_builder){0};
    cr_assert(publish_stage(&f->run, &f->bundle, &f->err), "%s", f->err.msg);
    cr_expect_not(value_true(section(f, "changed")));
    cr_expect(str_is(section_text(f, "withheld"), "[\"shop/Deployment/web\"]"));
    cr_assert_eq(f->run.findings.count, 1);
    cr_expect(str_contains(f->run.findings.items[0].message, STR("only a part of the cluster")));

    /* Additions and changes are another matter. */
    SET_FILES(f, "base/shop/service-web.yaml", SERVICE, "base/shop/deployment-web.yaml", DEPLOYMENT,
              "base/shop/widget-w.yaml", WIDGET);
    f->run.sections = (struct value_map_builder){0};
    cr_assert(publish_stage(&f->run, &f->bundle, &f->err), "%s", f->err.msg);
    cr_expect(value_true(section(f, "changed")));
    tear_down(f);
}
