#include "overlays/routing.h"

#define GROUP   "networking.istio.io"
#define ENABLED "compliance.routing/enabled"
#define REGION  "compliance.routing/region"
#define HOST    "compliance.routing/host"
#define PORT    "compliance.routing/port"

struct routing {
    struct arena *arena;
    const struct environment *environment;
    struct str domain, version; /* version: of VirtualService */
    struct routes *routes;
};

static struct str label_of(const struct resource *resource, const char *key)
{
    return resource ? value_str_in(resource->object, PATH("metadata", "labels", key)) : STR_NONE;
}

static struct str annotation_of(const struct resource *resource, const char *key)
{
    return value_str_in(resource->object, PATH("metadata", "annotations", key));
}

static struct str region_of(const struct routing *r, const struct resource *service)
{
    const struct resource *namespace =
        bundle_find(r->environment->whole, STR_NONE, STR("Namespace"), STR_NONE, service->namespace);
    struct str region = label_of(service, REGION);
    if (region.len == 0)
        region = label_of(namespace, REGION);
    return region.len ? region : r->environment->config->routing_region;
}

static bool is_taken(const struct routing *r, struct str host)
{
    for (size_t i = 0; i < r->routes->count; i++)
        if (str_eq(
                value_str(value_item(value_in(r->routes->items[i].object.object, PATH("spec", "hosts")), 0)),
                host))
            return true;
    return false;
}

static struct str host_of(const struct routing *r, const struct resource *service)
{
    struct arena *arena = r->arena;
    struct str label = annotation_of(service, HOST), region = region_of(r, service);
    if (label.len == 0)
        label = service->name;
    if (region.len != 0)
        label = str_fmt(arena, "%.*s-%.*s", STR_ARG(region), STR_ARG(label));
    struct str host = str_fmt(arena, "%.*s.%.*s", STR_ARG(label), STR_ARG(r->domain));
    if (is_taken(r, host))
        host =
            str_fmt(arena, "%.*s-%.*s.%.*s", STR_ARG(label), STR_ARG(service->namespace), STR_ARG(r->domain));
    return host;
}

static bool speaks(const struct value *port, const char *protocol)
{
    struct str name = value_str(value_key(port, "name"));
    return str_starts(name, str_of(protocol));
}

/* The port that is routed to; NULL for a Service without ports. */
static const struct value *port_of(const struct resource *service)
{
    const struct value *ports = value_in(service->object, PATH("spec", "ports")), *found = NULL;
    struct str wanted = annotation_of(service, PORT);
    VALUE_EACH(port, ports) {
        const struct value *number = value_key(port, "port");
        bool named = wanted.len && (str_eq(value_str(value_key(port, "name")), wanted) ||
                                    str_eq(value_text(number), wanted));
        if (named)
            return number;
        if (found == NULL && (speaks(port, "http") || speaks(port, "grpc")))
            found = number;
    }
    return found ? found : value_key(value_item(ports, 0), "port");
}

static const struct value *gateways_of(const struct routing *r)
{
    const struct str_list *names = &r->environment->config->routing_gateways;
    struct value_list_builder list = {0};
    for (size_t i = 0; i < names->count; i++)
        value_push(r->arena, &list, value_string(r->arena, names->items[i]));
    return value_list_done(r->arena, &list);
}

static const struct value *object_of(const struct routing *r, const struct resource *service,
                                     const struct value *port)
{
    struct arena *arena = r->arena;
    struct str namespace = renames_apply(r->environment->renames, service->namespace);
    struct str target =
        str_fmt(arena, "%.*s.%.*s.svc.cluster.local", STR_ARG(service->name), STR_ARG(namespace));
    const struct value *destination =
        VALUE_MAP(arena, {"host", value_string(arena, target)}, {"port", VALUE_MAP(arena, {"number", port})});
    const struct value *route = VALUE_LIST(arena, VALUE_MAP(arena, {"destination", destination}));
    struct str region = region_of(r, service);
    const struct value *labels = VALUE_MAP(arena, {ROUTING_MARK, value_cstr(arena, ROUTING_MARK_VALUE)},
                                           {REGION, region.len ? value_string(arena, region) : NULL});
    return VALUE_MAP(
        arena, {"apiVersion", value_string(arena, str_fmt(arena, GROUP "/%.*s", STR_ARG(r->version)))},
        {"kind", value_cstr(arena, "VirtualService")},
        {"metadata", VALUE_MAP(arena, {"name", value_string(arena, service->name)},
                               {"namespace", value_string(arena, service->namespace)}, {"labels", labels})},
        {"spec", VALUE_MAP(arena, {"hosts", VALUE_LIST(arena, value_string(arena, host_of(r, service)))},
                           {"gateways", gateways_of(r)},
                           {"http", VALUE_LIST(arena, VALUE_MAP(arena, {"route", route}))})});
}

static bool asks_for_route(const struct resource *resource)
{
    return resource_is(resource, "", "Service") && str_is(label_of(resource, ENABLED), "true");
}

static bool add_route(struct routing *r, const struct resource *service, struct err *err)
{
    const struct value *port = port_of(service);
    if (port == NULL)
        return true;
    if (bundle_find(r->environment->whole, STR(GROUP), STR("VirtualService"), service->namespace,
                    service->name)) {
        *ARENA_PUSH(r->arena, &r->routes->kept) =
            str_fmt(r->arena, "%.*s/%.*s", STR_ARG(service->namespace), STR_ARG(service->name));
        return true;
    }
    struct resource object;
    if (!resource_from(object_of(r, service, port), STR("routing"), &object, err))
        return false;
    *ARENA_PUSH(r->arena, r->routes) = (struct route){service, object};
    return true;
}

/* As the source's types say; v1, which Istio serves since 1.22, where they do not know it. */
static struct str version_of(const struct environment *environment)
{
    const struct resource_type *type =
        resource_type_find(&environment->whole->types, STR(GROUP), STR("VirtualService"));
    return type ? type->version : STR("v1");
}

bool routing_generate(const struct environment *environment, struct routes *ret_routes, struct err *err)
{
    const struct config_environment *config = environment->config;
    struct routes routes = {0};
    *ret_routes = routes;
    if (config->routing_gateways.count == 0)
        return true;
    struct routing r = {.arena = environment->arena, .environment = environment, .routes = &routes};
    r.domain = config->routing_domain.len ? config->routing_domain : config->hosts_domain;
    if (r.domain.len == 0) {
        err_set(err, ERR_USAGE, "environment %.*s has gateways and no domain for their hosts",
                STR_ARG(config->name));
        return err_next(err, "set routing.domain or hosts.domain of that environment");
    }
    r.version = version_of(environment);
    for (size_t i = 0; i < environment->whole->count; i++)
        if (asks_for_route(&environment->whole->items[i]) &&
            !add_route(&r, &environment->whole->items[i], err))
            return false;
    *ret_routes = routes;
    return true;
}
