/* default_shape.h — what a server fills in where an author said nothing, as one tree per kind.
 *
 * Three sources are joined: the schema in its CRD for a custom resource, the OpenAPI document of its group version for
 * a built-in kind, and a table (default_fields.h) for what no document tells: most of Kubernetes' own defaults are code
 * of the API server. Where both speak the cluster's own word counts, except that a condition or a "keep" of the table
 * stands. Zero values in a document ({}, "", 0, false) are not taken: there they say how a field is encoded, and an
 * empty map can be meant.
 * Trees are compiled once per kind, and hold only places that lead to a default. They live in the arena. A
 * document that is none tells nothing; reading one may fail.
 */
#pragma once
#include "core/kube/parts.h"
#include "transform/default_fields.h"

struct default_row {
    struct str key;
    const struct value *value; /* NULL: no default, or one that only_if knows */
    is_default_fn only_if;     /* NULL: always */
    const struct default_node *below;
};

/* A place: of a map its members, of a list those of its items. */
struct default_node {
    struct default_row *items;
    size_t count, cap;
    const struct default_node
        *others; /* of members that no row names: additionalProperties; NULL: nothing known */
};

/* Every kind of a cluster. */
struct default_kinds {
    struct default_kind {
        struct str api_version, kind;
        const struct default_node *node; /* NULL: nothing is known to be filled in */
    } * items;
    size_t count, cap;
};

/* `schema` of a CRD for a kind, or NULL. */
typedef const struct value *(*default_schema_fn)(const void *ctx, const struct resource *resource);
/* For every kind of the parts. Documents are read one after the other, and not kept. */
bool default_kinds_compile(struct default_kinds *kinds, struct arena *arena, const struct parts *live,
                           default_schema_fn schema, const void *ctx, struct err *err) WARN_UNUSED;
const struct default_node *default_kinds_find(const struct default_kinds *kinds,
                                              const struct resource *resource);

const struct default_row *default_row_of(const struct default_node *node, struct str key);
/* What stands below a member, whether a row names it or not. */
const struct default_node *default_below(const struct default_node *node, const struct default_row *row);
/* Is `value` what the server would fill in? `map` is the map it stood in as it was read; below the value, what is a
 * default has been taken out already. */
bool default_is(const struct default_row *row, const struct value *map, const struct value *value);

/* Where a server that is given `after` would not come back to what `before` says: appends the pointers of members that
 * `after` lacks or has otherwise. */
void default_lost(struct arena *arena, const struct default_node *node, const struct value *before,
                  const struct value *after, struct str_list *lost);
