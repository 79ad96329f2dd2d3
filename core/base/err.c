#include "core/base/err.h"

#undef err_set
#undef err_errno
#undef err_context
#undef err_next

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct row {
    const char *name, *meaning;
    int exit_status, http_status;
} rows[ERR_COUNT] = {
#define ERR(symbol, exit_status, http_status, meaning) {#symbol, meaning, exit_status, http_status},
#include "core/base/err.def"
#undef ERR
};

bool err_set(struct err *err, enum err_code code, const char *fmt, ...)
{
    va_list args;
    err->code = code;
    err->next[0] = '\0';
    va_start(args, fmt);
    vsnprintf(err->msg, sizeof err->msg, fmt, args);
    va_end(args);
    return false;
}

static enum err_code code_of_errno(int number)
{
    switch (number) {
    case ENOENT:
    case ENOTDIR: return ERR_NOT_FOUND;
    case EEXIST: return ERR_EXISTS;
    case EACCES:
    case EPERM:
    case EROFS: return ERR_DENIED;
    case EINTR: return ERR_INTERRUPTED;
    case ECONNREFUSED:
    case ECONNRESET:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ETIMEDOUT: return ERR_UNREACHABLE;
    default: return ERR_IO;
    }
}

bool err_errno(struct err *err, const char *fmt, ...)
{
    int number = errno;
    char what[768], why[128];
    va_list args;
    va_start(args, fmt);
    vsnprintf(what, sizeof what, fmt, args);
    va_end(args);
    err_set(err, code_of_errno(number), "%s: %s", what, strerror_r(number, why, sizeof why));
    if (number == ENOSPC || number == EDQUOT)
        err_next(err, "free some space on that file system and run it again; nothing was lost");
    return false;
}

bool err_context(struct err *err, const char *fmt, ...)
{
    char inner[sizeof err->msg];
    va_list args;
    memcpy(inner, err->msg, sizeof inner);
    va_start(args, fmt);
    int len = vsnprintf(err->msg, sizeof err->msg, fmt, args);
    va_end(args);
    if (len >= 0 && (size_t)len < sizeof err->msg)
        snprintf(err->msg + len, sizeof err->msg - (size_t)len, ": %s", inner);
    return false;
}

bool err_next(struct err *err, const char *fmt, ...)
{
    va_list args;
    if (err->next[0] != '\0')
        return false;
    va_start(args, fmt);
    vsnprintf(err->next, sizeof err->next, fmt, args);
    va_end(args);
    return false;
}

static const struct row *row_of(enum err_code code)
{
    return &rows[(unsigned)code < ERR_COUNT ? code : ERR_INTERNAL];
}

const char *err_name(enum err_code code)
{
    return row_of(code)->name;
}

const char *err_meaning(enum err_code code)
{
    return row_of(code)->meaning;
}

int err_exit_status(enum err_code code)
{
    return row_of(code)->exit_status;
}

int err_http_status(enum err_code code)
{
    return row_of(code)->http_status;
}
