/* Which types a server has.
 *
 * One request per root brings everything since Kubernetes 1.26 (aggregated discovery, apidiscovery.k8s.io v2 or
 * v2beta1); older servers answer in the plain form and are asked group by group. Of a type that several versions
 * of its group serve the server's preferred one counts. An aggregated API that is down shows as Stale, with HTTP 200:
 * its types stay, marked, since a backup without them has a hole. */
#include <string.h>

#include "core/kube/kube_intern.h"

#define AGGREGATED                                                                                           \
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"                                  \
    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json"

/* Computed when asked for or views of what another group stores: reading them would back up measurements or the same
 * twice, and their being down is no hole. */
static const struct {
    const char *group, *plural; /* "*": all of the group */
} pseudo_types[] = {
    {"", "componentstatuses"},
    {"events.k8s.io", "events"}, /* the very events of the core group */
    {"metrics.k8s.io", "*"},
    {"custom.metrics.k8s.io", "*"},
    {"external.metrics.k8s.io", "*"},
    {"packages.operators.coreos.com", "*"},
    {"image.openshift.io", "imagestreamtags"},
    {"image.openshift.io", "imagetags"},
    {"authorization.openshift.io", "*"},
    {"project.openshift.io", "projects"},
};

static bool is_pseudo(const struct resource_type *type)
{
    for (size_t i = 0; i < COUNT_OF(pseudo_types); i++)
        if (str_is(type->group, pseudo_types[i].group) &&
            (strcmp(pseudo_types[i].plural, "*") == 0 || str_is(type->plural, pseudo_types[i].plural)))
            return true;
    return false;
}

/* Keeps the first of a group and plural: versions come in the server's order of preference. */
static void add_type(struct arena *arena, struct resource_types *types, const struct resource_type *type)
{
    struct resource_type added = *type;
    for (size_t i = types->count; i > 0; i--)
        if (str_eq(types->items[i - 1].plural, type->plural) &&
            str_eq(types->items[i - 1].group, type->group)) {
            types->items[i - 1].several_versions = true;
            return;
        }
    if (type->plural.len == 0)
        return;
    if (is_pseudo(type)) {
        added.listable = false;
        added.missing = STR_NONE;
    }
    *ARENA_PUSH(arena, types) = added;
}

static bool has_verb(const struct value *resource, const char *verb)
{
    VALUE_EACH(item, value_key(resource, "verbs"))
        if (str_is(value_str(item), verb))
            return true;
    return false;
}

/* A group whose server never answered is known by its name only; "*" stands for whatever it has. */
static void add_unknown(struct arena *arena, struct resource_types *types, struct str group,
                        struct str version, struct str why)
{
    add_type(arena, types,
             &(struct resource_type){.group = group,
                                     .version = version,
                                     .plural = STR("*"),
                                     .kind = STR("*"),
                                     .listable = true,
                                     .missing = why});
}

/* ---- aggregated ---- */

static bool has_subresource(const struct value *resource, const char *name)
{
    VALUE_EACH(item, value_key(resource, "subresources"))
        if (str_is(value_str(value_key(item, "subresource")), name))
            return true;
    return false;
}

static void add_aggregated_version(struct arena *arena, struct resource_types *types, struct str group,
                                   const struct value *version)
{
    struct str name = value_str(value_key(version, "version"));
    bool stale = str_is(value_str(value_key(version, "freshness")), "Stale");
    const struct value *resources = value_key(version, "resources");

    if (stale && value_count(resources) == 0)
        add_unknown(arena, types, group, name, STR("stale"));
    VALUE_EACH(resource, resources) {
        struct resource_type type = {
            .group = group,
            .version = name,
            .kind = value_str_in(resource, PATH("responseKind", "kind")),
            .plural = value_str(value_key(resource, "resource")),
            .singular = value_str(value_key(resource, "singularResource")),
            .namespaced = str_is(value_str(value_key(resource, "scope")), "Namespaced"),
            .listable = has_verb(resource, "list"),
            .has_status = has_subresource(resource, "status"),
        };
        if (stale && type.listable)
            type.missing = STR("stale");
        add_type(arena, types, &type);
    }
}

static void add_aggregated(struct arena *arena, struct resource_types *types, const struct value *list)
{
    VALUE_EACH(group, value_key(list, "items")) {
        struct str name = value_str_in(group, PATH("metadata", "name"));
        VALUE_EACH(version, value_key(group, "versions"))
            add_aggregated_version(arena, types, name, version);
    }
}

/* ---- plain ---- */

static bool has_plain_status(const struct value *resources, struct str plural)
{
    VALUE_EACH(item, resources) {
        struct str name = value_str(value_key(item, "name"));
        if (str_starts(name, plural) && str_is(str_from(name, plural.len), "/status"))
            return true;
    }
    return false;
}

static void add_plain(struct arena *arena, struct resource_types *types, struct str group, struct str version,
                      const struct value *list)
{
    const struct value *resources = value_key(list, "resources");
    VALUE_EACH(item, resources) {
        struct str name = value_str(value_key(item, "name"));
        if (str_find(name, '/') < name.len)
            continue;
        struct resource_type type = {
            .group = group,
            .version = version,
            .kind = value_str(value_key(item, "kind")),
            .plural = name,
            .singular = value_str(value_key(item, "singularName")),
            .namespaced = value_true(value_key(item, "namespaced")),
            .listable = has_verb(item, "list"),
            .has_status = has_plain_status(resources, name),
        };
        add_type(arena, types, &type);
    }
}

static bool read_plain(struct kube *kube, struct arena *arena, struct str group, struct str version,
                       struct resource_types *types, struct err *err)
{
    struct str path = group.len ? str_fmt(arena, "/apis/%.*s/%.*s", STR_ARG(group), STR_ARG(version))
                                : str_fmt(arena, "/api/%.*s", STR_ARG(version));
    struct kube_request request = {.method = "GET", .path = path};
    struct kube_reply reply;
    if (!kube_exchange(kube, arena, &request, &reply, err))
        return false;
    if (reply.status >= 300 && group.len == 0) {
        kube_fail(kube, &reply, err);
        return err_context(err, "discovery of %.*s", STR_ARG(path));
    }
    if (reply.status >= 300)
        add_unknown(arena, types, group, version, str_fmt(arena, "HTTP %d", reply.status));
    else
        add_plain(arena, types, group, version, reply.object);
    return true;
}

static bool read_plain_group(struct kube *kube, struct arena *arena, const struct value *group,
                             struct resource_types *types, struct err *err)
{
    struct str name = value_str(value_key(group, "name"));
    struct str preferred = value_str_in(group, PATH("preferredVersion", "version"));
    if (preferred.len != 0 && !read_plain(kube, arena, name, preferred, types, err))
        return false;
    VALUE_EACH(item, value_key(group, "versions")) {
        struct str version = value_str(value_key(item, "version"));
        if (!str_eq(version, preferred) && !read_plain(kube, arena, name, version, types, err))
            return false;
    }
    return true;
}

/* "/api" lists versions of the core group, "/apis" lists groups. */
static bool read_plain_root(struct kube *kube, struct arena *arena, const struct value *root,
                            struct resource_types *types, struct err *err)
{
    if (str_is(value_str(value_key(root, "kind")), "APIVersions")) {
        VALUE_EACH(version, value_key(root, "versions"))
            if (!read_plain(kube, arena, STR_NONE, value_str(version), types, err))
                return false;
        return true;
    }
    VALUE_EACH(group, value_key(root, "groups"))
        if (!read_plain_group(kube, arena, group, types, err))
            return false;
    return true;
}

static bool read_root(struct kube *kube, struct arena *arena, const char *path, struct resource_types *types,
                      struct err *err)
{
    struct kube_request request = {.method = "GET", .path = str_of(path), .accept = AGGREGATED};
    struct kube_reply reply;
    if (!kube_exchange(kube, arena, &request, &reply, err))
        return false;
    if (reply.status >= 300) {
        kube_fail(kube, &reply, err);
        return err_context(err, "discovery of %s", path);
    }
    if (!str_is(value_str(value_key(reply.object, "kind")), "APIGroupDiscoveryList"))
        return read_plain_root(kube, arena, reply.object, types, err);
    add_aggregated(arena, types, reply.object);
    return true;
}

bool kube_discover(struct kube *kube, struct arena *arena, struct resource_types *ret_types, struct err *err)
{
    struct resource_types types = {0};
    if (!read_root(kube, arena, "/api", &types, err) || !read_root(kube, arena, "/apis", &types, err))
        return false;
    if (types.count == 0) {
        err_set(err, ERR_CORRUPT, "discovery brought no type at all");
        return err_next(err, "check that the address is that of a Kubernetes API server");
    }
    *ret_types = types;
    return true;
}
