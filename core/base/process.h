/* process.h — another program, run to its end: its output handed on as it comes, its time limited.
 *
 * No shell in between. The child leads a process group of its own, so that at the time limit it goes with all it has
 * started: first asked (SIGTERM), then killed. It gets no terminal (standard input is empty), no descriptor of ours,
 * and signals as they are by default, whatever this process does with them.
 * Fails with USAGE (it does not start), INTERRUPTED (the time limit), IO, and what `out` and `notes` fail with; the
 * child is gone by then. That it ended with another status than 0 is no failure.
 */
#pragma once
#include <stdatomic.h>

#include "core/base/base.h"

struct process {
    const char *const *argv; /* ended by NULL; found on PATH */
    const char *const *env;  /* ended by NULL; NULL: ours */
    int64_t timeout_ms;
    /* Take what it writes to standard output and to standard error; false ends it. NULL: thrown away. */
    bool (*out)(void *ctx, struct str piece, struct err *err);
    bool (*notes)(void *ctx, struct str piece, struct err *err);
    void *ctx;
    /* While it runs the id of its group, for another thread that has to end it; else 0. NULL: nobody has to. */
    atomic_int *group;
};

/* `ret_status` as a shell says it: the exit code, or 128 and the signal's number. */
bool process_run(const struct process *process, int *ret_status, struct err *err) WARN_UNUSED;
