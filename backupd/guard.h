/* guard.h — how backups and prunes on different machines keep out of each other's way.
 *
 * A backup may find a pack in the store that no manifest refers to any more, count on it, and refer to it minutes later;
 * a prune in between must not remove it. So each writes a marker of its own before it looks for the other's:
 *   backups/<cluster>/<id>/in-progress.json   of a backup, from before its first pack until after its manifest
 *   prune/<id>.json                           of a prune, while it removes packs
 * Whoever comes second sees the first: a prune that sees a backup leaves all packs alone, a backup that sees a prune
 * waits (keep.wait) until it has gone. Markers of the dead do not hold for ever: one whose process is known to be gone
 * (same machine since the same boot, same process namespace) holds no more, and others end by age: a prune's after
 * GUARD_LEASE_MS, and it stops removing long before; a backup's after GUARD_STALE_MS, and it gives up before. Ages are
 * told by the store's clock alone, durations by the machine's, so clocks that differ change nothing.
 * Decision 026 proves it. Fails with what store.h fails with, CONFLICT (the other did not go in time), INTERRUPTED.
 */
#pragma once
#include "core/run.h"
#include "core/store/store.h"

enum {
    GUARD_LEASE_MS = 10 * 60 * 1000,      /* a prune's marker counts for no longer */
    GUARD_WORK_MS = 4 * 60 * 1000,        /* and it begins no removal later than this after writing it */
    GUARD_STALE_MS = 24 * 60 * 60 * 1000, /* a backup's marker counts for no longer */
    GUARD_BACKUP_MS = 20 * 60 * 60 * 1000 /* and it writes no manifest later than this after writing it */
};
#define GUARD_PRUNE_PREFIX "prune/"

/* A new id, of a backup or a prune: see manifest.h. */
bool guard_new_id(struct run *run, struct str *ret_id, struct err *err) WARN_UNUSED;

/* A marker of ours. */
struct guard {
    struct str key;
    int64_t began_ms; /* of this machine, counting sleep too */
};

/* Writes the marker of a backup, waits for prunes, and clears away what dead backups of this cluster left behind.
 * `id` as in manifest.h. Where it fails, no marker stays. */
bool guard_enter_backup(struct run *run, struct str cluster, struct str id, struct guard *ret_guard,
                        struct err *err) WARN_UNUSED;
/* INTERRUPTED once the marker may be taken for a dead one's; asked right before the manifest is written. */
bool guard_backup_holds(const struct guard *guard, struct err *err) WARN_UNUSED;

/* What lies beside the manifest of a backup, or instead of one: it is running, or this was left behind. */
struct unfinished {
    struct str cluster, id;      /* as they stand in the key */
    struct str_list keys;        /* without the manifest */
    bool finished;               /* there is a manifest: only the marker stayed, or is about to go */
    int64_t modified_ms;         /* of the newest of them, by the store's clock */
    struct str host, started_at; /* as its marker says; empty where it cannot be read */
    struct str problem;          /* why it cannot be read */
    bool dead;                   /* known to be gone */
};

struct unfinished_list {
    struct unfinished *items;
    size_t count, cap;
};

/* All of `cluster` (empty: of every cluster). */
bool guard_unfinished(struct run *run, struct str cluster, struct unfinished_list *ret_list,
                      struct err *err) WARN_UNUSED;
/* Whether it has to be counted on that the backup goes on and publishes a manifest. `now_ms` is the store's. */
bool guard_is_running(const struct unfinished *unfinished, int64_t now_ms);
/* Whether nobody will come back to it. */
bool guard_is_left_behind(const struct unfinished *unfinished, int64_t now_ms);
/* Removes all that is left of one. */
bool guard_clear(struct run *run, const struct unfinished *unfinished, struct err *err) WARN_UNUSED;

/* Writes the marker of a prune. `ret_now_ms` is the store's time. Clears away markers of dead prunes. */
bool guard_enter_prune(struct run *run, struct guard *ret_guard, int64_t *ret_now_ms,
                       struct err *err) WARN_UNUSED;
/* Whether the prune may begin another removal under this marker. */
bool guard_prune_holds(const struct guard *guard);

/* Tells how long somebody has waited for the other, of the longest time; done: the wait is over. */
void guard_tell_waiting(struct run *run, const char *what, int64_t waited_ms, bool done, struct str detail);

/* Removes the marker. One that stays only makes others wait. */
bool guard_leave(struct run *run, const struct guard *guard, struct err *err) WARN_UNUSED;
