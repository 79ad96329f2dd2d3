/* part.h — a stashed cluster taken apart into packs: one per namespace, one of the cluster-scoped objects, and one of
 * discovery and OpenAPI documents. The same part of the same cluster always makes the same bytes (core/store/pack.h).
 * What is packed goes from the stash into the pack as text: memory holds one object, and the names of a namespace. */
#pragma once
#include "backupd/hooks.h"
#include "backupd/manifest.h"
#include "core/kube/stash.h"
#include "core/run.h"
#include "core/store/pack.h"

/* What goes into one pack. */
struct packing {
    enum manifest_part part;
    struct str namespace;
    size_t index;                     /* of the stash's parts; nothing for the schema */
    const struct hook_output *output; /* of MANIFEST_HOOK: packed already */
};

struct packings {
    struct packing *items;
    size_t count, cap;
};

/* The parts of a stash, the schema last. */
void packings_of(struct arena *arena, const struct stash *stash, struct packings *ret_parts);
/* Packs one part of the stash, spooled in `dir` (NULL: $TMPDIR); pack_drop(*ret_writer) ends the life of ret_pack->bytes. */
bool part_pack(struct stash *stash, const struct packing *part, const char *dir,
               struct pack_writer **ret_writer, struct pack *ret_pack, struct err *err) WARN_UNUSED;

/* Fetches a pack, proves its hash before a byte of it is parsed, and hands its entries to `entry`; what they hold lives
 * in `arena`. NOT_FOUND or CORRUPT name the pack; DENIED where it is encrypted and no identity is at hand that reads it. */
bool part_read(struct run *run, struct arena *arena, const struct manifest_pack *pack, pack_entry_fn entry,
               void *ctx, struct err *err) WARN_UNUSED;
/* The same for entries that are handed on and forgotten: `path` and `body` live during the call only. */
bool part_stream(struct run *run, const struct manifest_pack *pack, pack_entry_fn entry, void *ctx,
                 struct err *err) WARN_UNUSED;
/* Fetches a pack and proves its hash, which needs no key. */
bool part_check(struct run *run, const struct manifest_pack *pack, struct err *err) WARN_UNUSED;
/* The object of an entry, which must belong into `pack`. */
bool part_object(struct arena *arena, const struct manifest_pack *pack, struct str path, struct str body,
                 struct resource *ret_resource, struct err *err) WARN_UNUSED;
/* The document of an entry of the schema part. */
bool part_document(struct arena *arena, struct str body, const struct value **ret_document,
                   struct err *err) WARN_UNUSED;

/* Where the schema part keeps its documents. */
#define PART_DISCOVERY "discovery.json"
#define PART_OPENAPI   "openapi/"
