#include "backupd/references.h"

#include <string.h>

/* The keys are hashes already: any eight bytes of one are as good as another. */
static size_t first_slot(const struct references *references, const struct sha256 *sha256)
{
    uint64_t start;
    memcpy(&start, sha256->bytes, sizeof start);
    return (size_t)(start & (references->slot_count - 1));
}

/* The slot that holds `sha256`, or the free one where it belongs. */
static size_t slot_of(const struct references *references, const struct sha256 *sha256)
{
    size_t slot = first_slot(references, sha256);
    while (references->slots[slot] != 0 &&
           !sha256_eq(&references->items[references->slots[slot] - 1].sha256, sha256))
        slot = (slot + 1) & (references->slot_count - 1);
    return slot;
}

/* Twice as many slots as entries keeps the chains short. */
static void make_room(struct references *references)
{
    if (2 * (references->count + 1) <= references->slot_count)
        return;
    references->slot_count = references->slot_count ? 2 * references->slot_count : 1024;
    references->slots = ARENA_ARRAY(references->arena, uint32_t, references->slot_count);
    for (size_t i = 0; i < references->count; i++)
        references->slots[slot_of(references, &references->items[i].sha256)] = (uint32_t)i + 1;
}

uint32_t references_index(struct references *references, const struct sha256 *sha256)
{
    make_room(references);
    size_t slot = slot_of(references, sha256);
    if (references->slots[slot] == 0) {
        *ARENA_PUSH(references->arena, references) = (struct reference){.sha256 = *sha256};
        references->slots[slot] = (uint32_t)references->count;
    }
    return references->slots[slot] - 1;
}

struct reference *references_find(const struct references *references, const struct sha256 *sha256)
{
    if (references->slot_count == 0)
        return NULL;
    uint32_t found = references->slots[slot_of(references, sha256)];
    return found ? &references->items[found - 1] : NULL;
}
