/* clock.h — time, handed in so that tests can hold it still. */
#pragma once
#include "core/base/base.h"

struct clock {
    int64_t fixed_ms; /* Unix time in milliseconds; 0 asks the system */
};

int64_t clock_now_ms(const struct clock *clock); /* Unix time; NULL asks the system */
int64_t clock_monotonic_ms(void);                /* for durations */
/* RFC 3339 in UTC with seconds, "2026-11-21T02:00:00Z". */
struct str clock_rfc3339(struct arena *arena, int64_t unix_ms);
/* Reads RFC 3339 (also with fractions and offsets); false when it is none. */
bool clock_parse_rfc3339(struct str text, int64_t *ret_unix_ms);
void clock_sleep_ms(int64_t ms);
