#include "quality/labels.h"

#include <stdlib.h>

/* FNV-1a. Two labels may share a hash: the caller holds what comes out against the whole selector. */
static uint64_t hash_more(uint64_t hash, struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        hash = (hash ^ (unsigned char)text.ptr[i]) * 0x100000001b3;
    return (hash ^ 0xff) * 0x100000001b3; /* no byte of UTF-8 */
}

static uint64_t label_hash(const struct member *label)
{
    return hash_more(hash_more(0xcbf29ce484222325, label->key), value_str(&label->value));
}

void labels_add(struct arena *arena, struct labels *labels, const struct member *label, size_t owner)
{
    *ARENA_PUSH(arena, labels) = (struct label_entry){label_hash(label), owner};
}

static int entry_order(const void *a, const void *b)
{
    const struct label_entry *x = a, *y = b;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return x->owner < y->owner ? -1 : x->owner > y->owner;
}

void labels_sort(struct labels *labels)
{
    if (labels->count != 0)
        qsort(labels->items, labels->count, sizeof *labels->items, entry_order);
}

/* The first entry whose hash is not below. */
static size_t entry_from(const struct labels *labels, uint64_t hash)
{
    size_t from = 0, to = labels->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (labels->items[middle].hash < hash)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

struct label_range labels_with(const struct labels *labels, const struct member *label)
{
    uint64_t hash = label_hash(label);
    return (struct label_range){.at = entry_from(labels, hash),
                                .to = hash == UINT64_MAX ? labels->count : entry_from(labels, hash + 1)};
}

struct label_range labels_rarest(const struct labels *labels, const struct value *wanted, size_t owners)
{
    struct label_range rarest = {.to = owners, .all = true};
    MEMBER_EACH(label, wanted) {
        struct label_range range = labels_with(labels, label);
        if (rarest.all || range.to - range.at < rarest.to - rarest.at)
            rarest = range;
    }
    return rarest;
}

bool labels_next(const struct labels *labels, struct label_range *range, size_t *ret_owner)
{
    if (range->at >= range->to)
        return false;
    *ret_owner = range->all ? range->at : labels->items[range->at].owner;
    range->at++;
    return true;
}
