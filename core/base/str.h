/* str.h — views of text: a pointer and a length, never owned, never assumed to end in NUL.
 *
 * A view is as alive as what it points into (an arena, a literal, a buf). Bytes are bytes: UTF-8 is checked
 * where text enters (json, yaml), not here.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

struct str str_of(const char *text); /* a view of a NUL-terminated text; NULL gives the empty view */
struct str str_dup(struct arena *arena, struct str text);
/* A NUL-terminated copy, for foreign functions that want one. */
const char *str_c(struct arena *arena, struct str text);
struct str str_fmt(struct arena *arena, const char *fmt, ...) PRINTF_LIKE(2, 3);
struct str str_join(struct arena *arena, const struct str *parts, size_t count, struct str between);

bool str_eq(struct str a, struct str b);
bool str_is(struct str text, const char *literal); /* str_eq against a NUL-terminated text */
bool str_eq_nocase(struct str a, struct str b);    /* ASCII only */
int str_cmp(struct str a, struct str b);           /* bytewise, as qsort wants it */
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

/* Whole text as a decimal number without sign; false when it is anything else or does not fit. */
bool str_to_u64(struct str text, uint64_t *ret_number);
bool str_in(struct str text, const struct str *set, size_t count);
bool str_is_utf8(struct str text);
/* '*' matches any run of characters, '?' one: for selections in configuration. */
bool str_glob(struct str pattern, struct str text);
/* Number of single-character edits between both, for "did you mean"; capped at 64. */
unsigned str_distance(struct str a, struct str b);
int str_qsort(const void *a, const void *b); /* comparator over struct str */
