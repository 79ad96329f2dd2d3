#include "tests/harness/store_fixture.h"

#include <criterion/criterion.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

void make_temp_dir(char *ret_dir, size_t cap)
{
    const char *tmp = getenv("TMPDIR");
    snprintf(ret_dir, cap, "%s/gitops-pipe-test.XXXXXX",
             tmp != NULL && strlen(tmp) < cap - 32 ? tmp : "/tmp");
    cr_assert(mkdtemp(ret_dir) != NULL, "%s", ret_dir);
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *where)
{
    return remove(path);
}

void remove_tree(const char *dir)
{
    nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static bool open_mem(struct store_fixture *f)
{
    f->config.url = STR("mem:");
    return true;
}

static bool open_fs(struct store_fixture *f)
{
    make_temp_dir(f->dir, sizeof f->dir);
    f->config.url = str_fmt(f->arena, "file://%s/new/store", f->dir);
    return true;
}

/* A prefix of its own in a bucket that exists. */
static bool open_bucket(struct store_fixture *f, const char *scheme, const char *gap)
{
    const char *endpoint = getenv("GITOPS_PIPE_TEST_S3");
    uint64_t random = 0;
    if (endpoint == NULL)
        return false;
    cr_assert(getrandom(&random, sizeof random, 0) == sizeof random);
    f->config.url =
        str_fmt(f->arena, "%s://gitops-pipe-test/t%s%016llx", scheme, gap, (unsigned long long)random);
    f->config.endpoint = str_of(endpoint);
    f->config.path_style = true;
    return true;
}

/* A folder is the second of two stores that are one. */
static bool open_mirror(struct store_fixture *f)
{
    f->mirrored = true;
    return open_fs(f);
}

static bool open_s3(struct store_fixture *f)
{
    return open_bucket(f, "s3", " ");
}

static bool open_s3v2(struct store_fixture *f)
{
    return open_bucket(f, "s3v2", "-");
}

static const struct row {
    const char *name;
    bool (*configure)(struct store_fixture *); /* false: not to be had here */
} rows[] = {
    {"mem", open_mem}, {"fs", open_fs}, {"s3", open_s3}, {"s3v2", open_s3v2}, {"mirror", open_mirror},
};

/* A bucket outlives the test; what the test put there does not. */
static void empty_bucket(struct store_fixture *f)
{
    struct store_page page = {0};
    struct err err = {0};
    if (!store_list(f->store, f->arena, STR_NONE, STR_NONE, 1000, &page, &err))
        return;
    for (size_t i = 0; i < page.count; i++)
        cr_expect(store_delete(f->store, page.items[i].key, &err), "%s", err.msg);
}

static void close_current(struct store_fixture *f)
{
    if (f->store != NULL && f->config.endpoint.len != 0)
        empty_bucket(f);
    store_close(f->store);
    arena_free(f->arena);
    if (f->dir[0] != '\0')
        remove_tree(f->dir);
    *f = (struct store_fixture){.index = f->index};
}

bool store_fixture_next(struct store_fixture *f)
{
    close_current(f);
    while (f->index < (int)COUNT_OF(rows)) {
        const struct row *row = &rows[f->index++];
        struct err err = {0};
        f->arena = arena_new();
        if (row->configure(f)) {
            f->name = row->name;
            struct config_store items[] = {{.name = STR("first"), .url = STR("mem:")}, f->config};
            struct config_stores stores = {.items = f->mirrored ? items : &f->config,
                                           .count = f->mirrored ? 2 : 1};
            cr_assert(store_open_all(f->arena, &stores, &f->store, &err), "%s: %s", row->name, err.msg);
            return true;
        }
        arena_free(f->arena);
        f->arena = NULL;
    }
    return false;
}
