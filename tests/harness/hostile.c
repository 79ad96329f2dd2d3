#include "tests/harness/hostile.h"

#include <criterion/criterion.h>

#include "core/base/json.h"

struct replacing {
    struct arena *arena;
    const struct value *with;
    size_t at, seen;
};

static const struct value *replaced(struct replacing *r, const struct value *value)
{
    if (r->seen++ == r->at)
        return r->with;
    if (value_is(value, VALUE_LIST)) {
        struct value_list_builder list = {0};
        VALUE_EACH(item, value)
            value_push(r->arena, &list, replaced(r, item));
        return value_list_done(r->arena, &list);
    }
    if (value_is(value, VALUE_MAP)) {
        struct value_map_builder map = {0};
        MEMBER_EACH(member, value)
            value_put(r->arena, &map, member->key, replaced(r, &member->value));
        return value_map_done(r->arena, &map);
    }
    return value;
}

const struct value *hostile_replace(struct arena *arena, const struct value *root, size_t at,
                                    const struct value *with, bool *ret_inside)
{
    struct replacing replacing = {.arena = arena, .with = with, .at = at};
    const struct value *changed = replaced(&replacing, root);
    *ret_inside = replacing.seen > at;
    return changed;
}

const struct value *hostile_values(struct arena *arena)
{
    static const char text[] =
        "[null, true, -1, 99999999999999999999, 0.5, \"\", \"\\u0000\", \"a/b:c@d..%s%n{}\", [], [null], "
        "[null, 1], "
        "[[[]]], [{\"\": null}], {}, {\"\": {\"\": []}}, {\"name\": {}, \"value\": [], \"limits\": 3}, "
        "{\"name\": {}, \"f:spec\": []}]";
    struct err err;
    const struct value *values;
    cr_assert(json_parse(arena, str_of(text), NULL, &values, &err), "%s", err.msg);
    return values;
}
