/* The stages over a cluster's worth of objects: pack, load, score, convert, publish. */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backupd/backup.h"
#include "backupd/load.h"
#include "core/base/json.h"
#include "core/config/config.h"
#include "core/git/repo.h"
#include "core/store/store.h"
#include "overlays/overlays.h"
#include "overlays/publish.h"
#include "quality/score.h"
#include "tests/bench/bench.h"
#include "tests/bench/corpus.h"
#include "transform/transform.h"

enum { OBJECTS = 10000, NAMESPACES = 50 };

struct work {
    struct arena *arena;
    struct config config;
    struct clock clock;
    struct bundle live;
    struct run run;
    char dir[64];
    double mb;
    unsigned times;
};

static void need(bool ok, const struct err *err)
{
    if (ok)
        return;
    fprintf(stderr, "bench_stages: %s\n", err->msg);
    exit(1);
}

static struct run fresh_run(struct work *work)
{
    return (struct run){
        .arena = work->arena, .config = &work->config, .clock = &work->clock, .store = work->run.store};
}

/* A new store every time, so that nothing is there already. */
static void pack_all(void *ctx)
{
    struct work *work = ctx;
    struct err err;
    struct config_store where = {.url = str_fmt(work->arena, "file://%s/store-%u", work->dir, work->times++)};
    need(store_open(work->arena, &where, &work->run.store, &err), &err);
    struct run run = fresh_run(work);
    struct bundle bundle = work->live;
    need(backup_stage(&run, &bundle, &err), &err);
}

static void pack_again(void *ctx)
{
    struct work *work = ctx;
    struct err err;
    struct run run = fresh_run(work);
    struct bundle bundle = work->live;
    need(backup_stage(&run, &bundle, &err), &err);
}

static void load(void *ctx)
{
    struct work *work = ctx;
    struct err err;
    struct arena *arena = arena_new();
    struct run run = fresh_run(work);
    struct bundle bundle;
    run.arena = arena;
    need(backup_load(&run, work->config.cluster_name, STR("latest"), &bundle, &err), &err);
    arena_free(arena);
}

static void score(void *ctx)
{
    struct work *work = ctx;
    struct err err;
    struct run run = fresh_run(work);
    need(score_stage(&run, &work->live, &err), &err);
}

static void convert(void *ctx)
{
    struct work *work = ctx;
    struct err err;
    struct run run = fresh_run(work);
    struct bundle bundle = work->live;
    need(transform_stage(&run, &bundle, &err), &err);
}

static void whole_convert(void *ctx)
{
    struct work *work = ctx;
    struct err err;
    struct bundle bundle = work->live;
    work->run.sections = (struct value_map_builder){0};
    need(transform_stage(&work->run, &bundle, &err) && overlays_stage(&work->run, &bundle, &err), &err);
}

/* A new bare repository every time: every file is new. */
static void publish(void *ctx)
{
    struct work *work = ctx;
    struct err err;
    char command_dir[128];
    snprintf(command_dir, sizeof command_dir, "%s/repo-%u.git", work->dir, work->times++);
    work->config.git_url = str_dup(work->arena, str_of(command_dir));
    need(repo_create(command_dir, STR("main"), &err), &err);
    need(publish_stage(&work->run, &work->live, &err), &err);
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *ftw)
{
    return remove(path);
}

int main(void)
{
    struct work work = {.arena = arena_new(), .dir = "/tmp/bench-stages-XXXXXX"};
    config_defaults(work.arena, &work.config);
    work.config.cluster_name = STR("bench");
    work.config.secrets.mode = SECRETS_OMIT;
    bundle_init(&work.live, work.arena);
    corpus_fill(&work.live, NAMESPACES, OBJECTS);
    work.live.cluster = work.config.cluster_name;
    work.live.complete = true;
    work.live.taken_ms = clock_now_ms(NULL);
    work.mb = (double)corpus_json(work.arena, NAMESPACES, OBJECTS).len / 1e6;
    work.run = fresh_run(&work);
    if (mkdtemp(work.dir) == NULL)
        return 1;
    printf("stages: %d objects in %d namespaces, %.1f MB of JSON\n", OBJECTS, NAMESPACES, work.mb);
    bench_row("backup into a folder", work.mb, "MB/s", bench_best(pack_all, &work, 3), NULL, 0);
    bench_row("the same again, nothing new", work.mb, "MB/s", bench_best(pack_again, &work, 3), NULL, 0);
    bench_row("load and prove hashes", work.mb, "MB/s", bench_best(load, &work, 3), NULL, 0);
    bench_row("score, every check", OBJECTS, "objects/s", bench_best(score, &work, 3), NULL, 0);
    bench_row("transform", work.mb, "MB/s", bench_best(convert, &work, 3), NULL, 0);
    bench_row("transform and write the repository", work.mb, "MB/s", bench_best(whole_convert, &work, 3),
              NULL, 0);
    bench_row("publish, every file new", (double)work.run.files.count, "files/s",
              bench_best(publish, &work, 3), NULL, 0);
    nftw(work.dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    arena_free(work.arena);
    return 0;
}
