/* convert: how much JSON a core turns into a repository, and how much memory that takes. The cluster lies in a stash, as a
 * backup is read; files are made and forgotten, so what the file system takes is left out. Seconds are those of the
 * processor, so that other work of the machine does not count. Memory is the peak of a child that does nothing else. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/config/config.h"
#include "overlays/overlays.h"
#include "tests/bench/bench.h"
#include "tests/bench/corpus.h"
#include "transform/transform.h"
#include "transform/verify.h"

struct work {
    struct config config;
    struct parts live;
};

static void need(bool ok, const struct err *err)
{
    if (ok)
        return;
    fprintf(stderr, "bench_convert: %s\n", err->msg);
    exit(1);
}

static double processor_seconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void settings_of(struct arena *arena, struct work *work)
{
    config_defaults(arena, &work->config);
    work->config.secrets.mode = SECRETS_OMIT;
    work->config.cluster_name = STR("bench");
}

enum stage { TRANSFORM, OVERLAYS, STAGES };

/* The best of several rounds, stage by stage. */
static void measure(const struct work *work, double *best)
{
    struct arena *arena = arena_new();
    struct run run = {.arena = arena, .config = &work->config};
    struct declared declared;
    struct transform_log log;
    struct err err;
    double at[STAGES + 1];
    at[TRANSFORM] = processor_seconds();
    need(transform_declare(&run, &work->live, NULL, NULL, NULL, &declared, &log, &err), &err);
    at[OVERLAYS] = processor_seconds();
    need(overlays_write(&run, &declared, files_out_none(arena), &err), &err);
    at[STAGES] = processor_seconds();
    for (int stage = 0; stage < STAGES; stage++)
        if (at[stage + 1] - at[stage] < best[stage])
            best[stage] = at[stage + 1] - at[stage];
    declared_close(&declared);
    arena_free(arena);
}

/* What --verify costs for the base beside that: the rules once more, with a log, and its replay. */
static void measure_verify(const struct work *work, double *best)
{
    struct arena *arena = arena_new(), *part = arena_new();
    struct run run = {.arena = arena, .config = &work->config};
    struct transform *transform;
    struct verification verification;
    struct err err;
    verification_init(arena, &verification);
    double start = processor_seconds();
    need(transform_open(&run, &work->live, true, &transform, &err), &err);
    for (size_t i = 0; i < work->live.count; i++) {
        struct bundle declared, secrets;
        arena_reset(part);
        need(transform_part(transform, i, part, &declared, &secrets, &err), &err);
        transform_verify(arena, transform_log_of(transform), &declared, &verification);
    }
    double seconds = processor_seconds() - start;
    *best = seconds < *best ? seconds : *best;
    arena_free(part);
    arena_free(arena);
}

static void convert_of(const struct parts *parts)
{
    struct work work = {.live = *parts};
    double best[STAGES] = {1e9, 1e9};
    settings_of(arena_new(), &work);
    measure(&work, best);
}

int main(void)
{
    printf("convert, from a stash to files that are forgotten\n");
    corpus_memory_row(1, 200, convert_of); /* what it takes before there is much to convert */
    corpus_memory_row(12, 2500, convert_of);
    corpus_memory_row(50, 10000, convert_of);
    corpus_memory_row(200, 40000, convert_of);
    corpus_memory_row(1, 10000, convert_of);
    struct work work = {.live = {.about = NULL}};
    struct arena *arena = arena_new();
    double best[STAGES] = {1e9, 1e9}, verify = 1e9, mb = 0;
    struct stash *stash = corpus_stash(arena, 50, 10000);
    settings_of(arena, &work);
    parts_of_stash(arena, stash, &work.live);
    for (size_t i = 0; i < stash_part_count(stash); i++)
        mb += (double)stash_part(stash, i).bytes / 1e6;
    for (int round = 0; round < 5; round++)
        measure(&work, best);
    for (int round = 0; round < 5; round++)
        measure_verify(&work, &verify);
    printf("convert: 10000 objects, %.1f MB of JSON, one core\n", mb);
    bench_row("transform, from disk to disk", mb, "MB/s", best[TRANSFORM], NULL, 0);
    bench_row("overlays, three environments", mb, "MB/s", best[OVERLAYS], NULL, 0);
    bench_row("both", mb, "MB/s", best[TRANSFORM] + best[OVERLAYS], NULL, 0);
    bench_row("rules again, and replay (--verify)", mb, "MB/s", verify, NULL, 0);
    stash_close(stash);
    arena_free(arena);
    return 0;
}
