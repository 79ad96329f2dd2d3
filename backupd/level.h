/* level.h — brings several stores to hold the same backups: what one lacks is copied over from another.
 *
 * Packs first, each proven by its hash before and after; then manifests, for a backup exists when its manifest does. A
 * copy that cannot be reached is left for the next time (its lag was noted when the writes went past it). A manifest
 * that vanished from where it was copied from, because prune ran at the same moment, is taken back.
 */
#pragma once
#include "core/run.h"

struct leveled {
    uint64_t packs, manifests, bytes; /* copied */
};

/* Spools in `spool_dir` (NULL: $TMPDIR). `done` counts also what was copied before a failure. */
bool stores_level(struct run *run, const char *spool_dir, struct leveled *done, struct err *err) WARN_UNUSED;
