/* backup.h — the stage that turns a snapshot into a backup in the store.
 *
 * The order is the protocol: a marker, every pack that the store does not have, then the manifest, create-only, last;
 * then the marker goes. A backup exists once its manifest does, so a run that was killed leaves nothing visible, and
 * the next one finds the packs it had sent. Two runs at once share packs and never each other's manifest.
 * Section "backup" of the report: {id, cluster, store, takenAt, resourceVersion, complete, missing[{type, reason}],
 * objects, types, packs{new, unchanged, repaired, bytesNew, bytesUnchanged}, durationMs, notes[]?, dryRun?}.
 * An incomplete bundle is written and says so (`complete: false`); the caller decides about the exit status.
 * Fails with what store.h and pack.h fail with; USAGE where the cluster has no name.
 */
#pragma once
#include "core/run.h"

/* Needs run->store. Fills bundle->backup_id. */
bool backup_stage(struct run *run, struct bundle *bundle, struct err *err) WARN_UNUSED;
/* The same without writing anything: what would be new, what is there. */
bool backup_dry_run(struct run *run, struct bundle *bundle, struct err *err) WARN_UNUSED;
