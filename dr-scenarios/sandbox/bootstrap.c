/* bootstrap.c — what a cluster holds before anyone uses it: its namespaces, a node, the roles and bindings that
 * kube-apiserver makes at its start (the well-known ones), system priority classes, and the `kubernetes` Service. */
#include "core/base/yaml.h"
#include "dr-scenarios/sandbox/intern.h"

static const char *const namespaces[] = {"default", "kube-system", "kube-public", "kube-node-lease"};

static const char first_objects[] =
    "apiVersion: v1\n"
    "kind: Node\n"
    "metadata: {name: sandbox-node, labels: {kubernetes.io/hostname: sandbox-node, kubernetes.io/os: "
    "linux}}\n"
    "spec: {podCIDR: 10.244.0.0/16}\n"
    "---\n"
    "apiVersion: scheduling.k8s.io/v1\n"
    "kind: PriorityClass\n"
    "metadata: {name: system-node-critical}\n"
    "value: 2000001000\n"
    "description: Used for system critical pods that must not be moved from their current node.\n"
    "---\n"
    "apiVersion: scheduling.k8s.io/v1\n"
    "kind: PriorityClass\n"
    "metadata: {name: system-cluster-critical}\n"
    "value: 2000000000\n"
    "description: Used for system critical pods that must run in the cluster, but can be moved to another "
    "node if "
    "necessary.\n"
    "---\n"
    "apiVersion: v1\n"
    "kind: Service\n"
    "metadata: {name: kubernetes, namespace: default, labels: {component: apiserver, provider: kubernetes}}\n"
    "spec: {clusterIP: 10.96.0.1, ports: [{name: https, port: 443, targetPort: 6443}]}\n"
    "---\n"
    "apiVersion: v1\n"
    "kind: ConfigMap\n"
    "metadata: {name: extension-apiserver-authentication, namespace: kube-system}\n"
    "data: {requestheader-allowed-names: '[]'}\n";

static const char roles[] =
    "apiVersion: rbac.authorization.k8s.io/v1\n"
    "kind: ClusterRole\n"
    "metadata: {name: cluster-admin}\n"
    "rules: [{apiGroups: ['*'], resources: ['*'], verbs: ['*']}, {nonResourceURLs: ['*'], verbs: ['*']}]\n"
    "---\n"
    "apiVersion: rbac.authorization.k8s.io/v1\n"
    "kind: ClusterRole\n"
    "metadata: {name: admin}\n"
    "aggregationRule: {clusterRoleSelectors: [{matchLabels: {rbac.authorization.k8s.io/aggregate-to-admin: "
    "'true'}}]}\n"
    "rules: [{apiGroups: [''], resources: [pods], verbs: [get, list, watch, create, update, patch, "
    "delete]}]\n"
    "---\n"
    "apiVersion: rbac.authorization.k8s.io/v1\n"
    "kind: ClusterRole\n"
    "metadata: {name: edit, labels: {rbac.authorization.k8s.io/aggregate-to-admin: 'true'}}\n"
    "aggregationRule: {clusterRoleSelectors: [{matchLabels: {rbac.authorization.k8s.io/aggregate-to-edit: "
    "'true'}}]}\n"
    "rules: [{apiGroups: [''], resources: [pods], verbs: [get, list, watch, create, update, patch, "
    "delete]}]\n"
    "---\n"
    "apiVersion: rbac.authorization.k8s.io/v1\n"
    "kind: ClusterRole\n"
    "metadata: {name: view, labels: {rbac.authorization.k8s.io/aggregate-to-edit: 'true'}}\n"
    "aggregationRule: {clusterRoleSelectors: [{matchLabels: {rbac.authorization.k8s.io/aggregate-to-view: "
    "'true'}}]}\n"
    "rules: [{apiGroups: [''], resources: [pods], verbs: [get, list, watch]}]\n"
    "---\n"
    "apiVersion: rbac.authorization.k8s.io/v1\n"
    "kind: ClusterRole\n"
    "metadata: {name: 'system:discovery'}\n"
    "rules: [{nonResourceURLs: [/api, /api/*, /apis, /apis/*, /healthz, /openapi, /openapi/*, /readyz, "
    "/version], "
    "verbs: [get]}]\n"
    "---\n"
    "apiVersion: rbac.authorization.k8s.io/v1\n"
    "kind: ClusterRoleBinding\n"
    "metadata: {name: cluster-admin}\n"
    "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}\n"
    "subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: 'system:masters'}]\n"
    "---\n"
    "apiVersion: rbac.authorization.k8s.io/v1\n"
    "kind: ClusterRoleBinding\n"
    "metadata: {name: 'system:discovery'}\n"
    "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: 'system:discovery'}\n"
    "subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: 'system:authenticated'}]\n";

static void put(struct sandbox *sandbox, struct arena *arena, const struct value *object)
{
    struct resource resource;
    struct err ignored;
    const struct value *kept = controllers_put(sandbox, arena, object, "kube-apiserver");
    if (kept == NULL || !resource_from(kept, STR_NONE, &resource, &ignored))
        return;
    controllers_wrote(sandbox, types_of(sandbox, &resource), kept);
}

/* Every document of `text`; the roles carry the mark by which kube-apiserver knows its own. */
static void put_all(struct sandbox *sandbox, struct arena *arena, struct str text, bool mark)
{
    struct yaml_documents documents = {0};
    struct err ignored;
    if (!yaml_parse(arena, text, STR("bootstrap"), &documents, &ignored))
        return;
    for (size_t i = 0; i < documents.count; i++) {
        const struct value *object = documents.items[i].root;
        if (mark) {
            object = value_with_in(arena, object, PATH("metadata", "labels", "kubernetes.io/bootstrapping"),
                                   value_cstr(arena, "rbac-defaults"));
            object = value_with_in(
                arena, object, PATH("metadata", "annotations", "rbac.authorization.kubernetes.io/autoupdate"),
                value_cstr(arena, "true"));
        }
        put(sandbox, arena, object);
    }
}

/* The APIServices of its own group versions, which the aggregator manages itself. */
static void put_api_services(struct sandbox *sandbox, struct arena *arena)
{
    for (size_t i = 0; i < sandbox->types.count; i++) {
        const struct resource_type *type = &sandbox->types.items[i]->type;
        struct str name = str_fmt(arena, "%.*s.%.*s", STR_ARG(type->version), STR_ARG(type->group));
        const struct value *meta = VALUE_MAP(
            arena, {"name", value_string(arena, name)},
            {"labels",
             VALUE_MAP(arena, {"kube-aggregator.kubernetes.io/automanaged", value_cstr(arena, "onstart")})});
        const struct value *spec = VALUE_MAP(
            arena, {"group", type->group.len ? value_string(arena, type->group) : NULL},
            {"version", value_string(arena, type->version)},
            {"groupPriorityMinimum", value_int(arena, 17800)}, {"versionPriority", value_int(arena, 15)});
        put(sandbox, arena,
            VALUE_MAP(arena, {"apiVersion", value_cstr(arena, "apiregistration.k8s.io/v1")},
                      {"kind", value_cstr(arena, "APIService")}, {"metadata", meta}, {"spec", spec}));
    }
}

void bootstrap_fill(struct sandbox *sandbox, struct arena *arena)
{
    for (size_t i = 0; i < COUNT_OF(namespaces); i++)
        put(sandbox, arena,
            VALUE_MAP(arena, {"apiVersion", value_cstr(arena, "v1")},
                      {"kind", value_cstr(arena, "Namespace")},
                      {"metadata", VALUE_MAP(arena, {"name", value_cstr(arena, namespaces[i])})}));
    put_all(sandbox, arena, str_of(first_objects), false);
    put_all(sandbox, arena, str_of(roles), true);
    put_api_services(sandbox, arena);
}
