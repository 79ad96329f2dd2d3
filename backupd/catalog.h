/* catalog.h — which backups a store holds. Looks at manifests only: what has none is no backup.
 * Fails with NOT_FOUND, USAGE (a name that fits several) and what store.h fails with. */
#pragma once
#include "backupd/manifest.h"

struct catalog_entry {
    struct str id, key;       /* of the manifest */
    struct str cluster;       /* as it stands in the key (store_key_part) */
    struct manifest manifest; /* after catalog_read */
    struct str problem;       /* why the manifest cannot be read; empty when it can */
};

struct catalog {
    struct catalog_entry *items; /* newest first */
    size_t count, cap;
};

/* Every backup of `cluster`, or of all with an empty one. Reads no manifest. */
bool catalog_list(struct store *store, struct arena *arena, struct str cluster, struct catalog *ret_catalog,
                  struct err *err) WARN_UNUSED;
/* Reads the manifests of the first `limit` entries and forgets the rest; a bad one keeps its place and says why. */
bool catalog_read(struct store *store, struct arena *arena, size_t limit, struct catalog *catalog,
                  struct err *err) WARN_UNUSED;
/* `which`: an id, the start of one that only one backup has, or "latest"; each also as "cluster/…". */
bool catalog_find(struct store *store, struct arena *arena, struct str cluster, struct str which,
                  struct catalog_entry *ret_entry, struct err *err) WARN_UNUSED;

/* [{id, cluster, takenAt, complete, narrowed?, objects, types, packs, bytes, problem?}] after catalog_read, for `list`. */
const struct value *catalog_value(struct arena *arena, const struct catalog *catalog);
