/* err.h — how things fail: a code, a message with its context, and what to do next.
 *
 * A function that can fail returns bool and fills the caller's struct err, its last parameter. The message
 * starts with the innermost fact; each caller adds its own context in front on the way up:
 *     if (!list(...)) return err_context(err, "list %s", plural);     →  "list deployments: HTTP 403: …"
 * A struct err is plain memory: copy it, reuse it, no cleanup. Secrets never go into one.
 */
#pragma once
#include <stdbool.h>

#include "core/base/attr.h"

enum err_code {
#define ERR(symbol, exit_status, http_status, meaning) ERR_##symbol,
#include "core/base/err.def"
#undef ERR
    ERR_COUNT
};

struct err {
    enum err_code code;
    char msg[1024];
    char next[512]; /* what to do about it, in the imperative; empty where there is nothing to say */
};

/* Fills `err` and returns false, so that a function can end in `return err_set(...)`. */
bool err_set(struct err *err, enum err_code code, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* The same with ": " and strerror(errno) behind the message. ENOSPC and friends map to IO, ENOENT to NOT_FOUND, … */
bool err_errno(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Puts "context: " in front of the message and returns false. */
bool err_context(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Says what to do next, unless someone closer to the fault already did; returns false. */
bool err_next(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

const char *err_name(enum err_code code);    /* "NOT_FOUND" */
const char *err_meaning(enum err_code code); /* the sentence of the table */
int err_exit_status(enum err_code code);
int err_http_status(enum err_code code);

/* The static analyser looks into one file at a time; this tells it that these return false. */
#ifdef __clang_analyzer__
#define err_set(...)     (err_set(__VA_ARGS__), false)
#define err_errno(...)   (err_errno(__VA_ARGS__), false)
#define err_context(...) (err_context(__VA_ARGS__), false)
#define err_next(...)    (err_next(__VA_ARGS__), false)
#endif
