/* openapi.h — does an object fit the schema that its API server publishes?
 *
 * Reads OpenAPI v3 documents as kube-apiserver serves them under /openapi/v3: one document per group version, kinds
 * found by x-kubernetes-group-version-kind, types joined by $ref and by an allOf of one. What is checked: unknown
 * fields, wrong types, missing required fields, values outside an enum. What is not: patterns, ranges and CEL rules;
 * the server has the last word on those. `status` and managedFields are the server's own and are passed over.
 * Schemas are compiled when their kind is first met and kept, so that many objects cost one walk each.
 * Depth is bounded; a document that is no schema knows no kinds. Nothing fails. One openapi belongs to one thread.
 */
#pragma once
#include "core/kube/resource.h"

struct openapi;

enum openapi_fault_kind {
    OPENAPI_UNKNOWN_FIELD,
    OPENAPI_WRONG_TYPE,
    OPENAPI_MISSING_FIELD,
    OPENAPI_BAD_VALUE
};

struct openapi_fault {
    enum openapi_fault_kind kind;
    struct str path;   /* dotted: "spec.containers[0].image" */
    struct str detail; /* what stood there and what belongs there; never the value of a string */
};

enum { OPENAPI_MAX_FAULTS = 32, OPENAPI_MAX_DEPTH = 64 };

struct openapi_faults {
    struct openapi_fault items[OPENAPI_MAX_FAULTS];
    size_t count;
    bool known; /* the documents have a schema for this kind */
};

/* `documents` as in bundle->openapi; NULL gives an openapi that knows nothing. */
struct openapi *openapi_open(struct arena *arena, const struct value *documents);
/* Texts of the faults live in `arena`. */
void openapi_validate(struct openapi *openapi, struct arena *arena, const struct resource *resource,
                      struct openapi_faults *ret_faults);
