#include "core/kustomize/schema.h"

enum scope { NAMESPACED, CLUSTER };

static const struct {
    const char *group, *version, *kind;
    enum scope scope;
    enum shape shape;
} kinds[] = {
#define KIND(group, version, kind, scope, shape) {group, version, kind, scope, SHAPE_##shape},
#include "core/kustomize/kinds.def"
#undef KIND
};

static const struct schema_field fields[] = {
#define FIELD(shape, name, what, below, key, second)                                                         \
    {SHAPE_##shape, name, SCHEMA_##what, SHAPE_##below, {key, second}},
#include "core/kustomize/fields.def"
#undef FIELD
};

static size_t find(struct str group, struct str version, struct str kind)
{
    size_t i = 0;
    while (i < COUNT_OF(kinds) && !(str_is(kind, kinds[i].kind) && str_is(group, kinds[i].group) &&
                                    str_is(version, kinds[i].version)))
        i++;
    return i;
}

enum shape schema_shape(struct str group, struct str version, struct str kind)
{
    size_t i = find(group, version, kind);
    return i < COUNT_OF(kinds) ? kinds[i].shape : SHAPE_NONE;
}

bool schema_cluster_scoped(struct str group, struct str version, struct str kind)
{
    size_t i = find(group, version, kind);
    return i < COUNT_OF(kinds) && kinds[i].scope == CLUSTER;
}

const struct schema_field *schema_field_of(enum shape shape, struct str name)
{
    for (size_t i = 0; i < COUNT_OF(fields); i++)
        if (fields[i].shape == shape && str_is(name, fields[i].name))
            return &fields[i];
    return NULL;
}
