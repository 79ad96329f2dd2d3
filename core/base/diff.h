/* diff.h — what differs between two trees, as a list of addresses.
 *
 * Maps are compared key by key, lists item by item at the same index. Nothing fails; what does not differ costs one
 * comparison and no memory. The differences point into both trees.
 */
#pragma once
#include "core/base/value.h"

enum diff_kind { DIFF_ADDED, DIFF_REMOVED, DIFF_CHANGED };

struct diff {
    enum diff_kind kind;
    struct str pointer;                 /* JSON pointer, in the tree that has the value */
    const struct value *before, *after; /* NULL where it is absent */
};

struct diff_list {
    struct diff *items;
    size_t count, cap;
};

/* Appends every difference, in the order of `before`, then what only `after` has. Either tree may be NULL. */
void diff_values(struct arena *arena, const struct value *before, const struct value *after,
                 struct diff_list *differences);
