#include "core/kube/bundle.h"

#include <stdlib.h>

void bundle_init(struct bundle *bundle, struct arena *arena)
{
    *bundle = (struct bundle){.arena = arena};
}

struct resource *bundle_add(struct bundle *bundle, const struct resource *resource)
{
    struct resource *added = ARENA_PUSH(bundle->arena, bundle);
    *added = *resource;
    return added;
}

/* What makes two resources the same object: everything but the version they are written in. */
static int identity_order(const struct resource *a, const struct resource *b)
{
    int order = str_cmp(a->namespace, b->namespace);
    if (order == 0)
        order = str_cmp(resource_group(a), resource_group(b));
    if (order == 0)
        order = str_cmp(a->kind, b->kind);
    return order ? order : str_cmp(a->name, b->name);
}

/* Of equal ones the earlier stays first: both pointers are into the unsorted array. */
static int stable_order(const void *a, const void *b)
{
    const struct resource *x = *(const struct resource *const *)a, *y = *(const struct resource *const *)b;
    int order = identity_order(x, y);
    return order ? order : (x > y) - (x < y);
}

struct str bundle_twice(struct arena *arena, const struct resource *dropped, const struct resource *kept)
{
    struct str label = resource_label(arena, dropped);
    return str_fmt(arena, "%.*s: %.*s is there already (%.*s); the first one counts",
                   STR_ARG(dropped->origin), STR_ARG(label), STR_ARG(kept->origin));
}

/* As a stage finds it that comes after another. */
static bool is_sorted(const struct bundle *bundle)
{
    for (size_t i = 1; i < bundle->count; i++)
        if (identity_order(&bundle->items[i - 1], &bundle->items[i]) >= 0)
            return false;
    return true;
}

void bundle_sort(struct bundle *bundle)
{
    size_t count = bundle->count, kept = 0;
    if (is_sorted(bundle))
        return;
    const struct resource **order = ARENA_ARRAY(bundle->arena, const struct resource *, count);
    struct resource *sorted = ARENA_ARRAY(bundle->arena, struct resource, count);
    for (size_t i = 0; i < count; i++)
        order[i] = &bundle->items[i];
    qsort(order, count, sizeof *order, stable_order);
    for (size_t i = 0; i < count; i++) {
        if (kept > 0 && identity_order(&sorted[kept - 1], order[i]) == 0)
            *ARENA_PUSH(bundle->arena, &bundle->problems) =
                bundle_twice(bundle->arena, order[i], &sorted[kept - 1]);
        else
            sorted[kept++] = *order[i];
    }
    bundle->items = sorted;
    bundle->count = kept;
    bundle->cap = count;
}

/* First index whose namespace does not sort before `namespace`. */
static size_t lower_bound(const struct bundle *bundle, struct str namespace)
{
    size_t from = 0, to = bundle->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (str_cmp(bundle->items[middle].namespace, namespace) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

void bundle_namespace(const struct bundle *bundle, struct str namespace, size_t *ret_from, size_t *ret_to)
{
    size_t from = lower_bound(bundle, namespace), to = from;
    while (to < bundle->count && str_eq(bundle->items[to].namespace, namespace))
        to++;
    *ret_from = from;
    *ret_to = to;
}

static int identity_cmp(const struct resource *r, struct str namespace, struct str group, struct str kind,
                        struct str name)
{
    int order = str_cmp(r->namespace, namespace);
    if (order == 0)
        order = str_cmp(resource_group(r), group);
    if (order == 0)
        order = str_cmp(r->kind, kind);
    return order ? order : str_cmp(r->name, name);
}

const struct resource *bundle_find(const struct bundle *bundle, struct str group, struct str kind,
                                   struct str namespace, struct str name)
{
    size_t from = 0, to = bundle->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        int order = identity_cmp(&bundle->items[middle], namespace, group, kind, name);
        if (order == 0)
            return &bundle->items[middle];
        if (order < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return NULL;
}
