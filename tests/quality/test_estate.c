/* What a check knows of the rest of the cluster while one part of it is at hand, and that the report does not depend on
 * where the parts come from. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <unistd.h>

#include "core/base/json.h"
#include "core/kube/stash_intern.h"
#include "quality/check.h"
#include "tests/quality/fixture.h"

/* The report as text, by way of a stash that is closed before anybody reads it. */
static struct str report_of_stash(struct fixture *f)
{
    struct run run = {.arena = f->arena, .config = &f->config, .clock = &f->clock};
    struct arena *arena = arena_new();
    struct stash *stash;
    struct parts parts;
    cr_assert(stash_from_bundle(arena, NULL, &f->bundle, &stash, &f->err), "%s", f->err.msg);
    parts_of_stash(arena, stash, &parts);
    cr_assert(score_parts(&run, &parts, &f->err), "%s", f->err.msg);
    stash_close(stash);
    arena_free(arena);
    return json_text(f->arena, run_report(&run));
}

static void expect_one_report(struct fixture *f, const char *what)
{
    fixture_score(f);
    struct str of_bundle = json_text(f->arena, run_report(&f->run)), of_stash = report_of_stash(f);
    cr_expect(str_eq(of_bundle, of_stash), "%s:\n%.*s\n%.*s", what, STR_ARG(of_bundle), STR_ARG(of_stash));
}

static void expect_one_report_of(const char *path)
{
    struct fixture f;
    fixture_init(&f);
    fixture_read(&f, path);
    fixture_openapi(&f);
    expect_one_report(&f, path);
    fixture_done(&f);
}

Test(estate, a_bundle_and_a_stash_make_one_report)
{
    static const char *const estates[] = {
        "testdata/estates/enterprise-platform", "testdata/estates/mesh-benchmark",
        "testdata/estates/multi-tenant-isp",    "testdata/estates/production-simulation",
        "testdata/estates/store-platform",      "testdata/quality/bad-stack",
    };
    for (size_t i = 0; i < COUNT_OF(estates); i++)
        expect_one_report_of(estates[i]);
}

Test(estate, they_do_so_for_the_examples_of_every_check)
{
    static const char *const names[] = {"good", "bad"};
    for (size_t i = 0; i < CHECK_COUNT; i++)
        for (size_t n = 0; n < COUNT_OF(names); n++) {
            char path[256];
            snprintf(path, sizeof path, "testdata/quality/%s/%s.yaml", checks[i].id, names[n]);
            expect_one_report_of(path);
        }
}

static void fill_teams(struct fixture *f, int teams, int workloads_each)
{
    struct buf text CLEANUP(buf_done);
    buf_init(&text, 1 << 24);
    for (int n = 0; n < teams; n++) {
        buf_fmt(&text, "{apiVersion: v1, kind: Namespace, metadata: {name: team-%d}}\n---\n", n);
        for (int i = 0; i < workloads_each; i++)
            buf_fmt(
                &text,
                "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web-%d, namespace: team-%d}, "
                "spec: {selector: {matchLabels: {app: a-%d}}, template: {metadata: {labels: {app: a-%d}}, "
                "spec: {containers: [{name: web, image: nginx}]}}}}\n---\n",
                i, n, i, i);
    }
    fixture_text(f, str_c(f->arena, buf_view(&text)));
}

/* More namespaces with more findings than are kept: which ones are kept must not depend on the source either. */
Test(estate, they_keep_the_same_findings_where_there_are_too_many)
{
    enum { TEAMS = 40 };
    struct fixture f;
    fixture_init(&f);
    fill_teams(&f, TEAMS, 20);
    expect_one_report(&f, "many");
    const struct value *counts = value_in(run_report(&f.run), PATH("score", "counts"));
    cr_expect_gt(fixture_number(counts, PATH("notListed")), 0);
    cr_expect_eq(value_count(value_in(run_report(&f.run), PATH("score", "namespaces"))), TEAMS);
    fixture_done(&f);
}

/* Once as many findings are kept as may be, another thousand objects leave nothing behind but larger numbers. */
Test(estate, what_is_left_behind_does_not_grow_with_the_objects)
{
    enum { SLACK = 4096 };
    size_t used[2];
    for (int i = 0; i < 2; i++) {
        struct fixture f;
        fixture_init(&f);
        fill_teams(&f, 3, i ? 700 : 350);
        size_t before = arena_used(f.arena);
        fixture_score(&f);
        used[i] = arena_used(f.arena) - before;
        fixture_done(&f);
    }
    cr_expect_leq(used[1], used[0] + SLACK, "%zu bytes, and %zu for twice the objects", used[0], used[1]);
}

#define POD(namespace, more)                                                                                 \
    "{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: " namespace ", labels: {app: web}" more    \
                                                                              "}, spec: "                    \
                                                                              "{serviceAccountName: web, "   \
                                                                              "containers: [{name: web, "    \
                                                                              "image: nginx}]}}\n---\n"
#define NAMESPACE(name, labels)                                                                              \
    "{apiVersion: v1, kind: Namespace, metadata: {name: " name ", labels: {" labels "}}}\n---\n"
#define BINDING(kind, namespace, subject)                                                                    \
    "{apiVersion: rbac.authorization.k8s.io/v1, kind: " kind                                                 \
    ", metadata: {name: b" namespace "}, roleRef: {kind: ClusterRole, name: edit}, subjects: [" subject      \
                                     "]}\n---\n"
#define POLICY(namespace, spec)                                                                                  \
    "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p, namespace: " namespace "},"     \
                                                                                                        " s"     \
                                                                                                        "pe"     \
                                                                                                        "c:"     \
                                                                                                        " "      \
                                                                                                        "{" spec \
                                                                                                        "}}"     \
                                                                                                        "\n"     \
                                                                                                        "--"     \
                                                                                                        "-"      \
                                                                                                        "\n"
#define DENY "podSelector: {}, policyTypes: [Ingress]"
#define LETS_IN(labels)                                                                                      \
    "podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {" labels "}}}]}]"

static const struct crossing {
    const char *what, *check, *text;
    bool found;
} crossings[] = {
    {"nobody gives the account rights", "pod.token-without-need", POD("b", ""), true},
    {"a binding of another namespace does", "pod.token-without-need",
     POD("b", "") BINDING("RoleBinding", ", namespace: c", "{kind: ServiceAccount, name: web, namespace: b}"),
     false},
    {"one before it does, too", "pod.token-without-need",
     POD("b", "") BINDING("RoleBinding", ", namespace: a", "{kind: ServiceAccount, name: web, namespace: b}"),
     false},
    {"a cluster-wide one does", "pod.token-without-need",
     POD("b", "") BINDING("ClusterRoleBinding", "", "{kind: ServiceAccount, name: web, namespace: b}"),
     false},
    {"the account of that name is another one", "pod.token-without-need",
     POD("b", "") BINDING("RoleBinding", ", namespace: c", "{kind: ServiceAccount, name: web}"), true},
    {"the namespace runs nothing", "network.default-deny", NAMESPACE("b", ""), false},
    {"it runs a pod that all may reach", "network.default-deny", NAMESPACE("b", "") POD("b", ""), true},
    {"the policy is another namespace's", "network.default-deny",
     NAMESPACE("b", "") POD("b", "") POLICY("c", DENY), true},
    {"the policy is its own", "network.default-deny", NAMESPACE("b", "") POD("b", "") POLICY("b", DENY),
     false},
    {"quotas are looked for where the pods are", "resources.quota",
     NAMESPACE("b", "")
         POD("b", "") "{apiVersion: v1, kind: ResourceQuota, metadata: {name: q, namespace: c}}\n",
     true},
    {"and are found there", "resources.quota",
     NAMESPACE("b", "")
         POD("b", "") "{apiVersion: v1, kind: ResourceQuota, metadata: {name: q, namespace: b}}\n",
     false},
    {"so are limit ranges", "resources.limit-range",
     NAMESPACE("b", "")
         POD("b", "") "{apiVersion: v1, kind: LimitRange, metadata: {name: q, namespace: b}}\n",
     false},
    {"another tenant is let in, though nothing runs there yet", "network.tenants",
     NAMESPACE("b", "tenant: one") NAMESPACE("z", "tenant: two, zone: x") POLICY("b", LETS_IN("zone: x")),
     true},
    {"a namespace of the same tenant may come in", "network.tenants",
     NAMESPACE("b", "tenant: one") NAMESPACE("z", "tenant: one, zone: x") POLICY("b", LETS_IN("zone: x")),
     false},
    {"a service of the same name elsewhere does not help", "production.ingress-backend",
     "{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: i, namespace: b}, spec: "
     "{defaultBackend: {service: {name: s}}}}\n---\n"
     "{apiVersion: v1, kind: Service, metadata: {name: s, namespace: c}}\n",
     true},
};

static bool is_found(struct fixture *f, const char *check, struct str report)
{
    struct str wanted = str_fmt(f->arena, "{\"check\":\"%s\"", check);
    return str_contains(report, wanted);
}

Test(estate, what_crosses_namespaces_is_known)
{
    for (size_t i = 0; i < COUNT_OF(crossings); i++) {
        struct fixture f;
        fixture_init(&f);
        fixture_text(&f, crossings[i].text);
        expect_one_report(&f, crossings[i].what);
        cr_expect_eq(is_found(&f, crossings[i].check, json_text(f.arena, run_report(&f.run))),
                     crossings[i].found, "%s: %s", crossings[i].check, crossings[i].what);
        fixture_done(&f);
    }
}

/* Static pods are owned by their Node, which no namespace holds. */
Test(estate, a_cluster_scoped_owner_makes_a_child)
{
    static const char owned[] =
        ", ownerReferences: [{apiVersion: example.com/v2, kind: Fleet, name: one, controller: true}]";
    static const char *const owners[] = {
        "{apiVersion: example.com/v2, kind: Fleet, metadata: {name: one}}\n",
        "{apiVersion: example.com/v1, kind: Fleet, metadata: {name: one}}\n",
        "{apiVersion: example.com/v2, kind: Fleet, metadata: {name: two}}\n",
    };
    static const int children[] = {1, 1, 0};
    for (size_t i = 0; i < COUNT_OF(owners); i++) {
        struct fixture f;
        fixture_init(&f);
        struct str text =
            str_fmt(f.arena, "{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: b%s}}\n---\n%s",
                    owned, owners[i]);
        fixture_text(&f, str_c(f.arena, text));
        expect_one_report(&f, owners[i]);
        cr_expect_eq(fixture_number(run_report(&f.run), PATH("score", "counts", "children")), children[i],
                     "%s", owners[i]);
        fixture_done(&f);
    }
}

/* Only a snapshot of a cluster has all of its roles. */
Test(estate, cluster_roles_are_known_everywhere)
{
    static const char role[] =
        "{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: edit}}\n";
    for (int there = 0; there < 2; there++) {
        struct fixture f;
        fixture_init(&f);
        fixture_text(&f, BINDING("RoleBinding", ", namespace: b", "{kind: User, name: u}"));
        if (there)
            fixture_text(&f, role);
        f.bundle.cluster = STR("prod");
        expect_one_report(&f, "role");
        cr_expect_eq(is_found(&f, "production.missing-role", json_text(f.arena, run_report(&f.run))), !there);
        fixture_done(&f);
    }
}

/* Half a cluster has no score. */
Test(estate, a_stash_that_cannot_be_read_is_an_error)
{
    struct fixture f;
    struct stash *stash;
    struct parts parts;
    fixture_init(&f);
    fixture_text(&f, POD("b", ""));
    cr_assert(stash_from_bundle(f.arena, NULL, &f.bundle, &stash, &f.err), "%s", f.err.msg);
    parts_of_stash(f.arena, stash, &parts);
    for (size_t i = 0; i < STASH_WRITERS; i++)
        cr_assert_eq(ftruncate(stash->writers[i].file.fd, 0), 0);
    cr_expect_not(score_parts(&f.run, &parts, &f.err));
    cr_expect(str_starts(str_of(f.err.msg), STR("score: ")), "%s", f.err.msg);
    cr_expect(value_key(run_report(&f.run), "score") == NULL);
    stash_close(stash);
    fixture_done(&f);
}
