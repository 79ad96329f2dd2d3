/* openapi.h — does an object fit the schema that its API server publishes?
 *
 * Reads OpenAPI v3 documents as kube-apiserver serves them under /openapi/v3: one document per group version, kinds
 * found by x-kubernetes-group-version-kind, types joined by $ref and by an allOf of one. What is checked: unknown
 * fields, wrong types, missing required fields, values outside an enum. What is not: patterns, ranges and CEL rules;
 * the server has the last word on those. `status` and managedFields are the server's own and are passed over.
 * The schemas of the kinds that are there are compiled at once, and the documents let go: what is kept is a few hundred
 * KB whatever the number of objects. Depth is bounded; a document that is no schema knows no kinds. Only reading a
 * document can fail (parts.h). One openapi belongs to one thread.
 */
#pragma once
#include "core/kube/parts.h"

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

/* Reads what parts_document gives for each kind of parts->kinds; the parts must outlive it. */
bool openapi_open(struct arena *arena, const struct parts *parts, struct openapi **ret_openapi,
                  struct err *err) WARN_UNUSED;
/* Texts of the faults live in `arena`. */
void openapi_validate(const struct openapi *openapi, struct arena *arena, const struct resource *resource,
                      struct openapi_faults *ret_faults);
