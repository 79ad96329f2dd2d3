/* target.h — which objects a patch is for: {group, version, kind, name, namespace} as regular expressions
 * that must match whole, and labelSelector and annotationSelector in the text form of kubectl (a=b, c!=d, e
 * in (f, g), h, !i). Expressions are POSIX extended; what only Go knows (\d, (?i), …) is refused rather
 * than read differently.
 * Fails with INVALID.
 */
#pragma once
#include <regex.h>

#include "core/kustomize/layer.h"

enum { TARGET_FIELDS = 5 };

struct requirement {
    struct str key;
    enum { LABEL_IN, LABEL_NOT_IN, LABEL_EXISTS, LABEL_ABSENT } operator;
    struct str_list values;
};

struct requirements {
    struct requirement *items;
    size_t count, cap;
};

struct target {
    struct {
        bool used;
        regex_t regex;
    } fields[TARGET_FIELDS];
    struct requirements labels, annotations;
};

/* Reads a `target:` map. Call target_done in any case once this returned true. */
bool target_read(struct arena *arena, const struct value *map, struct target *ret_target,
                 struct err *err) WARN_UNUSED;
void target_done(struct target *target);
bool target_selects(struct arena *scratch, const struct target *target, const struct layer_item *item);
/* The text form of a label selector. */
bool requirements_read(struct arena *arena, struct str text, struct requirements *ret,
                       struct err *err) WARN_UNUSED;
