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

struct str api_group(struct str api_version)
{
    size_t slash = str_find(api_version, '/');
    return slash == api_version.len ? STR_NONE : str_slice(api_version, 0, slash);
}

/* KEDA's ScaledObject means a Deployment where it names no kind. */
static void add_scaled(struct scaled_list *scaled, struct arena *arena, const struct resource *scaler)
{
    const struct value *target = value_in(scaler->object, PATH("spec", "scaleTargetRef"));
    struct str name = value_str(value_key(target, "name")), kind = value_str(value_key(target, "kind"));
    struct str api_version = value_str(value_key(target, "apiVersion"));
    if (name.len == 0)
        return;
    *ARENA_PUSH(arena, scaled) = (struct scaled){
        .namespace = scaler->namespace,
        .group = api_version.len ? api_group(api_version) : STR("apps"),
        .kind = kind.len ? kind : STR("Deployment"),
        .name = name,
    };
}

static int custom_cmp(const void *a, const void *b)
{
    const struct custom_kind *left = a, *right = b;
    int order = str_cmp(left->group, right->group);
    return order ? order : str_cmp(left->kind, right->kind);
}

static void add_custom(struct custom_kinds *custom, struct arena *arena, const struct resource *crd)
{
    *ARENA_PUSH(arena, custom) = (struct custom_kind){
        .group = value_str_in(crd->object, PATH("spec", "group")),
        .kind = value_str_in(crd->object, PATH("spec", "names", "kind")),
        .versions = value_in(crd->object, PATH("spec", "versions")),
    };
}

/* The structural schema that the CRD gives; NULL for a kind without. */
static const struct value *custom_schema(const void *ctx, const struct resource *resource)
{
    struct custom_kind key = {.group = resource_group(resource), .kind = resource->kind};
    const struct custom_kinds *custom = ctx;
    if (custom->count == 0)
        return NULL;
    const struct custom_kind *found =
        bsearch(&key, custom->items, custom->count, sizeof *custom->items, custom_cmp);
    VALUE_EACH(version, found ? found->versions : NULL) {
        if (str_eq(value_str(value_key(version, "name")), resource_version(resource)))
            return value_in(version, PATH("schema", "openAPIV3Schema"));
    }
    return NULL;
}

void neighbours_gather(struct neighbours *neighbours, struct arena *arena, const struct bundle *live)
{
    struct scaled_list *scaled = &neighbours->scaled;
    *neighbours = (struct neighbours){.live = *live};
    for (size_t i = 0; i < live->count; i++)
        if (resource_is(&live->items[i], "autoscaling", "HorizontalPodAutoscaler") ||
            resource_is(&live->items[i], "keda.sh", "ScaledObject"))
            add_scaled(scaled, arena, &live->items[i]);
    if (scaled->count > 0)
        qsort(scaled->items, scaled->count, sizeof *scaled->items, scaled_cmp);
}

bool neighbours_scale(const struct neighbours *neighbours, const struct resource *resource)
{
    struct scaled key = {resource->namespace, resource_group(resource), resource->kind, resource->name};
    const struct scaled_list *scaled = &neighbours->scaled;
    return scaled->count > 0 &&
           bsearch(&key, scaled->items, scaled->count, sizeof *scaled->items, scaled_cmp) != NULL;
}

/* Cluster-scoped objects are asked about by those of every namespace, so they stay. */
static bool take_cluster(struct scene *scene, struct arena *arena, const struct parts *live, struct err *err)
{
    size_t index = parts_find(live, STR_NONE);
    scene->cluster = *live->about;
    if (index < live->count && !parts_take(live, index, arena, &scene->cluster, err))
        return false;
    for (size_t i = 0; i < scene->cluster.count; i++)
        if (resource_is(&scene->cluster.items[i], "apiextensions.k8s.io", "CustomResourceDefinition"))
            add_custom(&scene->custom, arena, &scene->cluster.items[i]);
    if (scene->custom.count > 0)
        qsort(scene->custom.items, scene->custom.count, sizeof *scene->custom.items, custom_cmp);
    return true;
}

/* Every object is looked through for selectors only when a rule is going to ask. */
static bool gather_selected(struct scene *scene, struct run *run, const struct parts *live, struct err *err)
{
    struct str keys[HELM_LABELS + 1];
    size_t count = 0;
    if (scene->tracking.by_label)
        keys[count++] = scene->tracking.label;
    for (size_t i = 0; run->config->helm_marks == HELM_STRIP && i < HELM_LABELS; i++)
        keys[count++] = helm_labels[i];
    return count == 0 || label_uses_gather(run->arena, live, keys, count, &scene->selected, err);
}

bool scene_gather(struct scene *scene, struct run *run, const struct parts *live, struct err *err)
{
    *scene = (struct scene){.about = live->about, .user = user_rules_of(run->arena, run->config)};
    return take_cluster(scene, run->arena, live, err) &&
           default_kinds_compile(&scene->defaults, run->arena, live, custom_schema, &scene->custom, err) &&
           tracking_gather(run->arena, live, &scene->tracking, err) && gather_selected(scene, run, live, err);
}

struct str scene_replicas_path(const struct scene *scene, const struct resource *resource)
{
    struct custom_kind key = {.group = resource_group(resource), .kind = resource->kind};
    const struct custom_kinds *custom = &scene->custom;
    const struct custom_kind *found =
        custom->count ? bsearch(&key, custom->items, custom->count, sizeof *custom->items, custom_cmp) : NULL;
    VALUE_EACH(version, found ? found->versions : NULL) {
        struct str path = value_str_in(version, PATH("subresources", "scale", "specReplicasPath"));
        if (path.len != 0 && str_eq(value_str(value_key(version, "name")), resource_version(resource)))
            return path;
    }
    return STR(".spec.replicas");
}

const struct resource *subject_find(const struct subject *subject, struct str group, struct str kind,
                                    struct str namespace, struct str name)
{
    const struct bundle *where = namespace.len == 0 ? &subject->scene->cluster : &subject->neighbours->live;
    return bundle_find(where, group, kind, namespace, name);
}
