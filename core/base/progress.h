/* progress.h — how long work tells how far it is. Handed in; a NULL progress is silence.
 * The CLI draws bars or prints plain lines, the daemon keeps the last line per job, tests pass NULL. */
#pragma once
#include "core/base/base.h"

struct progress {
    /* `what` is the step ("reading"), `unit` what is counted ("types"); total 0 when unknown. done == total ends it. */
    void (*step)(struct progress *progress, const char *what, uint64_t done, uint64_t total, const char *unit,
                 struct str detail);
};

static inline void progress_step(struct progress *progress, const char *what, uint64_t done, uint64_t total,
                                 const char *unit, struct str detail)
{
    if (progress != NULL)
        progress->step(progress, what, done, total, unit, detail);
}
