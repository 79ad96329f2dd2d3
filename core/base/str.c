#include "core/base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/base/arena.h"

const char *str_c(struct arena *arena, struct str text)
{
    char *copy = arena_alloc(arena, text.len + 1);
    if (text.len != 0)
        memcpy(copy, text.ptr, text.len);
    return copy;
}

struct str str_dup(struct arena *arena, struct str text)
{
    return (struct str){str_c(arena, text), text.len};
}

/* Names of files, paths and most messages are texts between texts, and vsnprintf takes ten times as long for those.
 * Returns the length, or -1 where there is more to it than "%s" and "%.*s", or no room. */
static int join_texts(char *out, size_t room, const char *fmt, va_list args)
{
    char *at = out;
    while (*fmt != '\0') {
        struct str text = {fmt, strcspn(fmt, "%")};
        if (text.len != 0) {
            fmt += text.len;
        } else if (fmt[1] == 's') {
            text = str_of(va_arg(args, const char *));
            fmt += 2;
        } else if (fmt[1] == '.' && fmt[2] == '*' && fmt[3] == 's') {
            int most = va_arg(args, int);
            text.ptr = va_arg(args, const char *);
            text.len = most < 0 ? room : strnlen(text.ptr, (size_t)most);
            fmt += 4;
        } else {
            return -1;
        }
        if (text.len >= room - (size_t)(at - out))
            return -1;
        if (text.len != 0)
            at = (char *)memcpy(at, text.ptr, text.len) + text.len;
    }
    return (int)(at - out);
}

struct str str_fmt(struct arena *arena, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    char most[256]; /* what fits here, which is nearly all, is formatted once */
    int len = join_texts(most, sizeof most, fmt, args);
    va_end(args);
    if (len < 0) {
        va_copy(args, again);
        len = vsnprintf(most, sizeof most, fmt, args);
        va_end(args);
    }
    size_t bytes = len > 0 ? (size_t)len : 0;
    char *text = arena_alloc(arena, bytes + 1);
    if (bytes < sizeof most)
        memcpy(text, most, bytes);
    else
        vsnprintf(text, bytes + 1, fmt, again);
    va_end(again);
    return (struct str){text, bytes};
}

struct str str_join(struct arena *arena, const struct str *parts, size_t count, struct str between)
{
    size_t len = count > 1 ? (count - 1) * between.len : 0;
    for (size_t i = 0; i < count; i++)
        len += parts[i].len;
    char *text = arena_alloc(arena, len + 1), *at = text;
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && between.len != 0)
            at = (char *)memcpy(at, between.ptr, between.len) + between.len;
        if (parts[i].len != 0)
            at = (char *)memcpy(at, parts[i].ptr, parts[i].len) + parts[i].len;
    }
    return (struct str){text, len};
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool str_eq_nocase(struct str a, struct str b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (lower(a.ptr[i]) != lower(b.ptr[i]))
            return false;
    return true;
}

int str_cmp(struct str a, struct str b)
{
    size_t shared = a.len < b.len ? a.len : b.len;
    int order = shared ? memcmp(a.ptr, b.ptr, shared) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

int str_qsort(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

bool str_starts(struct str text, struct str prefix)
{
    return text.len >= prefix.len && str_eq((struct str){text.ptr, prefix.len}, prefix);
}

bool str_ends(struct str text, struct str suffix)
{
    return text.len >= suffix.len && str_eq(str_from(text, text.len - suffix.len), suffix);
}

bool str_contains(struct str text, struct str part)
{
    return part.len == 0 || (text.len >= part.len && memmem(text.ptr, text.len, part.ptr, part.len) != NULL);
}

size_t str_find(struct str text, char c)
{
    const char *at = text.len ? memchr(text.ptr, c, text.len) : NULL;
    return at ? (size_t)(at - text.ptr) : text.len;
}

size_t str_rfind(struct str text, char c)
{
    const char *at = text.len ? memrchr(text.ptr, c, text.len) : NULL;
    return at ? (size_t)(at - text.ptr) : text.len;
}

struct str str_slice(struct str text, size_t from, size_t to)
{
    if (to > text.len)
        to = text.len;
    if (from >= to)
        return (struct str){text.ptr, 0};
    return (struct str){text.ptr + from, to - from};
}

struct str str_from(struct str text, size_t from)
{
    return str_slice(text, from, text.len);
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct str str_trim(struct str text)
{
    while (text.len != 0 && is_space(text.ptr[0]))
        text = str_from(text, 1);
    while (text.len != 0 && is_space(text.ptr[text.len - 1]))
        text.len--;
    return text;
}

struct str str_cut(struct str *rest, char c)
{
    size_t at = str_find(*rest, c);
    struct str before = str_slice(*rest, 0, at);
    *rest = str_from(*rest, at + 1);
    return before;
}

bool str_is_dns_label(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool edge = i == 0 || i + 1 == text.len;
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c == '-' && !edge)))
            return false;
    }
    return text.len != 0 && text.len <= 63;
}

struct str str_lower(struct arena *arena, struct str text)
{
    char *copy = arena_alloc(arena, text.len + 1);
    for (size_t i = 0; i < text.len; i++)
        copy[i] = lower(text.ptr[i]);
    return (struct str){copy, text.len};
}

bool str_to_u64(struct str text, uint64_t *ret_number)
{
    uint64_t number = 0;
    if (text.len == 0)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        unsigned digit = (unsigned)(text.ptr[i] - '0');
        if (number > (UINT64_MAX - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    *ret_number = number;
    return true;
}

bool str_in(struct str text, const struct str *set, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq(text, set[i]))
            return true;
    return false;
}

/* Length of the UTF-8 sequence at `at`, 0 when it is none (overlong, surrogate, beyond U+10FFFF, cut short). */
static size_t utf8_len(const unsigned char *at, size_t left)
{
    static const struct {
        unsigned char first, last, second_min, second_max, len;
    } forms[] = {
        {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3}, {0xE1, 0xEC, 0x80, 0xBF, 3},
        {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3}, {0xF0, 0xF0, 0x90, 0xBF, 4},
        {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
    };
    if (at[0] < 0x80)
        return 1;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (at[0] < forms[i].first || at[0] > forms[i].last)
            continue;
        if (left < forms[i].len || at[1] < forms[i].second_min || at[1] > forms[i].second_max)
            return 0;
        for (size_t j = 2; j < forms[i].len; j++)
            if ((at[j] & 0xC0) != 0x80)
                return 0;
        return forms[i].len;
    }
    return 0;
}

bool str_is_utf8(struct str text)
{
    for (size_t i = 0; i < text.len;) {
        size_t len = utf8_len((const unsigned char *)text.ptr + i, text.len - i);
        if (len == 0)
            return false;
        i += len;
    }
    return true;
}

/* Tells most patterns from most texts at once: a last character that is no wildcard must be the text's. */
static bool ends_differ(struct str pattern, struct str text)
{
    char last = pattern.len != 0 ? pattern.ptr[pattern.len - 1] : '*';
    return last != '*' && last != '?' && (text.len == 0 || text.ptr[text.len - 1] != last);
}

/* The first place from `at` on where the pattern behind a star may begin. */
static size_t glob_start(struct str behind_star, struct str text, size_t at)
{
    char first = behind_star.len != 0 ? behind_star.ptr[0] : '*';
    if (first == '*' || first == '?')
        return at;
    while (at < text.len && text.ptr[at] != first)
        at++;
    return at;
}

/* Remembers the last star and tries again further on: linear memory, no recursion on hostile patterns. */
bool str_glob(struct str pattern, struct str text)
{
    size_t p = 0, t = 0, star = pattern.len, retry = 0;
    if (ends_differ(pattern, text))
        return false;
    while (t < text.len) {
        if (p < pattern.len && pattern.ptr[p] == '*') {
            star = p++;
            t = retry = glob_start(str_from(pattern, p), text, t);
        } else if (p < pattern.len && (pattern.ptr[p] == '?' || pattern.ptr[p] == text.ptr[t])) {
            p++;
            t++;
        } else if (star < pattern.len) {
            p = star + 1;
            t = retry = glob_start(str_from(pattern, p), text, retry + 1);
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.ptr[p] == '*')
        p++;
    return p == pattern.len;
}

unsigned str_distance(struct str a, struct str b)
{
    enum { LIMIT = 64 };
    unsigned row[LIMIT + 1];
    if (a.len > LIMIT || b.len > LIMIT)
        return LIMIT;
    for (size_t j = 0; j <= b.len; j++)
        row[j] = (unsigned)j;
    for (size_t i = 1; i <= a.len; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b.len; j++) {
            unsigned change = diagonal + (a.ptr[i - 1] != b.ptr[j - 1]);
            unsigned best = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            diagonal = row[j];
            row[j] = change < best ? change : best;
        }
    }
    return row[b.len];
}
