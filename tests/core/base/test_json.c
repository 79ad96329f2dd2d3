/* JSON in, JSON out: what must survive, and what must be refused with the right place named. */
#include <criterion/criterion.h>
#include <string.h>

#include "core/base/json.h"

static struct str round_trip(struct arena *arena, const char *text, struct err *err)
{
    const struct value *value;
    if (!json_parse(arena, str_of(text), NULL, &value, err))
        return str_of(err->msg);
    return json_text(arena, value);
}

Test(json, what_goes_in_comes_out)
{
    static const char *const texts[] = {
        "0",
        "-0",
        "0.1",
        "1e3",
        "1E+3",
        "18446744073709551615",
        "-9223372036854775808",
        "0.10000000000000000001",
        "true",
        "false",
        "null",
        "\"\"",
        "[]",
        "{}",
        "[[],{}]",
        "{\"b\":1,\"a\":2}",
        "\"\\u0000x\"",
        "\"\\\"\\\\\\n\\t\\r\"",
        "\"grüße €\xF0\x9F\x8C\x8D\"",
        "{\"a\":{\"b\":[1,\"2\",null,true,{\"c\":[]}]}}",
    };
    struct arena *arena = arena_new();
    struct err err;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct str out = round_trip(arena, texts[i], &err);
        cr_expect(str_is(out, texts[i]), "%s became %.*s", texts[i], STR_ARG(out));
    }
    arena_free(arena);
}

Test(json, escapes_are_decoded)
{
    struct arena *arena = arena_new();
    struct err err;
    const struct value *value;
    cr_assert(json_parse(arena, STR("\"\\u0041\\u00e9\\ud83c\\udf0d\\/\\b\\f\""), NULL, &value, &err), "%s",
              err.msg);
    cr_expect(str_is(value_str(value), "Aé\xF0\x9F\x8C\x8D/\b\f"));
    arena_free(arena);
}

Test(json, faults_name_line_and_column)
{
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"", "line 1, column 1: cut short"},
        {"{\n  \"a\": tru\n}", "line 2, column 8: expected a value"},
        {"{\"a\":1,\"a\":2}", "a key comes twice"},
        {"[1,]", "column 4: not a number"},
        {"[1 2]", "expected ',' or ']'"},
        {"{\"a\" 1}", "expected ':'"},
        {"{a:1}", "expected a key in quotes"},
        {"01", "text after the end"},
        {"1.", "not a number"},
        {"-", "not a number"},
        {"1e", "not a number"},
        {"\"a", "cut short inside a string"},
        {"\"a\\", "cut short inside a string"},
        {"\"\\x\"", "unknown escape"},
        {"\"\\u12\"", "cut short inside \\u"},
        {"\"\\u12xy\"", "four hexadecimal digits"},
        {"\"\\ud800\"", "high surrogate"},
        {"\"\\udc00\"", "low surrogate"},
        {"\"\t\"", "control character"},
        {"\"\xC0\x80\"", "not UTF-8"},
        {"\"\xED\xA0\x80\"", "not UTF-8"},
        {"{} x", "text after the end"},
    };
    struct arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct err err = {0};
        const struct value *value = NULL;
        cr_expect_not(json_parse(arena, str_of(cases[i].text), NULL, &value, &err), "%s was taken",
                      cases[i].text);
        cr_expect_not_null(strstr(err.msg, cases[i].says), "%s: said \"%s\"", cases[i].text, err.msg);
        cr_expect_null(value);
    }
    arena_free(arena);
}

Test(json, a_thousand_levels_are_refused)
{
    char deep[1001];
    memset(deep, '[', 1000);
    deep[1000] = '\0';
    struct arena *arena = arena_new();
    struct err err;
    const struct value *value;
    cr_expect_not(json_parse(arena, str_of(deep), NULL, &value, &err));
    cr_expect_eq(err.code, ERR_LIMIT);
    arena_free(arena);
}

Test(json, duplicate_keys_are_found_in_large_maps_too)
{
    struct arena *arena = arena_new();
    struct buf buf;
    struct err err;
    const struct value *value;
    buf_init(&buf, 1 << 20);
    buf_char(&buf, '{');
    for (int i = 0; i < 1000; i++)
        buf_fmt(&buf, "\"key%d\":%d,", i, i);
    size_t len = buf.len;
    buf_text(&buf, "\"last\":0}");
    cr_expect(json_parse(arena, buf_view(&buf), NULL, &value, &err), "%s", err.msg);
    buf.len = len;
    buf_text(&buf, "\"key500\":0}");
    cr_expect_not(json_parse(arena, buf_view(&buf), NULL, &value, &err));
    buf_done(&buf);
    arena_free(arena);
}

Test(json, the_number_of_values_is_bounded)
{
    struct json_limits limits = JSON_DEFAULT_LIMITS;
    struct arena *arena = arena_new();
    struct err err;
    const struct value *value;
    limits.max_values = 4;
    cr_expect(json_parse(arena, STR("[1,2,3]"), &limits, &value, &err), "%s", err.msg);
    cr_expect_not(json_parse(arena, STR("[1,2,3,4]"), &limits, &value, &err));
    cr_expect_eq(err.code, ERR_LIMIT);
    arena_free(arena);
}
