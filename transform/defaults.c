/* Fields that hold the API's default and that nobody is known to have written: one walk over the object, with the
 * table of its kind and with the evidence of managedFields and last-applied in step. */
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

static const struct default_field *field_of(const struct default_field *fields, struct str key)
{
    for (; fields->key; fields++)
        if (str_is(key, fields->key))
            return fields;
    return NULL;
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
    case VALUE_NULL: break;
    }
    return false;
}

static bool is_default(struct arena *arena, const struct default_field *field, const struct value *map,
                       const struct value *value)
{
    if (field->value && !equals_json(arena, value, field->value))
        return false;
    return field->only_if ? field->only_if(map, value) : field->value != NULL;
}

static const struct value *prune(struct subject *subject, const struct value *value,
                                 const struct default_field *fields, const struct managed_at *at,
                                 const struct trail *trail);

static const struct value *prune_list(struct subject *subject, const struct value *list,
                                      const struct default_field *fields, const struct managed_at *at,
                                      const struct trail *trail)
{
    struct value *items = ARENA_ARRAY(subject->arena, struct value, list->count);
    bool changed = false;
    for (uint32_t i = 0; i < list->count; i++) {
        const struct value *item = &list->items[i];
        struct trail here = {trail, STR_NONE, i};
        struct managed_at below;
        managed_item(subject->arena, at, item, i, &below);
        const struct value *left =
            value_is(item, VALUE_MAP) ? prune(subject, item, fields, &below, &here) : item;
        changed = changed || left != item;
        items[i] = *left;
    }
    struct value_list_builder built = {items, list->count, list->count};
    return changed ? value_list_done(subject->arena, &built) : list;
}

/* What is left of one member; NULL when it goes. */
static const struct value *prune_member(struct subject *subject, const struct value *map,
                                        const struct member *member, const struct default_field *field,
                                        const struct managed_at *at, const struct trail *trail)
{
    struct managed_at below;
    managed_member(at, member->key, &below);
    const struct value *left = &member->value;
    if (field->below)
        left = prune(subject, left, field->below, &below, trail);
    if (!is_default(subject->arena, field, map, left) || managed_who(&below) == MANAGED_BY_APPLY)
        return left;
    subject_note(subject, TRANSFORM_REMOVED, trail_pointer(subject->arena, trail));
    return NULL;
}

static const struct value *prune(struct subject *subject, const struct value *value,
                                 const struct default_field *fields, const struct managed_at *at,
                                 const struct trail *trail)
{
    if (value_is(value, VALUE_LIST))
        return prune_list(subject, value, fields, at, trail);
    if (!value_is(value, VALUE_MAP))
        return value;
    struct value_map_builder kept = {0};
    bool changed = false;
    MEMBER_EACH(member, value)
    {
        const struct default_field *field = field_of(fields, member->key);
        struct trail here = {trail, member->key, 0};
        const struct value *left =
            field ? prune_member(subject, value, member, field, at, &here) : &member->value;
        changed = changed || left != &member->value;
        if (left != NULL)
            value_put(subject->arena, &kept, member->key, left);
    }
    return changed ? value_map_done(subject->arena, &kept) : value;
}

void rule_defaults(struct subject *subject)
{
    const struct default_field *fields =
        default_fields_of(resource_group(subject->live), subject->live->kind);
    if (fields == NULL || !subject->from_cluster)
        return;
    struct managed_at top;
    managed_top(&subject->managed, MANAGED_BY_APPLY, &top);
    subject->object = prune(subject, subject->object, fields, &top, NULL);
}
