#include "core/base/value.h"

#include <criterion/criterion.h>

#include "core/base/json.h"

static const struct value *parse(struct arena *arena, const char *text)
{
    const struct value *value;
    struct err err;
    cr_assert(json_parse(arena, str_of(text), NULL, &value, &err), "%s: %s", text, err.msg);
    return value;
}

#define IS(arena, value, text)                                                                               \
    cr_expect(str_is(json_text(arena, value), text), "%.*s", STR_ARG(json_text(arena, value)))

Test(value, reading_asks_no_questions_on_the_way)
{
    struct arena *arena = arena_new();
    const struct value *root =
        parse(arena, "{\"a\":{\"b\":[1,\"x\",true,null,1.5]},\"n\":-9223372036854775807}");
    const struct value *list = value_in(root, PATH("a", "b"));
    int64_t number = 7;
    cr_expect_eq(value_count(list), 5);
    cr_expect(value_i64(value_item(list, 0), &number) && number == 1);
    cr_expect(value_i64(value_key(root, "n"), &number) && number == -INT64_MAX);
    cr_expect_not(value_i64(value_item(list, 4), &number));
    cr_expect_not(value_i64(value_item(list, 1), &number));
    cr_expect(str_is(value_str(value_item(list, 1)), "x"));
    cr_expect(str_is(value_text(value_item(list, 0)), "1"));
    cr_expect(str_is(value_text(value_item(list, 2)), "true"));
    cr_expect(str_is(value_text(value_item(list, 3)), ""));
    cr_expect(str_is(value_text(value_bool(arena, false)), "false"));
    cr_expect(value_true(value_item(list, 2)) && !value_true(value_item(list, 0)));
    cr_expect_null(value_item(list, 5));
    cr_expect_null(value_item(root, 0));
    cr_expect_null(value_key(list, "x"));
    cr_expect_null(value_key(NULL, "x"));
    cr_expect_null(value_in(root, PATH("a", "x", "y")));
    cr_expect_eq(value_in(root, PATH(NULL)), root);
    cr_expect(str_is(value_str_in(root, PATH("a")), ""));
    cr_expect_eq(value_count(NULL), 0);
    cr_expect_str_eq(value_kind_name(VALUE_MAP), "map");
    cr_expect_str_eq(value_kind_name((enum value_kind)99), "?");
    arena_free(arena);
}

Test(value, loops_accept_anything)
{
    struct arena *arena = arena_new();
    const struct value *wrong[] = {NULL, parse(arena, "1"), parse(arena, "[]"), parse(arena, "{}")};
    size_t seen = 0;
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        VALUE_EACH(item, wrong[i])
            seen += item != NULL;
        MEMBER_EACH(member, wrong[i])
            seen += member != NULL;
    }
    cr_expect_eq(seen, 0);
    VALUE_EACH(item, parse(arena, "[1,2]"))
        seen += item->kind == VALUE_NUMBER;
    MEMBER_EACH(member, parse(arena, "{\"a\":1}"))
        seen += str_is(member->key, "a");
    cr_expect_eq(seen, 3);
    arena_free(arena);
}

Test(value, editing_leaves_the_old_tree_alone)
{
    struct arena *arena = arena_new();
    const struct value *one = value_int(arena, 1),
                       *root = parse(arena, "{\"a\":{\"b\":{\"c\":1}},\"d\":[1]}");
    struct str before = json_text(arena, root);
    IS(arena, value_with(arena, root, STR("d"), one), "{\"a\":{\"b\":{\"c\":1}},\"d\":1}");
    IS(arena, value_with(arena, root, STR("e"), one), "{\"a\":{\"b\":{\"c\":1}},\"d\":[1],\"e\":1}");
    IS(arena, value_with(arena, NULL, STR("e"), one), "{\"e\":1}");
    IS(arena, value_without(arena, root, STR("a")), "{\"d\":[1]}");
    cr_expect_eq(value_without(arena, root, STR("x")), root);
    cr_expect_eq(value_without(arena, one, STR("x")), one);
    IS(arena, value_with_in(arena, root, PATH("a", "b", "x", "y"), one),
       "{\"a\":{\"b\":{\"c\":1,\"x\":{\"y\":1}}},\"d\":[1]}");
    IS(arena, value_without_in(arena, root, PATH("a", "b", "c")), "{\"a\":{\"b\":{}},\"d\":[1]}");
    cr_expect_eq(value_without_in(arena, root, PATH("a", "x", "c")), root);
    cr_expect_eq(value_without_in(arena, root, PATH("a", "b", "x")), root);
    cr_expect(str_eq(before, json_text(arena, root)));
    arena_free(arena);
}

static const struct value *drop_ones(struct arena *arena, const struct value *item, void *ctx)
{
    return str_is(value_text(item), "1") ? NULL : item;
}

Test(value, making_and_changing_lists)
{
    struct arena *arena = arena_new();
    const struct value *list = parse(arena, "[1,2,1,3]"), *same = parse(arena, "[2]");
    IS(arena, value_change_items(arena, list, drop_ones, NULL), "[2,3]");
    cr_expect_eq(value_change_items(arena, same, drop_ones, NULL), same);
    IS(arena,
       VALUE_MAP(arena, {"a", value_null(arena)}, {"b", NULL},
                 {"c", VALUE_LIST(arena, value_cstr(arena, "x"), NULL)}),
       "{\"a\":null,\"c\":[\"x\"]}");
    arena_free(arena);
}

Test(value, equal_means_the_same_in_any_order)
{
    static const struct {
        const char *a, *b;
        bool equal;
    } cases[] = {
        {"{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}", true},
        {"{\"a\":1}", "{\"a\":1,\"b\":2}", false},
        {"[1,2]", "[2,1]", false},
        {"1", "1.0", false},
        {"1", "\"1\"", false},
        {"null", "null", true},
        {"true", "false", false},
        {"{\"a\":1}", "{\"b\":1}", false},
        {"{\"a\":[{}]}", "{\"a\":[{}]}", true},
        {"{\"a\":[{}]}", "{\"a\":[[]]}", false},
    };
    struct arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        cr_expect_eq(value_equal(parse(arena, cases[i].a), parse(arena, cases[i].b)), cases[i].equal, "%s %s",
                     cases[i].a, cases[i].b);
    cr_expect(value_equal(NULL, NULL));
    cr_expect_not(value_equal(NULL, parse(arena, "1")));
    arena_free(arena);
}

Test(value, copies_stand_on_their_own)
{
    struct arena *from = arena_new(), *to = arena_new();
    const struct value *root = parse(from, "{\"b\":[\"x\",1.0,null,{\"z\":1,\"y\":2}],\"a\":true}");
    const struct value *copy = value_copy(to, root), *sorted = value_sorted(to, copy);
    arena_free(from);
    IS(to, copy, "{\"b\":[\"x\",1.0,null,{\"z\":1,\"y\":2}],\"a\":true}");
    IS(to, sorted, "{\"a\":true,\"b\":[\"x\",1.0,null,{\"y\":2,\"z\":1}]}");
    cr_expect_null(value_copy(to, NULL));
    cr_expect_null(value_sorted(to, NULL));
    arena_free(to);
}

Test(value, a_key_that_comes_twice_is_found)
{
    struct arena *arena = arena_new();
    struct value_map_builder map = {0};
    const struct value *one = value_int(arena, 1);
    for (int count = 0; count < 100; count++) {
        cr_assert_eq(value_duplicate(map.items, map.count), map.count);
        value_put(arena, &map, str_fmt(arena, "k%d", count), one);
        value_put(arena, &map, str_fmt(arena, "k%d", count / 2), one);
        cr_assert_eq(value_duplicate(map.items, map.count), map.count - 1, "%d", count);
        map.count--;
    }
    arena_free(arena);
}
