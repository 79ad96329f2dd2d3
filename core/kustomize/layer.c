#include "core/kustomize/layer.h"

#include "core/kustomize/schema.h"

static struct str identity(struct arena *arena, const struct resource *r)
{
    struct str group = resource_group(r), version = resource_version(r), namespace = r->namespace;
    if (namespace.len == 0)
    namespace = STR("default");
    if (schema_cluster_scoped(group, version, r->kind))
    namespace = STR("");
    return str_fmt(arena, "%.*s/%.*s/%.*s/%.*s/%.*s", STR_ARG(group), STR_ARG(version), STR_ARG(r->kind),
                   STR_ARG(namespace), STR_ARG(r->name));
}

static size_t hash(struct str text)
{
    uint64_t h = 14695981039346656037u; /* FNV-1a */
    for (size_t i = 0; i < text.len; i++)
        h = (h ^ (unsigned char)text.ptr[i]) * 1099511628211u;
    return (size_t)(h ^ (h >> 32));
}

static struct layer_slot *slot_of(const struct layer *layer, struct str id)
{
    size_t at = hash(id) & (layer->slot_count - 1);
    while (layer->slots[at].item != 0 && !str_eq(layer->slots[at].id, id))
        at = (at + 1) & (layer->slot_count - 1);
    return &layer->slots[at];
}

static void widen(struct layer *layer)
{
    struct layer_slot *old = layer->slots;
    size_t old_count = layer->slot_count;
    layer->slot_count = old_count ? 2 * old_count : 64;
    layer->slots = ARENA_ARRAY(layer->arena, struct layer_slot, layer->slot_count);
    for (size_t i = 0; i < old_count; i++)
        if (old[i].item != 0)
            *slot_of(layer, old[i].id) = old[i];
}

static void remember(struct layer *layer, struct str id, size_t item)
{
    if (2 * (layer->used + 1) > layer->slot_count)
        widen(layer);
    struct layer_slot *slot = slot_of(layer, id);
    layer->used += slot->item == 0;
    *slot = (struct layer_slot){id, item + 1};
}

/* The item whose present identity is `id`. */
static struct layer_item *present(const struct layer *layer, struct str id)
{
    struct layer_slot *slot = slot_of(layer, id);
    struct layer_item *item = slot->item ? &layer->items[slot->item - 1] : NULL;
    return item != NULL && item->resource.object != NULL && str_eq(item->id, id) ? item : NULL;
}

void layer_init(struct layer *layer, struct arena *arena)
{
    *layer = (struct layer){.arena = arena};
    widen(layer);
}

struct layer_item layer_item_of(struct arena *arena, const struct resource *resource)
{
    struct str id = identity(arena, resource);
    return (struct layer_item){*resource, id, id};
}

static bool refuse_second(struct layer *layer, const struct layer_item *item, struct err *err)
{
    const struct layer_item *other = present(layer, item->id);
    if (other == NULL || other == item)
        return true;
    struct str label = resource_label(layer->arena, &item->resource);
    return err_set(err, ERR_INVALID, "%.*s: %.*s is there already, from %.*s", STR_ARG(item->resource.origin),
                   STR_ARG(label), STR_ARG(other->resource.origin));
}

bool layer_add(struct layer *layer, const struct layer_item *item, struct err *err)
{
    if (!refuse_second(layer, item, err))
        return false;
    *ARENA_PUSH(layer->arena, layer) = *item;
    if (!str_eq(item->loaded_id, item->id) && slot_of(layer, item->loaded_id)->item == 0)
        remember(layer, item->loaded_id, layer->count - 1);
    remember(layer, item->id, layer->count - 1);
    return true;
}

struct layer_item *layer_find(const struct layer *layer, const struct resource *like)
{
    struct layer_slot *slot = slot_of(layer, identity(layer->arena, like));
    struct layer_item *item = slot->item ? &layer->items[slot->item - 1] : NULL;
    return item != NULL && item->resource.object != NULL ? item : NULL;
}

bool layer_change(struct layer *layer, struct layer_item *item, const struct value *object, struct err *err)
{
    if (object == NULL) {
        item->resource.object = NULL;
        return true;
    }
    struct resource changed;
    if (!resource_from(object, item->resource.origin, &changed, err))
        return false;
    item->resource = changed;
    item->id = identity(layer->arena, &changed);
    if (!refuse_second(layer, item, err))
        return false;
    remember(layer, item->id, (size_t)(item - layer->items));
    return true;
}

bool layer_merge(struct layer *layer, const struct layer *from, struct err *err)
{
    for (size_t i = 0; i < from->count; i++)
        if (from->items[i].resource.object != NULL && !layer_add(layer, &from->items[i], err))
            return false;
    return true;
}
