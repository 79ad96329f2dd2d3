/* mirror.h — several stores as one: what is written goes to all of them, what is read comes from the first that has it.
 *
 * For core/store only; callers see a struct store (store_open_all) and ask about copies through store.h. The first
 * store decides whether a key is free. A copy that fails while another succeeds does not stop the work: it is noted,
 * and after a failed write it lags. One that cannot be reached is left alone for half a minute, lest every call waits
 * for the whole retry policy again. A list is the union; a delete must succeed everywhere.
 * What is missing is said only when every copy says so: an unreachable copy may have it.
 */
#pragma once
#include "core/store/store_driver.h"

/* `copies` (at least two) are closed with it. */
struct store *store_mirror(struct arena *arena, struct store *const *copies, size_t count);

typedef bool (*store_try_fn)(void *ctx, struct store *copy, struct err *err);
/* Tries one copy after the other until one succeeds, and notes what the others failed at; a plain store is its own
 * only copy. */
bool store_try_copies(struct store *store, store_try_fn attempt, void *ctx, struct err *err);
/* Calls `attempt` on every copy: each must write. Succeeds where one does; the others are noted and lag. */
bool store_write_copies(struct store *store, store_try_fn attempt, void *ctx, struct err *err);
