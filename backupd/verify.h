/* verify.h — is a backup whole? Fetches and hashes every pack again, opens it, parses every object and counts.
 *
 * All problems are listed, not the first one only: as findings (check "backup.pack", severity error) and in section
 * "verify" of the report: {id, cluster, store, clean, complete, packs, objects, bytes, durationMs,
 * problems[{pack, message}]}. A damaged pack is no failure of the call; a manifest that cannot be read is.
 */
#pragma once
#include "core/run.h"

/* `cluster` and `which` as for backup_load. */
bool backup_verify(struct run *run, struct str cluster, struct str which, bool *ret_clean,
                   struct err *err) WARN_UNUSED;
