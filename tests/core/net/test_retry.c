/* What is worth another attempt, and how long it waits. */
#include <criterion/criterion.h>

#include "core/net/retry.h"

Test(retry, statuses)
{
    static const int worth[] = {408, 425, 429, 500, 502, 503, 504, 599};
    static const int final[] = {200, 204, 301, 304, 400, 401, 403, 404, 409, 410, 412, 422, 501, 505, 600};
    for (size_t i = 0; i < COUNT_OF(worth); i++)
        cr_expect(retry_status(worth[i]), "%d", worth[i]);
    for (size_t i = 0; i < COUNT_OF(final); i++)
        cr_expect_not(retry_status(final[i]), "%d", final[i]);
}

Test(retry, waiting_doubles_up_to_a_bound_and_half_of_it_is_jitter)
{
    static const int64_t bounds[] = {200, 400, 800, 1600, 3200, 6400, 10000, 10000};
    int64_t least = 0;
    for (unsigned i = 0; i < COUNT_OF(bounds); i++) {
        int64_t half = bounds[i] / 2;
        cr_expect_eq(retry_delay_ms(&RETRY_DEFAULT, i + 1, -1, (uint64_t)half), bounds[i], "attempt %u",
                     i + 1);
        cr_expect_eq(retry_delay_ms(&RETRY_DEFAULT, i + 1, -1, (uint64_t)half + 1), half);
        cr_expect_leq(retry_delay_ms(&RETRY_DEFAULT, i + 1, -1, UINT64_MAX), bounds[i]);
        least += i + 1 < RETRY_DEFAULT.attempts ? half : 0;
    }
    cr_expect_geq(least, 10000, "a restart of ten seconds is always sat out");
    cr_expect_leq(retry_delay_ms(&RETRY_DEFAULT, 4000000000u, -1, UINT64_MAX), 10000);
}

Test(retry, the_servers_wish_is_honoured_up_to_a_cap)
{
    cr_expect_eq(retry_delay_ms(&RETRY_DEFAULT, 5, 3000, 0), 3000);
    cr_expect_eq(retry_delay_ms(&RETRY_DEFAULT, 5, 3000, 200), 3200, "with a jitter on top");
    cr_expect_eq(retry_delay_ms(&RETRY_DEFAULT, 1, 86400000, 0), 60000);
    cr_expect_eq(retry_delay_ms(&RETRY_DEFAULT, 1, 0, 0), 0);
}

Test(retry, retry_after_is_read_in_both_spellings)
{
    static const struct {
        const char *value;
        int64_t wants;
    } cases[] = {
        {"0", 0},
        {"120", 120000},
        {" 7 ", 7000},
        {"99999999999999", 1000000000},
        {"Thu, 01 Jan 1970 00:00:30 GMT", 20000},
        {"Thu, 01 Jan 1970 00:00:05 GMT", 0},
        {"", -1},
        {"soon", -1},
        {"-5", -1},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        cr_expect_eq(retry_after_ms(str_of(cases[i].value), 10000), cases[i].wants, "%s", cases[i].value);
}
