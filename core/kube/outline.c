#include "core/kube/outline.h"

enum { FIELDS = 5, KEYS = 8 };

static const struct row {
    const char *group, *kind;
    const char *fields[FIELDS][KEYS]; /* paths; each ends with NULL, and so does the list */
} rows[] = {
#define OUTLINE(group, kind, ...) {group, kind, {__VA_ARGS__}},
#include "core/kube/outline.def"
#undef OUTLINE
};

static const struct row *row_of(const struct resource *resource)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (resource_is(resource, rows[i].group, rows[i].kind))
            return &rows[i];
    return NULL;
}

/* Keys are the table's own texts; what stands behind them is copied. */
static const struct value *with_field(struct arena *arena, const struct value *kept,
                                      const struct value *object, const char *const *path)
{
    const struct value *value = value_in(object, path);
    return value ? value_with_in(arena, kept, path, value_copy(arena, value)) : kept;
}

/* NULL where nothing is kept. */
static const struct value *fields_of(struct arena *arena, const struct resource *resource,
                                     const struct row *row)
{
    const struct value *kept = NULL, *object = resource->object;
    if (row != NULL && row->fields[0][0] == NULL)
        return value_copy(arena, object);
    for (size_t i = 0; row != NULL && i < FIELDS && row->fields[i][0] != NULL; i++)
        kept = with_field(arena, kept, object, row->fields[i]);
    return kept;
}

/* Objects of a kind follow each other, and so do those of a namespace: their names are kept once. */
static struct str shared(struct arena *arena, struct str text, struct str last)
{
    return str_eq(text, last) ? last : str_dup(arena, text);
}

void outline_add(struct bundle *outline, const struct resource *resource)
{
    static const struct resource nobody;
    struct arena *arena = outline->arena;
    const struct resource *last = outline->count ? &outline->items[outline->count - 1] : &nobody;
    struct resource little = {
        .api_version = shared(arena, resource->api_version, last->api_version),
        .kind = shared(arena, resource->kind, last->kind),
        .namespace = shared(arena, resource->namespace, last->namespace),
        .name = str_dup(arena, resource->name),
        .object = fields_of(arena, resource, row_of(resource)),
    };
    bundle_add(outline, &little);
}

void outline_reserve(struct bundle *outline, size_t objects)
{
    outline->items = ARENA_ARRAY(outline->arena, struct resource, objects);
    outline->cap = objects;
}
