/* Which objects a setting of the user's is for. */
#include "transform/rule.h"

static bool any_glob(const struct str_list *globs, struct str text)
{
    for (size_t i = 0; i < globs->count; i++)
        if (str_glob(globs->items[i], text))
            return true;
    return globs->count == 0;
}

/* "word", or "word.group": the group follows the first dot. */
static bool names(struct str glob, struct str word, struct str group)
{
    size_t dot = str_find(glob, '.');
    if (str_glob(glob, word))
        return true;
    return dot < glob.len && group.len != 0 && str_glob(str_slice(glob, 0, dot), word) &&
           str_glob(str_from(glob, dot + 1), group);
}

static bool takes_type(const struct config_match *match, const struct scene *scene,
                       const struct resource *resource)
{
    struct str group = resource_group(resource);
    if (match->types.count == 0)
        return true;
    const struct resource_type *type = resource_type_find(&scene->live->types, group, resource->kind);
    if (type == NULL)
        type = resource_type_find(resource_builtin_types(), group, resource->kind);
    for (size_t i = 0; i < match->types.count; i++) {
        struct str glob = match->types.items[i];
        if (names(glob, resource->kind, group) || (type != NULL && names(glob, type->plural, group)))
            return true;
    }
    return false;
}

static bool takes_labels(const struct config_match *match, const struct resource *resource)
{
    const struct value *labels = value_in(resource->object, PATH("metadata", "labels"));
    MEMBER_EACH(wanted, match->labels) {
        const struct value *there = value_get(labels, wanted->key);
        if (there == NULL || !str_glob(value_str(&wanted->value), value_str(there)))
            return false;
    }
    return true;
}

bool match_takes(const struct config_match *match, const struct scene *scene, const struct resource *resource)
{
    return any_glob(&match->names, resource->name) && any_glob(&match->namespaces, resource->namespace) &&
           takes_type(match, scene, resource) && takes_labels(match, resource);
}
