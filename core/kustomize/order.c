/* kustomize's order of output. Kinds that others need come first and webhooks last; what remains is ordered
 * by texts that join group, version and kind with '_', and namespace and name with '|', so these texts are
 * built here as well. */
#include <stdlib.h>

#include "core/kustomize/layer.h"

static const char *const first_kinds[] = {
    "Namespace",
    "ResourceQuota",
    "StorageClass",
    "CustomResourceDefinition",
    "ServiceAccount",
    "PodSecurityPolicy",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "ConfigMap",
    "Secret",
    "Endpoints",
    "Service",
    "LimitRange",
    "PriorityClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Deployment",
    "StatefulSet",
    "CronJob",
    "PodDisruptionBudget",
};
static const char *const last_kinds[] = {"MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"};

struct place {
    int kind;
    bool core_namespace; /* Namespaces are ordered the other way round, when one is of the core group */
    struct str type, name;
    size_t index;
};

static int kind_place(struct str kind)
{
    for (size_t i = 0; i < COUNT_OF(first_kinds); i++)
        if (str_is(kind, first_kinds[i]))
            return (int)i - (int)COUNT_OF(first_kinds);
    for (size_t i = 0; i < COUNT_OF(last_kinds); i++)
        if (str_is(kind, last_kinds[i]))
            return (int)i + 1;
    return 0;
}

static struct place place_of(struct arena *arena, const struct resource *r, size_t index)
{
    struct str group = resource_group(r), namespace = r->namespace;
    bool core_namespace = group.len == 0 && str_is(r->kind, "Namespace");
    if (group.len == 0)
        group = STR("~G");
    if (namespace.len == 0)
    namespace = STR("~X");
    return (struct place){
        .kind = kind_place(r->kind),
        .core_namespace = core_namespace,
        .type =
            str_fmt(arena, "%.*s_%.*s_%.*s", STR_ARG(group), STR_ARG(resource_version(r)), STR_ARG(r->kind)),
        .name = str_fmt(arena, "%.*s|%.*s", STR_ARG(namespace), STR_ARG(r->name)),
        .index = index,
    };
}

static int place_order(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    if (x->kind != y->kind)
        return x->kind - y->kind;
    int order = str_cmp(x->type, y->type);
    if (order != 0)
        return x->core_namespace || y->core_namespace ? -order : order;
    order = str_cmp(x->name, y->name);
    return order ? order : (x->index > y->index) - (x->index < y->index);
}

void layer_sort(struct layer *layer)
{
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    struct place *places = ARENA_ARRAY(scratch, struct place, layer->count);
    struct layer_item *items = ARENA_ARRAY(scratch, struct layer_item, layer->count);
    for (size_t i = 0; i < layer->count; i++) {
        places[i] = place_of(scratch, &layer->items[i].resource, i);
        items[i] = layer->items[i];
    }
    if (layer->count > 1)
        qsort(places, layer->count, sizeof *places, place_order);
    for (size_t i = 0; i < layer->count; i++)
        layer->items[i] = items[places[i].index];
}
