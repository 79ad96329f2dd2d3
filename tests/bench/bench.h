/* bench.h — timing one function against another in the same run. */
#pragma once
#include "core/base/clock.h"

/* Best seconds of `times` calls: the best is what the machine can do, the rest is its other work. */
double bench_best(void (*work)(void *ctx), void *ctx, int times);
/* One row of the table: what, amount per second in `unit`, and the ratio to a floor or peer (0: none). */
void bench_row(const char *what, double amount, const char *unit, double seconds, const char *against,
               double against_seconds);
