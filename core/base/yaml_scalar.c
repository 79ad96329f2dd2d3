#include "core/base/yaml_scalar.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/json.h"

static const struct {
    const char *text;
    enum yaml_scalar kind;
    bool is_true;
} words[] = {
    {"~", YAML_SCALAR_NULL, false},       {"null", YAML_SCALAR_NULL, false},
    {"Null", YAML_SCALAR_NULL, false},    {"NULL", YAML_SCALAR_NULL, false},
    {"true", YAML_SCALAR_BOOL, true},     {"True", YAML_SCALAR_BOOL, true},
    {"TRUE", YAML_SCALAR_BOOL, true},     {"false", YAML_SCALAR_BOOL, false},
    {"False", YAML_SCALAR_BOOL, false},   {"FALSE", YAML_SCALAR_BOOL, false},
    {"yes", YAML_SCALAR_BOOL, true},      {"Yes", YAML_SCALAR_BOOL, true},
    {"YES", YAML_SCALAR_BOOL, true},      {"no", YAML_SCALAR_BOOL, false},
    {"No", YAML_SCALAR_BOOL, false},      {"NO", YAML_SCALAR_BOOL, false},
    {"on", YAML_SCALAR_BOOL, true},       {"On", YAML_SCALAR_BOOL, true},
    {"ON", YAML_SCALAR_BOOL, true},       {"off", YAML_SCALAR_BOOL, false},
    {"Off", YAML_SCALAR_BOOL, false},     {"OFF", YAML_SCALAR_BOOL, false},
    {"y", YAML_SCALAR_BOOL, true},        {"Y", YAML_SCALAR_BOOL, true},
    {"n", YAML_SCALAR_BOOL, false},       {"N", YAML_SCALAR_BOOL, false},
    {".nan", YAML_SCALAR_NO_JSON, false}, {".NaN", YAML_SCALAR_NO_JSON, false},
    {".NAN", YAML_SCALAR_NO_JSON, false}, {".inf", YAML_SCALAR_NO_JSON, false},
    {".Inf", YAML_SCALAR_NO_JSON, false}, {".INF", YAML_SCALAR_NO_JSON, false},
};

enum { LONGEST_WORD = 5 };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static struct str without_sign(struct str text)
{
    return text.len != 0 && (text.ptr[0] == '-' || text.ptr[0] == '+') ? str_from(text, 1) : text;
}

static enum yaml_scalar resolve_word(struct str text, struct value *ret)
{
    /* Only the infinities may have a sign. */
    struct str bare = without_sign(text);
    if (bare.len < text.len && !str_eq_nocase(bare, STR(".inf")))
        return YAML_SCALAR_STRING;
    for (size_t i = 0; bare.len <= LONGEST_WORD && i < COUNT_OF(words); i++) {
        if (!str_is(bare, words[i].text))
            continue;
        *ret = words[i].kind == YAML_SCALAR_BOOL
                   ? (struct value){.kind = VALUE_BOOL, .count = words[i].is_true}
                   : (struct value){.kind = VALUE_NULL};
        return words[i].kind;
    }
    return YAML_SCALAR_STRING;
}

static struct value number_value(struct str text)
{
    return (struct value){.kind = VALUE_NUMBER, .count = (uint32_t)text.len, .text = text.ptr};
}

static struct str without_underscores(struct arena *arena, struct str text)
{
    if (str_find(text, '_') == text.len)
        return text;
    char *copy = arena_alloc(arena, text.len + 1);
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] != '_')
            copy[len++] = text.ptr[i];
    return (struct str){copy, len};
}

/* Go is stricter where a number opens with its point. */
static bool underscores_between_digits(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] == '_' &&
            (i == 0 || i + 1 == text.len || !is_digit(text.ptr[i - 1]) || !is_digit(text.ptr[i + 1])))
            return false;
    return true;
}

static unsigned base_of(struct str *digits)
{
    static const struct {
        char letter;
        unsigned base;
    } prefixes[] = {{'x', 16}, {'o', 8}, {'b', 2}};
    if (digits->len < 2 || digits->ptr[0] != '0')
        return 10;
    for (size_t i = 0; i < COUNT_OF(prefixes); i++)
        if ((digits->ptr[1] | 0x20) == prefixes[i].letter) {
            *digits = str_from(*digits, 2);
            return prefixes[i].base;
        }
    return 8;
}

static bool parse_digits(struct str digits, unsigned base, uint64_t *ret)
{
    uint64_t number = 0;
    for (size_t i = 0; i < digits.len; i++) {
        char c = digits.ptr[i], lower = (char)(c | 0x20);
        unsigned digit = is_digit(c)                    ? (unsigned)(c - '0')
                         : lower >= 'a' && lower <= 'f' ? (unsigned)(lower - 'a') + 10
                                                        : 16;
        if (digit >= base || number > (UINT64_MAX - digit) / base)
            return false;
        number = number * base + digit;
    }
    *ret = number;
    return digits.len != 0;
}

/* Go reads a signed number into 64 bits with sign and one without also into 64 bits without. */
static bool resolve_int(struct arena *arena, struct str text, struct value *ret)
{
    struct str digits = without_sign(text);
    bool is_signed = digits.len < text.len, negative = is_signed && text.ptr[0] == '-';
    uint64_t magnitude, limit = negative ? (uint64_t)INT64_MAX + 1 : is_signed ? INT64_MAX : UINT64_MAX;
    unsigned base = base_of(&digits);
    if (!parse_digits(digits, base, &magnitude) || magnitude > limit)
        return false;
    *ret = number_value(str_fmt(arena, "%s%" PRIu64, negative && magnitude != 0 ? "-" : "", magnitude));
    return true;
}

static size_t digits_at(struct str text, size_t from)
{
    size_t to = from;
    while (to < text.len && is_digit(text.ptr[to]))
        to++;
    return to - from;
}

/* Too large for a double means a string to Go, so also here. */
static bool fits_double(struct arena *arena, struct str number)
{
    if (number.len < 300 && str_find(number, 'e') == number.len && str_find(number, 'E') == number.len)
        return true;
    return isfinite(strtod(str_c(arena, number), NULL));
}

/* [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)? rewritten as JSON wants it. */
static bool resolve_float(struct arena *arena, struct str text, struct value *ret)
{
    struct str rest = without_sign(text);
    bool negative = rest.len < text.len && text.ptr[0] == '-';
    size_t whole = digits_at(rest, 0), at = whole, fraction = 0;
    if (at < rest.len && rest.ptr[at] == '.') {
        fraction = digits_at(rest, at + 1);
        at += 1 + fraction;
    }
    if (whole + fraction == 0)
        return false;
    struct str exponent = str_from(rest, at), power = str_from(exponent, 1);
    if (exponent.len != 0 && ((exponent.ptr[0] | 0x20) != 'e' || without_sign(power).len == 0 ||
                              digits_at(without_sign(power), 0) != without_sign(power).len))
        return false;
    struct str integer = str_slice(rest, 0, whole);
    while (integer.len > 1 && integer.ptr[0] == '0')
        integer = str_from(integer, 1);
    struct str number = str_fmt(arena, "%s%.*s%s%.*s%.*s", negative ? "-" : "",
                                STR_ARG(integer.len ? integer : STR("0")), fraction ? "." : "",
                                STR_ARG(str_slice(rest, whole + 1, whole + 1 + fraction)), STR_ARG(exponent));
    *ret = number_value(number);
    return fits_double(arena, number);
}

static enum yaml_scalar resolve_number(struct arena *arena, struct str text, struct value *ret)
{
    uint64_t ignored;
    if (json_is_number(text)) {
        bool whole = str_to_u64(without_sign(text), &ignored);
        *ret = number_value(text);
        if (whole || fits_double(arena, text))
            return whole ? YAML_SCALAR_INT : YAML_SCALAR_FLOAT;
        return YAML_SCALAR_STRING;
    }
    if (text.ptr[0] != '.' || underscores_between_digits(text))
        text = without_underscores(arena, text);
    if (resolve_int(arena, text, ret))
        return YAML_SCALAR_INT;
    return resolve_float(arena, text, ret) ? YAML_SCALAR_FLOAT : YAML_SCALAR_STRING;
}

enum yaml_scalar yaml_resolve(struct arena *arena, struct str text, struct value *ret)
{
    struct value typed = {.kind = VALUE_NULL};
    enum yaml_scalar kind = YAML_SCALAR_STRING;
    if (text.len == 0)
        kind = YAML_SCALAR_NULL;
    else if (strchr("yYnNtTfFoO~.+-", text.ptr[0]) != NULL)
        kind = resolve_word(text, &typed);
    if (kind == YAML_SCALAR_STRING && text.len != 0 && text.ptr[0] != '\0' &&
        strchr("+-.0123456789", text.ptr[0]) != NULL)
        kind = resolve_number(arena, text, &typed);
    if (kind == YAML_SCALAR_STRING)
        typed = (struct value){.kind = VALUE_STRING, .count = (uint32_t)text.len, .text = text.ptr};
    *ret = typed;
    return kind;
}

/* Go's FormatFloat(number, 'g', -1, 32): the fewest digits that name the same float, with an exponent below 1e-4 and
 * from 1e6 on. */
static struct str shortest_float(struct arena *arena, float number)
{
    char digits[32];
    int precision = 0;
    if (isinf(number)) /* fits a double but no float */
        return number < 0 ? STR("-.inf") : STR(".inf");
    do
        snprintf(digits, sizeof digits, "%.*e", precision, (double)number);
    while (strtof(digits, NULL) != number && ++precision < 9);
    int exponent = atoi(strchr(digits, 'e') + 1);
    if (exponent < -4 || exponent >= 6)
        return str_fmt(arena, "%s", digits);
    return str_fmt(arena, "%.*f", precision > exponent ? precision - exponent : 0, (double)number);
}

struct str yaml_number_key(struct arena *arena, enum yaml_scalar kind, struct str number)
{
    uint64_t magnitude;
    struct str digits = without_sign(number);
    if (kind == YAML_SCALAR_INT && str_to_u64(digits, &magnitude) &&
        (digits.len == number.len || magnitude <= (uint64_t)INT64_MAX + 1))
        return magnitude == 0 ? STR("0") : number;
    return shortest_float(arena, strtof(str_c(arena, number), NULL));
}

/* First bytes of the words and numbers below: most texts have another. */
static const bool opens_typed[256] = {
    ['0' ... '9'] = true, ['+'] = true, ['-'] = true, ['.'] = true, ['~'] = true, ['='] = true,
    ['<'] = true,         ['n'] = true, ['N'] = true, ['t'] = true, ['T'] = true, ['f'] = true,
    ['F'] = true,         ['y'] = true, ['Y'] = true, ['o'] = true, ['O'] = true,
};

/* Generous on purpose: sexagesimal, thousands in commas, dates, cut-off exponents. Quotes cost nothing. */
static bool looks_like_number(struct str text)
{
    struct str rest = without_sign(text);
    size_t dots = 0, at = 0;
    if (str_eq_nocase(rest, STR(".inf")) || str_eq_nocase(rest, STR(".nan")))
        return true;
    if (rest.len >= 2 && rest.ptr[0] == '0' && strchr("xXoObB", rest.ptr[1]) != NULL && rest.ptr[1] != '\0')
        return true;
    if (digits_at(rest, 0) == 4 && rest.len > 4 && rest.ptr[4] == '-')
        return true;
    for (; at < rest.len && (is_digit(rest.ptr[at]) || memchr("_,:.", rest.ptr[at], 4) != NULL); at++)
        dots += rest.ptr[at] == '.';
    if (at != 0 && at < rest.len && (rest.ptr[at] | 0x20) == 'e') {
        struct str power = without_sign(str_from(rest, at + 1));
        at = rest.len - power.len + digits_at(power, 0);
    }
    return at == rest.len && at != 0 && dots <= 1;
}

/* Readers drop underscores wherever they stand: 1e_5 is a number, and so is 0_x1f. */
static bool looks_like_number_without_underscores(struct str text)
{
    char plain[128];
    size_t len = 0;
    if (str_find(text, '_') == text.len)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '_')
            continue;
        if (text.ptr[i] == '\0' || strchr("0123456789abcdefABCDEFxXoO+-.,:", text.ptr[i]) == NULL)
            return false;
        if (len == sizeof plain)
            return true;
        plain[len++] = text.ptr[i];
    }
    return looks_like_number((struct str){plain, len});
}

bool yaml_looks_typed(struct str text)
{
    static const char *const typed_words[LONGEST_WORD + 1][5] = {
        [1] = {"~", "y", "n", "="}, [2] = {"no", "on", "<<"}, [3] = {"yes", "off"},
        [4] = {"null", "true"},     [5] = {"false"},
    }; /* by length */
    if (text.len == 0)
        return true;
    if (!opens_typed[(unsigned char)text.ptr[0]])
        return false;
    if (text.len <= LONGEST_WORD)
        for (const char *const *word = typed_words[text.len]; *word != NULL; word++)
            if (str_eq_nocase(text, (struct str){*word, text.len}))
                return true;
    char first = text.ptr[0];
    return (is_digit(first) || first == '+' || first == '-' || first == '.') &&
           (looks_like_number(text) || looks_like_number_without_underscores(text));
}
