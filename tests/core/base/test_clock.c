#include "core/base/clock.h"

#include <criterion/criterion.h>

Test(clock, rfc3339_both_ways)
{
    static const struct {
        const char *text;
        int64_t ms;
        const char *canonical;
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00Z"},
        {"2026-11-21T02:00:00Z", 1795226400000, "2026-11-21T02:00:00Z"},
        {"2026-11-21t02:00:00z", 1795226400000, "2026-11-21T02:00:00Z"},
        {"2026-11-21T03:30:00+01:30", 1795226400000, "2026-11-21T02:00:00Z"},
        {"2026-11-20T21:00:00-05:00", 1795226400000, "2026-11-21T02:00:00Z"},
        {"2026-11-21T02:00:00.25Z", 1795226400250, "2026-11-21T02:00:00Z"},
        {"2026-11-21T02:00:00.123456789Z", 1795226400123, "2026-11-21T02:00:00Z"},
        {"2024-02-29T00:00:00Z", 1709164800000, "2024-02-29T00:00:00Z"},
        {"1969-12-31T23:59:59.5Z", -500, "1969-12-31T23:59:59Z"},
    };
    struct arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t ms = -1;
        cr_expect(clock_parse_rfc3339(str_of(cases[i].text), &ms), "%s", cases[i].text);
        cr_expect_eq(ms, cases[i].ms, "%s: %lld", cases[i].text, (long long)ms);
        cr_expect(str_is(clock_rfc3339(arena, ms), cases[i].canonical), "%s", cases[i].text);
    }
    arena_free(arena);
}

Test(clock, what_is_no_time_is_refused)
{
    static const char *const texts[] = {
        "",
        "2026",
        "2026-11-21",
        "2026-11-21T",
        "2026-11-21T02:00:00",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "2100-02-29T00:00:00Z",
        "2026-04-31T00:00:00Z",
        "2026-11-00T00:00:00Z",
        "2026-11-21T24:00:00Z",
        "2026-11-21T00:60:00Z",
        "2026-11-21T00:00:61Z",
        "2026-11-21T00:00:00.Z",
        "2026-11-21T00:00:00+1:00",
        "2026-11-21T00:00:00+24:00",
        "2026-11-21T00:00:00+00:60",
        "2026-11-21T00:00:00Zx",
        "2026/11/21T00:00:00Z",
        "2026-11-21X00:00:00Z",
        "26-11-21T00:00:00Z",
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        int64_t ms = 42;
        cr_expect_not(clock_parse_rfc3339(str_of(texts[i]), &ms), "%s", texts[i]);
        cr_expect_eq(ms, 42);
    }
}

Test(clock, can_be_held_still)
{
    struct clock fixed = {12345}, system = {0};
    cr_expect_eq(clock_now_ms(&fixed), 12345);
    cr_expect_gt(clock_now_ms(&system), 1700000000000);
    cr_expect_gt(clock_now_ms(NULL), 1700000000000);
    int64_t before = clock_monotonic_ms();
    clock_sleep_ms(20);
    cr_expect_geq(clock_monotonic_ms() - before, 20);
    clock_sleep_ms(0);
    clock_sleep_ms(-5);
    struct arena *arena = arena_new();
    cr_expect(str_is(clock_rfc3339(arena, INT64_MAX), "292278994-08-17T07:12:55Z"));
    arena_free(arena);
}
