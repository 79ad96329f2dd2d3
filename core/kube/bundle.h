/* bundle.h — what flows through the pipeline: a sorted array of resources and what is known about where they came
 * from. A bundle and all it points to live in one arena. */
#pragma once
#include "core/kube/resource.h"

struct bundle {
    struct arena *arena;
    struct resource *items; /* sorted by resource_cmp once bundle_sort ran; no two are the same object */
    size_t count, cap;
    struct resource_types types; /* every type the source knows, also those without objects */

    /* About the source; empty where it does not apply (a folder of manifests has no cluster). */
    struct str backup_id, cluster, cluster_uid, server_version, resource_version;
    int64_t taken_ms;              /* Unix time of the snapshot; 0 unknown */
    bool complete;                 /* no hole: every selected type was read */
    const struct value *selection; /* what of it was to be read (kube_selection_value); NULL: everything */
    bool narrowed;                 /* less than usual was asked for: what is not here may well be there */
    bool sandbox;                  /* it came from the stand-in API server */
    const struct value *openapi;   /* map "api/v1", "apis/apps/v1" → OpenAPI v3 document; NULL without */
    struct str_list problems;      /* input that was left out and why, one line each (file, line, column) */
};

void bundle_init(struct bundle *bundle, struct arena *arena);
/* Appends; keeps the view, copies nothing. */
struct resource *bundle_add(struct bundle *bundle, const struct resource *resource);
/* Sorts; of objects that come twice the later is dropped and named in `problems`. */
void bundle_sort(struct bundle *bundle);
/* How that is told. */
struct str bundle_twice(struct arena *arena, const struct resource *dropped, const struct resource *kept);
const struct resource *bundle_find(const struct bundle *bundle, struct str group, struct str kind,
                                   struct str namespace, struct str name);
/* Index range [*ret_from, *ret_to) of a namespace in a sorted bundle. */
void bundle_namespace(const struct bundle *bundle, struct str namespace, size_t *ret_from, size_t *ret_to);

/* Reads manifests: a file, a folder (every .yaml, .yml, .json below it, kustomizations left out), or "-". Kind List
 * is taken apart. A malformed document is named in `problems` (file:line:column) and the rest goes on; NOT_FOUND when
 * there is no such path; INVALID when nothing at all could be read. Types come from CRDs among the manifests and from
 * the built-in table. */
bool bundle_read_manifests(struct arena *arena, const char *path, struct bundle *ret_bundle,
                           struct err *err) WARN_UNUSED;
/* The same over one text, for standard input and rendered output. */
bool bundle_read_text(struct bundle *bundle, struct str text, struct str name, struct err *err) WARN_UNUSED;
