/* A whole cluster at one moment; and every hole told. Wire scripts hold the protocol to the letter, the sandbox
 * brings a whole cluster and faults at will. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/base/json.h"
#include "dr-scenarios/sandbox/sandbox.h"
#include "tests/harness/kube_fixture.h"

static struct str type_lines(struct arena *arena, const struct bundle *bundle)
{
    struct buf out;
    buf_init(&out, 1 << 20);
    for (size_t i = 0; i < bundle->types.count; i++) {
        const struct resource_type *t = &bundle->types.items[i];
        buf_fmt(&out, "%.*s %.*s %.*s %zu%s%.*s\n", STR_ARG(t->plural), STR_ARG(t->consistency),
                STR_ARG(t->resource_version), t->count, t->missing.len ? " missing: " : "",
                STR_ARG(t->missing));
        cr_expect_eq(t->why.len != 0, str_is(t->consistency, "per-resource"), "%.*s", STR_ARG(t->plural));
    }
    struct str text = str_dup(arena, buf_view(&out));
    buf_done(&out);
    return text;
}

static void expect_types(struct arena *arena, const struct bundle *bundle, const char *wants)
{
    struct str got = type_lines(arena, bundle);
    cr_expect(str_is(got, wants), "%.*s", STR_ARG(got));
}

static bool has_problem(const struct bundle *bundle, const char *part)
{
    for (size_t i = 0; i < bundle->problems.count; i++)
        if (str_contains(bundle->problems.items[i], str_of(part)))
            return true;
    return false;
}

Test(snapshot, every_way_a_list_can_go)
{
    struct kube_fixture f;
    struct bundle bundle;
    kube_fixture_open(&f, "snapshot", NULL);
    cr_assert(kube_snapshot(f.kube, f.arena, &(struct kube_selection){0}, NULL, &bundle, &f.err), "%s",
              f.err.msg);
    expect_types(f.arena, &bundle,
                 "pods per-resource 150 1\n"
                 "others per-resource 7 1\n"
                 "olds per-resource 160 0\n"
                 "deads   0 missing: HTTP 503\n"
                 "fines exact 100 1\n"
                 "lags per-resource 90 0\n"
                 "mixes per-resource 170 0\n"
                 "gones   0 missing: HTTP 404\n"
                 "stales   0 missing: stale\n"
                 "stricts per-resource 5 0\n");
    cr_expect_not(bundle.complete);
    cr_expect(str_is(bundle.resource_version, "100") && str_is(bundle.cluster_uid, "cluster-1"));
    cr_expect_eq(bundle.count, 3, "the object of uid u1 is shown twice and kept once: %zu", bundle.count);
    cr_expect(bundle_find(&bundle, STR_NONE, STR("Pod"), STR("a"), STR("p")) != NULL);
    cr_expect(has_problem(&bundle, "OpenAPI: ") && has_problem(&bundle, "metadata.name is missing"));
    kube_fixture_close(&f);
}

Test(snapshot, what_is_allowed_to_be_missing_leaves_it_complete)
{
    struct kube_fixture f;
    struct bundle bundle;
    struct str allowed[] = {STR("deads"), STR("*.removed.example.com"), STR("stales.stale.example.com")};
    const struct kube_selection selection = {.allow_missing = {allowed, 3, 3}};
    kube_fixture_open(&f, "snapshot", NULL);
    cr_assert(kube_snapshot(f.kube, f.arena, &selection, NULL, &bundle, &f.err), "%s", f.err.msg);
    cr_expect(bundle.complete);
    kube_fixture_close(&f);
}

static void expect_names(struct arena *arena, const struct bundle *bundle, const char *wants)
{
    struct str_list names = {0};
    for (size_t i = 0; i < bundle->count; i++)
        *ARENA_PUSH(arena, &names) = bundle->items[i].name;
    struct str got = str_join(arena, names.items, names.count, STR(" "));
    cr_expect(str_is(got, wants), "%.*s", STR_ARG(got));
}

/* Half a list is worse than none: what came of it goes back, and what can be had in another way is. */
Test(snapshot, a_list_that_breaks_in_the_middle_comes_whole_or_not_at_all)
{
    struct kube_fixture f;
    struct bundle bundle;
    kube_fixture_open(&f, "snapshot-middle", NULL);
    cr_assert(kube_snapshot(f.kube, f.arena, &(struct kube_selection){0}, NULL, &bundle, &f.err), "%s",
              f.err.msg);
    expect_types(
        f.arena, &bundle,
        "aborted   0 missing: HTTP 500\n"
        "behind per-resource 120 2\n"
        "closed exact 100 2\n"
        "cut exact 100 2\n"
        "forbidden   0 missing: forbidden\n"
        "loop   0 missing: list loop: the continue token leads back to the same page\n"
        "mixed   0 missing: list mixed: its pages are of different moments (resourceVersion 105 and 106)\n"
        "short   0 missing: list short: the reply is no list: it is cut short\n");
    expect_names(f.arena, &bundle, "b1 b2 c1 c2 d1 d2");
    cr_expect_not(bundle.complete);
    cr_expect(str_is(bundle.types.items[1].why,
                     "resourceVersion 100 was compacted away while it was read (HTTP 410)"));
    kube_fixture_close(&f);
}

Test(snapshot, a_forbidden_type_is_read_namespace_by_namespace)
{
    struct kube_fixture f;
    struct bundle bundle;
    struct str skipped[] = {STR("skip*")};
    const struct kube_selection selection = {.exclude_namespaces = {skipped, 1, 1}};
    kube_fixture_open(&f, "snapshot-forbidden", NULL);
    cr_assert(kube_snapshot(f.kube, f.arena, &selection, NULL, &bundle, &f.err), "%s", f.err.msg);
    expect_types(f.arena, &bundle, "namespaces exact 100 2\npods exact 100 1 missing: forbidden in b\n");
    cr_expect_not(bundle.complete);
    kube_fixture_close(&f);
}

Test(snapshot, a_user_bound_to_a_namespace_gets_that)
{
    struct kube_fixture f;
    struct bundle bundle;
    struct str team[] = {STR("team")};
    const struct kube_selection selection = {.include_namespaces = {team, 1, 1}};
    kube_fixture_open(&f, "snapshot-bound", NULL);
    cr_assert(kube_snapshot(f.kube, f.arena, &selection, NULL, &bundle, &f.err), "%s", f.err.msg);
    expect_types(f.arena, &bundle, "namespaces   0 missing: forbidden\npods exact 100 1\n");
    cr_expect(has_problem(&bundle, "cluster identity: "));
    kube_fixture_close(&f);
}

Test(snapshot, custom_resources_are_read_in_the_version_they_are_stored_in)
{
    static const struct {
        const char *kind, *api_version;
    } wants[] = {{"Gadget", "x.example.com/v1beta1"},
                 {"Hidden", "x.example.com/v1"},
                 {"Old", "x.example.com/v1"},
                 {"Single", "x.example.com/v1"}};
    struct kube_fixture f;
    struct bundle bundle;
    kube_fixture_open(&f, "snapshot-stored", NULL);
    cr_assert(kube_snapshot(f.kube, f.arena, &(struct kube_selection){0}, NULL, &bundle, &f.err), "%s",
              f.err.msg);
    cr_assert_eq(bundle.count, COUNT_OF(wants));
    for (size_t i = 0; i < COUNT_OF(wants); i++)
        cr_expect(str_is(bundle.items[i].kind, wants[i].kind) &&
                      str_is(bundle.items[i].api_version, wants[i].api_version),
                  "%s: %.*s", wants[i].kind, STR_ARG(bundle.items[i].api_version));
    kube_fixture_close(&f);
}

Test(snapshot, a_named_namespace_that_may_not_be_read_is_a_hole)
{
    struct kube_fixture f;
    struct bundle bundle;
    struct str team[] = {STR("team")};
    const struct kube_selection selection = {.include_namespaces = {team, 1, 1}};
    kube_fixture_open(&f, "snapshot-named-forbidden", NULL);
    cr_assert(kube_snapshot(f.kube, f.arena, &selection, NULL, &bundle, &f.err), "%s", f.err.msg);
    expect_types(f.arena, &bundle, "namespaces exact 100 0\npods   0 missing: forbidden\n");
    cr_expect_not(bundle.complete);
    kube_fixture_close(&f);
}

Test(snapshot, credentials_that_end_in_the_middle_end_the_snapshot)
{
    struct kube_fixture f;
    struct bundle bundle;
    kube_fixture_open(&f, "snapshot-revoked", NULL);
    cr_expect_not(kube_snapshot(f.kube, f.arena, &(struct kube_selection){0}, NULL, &bundle, &f.err));
    cr_expect_eq(f.err.code, ERR_DENIED);
    cr_expect(str_starts(str_of(f.err.msg), STR("snapshot: list pods: HTTP 401: ")), "%s", f.err.msg);
    kube_fixture_close(&f);
}

/* ---- on the sandbox ---- */

struct cluster {
    struct arena *arena;
    struct sandbox *sandbox;
    struct kube *kube;
    char dir[64], config[96];
    struct retry_policy policy;
    struct err err;
};

static void short_wait(void *ctx, int64_t ms)
{
}

static void cluster_open(struct cluster *c)
{
    *c = (struct cluster){.arena = arena_new(), .dir = "/tmp/snapshot-XXXXXX", .policy = RETRY_DEFAULT};
    c->policy.sleep = short_wait;
    cr_assert(mkdtemp(c->dir) != NULL);
    snprintf(c->config, sizeof c->config, "%s/config", c->dir);
    const struct sandbox_options options = {.folder = "testdata/estates/production-simulation",
                                            .max_page = 7};
    cr_assert(sandbox_start(&options, &c->sandbox, &c->err), "%s", c->err.msg);
    cr_assert(sandbox_write_kubeconfig(c->sandbox, c->config, &c->err), "%s", c->err.msg);
    cr_assert(kube_open(c->arena,
                        &(struct kube_options){.kubeconfig = str_of(c->config), .retry = &c->policy},
                        &c->kube, &c->err),
              "%s", c->err.msg);
}

static void cluster_close(struct cluster *c)
{
    kube_close(c->kube);
    sandbox_stop(c->sandbox);
    remove(c->config);
    remove(c->dir);
    arena_free(c->arena);
}

static struct bundle must_snapshot(struct cluster *c, const struct kube_selection *selection)
{
    struct bundle bundle;
    cr_assert(kube_snapshot(c->kube, c->arena, selection, NULL, &bundle, &c->err), "%s", c->err.msg);
    return bundle;
}

static void expect_same(struct arena *arena, const struct bundle *a, const struct bundle *b)
{
    cr_assert_eq(a->count, b->count, "%zu and %zu objects", a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        cr_expect(resource_cmp(&a->items[i], &b->items[i]) == 0);
        struct str name = resource_label(arena, &a->items[i]);
        cr_expect(value_equal(a->items[i].object, b->items[i].object), "%.*s", STR_ARG(name));
    }
}

Test(snapshot, of_a_whole_cluster_is_exact_and_the_same_twice)
{
    struct cluster c;
    cluster_open(&c);
    struct bundle one = must_snapshot(&c, &(struct kube_selection){0});
    cr_expect(one.complete && one.count > 100, "%zu", one.count);
    for (size_t i = 0; i < one.types.count; i++)
        if (one.types.items[i].consistency.len != 0)
            cr_expect(str_is(one.types.items[i].consistency, "exact"), "%.*s",
                      STR_ARG(one.types.items[i].plural));
    cr_expect_eq(one.problems.count, 0);
    struct bundle two = must_snapshot(&c, &(struct kube_selection){0});
    if (str_eq(one.resource_version, two.resource_version)) /* its controllers may have written meanwhile */
        expect_same(c.arena, &one, &two);
    cluster_close(&c);
}

Test(snapshot, faults_that_pass_leave_no_trace)
{
    static const struct sandbox_fault faults[] = {
        {.kind = SANDBOX_THROTTLE, .match = "/api/v1/*", .skip = 3, .times = 3, .value = 1},
        {.kind = SANDBOX_ERROR, .match = "/apis/apps/v1/*", .times = 2, .value = 500},
        {.kind = SANDBOX_CUT, .match = "/api/v1/secrets", .times = 2},
        {.kind = SANDBOX_CUT, .match = "/openapi/*", .skip = 1, .times = 1},
        {.kind = SANDBOX_CLOSE, .match = "/apis/*", .skip = 5, .times = 4},
    };
    struct cluster c;
    cluster_open(&c);
    struct bundle calm = must_snapshot(&c, &(struct kube_selection){0});
    for (size_t i = 0; i < COUNT_OF(faults); i++)
        sandbox_fault(c.sandbox, &faults[i]);
    struct bundle rough = must_snapshot(&c, &(struct kube_selection){0});
    cr_expect(rough.complete);
    cr_expect_eq(rough.problems.count, 0);
    if (str_eq(calm.resource_version, rough.resource_version))
        expect_same(c.arena, &calm, &rough);
    else
        cr_expect_eq(calm.count, rough.count);
    cluster_close(&c);
}

Test(snapshot, history_compacted_on_the_way_costs_the_common_moment_only)
{
    struct cluster c;
    cluster_open(&c);
    size_t count = must_snapshot(&c, &(struct kube_selection){0}).count;
    sandbox_fault(c.sandbox, &(struct sandbox_fault){
                                 .kind = SANDBOX_COMPACT, .match = "/apis/rbac*", .skip = 2, .times = 1});
    struct bundle bundle = must_snapshot(&c, &(struct kube_selection){0});
    cr_expect(bundle.complete);
    cr_expect_eq(bundle.count, count);
    cluster_close(&c);
}

Test(snapshot, holes_are_told)
{
    struct cluster c;
    cluster_open(&c);
    sandbox_fault(c.sandbox, &(struct sandbox_fault){.kind = SANDBOX_FORBID, .match = "*/secrets"});
    sandbox_fault(c.sandbox, &(struct sandbox_fault){.kind = SANDBOX_STALE, .match = "route.openshift.io"});
    struct bundle bundle = must_snapshot(&c, &(struct kube_selection){0});
    cr_expect_not(bundle.complete);
    const struct resource_type *secrets = resource_type_find(&bundle.types, STR_NONE, STR("Secret"));
    cr_expect(secrets != NULL && str_is(secrets->missing, "forbidden"));
    const struct resource_type *routes =
        NULL; /* of a group that is down perhaps not even the types are known */
    for (size_t i = 0; i < bundle.types.count; i++)
        if (str_is(bundle.types.items[i].group, "route.openshift.io"))
            routes = &bundle.types.items[i];
    cr_expect(routes != NULL && str_is(routes->missing, "stale"));
    cluster_close(&c);
}

Test(snapshot, a_selection_takes_what_it_says)
{
    struct cluster c;
    struct str spaces[] = {STR("production-*")},
               types[] = {STR("config*"), STR("deployments.apps"), STR("namespaces")},
               none[] = {STR("kube-*"), STR("default")};
    cluster_open(&c);
    struct bundle some = must_snapshot(
        &c, &(struct kube_selection){.include_namespaces = {spaces, 1, 1}, .include_types = {types, 3, 3}});
    cr_expect_neq(some.count, 0);
    for (size_t i = 0; i < some.count; i++) {
        const struct resource *r = &some.items[i];
        bool space = resource_is(r, "", "Namespace") ? str_starts(r->name, STR("production-"))
                                                     : str_starts(r->namespace, STR("production-"));
        bool type = resource_is(r, "", "Namespace") || resource_is(r, "", "ConfigMap") ||
                    resource_is(r, "apps", "Deployment");
        struct str label = resource_label(c.arena, r);
        cr_expect(space && type, "%.*s", STR_ARG(label));
    }
    struct bundle local = must_snapshot(
        &c, &(struct kube_selection){.no_cluster_scoped = true, .exclude_namespaces = {none, 2, 2}});
    for (size_t i = 0; i < local.count; i++) {
        const struct resource *r = &local.items[i];
        cr_expect(resource_is(r, "", "Namespace") || r->namespace.len != 0);
        cr_expect_not(str_starts(r->namespace, STR("kube-")));
    }
    struct str nowhere[] = {STR("nowhere")};
    struct bundle bundle;
    cr_expect_not(kube_snapshot(c.kube, c.arena,
                                &(struct kube_selection){.include_namespaces = {nowhere, 1, 1}}, NULL,
                                &bundle, &c.err));
    cr_expect_eq(c.err.code, ERR_NOT_FOUND, "%s", c.err.msg);
    cluster_close(&c);
}

Test(snapshot, labels_and_names_bring_their_namespaces_along)
{
    struct cluster c;
    struct str names[] = {STR("backend*")};
    cluster_open(&c);
    struct bundle all = must_snapshot(&c, &(struct kube_selection){0});
    struct bundle labelled =
        must_snapshot(&c, &(struct kube_selection){.labels = STR("app.kubernetes.io/name=backend")});
    struct bundle named = must_snapshot(&c, &(struct kube_selection){.include_names = {names, 1, 1}});
    const struct bundle *both[] = {&labelled, &named};
    for (size_t k = 0; k < 2; k++) {
        size_t spaces = 0, others = 0;
        for (size_t i = 0; i < both[k]->count; i++) {
            const struct resource *r = &both[k]->items[i];
            struct str label = value_str_in(r->object, PATH("metadata", "labels", "app.kubernetes.io/name"));
            size_t from, to;
            bundle_namespace(both[k], r->name, &from, &to);
            if (resource_is(r, "", "Namespace")) {
                spaces++;
                cr_expect(to > from, "%.*s is empty", STR_ARG(r->name));
                continue;
            }
            others++;
            cr_expect(k ? str_starts(r->name, STR("backend")) : str_is(label, "backend"), "%.*s",
                      STR_ARG(r->name));
            cr_expect(r->namespace.len == 0 ||
                      bundle_find(both[k], STR_NONE, STR("Namespace"), STR_NONE, r->namespace) != NULL);
        }
        cr_expect(spaces > 0 && others > 0 && both[k]->count < all.count, "%zu: %zu and %zu", k, spaces,
                  others);
    }
    struct bundle bundle;
    cr_expect_not(kube_snapshot(c.kube, c.arena, &(struct kube_selection){.labels = STR("env in (a,b)")},
                                NULL, &bundle, &c.err));
    cr_expect_eq(c.err.code, ERR_USAGE); /* the sandbox takes no set-based ones */
    cr_expect(strstr(c.err.msg, "env in (a,b)") != NULL, "%s", c.err.msg);
    cluster_close(&c);
}

Test(snapshot, declared_holds_no_children_and_no_observations)
{
    struct cluster c;
    cluster_open(&c);
    struct bundle all = must_snapshot(&c, &(struct kube_selection){0});
    struct bundle declared = must_snapshot(&c, &(struct kube_selection){.preset = KUBE_DECLARED});
    size_t pods = 0, deployments = 0;
    for (size_t i = 0; i < declared.count; i++) {
        cr_expect_not(resource_is(&declared.items[i], "apps", "ReplicaSet"));
        cr_expect_not(resource_is(&declared.items[i], "", "Node"));
        pods += resource_is(&declared.items[i], "", "Pod");
        deployments += resource_is(&declared.items[i], "apps", "Deployment");
    }
    cr_expect(declared.count < all.count && deployments > 0 && pods < 3, "%zu %zu", deployments, pods);
    cr_expect(str_is(value_str(value_key(declared.selection, "preset")), "declared"));
    cluster_close(&c);
}

/* The whole cluster, put down and taken up again part by part, is what one bundle holds. */
Test(snapshot, parts_of_a_stash_make_the_bundle)
{
    struct cluster c;
    struct stash *stash;
    size_t at = 0;
    cluster_open(&c);
    cr_assert(kube_stash(c.kube, c.arena, &(struct kube_selection){0}, NULL, NULL, &stash, &c.err), "%s",
              c.err.msg);
    struct bundle all, part;
    cr_assert(stash_bundle_all(stash, c.arena, &all, &c.err), "%s", c.err.msg);
    for (size_t i = 0; i < stash_part_count(stash); i++) {
        cr_assert(stash_bundle(stash, c.arena, i, &part, &c.err), "%s", c.err.msg);
        for (size_t k = 0; k < part.count; k++, at++)
            cr_expect(resource_cmp(&part.items[k], &all.items[at]) == 0 &&
                      value_equal(part.items[k].object, all.items[at].object));
    }
    cr_expect_eq(at, all.count);
    stash_close(stash);
    cluster_close(&c);
}

/* A limit on the size of files stands in for a full disk. It is no hole in the backup but its end, and it says where. */
Test(snapshot, a_disk_that_is_full_ends_it)
{
    struct cluster c;
    struct stash *stash;
    struct rlimit before;
    char dir[] = "/tmp/full-disk-XXXXXX";
    cluster_open(&c);
    cr_assert(mkdtemp(dir) != NULL);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){60 * 1000, before.rlim_max});
    bool read = kube_stash(c.kube, c.arena, &(struct kube_selection){0}, dir, NULL, &stash, &c.err);
    setrlimit(RLIMIT_FSIZE, &before);
    cr_assert_not(read);
    cr_expect_eq(c.err.code, ERR_IO, "%s", c.err.msg);
    cr_expect(strstr(c.err.msg, dir) != NULL && strstr(c.err.next, "state.dir") != NULL, "%s", c.err.msg);
    cr_expect_eq(rmdir(dir), 0, "nothing is left in it");
    cr_expect_not(kube_stash(c.kube, c.arena, &(struct kube_selection){0}, dir, NULL, &stash, &c.err));
    cr_expect_eq(c.err.code, ERR_NOT_FOUND, "%s", c.err.msg);
    cluster_close(&c);
}

Test(snapshot, a_server_that_dies_is_an_error_not_an_empty_backup)
{
    struct cluster c;
    struct bundle bundle;
    cluster_open(&c);
    sandbox_fault(c.sandbox, &(struct sandbox_fault){.kind = SANDBOX_CLOSE, .skip = 12});
    cr_expect_not(kube_snapshot(c.kube, c.arena, &(struct kube_selection){0}, NULL, &bundle, &c.err));
    cr_expect_eq(c.err.code, ERR_UNREACHABLE, "%s", c.err.msg);
    cr_expect(str_starts(str_of(c.err.msg), STR("snapshot: ")), "%s", c.err.msg);
    cluster_close(&c);
}
