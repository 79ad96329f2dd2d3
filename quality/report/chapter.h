/* chapter.h — a section of the report as labelled facts and small tables, whatever is in it.
 *
 * This is how sections that need no picture are shown, also those that are not known here. Maps inside are taken apart
 * ("packs: new"), lists of maps become tables, lists of scalars one line. Bounded; views and text live in the arena.
 */
#pragma once
#include "core/base/value.h"

struct fact {
    struct str label, value;
};

struct fact_table {
    struct str title;
    struct str_list columns; /* keys */
    struct str_list cells;   /* row by row */
    size_t rows, left_out;   /* left_out: rows beyond the bound */
};

struct chapter {
    struct str key, title;
    struct {
        struct fact *items;
        size_t count, cap;
    } facts;
    struct {
        struct fact_table *items;
        size_t count, cap;
    } tables;
};

enum { CHAPTER_MAX_FACTS = 60, CHAPTER_MAX_ROWS = 50, CHAPTER_MAX_COLUMNS = 8, CHAPTER_MAX_DEPTH = 4 };

void chapter_of(struct arena *arena, struct str key, const struct value *section, struct chapter *ret);
