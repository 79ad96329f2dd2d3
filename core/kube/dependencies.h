/* dependencies.h — which objects need which others to run, and the order that follows.
 *
 * Two sources. A person says so, on any object:
 *   gitops-pipe.io/depends-on: "Deployment/api, shop/StatefulSet/db, Service/cache"
 * (namespace/Kind/name, or Kind/name in its own namespace; a Service stands for the workloads behind it.) And it shows: a
 * workload names a Service in its environment, in a ConfigMap that it reads, or in what an init container waits for, as
 * <service>.<namespace>[.svc…], in a URL, as host:port, or under a key such as DATABASE_HOST.
 *
 * `wanted` levels come from the first source alone: only what somebody asked for may hold back a deployment that waits
 * for health. `level` comes from both and is for whoever applies object after object. Level 0 needs nothing; every other
 * is one above the highest it needs. A cycle is named, and the weakest dependency in it (what is seen before what is
 * said, then the first in the order of the bundle) is not kept, so that there always is an order, and always the same.
 * Everything lives in the arena.
 *
 * Of the whole, identities are enough (core/kube/outline.h). What objects say and select is asked of their own part, as it
 * is shown; only where one needs a Service of another namespace, that part is taken once more at the end.
 */
#pragma once
#include "core/kube/parts.h"

#define DEPENDS_ON "gitops-pipe.io/depends-on"

enum dependency_source { DEPENDENCY_NAMED, DEPENDENCY_AWAITED, DEPENDENCY_WANTED }; /* the weakest first */

struct dependency {
    size_t from, to; /* indexes of the bundle: from needs to */
    enum dependency_source source;
    bool broken; /* not kept, because of a cycle */
};

struct dependency_list { /* by from, then to; no pair twice */
    struct dependency *items;
    size_t count, cap;
};

/* A way round: each needs the next, the last the first. */
struct dependency_cycle {
    size_t *items; /* indexes of the bundle */
    size_t count;
    size_t from, to; /* the dependency that is not kept */
    bool wanted;     /* somebody said one of them; else all are only seen */
};

struct dependency_cycles {
    struct dependency_cycle *items;
    size_t count, cap;
};

struct dependency_unknown {
    size_t from;
    struct str reference; /* as it is written */
};

struct dependencies {
    const struct bundle *bundle;
    struct dependency_list list;
    unsigned *level, *wanted; /* per item of the bundle */
    unsigned most_wanted;     /* the highest of `wanted` */
    struct dependency_cycles cycles;
    struct {
        struct dependency_unknown *items;
        size_t count, cap;
    } unknown; /* annotations that name nothing in the bundle */
};

struct dependency_graph;
/* `whole` is sorted, and outlives the result. */
struct dependency_graph *dependencies_open(struct arena *arena, const struct bundle *whole);
/* What the objects of one part say and show, which are among the whole; sorted. The part may go afterwards. */
void dependencies_see(struct dependency_graph *graph, const struct bundle *part);
/* After the last part; `parts` are all of them. Fails with what taking one fails with. */
bool dependencies_done(struct dependency_graph *graph, const struct parts *parts,
                       struct dependencies *ret_dependencies, struct err *err) WARN_UNUSED;

/* All of it, of a bundle that has everything; sorted. Nothing fails. */
void dependencies_of(struct arena *arena, const struct bundle *bundle, struct dependencies *ret_dependencies);
/* "shop/Deployment/a → shop/Deployment/b → shop/Deployment/a" */
struct str dependency_cycle_text(struct arena *arena, const struct bundle *bundle,
                                 const struct dependency_cycle *cycle);
