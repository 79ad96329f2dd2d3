/* generate.h — valid objects nobody thought of: a small object of a kind, grown by random fields of its schema.
 *
 * Fields are picked from the server's own OpenAPI document, and get values that fit type, format and name (quantities,
 * ports, label keys, paths, times). What a schema cannot tell, the server does: generate_repair takes back the fields
 * that a refusal names, until the server is content. The same seed, schemas and seedlings give the same objects.
 * Everything lives in the arena. Nothing fails.
 */
#pragma once
#include "core/kube/schemas.h"

struct generator {
    struct arena *arena;
    uint64_t state; /* of the random numbers */
    const struct schemas *schemas;
    const struct value *seedling; /* the object that is grown; what it says stays */
};

uint64_t generate_number(struct generator *g, uint64_t below);
/* The seedling with random fields more; `schema` is its kind's. */
const struct value *generate_grow(struct generator *g, const struct value *schema);
/* `object` without what a Status of the API server complains about, or, where that names nothing that can go, without a
 * random half of what was grown. */
const struct value *generate_repair(struct generator *g, const struct value *object,
                                    const struct value *status);
