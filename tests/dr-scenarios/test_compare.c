#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "core/base/json.h"
#include "dr-scenarios/compare.h"

static void add(struct bundle *bundle, const char *json)
{
    struct resource resource;
    const struct value *object;
    struct err err;
    cr_assert(json_parse(bundle->arena, str_of(json), NULL, &object, &err), "%s: %s", err.msg, json);
    cr_assert(resource_from(object, STR("test"), &resource, &err), "%s", err.msg);
    bundle_add(bundle, &resource);
}

static struct compare_result compared(struct arena *arena, const char *declared, const char *live)
{
    struct bundle want, have;
    struct compare_result result;
    bundle_init(&want, arena);
    bundle_init(&have, arena);
    add(&want, declared);
    if (live != NULL)
        add(&have, live);
    bundle_sort(&want);
    bundle_sort(&have);
    struct bundle *kept = ARENA_NEW(arena, struct bundle);
    *kept = want;
    compare_bundles(arena, kept, &have, &result);
    return result;
}

#define OBJECT(body)                                                                                         \
    "{\"apiVersion\":\"apps/"                                                                                \
    "v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"a\",\"namespace\":\"n\"}," body "}"

Test(compare, what_holds_and_what_differs)
{
    static const struct {
        const char *want, *have, *pointer; /* pointer NULL: no difference */
    } cases[] = {
        {"\"spec\":{\"a\":1}", "\"spec\":{\"a\":1,\"b\":2},\"status\":{}", NULL},
        {"\"spec\":{\"a\":1}", "\"spec\":{\"a\":2}", "/spec/a"},
        {"\"spec\":{\"a\":1}", "\"spec\":{}", "/spec/a"},
        {"\"spec\":{\"a\":null}", "\"spec\":{}", NULL},
        {"\"spec\":{\"port\":80}", "\"spec\":{\"port\":\"80\"}", NULL},
        {"\"spec\":{\"x\":1.0}", "\"spec\":{\"x\":1}", NULL},
        {"\"spec\":{\"requests\":{\"cpu\":\"1000m\"}}", "\"spec\":{\"requests\":{\"cpu\":\"1\"}}", NULL},
        {"\"spec\":{\"requests\":{\"cpu\":1}}", "\"spec\":{\"requests\":{\"cpu\":\"1\"}}", NULL},
        {"\"spec\":{\"requests\":{\"memory\":\"1Gi\"}}", "\"spec\":{\"requests\":{\"memory\":\"1024Mi\"}}",
         NULL},
        {"\"spec\":{\"requests\":{\"cpu\":\"1100m\"}}", "\"spec\":{\"requests\":{\"cpu\":\"1\"}}",
         "/spec/requests/cpu"},
        {"\"spec\":{\"version\":\"1.0\"}", "\"spec\":{\"version\":\"1\"}", "/spec/version"}, /* no amount */
        /* lists by name, wherever the item is */
        {"\"spec\":{\"c\":[{\"name\":\"x\",\"v\":1}]}",
         "\"spec\":{\"c\":[{\"name\":\"w\"},{\"name\":\"x\",\"v\":1}]}", NULL},
        {"\"spec\":{\"c\":[{\"name\":\"x\",\"v\":1}]}",
         "\"spec\":{\"c\":[{\"name\":\"w\"},{\"name\":\"x\",\"v\":2}]}", "/spec/c/0/v"},
        {"\"spec\":{\"c\":[{\"name\":\"x\"}]}", "\"spec\":{\"c\":[{\"name\":\"w\"}]}", "/spec/c/0"},
        /* lists without names by place and length */
        {"\"spec\":{\"args\":[\"a\",\"b\"]}", "\"spec\":{\"args\":[\"a\",\"b\"]}", NULL},
        {"\"spec\":{\"args\":[\"a\",\"b\"]}", "\"spec\":{\"args\":[\"b\",\"a\"]}", "/spec/args/0"},
        {"\"spec\":{\"args\":[\"a\"]}", "\"spec\":{\"args\":[\"a\",\"b\"]}", "/spec/args"},
        {"\"spec\":{\"egress\":[{}]}", "\"spec\":{\"egress\":[]}", "/spec/egress"},
        {"\"spec\":{\"tolerations\":[{\"key\":\"a\"}]}",
         "\"spec\":{\"tolerations\":[{\"key\":\"b\"},{\"key\":\"a\"}]}", NULL},
        /* emptiness: sometimes nothing, sometimes everything */
        {"\"spec\":{\"list\":[]}", "\"spec\":{}", NULL},
        {"\"spec\":{\"labels\":{}}", "\"spec\":{}", NULL},
        {"\"spec\":{\"emptyDir\":{}}", "\"spec\":{}", "/spec/emptyDir"},
        {"\"spec\":{\"a\":{\"b\":1}}", "\"spec\":{\"a\":[1]}", "/spec/a"},
        {"\"spec\":{\"a/b\":{\"c~\":1}}", "\"spec\":{\"a/b\":{\"c~\":2}}", "/spec/a~1b/c~0"},
        {"\"status\":{\"replicas\":3}", "\"status\":{\"replicas\":1}", NULL},
    };
    struct arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char want[512], have[512];
        snprintf(want, sizeof want, OBJECT("%s"), cases[i].want);
        snprintf(have, sizeof have, OBJECT("%s"), cases[i].have);
        struct compare_result result = compared(arena, want, have);
        cr_expect_eq(result.count != 0, cases[i].pointer != NULL, "case %zu: %s", i, cases[i].want);
        cr_expect_eq(result.different, cases[i].pointer != NULL, "case %zu", i);
        if (result.count && cases[i].pointer)
            cr_expect_str_eq(str_c(arena, result.items[0].pointer), cases[i].pointer, "case %zu", i);
    }
    arena_free(arena);
}

Test(compare, bookkeeping_of_the_cluster_is_no_difference)
{
    struct arena *arena = arena_new();
    struct compare_result result =
        compared(arena,
                 "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"a\",\"namespace\":"
                 "\"n\",\"uid\":\"1\","
                 "\"resourceVersion\":\"1\",\"labels\":{\"a\":\"b\"}},\"data\":{\"k\":\"v\"}}",
                 "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"a\",\"namespace\":"
                 "\"n\",\"uid\":\"2\","
                 "\"resourceVersion\":\"9\",\"labels\":{\"a\":\"b\",\"c\":\"d\"}},\"data\":{\"k\":\"v\"}}");
    cr_expect_eq(result.count, 0);
    arena_free(arena);
}

Test(compare, a_missing_object_is_one_finding)
{
    struct arena *arena = arena_new();
    struct compare_result result = compared(arena, OBJECT("\"spec\":{}"), NULL);
    cr_expect_eq(result.missing, 1);
    struct finding finding = compare_finding(arena, &result.items[0]);
    cr_expect(str_is(finding.check, "drill.missing-object"));
    cr_expect(str_is(finding.name, "a"));
    arena_free(arena);
}

Test(compare, a_finding_says_what_was_wanted_and_what_is_there)
{
    struct arena *arena = arena_new();
    struct compare_result result =
        compared(arena, OBJECT("\"spec\":{\"replicas\":3}"), OBJECT("\"spec\":{\"replicas\":1}"));
    struct finding finding = compare_finding(arena, &result.items[0]);
    cr_expect_str_eq(str_c(arena, finding.path), "spec.replicas");
    cr_expect_str_eq(str_c(arena, finding.message), "declared 3, the rebuilt cluster has 1");
    arena_free(arena);
}

Test(compare, values_of_secrets_stay_where_they_are)
{
#define SECRET(body)                                                                                         \
    "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":\"a\",\"namespace\":\"n\"}," body "}"
    static const struct {
        const char *want, *have;
        size_t count;
    } cases[] = {
        {SECRET("\"data\":{\"k\":\"aHVudGVyMg==\"}"), SECRET("\"data\":{\"k\":\"b3RoZXI=\"}"), 1},
        {SECRET("\"data\":{\"k\":\"aHVu\\ndGVyMg==\"}"), SECRET("\"data\":{\"k\":\"aHVudGVyMg==\"}"), 0},
        {SECRET("\"stringData\":{\"k\":\"hunter2\"}"), SECRET("\"data\":{\"k\":\"aHVudGVyMg==\"}"), 0},
        {SECRET("\"stringData\":{\"k\":\"hunter2\"}"), SECRET("\"data\":{}"), 1},
    };
    struct arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct compare_result result = compared(arena, cases[i].want, cases[i].have);
        cr_expect_eq(result.count, cases[i].count, "case %zu", i);
        for (size_t d = 0; d < result.count; d++) {
            struct finding finding = compare_finding(arena, &result.items[d]);
            cr_expect_null(result.items[d].want);
            cr_expect_null(result.items[d].have);
            cr_expect(!str_contains(finding.message, STR("aHVu")) &&
                      !str_contains(finding.message, STR("hunter")));
        }
    }
    arena_free(arena);
}

Test(compare, rules_of_an_aggregated_role_are_its_controllers)
{
    struct arena *arena = arena_new();
    struct compare_result result = compared(arena,
                                            "{\"apiVersion\":\"rbac.authorization.k8s.io/"
                                            "v1\",\"kind\":\"ClusterRole\",\"metadata\":{\"name\":\"a\"},"
                                            "\"aggregationRule\":{},\"rules\":[]}",
                                            "{\"apiVersion\":\"rbac.authorization.k8s.io/"
                                            "v1\",\"kind\":\"ClusterRole\",\"metadata\":{\"name\":\"a\"},"
                                            "\"aggregationRule\":{},\"rules\":[{\"verbs\":[\"get\"]}]}");
    cr_expect_eq(result.count, 0);
    arena_free(arena);
}
