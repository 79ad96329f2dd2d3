/* convert: how much JSON a core turns into a repository, and how much memory that takes. Seconds are those of the
 * processor, so that other work of the machine does not count. Memory is the peak of a child that does nothing else. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/base/json.h"
#include "core/config/config.h"
#include "overlays/overlays.h"
#include "tests/bench/bench.h"
#include "tests/bench/corpus.h"
#include "transform/transform.h"
#include "transform/verify.h"

struct work {
    struct config config;
    struct bundle live;
    struct str json;
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

enum stage { TRANSFORM, OVERLAYS, STAGES };

/* The best of several rounds, stage by stage. */
static void measure(const struct work *work, double *best)
{
    struct arena *arena = arena_new();
    struct run run = {.arena = arena, .config = &work->config};
    struct bundle bundle = work->live;
    struct err err;
    double at[STAGES + 1];
    bundle.arena = arena;
    at[TRANSFORM] = processor_seconds();
    need(transform_stage(&run, &bundle, &err), &err);
    at[OVERLAYS] = processor_seconds();
    need(overlays_stage(&run, &bundle, &err), &err);
    at[STAGES] = processor_seconds();
    for (int stage = 0; stage < STAGES; stage++)
        if (at[stage + 1] - at[stage] < best[stage])
            best[stage] = at[stage + 1] - at[stage];
    arena_free(arena);
}

/* What --verify costs beside that: the log with every entry, and its replay. */
static void measure_verify(const struct work *work, double *best)
{
    struct arena *arena = arena_new();
    struct run run = {.arena = arena, .config = &work->config};
    struct bundle bundle = work->live;
    struct transform_log log;
    struct verification verification;
    struct err err;
    bundle.arena = arena;
    need(transform_run(&run, &bundle, &log, &err), &err);
    double start = processor_seconds();
    verification_init(arena, &verification);
    transform_verify(arena, &log, &bundle, &verification);
    double seconds = processor_seconds() - start;
    *best = seconds < *best ? seconds : *best;
    arena_free(arena);
}

/* In a child, from a bundle in memory to the repository in memory. */
static double peak_megabytes(size_t namespaces, size_t objects)
{
    pid_t child = fork();
    if (child == 0) {
        struct work work = {0};
        double best[STAGES] = {1e9, 1e9};
        struct arena *arena = arena_new();
        config_defaults(arena, &work.config);
        work.config.secrets.mode = SECRETS_OMIT;
        bundle_init(&work.live, arena);
        corpus_fill(&work.live, namespaces, objects);
        work.live.cluster = STR("bench");
        measure(&work, best);
        _exit(0);
    }
    int status;
    struct rusage usage;
    if (child < 0 || wait4(child, &status, 0, &usage) != child || status != 0)
        return 0;
    return (double)usage.ru_maxrss / 1024;
}

static void memory_row(size_t namespaces, size_t objects)
{
    double peak = peak_megabytes(namespaces, objects); /* first: a child begins with what its parent holds */
    struct arena *arena = arena_new();
    double json = (double)corpus_json(arena, namespaces, objects).len / 1e6;
    arena_free(arena);
    printf("  %6zu objects in %3zu namespaces, %5.1f MB of JSON, largest namespace %5.1f MB: peak %6.1f MiB, "
           "%.1f x the JSON\n",
           objects, namespaces, json, json / (double)namespaces, peak, peak / json);
}

int main(void)
{
    printf("convert, from live objects in memory to files in memory\n");
    memory_row(50, 2500);
    memory_row(50, 10000);
    memory_row(1, 10000);
    struct work work = {0};
    struct arena *arena = arena_new();
    double best[STAGES] = {1e9, 1e9}, verify = 1e9;
    config_defaults(arena, &work.config);
    work.config.secrets.mode = SECRETS_OMIT;
    bundle_init(&work.live, arena);
    corpus_fill(&work.live, 50, 10000);
    work.live.cluster = STR("bench");
    work.json = corpus_json(arena, 50, 10000);
    double mb = (double)work.json.len / 1e6;
    for (int round = 0; round < 5; round++)
        measure(&work, best);
    for (int round = 0; round < 5; round++)
        measure_verify(&work, &verify);
    printf("convert: 10000 objects, %.1f MB of JSON, one core\n", mb);
    bench_row("transform", mb, "MB/s", best[TRANSFORM], NULL, 0);
    bench_row("overlays, three environments", mb, "MB/s", best[OVERLAYS], NULL, 0);
    bench_row("both", mb, "MB/s", best[TRANSFORM] + best[OVERLAYS], NULL, 0);
    bench_row("replay of the log (--verify)", mb, "MB/s", verify, NULL, 0);
    arena_free(arena);
    return 0;
}
