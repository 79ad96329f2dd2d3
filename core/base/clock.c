#include "core/base/clock.h"

#include <errno.h>
#include <time.h>

int64_t clock_now_ms(const struct clock *clock)
{
    if (clock != NULL && clock->fixed_ms != 0)
        return clock->fixed_ms;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_monotonic_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct str clock_rfc3339(struct arena *arena, int64_t unix_ms)
{
    int64_t seconds = unix_ms / 1000 - (unix_ms % 1000 < 0);
    time_t at = (time_t)seconds;
    struct tm utc;
    gmtime_r(&at, &utc); /* every 64-bit number of milliseconds is a date that fits */
    return str_fmt(arena, "%04d-%02d-%02dT%02d:%02d:%02dZ", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday,
                   utc.tm_hour, utc.tm_min, utc.tm_sec);
}

/* Takes `digits` digits and then the character `after` (0: nothing) off the front of the text. */
static bool take(struct str *text, size_t digits, char after, int *ret_number)
{
    uint64_t number;
    if (text->len < digits + (after != 0) || !str_to_u64(str_slice(*text, 0, digits), &number))
        return false;
    if (after != 0 && text->ptr[digits] != after)
        return false;
    *text = str_from(*text, digits + (after != 0));
    *ret_number = (int)number;
    return true;
}

static bool take_fraction(struct str *text, int *ret_ms)
{
    int scale = 100;
    *ret_ms = 0;
    if (!str_starts(*text, STR(".")))
        return true;
    size_t i = 1;
    for (; i < text->len && text->ptr[i] >= '0' && text->ptr[i] <= '9'; i++, scale /= 10)
        *ret_ms += scale * (text->ptr[i] - '0');
    *text = str_from(*text, i);
    return i > 1;
}

static bool take_offset(struct str text, int *ret_minutes)
{
    int hours, minutes;
    if (str_eq_nocase(text, STR("Z"))) {
        *ret_minutes = 0;
        return true;
    }
    if (text.len != 6 || (text.ptr[0] != '+' && text.ptr[0] != '-'))
        return false;
    int sign = text.ptr[0] == '-' ? -1 : 1;
    text = str_from(text, 1);
    if (!take(&text, 2, ':', &hours) || !take(&text, 2, 0, &minutes) || hours > 23 || minutes > 59)
        return false;
    *ret_minutes = sign * (hours * 60 + minutes);
    return true;
}

static int days_in(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

bool clock_parse_rfc3339(struct str text, int64_t *ret_unix_ms)
{
    struct tm utc = {0};
    int year, month, ms, offset;
    if (!take(&text, 4, '-', &year) || !take(&text, 2, '-', &month) || !take(&text, 2, 0, &utc.tm_mday))
        return false;
    if (text.len == 0 || (text.ptr[0] != 'T' && text.ptr[0] != 't' && text.ptr[0] != ' '))
        return false;
    text = str_from(text, 1);
    if (!take(&text, 2, ':', &utc.tm_hour) || !take(&text, 2, ':', &utc.tm_min) ||
        !take(&text, 2, 0, &utc.tm_sec) || !take_fraction(&text, &ms) || !take_offset(text, &offset))
        return false;
    if (month < 1 || month > 12 || utc.tm_mday < 1 || utc.tm_mday > days_in(year, month) ||
        utc.tm_hour > 23 || utc.tm_min > 59 || utc.tm_sec > 60)
        return false;
    utc.tm_year = year - 1900;
    utc.tm_mon = month - 1;
    *ret_unix_ms = ((int64_t)timegm(&utc) - (int64_t)offset * 60) * 1000 + ms;
    return true;
}

void clock_sleep_ms(int64_t ms)
{
    struct timespec left = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};
    while (ms > 0 && nanosleep(&left, &left) != 0 && errno == EINTR)
        continue;
}
