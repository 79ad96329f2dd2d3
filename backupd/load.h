/* load.h — a backup back into a bundle or a stash, as the snapshot filled it: objects, types, OpenAPI, cluster, time.
 *
 * Every pack is proved by its hash before it is parsed. What is returned lives in run->arena.
 * Fails with NOT_FOUND (no such backup, a pack that is gone), CORRUPT (a pack or manifest that does not hold; the
 * message names it), USAGE (an id that fits several), REFUSED (a newer format), and what store.h fails with.
 */
#pragma once
#include "core/kube/stash.h"
#include "core/run.h"

/* `which` is an id, the start of one, or "latest", each also as "cluster/id"; `cluster` narrows it and may be empty. */
bool backup_load(struct run *run, struct str cluster, struct str which, struct bundle *ret_bundle,
                 struct err *err) WARN_UNUSED;
/* The same with what still holds of a damaged backup, for those who look at it or write it down: a pack that is gone or
 * does not hold, and an entry that is no object, are named in bundle->problems, and the bundle is not complete. Fails
 * where no pack holds. Nothing is rebuilt from such a bundle. */
bool backup_load_rest(struct run *run, struct str cluster, struct str which, struct bundle *ret_bundle,
                      bool *ret_damaged, struct err *err) WARN_UNUSED;
/* The same into a stash, for those who take it a part at a time: memory holds one object, and what a stash keeps of each.
 * `ret_damaged` NULL: as backup_load; else as backup_load_rest. */
bool backup_load_stash(struct run *run, struct str cluster, struct str which, struct stash **ret_stash,
                       bool *ret_damaged, struct err *err) WARN_UNUSED;
