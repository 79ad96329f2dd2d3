/* parallel.h — one loop over several threads, for work that waits or computes piece by piece.
 *
 * Pieces share nothing but what their context guards itself: an arena belongs to one thread at a time. After the first
 * failure no new piece is begun, and that failure is the one reported; the call returns when all threads are done.
 */
#pragma once
#include "core/base/base.h"

typedef bool (*parallel_fn)(void *ctx, size_t index, struct err *err);

/* Calls `work` once for each index below `count`, on at most `threads` threads, the caller's among them. */
bool parallel_for(size_t count, unsigned threads, parallel_fn work, void *ctx, struct err *err) WARN_UNUSED;
