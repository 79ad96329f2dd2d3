/* yaml_scalar.h — what a YAML scalar without quotes means; shared by yaml.c (reading) and yaml_write.c (which must
 * know when quotes are needed). The rules are those of Go's sigs.k8s.io/yaml, which every Kubernetes tool reads with:
 * YAML 1.1 words (yes, on, y …), 0x1f, 0o17, 017, 0b1, 1_000; dates and base 60 stay strings.
 */
#pragma once
#include "core/base/value.h"

enum yaml_scalar {
    YAML_SCALAR_STRING,
    YAML_SCALAR_NULL,
    YAML_SCALAR_BOOL,
    YAML_SCALAR_INT,
    YAML_SCALAR_FLOAT,
    YAML_SCALAR_NO_JSON, /* .inf and .nan, which JSON cannot say */
};

/* Resolves a plain scalar. A number that is spelt as in JSON keeps its text, another one becomes decimal in `arena`. */
enum yaml_scalar yaml_resolve(struct arena *arena, struct str text, struct value *ret);
/* The text under which sigs.k8s.io/yaml files a number used as a map key. */
struct str yaml_number_key(struct arena *arena, enum yaml_scalar kind, struct str number);
/* Whether some YAML reader, of 1.1 or 1.2, might take this plain text for something else than a string. */
bool yaml_looks_typed(struct str text);
