/* corpus.h — a cluster's worth of objects, made from a seed: the same on every machine. */
#pragma once
#include "core/kube/parts.h"

/* Fills `bundle` with about `objects` live-looking objects (Deployments, ReplicaSets, Pods, Services, ConfigMaps …) over
 * `namespaces` namespaces, with managedFields and status as an API server returns them. */
void corpus_fill(struct bundle *bundle, size_t namespaces, size_t objects);
/* The same as a stash in `arena`, never more than one object of it in memory. */
struct stash *corpus_stash(struct arena *arena, size_t namespaces, size_t objects);
/* Prints what `work` takes in memory: the peak of a child that does nothing else with such a corpus, the stash's own among
 * it. */
void corpus_memory_row(size_t namespaces, size_t objects, void (*work)(const struct parts *parts));
/* The same as one JSON List, for parsers. */
struct str corpus_json(struct arena *arena, size_t namespaces, size_t objects);
/* The same, of ConfigMaps alone. */
struct str corpus_config_maps(struct arena *arena, size_t namespaces, size_t objects);
