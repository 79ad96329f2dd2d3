/* Storage classes of another cluster: every place that names a class (core/kube/storage.h) names the one that plays its
 * part there. A StorageClass whose part another one plays is left out, since its provisioner is not there. */
#include "core/kube/storage.h"

#include "overlays/environment.h"

/* What a class is called there; the name itself where nothing is said of it. */
static struct str class_there(const struct config_environment *config, struct str name)
{
    const struct value *mapped = value_get(config->storage_class_map, name);
    if (mapped != NULL)
        return value_str(mapped);
    /* A class that others become is one the cluster has. */
    MEMBER_EACH(member, config->storage_class_map)
        if (str_eq(value_str(&member->value), name))
            return name;
    return config->storage_class_default.len ? config->storage_class_default : name;
}

struct change {
    const struct config_environment *config;
    struct patch_builder *patch;
};

static void change_class(void *ctx, struct str pointer, struct str name)
{
    const struct change *change = ctx;
    struct arena *arena = change->patch->arena;
    struct str there = class_there(change->config, name);
    if (str_eq(there, name))
        return;
    patch_replace(change->patch, pointer, value_string(arena, there));
    patch_reason(change->patch,
                 str_fmt(arena, "storage class %.*s instead of %.*s", STR_ARG(there), STR_ARG(name)));
}

void step_storage(const struct environment *environment, struct patch_builder *patch)
{
    struct change change = {environment->config, patch};
    struct str name = patch->resource->name;
    if (!storage_is_class(patch->resource)) {
        storage_each_class(patch->arena, patch->resource, change_class, &change);
        return;
    }
    struct str there = class_there(environment->config, name);
    if (!str_eq(there, name))
        patch_leave_out(patch, str_fmt(patch->arena, "class %.*s plays its part here", STR_ARG(there)));
}
