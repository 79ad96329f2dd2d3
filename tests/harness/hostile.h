/* hostile.h — every value of a tree replaced by every kind of value in turn: what comes from outside may hold anything
 * anywhere, and nothing may stumble over it. */
#pragma once
#include "core/base/value.h"

/* `root` with its value number `at`, counted in reading order, replaced by `with`. *ret_inside is false when the tree
 * has no such value; the tree is then as it was. */
const struct value *hostile_replace(struct arena *arena, const struct value *root, size_t at,
                                    const struct value *with, bool *ret_inside);
/* A list of every kind of value: numbers that fit nowhere, empty and nested containers, format directives, NUL. */
const struct value *hostile_values(struct arena *arena);
