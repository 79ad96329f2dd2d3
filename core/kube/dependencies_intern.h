/* dependencies_intern.h — what the files of dependencies.h share; nobody else includes it.
 *
 *   dependencies.c       annotations, Services and the workloads behind them
 *   dependency_index.c   finding workloads by label, and objects by name
 *   dependency_names.c   Services that texts name
 *   dependency_order.c   levels, and cycles
 */
#pragma once
#include "core/kube/dependencies.h"

/* Of `labels`: key and value of a label of the pods. Of `kinds`: kind and name. */
struct dependency_entry {
    struct str namespace, key, value;
    size_t index; /* of labels: in the part; of kinds: in the whole */
};

/* By namespace, key, value and index; made when something is looked for. */
struct dependency_index {
    struct dependency_entry *items;
    size_t count, cap;
    bool made;
};

/* Somebody needs what stands behind a Service that is not in his part. */
struct dependency_pending {
    size_t from;
    const struct resource *service; /* of the whole */
    enum dependency_source source;
};

struct dependency_graph {
    struct arena *arena;
    const struct bundle *bundle; /* the whole */
    struct dependencies result;
    struct dependency_index kinds;
    const struct bundle *part;      /* that is shown */
    struct dependency_index labels; /* of its workloads; in its arena */
    struct {
        struct dependency_pending *items;
        size_t count, cap;
    } pending;
};

/* Every workload of the part that the selector of a Service may match, in its order, and some that it does not: those
 * with its rarest label. */
const struct dependency_entry *dependency_candidates(struct dependency_graph *graph, struct str namespace,
                                                     const struct value *selector, size_t *ret_count);
/* Index of the object in the whole; where two groups have the kind, of the first in order; the count of the whole for
 * none. */
size_t dependency_find(struct dependency_graph *graph, struct str namespace, struct str kind,
                       struct str name);

/* `from` needs what stands behind the Service, every workload of it. */
void dependency_on_service(struct dependency_graph *graph, size_t from, const struct resource *service,
                           enum dependency_source source);
/* The Services that a workload of the part names; `index` is its place in the whole. */
void dependencies_seen(struct dependency_graph *graph, size_t index, const struct resource *resource);
/* Fills levels and cycles from the sorted list. */
void dependencies_order(struct arena *arena, struct dependencies *dependencies);
