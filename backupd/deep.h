/* deep.h — what a whole backup must agree on, beyond the hashes of its packs: `verify --deep`.
 *
 * Every object is of a type that the manifest lists, in the scope of that type, under the path its own names lead to; no
 * two objects of a type have one uid; no object of a type that was read at one moment is younger than that moment; and of
 * each type there are as many objects as the manifest says. Types can be served under several groups, so the same uid
 * under another group means nothing.
 * Memory: 16 bytes per object and one counter per type. The struct and what it returns live in the arena.
 */
#pragma once
#include "backupd/manifest.h"

struct deep;

struct deep *deep_new(struct arena *arena, const struct manifest *manifest);
/* CORRUPT with the first thing that is off. */
bool deep_object(struct deep *deep, struct str path, const struct resource *resource,
                 struct err *err) WARN_UNUSED;
/* The discovery document must list the types of the manifest. */
bool deep_discovery(const struct deep *deep, const struct value *document, struct err *err) WARN_UNUSED;
/* When all objects were seen: a line for each type whose count is off. */
void deep_counts(const struct deep *deep, struct str_list *ret_problems);
