/* discovery.c — what the server says of itself: version, health, types, OpenAPI.
 *
 * Discovery comes plain (/api, /apis, /apis/GROUP/VERSION) and aggregated (APIGroupDiscoveryList of
 * apidiscovery.k8s.io/v2, chosen by the Accept header). OpenAPI v3: documents of custom resources come from their
 * CRDs; those of built-in types name each kind and let any field pass, for Kubernetes' own schemas are not ours to
 * invent.
 */
#include <string.h>

#include "dr-scenarios/sandbox/intern.h"

#define AGGREGATED "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"

static const char *const LIST_VERBS =
    "[\"create\",\"delete\",\"deletecollection\",\"get\",\"list\",\"patch\",\"update\"]";

bool discovery_is(struct str path)
{
    static const struct str exact[] = {STR_INIT("/version"),   STR_INIT("/healthz"), STR_INIT("/readyz"),
                                       STR_INIT("/livez"),     STR_INIT("/api"),     STR_INIT("/apis"),
                                       STR_INIT("/openapi/v3")};
    if (str_in(path, exact, COUNT_OF(exact)) || str_starts(path, STR("/openapi/v3/")))
        return true;
    size_t slashes = 0;
    for (size_t i = 0; i < path.len; i++)
        slashes += path.ptr[i] == '/';
    return (str_starts(path, STR("/api/")) && slashes == 2) ||
           (str_starts(path, STR("/apis/")) && (slashes == 2 || slashes == 3));
}

static const struct value *verbs_of(struct arena *arena, const struct served *type)
{
    static const char *const namespace_verbs =
        "[\"create\",\"delete\",\"get\",\"list\",\"patch\",\"update\"]";
    if (str_is(type->type.plural, "namespaces") && type->type.group.len == 0)
        return state_literal(arena, namespace_verbs);
    return state_literal(arena, type->type.listable ? LIST_VERBS : "[\"create\"]");
}

static bool shown(const struct served *type, struct str group, struct str version)
{
    return !type->withdrawn && str_eq(type->type.group, group) &&
           (version.len == 0 || str_eq(type->type.version, version));
}

/* Every value of one field over the types shown, each once, in order of appearance. */
static struct str_list groups_of(struct call *call)
{
    struct str_list groups = {0};
    for (size_t i = 0; i < call->sandbox->types.count; i++) {
        const struct served *it = call->sandbox->types.items[i];
        if (!it->withdrawn && it->type.group.len && !str_in(it->type.group, groups.items, groups.count))
            *ARENA_PUSH(call->arena, &groups) = it->type.group;
    }
    return groups;
}

/* Versions of a group, the preferred one first. */
static struct str_list versions_of(struct call *call, struct str group)
{
    struct str_list versions = {0};
    for (int preferred = 1; preferred >= 0; preferred--)
        for (size_t i = 0; i < call->sandbox->types.count; i++) {
            const struct served *it = call->sandbox->types.items[i];
            if (shown(it, group, STR_NONE) && it->preferred == preferred &&
                !str_in(it->type.version, versions.items, versions.count))
                *ARENA_PUSH(call->arena, &versions) = it->type.version;
        }
    return versions;
}

static bool group_is_stale(const struct call *call, struct str group)
{
    for (size_t i = 0; i < call->sandbox->fault_count; i++) {
        const struct fault *fault = &call->sandbox->faults[i];
        if (fault->is.kind == SANDBOX_STALE && str_is(group, fault->match))
            return true;
    }
    return false;
}

static const struct value *response_kind(struct arena *arena, const struct served *type)
{
    return VALUE_MAP(arena, {"group", value_string(arena, type->type.group)},
                     {"version", value_string(arena, type->type.version)},
                     {"kind", value_string(arena, type->type.kind)});
}

static const struct value *aggregated_type(struct arena *arena, const struct served *type)
{
    const struct value *kind = response_kind(arena, type);
    const struct value *status =
        VALUE_MAP(arena, {"subresource", value_cstr(arena, "status")}, {"responseKind", kind},
                  {"verbs", state_literal(arena, "[\"get\",\"patch\",\"update\"]")});
    return VALUE_MAP(arena, {"resource", value_string(arena, type->type.plural)}, {"responseKind", kind},
                     {"scope", value_cstr(arena, type->type.namespaced ? "Namespaced" : "Cluster")},
                     {"singularResource", value_string(arena, type->type.singular)},
                     {"verbs", verbs_of(arena, type)}, {"shortNames", type->aliases},
                     {"subresources", type->type.has_status ? VALUE_LIST(arena, status) : NULL});
}

static const struct value *aggregated_group(struct call *call, struct str group)
{
    struct arena *arena = call->arena;
    struct value_list_builder versions = {0};
    struct str_list names = versions_of(call, group);
    bool stale = group_is_stale(call, group);
    for (size_t v = 0; v < names.count; v++) {
        struct value_list_builder types = {0};
        for (size_t i = 0; i < call->sandbox->types.count && !stale; i++)
            if (shown(call->sandbox->types.items[i], group, names.items[v]))
                value_push(arena, &types, aggregated_type(arena, call->sandbox->types.items[i]));
        value_push(arena, &versions,
                   VALUE_MAP(arena, {"version", value_string(arena, names.items[v])},
                             {"resources", stale ? NULL : value_list_done(arena, &types)},
                             {"freshness", value_cstr(arena, stale ? "Stale" : "Current")}));
    }
    const struct value *meta = VALUE_MAP(arena, {"name", group.len ? value_string(arena, group) : NULL});
    return VALUE_MAP(arena, {"metadata", meta}, {"versions", value_list_done(arena, &versions)});
}

static bool aggregated(struct call *call)
{
    struct arena *arena = call->arena;
    struct value_list_builder items = {0};
    if (str_is(call->path, "/api")) {
        value_push(arena, &items, aggregated_group(call, STR_NONE));
    } else {
        struct str_list groups = groups_of(call);
        for (size_t i = 0; i < groups.count; i++)
            value_push(arena, &items, aggregated_group(call, groups.items[i]));
    }
    call->reply_type = STR(AGGREGATED);
    return call_ok(call, 200,
                   VALUE_MAP(arena, {"kind", value_cstr(arena, "APIGroupDiscoveryList")},
                             {"apiVersion", value_cstr(arena, "apidiscovery.k8s.io/v2")},
                             {"metadata", state_literal(arena, "{}")},
                             {"items", value_list_done(arena, &items)}));
}

static const struct value *plain_group(struct call *call, struct str group, bool alone)
{
    struct arena *arena = call->arena;
    struct value_list_builder versions = {0};
    struct str_list names = versions_of(call, group);
    for (size_t i = 0; i < names.count; i++) {
        struct str both = str_fmt(arena, "%.*s/%.*s", STR_ARG(group), STR_ARG(names.items[i]));
        value_push(arena, &versions,
                   VALUE_MAP(arena, {"groupVersion", value_string(arena, both)},
                             {"version", value_string(arena, names.items[i])}));
    }
    const struct value *all = value_list_done(arena, &versions);
    return VALUE_MAP(arena, {"kind", alone ? value_cstr(arena, "APIGroup") : NULL},
                     {"apiVersion", alone ? value_cstr(arena, "v1") : NULL},
                     {"name", value_string(arena, group)}, {"versions", all},
                     {"preferredVersion", value_item(all, 0)});
}

static const struct value *plain_type(struct arena *arena, const struct served *type, const char *sub)
{
    struct str name = sub ? str_fmt(arena, "%.*s/%s", STR_ARG(type->type.plural), sub) : type->type.plural;
    return VALUE_MAP(
        arena, {"name", value_string(arena, name)},
        {"singularName", value_string(arena, sub ? STR("") : type->type.singular)},
        {"namespaced", value_bool(arena, type->type.namespaced)},
        {"kind", value_string(arena, type->type.kind)},
        {"verbs", sub ? state_literal(arena, "[\"get\",\"patch\",\"update\"]") : verbs_of(arena, type)},
        {"shortNames", sub ? NULL : type->aliases});
}

static bool not_served(struct call *call)
{
    call->status = 404;
    call->text = STR("404 page not found\n");
    return false;
}

static bool resource_list(struct call *call, struct str group, struct str version)
{
    struct arena *arena = call->arena;
    struct value_list_builder types = {0};
    if (group_is_stale(call, group))
        return call_fail(call, 503, "ServiceUnavailable",
                         "the server is currently unable to handle the request");
    for (size_t i = 0; i < call->sandbox->types.count; i++) {
        const struct served *it = call->sandbox->types.items[i];
        if (!shown(it, group, version))
            continue;
        value_push(arena, &types, plain_type(arena, it, NULL));
        if (it->type.has_status)
            value_push(arena, &types, plain_type(arena, it, "status"));
    }
    if (types.count == 0)
        return not_served(call);
    struct str both = group.len ? str_fmt(arena, "%.*s/%.*s", STR_ARG(group), STR_ARG(version)) : version;
    return call_ok(call, 200,
                   VALUE_MAP(arena, {"kind", value_cstr(arena, "APIResourceList")},
                             {"apiVersion", value_cstr(arena, "v1")},
                             {"groupVersion", value_string(arena, both)},
                             {"resources", value_list_done(arena, &types)}));
}

static bool api_versions(struct call *call)
{
    return call_ok(call, 200,
                   state_literal(call->arena, "{\"kind\":\"APIVersions\",\"versions\":[\"v1\"],"
                                              "\"serverAddressByClientCIDRs\":[]}"));
}

static bool group_list(struct call *call)
{
    struct arena *arena = call->arena;
    struct value_list_builder items = {0};
    struct str_list groups = groups_of(call);
    for (size_t i = 0; i < groups.count; i++)
        value_push(arena, &items, plain_group(call, groups.items[i], false));
    return call_ok(call, 200,
                   VALUE_MAP(arena, {"kind", value_cstr(arena, "APIGroupList")},
                             {"apiVersion", value_cstr(arena, "v1")},
                             {"groups", value_list_done(arena, &items)}));
}

static bool version(struct call *call)
{
    return call_ok(
        call, 200,
        state_literal(call->arena,
                      "{\"major\":\"1\",\"minor\":\"36\",\"gitVersion\":\"v1.36.0-sandbox\","
                      "\"gitCommit\":\"\",\"gitTreeState\":\"clean\",\"buildDate\":\"1970-01-01T00:00:00Z\","
                      "\"goVersion\":\"none\",\"compiler\":\"none\",\"platform\":\"linux/amd64\"}"));
}

static bool health(struct call *call)
{
    call->text = STR("ok");
    return call_ok(call, 200, NULL);
}

/* "#/components/schemas" name of a kind, as the real server spells those of CRDs. */
static struct str schema_name(struct arena *arena, const struct served *type)
{
    struct str domain = STR_NONE, rest = type->type.group;
    while (rest.len) {
        struct str part = str_cut(&rest, '.');
        domain = domain.len ? str_fmt(arena, "%.*s.%.*s", STR_ARG(part), STR_ARG(domain)) : part;
    }
    return str_fmt(arena, "%.*s.%.*s.%.*s", STR_ARG(domain.len ? domain : STR("core")),
                   STR_ARG(type->type.version), STR_ARG(type->type.kind));
}

static const struct value *schema_of(struct arena *arena, const struct served *type)
{
    const struct value *schema =
        type->schema
            ? type->schema
            : state_literal(arena, "{\"type\":\"object\",\"x-kubernetes-preserve-unknown-fields\":true}");
    if (type->schema != NULL && value_key(schema, "properties") != NULL) {
        schema = value_with_in(arena, schema, PATH("properties", "apiVersion", "type"),
                               value_cstr(arena, "string"));
        schema =
            value_with_in(arena, schema, PATH("properties", "kind", "type"), value_cstr(arena, "string"));
        schema =
            value_with_in(arena, schema, PATH("properties", "metadata", "type"), value_cstr(arena, "object"));
    }
    return value_with(arena, schema, STR("x-kubernetes-group-version-kind"),
                      VALUE_LIST(arena, response_kind(arena, type)));
}

static bool openapi_index(struct call *call)
{
    struct arena *arena = call->arena;
    struct value_map_builder paths = {0};
    struct str_list seen = {0};
    for (size_t i = 0; i < call->sandbox->types.count; i++) {
        const struct served *it = call->sandbox->types.items[i];
        struct str name = str_fmt(arena, "%s/%.*s", it->type.group.len ? "apis" : "api",
                                  STR_ARG(types_group_version(arena, it)));
        if (it->withdrawn || str_in(name, seen.items, seen.count))
            continue;
        *ARENA_PUSH(arena, &seen) = name;
        struct str url = str_fmt(arena, "/openapi/v3/%.*s?hash=%llu", STR_ARG(name),
                                 (unsigned long long)call->sandbox->types.count);
        value_put(arena, &paths, name, VALUE_MAP(arena, {"serverRelativeURL", value_string(arena, url)}));
    }
    return call_ok(call, 200, VALUE_MAP(arena, {"paths", value_map_done(arena, &paths)}));
}

static bool openapi_document(struct call *call, struct str group, struct str version)
{
    struct arena *arena = call->arena;
    struct value_map_builder schemas = {0};
    for (size_t i = 0; i < call->sandbox->types.count; i++) {
        const struct served *it = call->sandbox->types.items[i];
        if (shown(it, group, version))
            value_put(arena, &schemas, schema_name(arena, it), schema_of(arena, it));
    }
    if (schemas.count == 0)
        return not_served(call);
    const struct value *components = VALUE_MAP(arena, {"schemas", value_map_done(arena, &schemas)});
    return call_ok(
        call, 200,
        VALUE_MAP(arena, {"openapi", value_cstr(arena, "3.0.0")},
                  {"info", state_literal(arena, "{\"title\":\"sandbox\",\"version\":\"v1.36.0-sandbox\"}")},
                  {"paths", state_literal(arena, "{}")}, {"components", components}));
}

/* What follows "/api/" or "/apis/" in `path`: a version, a group, or both. */
static bool group_document(struct call *call, struct str path, bool openapi)
{
    bool core = str_starts(path, STR("/api/"));
    struct str version = str_from(path, core ? 5 : 6), group = core ? STR_NONE : str_cut(&version, '/');
    if (openapi)
        return openapi_document(call, group, version);
    if (core || version.len)
        return resource_list(call, group, version);
    if (versions_of(call, group).count == 0)
        return not_served(call);
    return call_ok(call, 200, plain_group(call, group, true));
}

bool discovery_answer(struct call *call)
{
    struct str path = call->path;
    static const struct {
        const char *path;
        bool (*answer)(struct call *call);
    } fixed[] = {
        {"/version", version},  {"/healthz", health},  {"/readyz", health},           {"/livez", health},
        {"/api", api_versions}, {"/apis", group_list}, {"/openapi/v3", openapi_index}};
    if (!str_is(call->method, "GET"))
        return call_fail(call, 405, "MethodNotAllowed",
                         "the server does not allow this method on the requested resource");
    if ((str_is(path, "/api") || str_is(path, "/apis")) &&
        str_contains(call->accept, STR("g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList")))
        return aggregated(call);
    for (size_t i = 0; i < COUNT_OF(fixed); i++)
        if (str_is(path, fixed[i].path))
            return fixed[i].answer(call);
    bool openapi = str_starts(path, STR("/openapi/v3/"));
    return group_document(call, openapi ? str_from(path, 11) : path, openapi);
}
