/* pointer.h — JSON Pointer (RFC 6901): the address of a value inside a tree, "/spec/containers/0/image".
 *
 * "~0" stands for '~' and "~1" for '/'; "" is the root; "-" names the place behind the last item of a list.
 * Fails with INVALID (malformed pointer) and NOT_FOUND (nothing there to replace or remove).
 */
#pragma once
#include "core/base/value.h"

bool pointer_is_well_formed(struct str pointer);
const struct value *pointer_get(const struct value *root, struct str pointer); /* NULL where nothing is */
/* Adds as RFC 6902 "add" does: sets a map member, inserts into a list; the parent must exist. */
bool pointer_add(struct arena *arena, const struct value *root, struct str pointer, const struct value *value,
                 const struct value **ret_root, struct err *err) WARN_UNUSED;
bool pointer_replace(struct arena *arena, const struct value *root, struct str pointer,
                     const struct value *value, const struct value **ret_root, struct err *err) WARN_UNUSED;
bool pointer_remove(struct arena *arena, const struct value *root, struct str pointer,
                    const struct value **ret_root, struct err *err) WARN_UNUSED;
/* `parent` with "/token" behind it, token escaped. */
struct str pointer_child(struct arena *arena, struct str parent, struct str token);
struct str pointer_index(struct arena *arena, struct str parent, size_t index);
/* Where a walk over a tree stands: a chain of steps on the stack, spelled out only when there is something to say. */
struct pointer_place {
    const struct pointer_place *parent; /* NULL: the root's member or item */
    struct str key;
    size_t index;
    bool in_list; /* index counts, not key */
};
struct str pointer_of_place(struct arena *arena, const struct pointer_place *place); /* NULL: the root */
/* The same address as people write it: spec.containers[0].image, keys with dots in brackets and quotes. */
struct str pointer_dotted(struct arena *arena, struct str pointer);
