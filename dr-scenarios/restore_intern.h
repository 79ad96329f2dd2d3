/* restore_intern.h — what the files of a restore share; nobody else includes it.
 *
 *   restore.c         what is to be restored, and applying it wave by wave
 *   restore_guard.c   may this target be written to?
 *   restore_storage.c does it have the storage classes?
 *   restore_wait.c    until what was applied is ready
 *   restore_result.c  what the result says, to people and to reports
 */
#pragma once
#include "core/base/clock.h"
#include "dr-scenarios/restore.h"

enum { RESTORE_WAIT_MS = 5 * 60 * 1000, FIRST_PAUSE_MS = 200, MOST_PAUSE_MS = 3000 };

/* Until when to try again or to wait, on the monotonic clock. */
static inline int64_t restore_deadline(const struct restore_options *options)
{
    return clock_monotonic_ms() + (options->wait_timeout_ms ? options->wait_timeout_ms : RESTORE_WAIT_MS);
}

/* restore_guard.c: REFUSED when the target is the cluster of the backup or has one of `namespaces`, unless the options
 * allow it. Reads only; the errors of the cluster as a whole pass through. */
bool restore_guard(struct kube *target, struct arena *scratch, const struct restore_options *options,
                   const struct str_list *namespaces, struct err *err) WARN_UNUSED;

/* restore_storage.c: the StorageClasses of the target; false where they cannot be read. */
bool restore_list_classes(struct kube *target, struct arena *arena, struct kube_list *ret_classes);
/* restore_storage.c: a warning for every storage class that is asked for and that neither the target nor what is declared
 * has. */
void restore_check_storage(struct run *run, struct kube *target, const struct bundle *declared,
                           const struct restore_options *options, struct restore_result *result);
