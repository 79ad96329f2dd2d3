/* place.h — the namespace at hand, as checks ask for it again and again: its workloads, and what is said about them.
 *
 * A place is filled object by object and then closed, which builds the indexes: ten thousand objects in one namespace ask
 * about each other, and no question may walk all of them. Holds views only; lists live in the arena that is handed in.
 * Nothing fails.
 */
#pragma once
#include "core/kube/workload.h"
#include "quality/labels.h"

struct resource_refs {
    const struct resource **items;
    size_t count, cap;
};

struct place {
    struct {
        struct workload *items;
        size_t count, cap;
    } workloads; /* none that another workload controls */
    struct resource_refs autoscalers /* by target */, budgets, limit_ranges;
    struct resource_refs loose_budgets; /* that ask for no label */
    struct labels labels;               /* of workloads */
    struct labels budgeted;             /* of budgets: the label that their selector begins with */
    struct str_list claims;             /* that pods mount, sorted */
    struct str_list claims_of;          /* "<template>-<set>" of StatefulSets, which add a number; sorted */
    struct str_list
        made_secrets; /* that Certificates and ExternalSecrets make under a name of their own; sorted */
};

void place_add_workload(struct arena *arena, struct place *place, const struct workload *workload);
/* Anything else; what nobody asks for is not noted. */
void place_add(struct arena *arena, struct place *place, const struct resource *resource);
void place_close(struct place *place);

/* The workloads whose pods a selector selects, in the order of the place. */
struct place_walk {
    const struct place *place;
    const struct value *labels, *selector; /* one of them */
    struct label_range range;
};
struct place_walk place_selected_by(const struct place *place, const struct value *label_selector);
struct place_walk place_selected_by_map(const struct place *place, const struct value *labels);
const struct workload *place_next(struct place_walk *walk); /* NULL at the end */

/* The autoscaler of a workload; NULL without one. */
const struct resource *place_autoscaler(const struct place *place, const struct resource *workload);
bool place_has_budget_for(const struct place *place, const struct workload *workload);
/* Whether a LimitRange fills in `side` ("default" for limits, "defaultRequest") of a resource for containers. */
bool place_has_default(const struct place *place, const char *side, struct str resource);
/* Whether pods mount a PersistentVolumeClaim. */
bool place_mounts(const struct place *place, struct str claim);
/* Whether a Certificate or an ExternalSecret makes a Secret of that name, though it is called otherwise itself. */
bool place_makes_secret(const struct place *place, struct str name);
