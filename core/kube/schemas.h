/* schemas.h — finding one's way in an OpenAPI v3 document of an API server: the schema of a kind, and what "$ref" leads
 * to.
 *
 * A snapshot holds one document per group version (bundle.openapi), each with all the types it needs under
 * components.schemas. Kinds are found by x-kubernetes-group-version-kind. Everything is a view into the documents.
 * Nothing fails: a document that is none has no schemas.
 */
#pragma once
#include "core/kube/resource.h"

struct schemas {
    struct schema_named {
        struct str name;
        const struct value *schema;
    } * items; /* sorted by name */
    size_t count;
};

/* Those of the document of one group version, which may be NULL. */
void schemas_of(struct arena *arena, const struct value *document, struct schemas *ret_schemas);
/* The schema that an object of this apiVersion and kind must fit; NULL when the document has none. */
const struct value *schemas_kind(const struct schemas *schemas, const struct resource *like);
/* What a schema stands for: "$ref" alone or as the one item of allOf is followed, as often as it takes. NULL when it leads
 * nowhere. */
const struct value *schemas_resolve(const struct schemas *schemas, const struct value *schema);
