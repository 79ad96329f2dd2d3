/* place.h — the namespace at hand, as checks ask for it again and again: its workloads, and what is said about them.
 *
 * A place is filled object by object and holds views only; lists live in the arena that is handed in. Nothing fails.
 */
#pragma once
#include "core/kube/workload.h"

struct place {
    struct {
        struct workload *items;
        size_t count, cap;
    } workloads; /* none that another workload controls */
    struct resource_refs {
        const struct resource **items;
        size_t count, cap;
    } budgets, autoscalers, limit_ranges;
};

void place_add_workload(struct arena *arena, struct place *place, const struct workload *workload);
/* Anything else; what nobody asks for is not noted. */
void place_add(struct arena *arena, struct place *place, const struct resource *resource);

/* The first workload of the place whose pods a selector selects; NULL when there is none. */
const struct workload *place_selected(const struct place *place, const struct value *label_selector);
const struct workload *place_selected_by_map(const struct place *place, const struct value *labels);
/* The autoscaler of a workload; NULL without one. */
const struct resource *place_autoscaler(const struct place *place, const struct resource *workload);
bool place_has_budget_for(const struct place *place, const struct workload *workload);
/* Whether a LimitRange fills in `side` ("default" for limits, "defaultRequest") of a resource for containers. */
bool place_has_default(const struct place *place, const char *side, struct str resource);
