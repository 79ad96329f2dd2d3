/* Packs: the same bytes for the same content, every entry back, and nothing hostile gets through. */
#include <archive.h>
#include <archive_entry.h>
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "core/store/pack.h"

struct seen {
    struct arena *arena;
    struct str_list paths, bodies;
};

static bool see(void *ctx, struct str path, struct str body, struct err *err)
{
    struct seen *seen = ctx;
    *ARENA_PUSH(seen->arena, &seen->paths) = path;
    *ARENA_PUSH(seen->arena, &seen->bodies) = body;
    return true;
}

static struct str pack_of(struct arena *arena, const char *const (*entries)[2], size_t count,
                          struct pack *ret_pack)
{
    struct pack_writer *writer = NULL;
    struct err err = {0};
    cr_assert(pack_begin(NULL, &writer, &err), "%s", err.msg);
    for (size_t i = 0; i < count; i++)
        cr_assert(pack_add(writer, str_of(entries[i][0]), str_of(entries[i][1]), &err), "%s", err.msg);
    cr_assert(pack_finish(writer, ret_pack, &err), "%s", err.msg);
    ret_pack->bytes = str_dup(arena, ret_pack->bytes);
    pack_drop(writer);
    return ret_pack->bytes;
}

static const char *const sample[][2] = {
    {"apps/v1/deployments/web.json", "{\"kind\":\"Deployment\"}"},
    {"core/v1/configmaps/a:b.json", "{}"},
    {"core/v1/configmaps/empty.json", ""},
    {"core/v1/secrets/s.json", "{\"data\":\"\xC3\xA9\"}"},
};

Test(pack, equal_content_gives_equal_bytes_and_comes_back)
{
    struct arena *arena = arena_new();
    struct pack one, two;
    struct seen seen = {.arena = arena};
    struct err err = {0};
    pack_of(arena, sample, COUNT_OF(sample), &one);
    pack_of(arena, sample, COUNT_OF(sample), &two);

    cr_expect(str_eq(one.bytes, two.bytes));
    cr_expect(sha256_eq(&one.sha256, &two.sha256));
    cr_expect(pack_check(one.bytes, &one.sha256, &err), "%s", err.msg);
    cr_expect_eq(one.entries, 4);
    cr_expect_eq(one.raw_bytes, 21 + 2 + 0 + 13);

    cr_assert(pack_read(arena, one.bytes, NULL, see, &seen, &err), "%s", err.msg);
    cr_assert_eq(seen.paths.count, 4);
    for (size_t i = 0; i < 4; i++) {
        cr_expect(str_is(seen.paths.items[i], sample[i][0]));
        cr_expect(str_is(seen.bodies.items[i], sample[i][1]));
    }
    arena_free(arena);
}

Test(pack, an_empty_pack_is_a_pack)
{
    struct arena *arena = arena_new();
    struct pack pack;
    struct seen seen = {.arena = arena};
    struct err err = {0};
    pack_of(arena, NULL, 0, &pack);
    cr_expect(pack_read(arena, pack.bytes, NULL, see, &seen, &err), "%s", err.msg);
    cr_expect_eq(seen.paths.count, 0);
    arena_free(arena);
}

Test(pack, entries_out_of_order_or_twice_are_refused_when_written)
{
    struct pack_writer *writer;
    struct err err = {0};
    cr_assert(pack_begin(NULL, &writer, &err));
    cr_expect(pack_add(writer, STR("core/v1/pods/b.json"), STR("{}"), &err));
    cr_expect_not(pack_add(writer, STR("core/v1/pods/b.json"), STR("{}"), &err));
    cr_expect_not(pack_add(writer, STR("core/v1/pods/a.json"), STR("{}"), &err));
    pack_drop(writer);
}

/* Names of 253 bytes with ':' fit a path, are told apart, and any tar can extract them. */
Test(pack, paths_of_long_and_odd_names)
{
    struct arena *arena = arena_new();
    char long_name[254];
    memset(long_name, 'a', 253);
    long_name[253] = '\0';
    struct str one = pack_path(arena, STR(""), STR("v1"), STR("configmaps"), str_of(long_name));
    long_name[252] = 'b';
    struct str two = pack_path(arena, STR(""), STR("v1"), STR("configmaps"), str_of(long_name));
    cr_expect_not(str_eq(one, two));
    cr_expect_leq(one.len - str_rfind(one, '/') - 1, 255);

    cr_expect(str_is(pack_path(arena, STR("rbac.authorization.k8s.io"), STR("v1"), STR("clusterroles"),
                               STR("system:controller:a")),
                     "rbac.authorization.k8s.io/v1/clusterroles/system:controller:a.json"));
    cr_expect(str_is(pack_path(arena, STR(""), STR("v1"), STR("x"), STR("../../etc/passwd")),
                     "core/v1/x/%2E.%2F..%2Fetc%2Fpasswd.json"));

    struct pack pack;
    struct seen seen = {.arena = arena};
    struct err err = {0};
    const char *const entries[][2] = {{one.ptr, "1"}, {two.ptr, "2"}};
    bool in_order = str_cmp(one, two) < 0;
    const char *const sorted[][2] = {{entries[!in_order][0], "1"}, {entries[in_order][0], "2"}};
    pack_of(arena, sorted, 2, &pack);
    cr_assert(pack_read(arena, pack.bytes, NULL, see, &seen, &err), "%s", err.msg);
    cr_expect(str_is(seen.paths.items[0], sorted[0][0]));
    cr_expect(str_is(seen.paths.items[1], sorted[1][0]));
    arena_free(arena);
}

Test(pack, a_full_spool_is_named)
{
    struct pack_writer *writer;
    struct err err = {0};
    struct rlimit before;
    char *noise = malloc(1 << 20);
    unsigned state = 1;
    for (size_t i = 0; i < 1 << 20; i++)
        noise[i] = (char)((state = state * 1103515245 + 12345) >> 16);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    cr_assert(pack_begin(NULL, &writer, &err), "%s", err.msg);
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){.rlim_cur = 100 * 1000, .rlim_max = before.rlim_max});
    struct pack pack;
    bool done = pack_add(writer, STR("a/b/c/d.json"), (struct str){noise, 1 << 20}, &err) &&
                pack_finish(writer, &pack, &err);
    setrlimit(RLIMIT_FSIZE, &before);
    cr_expect_not(done);
    cr_expect_eq(err.code, ERR_IO, "%s", err.msg);
    cr_expect(strstr(err.msg, "spool") != NULL, "%s", err.msg);
    pack_drop(writer);
    free(noise);

    cr_expect_not(pack_begin("/nonexistent", &writer, &err));
    cr_expect(strstr(err.msg, "/nonexistent") != NULL, "%s", err.msg);
}

/* ---- hostile packs, made with libarchive itself ---- */

struct hostile {
    const char *path;
    unsigned type;
    const char *link;
    const char *says; /* part of the message */
};

static struct str hostile_pack(struct arena *arena, const struct hostile *h, bool zstd)
{
    size_t used = 0, cap = 1 << 20;
    char *out = arena_alloc(arena, cap);
    struct archive *archive = archive_write_new();
    archive_write_set_format_pax(archive);
    if (zstd)
        archive_write_add_filter_zstd(archive);
    archive_write_open_memory(archive, out, cap, &used);
    struct archive_entry *entry = archive_entry_new();
    archive_entry_set_pathname(entry, h->path);
    archive_entry_set_filetype(entry, h->type);
    archive_entry_set_perm(entry, 0600);
    archive_entry_set_size(entry, h->type == AE_IFREG && h->link == NULL ? 2 : 0);
    if (h->type == AE_IFLNK)
        archive_entry_set_symlink(entry, h->link);
    else if (h->link != NULL)
        archive_entry_set_hardlink(entry, h->link);
    cr_assert_eq(archive_write_header(archive, entry), ARCHIVE_OK, "%s", archive_error_string(archive));
    if (h->type == AE_IFREG && h->link == NULL)
        archive_write_data(archive, "{}", 2);
    archive_write_close(archive);
    archive_write_free(archive);
    archive_entry_free(entry);
    return (struct str){out, used};
}

Test(pack, hostile_entries_are_refused_and_named)
{
    static const struct hostile rows[] = {
        {"../../etc/cron.d/x", AE_IFREG, NULL, "cron.d"},
        {"/etc/passwd", AE_IFREG, NULL, "/etc/passwd"},
        {"a/../b", AE_IFREG, NULL, "a/../b"},
        {"a//b", AE_IFREG, NULL, "a//b"},
        {"./a", AE_IFREG, NULL, "./a"},
        {"a/.hidden", AE_IFREG, NULL, ".hidden"},
        {"a\\b", AE_IFREG, NULL, "a\\b"},
        {"a\x1b[2Jb", AE_IFREG, NULL, "a?[2Jb"},
        {"a", AE_IFLNK, "/etc/passwd", "no regular file"},
        {"a", AE_IFREG, "/etc/passwd", "no regular file"},
        {"a", AE_IFDIR, NULL, "no regular file"},
        {"a", AE_IFIFO, NULL, "no regular file"},
        {"a", AE_IFCHR, NULL, "no regular file"},
    };
    struct arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct seen seen = {.arena = arena};
        struct err err = {0};
        cr_expect_not(pack_read(arena, hostile_pack(arena, &rows[i], true), NULL, see, &seen, &err), "%s",
                      rows[i].path);
        cr_expect_eq(err.code, ERR_CORRUPT, "%s: %s", rows[i].path, err.msg);
        cr_expect(strstr(err.msg, rows[i].says) != NULL, "%s: %s", rows[i].path, err.msg);
        cr_expect_eq(seen.paths.count, 0);
    }
    arena_free(arena);
}

Test(pack, only_tar_inside_zstd_is_read)
{
    static const struct hostile good = {"a", AE_IFREG, NULL, ""};
    struct arena *arena = arena_new();
    struct seen seen = {.arena = arena};
    struct err err = {0};
    cr_expect(pack_read(arena, hostile_pack(arena, &good, true), NULL, see, &seen, &err), "%s", err.msg);
    cr_expect_not(pack_read(arena, hostile_pack(arena, &good, false), NULL, see, &seen, &err));
    cr_expect_eq(err.code, ERR_CORRUPT);
    cr_expect_not(pack_read(arena, STR("PK\003\004 a zip of something"), NULL, see, &seen, &err));
    cr_expect_eq(err.code, ERR_CORRUPT);
    cr_expect_not(pack_read(arena, STR(""), NULL, see, &seen, &err));
    cr_expect_eq(err.code, ERR_CORRUPT);
    arena_free(arena);
}

/* 256 MiB of zeros are 20 KiB as zstd. */
Test(pack, a_bomb_is_stopped_early)
{
    struct arena *arena = arena_new();
    struct pack_writer *writer;
    struct pack pack;
    struct seen seen = {.arena = arena};
    struct err err = {0};
    struct str zeros = {calloc(1, 32 << 20), 32 << 20};
    cr_assert(pack_begin(NULL, &writer, &err));
    for (int i = 0; i < 8; i++)
        cr_assert(pack_add(writer, str_fmt(arena, "a/b/c/%d.json", i), zeros, &err), "%s", err.msg);
    cr_assert(pack_finish(writer, &pack, &err));

    cr_expect_not(pack_read(arena, pack.bytes, NULL, see, &seen, &err));
    cr_expect_eq(err.code, ERR_LIMIT, "%s", err.msg);
    cr_expect_leq(seen.paths.count, 2);

    struct pack_limits limits = PACK_DEFAULT_LIMITS;
    limits.max_entry_bytes = 1000;
    cr_expect_not(pack_read(arena, pack.bytes, &limits, see, &seen, &err));
    cr_expect_eq(err.code, ERR_LIMIT, "%s", err.msg);
    cr_expect(strstr(err.msg, "a/b/c/0.json") != NULL, "%s", err.msg);
    pack_drop(writer);
    free((void *)zeros.ptr);
    arena_free(arena);
}

Test(pack, counts_are_bounded)
{
    struct arena *arena = arena_new();
    struct pack pack;
    struct seen seen = {.arena = arena};
    struct err err = {0};
    struct pack_limits limits = PACK_DEFAULT_LIMITS;
    pack_of(arena, sample, COUNT_OF(sample), &pack);
    limits.max_entries = 3;
    cr_expect_not(pack_read(arena, pack.bytes, &limits, see, &seen, &err));
    cr_expect_eq(err.code, ERR_LIMIT, "%s", err.msg);
    limits = PACK_DEFAULT_LIMITS;
    limits.max_bytes = pack.raw_bytes - 1;
    cr_expect_not(pack_read(arena, pack.bytes, &limits, see, &seen, &err));
    cr_expect_eq(err.code, ERR_LIMIT, "%s", err.msg);
    limits.max_bytes = pack.raw_bytes;
    cr_expect(pack_read(arena, pack.bytes, &limits, see, &seen, &err), "%s", err.msg);
    arena_free(arena);
}

/* A pack of some size, for damage. */
static struct str large_pack(struct arena *arena, struct pack *ret_pack)
{
    struct pack_writer *writer;
    struct err err = {0};
    unsigned state = 7;
    cr_assert(pack_begin(NULL, &writer, &err));
    for (int i = 100; i < 200; i++) {
        char body[1024];
        for (size_t k = 0; k < sizeof body; k++)
            body[k] = (char)('a' + (state = state * 1103515245 + 12345) / 65536 % 26);
        cr_assert(pack_add(writer, str_fmt(arena, "core/v1/configmaps/%d.json", i),
                           (struct str){body, sizeof body}, &err));
    }
    cr_assert(pack_finish(writer, ret_pack, &err), "%s", err.msg);
    ret_pack->bytes = str_dup(arena, ret_pack->bytes);
    pack_drop(writer);
    return ret_pack->bytes;
}

Test(pack, one_flipped_bit_never_goes_unseen)
{
    struct arena *arena = arena_new();
    struct pack pack;
    struct err err = {0};
    struct str bytes = large_pack(arena, &pack);
    cr_expect_gt(bytes.len, 50 * 1000);
    for (size_t i = 0; i < bytes.len; i += 97) {
        struct arena *scratch = arena_new();
        struct seen seen = {.arena = scratch};
        ((char *)bytes.ptr)[i] ^= 1 << (i % 8);
        cr_expect_not(pack_check(bytes, &pack.sha256, &err), "byte %zu", i);
        cr_expect_eq(err.code, ERR_CORRUPT);
        /* The reader alone has no checksum; it must only never crash or go beyond its bounds. */
        if (!pack_read(scratch, bytes, NULL, see, &seen, &err))
            cr_expect(err.code == ERR_CORRUPT || err.code == ERR_LIMIT, "byte %zu: %s", i, err.msg);
        ((char *)bytes.ptr)[i] ^= 1 << (i % 8);
        arena_free(scratch);
    }
    cr_expect(pack_check(bytes, &pack.sha256, &err), "%s", err.msg);
    arena_free(arena);
}

Test(pack, a_pack_cut_short_is_corrupt)
{
    struct arena *arena = arena_new();
    struct pack pack;
    struct str bytes = large_pack(arena, &pack);
    for (size_t len = 0; len < bytes.len - 8; len += 1009) {
        struct arena *scratch = arena_new();
        struct seen seen = {.arena = scratch};
        struct err err = {0};
        cr_expect_not(pack_check(str_slice(bytes, 0, len), &pack.sha256, &err));
        cr_expect_not(pack_read(scratch, str_slice(bytes, 0, len), NULL, see, &seen, &err), "%zu bytes", len);
        cr_expect_eq(err.code, ERR_CORRUPT, "%zu bytes: %s", len, err.msg);
        arena_free(scratch);
    }
    arena_free(arena);
}
