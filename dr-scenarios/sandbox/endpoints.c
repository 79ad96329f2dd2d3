/* endpoints.c — the addresses behind a Service, as the endpoints and endpointslice controllers write them. */
#include "core/kube/selector.h"
#include "dr-scenarios/sandbox/intern.h"

/* The number behind a port's name, in the first pod that the Service selects. */
static const struct value *named_port(struct sandbox *sandbox, const struct value *service, struct str name)
{
    const struct served *pods = types_kind(sandbox, "", "Pod");
    const struct value *selector = value_in(service, PATH("spec", "selector"));
    struct str namespace = value_str_in(service, PATH("metadata", "namespace"));
    for (size_t i = 0; i < pods->storage->count; i++) {
        const struct entry *entry = pods->storage->items[i];
        const struct value *pod = state_at(entry, UINT64_MAX);
        if (!str_eq(entry->namespace, namespace) ||
            !selector_map_matches(selector, value_in(pod, PATH("metadata", "labels"))))
            continue;
        VALUE_EACH(container, value_in(pod, PATH("spec", "containers"))) {
            VALUE_EACH(port, value_key(container, "ports")) {
                if (str_eq(value_str(value_key(port, "name")), name))
                    return value_key(port, "containerPort");
            }
        }
    }
    return NULL;
}

static const struct value *service_ports(struct sandbox *sandbox, struct arena *arena,
                                         const struct value *service)
{
    struct value_list_builder ports = {0};
    VALUE_EACH(port, value_in(service, PATH("spec", "ports"))) {
        const struct value *target = value_key(port, "targetPort");
        const struct value *number =
            value_is(target, VALUE_STRING) ? named_port(sandbox, service, value_str(target)) : target;
        if (number == NULL)
            number = value_key(port, "port");
        const struct value *name = value_key(port, "name");
        value_push(arena, &ports,
                   VALUE_MAP(arena, {"name", name ? name : value_cstr(arena, "")}, {"port", number},
                             {"protocol", value_key(port, "protocol")}));
    }
    return value_list_done(arena, &ports);
}

/* Addresses of the running pods that a selector picks. */
static const struct value *addresses(struct sandbox *sandbox, struct arena *arena, struct str namespace,
                                     const struct value *selector)
{
    const struct served *pods = types_kind(sandbox, "", "Pod");
    struct value_list_builder list = {0};
    for (size_t i = 0; pods && i < pods->storage->count; i++) {
        const struct entry *entry = pods->storage->items[i];
        const struct value *pod = state_at(entry, UINT64_MAX);
        const struct value *ip = value_in(pod, PATH("status", "podIP"));
        if (ip != NULL && str_eq(entry->namespace, namespace) &&
            selector_map_matches(selector, value_in(pod, PATH("metadata", "labels"))))
            value_push(arena, &list, ip);
    }
    return value_list_done(arena, &list);
}

static const struct value *endpoints_object(struct arena *arena, const struct value *service,
                                            const struct value *ips, const struct value *ports)
{
    struct value_list_builder targets = {0};
    VALUE_EACH(ip, ips) {
        value_push(arena, &targets, VALUE_MAP(arena, {"ip", ip}));
    }
    const struct value *subset =
        targets.count ? VALUE_MAP(arena, {"addresses", value_list_done(arena, &targets)}, {"ports", ports})
                      : NULL;
    const struct value *labels =
        value_with(arena, value_in(service, PATH("metadata", "labels")),
                   STR("endpoints.kubernetes.io/managed-by"), value_cstr(arena, "endpoint-controller"));
    if (str_is(value_str_in(service, PATH("spec", "clusterIP")), "None"))
        labels = value_with(arena, labels, STR("service.kubernetes.io/headless"), value_cstr(arena, ""));
    const struct value *meta = VALUE_MAP(
        arena, {"name", value_in(service, PATH("metadata", "name"))},
        {"namespace", value_in(service, PATH("metadata", "namespace"))}, {"labels", labels},
        {"annotations", VALUE_MAP(arena, {"endpoints.kubernetes.io/last-change-trigger-time",
                                          value_in(service, PATH("metadata", "creationTimestamp"))})});
    return VALUE_MAP(arena, {"apiVersion", value_cstr(arena, "v1")}, {"kind", value_cstr(arena, "Endpoints")},
                     {"metadata", meta}, {"subsets", subset ? VALUE_LIST(arena, subset) : NULL});
}

static const struct value *slice_object(struct arena *arena, const struct value *owner,
                                        const struct value *ips, const struct value *ports,
                                        const char *manager)
{
    struct value_list_builder endpoints = {0};
    struct str name = value_str_in(owner, PATH("metadata", "name"));
    VALUE_EACH(ip, ips) {
        value_push(
            arena, &endpoints,
            VALUE_MAP(arena, {"addresses", VALUE_LIST(arena, ip)},
                      {"conditions",
                       state_literal(arena, "{\"ready\":true,\"serving\":true,\"terminating\":false}")}));
    }
    const struct value *meta = VALUE_MAP(
        arena,
        {"name", value_string(arena, str_fmt(arena, "%.*s-%.5s", STR_ARG(name),
                                             value_str_in(owner, PATH("metadata", "uid")).ptr))},
        {"generateName", value_string(arena, str_fmt(arena, "%.*s-", STR_ARG(name)))},
        {"namespace", value_in(owner, PATH("metadata", "namespace"))},
        {"labels", VALUE_MAP(arena, {"kubernetes.io/service-name", value_string(arena, name)},
                             {"endpointslice.kubernetes.io/managed-by", value_cstr(arena, manager)})},
        {"ownerReferences", controllers_owner(arena, owner)});
    return VALUE_MAP(arena, {"apiVersion", value_cstr(arena, "discovery.k8s.io/v1")},
                     {"kind", value_cstr(arena, "EndpointSlice")}, {"metadata", meta},
                     {"addressType", value_cstr(arena, "IPv4")},
                     {"endpoints", value_list_done(arena, &endpoints)}, {"ports", ports});
}

/* Hand-made Endpoints of a Service without a selector are mirrored into a slice. */
void endpoints_mirror(struct sandbox *sandbox, struct arena *arena, const struct value *object)
{
    const struct served *services = types_kind(sandbox, "", "Service");
    struct str namespace = value_str_in(object, PATH("metadata", "namespace"));
    const struct value *service =
        services ? state_get(services, namespace, value_str_in(object, PATH("metadata", "name"))) : NULL;
    struct value_list_builder ips = {0};
    if (service == NULL || value_count(value_in(service, PATH("spec", "selector"))))
        return;
    const struct value *subset = value_item(value_key(object, "subsets"), 0);
    VALUE_EACH(address, value_key(subset, "addresses")) {
        value_push(arena, &ips, value_key(address, "ip"));
    }
    controllers_put(sandbox, arena,
                    slice_object(arena, object, value_list_done(arena, &ips), value_key(subset, "ports"),
                                 "endpointslicemirroring-controller.k8s.io"),
                    "kube-controller-manager");
}

void endpoints_of_service(struct sandbox *sandbox, struct arena *arena, const struct value *object)
{
    const struct value *selector = value_in(object, PATH("spec", "selector"));
    const struct served *endpoints = types_kind(sandbox, "", "Endpoints");
    struct str namespace = value_str_in(object, PATH("metadata", "namespace"));
    if (value_count(selector) == 0) {
        const struct value *own =
            state_get(endpoints, namespace, value_str_in(object, PATH("metadata", "name")));
        if (own != NULL)
            endpoints_mirror(sandbox, arena, own);
        return;
    }
    const struct value *ports = service_ports(sandbox, arena, object);
    const struct value *ips = addresses(sandbox, arena, namespace, selector);
    controllers_put(sandbox, arena, endpoints_object(arena, object, ips, ports), "kube-controller-manager");
    controllers_put(sandbox, arena,
                    slice_object(arena, object, ips, ports, "endpointslice-controller.k8s.io"),
                    "kube-controller-manager");
}
