/* Whatever runs pods, its pods are found; whatever does not, is not taken for it. */
#include <criterion/criterion.h>

#include "core/base/json.h"
#include "core/kube/workload.h"

static struct resource resource(struct arena *arena, const char *text)
{
    struct err err;
    struct resource resource;
    const struct value *object;
    cr_assert(json_parse(arena, str_of(text), NULL, &object, &err) &&
                  resource_from(object, STR("text"), &resource, &err),
              "%s", err.msg);
    return resource;
}

#define OBJECT(api_version, kind, rest)                                                                      \
    "{\"apiVersion\":\"" api_version "\",\"kind\":\"" kind "\",\"metadata\":{\"name\":\"x\"}" rest "}"
#define TEMPLATE "\"template\":{\"metadata\":{\"labels\":{\"app\":\"x\"}},\"spec\":{\"nodeName\":\"here\"}}"

Test(workload, every_kind_has_its_pods_in_a_place_of_its_own)
{
    static const struct {
        const char *text, *path;
        unsigned traits;
    } cases[] = {
        {OBJECT("apps/v1", "Deployment", ",\"spec\":{" TEMPLATE "}"), "spec.template.",
         WORKLOAD_SCALES | WORKLOAD_SERVES},
        {OBJECT("apps/v1", "StatefulSet", ",\"spec\":{" TEMPLATE "}"), "spec.template.",
         WORKLOAD_SCALES | WORKLOAD_SERVES | WORKLOAD_STATEFUL},
        {OBJECT("apps/v1", "DaemonSet", ",\"spec\":{" TEMPLATE "}"), "spec.template.", WORKLOAD_SERVES},
        {OBJECT("v1", "ReplicationController", ",\"spec\":{" TEMPLATE "}"), "spec.template.",
         WORKLOAD_SCALES | WORKLOAD_SERVES},
        {OBJECT("apps.openshift.io/v1", "DeploymentConfig", ",\"spec\":{" TEMPLATE "}"), "spec.template.",
         WORKLOAD_SCALES | WORKLOAD_SERVES},
        {OBJECT("batch/v1", "Job", ",\"spec\":{" TEMPLATE "}"), "spec.template.", WORKLOAD_FINISHES},
        {OBJECT("batch/v1", "CronJob", ",\"spec\":{\"jobTemplate\":{\"spec\":{" TEMPLATE "}}}"),
         "spec.jobTemplate.spec.template.", WORKLOAD_FINISHES},
    };
    struct arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct resource r = resource(arena, cases[i].text);
        struct workload workload;
        cr_assert(workload_of(&r, &workload), "%s", cases[i].text);
        cr_expect_str_eq(workload.pods_path, cases[i].path);
        cr_expect_eq(workload.traits, cases[i].traits, "%s", cases[i].text);
        cr_expect(str_is(value_str(value_key(workload.pod_spec, "nodeName")), "here"), "%s", cases[i].text);
        cr_expect(str_is(value_str(value_key(workload.labels, "app")), "x"), "%s", cases[i].text);
        cr_expect_eq(value_in(r.object, workload_template_path(&r)), workload.pods);
    }
    arena_free(arena);
}

Test(workload, a_pod_is_its_own_template)
{
    struct arena *arena = arena_new();
    struct workload workload;
    struct resource pod = resource(arena, OBJECT("v1", "Pod", ",\"spec\":{}"));
    cr_assert(workload_of(&pod, &workload));
    cr_expect_eq(workload.pods, pod.object);
    cr_expect_str_eq(workload.pods_path, "");
    cr_expect_eq(workload.traits, WORKLOAD_SERVES);
    struct resource task = resource(arena, OBJECT("v1", "Pod", ",\"spec\":{\"restartPolicy\":\"Never\"}"));
    cr_assert(workload_of(&task, &workload));
    cr_expect_eq(workload.traits, WORKLOAD_FINISHES);
    arena_free(arena);
}

Test(workload, other_kinds_are_none)
{
    static const char *const texts[] = {OBJECT("v1", "Service", ""),
                                        OBJECT("example.com/v1", "Deployment", ""),
                                        OBJECT("apps/v1", "ControllerRevision", "")};
    struct arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct resource r = resource(arena, texts[i]);
        struct workload workload;
        cr_expect_not(workload_of(&r, &workload), "%s", texts[i]);
        cr_expect_null(workload_template_path(&r));
    }
    arena_free(arena);
}

Test(workload, replicas_default_to_one)
{
    static const struct {
        const char *text;
        int64_t replicas;
    } cases[] = {
        {OBJECT("apps/v1", "Deployment", ",\"spec\":{\"replicas\":5}"), 5},
        {OBJECT("apps/v1", "Deployment", ",\"spec\":{\"replicas\":0}"), 0},
        {OBJECT("apps/v1", "Deployment", ",\"spec\":{}"), 1},
        {OBJECT("apps/v1", "Deployment", ",\"spec\":{\"replicas\":\"5\"}"), 1},
        {OBJECT("apps/v1", "DaemonSet", ",\"spec\":{\"replicas\":5}"), 1},
        {OBJECT("apps/v1", "Deployment", ",\"spec\":[]"), 1},
    };
    struct arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct resource r = resource(arena, cases[i].text);
        struct workload workload;
        cr_assert(workload_of(&r, &workload));
        cr_expect_eq(workload_replicas(&workload), cases[i].replicas, "%s", cases[i].text);
    }
    arena_free(arena);
}
