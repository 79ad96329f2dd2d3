#include <archive.h>
#include <archive_entry.h>
#include <string.h>

#include "core/store/pack.h"

const struct pack_limits PACK_DEFAULT_LIMITS = {
    .max_entries = 10 * 1000 * 1000,
    .max_entry_bytes = (uint64_t)64 << 20,
    .max_bytes = (uint64_t)16 << 30,
    .max_ratio = 2000,
};

enum { PATH_MAX_BYTES = 1200 };
static const uint64_t RATIO_COUNTS_FROM = (uint64_t)64 << 20;

struct reading {
    struct archive *archive;
    struct arena *arena;
    const struct pack_limits *limits;
    uint64_t packed, raw, entries;
    struct str last_path; /* in `path`, for the arena belongs to the caller between two entries */
    char path[PATH_MAX_BYTES];
};

static bool corrupt(struct reading *r, struct err *err)
{
    const char *why = archive_error_string(r->archive);
    err_set(err, ERR_CORRUPT, "%s", why ? why : "not a tar inside zstd");
    if (r->last_path.len != 0)
        err_context(err, "entry %.*s or the one after it", STR_ARG(r->last_path));
    return false;
}

static bool path_is_safe(struct str path)
{
    if (path.len == 0 || path.len > PATH_MAX_BYTES || path.ptr[path.len - 1] == '/' || !str_is_utf8(path))
        return false;
    while (path.len != 0) {
        struct str part = str_cut(&path, '/');
        if (part.len == 0 || part.ptr[0] == '.')
            return false;
        for (size_t i = 0; i < part.len; i++)
            if ((unsigned char)part.ptr[i] < 0x20 || part.ptr[i] == '\\' || part.ptr[i] == 0x7f)
                return false;
    }
    return true;
}

/* For messages: a hostile path may hold anything. */
static struct str printable(struct arena *arena, struct str path)
{
    path = str_dup(arena, str_slice(path, 0, 200));
    for (size_t i = 0; i < path.len; i++)
        if ((unsigned char)path.ptr[i] < 0x20 || (unsigned char)path.ptr[i] >= 0x7f)
            ((char *)path.ptr)[i] = '?';
    return path;
}

static bool check_entry(struct reading *r, struct archive_entry *entry, struct str path, struct err *err)
{
    struct str shown = printable(r->arena, path);
    if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry) != NULL ||
        archive_entry_symlink(entry) != NULL)
        return err_set(err, ERR_CORRUPT, "entry %.*s is no regular file", STR_ARG(shown));
    if (!path_is_safe(path))
        return err_set(err, ERR_CORRUPT, "entry \"%.*s\" has a path that no pack has", STR_ARG(shown));
    if (r->last_path.len != 0 && str_cmp(path, r->last_path) <= 0)
        return err_set(err, ERR_CORRUPT, "entry %.*s comes twice or out of order", STR_ARG(shown));
    if (!archive_entry_size_is_set(entry) || archive_entry_size(entry) < 0)
        return err_set(err, ERR_CORRUPT, "entry %.*s does not say how long it is", STR_ARG(shown));
    return true;
}

/* Bounds hold before a byte is allocated. */
static bool check_limits(struct reading *r, uint64_t bytes, struct err *err)
{
    const struct pack_limits *limits = r->limits;
    if (r->entries == limits->max_entries)
        return err_set(err, ERR_LIMIT, "more than %llu entries", (unsigned long long)limits->max_entries);
    if (bytes > limits->max_entry_bytes)
        return err_set(err, ERR_LIMIT, "an entry of %llu bytes; at most %llu are taken",
                       (unsigned long long)bytes, (unsigned long long)limits->max_entry_bytes);
    if (bytes > limits->max_bytes - r->raw)
        return err_set(err, ERR_LIMIT, "it expands to more than %llu bytes",
                       (unsigned long long)limits->max_bytes);
    uint64_t raw = r->raw + bytes;
    if (raw > RATIO_COUNTS_FROM && raw / limits->max_ratio > r->packed)
        return err_set(err, ERR_LIMIT, "%llu bytes expand to more than %llu times as much",
                       (unsigned long long)r->packed, (unsigned long long)limits->max_ratio);
    return true;
}

static bool read_body(struct reading *r, uint64_t bytes, struct str *ret_body, struct err *err)
{
    char *body = arena_alloc(r->arena, bytes + 1);
    uint64_t filled = 0;
    while (filled < bytes) {
        la_ssize_t n = archive_read_data(r->archive, body + filled, bytes - filled);
        if (n <= 0)
            return corrupt(r, err);
        filled += (uint64_t)n;
    }
    *ret_body = (struct str){body, bytes};
    return true;
}

static bool read_entry(struct reading *r, struct archive_entry *entry, pack_entry_fn fn, void *ctx,
                       struct err *err)
{
    struct str path = str_of(archive_entry_pathname(entry)), body = STR_NONE;
    if (archive_filter_code(r->archive, 0) != ARCHIVE_FILTER_ZSTD)
        return err_set(err, ERR_CORRUPT, "not compressed with zstd");
    if (!check_entry(r, entry, path, err))
        return false;
    memcpy(r->path, path.ptr, path.len); /* bounded by path_is_safe */
    r->last_path = (struct str){r->path, path.len};
    path = str_dup(r->arena, path);
    uint64_t bytes = (uint64_t)archive_entry_size(entry);
    if (!check_limits(r, bytes, err) || !read_body(r, bytes, &body, err))
        return err_context(err, "entry %.*s", STR_ARG(r->last_path));
    r->raw += bytes;
    r->entries++;
    return fn(ctx, path, body, err) || err_context(err, "entry %.*s", STR_ARG(r->last_path));
}

static bool read_entries(struct reading *r, struct str bytes, pack_entry_fn fn, void *ctx, struct err *err)
{
    struct archive_entry *entry;
    if (archive_read_support_filter_zstd(r->archive) != ARCHIVE_OK ||
        archive_read_support_format_tar(r->archive) != ARCHIVE_OK ||
        archive_read_open_memory(r->archive, bytes.ptr, bytes.len) != ARCHIVE_OK)
        return corrupt(r, err);
    for (;;) {
        int code = archive_read_next_header(r->archive, &entry);
        if (code == ARCHIVE_EOF)
            return true;
        if (code != ARCHIVE_OK)
            return corrupt(r, err);
        if (!read_entry(r, entry, fn, ctx, err))
            return false;
    }
}

bool pack_read(struct arena *arena, struct str bytes, const struct pack_limits *limits, pack_entry_fn entry,
               void *ctx, struct err *err)
{
    struct reading r = {.archive = archive_read_new(), .arena = arena, .packed = bytes.len};
    r.limits = limits != NULL ? limits : &PACK_DEFAULT_LIMITS;
    if (r.archive == NULL)
        return err_set(err, ERR_INTERNAL, "libarchive did not start");
    bool good = read_entries(&r, bytes, entry, ctx, err);
    archive_read_free(r.archive);
    return good;
}

bool pack_check(struct str bytes, const struct sha256 *sha256, struct err *err)
{
    struct sha256 found = sha256_of(bytes);
    if (sha256_eq(&found, sha256))
        return true;
    return err_set(err, ERR_CORRUPT, "%zu bytes that do not hash to its name", bytes.len);
}
