/* verify.h — is a backup whole?
 *
 * backup_verify_hashes fetches every pack from every copy of the store and hashes it again: what was written is there. It
 * needs no key. backup_verify opens the packs too, parses every object, and holds it against the manifest (deep.h): what
 * was written was right. Encrypted packs are opened where an identity is at hand, and counted in `unopened` otherwise.
 * All problems are listed, not the first one only: as findings (check "backup.pack", severity error) and in section
 * "verify" of the report: {id, cluster, store, clean, complete, deep, packs, objects?, bytes, unopened?, durationMs,
 * problems[{pack, message}]}; objects are those that were parsed. A damaged pack is no failure of the call; a manifest
 * that cannot be read is. Memory is bounded by the largest object.
 */
#pragma once
#include "core/run.h"

/* `cluster` and `which` as for backup_load. */
bool backup_verify(struct run *run, struct str cluster, struct str which, bool *ret_clean,
                   struct err *err) WARN_UNUSED;
bool backup_verify_hashes(struct run *run, struct str cluster, struct str which, bool *ret_clean,
                          struct err *err) WARN_UNUSED;
