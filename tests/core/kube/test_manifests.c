/* Manifests as people keep them: what is read, what is named and left out. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/files.h"
#include "core/base/json.h"
#include "core/finding.h"
#include "core/kube/bundle.h"
#include "core/run.h"
#include "tests/harness/alike.h"
#include "tests/harness/git_cli.h"

#define POD(name) "apiVersion: v1\nkind: Pod\nmetadata:\n  name: " name "\n  namespace: shop\n"

static struct str labels(const struct bundle *bundle)
{
    struct buf text CLEANUP(buf_done);
    buf_init(&text, 100000);
    for (size_t i = 0; i < bundle->count; i++)
        buf_fmt(&text, "%.*s ", STR_ARG(resource_label(bundle->arena, &bundle->items[i])));
    return str_trim(str_dup(bundle->arena, buf_view(&text)));
}

Test(manifests, texts)
{
    static const struct {
        const char *name, *text, *labels, *problem;
    } cases[] = {
        {"a.yaml", POD("a") "---\n" POD("b"), "shop/Pod/a shop/Pod/b", NULL},
        {"a.yaml", "---\n# nothing\n---\n" POD("a") "---\n", "shop/Pod/a", NULL},
        {"-",
         "{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[{\"apiVersion\":\"v1\",\"kind\":\"Namespace\","
         "\"metadata\":"
         "{\"name\":\"x\"}}]}",
         "Namespace/x", NULL},
        {"a.json", "{\"apiVersion\":\"v1\",\"kind\":\"PodList\",\"items\":[{\"metadata\":{\"name\":\"p\"}}]}",
         "Pod/p", NULL},
        {"-", "{apiVersion: v1, kind: Namespace, metadata: {name: x}}", "Namespace/x", NULL},
        {"a.yaml", "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: []\n", "",
         NULL},
        {"a.yaml", POD("a") "---\na: [\n---\n" POD("b"), "shop/Pod/a shop/Pod/b",
         "a.yaml:8:1: did not find expected node content (while parsing a flow node)"},
        {"a.yaml", "%YAML 1.1\n---\n" POD("a") "---\na: 1\na: 2\n---\n" POD("b"), "shop/Pod/a shop/Pod/b",
         "a.yaml:10:1: key comes twice: a"},
        {"a.yaml", POD("a") "---\nkind: Pod\n", "shop/Pod/a",
         "a.yaml:6: apiVersion is missing or not a string"},
        {"a.yaml",
         "apiVersion: v1\nkind: List\nitems:\n- kind: Pod\n- apiVersion: v1\n  kind: Pod\n  metadata: {name: "
         "p}\n",
         "Pod/p", "a.yaml:1 items[0]: apiVersion is missing or not a string"},
        {"a.yaml", POD("a") "---\n" POD("a"), "shop/Pod/a",
         "a.yaml:6: shop/Pod/a is there already (a.yaml:1); the first one counts"},
    };
    struct arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct bundle bundle;
        struct err err;
        bundle_init(&bundle, arena);
        cr_expect(bundle_read_text(&bundle, str_of(cases[i].text), str_of(cases[i].name), &err), "%s",
                  err.msg);
        bundle_sort(&bundle);
        cr_expect(str_is(labels(&bundle), cases[i].labels), "%s: %.*s", cases[i].text,
                  STR_ARG(labels(&bundle)));
        cr_expect_eq(bundle.problems.count, cases[i].problem != NULL, "case %zu", i);
        if (bundle.problems.count != 0 && cases[i].problem != NULL)
            cr_expect(str_is(bundle.problems.items[0], cases[i].problem), "%.*s",
                      STR_ARG(bundle.problems.items[0]));
    }
    arena_free(arena);
}

Test(manifests, nothing_readable_is_a_failure)
{
    static const struct {
        const char *name, *text, *message; /* NULL: fine */
    } cases[] = {
        {"a.json", "{\"a\":", "a.json:1:6: cut short: expected a value"},
        {"a.yaml", "a: [", "a.yaml:2:1: did not find expected node content (while parsing a flow node)"},
        {"a.yaml", "just text",
         "a.yaml:1: not a Kubernetes object: a map with apiVersion, kind and metadata"},
        {"-", "", "-: no manifests in it"},
        {"-", "{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[]}", NULL},
    };
    struct arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct bundle bundle;
        struct err err;
        bundle_init(&bundle, arena);
        bool ok = bundle_read_text(&bundle, str_of(cases[i].text), str_of(cases[i].name), &err);
        cr_expect_eq(ok, cases[i].message == NULL, "%s", cases[i].text);
        if (!ok) {
            cr_expect_eq(err.code, ERR_INVALID);
            cr_expect_str_eq(err.msg, cases[i].message);
        }
    }
    arena_free(arena);
}

static void put(struct arena *arena, const char *dir, const char *path, const char *text)
{
    struct err err;
    const char *whole = str_fmt(arena, "%s/%s", dir, path).ptr;
    struct str folder = str_slice(str_of(whole), 0, str_rfind(str_of(whole), '/'));
    cr_assert(file_make_dirs(str_c(arena, folder), &err), "%s", err.msg);
    cr_assert(file_write(whole, str_of(text), 0644, &err), "%s", err.msg);
}

/* What is at `path`, into a bundle and into a stash: the same, or the same words why not. */
static void expect_stashed_alike(const char *path)
{
    struct arena *arena = arena_new();
    struct bundle bundle;
    struct stash *stash = NULL;
    struct err why_bundle = {0}, why_stash = {0};
    bool read = bundle_read_manifests(arena, path, &bundle, &why_bundle);
    bool stashed = stash_read_manifests(arena, NULL, path, &stash, &why_stash);
    cr_assert_eq(read, stashed, "%s: %s%s", path, why_bundle.msg, why_stash.msg);
    cr_assert_eq(why_bundle.code, why_stash.code);
    cr_assert_str_eq(why_bundle.msg, why_stash.msg);
    if (read)
        expect_alike(stash, &bundle);
    stash_close(stash);
    arena_free(arena);
}

Test(manifests, folders)
{
    struct arena *arena = arena_new();
    struct bundle bundle;
    struct err err;
    const char *dir = temp_dir(arena);
    put(arena, dir, "b/pod.yml", POD("b"));
    put(arena, dir, "a.yaml", POD("a"));
    put(arena, dir, "c.json", "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"c\"}}");
    put(arena, dir, "crd.yaml",
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: "
        "widgets.x.io}\nspec: {group: x.io, "
        "scope: Cluster, names: {kind: Widget, plural: widgets}, versions: [{name: v1, storage: true}]}\n");
    put(arena, dir, "kustomization.yaml", "resources: [a.yaml]\n");
    put(arena, dir, "README.md", "# no manifest: [\n");
    put(arena, dir, ".github/workflow.yaml", "on: push\n");
    put(arena, dir, "values/bad.yaml", "a: [\n");
    cr_assert(bundle_read_manifests(arena, dir, &bundle, &err), "%s", err.msg);
    cr_expect(str_is(labels(&bundle), "Pod/c CustomResourceDefinition/widgets.x.io shop/Pod/a shop/Pod/b"),
              "%.*s", STR_ARG(labels(&bundle)));
    cr_assert_eq(bundle.problems.count, 1);
    cr_expect(str_contains(bundle.problems.items[0], STR("values/bad.yaml:2:1: ")), "%.*s",
              STR_ARG(bundle.problems.items[0]));
    cr_expect_not(bundle.complete);
    cr_expect_not_null(resource_type_find(&bundle.types, STR("x.io"), STR("Widget")));
    cr_expect_not_null(resource_type_find(&bundle.types, STR("apps"), STR("Deployment")));
    cr_assert(bundle_read_manifests(arena, str_fmt(arena, "%s/a.yaml", dir).ptr, &bundle, &err), "%s",
              err.msg);
    cr_expect(bundle.complete && bundle.count == 1);
    cr_expect_not(bundle_read_manifests(arena, "/nonexistent", &bundle, &err));
    cr_expect_eq(err.code, ERR_NOT_FOUND);
    cr_expect_not(bundle_read_manifests(arena, str_fmt(arena, "%s/.github", dir).ptr, &bundle, &err) &&
                  bundle.count != 0);
    expect_stashed_alike(dir);
    expect_stashed_alike(str_fmt(arena, "%s/a.yaml", dir).ptr);
    expect_stashed_alike(str_fmt(arena, "%s/values", dir).ptr);
    expect_stashed_alike(str_fmt(arena, "%s/.github", dir).ptr);
    expect_stashed_alike("/nonexistent");
    temp_dir_remove(dir);
    arena_free(arena);
}

#define OF(version, kind, name)                                                                              \
    "apiVersion: " version "\nkind: " kind "\nmetadata:\n  name: " name "\n  namespace: shop\n"

Test(manifests, a_stash_of_a_folder_has_what_a_bundle_has)
{
    struct arena *arena = arena_new();
    struct stash *stash;
    struct err err;
    const char *dir = temp_dir(arena);
    put(arena, dir, "a.yaml", OF("x.io/v1", "Widget", "before-its-crd") "---\n" OF("x.io/v2", "Widget", "w"));
    put(arena, dir, "b.json",
        "{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[{\"apiVersion\":\"v1\",\"kind\":\"Secret\","
        "\"metadata\":{\"name\":\"s\",\"namespace\":\"shop\"},\"n\":[0.10,1e3,18446744073709551615]},{}]}");
    put(arena, dir, "c.yaml",
        OF("v1", "ConfigMap", "odd") "data: {a: 0x1f, c: 1_000, d: ~, e: \"\\0\\u2028\", f: 0o17, "
                                     "g: 12e03, h: 2001-12-14, i: yes, j: 0777, k: +1, l: 1., m: .5}\n");
    put(arena, dir, "crd.yaml",
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: "
        "widgets.x.io}\nspec: {group: x.io, "
        "scope: Namespaced, names: {kind: Widget, plural: widgetry}, versions: [{name: v1, storage: "
        "true}]}\n");
    put(arena, dir, "d/again.yaml",
        "# twice in a file, and in others, one in another version\n" OF("v1", "Secret", "s") "---\n" OF(
            "x.io/v1", "Widget", "w") "---\na: [\n---\n" OF("v1", "Secret", "s"));
    put(arena, dir, "e.yaml", "a: [\n");
    expect_stashed_alike(dir);

    cr_assert(stash_read_manifests(arena, NULL, dir, &stash, &err), "%s", err.msg);
    const struct bundle *about = stash_about(stash);
    cr_assert_eq(about->problems.count, 6);
    cr_expect(str_eq(about->problems.items[3],
                     str_fmt(arena,
                             "%s/d/again.yaml:2: shop/Secret/s is there already (%s/b.json:1 items[0]); the "
                             "first one counts",
                             dir, dir)),
              "%.*s", STR_ARG(about->problems.items[3]));
    cr_expect(str_is(stash_object(stash, stash_count(stash) - 1).type->plural, "widgetry"));
    stash_close(stash);
    temp_dir_remove(dir);
    arena_free(arena);
}

Test(manifests, no_room_for_a_stash_is_told)
{
    struct arena *arena = arena_new();
    struct stash *stash;
    struct err err;
    struct rlimit limit = {100, 100}; /* a disk that is full for one process */
    int status;
    signal(SIGXFSZ, SIG_IGN);
    pid_t child = fork();
    if (child == 0) {
        setrlimit(RLIMIT_FSIZE, &limit);
        bool as_told =
            !stash_read_manifests(arena, NULL, "testdata/estates/production-simulation", &stash, &err) &&
            err.code == ERR_IO && strstr(err.next, "TMPDIR") != NULL;
        _exit(as_told ? 0 : 1);
    }
    waitpid(child, &status, 0);
    cr_expect_eq(status, 0);
    arena_free(arena);
}

Test(manifests, the_estate_is_read_whole)
{
    struct arena *arena = arena_new();
    struct bundle bundle;
    struct err err;
    cr_assert(bundle_read_manifests(arena, "testdata/estates/production-simulation", &bundle, &err), "%s",
              err.msg);
    cr_expect_eq(bundle.problems.count, 0);
    cr_expect_gt(bundle.count, 80);
    cr_expect_not_null(bundle_find(&bundle, STR("apiextensions.k8s.io"), STR("CustomResourceDefinition"),
                                   STR(""), STR("routes.route.openshift.io")));
    expect_stashed_alike("testdata/estates/production-simulation");
    arena_free(arena);
}

Test(run, sections_and_findings_become_one_tree)
{
    struct arena *arena = arena_new();
    struct run run = {.arena = arena};
    struct finding finding = {
        .check = STR("c"), .severity = SEVERITY_ERROR, .kind = STR("Pod"), .name = STR("p"), .fix = STR("f")};
    run_section(&run, "score", value_int(arena, 1));
    run_section(&run, "publish", finding_value(arena, &finding));
    run_section(&run, "score", value_int(arena, 2)); /* said again: the later counts */
    cr_expect(str_is(
        json_text(arena, run_report(&run)),
        "{\"score\":2,\"publish\":{\"check\":\"c\",\"severity\":\"error\",\"dimension\":\"\",\"resource\":"
        "{\"apiVersion\":\"\",\"kind\":\"Pod\",\"namespace\":\"\",\"name\":\"p\"},\"path\":\"\",\"message\":"
        "\"\","
        "\"fix\":\"f\"}}"));
    cr_expect_str_eq(severity_name((enum severity)9), "?");
    arena_free(arena);
}
