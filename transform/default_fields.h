/* default_fields.h — what the API server fills in where an author said nothing: one table per shape of the built-in
 * API, source: the API reference and pkg/apis/.../defaults.go of Kubernetes 1.36. A shape is a map; a field of it can
 * lead to another shape, as a map or as a list of maps. A default is compared after the shape below has lost its own,
 * so that "{}" stands for "nothing but defaults". */
#pragma once
#include "core/base/value.h"

/* For defaults that hang on other fields: `map` is the shape as it was read, `value` the field. */
typedef bool (*is_default_fn)(const struct value *map, const struct value *value);

struct default_field {
    const char *key;
    const char *value;                 /* JSON, compact; NULL: no default, only a way down */
    const struct default_field *below; /* shape of the value or of its items; NULL ends here */
    is_default_fn only_if;             /* NULL: always; without `value` it decides alone */
};

/* The shape of a kind, its table ended by a NULL key; NULL when the kind has no defaults. */
const struct default_field *default_fields_of(struct str group, struct str kind);
