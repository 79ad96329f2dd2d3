/* Putting a stash in order, once all is in it. */
#include <stdlib.h>
#include <string.h>

#include "core/kube/stash_intern.h"

void stash_take(struct stash *stash, struct stash_list *list)
{
    struct stash_list *all = &stash->objects;
    if (list->count != 0) {
        if (all->cap < all->count + list->count) {
            all->cap = all->count + list->count;
            all->items = realloc(all->items, all->cap * sizeof *all->items);
            if (all->items == NULL)
                abort();
        }
        memcpy(all->items + all->count, list->items, list->count * sizeof *all->items);
        all->count += list->count;
    }
    free(list->items);
    *list = (struct stash_list){0};
}

/* Indexes of records by uid, open addressing; 0 is an empty slot. */
struct uid_set {
    const struct stash_record *records;
    uint32_t *slots;
    size_t cap;
};

/* False when the uid was there already. Uids are random bits, or a hash. */
static bool uid_set_add(struct uid_set *set, size_t index)
{
    uint64_t hash;
    memcpy(&hash, set->records[index].uid, sizeof hash);
    size_t at = (hash * 0x9E3779B97F4A7C15u >> 20) & (set->cap - 1);
    for (; set->slots[at] != 0; at = (at + 1) & (set->cap - 1))
        if (memcmp(set->records[set->slots[at] - 1].uid, set->records[index].uid, 16) == 0)
            return false;
    set->slots[at] = (uint32_t)index + 1;
    return true;
}

void stash_drop_same_uids(struct stash *stash)
{
    static const uint8_t none[16];
    struct stash_list *all = &stash->objects;
    struct uid_set set = {.records = all->items, .cap = 1024};
    while (set.cap < 2 * all->count)
        set.cap *= 2;
    set.slots = calloc(set.cap, sizeof *set.slots);
    if (set.slots == NULL)
        abort();
    for (size_t i = 0; i < all->count; i++)
        all->items[i].dropped |= memcmp(all->items[i].uid, none, sizeof none) != 0 && !uid_set_add(&set, i);
    free(set.slots);
}

/* ---- types ---- */

/* A type that the source does not know cannot have been listed; a bundle from elsewhere may hold one all the same. */
static uint32_t settled(struct arena *arena, struct resource_types *types, struct resource_type type)
{
    const struct resource_type *other = NULL;
    for (size_t i = 0; i < types->count; i++) {
        const struct resource_type *known = &types->items[i];
        if (!str_eq(known->kind, type.kind) || !str_eq(known->group, type.group))
            continue;
        if (str_eq(known->version, type.version))
            return (uint32_t)i;
        other = other == NULL ? known : other;
    }
    type.plural = other != NULL ? other->plural : str_lower(arena, type.kind);
    *ARENA_PUSH(arena, types) = type;
    return (uint32_t)types->count - 1;
}

/* Objects came with what they say they are; the types that the source knows may have come after them. */
static void settle_types(struct stash *stash)
{
    struct resource_types *known = &stash->about.types, all = {0};
    if (stash->put.count == 0)
        return;
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    uint32_t *places = ARENA_ARRAY(scratch, uint32_t, stash->put.count);
    for (size_t i = 0; i < known->count; i++)
        *ARENA_PUSH(stash->arena, &all) = known->items[i];
    for (size_t i = 0; i < stash->put.count; i++)
        places[i] = settled(stash->arena, &all, stash->put.items[i]);
    for (size_t i = 0; i < stash->objects.count; i++)
        stash->objects.items[i].type = places[stash->objects.items[i].type];
    stash->types = all;
    *known = (struct resource_types){all.items, known->count, known->count}; /* the others stay inside */
}

static int type_order(const void *a, const void *b)
{
    const struct resource_type *x = *(const struct resource_type *const *)a,
                               *y = *(const struct resource_type *const *)b;
    int order = str_cmp(x->group, y->group);
    return order ? order : str_cmp(x->kind, y->kind);
}

/* For each type where it stands among all by group and kind; one in two versions stands in one place. */
static uint32_t *rank_types(struct arena *arena, const struct resource_types *types)
{
    const struct resource_type **order = ARENA_ARRAY(arena, const struct resource_type *, types->count + 1);
    uint32_t *ranks = ARENA_ARRAY(arena, uint32_t, types->count + 1), rank = 0;
    for (size_t i = 0; i < types->count; i++)
        order[i] = &types->items[i];
    if (types->count != 0)
        qsort(order, types->count, sizeof *order, type_order);
    for (size_t i = 0; i < types->count; i++) {
        rank += i != 0 && type_order(&order[i - 1], &order[i]) != 0;
        ranks[order[i] - types->items] = rank;
    }
    return ranks;
}

/* ---- order ---- */

struct sorting {
    struct stash *stash;
    const uint32_t *ranks; /* of types */
};

/* By what makes two of them the same object: as bundle_sort has it. */
static int identity_order(const struct sorting *s, const struct stash_record *a, const struct stash_record *b)
{
    int order = str_cmp(stash_record_namespace(s->stash, a), stash_record_namespace(s->stash, b));
    if (order == 0)
        order = (s->ranks[a->type] > s->ranks[b->type]) - (s->ranks[a->type] < s->ranks[b->type]);
    return order ? order : str_cmp(stash_record_name(s->stash, a), stash_record_name(s->stash, b));
}

/* What was dropped goes to the end. Of equal ones comes first what was put in first; of two writers, always the same. */
static int record_order(const void *x, const void *y, void *ctx)
{
    const struct stash_record *a = x, *b = y;
    int order = a->dropped - b->dropped;
    if (order == 0)
        order = identity_order(ctx, a, b);
    if (order == 0)
        order = a->writer - b->writer;
    return order ? order : (a->offset > b->offset) - (a->offset < b->offset);
}

static bool resource_of(const struct sorting *s, struct arena *arena, const struct stash_record *record,
                        struct resource *ret, struct err *err)
{
    *ret = (struct resource){.kind = s->stash->types.items[record->type].kind,
                             .namespace = stash_record_namespace(s->stash, record),
                             .name = stash_record_name(s->stash, record)};
    return stash_record_origin(s->stash, arena, record, &ret->origin, err);
}

static bool name_dropped(struct sorting *s, const struct stash_record *dropped,
                         const struct stash_record *kept, struct err *err)
{
    struct stash *stash = s->stash;
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    struct resource resources[2];
    struct str text;
    if (!resource_of(s, scratch, dropped, &resources[0], err) ||
        !resource_of(s, scratch, kept, &resources[1], err))
        return false;
    if (dropped->origin_len != 0)
        text = bundle_twice(stash->arena, &resources[0], &resources[1]);
    else
        text = str_fmt(stash->arena, "%.*s: \"%.*s\" came twice from the server; the first one counts",
                       STR_ARG(stash->types.items[dropped->type].plural), STR_ARG(resources[0].name));
    *ARENA_PUSH(stash->arena, &stash->about.problems) = text;
    return true;
}

static bool sort(struct sorting *s, struct err *err)
{
    struct stash_list *all = &s->stash->objects;
    size_t kept = 0;
    if (all->count == 0)
        return true;
    qsort_r(all->items, all->count, sizeof *all->items, record_order, s);
    for (size_t i = 0; i < all->count && !all->items[i].dropped; i++) {
        if (kept == 0 || identity_order(s, &all->items[kept - 1], &all->items[i]) != 0)
            all->items[kept++] = all->items[i];
        else if (!name_dropped(s, &all->items[i], &all->items[kept - 1], err))
            return false;
    }
    all->count = kept;
    return true;
}

static void find_parts(struct stash *stash)
{
    const struct stash_list *all = &stash->objects;
    struct stash_part *part = NULL;
    for (size_t i = 0; i < all->count; i++) {
        const struct stash_record *record = &all->items[i];
        struct str namespace = stash_record_namespace(stash, record);
        if (part == NULL || !str_eq(part->namespace, namespace)) {
            part = ARENA_PUSH(stash->arena, &stash->parts);
            *part = (struct stash_part){.namespace = namespace, .from = i};
        }
        part->to = i + 1;
        part->bytes += record->bytes;
    }
}

static void count_types(struct stash *stash)
{
    struct resource_types *types = &stash->about.types;
    for (size_t i = 0; i < types->count; i++)
        types->items[i].count = 0;
    for (size_t i = 0; i < stash->objects.count; i++)
        if (stash->objects.items[i].type < types->count)
            types->items[stash->objects.items[i].type].count++;
}

bool stash_finish(struct stash *stash, struct err *err)
{
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    if (stash->objects.count >= UINT32_MAX)
        return err_set(err, ERR_LIMIT, "%zu objects", stash->objects.count);
    for (size_t i = 0; i < STASH_WRITERS; i++)
        if (!tempfile_flush(&stash->writers[i].file, err))
            return false;
    settle_types(stash);
    struct sorting sorting = {stash, rank_types(scratch, &stash->types)};
    if (!sort(&sorting, err))
        return false;
    find_parts(stash);
    count_types(stash);
    return true;
}
