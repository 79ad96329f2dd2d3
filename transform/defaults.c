/* Fields that hold the API's default and that nobody is known to have written: one walk over the object, with its
 * shape and with the evidence of managedFields and last-applied in step. */
#include "core/base/pointer.h"
#include "transform/default_shape.h"
#include "transform/rule.h"

static const struct value *prune(struct subject *subject, const struct value *value,
                                 const struct default_node *node, const struct managed_at *at,
                                 const struct pointer_place *place);

/* The first change copies what stands before it; most lists and maps never change. */
static const struct value *prune_list(struct subject *subject, const struct value *list,
                                      const struct default_node *node, const struct managed_at *at,
                                      const struct pointer_place *place)
{
    struct value *items = NULL;
    for (uint32_t i = 0; i < list->count; i++) {
        const struct value *item = &list->items[i];
        struct pointer_place here = {.parent = place, .index = i, .in_list = true};
        struct managed_at there;
        if (!value_is(item, VALUE_MAP))
            continue;
        managed_item(subject->scratch, at, item, i, &there);
        const struct value *left = prune(subject, item, node, &there, &here);
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
                                        const struct member *member, const struct default_row *row,
                                        const struct default_node *below, const struct managed_at *at,
                                        const struct pointer_place *place)
{
    struct managed_at there;
    managed_member(at, member->key, &there);
    const struct value *left = prune(subject, &member->value, below, &there, place);
    if (!default_is(row, map, left) || managed_who(&there) == MANAGED_BY_APPLY)
        return left;
    subject_note_removed_at(subject, place);
    return NULL;
}

static const struct value *prune_map(struct subject *subject, const struct value *map,
                                     const struct default_node *node, const struct managed_at *at,
                                     const struct pointer_place *place)
{
    struct member *members = NULL;
    size_t count = 0;
    MEMBER_EACH(member, map) {
        const struct default_row *row = default_row_of(node, member->key);
        const struct default_node *below = default_below(node, row);
        struct pointer_place here = {.parent = place, .key = member->key};
        const struct value *left = &member->value;
        if (row != NULL || below != NULL)
            left = prune_member(subject, map, member, row, below, at, &here);
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

static const struct value *prune(struct subject *subject, const struct value *value,
                                 const struct default_node *node, const struct managed_at *at,
                                 const struct pointer_place *place)
{
    if (node == NULL)
        return value;
    if (value_is(value, VALUE_LIST))
        return prune_list(subject, value, node, at, place);
    return value_is(value, VALUE_MAP) ? prune_map(subject, value, node, at, place) : value;
}

void rule_defaults(struct subject *subject)
{
    if (!subject->from_cluster)
        return;
    const struct default_node *node = default_kinds_find(&subject->scene->defaults, subject->live);
    subject->object = prune(subject, subject->object, node, &subject->managed.top, NULL);
}
