/* Which namespaces an environment calls otherwise. */
#include "overlays/environment.h"

static bool fail(const struct config_environment *config, struct str from, struct str to, const char *why,
                 struct err *err)
{
    err_set(err, ERR_USAGE, "environment %.*s: namespace %.*s cannot become \"%.*s\": %s",
            STR_ARG(config->name), STR_ARG(from), STR_ARG(to), why);
    return err_next(err, "change namespaces of the environment in the configuration");
}

bool renames_of(struct arena *arena, const struct config_environment *config, const struct layout *layout,
                struct renames *ret_renames, struct err *err)
{
    struct renames renames = {0};
    for (size_t i = 0; i < layout->count; i++) {
        struct str from = layout->items[i].name;
        if (layout_is_cluster(&layout->items[i]))
            continue;
        struct str to = config_namespace(arena, config, from);
        if (str_eq(from, to))
            continue;
        if (!str_is_dns_label(to))
            return fail(config, from, to, "a name has 63 lower-case letters, digits and '-' at most", err);
        /* Also of one that moves away itself: two patches that follow each other would mix the two. */
        for (size_t j = 0; j < layout->count; j++)
            if (str_eq(layout->items[j].name, to))
                return fail(config, from, to, "another namespace of the backup is called so", err);
        for (size_t j = 0; j < renames.count; j++)
            if (str_eq(renames.items[j].to, to))
                return fail(config, from, to, "another namespace becomes the same", err);
        *ARENA_PUSH(arena, &renames) = (struct rename){from, to};
    }
    *ret_renames = renames;
    return true;
}

struct str renames_apply(const struct renames *renames, struct str namespace)
{
    for (size_t i = 0; i < renames->count; i++)
        if (str_eq(renames->items[i].from, namespace))
            return renames->items[i].to;
    return namespace;
}

struct resource renames_move(struct arena *arena, const struct renames *renames,
                             const struct resource *resource)
{
    struct resource moved = *resource;
    if (resource_is(resource, "", "Namespace")) {
        moved.name = renames_apply(renames, resource->name);
        moved.object =
            value_with_in(arena, resource->object, PATH("metadata", "name"), value_string(arena, moved.name));
    } else if (resource->namespace.len != 0) {
        moved.namespace = renames_apply(renames, resource->namespace);
        moved.object = value_with_in(arena, resource->object, PATH("metadata", "namespace"),
                                     value_string(arena, moved.namespace));
    }
    return moved;
}
