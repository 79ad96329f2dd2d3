/* score: how fast objects are judged, and how much memory that takes. A cluster lies in a stash, as a backup is read; the
 * peak is that of a child that does nothing else, the stash's own names among it. */
#include <stdio.h>
#include <stdlib.h>

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

static void score_of(const struct parts *parts)
{
    struct work work = {.parts = *parts};
    config_defaults(arena_new(), &work.config);
    score(&work);
}

int main(void)
{
    enum { OBJECTS = 10000 };
    printf("score, from a stash\n");
    corpus_memory_row(1, 200, score_of); /* what it takes before there is much to judge */
    corpus_memory_row(12, 2500, score_of);
    corpus_memory_row(50, 10000, score_of);
    corpus_memory_row(200, 40000, score_of);
    corpus_memory_row(1, OBJECTS, score_of);
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
