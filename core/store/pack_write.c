#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>

#include "core/store/pack.h"
#include "core/store/spool.h"
#include "core/store/store.h"

/* NAME_MAX is 255: room for what an extracting tar may add. */
enum { PART_MAX = 240, PART_KEPT = 200 };

struct pack_writer {
    struct archive *archive;
    struct archive_entry *entry;
    struct arena *arena; /* the last path */
    struct str last_path;
    struct spool *spool;
    struct err error; /* of the spool */
    struct sha256_stream *hash;
    uint64_t raw_bytes, entries;
};

/* ---- the spool ---- */

static la_ssize_t to_spool(struct archive *archive, void *ctx, const void *bytes, size_t len)
{
    struct pack_writer *writer = ctx;
    if (!spool_write(writer->spool, (struct str){bytes, len}, &writer->error))
        return -1;
    sha256_add(writer->hash, bytes, len);
    return (la_ssize_t)len;
}

static bool fail(struct pack_writer *writer, struct err *err)
{
    if (writer->error.code != ERR_NONE) {
        *err = writer->error;
        return false;
    }
    const char *why = archive_error_string(writer->archive);
    return err_set(err, ERR_INTERNAL, "libarchive: %s", why ? why : "no reason given");
}

/* ---- writing ---- */

static bool set_up(struct pack_writer *writer)
{
    struct archive *archive = writer->archive = archive_write_new();
    writer->entry = archive_entry_new();
    return archive != NULL && writer->entry != NULL &&
           archive_write_set_format_pax_restricted(archive) == ARCHIVE_OK &&
           archive_write_add_filter_zstd(archive) == ARCHIVE_OK &&
           archive_write_set_filter_option(archive, "zstd", "compression-level", "3") == ARCHIVE_OK &&
           archive_write_set_bytes_in_last_block(archive, 1) == ARCHIVE_OK &&
           archive_write_open2(archive, writer, NULL, to_spool, NULL, NULL) == ARCHIVE_OK;
}

bool pack_begin(const char *dir, struct pack_writer **ret_writer, struct err *err)
{
    struct spool *spool = NULL;
    if (!spool_open(dir, &spool, err))
        return false;
    struct pack_writer *writer = calloc(1, sizeof *writer);
    if (writer == NULL)
        abort();
    writer->spool = spool;
    writer->hash = sha256_begin();
    writer->arena = arena_new();
    if (!set_up(writer)) {
        fail(writer, err);
        pack_drop(writer);
        return false;
    }
    *ret_writer = writer;
    return true;
}

static void describe(struct archive_entry *entry, const char *path, size_t bytes)
{
    archive_entry_clear(entry);
    archive_entry_set_pathname(entry, path);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0600);
    archive_entry_set_mtime(entry, 0, 0);
    archive_entry_set_uid(entry, 0);
    archive_entry_set_gid(entry, 0);
    archive_entry_set_size(entry, (la_int64_t)bytes);
}

bool pack_add(struct pack_writer *writer, struct str path, struct str body, struct err *err)
{
    if (writer->entries != 0 && str_cmp(path, writer->last_path) <= 0)
        return err_set(err, ERR_INTERNAL, "pack entry %.*s comes out of order", STR_ARG(path));
    arena_reset(writer->arena);
    writer->last_path = str_dup(writer->arena, path);
    describe(writer->entry, writer->last_path.ptr, body.len);
    if (archive_write_header(writer->archive, writer->entry) != ARCHIVE_OK ||
        (body.len != 0 && archive_write_data(writer->archive, body.ptr, body.len) != (la_ssize_t)body.len)) {
        fail(writer, err);
        return err_context(err, "pack entry %.*s", STR_ARG(path));
    }
    writer->raw_bytes += body.len;
    writer->entries++;
    return true;
}

bool pack_finish(struct pack_writer *writer, struct pack *ret_pack, struct err *err)
{
    if (archive_write_close(writer->archive) != ARCHIVE_OK)
        return fail(writer, err);
    struct str bytes = STR_NONE;
    if (!spool_view(writer->spool, &bytes, err))
        return false;
    *ret_pack = (struct pack){
        .bytes = bytes,
        .sha256 = sha256_end(writer->hash),
        .raw_bytes = writer->raw_bytes,
        .entries = writer->entries,
    };
    writer->hash = NULL;
    return true;
}

void pack_drop(struct pack_writer *writer)
{
    if (writer == NULL)
        return;
    archive_write_free(writer->archive);
    archive_entry_free(writer->entry);
    sha256_drop(writer->hash);
    arena_free(writer->arena);
    spool_drop(writer->spool);
    free(writer);
}

/* ---- paths ---- */

static struct str path_part(struct arena *arena, struct str text)
{
    struct str part = store_key_part(arena, text);
    if (part.len <= PART_MAX)
        return part;
    struct sha256 sha256 = sha256_of(text);
    struct str hash = str_slice(sha256_hex(arena, &sha256), 0, 32);
    return str_fmt(arena, "%.*s~%.*s", PART_KEPT, part.ptr, STR_ARG(hash));
}

struct str pack_path(struct arena *arena, struct str group, struct str version, struct str plural,
                     struct str name)
{
    struct str parts[] = {
        path_part(arena, group.len ? group : STR("core")),
        path_part(arena, version),
        path_part(arena, plural),
        path_part(arena, name),
    };
    return str_fmt(arena, "%.*s/%.*s/%.*s/%.*s.json", STR_ARG(parts[0]), STR_ARG(parts[1]), STR_ARG(parts[2]),
                   STR_ARG(parts[3]));
}
