#include "core/kube/schemas.h"

#include <stdlib.h>

enum { MAX_REFERENCES = 8 };

static int named_order(const void *a, const void *b)
{
    return str_cmp(((const struct schema_named *)a)->name, ((const struct schema_named *)b)->name);
}

void schemas_of(struct arena *arena, const struct value *document, struct schemas *ret_schemas)
{
    const struct value *all = value_in(document, PATH("components", "schemas"));
    struct schemas schemas = {.items = ARENA_ARRAY(arena, struct schema_named, value_count(all) + 1)};
    MEMBER_EACH(member, all)
        schemas.items[schemas.count++] = (struct schema_named){member->key, &member->value};
    qsort(schemas.items, schemas.count, sizeof *schemas.items, named_order);
    *ret_schemas = schemas;
}

const struct value *schemas_resolve(const struct schemas *schemas, const struct value *schema)
{
    for (int hops = 0; hops < MAX_REFERENCES && schema != NULL; hops++) {
        const struct value *all = value_key(schema, "allOf");
        struct str reference =
            value_str(value_key(value_count(all) == 1 ? value_item(all, 0) : schema, "$ref"));
        if (reference.len == 0)
            return schema;
        struct schema_named key = {str_from(reference, str_rfind(reference, '/') + 1), NULL};
        const struct schema_named *found =
            bsearch(&key, schemas->items, schemas->count, sizeof key, named_order);
        schema = found ? found->schema : NULL;
    }
    return schema;
}

static bool is_of(const struct value *schema, const struct resource *like)
{
    VALUE_EACH(kind, value_key(schema, "x-kubernetes-group-version-kind"))
        if (str_eq(value_str(value_key(kind, "kind")), like->kind) &&
            str_eq(value_str(value_key(kind, "group")), resource_group(like)) &&
            str_eq(value_str(value_key(kind, "version")), resource_version(like)))
            return true;
    return false;
}

const struct value *schemas_kind(const struct schemas *schemas, const struct resource *like)
{
    for (size_t i = 0; i < schemas->count; i++)
        if (is_of(schemas->items[i].schema, like))
            return schemas->items[i].schema;
    return NULL;
}
