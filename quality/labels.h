/* labels.h — who has a label: an index over label maps, so that a selector need not be held against everybody.
 *
 * Owners of labels are numbers of the caller. What the index gives is who comes into question: whether a selector
 * selects them is for core/kube/selector.h to say. Lists live in the arena that is handed in. Nothing fails.
 */
#pragma once
#include "core/base/value.h"

struct labels {
    struct label_entry {
        uint64_t hash; /* of key and value */
        size_t owner;
    } * items; /* sorted by both, once labels_sort ran */
    size_t count, cap;
};

/* Entries [at, to) of the index, or where `all` is set, owners [at, to). */
struct label_range {
    size_t at, to;
    bool all;
};

void labels_add(struct arena *arena, struct labels *labels, const struct member *label, size_t owner);
void labels_sort(struct labels *labels);
/* Those with one label, in the order of their numbers. */
struct label_range labels_with(const struct labels *labels, const struct member *label);
/* Those with the rarest label of a map; all `owners` of them where the map is empty or none. */
struct label_range labels_rarest(const struct labels *labels, const struct value *wanted, size_t owners);
/* Takes the next owner off the range; false at its end. */
bool labels_next(const struct labels *labels, struct label_range *range, size_t *ret_owner);
