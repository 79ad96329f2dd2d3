/* Fields that hold the API's default and that nobody is known to have written: one walk over the object, with its
 * shape and with the evidence of managedFields and last-applied in step. The shape of a built-in kind is a table, that
 * of a custom resource the schema in its CRD. */
#include "core/base/json.h"
#include "core/base/pointer.h"
#include "transform/default_fields.h"
#include "transform/rule.h"

/* Where the walk is, as a chain on the stack: a pointer is only made for what is removed. */
struct trail {
    const struct trail *up;
    struct str key;
    size_t index; /* used where key.ptr is NULL */
};

static struct str trail_pointer(struct arena *arena, const struct trail *trail)
{
    if (trail == NULL)
        return STR_NONE;
    struct str up = trail_pointer(arena, trail->up);
    return trail->key.ptr ? pointer_child(arena, up, trail->key) : pointer_index(arena, up, trail->index);
}

/* What is known of a value's place: a table, a structural schema, or neither. */
struct shape {
    const struct default_field *fields;
    const struct value *schema;
};

/* What is known of one member: the row of the table, or the schema. */
struct known_member {
    const struct default_field *field;
    const struct value *schema;
};

static const struct default_field *field_of(const struct default_field *fields, struct str key)
{
    for (; fields && fields->key; fields++)
        if (str_is(key, fields->key))
            return fields;
    return NULL;
}

static struct known_member known_of(struct shape shape, struct str key)
{
    const struct value *schema = value_get(value_key(shape.schema, "properties"), key);
    if (schema == NULL)
        schema = value_key(shape.schema, "additionalProperties");
    return (struct known_member){field_of(shape.fields, key), value_is(schema, VALUE_MAP) ? schema : NULL};
}

/* A table describes the items of a list as it does a map in its place. */
static struct shape shape_of_items(struct shape shape)
{
    return (struct shape){shape.fields, value_key(shape.schema, "items")};
}

/* Scalars are compared as they stand in the table; only the few lists there are parsed. */
static bool equals_json(struct arena *arena, const struct value *value, const char *json)
{
    struct str text = str_of(json);
    switch (value->kind) {
    case VALUE_STRING:
        return text.len >= 2 && text.ptr[0] == '"' &&
               str_eq(value_str(value), str_slice(text, 1, text.len - 1));
    case VALUE_NUMBER:
    case VALUE_BOOL: return str_eq(value_text(value), text);
    case VALUE_MAP: return value_count(value) == 0 && str_is(text, "{}");
    case VALUE_LIST: {
        const struct value *list;
        struct err ignored;
        return text.ptr[0] == '[' && json_parse(arena, text, NULL, &list, &ignored) &&
               value_equal(value, list);
    }
    case VALUE_NULL: return str_is(text, "null");
    }
    return false;
}

static bool is_field_default(struct arena *arena, const struct default_field *field, const struct value *map,
                             const struct value *value)
{
    if (field->value && !equals_json(arena, value, field->value))
        return false;
    return field->only_if ? field->only_if(map, value) : field->value != NULL;
}

static bool is_default(struct arena *arena, struct known_member known, const struct value *map,
                       const struct value *value)
{
    if (known.field)
        return is_field_default(arena, known.field, map, value);
    const struct value *fallback = value_key(known.schema, "default");
    return fallback != NULL && value_equal(fallback, value);
}

static const struct value *prune(struct subject *subject, const struct value *value, struct shape shape,
                                 const struct managed_at *at, const struct trail *trail);

/* The first change copies what stands before it; most lists and maps never change. */
static const struct value *prune_list(struct subject *subject, const struct value *list, struct shape shape,
                                      const struct managed_at *at, const struct trail *trail)
{
    struct value *items = NULL;
    for (uint32_t i = 0; i < list->count; i++) {
        const struct value *item = &list->items[i];
        struct trail here = {trail, STR_NONE, i};
        struct managed_at there;
        if (!value_is(item, VALUE_MAP))
            continue;
        managed_item(subject->arena, at, item, i, &there);
        const struct value *left = prune(subject, item, shape, &there, &here);
        if (left == item)
            continue;
        if (items == NULL)
            items = arena_grow(subject->arena, list->items, list->count, list->count, sizeof *items);
        items[i] = *left;
    }
    struct value_list_builder built = {items, list->count, list->count};
    return items ? value_list_done(subject->arena, &built) : list;
}

/* What is left of one member; NULL when it goes. */
static const struct value *prune_member(struct subject *subject, const struct value *map,
                                        const struct member *member, struct known_member known,
                                        const struct managed_at *at, const struct trail *trail)
{
    struct shape below = {known.field ? known.field->below : NULL, known.schema};
    struct managed_at there;
    managed_member(at, member->key, &there);
    const struct value *left = prune(subject, &member->value, below, &there, trail);
    if (!is_default(subject->arena, known, map, left) || managed_who(&there) == MANAGED_BY_APPLY)
        return left;
    subject_note(subject, TRANSFORM_REMOVED, trail_pointer(subject->arena, trail));
    return NULL;
}

static const struct value *prune_map(struct subject *subject, const struct value *map, struct shape shape,
                                     const struct managed_at *at, const struct trail *trail)
{
    struct member *members = NULL;
    size_t count = 0;
    MEMBER_EACH(member, map) {
        struct known_member known = known_of(shape, member->key);
        struct trail here = {trail, member->key, 0};
        const struct value *left = &member->value;
        if (known.field || known.schema)
            left = prune_member(subject, map, member, known, at, &here);
        if (left != &member->value && members == NULL)
            members = arena_grow(subject->arena, map->members, map->count, map->count, sizeof *members);
        if (left == NULL)
            continue;
        if (members != NULL)
            members[count] = (struct member){member->key, *left};
        count++;
    }
    struct value_map_builder built = {members, count, map->count};
    return members ? value_map_done(subject->arena, &built) : map;
}

static const struct value *prune(struct subject *subject, const struct value *value, struct shape shape,
                                 const struct managed_at *at, const struct trail *trail)
{
    if (shape.fields == NULL && shape.schema == NULL)
        return value;
    if (value_is(value, VALUE_LIST))
        return prune_list(subject, value, shape_of_items(shape), at, trail);
    return value_is(value, VALUE_MAP) ? prune_map(subject, value, shape, at, trail) : value;
}

void rule_defaults(struct subject *subject)
{
    struct shape shape = {
        default_fields_of(resource_group(subject->live), subject->live->kind),
        scene_schema(subject->scene, subject->live),
    };
    if (!subject->from_cluster)
        return;
    struct managed_at top;
    managed_top(&subject->managed, MANAGED_BY_APPLY, &top);
    subject->object = prune(subject, subject->object, shape, &top, NULL);
}
