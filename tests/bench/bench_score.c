/* score: how fast objects are judged, and how much memory that takes. A cluster lies in a stash, as a backup is read; the
 * peak is that of a child that does nothing else, the stash's own names among it. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/config/config.h"
#include "quality/score.h"
#include "tests/bench/bench.h"
#include "tests/bench/corpus.h"

struct work {
    struct config config;
    struct parts parts;
};

static void score(void *ctx)
{
    struct work *work = ctx;
    struct arena *arena = arena_new();
    struct run run = {.arena = arena, .config = &work->config};
    struct err err;
    if (!score_parts(&run, &work->parts, &err)) {
        fprintf(stderr, "bench_score: %s\n", err.msg);
        exit(1);
    }
    arena_free(arena);
}

static struct stash *open_work(struct arena *arena, struct work *work, size_t namespaces, size_t objects)
{
    struct stash *stash = corpus_stash(arena, namespaces, objects);
    config_defaults(arena, &work->config);
    parts_of_stash(arena, stash, &work->parts);
    return stash;
}

static double peak_megabytes(size_t namespaces, size_t objects)
{
    pid_t child = fork();
    if (child == 0) {
        struct work work = {.parts = {.about = NULL}};
        open_work(arena_new(), &work, namespaces, objects);
        score(&work);
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
    struct stash *stash = corpus_stash(arena, namespaces, objects);
    double json = 0, largest = 0;
    for (size_t i = 0; i < stash_part_count(stash); i++) {
        double part = (double)stash_part(stash, i).bytes / 1e6;
        json += part;
        largest = part > largest ? part : largest;
    }
    printf(
        "  %6zu objects in %4zu namespaces, %6.1f MB of JSON, largest namespace %5.1f MB: peak %6.1f MiB\n",
        objects, namespaces, json, largest, peak);
    stash_close(stash);
    arena_free(arena);
}

int main(void)
{
    enum { OBJECTS = 10000 };
    printf("score, from a stash\n");
    memory_row(1, 200); /* what it takes before there is much to judge */
    memory_row(12, 2500);
    memory_row(50, 10000);
    memory_row(200, 40000);
    memory_row(1, OBJECTS);
    for (size_t namespaces = 1; namespaces <= 50; namespaces += 49) {
        struct work work = {.parts = {.about = NULL}};
        struct arena *arena = arena_new();
        struct stash *stash = open_work(arena, &work, namespaces, OBJECTS);
        char what[64];
        snprintf(what, sizeof what, "%d objects in %zu namespace%s", OBJECTS, namespaces,
                 namespaces > 1 ? "s" : "");
        bench_row(what, OBJECTS, "objects/s", bench_best(score, &work, 3), NULL, 0);
        stash_close(stash);
        arena_free(arena);
    }
    return 0;
}
