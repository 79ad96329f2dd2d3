/* What a selection takes: types, namespaces, names, presets; and what it says of itself. */
#include <criterion/criterion.h>

#include "core/base/json.h"
#include "core/kube/selection.h"

#define LIST(...)                                                                                            \
    {                                                                                                        \
        (struct str[]){__VA_ARGS__}, sizeof((struct str[]){__VA_ARGS__}) / sizeof(struct str),               \
            sizeof((struct str[]){__VA_ARGS__}) / sizeof(struct str)                                         \
    }

static struct resource_type type_of(const char *group, const char *kind, const char *plural, bool namespaced)
{
    return (struct resource_type){
        .group = str_of(group), .kind = str_of(kind), .plural = str_of(plural), .namespaced = namespaced};
}

Test(selection, of_types)
{
    const struct kube_selection all = {0}, declared = {.preset = KUBE_DECLARED},
                                some = {.include_types = LIST(STR("config*"), STR("*.apps")),
                                        .exclude_types = LIST(STR("daemonsets.apps"))},
                                local = {.no_cluster_scoped = true};
    const struct {
        struct resource_type type;
        bool all, declared, some, local;
    } cases[] = {
        {type_of("", "ConfigMap", "configmaps", true), true, true, true, true},
        {type_of("apps", "Deployment", "deployments", true), true, true, true, true},
        {type_of("apps", "DaemonSet", "daemonsets", true), true, true, false, true},
        {type_of("", "Event", "events", true), true, false, false, true},
        {type_of("events.k8s.io", "Event", "events", true), true, false, false, true},
        {type_of("coordination.k8s.io", "Lease", "leases", true), true, false, false, true},
        {type_of("example.com", "Lease", "leases", true), true, true, false, true},
        {type_of("", "Node", "nodes", false), true, false, false, false},
        {type_of("", "Namespace", "namespaces", false), true, true, false, true},
        {type_of("example.com", "Namespace", "namespaces", false), true, true, false, false},
        {type_of("", "PersistentVolume", "persistentvolumes", false), true, true, false, false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct resource_type *type = &cases[i].type;
        cr_expect_eq(kube_selects_type(&all, type), cases[i].all, "%zu", i);
        cr_expect_eq(kube_selects_type(&declared, type), cases[i].declared, "%zu", i);
        cr_expect_eq(kube_selects_type(&some, type), cases[i].some, "%zu", i);
        cr_expect_eq(kube_selects_type(&local, type), cases[i].local, "%zu", i);
    }
}

static bool takes(const struct kube_selection *selection, const struct resource_type *type, const char *json)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    const struct value *object;
    struct resource resource;
    struct err err;
    cr_assert(json_parse(arena, str_of(json), NULL, &object, &err), "%s: %s", json, err.msg);
    cr_assert(resource_from(object, STR("test"), &resource, &err), "%s", err.msg);
    return kube_selects_object(selection, type, &resource);
}

#define OBJECT(metadata) "{\"apiVersion\":\"v1\",\"kind\":\"K\",\"metadata\":{" metadata "}}"
#define OWNED(version, kind, controller)                                                                     \
    OBJECT("\"name\":\"x\",\"namespace\":\"n\",\"ownerReferences\":[{\"apiVersion\":\"" version              \
           "\",\"kind\":\"" kind "\",\"controller\":" controller "}]")

Test(selection, of_objects_by_namespace_and_name)
{
    const struct resource_type config = type_of("", "ConfigMap", "configmaps", true),
                               space = type_of("", "Namespace", "namespaces", false),
                               role =
                                   type_of("rbac.authorization.k8s.io", "ClusterRole", "clusterroles", false);
    const struct kube_selection spaces = {.include_namespaces = LIST(STR("team-*"))},
                                names = {.include_names = LIST(STR("web*"), STR("db")),
                                         .exclude_names = LIST(STR("web-tmp"))};
    cr_expect(takes(&spaces, &config, OBJECT("\"name\":\"a\",\"namespace\":\"team-1\"")));
    cr_expect_not(takes(&spaces, &config, OBJECT("\"name\":\"a\",\"namespace\":\"other\"")));
    cr_expect(takes(&spaces, &space, OBJECT("\"name\":\"team-1\"")));
    cr_expect_not(takes(&spaces, &space, OBJECT("\"name\":\"other\"")));
    cr_expect(takes(&spaces, &role, OBJECT("\"name\":\"any\"")));

    cr_expect(takes(&names, &config, OBJECT("\"name\":\"web-1\",\"namespace\":\"n\"")));
    cr_expect(takes(&names, &role, OBJECT("\"name\":\"db\"")));
    cr_expect_not(takes(&names, &config, OBJECT("\"name\":\"web-tmp\",\"namespace\":\"n\"")));
    cr_expect_not(takes(&names, &config, OBJECT("\"name\":\"dbs\",\"namespace\":\"n\"")));
    cr_expect(takes(&names, &space, OBJECT("\"name\":\"anything\"")), "it may yet come along");
    cr_expect(kube_selects_namespaces_by_content(&names) && !kube_selects_namespaces_by_content(&spaces));
    cr_expect(kube_selects_name(&names, STR("db")) && !kube_selects_name(&names, STR("anything")));
}

Test(selection, declared_leaves_out_what_controllers_make)
{
    const struct resource_type any = type_of("", "K", "ks", true);
    const struct kube_selection declared = {.preset = KUBE_DECLARED}, all = {0};
    static const struct {
        const char *object;
        bool kept;
    } cases[] = {
        {OBJECT("\"name\":\"naked\",\"namespace\":\"n\""), true},
        {OWNED("apps/v1", "ReplicaSet", "true"), false},
        {OWNED("apps/v1", "ReplicaSet", "false"), true},
        {OWNED("batch/v1", "CronJob", "true"), false},
        {OWNED("v1", "Node", "true"), false},
        {OWNED("example.com/v1", "ReplicaSet", "true"), true},
        {OWNED("example.com/v1", "Database", "true"), true},
        {OBJECT("\"name\":\"s\",\"namespace\":\"n\",\"labels\":{\"endpointslice.kubernetes.io/managed-by\":"
                "\"endpointslice-controller.k8s.io\"}"),
         false},
        {OBJECT("\"name\":\"s\",\"namespace\":\"n\",\"labels\":{\"endpointslice.kubernetes.io/managed-by\":"
                "\"me\"}"),
         true},
        {OBJECT("\"name\":\"e\",\"namespace\":\"n\",\"labels\":{\"endpoints.kubernetes.io/managed-by\":"
                "\"endpoint-controller\"}"),
         false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        cr_expect_eq(takes(&declared, &any, cases[i].object), cases[i].kept, "%s", cases[i].object);
        cr_expect(takes(&all, &any, cases[i].object));
    }
}

Test(selection, says_what_it_is)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    const struct kube_selection all = {0}, some = {.preset = KUBE_DECLARED,
                                                   .include_namespaces = LIST(STR("a"), STR("b*")),
                                                   .labels = STR("app=web"),
                                                   .exclude_names = LIST(STR("tmp")),
                                                   .no_cluster_scoped = true,
                                                   .narrowed = true};
    enum kube_preset preset;
    cr_expect_null(kube_selection_value(arena, &all));
    struct str text = json_text(arena, kube_selection_value(arena, &some));
    cr_expect(
        str_is(text,
               "{\"preset\":\"declared\",\"include\":{\"namespaces\":[\"a\",\"b*\"],\"labels\":"
               "\"app=web\"},\"exclude\":{\"names\":[\"tmp\"]},\"clusterScoped\":false,\"narrowed\":true}"),
        "%.*s", STR_ARG(text));
    cr_expect(kube_preset_of(STR("declared"), &preset) && preset == KUBE_DECLARED);
    cr_expect(kube_preset_of(STR("everything"), &preset) && preset == KUBE_EVERYTHING);
    cr_expect_not(kube_preset_of(STR("all"), &preset));
}

Test(selection, what_a_manifest_says_of_it_is_read_back)
{
    static const char *const texts[] = {
        "{\"preset\":\"declared\",\"include\":{\"namespaces\":[\"a\",\"b*\"],\"types\":[\"pods\"],\"names\":["
        "\"x\"],"
        "\"labels\":\"a=b\"},\"exclude\":{\"namespaces\":[\"c\"],\"types\":[\"d.e\"],\"names\":[\"f\"]},"
        "\"clusterScoped\":false,\"narrowed\":true}",
        "{\"exclude\":{\"types\":[\"events\"]}}",
    };
    struct arena *arena = arena_new();
    struct kube_selection selection;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        const struct value *value;
        struct err err;
        cr_assert(json_parse(arena, str_of(texts[i]), NULL, &value, &err), "%s", err.msg);
        kube_selection_of(arena, value, &selection);
        cr_expect(value_equal(kube_selection_value(arena, &selection), value), "%s", texts[i]);
    }
    kube_selection_of(arena, NULL, &selection);
    cr_expect_null(kube_selection_value(arena, &selection));
    arena_free(arena);
}
