/* corpus.h — a cluster's worth of objects, made from a seed: the same on every machine. */
#pragma once
#include "core/kube/stash.h"

/* Fills `bundle` with about `objects` live-looking objects (Deployments, ReplicaSets, Pods, Services, ConfigMaps …) over
 * `namespaces` namespaces, with managedFields and status as an API server returns them. */
void corpus_fill(struct bundle *bundle, size_t namespaces, size_t objects);
/* The same as a stash in `arena`, never more than one object of it in memory. */
struct stash *corpus_stash(struct arena *arena, size_t namespaces, size_t objects);
/* The same as one JSON List, for parsers. */
struct str corpus_json(struct arena *arena, size_t namespaces, size_t objects);
/* The same, of ConfigMaps alone. */
struct str corpus_config_maps(struct arena *arena, size_t namespaces, size_t objects);
