/* Which objects a setting of the user's is for. */
#include "core/match.h"
#include "transform/rule.h"

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
    const struct resource_type *type = resource_type_find(&scene->about->types, group, resource->kind);
    if (type == NULL)
        type = resource_type_find(resource_builtin_types(), group, resource->kind);
    for (size_t i = 0; i < match->types.count; i++) {
        struct str glob = match->types.items[i];
        if (names(glob, resource->kind, group) || (type != NULL && names(glob, type->plural, group)))
            return true;
    }
    return false;
}

bool match_takes(const struct config_match *match, const struct scene *scene, const struct resource *resource)
{
    return match_place(match, resource) && takes_type(match, scene, resource);
}
