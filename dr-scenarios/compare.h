/* compare.h — does a rebuilt cluster hold what was declared?
 *
 * Every declared object must be there and every declared field must hold. What the cluster adds (defaults, status,
 * sidecars, labels of controllers) is no difference. Lists whose items have a name of their own are matched by it,
 * others item by item and then also by length. The same amount spelled otherwise ("1000m", "1") is the same, and so
 * are 80 and "80". Values of Secrets never leave this module. Nothing fails.
 */
#pragma once
#include "core/finding.h"
#include "core/kube/bundle.h"

struct compare_difference {
    const struct resource *declared;
    bool missing;                    /* the whole object; the rest is empty then */
    struct str pointer;              /* JSON pointer into the declared object */
    const struct value *want, *have; /* NULL where absent, and always in Secrets */
};

struct compare_result {
    struct compare_difference *items;
    size_t count, cap;
    size_t objects, missing, different; /* objects compared, absent, with at least one field that differs */
};

/* `live` must be sorted (bundle_sort). The result lives in `arena` and points into both bundles. */
void compare_bundles(struct arena *arena, const struct bundle *declared, const struct bundle *live,
                     struct compare_result *ret_result);
/* "drill.missing-object" or "drill.field-differs", with what was wanted and what is there. */
struct finding compare_finding(struct arena *arena, const struct compare_difference *difference);
