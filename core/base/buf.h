/* buf.h — text that grows, up to a stated maximum.
 *
 * A buf owns heap memory; buf_done frees it. Growing past `max` sets a sticky failure and drops the text that
 * did not fit: write without checking, then ask buf_ok once at the end. A zeroed buf is not ready for use: a
 * maximum must be given.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/str.h"

struct buf {
    char *ptr;
    size_t len, cap, max;
    bool failed;
};

void buf_init(struct buf *buf, size_t max_bytes);
void buf_done(struct buf *buf);  /* may be called twice; fit for CLEANUP(buf_done) */
void buf_clear(struct buf *buf); /* forgets text and failure, keeps the memory */

char *buf_grow(struct buf *buf, size_t len); /* buf_reserve where there is no room yet */
/* Room for `len` bytes at the end, to be filled by the caller who then adds to `len`; NULL when it does not fit. */
static inline char *buf_reserve(struct buf *buf, size_t len)
{
    return buf->cap - buf->len >= len && !buf->failed ? buf->ptr + buf->len : buf_grow(buf, len);
}

void buf_append_slowly(struct buf *buf, const void *bytes, size_t len); /* where it must grow, or failed */
/* Here, since the writers of JSON and YAML append a few bytes at a time. */
static inline void buf_append(struct buf *buf, const void *bytes, size_t len)
{
    if (buf->cap - buf->len < len || buf->failed) {
        buf_append_slowly(buf, bytes, len);
        return;
    }
    if (len != 0)
        memcpy(buf->ptr + buf->len, bytes, len);
    buf->len += len;
}
static inline void buf_str(struct buf *buf, struct str text)
{
    buf_append(buf, text.ptr, text.len);
}
static inline void buf_text(struct buf *buf, const char *text) /* NUL-terminated */
{
    buf_append(buf, text, strlen(text));
}
static inline void buf_char(struct buf *buf, char c)
{
    buf_append(buf, &c, 1);
}
void buf_repeat(struct buf *buf, char c, size_t times);
void buf_fmt(struct buf *buf, const char *fmt, ...) PRINTF_LIKE(2, 3);

bool buf_ok(const struct buf *buf);
struct str buf_view(const struct buf *buf); /* alive until the next append */
