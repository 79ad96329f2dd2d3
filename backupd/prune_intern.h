/* prune_intern.h — between the two halves of prune: backups (prune.c) and packs (prune_packs.c). */
#pragma once
#include "backupd/guard.h"
#include "backupd/prune.h"
#include "backupd/references.h"

struct prune_backup {
    struct str key, cluster, id; /* as they stand in the key */
    struct str problem;          /* why its manifest cannot be read */
    struct str locked;           /* why it could not be removed */
    struct keep_item keep;       /* of the chosen cluster, when it can be read */
    uint32_t *packs;             /* indexes into references */
    size_t pack_count;
    bool chosen, removed;
};

struct prune_backups {
    struct prune_backup *items; /* newest first, of all clusters */
    size_t count, cap;
};

struct prune {
    struct run *run;
    const struct prune_options *options;
    struct str cluster;
    struct prune_backups backups;
    struct references references;
    size_t unreadable;
    uint64_t removed_backups, removed_packs, removed_bytes, young_packs, young_bytes;
    struct guard guard;
    bool holding;    /* our marker is there */
    int64_t now_ms;  /* of the store, when it was written */
    struct str left; /* why packs were left alone */
    struct value_list_builder locked, running, cleared;
};

/* Reads a manifest and counts what it refers to. NOT_FOUND when it has gone meanwhile; one that cannot be read is noted
 * and no failure. */
bool prune_count(struct prune *p, struct prune_backup *backup, struct err *err) WARN_UNUSED;
/* What shards have handed in counts, too; runs nobody comes back to are cleared away. `now_ms` is the store's. */
bool prune_count_runs(struct prune *p, int64_t now_ms, struct err *err) WARN_UNUSED;
void prune_note_locked(struct prune *p, struct str key, const char *reason);

/* Every pack of the store, as it is listed. `entry` may be NULL: a pack that no manifest names. */
typedef bool (*prune_pack_fn)(struct prune *p, const struct store_info *info, struct reference *entry,
                              struct err *err);
bool prune_each_pack(struct prune *p, struct str *after, prune_pack_fn fn, struct err *err) WARN_UNUSED;
/* Counts what would go. */
bool prune_count_packs(struct prune *p, struct err *err) WARN_UNUSED;
/* Removes it, or says in p->left why not. */
bool prune_remove_packs(struct prune *p, struct err *err) WARN_UNUSED;
