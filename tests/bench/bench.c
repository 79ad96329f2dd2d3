#include "tests/bench/bench.h"

#include <stdio.h>
#include <time.h>

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

double bench_best(void (*work)(void *ctx), void *ctx, int times)
{
    double best = 1e9;
    for (int i = 0; i < times; i++) {
        double from = now();
        work(ctx);
        double took = now() - from;
        best = took < best ? took : best;
    }
    return best;
}

void bench_row(const char *what, double amount, const char *unit, double seconds, const char *against,
               double against_seconds)
{
    printf("  %-34s %9.1f %-10s %8.3f s", what, amount / seconds, unit, seconds);
    if (against != NULL)
        printf("   %.2f x %s", seconds / against_seconds, against);
    putchar('\n');
}
