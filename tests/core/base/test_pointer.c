/* JSON Pointer: the examples of RFC 6901, and edits as RFC 6902 wants them. */
#include "core/base/pointer.h"

#include <criterion/criterion.h>

#include "core/base/json.h"

static const struct value *parse(struct arena *arena, const char *text)
{
    const struct value *value;
    struct err err;
    cr_assert(json_parse(arena, str_of(text), NULL, &value, &err), "%s: %s", text, err.msg);
    return value;
}

Test(pointer, finds_what_the_rfc_says)
{
    static const struct {
        const char *pointer, *json; /* NULL: nothing there */
    } cases[] = {
        {"", "{\"foo\":[\"bar\",\"baz\"],\"\":0,\"a/"
             "b\":1,\"c%d\":2,\"e^f\":3,\"g|h\":4,\"i\\\\j\":5,\"k\\\"l\":6,\" \":7,\"m~n\":8}"},
        {"/foo", "[\"bar\",\"baz\"]"},
        {"/foo/0", "\"bar\""},
        {"/foo/1", "\"baz\""},
        {"/", "0"},
        {"/a~1b", "1"},
        {"/c%d", "2"},
        {"/e^f", "3"},
        {"/i\\j", "5"},
        {"/k\"l", "6"},
        {"/ ", "7"},
        {"/m~0n", "8"},
        {"/foo/2", NULL},
        {"/foo/-", NULL},
        {"/foo/01", NULL},
        {"/foo/+1", NULL},
        {"/foo/0/x", NULL},
        {"/nope", NULL},
        {"foo", NULL},
        {"/a~b", NULL},
        {"/a~", NULL},
        {"/m~01n", NULL},
        {"/foo/99999999999999999999", NULL},
    };
    struct arena *arena = arena_new();
    const struct value *root = parse(arena, cases[0].json);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct value *found = pointer_get(root, str_of(cases[i].pointer));
        if (cases[i].json == NULL)
            cr_expect_null(found, "%s", cases[i].pointer);
        else
            cr_expect(found != NULL && str_is(json_text(arena, found), cases[i].json), "%s",
                      cases[i].pointer);
    }
    cr_expect_null(pointer_get(NULL, STR("/a")));
    arena_free(arena);
}

enum edit { ADD, REPLACE, REMOVE };

Test(pointer, edits)
{
    static const struct {
        enum edit edit;
        const char *root, *pointer, *want; /* a result, or the name of an error */
    } cases[] = {
        {ADD, "{\"a\":1}", "/b", "{\"a\":1,\"b\":9}"},
        {ADD, "{\"a\":1}", "/a", "{\"a\":9}"},
        {ADD, "{\"a\":1}", "", "9"},
        {ADD, "[1,2]", "/0", "[9,1,2]"},
        {ADD, "[1,2]", "/2", "[1,2,9]"},
        {ADD, "[1,2]", "/-", "[1,2,9]"},
        {ADD, "[]", "/-", "[9]"},
        {ADD, "[1,2]", "/3", "NOT_FOUND"},
        {ADD, "[1,2]", "/x", "INVALID"},
        {ADD, "{}", "/a/b", "NOT_FOUND"},
        {ADD, "{\"a\":1}", "/a/b", "NOT_FOUND"},
        {ADD, "{\"a\":[{\"b\":1}]}", "/a/0/c~1d", "{\"a\":[{\"b\":1,\"c/d\":9}]}"},
        {ADD, "{\"a~b\":{}}", "/a~0b/x", "{\"a~b\":{\"x\":9}}"},
        {ADD, "{}", "a", "INVALID"},
        {ADD, "{}", "/~2", "INVALID"},
        {REPLACE, "{\"a\":1}", "/a", "{\"a\":9}"},
        {REPLACE, "{\"a\":1}", "/b", "NOT_FOUND"},
        {REPLACE, "[1,2]", "/1", "[1,9]"},
        {REPLACE, "[1,2]", "/2", "NOT_FOUND"},
        {REPLACE, "[1,2]", "/-", "INVALID"},
        {REPLACE, "1", "", "9"},
        {REMOVE, "{\"a\":1,\"b\":2}", "/a", "{\"b\":2}"},
        {REMOVE, "[1,2,3]", "/1", "[1,3]"},
        {REMOVE, "[1]", "/0", "[]"},
        {REMOVE, "[1]", "/1", "NOT_FOUND"},
        {REMOVE, "{}", "/a", "NOT_FOUND"},
        {REMOVE, "{\"a\":1}", "", "null"},
    };
    struct arena *arena = arena_new();
    const struct value *nine = value_int(arena, 9);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct value *root = parse(arena, cases[i].root), *got = NULL;
        struct str pointer = str_of(cases[i].pointer);
        struct err err;
        bool ok = cases[i].edit == ADD       ? pointer_add(arena, root, pointer, nine, &got, &err)
                  : cases[i].edit == REPLACE ? pointer_replace(arena, root, pointer, nine, &got, &err)
                                             : pointer_remove(arena, root, pointer, &got, &err);
        struct str result = ok ? json_text(arena, got) : str_of(err_name(err.code));
        cr_expect(str_is(result, cases[i].want), "%s %s: %.*s", cases[i].root, cases[i].pointer,
                  STR_ARG(result));
        cr_expect(ok || got == NULL);
        cr_expect(str_is(json_text(arena, root), cases[i].root), "the old tree changed");
    }
    arena_free(arena);
}

Test(pointer, spelling)
{
    struct arena *arena = arena_new();
    struct str at = pointer_child(arena, STR(""), STR("spec"));
    at = pointer_index(arena, pointer_child(arena, at, STR("containers")), 0);
    cr_expect(str_is(at, "/spec/containers/0"));
    at = pointer_child(arena, at, STR("a/b~c.d"));
    cr_expect(str_is(at, "/spec/containers/0/a~1b~0c.d"));
    cr_expect(str_is(pointer_dotted(arena, at), "spec.containers[0][\"a/b~c.d\"]"));
    cr_expect(str_is(pointer_dotted(arena, STR("")), ""));
    cr_expect(str_is(pointer_dotted(arena, STR("/metadata/annotations/x.io~1y")),
                     "metadata.annotations[\"x.io/y\"]"));
    cr_expect(str_is(pointer_dotted(arena, STR("/a/-")), "a[-]"));
    cr_expect(str_is(pointer_dotted(arena, STR("/")), "[\"\"]"));
    arena_free(arena);
}
