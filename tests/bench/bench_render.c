/* Writing a repository and rendering one overlay of it, at three sizes: time must grow as the objects do. The peer is
 * `kustomize build` of the same folder, where $KUSTOMIZE names one or PATH has it. */
#include <ftw.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/config/config.h"
#include "core/kustomize/kustomize.h"
#include "overlays/overlays.h"
#include "tests/bench/bench.h"
#include "tests/bench/corpus.h"

extern char **environ;

struct work {
    struct arena *arena;
    struct config config;
    struct bundle bundle;
    struct run run;
    char dir[64];
    const char *kustomize;
};

static void fill(struct work *work, size_t objects)
{
    *work = (struct work){.arena = arena_new(), .kustomize = getenv("KUSTOMIZE")};
    config_defaults(work->arena, &work->config);
    bundle_init(&work->bundle, work->arena);
    corpus_fill(&work->bundle, objects / 100, objects);
    bundle_sort(&work->bundle);
    if (work->kustomize == NULL)
        work->kustomize = "kustomize";
}

static void write_tree(void *ctx)
{
    struct work *work = ctx;
    struct err err;
    work->run = (struct run){.arena = work->arena, .config = &work->config};
    if (!overlays_stage(&work->run, &work->bundle, &err))
        abort();
}

static void render(void *ctx)
{
    struct work *work = ctx;
    struct arena *arena = arena_new();
    struct bundle rendered;
    struct buf out;
    struct err err;
    buf_init(&out, (size_t)1 << 30);
    if (!kustomize_build(arena, &work->run.files, STR("overlays/prod"), &rendered, &err))
        fprintf(stderr, "%s\n", err.msg), abort();
    kustomize_write(&out, &rendered);
    buf_done(&out);
    arena_free(arena);
}

static int run_kustomize(const struct work *work, const char *what)
{
    posix_spawn_file_actions_t actions;
    pid_t child;
    int status = 1;
    const char *arguments[] = {work->kustomize, what, strcmp(what, "build") == 0 ? "overlays/prod" : NULL,
                               NULL};
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", 1, 0);
    if (work->dir[0] != '\0')
        posix_spawn_file_actions_addchdir_np(&actions, work->dir);
    if (posix_spawnp(&child, work->kustomize, &actions, NULL, (char *const *)arguments, environ) == 0)
        waitpid(child, &status, 0);
    posix_spawn_file_actions_destroy(&actions);
    return status;
}

static void peer(void *ctx)
{
    if (run_kustomize(ctx, "build") != 0)
        abort();
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *where)
{
    return remove(path);
}

/* The tree on disk, for kustomize. */
static void write_to_disk(struct work *work)
{
    struct err err;
    snprintf(work->dir, sizeof work->dir, "/tmp/bench-render-XXXXXX");
    if (mkdtemp(work->dir) == NULL || !files_write(&work->run.files, work->dir, &err))
        abort();
}

static void measure(size_t objects)
{
    struct work work;
    char what[64];
    fill(&work, objects);
    double count = (double)work.bundle.count, wrote = bench_best(write_tree, &work, 3);
    double rendered = bench_best(render, &work, 3);
    snprintf(what, sizeof what, "write 3 environments of %zu", work.bundle.count);
    bench_row(what, count, "objects/s", wrote, NULL, 0);
    snprintf(what, sizeof what, "render prod of %zu", work.bundle.count);
    if (run_kustomize(&work, "version") != 0) {
        bench_row(what, count, "objects/s", rendered, NULL, 0);
    } else {
        write_to_disk(&work);
        bench_row(what, count, "objects/s", rendered, "kustomize", bench_best(peer, &work, 1));
        nftw(work.dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    }
    arena_free(work.arena);
}

int main(void)
{
    measure(1000);
    measure(2000);
    measure(4000);
    return 0;
}
