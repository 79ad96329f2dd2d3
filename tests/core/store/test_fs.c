/* The folder store beyond the contract: modes, left-overs, full disks, folders that cannot be used. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utime.h>

#include "tests/harness/store_fixture.h"

struct fixture {
    struct arena *arena;
    struct store *store;
    char dir[64];
    struct err err;
};

static struct fixture fixture_new(void)
{
    struct fixture f = {.arena = arena_new()};
    make_temp_dir(f.dir, sizeof f.dir);
    struct config_store config = {.url = str_fmt(f.arena, "file:%s/", f.dir)};
    cr_assert(store_open(f.arena, &config, &f.store, &f.err), "%s", f.err.msg);
    return f;
}

static void fixture_done(struct fixture *f)
{
    store_close(f->store);
    remove_tree(f->dir);
    arena_free(f->arena);
}

static const char *path_in(struct fixture *f, const char *name)
{
    return str_fmt(f->arena, "%s/%s", f->dir, name).ptr;
}

static int files_in(const char *path)
{
    int count = 0;
    DIR *dir = opendir(path);
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;)
        count += entry->d_type == DT_REG;
    if (dir != NULL)
        closedir(dir);
    return count;
}

Test(store_fs, files_are_for_the_owner_only)
{
    struct fixture f = fixture_new();
    struct stat info;
    cr_assert(store_create(f.store, f.arena, STR("packs/k"), STR("x"), NULL, &f.err), "%s", f.err.msg);
    cr_assert_eq(stat(path_in(&f, "packs/k"), &info), 0);
    cr_expect_eq(info.st_mode & 07777, 0600);
    cr_assert_eq(stat(path_in(&f, "packs"), &info), 0);
    cr_expect_eq(info.st_mode & 07777, 0700);
    cr_expect_eq(files_in(path_in(&f, ".tmp")), 0);
    fixture_done(&f);
}

/* A limit on the size of files stops write(2) half way, as a full disk does. */
Test(store_fs, a_write_that_does_not_fit_leaves_nothing)
{
    struct fixture f = fixture_new();
    struct str body = {arena_alloc(f.arena, 1 << 20), 1 << 20};
    struct rlimit before, small;
    struct store_page page;
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    small = (struct rlimit){.rlim_cur = 100 * 1000, .rlim_max = before.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);

    bool written = store_create(f.store, f.arena, STR("packs/k"), body, NULL, &f.err);

    setrlimit(RLIMIT_FSIZE, &before);
    cr_expect_not(written);
    cr_expect_eq(f.err.code, ERR_IO, "%s", f.err.msg);
    cr_expect(strstr(f.err.msg, "File too large") != NULL, "%s", f.err.msg);
    cr_expect_eq(files_in(path_in(&f, ".tmp")), 0);
    cr_assert(store_list(f.store, f.arena, STR_NONE, STR_NONE, 10, &page, &f.err), "%s", f.err.msg);
    cr_expect_eq(page.count, 0);
    cr_expect(store_create(f.store, f.arena, STR("packs/k"), body, NULL, &f.err), "%s", f.err.msg);
    fixture_done(&f);
}

/* doctor asks again and again: the first proof must not make a disk that has filled up since look well. */
Test(store_fs, a_probe_after_the_first_still_writes)
{
    struct fixture f = fixture_new();
    struct rlimit before, none;
    cr_assert(store_probe(f.store, f.arena, &f.err), "%s", f.err.msg);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    none = (struct rlimit){.rlim_cur = 0, .rlim_max = before.rlim_max};
    setrlimit(RLIMIT_FSIZE, &none);

    bool proved = store_probe(f.store, f.arena, &f.err);

    setrlimit(RLIMIT_FSIZE, &before);
    cr_expect_not(proved);
    cr_expect_eq(f.err.code, ERR_IO, "%s", f.err.msg);
    fixture_done(&f);
}

Test(store_fs, what_a_killed_writer_left_is_unseen_and_swept_a_day_later)
{
    struct fixture f = fixture_new();
    struct store_page page;
    mkdir(path_in(&f, ".tmp"), 0700);
    FILE *old = fopen(path_in(&f, ".tmp/old"), "w"), *young = fopen(path_in(&f, ".tmp/young"), "w");
    cr_assert(old != NULL && young != NULL);
    fclose(old);
    fclose(young);
    utime(path_in(&f, ".tmp/old"), &(struct utimbuf){1000, 1000});

    cr_assert(store_list(f.store, f.arena, STR_NONE, STR_NONE, 10, &page, &f.err), "%s", f.err.msg);
    cr_expect_eq(page.count, 0);
    cr_assert(store_put(f.store, f.arena, STR("k"), STR("x"), NULL, &f.err), "%s", f.err.msg);
    cr_expect_eq(access(path_in(&f, ".tmp/old"), F_OK), -1);
    cr_expect_eq(access(path_in(&f, ".tmp/young"), F_OK), 0);
    fixture_done(&f);
}

Test(store_fs, links_are_not_followed)
{
    struct fixture f = fixture_new();
    struct str body;
    struct store_page page;
    cr_assert_eq(symlink("/etc/passwd", path_in(&f, "k")), 0);
    cr_expect_not(store_get(f.store, f.arena, STR("k"), 1 << 20, &body, &f.err));
    cr_assert(store_list(f.store, f.arena, STR_NONE, STR_NONE, 10, &page, &f.err), "%s", f.err.msg);
    cr_expect_eq(page.count, 0);
    fixture_done(&f);
}

Test(store_fs, a_file_in_the_way_is_named)
{
    struct fixture f = fixture_new();
    cr_assert(store_put(f.store, f.arena, STR("a"), STR("x"), NULL, &f.err), "%s", f.err.msg);
    cr_expect_not(store_put(f.store, f.arena, STR("a/b"), STR("x"), NULL, &f.err));
    cr_expect_eq(f.err.code, ERR_IO, "%s", f.err.msg);
    cr_expect(strstr(f.err.msg, "no folder") != NULL, "%s", f.err.msg);
    fixture_done(&f);
}

Test(store_fs, urls)
{
    static const struct {
        const char *url;
        bool good;
    } rows[] = {
        {"file:///var/backups", true},
        {"file:/var/backups", true},
        {"file:./backups", true},
        {"file://host/backups", false},
        {"file:", false},
        {"file://", false},
        {"file:backups", false},
        {"ftp://x", false},
        {"mem:x", false},
        {"", false},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct arena *arena = arena_new();
        struct config_store config = {.url = str_of(rows[i].url)};
        struct store *store = NULL;
        struct err err = {0};
        bool opened = store_open(arena, &config, &store, &err);
        cr_expect_eq(opened, rows[i].good, "%s: %s", rows[i].url, err.msg);
        cr_expect(opened || err.code == ERR_USAGE);
        store_close(store);
        arena_free(arena);
    }
}

Test(store, key_parts_are_safe_and_different)
{
    static const struct {
        const char *text, *part;
    } rows[] = {
        {"prod", "prod"},
        {"system:node", "system:node"},
        {"", "%"},
        {"%", "%25"},
        {".", "%2E"},
        {"..", "%2E."},
        {"a/b c", "a%2Fb%20c"},
        {"arn:aws:eks:eu-1:12:cluster/x", "arn:aws:eks:eu-1:12:cluster%2Fx"},
        {"\xC3\xA9", "%C3%A9"},
    };
    struct arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct str part = store_key_part(arena, str_of(rows[i].text));
        cr_expect(str_is(part, rows[i].part), "%s: %.*s", rows[i].text, STR_ARG(part));
    }
    arena_free(arena);
}
