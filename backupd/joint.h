/* joint.h — one backup made by several processes: shards that share a name, a moment and, at the end, one manifest.
 *
 *   runs/<cluster>/<name>/plan.json        create-only, by whoever comes first: id, resourceVersion, number of shards
 *   runs/<cluster>/<name>/shard-<i>.json   create-only: what shard i stored, as a manifest of its own
 *   backups/<cluster>/<id>/manifest.json   by whoever finds all shards in; the same bytes whoever that is
 *
 * A namespace belongs to one shard by the hash of its name; shard 0 has what belongs to no namespace, and discovery and
 * OpenAPI. A shard that was killed is run again under the same index; one that is in is not read again. Nothing is
 * visible before the last shard is in: there is no manifest. A new backup needs a new name.
 * Fails with what store.h fails with, USAGE (the name was used with other settings), CORRUPT.
 */
#pragma once
#include "backupd/manifest.h"
#include "core/run.h"

enum { JOINT_MAX_SHARDS = 1000 };

struct joint {
    struct str cluster, name;
    unsigned index, shards;
    /* Of the plan. */
    struct str id, resource_version; /* the latter is empty where no list tells one */
    int64_t taken_ms;
};

/* "2/8": an index below the number of shards; USAGE for anything else. */
bool joint_parse_shard(struct str text, unsigned *ret_index, unsigned *ret_shards,
                       struct err *err) WARN_UNUSED;
/* Fills id, resource_version and taken_ms from the plan; `ret_found` false where there is none yet. `selection` has to be
 * the one of the plan. */
bool joint_find(struct run *run, struct joint *joint, const struct value *selection, bool *ret_found,
                struct err *err) WARN_UNUSED;
/* Makes the plan, or takes up the one that another shard made in the meantime. */
bool joint_begin(struct run *run, struct joint *joint, struct str resource_version,
                 const struct value *selection, struct err *err) WARN_UNUSED;
/* Whether this shard is in already. */
bool joint_is_in(struct run *run, const struct joint *joint, bool *ret_in, struct err *err) WARN_UNUSED;
/* This shard is in: `part` says what it stored. Of two that do the same work the first counts. */
bool joint_hand_in(struct run *run, const struct joint *joint, const struct manifest *part,
                   struct err *err) WARN_UNUSED;

/* How far the backup is. */
struct joint_state {
    bool published;           /* the manifest is there */
    struct manifest manifest; /* of all shards, when published */
    unsigned waiting;         /* shards that are not in */
    struct str_list missing;  /* their indexes, as text */
};

/* Publishes the manifest when every shard is in and every pack is still there; may be called any number of times, by
 * any shard. NOT_FOUND: a pack has gone in the meantime; the part that names it is taken back, so that its shard can be
 * run again. */
bool joint_finish(struct run *run, const struct joint *joint, struct joint_state *ret_state,
                  struct err *err) WARN_UNUSED;
