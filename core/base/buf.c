#include "core/base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_init(struct buf *buf, size_t max_bytes)
{
    *buf = (struct buf){.max = max_bytes};
}

void buf_done(struct buf *buf)
{
    free(buf->ptr);
    *buf = (struct buf){.max = buf->max};
}

void buf_clear(struct buf *buf)
{
    buf->len = 0;
    buf->failed = false;
}

static size_t grown_cap(const struct buf *buf, size_t wanted)
{
    size_t cap = buf->cap ? buf->cap : 256;
    while (cap < wanted)
        cap = cap > SIZE_MAX / 2 ? wanted : 2 * cap;
    return cap < buf->max ? cap : buf->max;
}

char *buf_grow(struct buf *buf, size_t len)
{
    if (buf->failed || len > buf->max - buf->len) {
        buf->failed = true;
        return NULL;
    }
    if (buf->cap - buf->len < len) {
        size_t cap = grown_cap(buf, buf->len + len);
        char *ptr = realloc(buf->ptr, cap);
        if (ptr == NULL) {
            fputs("out of memory\n", stderr);
            abort();
        }
        buf->ptr = ptr;
        buf->cap = cap;
    }
    return buf->ptr + buf->len;
}

void buf_append_slowly(struct buf *buf, const void *bytes, size_t len)
{
    char *at = len ? buf_reserve(buf, len) : NULL;
    if (at == NULL)
        return;
    memcpy(at, bytes, len);
    buf->len += len;
}

void buf_repeat(struct buf *buf, char c, size_t times)
{
    char *at = times ? buf_reserve(buf, times) : NULL;
    if (at == NULL)
        return;
    memset(at, c, times);
    buf->len += times;
}

void buf_fmt(struct buf *buf, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    char *at = len > 0 ? buf_reserve(buf, (size_t)len + 1) : NULL; /* vsnprintf ends in NUL */
    if (at != NULL) {
        vsnprintf(at, (size_t)len + 1, fmt, again);
        buf->len += (size_t)len;
    }
    va_end(again);
}

bool buf_ok(const struct buf *buf)
{
    return !buf->failed;
}

struct str buf_view(const struct buf *buf)
{
    return (struct str){buf->ptr, buf->len};
}
