/* Services and the addresses behind them. */
#include "core/base/pointer.h"
#include "transform/rule.h"

static bool is_derived_slice(const struct subject *subject)
{
    struct str by = subject_label(subject, "endpointslice.kubernetes.io/managed-by");
    return str_is(by, "endpointslice-controller.k8s.io") ||
           str_is(by, "endpointslicemirroring-controller.k8s.io");
}

static bool is_system_service(struct str namespace, struct str name)
{
    return str_is(namespace, "default") && str_is(name, "kubernetes");
}

/* Endpoints bear the name of their Service, and a controller fills them when that selects pods. */
static bool are_derived_endpoints(const struct subject *subject)
{
    const struct resource *service =
        subject_find(subject, STR_NONE, STR("Service"), subject->live->namespace, subject->live->name);
    if (service != NULL && value_count(value_in(service->object, PATH("spec", "selector"))) > 0)
        return true;
    return subject_label(subject, "endpoints.kubernetes.io/managed-by").len > 0 ||
           subject_annotation(subject, "endpoints.kubernetes.io/last-change-trigger-time").len > 0 ||
           subject->managed.control_plane;
}

void rule_endpoints(struct subject *subject)
{
    const struct resource *live = subject->live;
    bool derived = str_is(live->kind, "EndpointSlice")
                       ? is_derived_slice(subject) || subject->managed.control_plane
                       : are_derived_endpoints(subject);
    if (derived || is_system_service(live->namespace, live->name))
        subject_drop(subject);
}

/* RequireDualStack is what the server writes on a headless Service without a selector; elsewhere, with managers
 * hidden, only SingleStack can be told for a default. */
static bool family_policy_is_default(const struct subject *subject)
{
    const struct value *spec = value_key(subject->live->object, "spec");
    struct str policy = value_str(value_key(spec, "ipFamilyPolicy"));
    bool bare = str_is(value_str(value_key(spec, "clusterIP")), "None") &&
                value_count(value_key(spec, "selector")) == 0;
    return subject->managed.known || str_is(policy, bare ? "RequireDualStack" : "SingleStack");
}

/* None means headless and is intent. A person's own choice stays whole: clusterIPs without clusterIP is refused. */
void rule_addresses(struct subject *subject)
{
    struct str address = value_str_in(subject->object, PATH("spec", "clusterIP"));
    bool headless = str_is(address, "None");
    bool chosen = subject_meant(subject, PATH("spec", "clusterIP"));
    if (!headless && !chosen && subject->from_cluster)
        subject_remove(subject, PATH("spec", "clusterIP"));
    if ((headless && subject->from_cluster) || !chosen || address.len == 0)
        subject_remove(subject, PATH("spec", "clusterIPs"));

    if (!subject_meant(subject, PATH("spec", "ipFamilies")))
        subject_remove(subject, PATH("spec", "ipFamilies"));
    if (family_policy_is_default(subject) && !subject_meant(subject, PATH("spec", "ipFamilyPolicy")))
        subject_remove(subject, PATH("spec", "ipFamilyPolicy"));
}

static bool port_is_meant(struct subject *subject, const struct value *port, size_t index)
{
    struct managed_at at = subject->managed.top;
    managed_member(&at, STR("spec"), &at);
    managed_member(&at, STR("ports"), &at);
    managed_item(subject->scratch, &at, port, index, &at);
    return managed_who_member(&at, STR("nodePort")) > MANAGED_BY_CONTROLLER;
}

static void clean_ports(struct subject *subject)
{
    const char *const *path = PATH("spec", "ports");
    const struct value *ports = value_in(subject->object, path);
    struct value_list_builder kept = {0};
    bool changed = false;
    if (!value_is(ports, VALUE_LIST))
        return;
    for (size_t i = 0; i < value_count(ports); i++) {
        const struct value *port = value_item(ports, i);
        if (value_key(port, "nodePort") != NULL && !port_is_meant(subject, port, i)) {
            struct str at = pointer_index(subject->arena, STR("/spec/ports"), i);
            subject_note_removed(subject, pointer_child(subject->arena, at, STR("nodePort")));
            port = value_without(subject->arena, port, STR("nodePort"));
            changed = true;
        }
        value_push(subject->arena, &kept, port);
    }
    if (changed)
        subject->object =
            value_with_in(subject->arena, subject->object, path, value_list_done(subject->arena, &kept));
}

void rule_node_ports(struct subject *subject)
{
    if (!subject->from_cluster)
        return;
    clean_ports(subject);
    if (!subject_meant(subject, PATH("spec", "healthCheckNodePort")))
        subject_remove(subject, PATH("spec", "healthCheckNodePort"));
}
