#include "core/base/diff.h"

#include <criterion/criterion.h>

#include "core/base/json.h"

static const struct value *parse(struct arena *arena, const char *text)
{
    const struct value *value;
    struct err err;
    if (text == NULL)
        return NULL;
    cr_assert(json_parse(arena, str_of(text), NULL, &value, &err), "%s: %s", text, err.msg);
    return value;
}

Test(diff, names_every_difference_once)
{
    static const struct {
        const char *before, *after, *want;
    } cases[] = {
        {"{\"a\":1}", "{\"a\":1}", ""},
        {"{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}", ""},
        {"{\"a\":1}", "{\"a\":2}", "~/a;"},
        {"{\"a\":1}", "{\"b\":1}", "-/a;+/b;"},
        {"{\"a\":{\"b\":{\"c\":1,\"d\":2}}}", "{\"a\":{\"b\":{\"c\":1,\"d\":3}}}", "~/a/b/d;"},
        {"[1,2,3]", "[1,9]", "~/1;-/2;"},
        {"[1]", "[1,2,3]", "+/1;+/2;"},
        {"{\"a\":[]}", "{\"a\":{}}", "~/a;"},
        {"{\"a/b\":{\"c~\":1}}", "{\"a/b\":{\"c~\":2}}", "~/a~1b/c~0;"},
        {"1", "\"1\"", "~;"},
        {NULL, "{\"a\":1}", "+;"},
        {"{\"a\":1}", NULL, "-;"},
        {NULL, NULL, ""},
        {"{\"a\":null}", "{}", "-/a;"},
    };
    struct arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct diff_list list = {0};
        struct buf text CLEANUP(buf_done);
        buf_init(&text, 1000);
        diff_values(arena, parse(arena, cases[i].before), parse(arena, cases[i].after), &list);
        for (size_t j = 0; j < list.count; j++) {
            const struct diff *d = &list.items[j];
            buf_fmt(&text, "%c%.*s;", "+-~"[d->kind], STR_ARG(d->pointer));
            cr_expect_eq(d->before == NULL, d->kind == DIFF_ADDED);
            cr_expect_eq(d->after == NULL, d->kind == DIFF_REMOVED);
        }
        cr_expect(str_is(buf_view(&text), cases[i].want), "%s %s: %.*s", cases[i].before, cases[i].after,
                  STR_ARG(buf_view(&text)));
    }
    arena_free(arena);
}
