/* estate.h — a bundle seen as neighbourhoods: what a check may ask about the objects around the one it looks at.
 *
 * estate_open walks a sorted bundle once and notes per namespace what checks ask for again and again. It also decides
 * what is judged at all: children of controllers are judged through their controllers, and what Kubernetes keeps for
 * itself (kube-* namespaces, bootstrapped roles, nodes, events …) is nobody's to improve. Views only; everything lives
 * in the arena that is handed in. Nothing here fails.
 */
#pragma once
#include "core/kube/bundle.h"
#include "core/kube/workload.h"

struct workloads {
    struct workload *items;
    size_t count, cap;
};

struct resource_refs {
    const struct resource **items;
    size_t count, cap;
};

/* One namespace; the place with an empty name holds what is cluster-scoped. */
struct place {
    struct str name;
    const struct resource *object; /* its Namespace; NULL when the bundle has none */
    size_t index;                  /* among estate->places; SIZE_MAX when the bundle has nothing there */
    bool excluded;
    struct workloads workloads; /* none that another workload controls */
    struct resource_refs services, budgets, autoscalers, policies;
    struct resource_refs quotas, limit_ranges;
};

struct estate {
    struct arena *arena;
    const struct bundle *bundle;
    struct place *places; /* by name */
    size_t place_count;
    struct str_list bound_accounts; /* "namespace/name" of accounts that some binding gives rights; sorted */
};

struct estate *estate_open(struct arena *arena, const struct bundle *bundle);
/* Never NULL: a namespace without objects is an empty place. */
const struct place *estate_place(const struct estate *estate, struct str namespace);
/* The object, or NULL. */
const struct resource *estate_find(const struct estate *estate, const char *group, const char *kind,
                                   struct str namespace, struct str name);
/* Whether the snapshot could not read that type (forbidden, stale, left out by choice): what the bundle lacks of it may
 * be in the cluster all the same, and nobody may call it missing. */
bool estate_is_unread(const struct estate *estate, const char *group, const char *kind);
/* Whether a Secret is there or something that makes it: SealedSecret, ExternalSecret, a cert-manager Certificate. */
bool estate_has_secret(const struct estate *estate, struct str namespace, struct str name);
bool estate_account_is_bound(const struct estate *estate, struct str namespace, struct str name);

/* How an object takes part in the score. */
enum standing { JUDGED, CHILD, EXCLUDED };
enum standing estate_standing(const struct estate *estate, const struct resource *resource);
bool estate_is_system_namespace(struct str namespace);

/* The first workload of the place whose pods a selector selects; NULL when there is none. */
const struct workload *place_selected(const struct place *place, const struct value *label_selector);
const struct workload *place_selected_by_map(const struct place *place, const struct value *labels);
/* The autoscaler of a workload; NULL without one. */
const struct resource *place_autoscaler(const struct place *place, const struct resource *workload);
bool place_has_budget_for(const struct place *place, const struct workload *workload);
/* Whether a LimitRange fills in `side` ("default" for limits, "defaultRequest") of a resource for containers. */
bool place_has_default(const struct place *place, const char *side, struct str resource);
/* Whether a volume can be mounted on one node only, so that a second replica elsewhere would wait for ever. */
bool estate_is_tied_to_a_node(const struct estate *estate, const struct workload *workload);
