#include "quality/report/words.h"

struct str words_duration(struct arena *arena, int64_t ms)
{
    int64_t s = ms / 1000;
    if (ms < 1000)
        return str_fmt(arena, "%lld ms", (long long)ms);
    if (s < 60)
        return str_fmt(arena, "%.1f s", (double)ms / 1000);
    if (s < 3600)
        return str_fmt(arena, "%lld min %lld s", (long long)(s / 60), (long long)(s % 60));
    if (s < 86400)
        return str_fmt(arena, "%lld h %lld min", (long long)(s / 3600), (long long)(s / 60 % 60));
    return str_fmt(arena, "%lld d %lld h", (long long)(s / 86400), (long long)(s / 3600 % 24));
}

struct str words_bytes(struct arena *arena, uint64_t bytes)
{
    static const char *const units[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
    if (bytes < 1000)
        return str_fmt(arena, "%llu B", (unsigned long long)bytes);
    double amount = (double)bytes / 1000;
    size_t unit = 0;
    for (; amount >= 999.95 && unit + 1 < COUNT_OF(units); unit++)
        amount /= 1000;
    return str_fmt(arena, "%.1f %s", amount, units[unit]);
}

/* Groups of three, kept together by a narrow no-break space. */
struct str words_number(struct arena *arena, int64_t number)
{
    struct str digits = str_fmt(arena, "%lld", (long long)number), grouped = STR_NONE;
    size_t sign = number < 0;
    for (size_t i = 0; i < digits.len; i++) {
        const char *gap = i > sign && (digits.len - i) % 3 == 0 ? "\xE2\x80\xAF" : "";
        grouped = str_fmt(arena, "%.*s%s%c", STR_ARG(grouped), gap, digits.ptr[i]);
    }
    return grouped;
}

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

struct str words_label(struct arena *arena, struct str key)
{
    if (str_is(key, "ms"))
        return STR("time");
    struct str bare = key.len > 2 && str_ends(key, STR("Ms")) ? str_slice(key, 0, key.len - 2) : key;
    char *text = arena_alloc(arena, 2 * bare.len + 1);
    size_t len = 0;
    for (size_t i = 0; i < bare.len; i++) {
        if (is_upper(bare.ptr[i]) && i > 0 && !is_upper(bare.ptr[i - 1]))
            text[len++] = ' ';
        bool in_capitals =
            (i + 1 < bare.len && is_upper(bare.ptr[i + 1])) || (i > 0 && is_upper(bare.ptr[i - 1]));
        text[len++] = is_upper(bare.ptr[i]) && !in_capitals ? (char)(bare.ptr[i] - 'A' + 'a') : bare.ptr[i];
    }
    return (struct str){text, len};
}

struct str words_value(struct arena *arena, struct str key, const struct value *scalar)
{
    int64_t number;
    if (value_is(scalar, VALUE_BOOL))
        return value_true(scalar) ? STR("yes") : STR("no");
    if (!value_i64(scalar, &number))
        return value_text(scalar);
    if (number >= 0 && (str_ends(key, STR("Ms")) || str_is(key, "ms")))
        return words_duration(arena, number);
    if (number >= 0 && (str_starts(key, STR("bytes")) || str_ends(key, STR("Bytes"))))
        return words_bytes(arena, (uint64_t)number);
    return number > 9999 || number < -9999 ? words_number(arena, number) : value_text(scalar);
}
