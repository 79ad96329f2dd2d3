/* prune.h — thins out the backups of one cluster by the rules of keep.h, then removes the packs nothing refers to.
 *
 * Manifests go first, oldest first, then packs that no manifest of any cluster refers to any more; so whoever is killed
 * on the way leaves packs too many and never one too few. Packs go only while no backup of this store is running
 * (guard.h), after all manifests were listed a second time, when they are older than the grace period by the store's
 * clock, and after a last look at each. What object lock or a legal hold protects is left, named and counted.
 * Before anything is removed, the newest complete backup must have all its packs: REFUSED otherwise. A manifest that
 * cannot be read is left, and as nobody knows what it refers to, no pack is removed.
 * Section "prune" of the report: {store, cluster, dryRun?, backups[{id, takenAt, complete, keep, why, locked?}],
 * unreadable[{key, problem}], removed{backups, packs, bytes}, packs{young, bytesYoung, left?},
 * locked[{key, reason}], running[{cluster, id, host, startedAt, problem?}], cleared[{cluster, id} or {run}], durationMs};
 * `left` says why packs were left alone.
 * Fails with USAGE (no rules; several clusters and none is named), NOT_FOUND (no such backups), REFUSED, and what
 * store.h fails with; what was removed until then is gone, and the next run goes on.
 */
#pragma once
#include "backupd/keep.h"
#include "core/run.h"

struct prune_options {
    struct keep_rules rules;
    int64_t grace_ms; /* packs that are younger stay */
    bool dry_run;     /* says what would go, writes nothing */
};

/* `cluster` may be empty where the store has backups of one only. */
bool backup_prune(struct run *run, struct str cluster, const struct prune_options *options,
                  struct err *err) WARN_UNUSED;
