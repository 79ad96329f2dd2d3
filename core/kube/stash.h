/* stash.h — a whole cluster on disk: what a snapshot reads, and what a stage takes a piece of.
 *
 * A bundle holds objects as value trees, some five times the size of their JSON; a cluster of any size does not fit. A
 * stash keeps the JSON of every object in nameless files (core/base/tempfile.h) and about 100 bytes for each in memory:
 * where it lies, and what it is called. It is the other half of struct bundle, and turns into it and back:
 *
 *     snapshot ──▶ stash ──▶ stash_bundle: one part at a time, in an arena of its own: memory for the largest namespace
 *                        ──▶ stash_bundle_all: everything as one bundle, for stages that want it so
 *     bundle ──▶ stash_from_bundle
 *     anything else ──▶ stash_new, stash_put …, stash_finish: what was put in is not needed afterwards
 *
 * `about` is what is known of the whole: a bundle without objects, with types, moment, counts and problems; every
 * bundle that is made starts as a copy of it. Parts are the cluster-scoped objects (an empty namespace, always first
 * when there are any) and each namespace, in bytewise order; the objects of a part are sorted by group, kind and name,
 * as in a bundle.
 *
 * Once it is complete a stash only gives, and any number of threads may take. JSON texts are compact, as json_write
 * writes them. `about` and the texts it points to live in the arena of the stash.
 * Fails with IO (full disk), LIMIT, and INTERNAL (a stash that does not hold what was put in).
 */
#pragma once
#include "core/kube/bundle.h"

struct stash;

/* One namespace, or the cluster-scoped objects. */
struct stash_part {
    struct str namespace;
    size_t from, to; /* range of objects */
    uint64_t bytes;  /* of their JSON */
};

/* One object without its tree. */
struct stash_object {
    const struct resource_type *type; /* it was listed as: group, version and plural are always known */
    struct str namespace, name;       /* alive as long as the stash */
    uint64_t bytes;
};

/* An empty stash in `arena`, its files in `dir` (NULL: $TMPDIR or /tmp; must live as long). */
bool stash_new(struct arena *arena, const char *dir, struct stash **ret_stash, struct err *err) WARN_UNUSED;
void stash_close(struct stash *stash); /* NULL is fine */
/* Spools a sorted bundle, documents included. */
bool stash_from_bundle(struct arena *arena, const char *dir, const struct bundle *bundle,
                       struct stash **ret_stash, struct err *err) WARN_UNUSED;

/* Manifests, as bundle_read_manifests reads them (bundle.h), the trees of one file in memory at a time. */
bool stash_read_manifests(struct arena *arena, const char *dir, const char *path, struct stash **ret_stash,
                          struct err *err) WARN_UNUSED;

/* Filling one by hand, in any order. An object keeps its origin; of those that come twice, in whatever version, the first
 * stays, and the other is named in about.problems as bundle_sort names it. */
bool stash_put(struct stash *stash, const struct resource *resource, struct err *err) WARN_UNUSED;
/* The same where the JSON of the object is at hand; it is taken as it is. */
bool stash_put_text(struct stash *stash, const struct resource *resource, struct str json,
                    struct err *err) WARN_UNUSED;
bool stash_put_document(struct stash *stash, struct str key, struct str json, struct err *err) WARN_UNUSED;
/* After the last; `about` is filled by now, types above all. Counts per type, sorts, and finds the parts. */
bool stash_finish(struct stash *stash, struct err *err) WARN_UNUSED;

/* Without objects; the caller may change cluster, backup_id and taken_ms. */
struct bundle *stash_about(struct stash *stash);
size_t stash_count(const struct stash *stash); /* objects */

size_t stash_part_count(const struct stash *stash);
struct stash_part stash_part(const struct stash *stash, size_t index);
struct stash_object stash_object(const struct stash *stash, size_t index);
/* One object as a tree in `arena`. */
bool stash_resource(const struct stash *stash, struct arena *arena, size_t index,
                    struct resource *ret_resource, struct err *err) WARN_UNUSED;
/* Where it came from, as in struct resource. */
bool stash_origin(const struct stash *stash, struct arena *arena, size_t index, struct str *ret_origin,
                  struct err *err) WARN_UNUSED;
/* The JSON of an object into `buf`, which is cleared first. */
bool stash_read(const struct stash *stash, size_t index, struct buf *buf, struct err *err) WARN_UNUSED;

/* OpenAPI documents: their key ("apis/apps/v1") and their JSON. */
size_t stash_document_count(const struct stash *stash);
struct str stash_document_key(const struct stash *stash, size_t index);
bool stash_read_document(const struct stash *stash, size_t index, struct buf *buf,
                         struct err *err) WARN_UNUSED;
bool stash_document(const struct stash *stash, struct arena *arena, size_t index,
                    const struct value **ret_root, struct err *err) WARN_UNUSED;

/* One part as a sorted bundle in `arena`, without documents. */
bool stash_bundle(struct stash *stash, struct arena *arena, size_t part, struct bundle *ret_bundle,
                  struct err *err) WARN_UNUSED;
/* Everything, documents included. */
bool stash_bundle_all(struct stash *stash, struct arena *arena, struct bundle *ret_bundle,
                      struct err *err) WARN_UNUSED;
