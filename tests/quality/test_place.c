/* The indexes of a place answer as walking all of it does. */
#include "quality/place.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "core/kube/selector.h"
#include "tests/quality/fixture.h"

struct pile {
    struct fixture f;
    struct place place;
};

static void open_pile(struct pile *pile, const char *yaml)
{
    *pile = (struct pile){.place = {.workloads = {0}}};
    fixture_init(&pile->f);
    fixture_text(&pile->f, yaml);
    for (size_t i = 0; i < pile->f.bundle.count; i++) {
        struct workload workload;
        if (workload_of(&pile->f.bundle.items[i], &workload))
            place_add_workload(pile->f.arena, &pile->place, &workload);
        else
            place_add(pile->f.arena, &pile->place, &pile->f.bundle.items[i]);
    }
    place_close(&pile->place);
}

static void close_pile(struct pile *pile)
{
    fixture_done(&pile->f);
}

/* Labels l0 to l2, of which each bit pair of `number` gives one: absent, "x", "y", or no string at all. */
static const struct value *labels_of(struct arena *arena, unsigned number)
{
    static const char *const keys[] = {"l0", "l1", "l2"};
    struct value_map_builder map = {0};
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        unsigned choice = number >> (2 * i) & 3;
        if (choice != 0)
            value_put(arena, &map, str_of(keys[i]),
                      choice == 3 ? value_int(arena, 1) : value_cstr(arena, choice == 1 ? "x" : "y"));
    }
    return value_map_done(arena, &map);
}

enum { LABELLINGS = 64 };

static void fill(struct arena *arena, struct place *place, struct resource *pods)
{
    for (unsigned i = 0; i < LABELLINGS; i++) {
        struct workload workload;
        const struct value *object =
            VALUE_MAP(arena, {"metadata", VALUE_MAP(arena, {"labels", labels_of(arena, i)})});
        pods[i] = (struct resource){
            .api_version = STR("v1"), .kind = STR("Pod"), .name = str_fmt(arena, "p%u", i), .object = object};
        cr_assert(workload_of(&pods[i], &workload));
        place_add_workload(arena, place, &workload);
    }
    place_close(place);
}

/* Every way to label against every way to ask, with and without an expression beside it. */
Test(place, finds_the_workloads_that_a_walk_finds_and_in_its_order)
{
    struct arena *arena = arena_new();
    struct resource pods[LABELLINGS];
    struct place place = {.workloads = {0}};
    const struct value *expressions = VALUE_LIST(
        arena, VALUE_MAP(arena, {"key", value_cstr(arena, "l1")}, {"operator", value_cstr(arena, "Exists")}));
    fill(arena, &place, pods);
    for (unsigned ask = 0; ask < 2 * LABELLINGS; ask++) {
        const struct value *labels = labels_of(arena, ask % LABELLINGS);
        const struct value *selector = VALUE_MAP(arena, {"matchLabels", labels},
                                                 {"matchExpressions", ask < LABELLINGS ? NULL : expressions});
        struct place_walk by_map = place_selected_by_map(&place, labels),
                          by_selector = place_selected_by(&place, selector);
        for (size_t i = 0; i < LABELLINGS; i++) {
            const struct workload *workload = &place.workloads.items[i];
            if (selector_map_matches(labels, workload->labels))
                cr_assert_eq(place_next(&by_map), workload, "ask %u, pod %zu", ask, i);
            if (selector_matches(selector, workload->labels))
                cr_assert_eq(place_next(&by_selector), workload, "ask %u, pod %zu", ask, i);
        }
        cr_assert_null(place_next(&by_map));
        cr_assert_null(place_next(&by_selector));
    }
    arena_free(arena);
}

Test(place, selects_nothing_for_what_is_no_selector)
{
    struct arena *arena = arena_new();
    struct resource pods[LABELLINGS];
    struct place place = {.workloads = {0}};
    fill(arena, &place, pods);
    const struct value *const nothing[] = {NULL, value_null(arena), value_cstr(arena, "x"),
                                           VALUE_LIST(arena)};
    for (size_t i = 0; i < COUNT_OF(nothing); i++) {
        struct place_walk by_map = place_selected_by_map(&place, nothing[i]),
                          by_selector = place_selected_by(&place, nothing[i]);
        cr_expect_null(place_next(&by_map));
        cr_expect_null(place_next(&by_selector));
    }
    arena_free(arena);
}

#define BUDGET(name, selector)                                                                               \
    "{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: " name                              \
    "}, spec: {selector: " selector "}}\n---\n"

Test(place, a_budget_is_found_by_whatever_it_asks_for)
{
    static const struct {
        const char *budgets;
        bool covered;
    } cases[] = {
        {"", false},
        {BUDGET("b", "{matchLabels: {app: web}}"), true},
        {BUDGET("b", "{matchLabels: {app: api}}"), false},
        {BUDGET("b", "{matchLabels: {tier: front, app: web}}"), true},
        {BUDGET("b", "{matchLabels: {app: web, tier: back}}"), false},
        {BUDGET("a", "{matchLabels: {app: api}}") BUDGET("b", "{matchLabels: {tier: front}}"), true},
        {BUDGET("b", "{}"), true},
        {BUDGET("b", "null"), false},
        {BUDGET("b", "{matchExpressions: [{key: app, operator: Exists}]}"), true},
        {BUDGET("b", "{matchLabels: {app: web}, matchExpressions: [{key: app, operator: DoesNotExist}]}"),
         false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct pile pile;
        char text[2048];
        snprintf(text, sizeof text,
                 "%s{apiVersion: v1, kind: Pod, metadata: {name: web, labels: {app: web, tier: front}}}\n",
                 cases[i].budgets);
        open_pile(&pile, text);
        cr_expect_eq(place_has_budget_for(&pile.place, &pile.place.workloads.items[0]), cases[i].covered,
                     "%s", text);
        close_pile(&pile);
    }
}

#define AUTOSCALER(name, kind, target)                                                                       \
    "{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: " name                     \
    "}, spec: {scaleTargetRef: {kind: " kind ", name: " target "}}}\n---\n"

Test(place, the_first_autoscaler_of_a_target_counts)
{
    struct pile pile;
    open_pile(&pile, AUTOSCALER("c", "Deployment", "web") AUTOSCALER("b", "Deployment", "web")
                         AUTOSCALER("a", "StatefulSet", "web") AUTOSCALER("d", "Deployment", "api"));
    struct resource web = {.kind = STR("Deployment"), .name = STR("web")},
                    lone = {.kind = STR("Deployment"), .name = STR("worker")},
                    other = {.kind = STR("ReplicaSet"), .name = STR("web")};
    cr_assert_not_null(place_autoscaler(&pile.place, &web));
    cr_expect(str_is(place_autoscaler(&pile.place, &web)->name, "b"));
    cr_expect_null(place_autoscaler(&pile.place, &lone));
    cr_expect_null(place_autoscaler(&pile.place, &other));
    close_pile(&pile);
}

Test(place, claims_are_mounted_by_name_or_made_by_a_set)
{
    static const struct {
        const char *claim;
        bool mounted;
    } cases[] = {
        {"shared", true},    {"data-db-0", true},  {"data-db-17", true},
        {"data-db-", false}, {"data-db-x", false}, {"data-other-0", false},
        {"data-db", false},  {"db-0", false},      {"0", false},
    };
    struct pile pile;
    open_pile(&pile,
              "{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {volumes: [{name: v, "
              "persistentVolumeClaim: {claimName: shared}}, {name: w, emptyDir: {}}]}}\n---\n"
              "{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: db}, spec: {volumeClaimTemplates: "
              "[{metadata: {name: data}}]}}\n");
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        cr_expect_eq(place_mounts(&pile.place, str_of(cases[i].claim)), cases[i].mounted, "%s",
                     cases[i].claim);
    close_pile(&pile);
}

Test(place, secrets_of_another_name_are_known)
{
    struct pile pile;
    open_pile(
        &pile,
        "{apiVersion: cert-manager.io/v1, kind: Certificate, metadata: {name: c}, spec: {secretName: "
        "tls}}\n---\n{apiVersion: external-secrets.io/v1, kind: ExternalSecret, metadata: {name: e}, spec: "
        "{target: {name: login}}}\n---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: m}, spec: "
        "{secretName: no}}\n");
    cr_expect(place_makes_secret(&pile.place, STR("tls")));
    cr_expect(place_makes_secret(&pile.place, STR("login")));
    cr_expect_not(place_makes_secret(&pile.place, STR("no")));
    cr_expect_not(place_makes_secret(&pile.place, STR("c")));
    close_pile(&pile);
}
