/* references.h — which packs are referred to, and by how many backups: a table keyed by hash, small enough for a store
 * with years of backups. Lives in one arena; nothing fails. */
#pragma once
#include "core/base/sha256.h"

struct reference {
    struct sha256 sha256;
    uint64_t bytes;        /* as manifests say */
    uint32_t backups;      /* that refer to it and stay */
    bool listed;           /* it was seen in the store, … */
    uint64_t listed_bytes; /* … that long */
};

struct references {
    struct arena *arena;
    struct reference *items;
    size_t count, cap;
    uint32_t *slots; /* index + 1 by hash; 0: free */
    size_t slot_count;
};

/* The index of the entry of `sha256`, made when there is none. Indexes stay; addresses of entries do not. */
uint32_t references_index(struct references *references, const struct sha256 *sha256);
/* NULL where nothing ever named it. */
struct reference *references_find(const struct references *references, const struct sha256 *sha256);
