/* layer.h — the objects of one kustomization while it is being built: an ordered list that is looked up by
 * identity.
 *
 * Identity is group, version, kind, namespace and name; "default" and no namespace are the same, and a
 * namespace on a kind that has none does not count. An object is also found under the identity it was
 * loaded with. Lookups are by hash, so building stays linear in the number of objects. A layer lives in its
 * arena.
 * Fails with INVALID: an object that is there already.
 */
#pragma once
#include "core/kube/bundle.h"

struct layer_item {
    struct resource resource; /* object NULL: a patch took it away */
    struct str loaded_id, id;
};

struct layer_slot {
    struct str id;
    size_t item; /* index + 1; 0 is free */
};

struct layer {
    struct arena *arena;
    struct layer_item *items;
    size_t count, cap;
    struct layer_slot *slots; /* a power of two, at most half full */
    size_t slot_count, used;
    bool fifo; /* output in the order of input */
};

void layer_init(struct layer *layer, struct arena *arena);
bool layer_add(struct layer *layer, const struct layer_item *item, struct err *err) WARN_UNUSED;
/* An item as it comes from a file. */
struct layer_item layer_item_of(struct arena *arena, const struct resource *resource);
/* NULL when nothing has the identity of `like`. */
struct layer_item *layer_find(const struct layer *layer, const struct resource *like);
/* Puts `object` in the place of the item's and follows a changed identity. */
bool layer_change(struct layer *layer, struct layer_item *item, const struct value *object,
                  struct err *err) WARN_UNUSED;
/* Appends what `from` has. */
bool layer_merge(struct layer *layer, const struct layer *from, struct err *err) WARN_UNUSED;
/* kustomize's own order of output ("legacy"): by a list of kinds, then group, version, kind, namespace,
 * name. Lookups end here. */
void layer_sort(struct layer *layer);
