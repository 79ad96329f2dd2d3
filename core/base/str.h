/* str.h — views of text: a pointer and a length, never owned, never assumed to end in NUL.
 *
 * A view is as alive as what it points into (an arena, a literal, a buf). Bytes are bytes: UTF-8 is checked
 * where text enters (json, yaml), not here.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/base/attr.h"

struct arena;

struct str {
    const char *ptr;
    size_t len;
};

/* A list of views in an arena; grows by ARENA_PUSH. */
struct str_list {
    struct str *items;
    size_t count, cap;
};

#define STR(literal) ((struct str){"" literal, sizeof(literal) - 1})
#define STR_INIT(literal)                                                                                    \
    {                                                                                                        \
        "" literal, sizeof(literal) - 1                                                                      \
    } /* for static tables */
#define STR_NONE ((struct str){NULL, 0})
/* For printf: printf("%.*s", STR_ARG(name)) */
#define STR_ARG(str) (int)((str).len), ((str).ptr ? (str).ptr : "")

/* A view of a NUL-terminated text; NULL gives the empty view. */
static inline struct str str_of(const char *text)
{
    return text ? (struct str){text, strlen(text)} : STR_NONE;
}
struct str str_dup(struct arena *arena, struct str text);
/* A NUL-terminated copy, for foreign functions that want one. */
const char *str_c(struct arena *arena, struct str text);
struct str str_fmt(struct arena *arena, const char *fmt, ...) PRINTF_LIKE(2, 3);
struct str str_join(struct arena *arena, const struct str *parts, size_t count, struct str between);

/* Here, since every stage compares above all: texts of one length mostly differ in the last byte, which saves the call,
 * and the length of a literal is known to the compiler. */
static inline bool str_eq(struct str a, struct str b)
{
    return a.len == b.len &&
           (a.len == 0 || (a.ptr[a.len - 1] == b.ptr[a.len - 1] && memcmp(a.ptr, b.ptr, a.len) == 0));
}
/* str_eq against a NUL-terminated text. Rows of a table mostly differ in the first byte, which saves their length. */
static inline bool str_is(struct str text, const char *literal)
{
    return (text.len != 0 ? *literal == *text.ptr : *literal == '\0') && str_eq(text, str_of(literal));
}
bool str_eq_nocase(struct str a, struct str b); /* ASCII only */
int str_cmp(struct str a, struct str b);        /* bytewise, as qsort wants it */
bool str_starts(struct str text, struct str prefix);
bool str_ends(struct str text, struct str suffix);
bool str_contains(struct str text, struct str part);
/* Offset of the first `c`, or text.len where there is none. */
size_t str_find(struct str text, char c);
size_t str_rfind(struct str text, char c);
struct str str_slice(struct str text, size_t from, size_t to); /* clamped to the text */
struct str str_from(struct str text, size_t from);
struct str str_trim(struct str text); /* without ASCII white space at both ends */
/* Cuts `*rest` at the first `c`: returns what stands before, leaves in `*rest` what follows (empty at the end). */
struct str str_cut(struct str *rest, char c);
struct str str_lower(struct arena *arena, struct str text); /* ASCII only */
/* RFC 1123, as Kubernetes takes it for namespaces: 63 lower-case letters, digits and inner dashes at most. */
bool str_is_dns_label(struct str text);

/* Whole text as a decimal number without sign; false when it is anything else or does not fit. */
bool str_to_u64(struct str text, uint64_t *ret_number);
bool str_in(struct str text, const struct str *set, size_t count);
bool str_is_utf8(struct str text);
/* '*' matches any run of characters, '?' one: for selections in configuration. */
bool str_glob(struct str pattern, struct str text);
/* Number of single-character edits between both, for "did you mean"; capped at 64. */
unsigned str_distance(struct str a, struct str b);
int str_qsort(const void *a, const void *b); /* comparator over struct str */
