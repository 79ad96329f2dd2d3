/* fault_store.h — a store that fails when a test wants it to, in front of a real one.
 *
 * Operations are counted from 1. At operation `at` the fault strikes; with `for_good` at every later one too, as after
 * kill -9 or when a network goes away. `after` lets the operation happen and loses only its reply.
 */
#pragma once
#include "core/store/store.h"

struct fault_plan {
    unsigned at; /* 0: never */
    bool after, for_good;
    enum err_code code;  /* 0: UNREACHABLE */
    bool ignore_create;  /* a store that knows no create-only writes */
    struct str retained; /* keys that start so are under object lock until retained_until_ms, … */
    int64_t retained_until_ms;
    bool legal_hold;     /* … or under legal hold. Empty: none is */
    unsigned operations; /* counted so far */

    /* Called before every operation that reaches the store, by the thread that makes it. */
    void (*before)(void *ctx, unsigned operation);
    void *ctx;
    /* Objects whose keys start with `older` look that much older than they are. */
    const char *older;
    int64_t older_ms;
};

/* `plan` may be changed while the store is in use; `inner` is not closed with it. */
struct store *fault_store(struct arena *arena, struct store *inner, struct fault_plan *plan);
