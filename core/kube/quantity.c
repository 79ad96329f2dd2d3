#include "core/kube/quantity.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_DIGITS = 48 };

static bool factor_of(struct str suffix, double *ret_factor)
{
    static const struct {
        const char *suffix;
        double factor;
    } factors[] = {
        {"", 1},        {"n", 1e-9},    {"u", 1e-6},    {"m", 1e-3},    {"k", 1e3},     {"M", 1e6},
        {"G", 1e9},     {"T", 1e12},    {"P", 1e15},    {"E", 1e18},    {"Ki", 0x1p10}, {"Mi", 0x1p20},
        {"Gi", 0x1p30}, {"Ti", 0x1p40}, {"Pi", 0x1p50}, {"Ei", 0x1p60},
    };
    for (size_t i = 0; i < COUNT_OF(factors); i++) {
        if (str_is(suffix, factors[i].suffix)) {
            *ret_factor = factors[i].factor;
            return true;
        }
    }
    return false;
}

static size_t digits_from(struct str text, size_t at)
{
    while (at < text.len && text.ptr[at] >= '0' && text.ptr[at] <= '9')
        at++;
    return at;
}

/* Where the number ends and the suffix begins: "1E" is one exa, "1E3" and "1e3" are a thousand. */
static size_t number_end(struct str text)
{
    size_t at = text.len > 0 && (text.ptr[0] == '-' || text.ptr[0] == '+');
    at = digits_from(text, at);
    if (at < text.len && text.ptr[at] == '.')
        at = digits_from(text, at + 1);
    if (at < text.len && (text.ptr[at] == 'e' || text.ptr[at] == 'E')) {
        size_t sign = at + 1 < text.len && (text.ptr[at + 1] == '-' || text.ptr[at + 1] == '+');
        size_t end = digits_from(text, at + 1 + sign);
        if (end > at + 1 + sign)
            at = end;
    }
    return at;
}

bool quantity_parse(struct str text, double *ret_number)
{
    char digits[MAX_DIGITS + 1], *end;
    double factor;
    size_t len = number_end(text);
    if (len == 0 || len > MAX_DIGITS || !factor_of(str_from(text, len), &factor))
        return false;

    memcpy(digits, text.ptr, len);
    digits[len] = '\0';
    double number = strtod(digits, &end);
    if (end != digits + len)
        return false;
    *ret_number = number * factor;
    return true;
}

bool quantity_of(const struct value *amount, double *ret_number)
{
    return (value_is(amount, VALUE_STRING) || value_is(amount, VALUE_NUMBER)) &&
           quantity_parse(value_text(amount), ret_number);
}
