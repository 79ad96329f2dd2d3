/* A large body into a store: a folder, and MinIO where the environment names one (see tests/contract/test_store.c). The
 * floor is a plain write of the same bytes, made durable, with nothing hashed. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "core/store/spool.h"
#include "core/store/store.h"
#include "tests/bench/bench.h"

enum { BODY = 192 << 20 };

struct work {
    struct arena *arena;
    struct store *store;
    struct store_content content;
    char dir[64];
};

static _Noreturn void give_up(const struct err *err)
{
    fprintf(stderr, "%s\n", err->msg);
    abort();
}

static void floor_copy(void *ctx)
{
    const struct work *work = ctx;
    char path[128];
    snprintf(path, sizeof path, "%s/copy", work->dir);
    int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);
    struct str rest = work->content.body;
    while (fd >= 0 && rest.len != 0) {
        ssize_t n = write(fd, rest.ptr, rest.len);
        if (n < 0)
            abort();
        rest = str_from(rest, (size_t)n);
    }
    if (fd < 0 || fsync(fd) != 0)
        abort();
    close(fd);
    unlink(path);
}

static void send(void *ctx)
{
    struct work *work = ctx;
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct store_info info;
    enum store_held held;
    struct err err = {0};
    if (!store_delete(work->store, work->content.key, &err) ||
        !store_ensure(work->store, arena, &work->content, false, &info, &held, &err))
        give_up(&err);
}

static void fetch(void *ctx)
{
    struct work *work = ctx;
    struct spool *spool = NULL;
    struct str bytes;
    struct err err = {0};
    if (!store_fetch(work->store, work->content.key, work->content.body.len, &work->content.sha256, NULL,
                     &spool, &bytes, &err))
        give_up(&err);
    spool_drop(spool);
}

static void measure(struct work *work, const char *what, const struct config_store *config, double copied)
{
    char row[64];
    struct err err = {0};
    if (!store_open(work->arena, config, &work->store, &err))
        give_up(&err);
    snprintf(row, sizeof row, "send 192 MiB to %s", what);
    bench_row(row, BODY / 1e6, "MB/s", bench_best(send, work, 3), "a plain copy", copied);
    snprintf(row, sizeof row, "fetch 192 MiB from %s", what);
    bench_row(row, BODY / 1e6, "MB/s", bench_best(fetch, work, 3), "a plain copy", copied);
    store_delete(work->store, work->content.key, &err) ? (void)0 : give_up(&err);
    store_close(work->store);
}

int main(void)
{
    struct work work = {.arena = arena_new(), .dir = "/tmp/bench-store-XXXXXX"};
    const char *endpoint = getenv("GITOPS_PIPE_TEST_S3");
    char *body = arena_alloc(work.arena, BODY);
    if (mkdtemp(work.dir) == NULL)
        abort();
    for (size_t i = 0; i < BODY; i += 256)
        if (getrandom(body + i, 256, 0) != 256)
            abort();
    work.content.body = (struct str){body, BODY};
    work.content.key = STR("packs/bench");
    work.content.sha256 = sha256_of(work.content.body);
    double copied = bench_best(floor_copy, &work, 3);
    struct config_store folder = {.url = str_fmt(work.arena, "file://%s/store", work.dir)};
    measure(&work, "a folder", &folder, copied);
    if (endpoint != NULL) {
        struct config_store bucket = {
            .url = STR("s3://gitops-pipe-test/bench"), .endpoint = str_of(endpoint), .path_style = true};
        measure(&work, "MinIO", &bucket, copied);
    }
    arena_free(work.arena);
    return 0;
}
