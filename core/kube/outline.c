#include "core/kube/outline.h"

#include "core/kube/dependencies.h"

enum { PATH_KEYS = 8 };

static const struct row {
    const char *group, *kind, *fields;
} rows[] = {
#define OUTLINE(group, kind, fields) {group, kind, fields},
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

/* A copy of what stands at the path, in the maps that lead to it. */
static const struct value *with_field(struct arena *arena, const struct value *kept,
                                      const struct value *object, struct str dotted)
{
    const char *path[PATH_KEYS + 1] = {NULL};
    for (size_t i = 0; i < PATH_KEYS && dotted.len != 0; i++)
        path[i] = str_c(arena, str_cut(&dotted, '.'));
    const struct value *value = value_in(object, path);
    return value ? value_with_in(arena, kept, path, value_copy(arena, value)) : kept;
}

static const struct value *fields_of(struct arena *arena, const struct resource *resource,
                                     const struct row *row)
{
    const struct value *kept = NULL, *object = resource->object;
    struct str fields = row ? str_of(row->fields) : STR_NONE;
    if (str_is(fields, "*"))
        return value_copy(arena, object);
    while (fields.len != 0)
        kept = with_field(arena, kept, object, str_cut(&fields, ' '));
    const char *const *annotation = PATH("metadata", "annotations", DEPENDS_ON);
    const struct value *needs = value_in(object, annotation);
    return needs ? value_with_in(arena, kept, annotation, value_copy(arena, needs)) : kept;
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
