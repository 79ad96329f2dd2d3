/* Hosts: <first label>.<domain of the environment>, in Ingresses, Routes and Gateway API routes. Lists of rules have no
 * merge key, so these are JSON 6902 operations. */
#include "core/base/pointer.h"
#include "overlays/environment.h"

static bool is_host(const struct value *value)
{
    struct str host = value_str(value);
    return host.len != 0 && str_find(host, '.') < host.len;
}

static void move_host(const struct environment *environment, struct patch_builder *patch, struct str pointer,
                      const struct value *host)
{
    struct arena *arena = patch->arena;
    if (!is_host(host))
        return;
    struct str rest = value_str(host), first = str_cut(&rest, '.');
    struct str moved =
        str_fmt(arena, "%.*s.%.*s", STR_ARG(first), STR_ARG(environment->config->hosts_domain));
    if (str_eq(moved, value_str(host)))
        return;
    patch_replace(patch, pointer, value_string(arena, moved));
    patch_reason(patch, str_fmt(arena, "hosts below %.*s", STR_ARG(environment->config->hosts_domain)));
}

static void move_list(const struct environment *environment, struct patch_builder *patch, struct str pointer,
                      const struct value *hosts)
{
    size_t index = 0;
    VALUE_EACH(host, hosts)
    move_host(environment, patch, pointer_index(patch->arena, pointer, index++), host);
}

static void move_ingress(const struct environment *environment, struct patch_builder *patch,
                         const struct value *spec)
{
    struct arena *arena = patch->arena;
    size_t index = 0;
    VALUE_EACH(rule, value_key(spec, "rules"))
    move_host(environment, patch, str_fmt(arena, "/spec/rules/%zu/host", index++), value_key(rule, "host"));
    index = 0;
    VALUE_EACH(tls, value_key(spec, "tls"))
    move_list(environment, patch, str_fmt(arena, "/spec/tls/%zu/hosts", index++), value_key(tls, "hosts"));
}

void step_hosts(const struct environment *environment, struct patch_builder *patch)
{
    const struct value *spec = value_key(patch->resource->object, "spec");
    if (resource_is(patch->resource, "networking.k8s.io", "Ingress"))
        move_ingress(environment, patch, spec);
    else if (resource_is(patch->resource, "route.openshift.io", "Route"))
        move_host(environment, patch, STR("/spec/host"), value_key(spec, "host"));
    else if (resource_is(patch->resource, "gateway.networking.k8s.io", "HTTPRoute"))
        move_list(environment, patch, STR("/spec/hostnames"), value_key(spec, "hostnames"));
}
