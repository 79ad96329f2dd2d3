/* dependencies_intern.h — what the files of dependencies.h share; nobody else includes it.
 *
 *   dependencies.c       annotations, Services and the workloads behind them
 *   dependency_names.c   Services that texts name
 *   dependency_order.c   levels, and cycles
 */
#pragma once
#include "core/kube/dependencies.h"

struct dependency_graph {
    struct arena *arena;
    const struct bundle *bundle;
    struct dependencies *result;
};

/* `from` needs what stands behind the Service, every workload of it. */
void dependency_on_service(struct dependency_graph *graph, size_t from, const struct resource *service,
                           enum dependency_source source);
/* The Services that the workload at `index` names. */
void dependencies_seen(struct dependency_graph *graph, size_t index);
/* Fills levels and cycles from the sorted list. */
void dependencies_order(struct arena *arena, struct dependencies *dependencies);
