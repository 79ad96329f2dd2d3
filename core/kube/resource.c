#include "core/kube/resource.h"

static bool missing(struct err *err, struct str origin, const char *what)
{
    return err_set(err, ERR_INVALID, "%.*s%s%s", STR_ARG(origin), origin.len ? ": " : "", what);
}

bool resource_from(const struct value *object, struct str origin, struct resource *ret, struct err *err)
{
    const struct value *metadata = value_key(object, "metadata"),
                       *namespace = value_key(metadata, "namespace");
    struct resource r = {.api_version = value_str(value_key(object, "apiVersion")),
                         .kind = value_str(value_key(object, "kind")),
                         .namespace = value_str(namespace),
                         .name = value_str(value_key(metadata, "name")),
                         .object = object,
                         .origin = origin};
    if (!value_is(object, VALUE_MAP))
        return missing(err, origin, "not a Kubernetes object: a map with apiVersion, kind and metadata");
    if (r.api_version.len == 0)
        return missing(err, origin, "apiVersion is missing or not a string");
    if (r.kind.len == 0)
        return missing(err, origin, "kind is missing or not a string");
    if (r.name.len == 0)
        return missing(err, origin,
                       value_key(metadata, "generateName") != NULL
                           ? "metadata.name is missing (generateName makes a new object every time)"
                           : "metadata.name is missing or not a string");
    if (namespace != NULL && namespace->kind != VALUE_STRING && namespace->kind != VALUE_NULL)
        return missing(err, origin, "metadata.namespace is not a string");
    *ret = r;
    return true;
}

struct str resource_group(const struct resource *resource)
{
    size_t slash = str_find(resource->api_version, '/');
    return slash < resource->api_version.len ? str_slice(resource->api_version, 0, slash) : STR("");
}

struct str resource_version(const struct resource *resource)
{
    size_t slash = str_find(resource->api_version, '/');
    return slash < resource->api_version.len ? str_from(resource->api_version, slash + 1)
                                             : resource->api_version;
}

int resource_cmp(const struct resource *a, const struct resource *b)
{
    int order = str_cmp(a->namespace, b->namespace);
    if (order == 0)
        order = str_cmp(resource_group(a), resource_group(b));
    if (order == 0)
        order = str_cmp(a->kind, b->kind);
    if (order == 0)
        order = str_cmp(a->name, b->name);
    return order ? order : str_cmp(a->api_version, b->api_version);
}

struct str resource_label(struct arena *arena, const struct resource *resource)
{
    return str_fmt(arena, "%.*s%s%.*s/%.*s", STR_ARG(resource->namespace), resource->namespace.len ? "/" : "",
                   STR_ARG(resource->kind), STR_ARG(resource->name));
}

const struct resource_type *resource_type_find(const struct resource_types *types, struct str group,
                                               struct str kind)
{
    for (size_t i = 0; i < types->count; i++)
        if (str_eq(types->items[i].kind, kind) && str_eq(types->items[i].group, group))
            return &types->items[i];
    return NULL;
}

const struct resource_type *resource_type_find_plural(const struct resource_types *types, struct str group,
                                                      struct str plural)
{
    for (size_t i = 0; i < types->count; i++)
        if (str_eq(types->items[i].plural, plural) && str_eq(types->items[i].group, group))
            return &types->items[i];
    return NULL;
}

static const struct value *storage_version(const struct value *crd)
{
    VALUE_EACH(version, value_in(crd, PATH("spec", "versions")))
        if (value_true(value_key(version, "storage")))
            return version;
    return NULL;
}

void resource_types_add_crd(struct arena *arena, struct resource_types *types, const struct value *crd)
{
    if (!str_is(value_str(value_key(crd, "kind")), "CustomResourceDefinition"))
        return;
    const struct value *names = value_in(crd, PATH("spec", "names")), *version = storage_version(crd);
    struct resource_type type = {
        .group = value_str_in(crd, PATH("spec", "group")),
        .version = value_str(value_key(version, "name")),
        .kind = value_str(value_key(names, "kind")),
        .plural = value_str(value_key(names, "plural")),
        .singular = value_str(value_key(names, "singular")),
        .namespaced = !str_is(value_str_in(crd, PATH("spec", "scope")), "Cluster"),
        .listable = true,
        .has_status = value_in(version, PATH("subresources", "status")) != NULL,
    };
    if (type.version.len == 0 || type.kind.len == 0 || type.plural.len == 0 ||
        resource_type_find(types, type.group, type.kind) != NULL)
        return;
    type.group = str_dup(arena, type.group);
    type.version = str_dup(arena, type.version);
    type.kind = str_dup(arena, type.kind);
    type.plural = str_dup(arena, type.plural);
    type.singular = type.singular.len ? str_dup(arena, type.singular) : str_lower(arena, type.kind);
    *ARENA_PUSH(arena, types) = type;
}

#define TYPE(group_, version_, kind_, singular_, plural_, namespaced_, status_)                              \
    {.group = STR_INIT(group_),                                                                              \
     .version = STR_INIT(version_),                                                                          \
     .kind = STR_INIT(kind_),                                                                                \
     .plural = STR_INIT(plural_),                                                                            \
     .singular = STR_INIT(singular_),                                                                        \
     .namespaced = namespaced_,                                                                              \
     .listable = true,                                                                                       \
     .has_status = status_},
static const struct resource_type builtin_rows[] = {
#include "core/kube/types.def"
};
#undef TYPE

/* A view that is never written through: callers get it const. */
static const struct resource_types builtin = {.items = (struct resource_type *)builtin_rows,
                                              .count = COUNT_OF(builtin_rows),
                                              .cap = COUNT_OF(builtin_rows)};

const struct resource_types *resource_builtin_types(void)
{
    return &builtin;
}
