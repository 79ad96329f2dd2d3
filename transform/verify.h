/* verify.h — is what was written what the snapshot says, but for what named rules did?
 *
 * The log of a run is taken at its word: each of its entries is done again to the object as it was read, in order, and
 * the result must be what was written, member by member. So every difference between snapshot and repository is one
 * entry of one rule, or it is unexplained: a file that lost a field, a rule that changed more than it said, a rule that
 * said more than it changed. A default that was taken out must besides be one that the server puts back as it was.
 * Nothing fails; what is wrong is in the result. No text here holds a value of an object.
 */
#pragma once
#include "transform/transform.h"

struct verification {
    size_t objects;                        /* of the snapshot */
    size_t explained;                      /* entries that account for a difference */
    size_t *by_rule;                       /* the same for each rule, in the order of the table */
    struct value_list_builder unexplained; /* {resource, path, what} */
};

void verification_init(struct arena *arena, struct verification *verification);
/* Adds what holds of the log's objects: a whole bundle, or one part after another. `written` is what the repository comes
 * to of them, sorted, one object once; `log` is of the run that it was written from, with its entries. */
void transform_verify(struct arena *arena, const struct transform_log *log, const struct bundle *written,
                      struct verification *verification);
/* rule → entries; only those that account for any. */
const struct value *verification_rules(struct arena *arena, const struct verification *verification);
