/* declared.h — a cluster as it is to be declared, between the stage that makes it and the one that writes it: objects and
 * Secrets part by part, and all objects in outline. Secrets have their values; they stand apart, so that nothing writes
 * one by accident.
 *
 *     parts of the live cluster ──▶ transform ──▶ declared_add, part after part ──▶ overlays
 *
 * It lies on disk, in two stashes, or shows two bundles that are in memory.
 */
#pragma once
#include "core/kube/outline.h"
#include "core/kube/parts.h"

struct declared {
    struct parts objects, secrets;
    struct bundle outline;                     /* sorted; with what is known of the source */
    struct stash *object_stash, *secret_stash; /* NULL over bundles */
};

/* Over bundles, sorted, which must live as long. */
void declared_of_bundles(struct arena *arena, const struct bundle *objects, const struct bundle *secrets,
                         struct declared *ret_declared);

/* Empty, on disk (`dir` as for stash_new), to be filled with parts in their order, made of what is live. */
bool declared_open(struct arena *arena, const char *dir, const struct parts *live,
                   struct declared *ret_declared, struct err *err) WARN_UNUSED;
bool declared_add(struct declared *declared, const struct bundle *objects, const struct bundle *secrets,
                  struct err *err) WARN_UNUSED;
/* After the last part: `objects` and `secrets` can be taken. */
bool declared_finish(struct declared *declared, struct err *err) WARN_UNUSED;
void declared_close(struct declared *declared); /* zeroed is fine */
