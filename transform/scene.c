#include <stdlib.h>

#include "transform/rule.h"

static int scaled_cmp(const void *a, const void *b)
{
    const struct scaled *left = a, *right = b;
    int order = str_cmp(left->namespace, right->namespace);
    order = order ? order : str_cmp(left->group, right->group);
    order = order ? order : str_cmp(left->kind, right->kind);
    return order ? order : str_cmp(left->name, right->name);
}

static struct str group_of(struct str api_version)
{
    size_t slash = str_find(api_version, '/');
    return slash == api_version.len ? STR_NONE : str_slice(api_version, 0, slash);
}

/* KEDA's ScaledObject means a Deployment where it names no kind. */
static void add_scaled(struct scene *scene, struct arena *arena, const struct resource *scaler)
{
    const struct value *target = value_in(scaler->object, PATH("spec", "scaleTargetRef"));
    struct str name = value_str(value_key(target, "name")), kind = value_str(value_key(target, "kind"));
    struct str api_version = value_str(value_key(target, "apiVersion"));
    if (name.len == 0)
        return;
    *ARENA_PUSH(arena, scene) = (struct scaled){
        .namespace = scaler->namespace,
        .group = api_version.len ? group_of(api_version) : STR("apps"),
        .kind = kind.len ? kind : STR("Deployment"),
        .name = name,
    };
}

void scene_init(struct scene *scene, struct arena *arena, const struct bundle *live,
                const struct config *config)
{
    *scene = (struct scene){.live = live, .config = config};
    for (size_t i = 0; i < live->count; i++) {
        const struct resource *resource = &live->items[i];
        if (resource_is(resource, "autoscaling", "HorizontalPodAutoscaler") ||
            resource_is(resource, "keda.sh", "ScaledObject"))
            add_scaled(scene, arena, resource);
    }
    if (scene->count > 0)
        qsort(scene->items, scene->count, sizeof *scene->items, scaled_cmp);
}

bool scene_scales(const struct scene *scene, const struct resource *resource)
{
    struct scaled key = {resource->namespace, resource_group(resource), resource->kind, resource->name};
    return scene->count > 0 &&
           bsearch(&key, scene->items, scene->count, sizeof *scene->items, scaled_cmp) != NULL;
}

const struct resource *scene_find(const struct scene *scene, struct str group, struct str kind,
                                  struct str namespace, struct str name)
{
    return bundle_find(scene->live, group, kind, namespace, name);
}
