/* backup.h — what turns a snapshot into a backup in the store.
 *
 * The order is the protocol: a marker, every pack that the store does not have, then the manifest, create-only, last;
 * then the marker goes. A backup exists once its manifest does, so a run that was killed leaves nothing visible, and
 * the next one finds the packs it had sent. Two runs at once share packs and never each other's manifest.
 * Section "backup" of the report: {id, cluster, store, takenAt, resourceVersion, complete, missing[{type, reason}],
 * hooks[]?, objects, types, packs{new, unchanged, repaired, bytesNew, bytesUnchanged}, durationMs, peakMemoryBytes (of
 * this process so far), notes[]?, dryRun?}.
 * Where run->hooks is there, its outputs become packs, and what is due after the packs runs before the manifest.
 * An incomplete snapshot is written and says so (`complete: false`); the caller decides about the exit status.
 * Fails with what store.h and pack.h fail with; USAGE where the cluster has no name.
 */
#pragma once
#include "core/kube/stash.h"
#include "core/run.h"

struct joint;

/* Where snapshots and packs are spooled: state.dir where it can be written, else NULL, which stands for $TMPDIR. */
const char *backup_spool_dir(const struct run *run);

/* Needs run->store. Fills stash_about(stash)->backup_id. `dry_run`: nothing is written; says what would be new. */
bool backup_stash(struct run *run, struct stash *stash, bool dry_run, struct err *err) WARN_UNUSED;
/* Stores one shard of a joint backup (backupd/joint.h), hands it in, and publishes where it was the last. `stash` NULL:
 * the shard is in, only the rest is left. The section also has {shard, shards, run, waiting[]}, and where shards are
 * waited for `published: false`. Fills joint's backup id and completeness into `ret_complete`. */
bool backup_shard(struct run *run, struct stash *stash, const struct joint *joint, bool *ret_complete,
                  struct err *err) WARN_UNUSED;
/* As a stage, for a bundle in memory. Fills bundle->backup_id. */
bool backup_stage(struct run *run, struct bundle *bundle, struct err *err) WARN_UNUSED;
