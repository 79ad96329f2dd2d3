/* pack.h — a pack: sorted JSON documents as a tar, compressed with zstd, named by its SHA-256.
 *
 * Any `tar --zstd` opens it. Entries are regular files `<group or core>/<version>/<plural>/<name>.json`, sorted
 * bytewise, mtime 0, owner 0, mode 0600, level 3: equal content gives equal bytes, so what did not change is not sent
 * again. A pack is spooled to a nameless file while it is made and handed out as a mapping, so memory stays small.
 * Reading trusts nothing: only tar inside zstd, only regular files, only paths as above, in order, within bounds;
 * anything else is CORRUPT and names the entry. (The prefix archive_ belongs to libarchive.)
 * Fails with CORRUPT, LIMIT, IO (full disk), INTERNAL (entries out of order).
 */
#pragma once
#include "core/base/sha256.h"

struct pack {
    struct str bytes; /* alive until pack_drop */
    struct sha256 sha256;
    uint64_t raw_bytes; /* of all entries */
    uint64_t entries;
};

struct pack_writer;

/* Spools in `dir`; NULL: $TMPDIR or /tmp. */
bool pack_begin(const char *dir, struct pack_writer **ret_writer, struct err *err) WARN_UNUSED;
/* Paths must come in bytewise order, each once. */
bool pack_add(struct pack_writer *writer, struct str path, struct str body, struct err *err) WARN_UNUSED;
/* Closes the pack; it stays readable until pack_drop. */
bool pack_finish(struct pack_writer *writer, struct pack *ret_pack, struct err *err) WARN_UNUSED;
void pack_drop(struct pack_writer *writer); /* at any time; NULL is fine */

/* The path of an object inside a pack. Parts are escaped as store_key_part does; one too long for a file system ends
 * in '~' and a hash, so that different names stay different. */
struct str pack_path(struct arena *arena, struct str group, struct str version, struct str plural,
                     struct str name);

struct pack_limits {
    uint64_t max_entries, max_entry_bytes, max_bytes; /* raw, in all */
    uint64_t max_ratio;                               /* raw to packed, beyond the first 64 MiB */
};
extern const struct pack_limits PACK_DEFAULT_LIMITS; /* 10 million, 64 MiB, 16 GiB, 2000 */

/* Hands each entry to `entry`; body and path live in `arena`, which `entry` may reset when it is done with them. Stops
 * at the first fault, or when `entry` fails. Does not look at the hash: see pack_check. */
typedef bool (*pack_entry_fn)(void *ctx, struct str path, struct str body, struct err *err);
bool pack_read(struct arena *arena, struct str bytes, const struct pack_limits *limits, pack_entry_fn entry,
               void *ctx, struct err *err) WARN_UNUSED;
/* CORRUPT unless `bytes` hash to `sha256`. */
bool pack_check(struct str bytes, const struct sha256 *sha256, struct err *err) WARN_UNUSED;
