/* JSON Patch (examples of RFC 6902, appendix A) and Merge Patch (RFC 7386, appendix A). */
#include "core/base/patch.h"

#include <criterion/criterion.h>
#include <string.h>

#include "core/base/json.h"

static const struct value *parse(struct arena *arena, const char *text)
{
    const struct value *value;
    struct err err;
    cr_assert(json_parse(arena, str_of(text), NULL, &value, &err), "%s: %s", text, err.msg);
    return value;
}

Test(patch, json_patch)
{
    static const struct {
        const char *root, *operations, *want; /* a result, or a message */
    } cases[] = {
        {"{\"foo\":\"bar\"}", "[{\"op\":\"add\",\"path\":\"/baz\",\"value\":\"qux\"}]",
         "{\"foo\":\"bar\",\"baz\":\"qux\"}"},
        {"{\"foo\":[\"bar\",\"baz\"]}", "[{\"op\":\"add\",\"path\":\"/foo/1\",\"value\":\"qux\"}]",
         "{\"foo\":[\"bar\",\"qux\",\"baz\"]}"},
        {"{\"baz\":\"qux\",\"foo\":\"bar\"}", "[{\"op\":\"remove\",\"path\":\"/baz\"}]", "{\"foo\":\"bar\"}"},
        {"{\"foo\":[1,2,3]}", "[{\"op\":\"remove\",\"path\":\"/foo/1\"}]", "{\"foo\":[1,3]}"},
        {"{\"baz\":\"qux\"}", "[{\"op\":\"replace\",\"path\":\"/baz\",\"value\":\"boo\"}]",
         "{\"baz\":\"boo\"}"},
        {"{\"foo\":{\"bar\":\"baz\",\"waldo\":\"fred\"},\"qux\":{\"corge\":\"grault\"}}",
         "[{\"op\":\"move\",\"from\":\"/foo/waldo\",\"path\":\"/qux/thud\"}]",
         "{\"foo\":{\"bar\":\"baz\"},\"qux\":{\"corge\":\"grault\",\"thud\":\"fred\"}}"},
        {"{\"foo\":[1,2,3,4]}", "[{\"op\":\"move\",\"from\":\"/foo/1\",\"path\":\"/foo/3\"}]",
         "{\"foo\":[1,3,4,2]}"},
        {"{\"a\":1}",
         "[{\"op\":\"test\",\"path\":\"/a\",\"value\":1},{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/b\"}]",
         "{\"a\":1,\"b\":1}"},
        {"{\"a\":{\"b\":1}}", "[{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/a/c\"}]",
         "{\"a\":{\"b\":1,\"c\":{\"b\":1}}}"},
        {"{\"a\":1}", "[]", "{\"a\":1}"},
        {"{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/x\",\"value\":null}]", "{\"a\":1,\"x\":null}"},
        {"{\"a\":1}", "[{\"op\":\"test\",\"path\":\"/a\",\"value\":2}]",
         "operation 0: test: the value at /a is another one"},
        {"{\"a\":1}", "[{\"op\":\"test\",\"path\":\"/b\",\"value\":2}]", "operation 0: test: nothing at /b"},
        {"{\"a\":1}", "[{\"op\":\"test\",\"path\":\"/a\",\"value\":1},{\"op\":\"remove\",\"path\":\"/b\"}]",
         "operation 1: remove: nothing at /b"},
        {"{\"a\":{}}", "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/a/b\"}]",
         "operation 0: move: cannot move /a into itself"},
        {"{\"a\":{}}", "[{\"op\":\"move\",\"from\":\"/x\",\"path\":\"/b\"}]",
         "operation 0: move: nothing at /x"},
        {"{\"a\":{}}", "[{\"op\":\"copy\",\"from\":\"/x\",\"path\":\"/b\"}]",
         "operation 0: copy: nothing at /x"},
        {"{}", "{}", "a JSON patch is a list of operations"},
        {"{}", "[1]", "operation 0: op must be add, remove, replace, move, copy or test"},
        {"{}", "[{\"op\":\"spin\",\"path\":\"\"}]",
         "operation 0: op must be add, remove, replace, move, copy or test"},
        {"{}", "[{\"op\":\"add\",\"value\":1}]", "operation 0: add: path is missing"},
        {"{}", "[{\"op\":\"add\",\"path\":\"/a\"}]", "operation 0: add: value is missing"},
        {"{}", "[{\"op\":\"copy\",\"path\":\"/a\"}]", "operation 0: copy: from is missing"},
        {"{}", "[{\"op\":\"add\",\"path\":\"a\",\"value\":1}]",
         "operation 0: add: 'a' is no JSON pointer: it starts with '/', and '~' is written ~0"},
    };
    struct arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct value *got = NULL, *root = parse(arena, cases[i].root);
        struct err err;
        bool ok = patch_json(arena, root, parse(arena, cases[i].operations), &got, &err);
        struct str result = ok ? json_text(arena, got) : str_of(err.msg);
        cr_expect(str_is(result, cases[i].want), "%s: %.*s", cases[i].operations, STR_ARG(result));
        cr_expect(ok || got == NULL);
    }
    arena_free(arena);
}

Test(patch, a_patch_cannot_blow_a_tree_up, .timeout = 10)
{
    struct arena *arena = arena_new();
    struct buf doubling CLEANUP(buf_done), deeper CLEANUP(buf_done);
    struct err err;
    const struct value *got;
    buf_init(&doubling, 1 << 20);
    buf_init(&deeper, 1 << 20);
    buf_text(&doubling, "[{\"op\":\"add\",\"path\":\"/a\",\"value\":[1]}");
    buf_text(&deeper, "[{\"op\":\"add\",\"path\":\"/x\",\"value\":1}");
    for (int i = 0; i < 300; i++) {
        buf_text(&doubling, ",{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/a/-\"}");
        buf_text(&deeper, ",{\"op\":\"copy\",\"from\":\"\",\"path\":\"/x\"}");
    }
    buf_text(&doubling, "]");
    buf_text(&deeper, "]");
    struct str texts[] = {buf_view(&doubling), buf_view(&deeper)};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        cr_expect_not(
            patch_json(arena, parse(arena, "{}"), parse(arena, str_c(arena, texts[i])), &got, &err));
        cr_expect_eq(err.code, ERR_LIMIT, "%s", err.msg);
    }
    arena_free(arena);
}

Test(patch, merge_patch)
{
    static const struct {
        const char *root, *patch, *want;
    } cases[] = {
        {"{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
        {"{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}"},
        {"{\"a\":\"b\"}", "{\"a\":null}", "{}"},
        {"{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}"},
        {"{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
        {"{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}"},
        {"{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}", "{\"a\":{\"b\":\"d\"}}"},
        {"{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}"},
        {"[\"a\",\"b\"]", "[\"c\",\"d\"]", "[\"c\",\"d\"]"},
        {"{\"a\":\"b\"}", "[\"c\"]", "[\"c\"]"},
        {"{\"a\":\"foo\"}", "null", "null"},
        {"{\"a\":\"foo\"}", "\"bar\"", "\"bar\""},
        {"{\"e\":null}", "{\"a\":1}", "{\"e\":null,\"a\":1}"},
        {"[1,2]", "{\"a\":\"b\",\"c\":null}", "{\"a\":\"b\"}"},
        {"{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}"},
        {"{\"a\":{}}", "{\"a\":{}}", "{\"a\":{}}"},
    };
    struct arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct value *got =
            patch_merge(arena, parse(arena, cases[i].root), parse(arena, cases[i].patch));
        cr_expect(str_is(json_text(arena, got), cases[i].want), "%s + %s = %.*s", cases[i].root,
                  cases[i].patch, STR_ARG(json_text(arena, got)));
    }
    arena_free(arena);
}
