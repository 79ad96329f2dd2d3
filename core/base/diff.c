#include "core/base/diff.h"

#include "core/base/pointer.h"

struct walk {
    struct arena *arena;
    struct diff_list *differences;
};

static void report(const struct walk *walk, enum diff_kind kind, const struct pointer_place *place,
                   const struct value *before, const struct value *after)
{
    *ARENA_PUSH(walk->arena, walk->differences) =
        (struct diff){kind, pointer_of_place(walk->arena, place), before, after};
}

static void compare(const struct walk *walk, const struct pointer_place *place, const struct value *before,
                    const struct value *after);

static void compare_maps(const struct walk *walk, const struct pointer_place *place,
                         const struct value *before, const struct value *after)
{
    MEMBER_EACH(member, before) {
        struct pointer_place here = {.parent = place, .key = member->key};
        compare(walk, &here, &member->value, value_get(after, member->key));
    }
    MEMBER_EACH(member, after) {
        struct pointer_place here = {.parent = place, .key = member->key};
        if (value_get(before, member->key) == NULL)
            compare(walk, &here, NULL, &member->value);
    }
}

static void compare_lists(const struct walk *walk, const struct pointer_place *place,
                          const struct value *before, const struct value *after)
{
    size_t count = before->count > after->count ? before->count : after->count;
    for (size_t i = 0; i < count; i++) {
        struct pointer_place here = {.parent = place, .index = i, .in_list = true};
        compare(walk, &here, value_item(before, i), value_item(after, i));
    }
}

static void compare(const struct walk *walk, const struct pointer_place *place, const struct value *before,
                    const struct value *after)
{
    if (before == NULL && after == NULL)
        return;
    if (before == NULL)
        report(walk, DIFF_ADDED, place, NULL, after);
    else if (after == NULL)
        report(walk, DIFF_REMOVED, place, before, NULL);
    else if (before->kind == VALUE_MAP && after->kind == VALUE_MAP)
        compare_maps(walk, place, before, after);
    else if (before->kind == VALUE_LIST && after->kind == VALUE_LIST)
        compare_lists(walk, place, before, after);
    else if (!value_equal(before, after))
        report(walk, DIFF_CHANGED, place, before, after);
}

void diff_values(struct arena *arena, const struct value *before, const struct value *after,
                 struct diff_list *differences)
{
    struct walk walk = {arena, differences};
    compare(&walk, NULL, before, after);
}
