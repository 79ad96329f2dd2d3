/* YAML in and out. What Go's sigs.k8s.io/yaml makes of the same texts was checked against the library itself. */
#include <criterion/criterion.h>
#include <string.h>

#include "core/base/json.h"
#include "core/base/yaml.h"

/* The first document as JSON, or the message. */
static struct str as_json(struct arena *arena, struct str text)
{
    struct yaml_documents documents;
    struct err err;
    if (!yaml_parse(arena, text, STR("in.yaml"), &documents, &err))
        return str_fmt(arena, "%s", err.msg);
    return documents.count != 0 ? json_text(arena, documents.items[0].root) : STR("no document");
}

static struct str emitted(struct arena *arena, const struct value *value)
{
    struct buf buf CLEANUP(buf_done);
    buf_init(&buf, 64 << 20);
    yaml_write(&buf, value);
    cr_assert(buf_ok(&buf));
    return str_dup(arena, buf_view(&buf));
}

static const struct value *from_json(struct arena *arena, const char *text)
{
    const struct value *value;
    struct err err;
    cr_assert(json_parse(arena, str_of(text), NULL, &value, &err), "%s: %s", text, err.msg);
    return value;
}

Test(yaml, plain_scalars_mean_what_go_reads)
{
    static const struct {
        const char *text, *json;
    } cases[] = {
        {"yes", "true"},
        {"Yes", "true"},
        {"YES", "true"},
        {"y", "true"},
        {"Y", "true"},
        {"on", "true"},
        {"On", "true"},
        {"True", "true"},
        {"TRUE", "true"},
        {"no", "false"},
        {"n", "false"},
        {"N", "false"},
        {"off", "false"},
        {"OFF", "false"},
        {"False", "false"},
        {"yEs", "\"yEs\""},
        {"~", "null"},
        {"", "null"},
        {"null", "null"},
        {"Null", "null"},
        {"NULL", "null"},
        {"nULL", "\"nULL\""},
        {"+yes", "\"+yes\""},
        {"-~", "\"-~\""},
        {"0", "0"},
        {"-0", "-0"},
        {"12", "12"},
        {"+12", "12"},
        {"-12", "-12"},
        {"0x1f", "31"},
        {"0X1F", "31"},
        {"-0x1f", "-31"},
        {"+0x1f", "31"},
        {"0x", "\"0x\""},
        {"0xg", "\"0xg\""},
        {"0o17", "15"},
        {"017", "15"},
        {"-017", "-15"},
        {"0777", "511"},
        {"08", "8"},
        {"0b101", "5"},
        {"-0b11", "-3"},
        {"0b2", "\"0b2\""},
        {"1_000", "1000"},
        {"1__0", "10"},
        {"1_", "1"},
        {"_1", "\"_1\""},
        {"0x_1f", "31"},
        {"1_0.5", "10.5"},
        {"1e3", "1e3"},
        {"1E3", "1E3"},
        {"1e+3", "1e+3"},
        {"+1e-3", "1e-3"},
        {"1e", "\"1e\""},
        {"1e+", "\"1e+\""},
        {"0.1", "0.1"},
        {".5", "0.5"},
        {"-.5", "-0.5"},
        {"+.5e1", "0.5e1"},
        {"5.", "5"},
        {"5.e3", "5e3"},
        {"00.5", "0.5"},
        {"007.50", "7.50"},
        {".", "\".\""},
        {"-", "[null]"},
        {"+", "\"+\""},
        {"._5", "\"._5\""},
        {".5_0", "0.50"},
        {".5_", "\".5_\""},
        {"1.2.3", "\"1.2.3\""},
        {"1e400", "\"1e400\""},
        {"12e4567", "\"12e4567\""},
        {"18446744073709551615", "18446744073709551615"},
        {"18446744073709551616", "18446744073709551616"},
        {"0xffffffffffffffff", "18446744073709551615"},
        {"-0x8000000000000000", "-9223372036854775808"},
        {"0x10000000000000000", "\"0x10000000000000000\""},
        {"-0x8000000000000001", "\"-0x8000000000000001\""},
        {"2026-11-21", "\"2026-11-21\""},
        {"2026-11-21T02:00:00Z", "\"2026-11-21T02:00:00Z\""},
        {"12:30:45", "\"12:30:45\""},
        {"=", "\"=\""},
        {"500m", "\"500m\""},
        {"1Gi", "\"1Gi\""},
        {"'yes'", "\"yes\""},
        {"\"1\"", "\"1\""},
        {"!!str 1", "\"1\""},
        {"!!str", "\"\""},
        {"!!int \"12\"", "12"},
        {"!!float 3", "3"},
        {"!!bool \"yes\"", "true"},
        {"!!null \"\"", "null"},
        {"!!binary aGk=", "\"hi\""},
        {"!!binary |\n aGVs\n bG8=\n", "\"hello\""},
        {"!custom 12", "\"12\""},
        {"! 12", "\"12\""},
        {"!!timestamp 2026-11-21", "\"2026-11-21\""},
        {"|\n a\n b\n", "\"a\\nb\\n\""},
        {">\n a\n b\n", "\"a b\\n\""},
        {"\"\\x41\\u00e9\\0\"", "\"A\u00e9\\u0000\""},
        {"{a: 1, b: [x, {c: d}]}", "{\"a\":1,\"b\":[\"x\",{\"c\":\"d\"}]}"},
    };
    struct arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct str got = as_json(arena, str_fmt(arena, "%s%s", cases[i].text, cases[i].text[0] ? "" : "---"));
        cr_expect(str_is(got, cases[i].json), "%s became %.*s", cases[i].text, STR_ARG(got));
    }
    arena_free(arena);
}

Test(yaml, keys_become_text_as_go_makes_it)
{
    static const struct {
        const char *text, *json;
    } cases[] = {
        {"yes: 1", "{\"true\":1}"},
        {"off: 1", "{\"false\":1}"},
        {"0x1f: 1", "{\"31\":1}"},
        {"1: 1", "{\"1\":1}"},
        {"-0: 1", "{\"0\":1}"},
        {"1.50: 1", "{\"1.5\":1}"},
        {"1e3: 1", "{\"1000\":1}"},
        {"1e6: 1", "{\"1e+06\":1}"},
        {"0.1: 1", "{\"0.1\":1}"},
        {"1e39: 1", "{\".inf\":1}"},
        {"-1e39: 1", "{\"-.inf\":1}"},
        {"123456.5: 1", "{\"123456.5\":1}"},
        {"-0.00001: 1", "{\"-1e-05\":1}"},
        {"18446744073709551615: 1", "{\"18446744073709551615\":1}"},
        {"18446744073709551616: 1", "{\"1.8446744e+19\":1}"},
        {"\"1\": 1", "{\"1\":1}"},
        {"? a\n: 1", "{\"a\":1}"},
        {"2026-01-01: 1", "{\"2026-01-01\":1}"},
        {"&k a: *k", "{\"a\":\"a\"}"},
        {"x: &k a\n*k : 1", "{\"x\":\"a\",\"a\":1}"},
    };
    struct arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct str got = as_json(arena, str_of(cases[i].text));
        cr_expect(str_is(got, cases[i].json), "%s became %.*s", cases[i].text, STR_ARG(got));
    }
    arena_free(arena);
}

Test(yaml, anchors_and_merge_keys)
{
    static const struct {
        const char *text, *json;
    } cases[] = {
        {"a: &x {k: 1}\nb: *x", "{\"a\":{\"k\":1},\"b\":{\"k\":1}}"},
        {"a: &x 1\nb: &x 2\nc: *x", "{\"a\":1,\"b\":2,\"c\":2}"},
        {"base: &b {k: 1, l: 2}\nuse: {<<: *b, k: 3}",
         "{\"base\":{\"k\":1,\"l\":2},\"use\":{\"k\":3,\"l\":2}}"},
        {"x: {k: 3, <<: {k: 1, l: 2}}", "{\"x\":{\"k\":3,\"l\":2}}"},
        {"<<: [{a: 1}, {a: 2, b: 3}]", "{\"a\":1,\"b\":3}"},
        {"\"<<\": {a: 1}", "{\"<<\":{\"a\":1}}"},
        {"<<: 1", "in.yaml:1:1: a merge key (<<) needs a map or a list of maps"},
        {"<<: [1]", "in.yaml:1:1: a merge key (<<) needs a map or a list of maps"},
    };
    struct arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct str got = as_json(arena, str_of(cases[i].text));
        cr_expect(str_is(got, cases[i].json), "%s became %.*s", cases[i].text, STR_ARG(got));
    }
    arena_free(arena);
}

Test(yaml, faults_name_file_line_and_column)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"a: 1\nb: 2\na: 3\n", "in.yaml:3:1: key comes twice: a"},
        {"1: a\n\"1\": b\n", "in.yaml:2:1: key comes twice: 1"},
        {"a: [1\nb: 2\n",
         "in.yaml:2:2: did not find expected ',' or ']' (while parsing a flow sequence from line 1)"},
        {"a:\n\t- b\n",
         "in.yaml:2:1: found character that cannot start any token (while scanning for the next token)"},
        {"a: b: c\n", "in.yaml:1:5: mapping values are not allowed in this context"},
        {"a: .inf\n", "in.yaml:1:4: JSON has no such number: .inf"},
        {"a:\n  - -.Inf\n", "in.yaml:2:5: JSON has no such number: -.Inf"},
        {".nan: 1\n", "in.yaml:1:1: JSON has no such number: .nan"},
        {"~: 1\n", "in.yaml:1:1: a key must be a text, not null"},
        {"{[a]: 1}\n", "in.yaml:1:2: a key must be a text, not a map or a list"},
        {"a: &x [1]\n*x : 1\n", "in.yaml:2:1: a key must be a text"},
        {"a: *x\n", "in.yaml:1:4: no such anchor: x"},
        {"a: &x [*x]\n", "in.yaml:1:8: no such anchor: x"},
        {"a: &x 1\n---\nb: *x\n", "in.yaml:3:4: no such anchor: x"},
        {"a: !!int x\n", "in.yaml:1:4: the value is not what its tag says: !!int"},
        {"a: !!binary \"$\"\n", "in.yaml:1:4: !!binary is no base64"},
        {"a: !!binary /w==\n", "in.yaml:1:4: !!binary holds bytes that are no text; JSON cannot say that"},
        {"a: 1\nb: \x01\n", "in.yaml:2:4: control characters are not allowed"},
        {"a: 1\nb: \xff\n", "in.yaml:2:4: invalid leading UTF-8 octet"},
        {"a: \"x\n",
         "in.yaml:2:1: found unexpected end of stream (while scanning a quoted scalar from line 1)"},
    };
    struct arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct str got = as_json(arena, str_of(cases[i].text));
        cr_expect(str_is(got, cases[i].message), "%s: %.*s", cases[i].text, STR_ARG(got));
    }
    arena_free(arena);
}

Test(yaml, a_stream_has_many_documents)
{
    struct arena *arena = arena_new();
    struct yaml_documents documents;
    struct err err;
    struct str text = STR("# first\na: 1\n---\n---\n# only a comment\n...\n---\n- b\n");
    cr_assert(yaml_parse(arena, text, STR("-"), &documents, &err), "%s", err.msg);
    cr_assert_eq(documents.count, 4);
    cr_expect_eq(documents.items[0].line, 2);
    cr_expect_eq(documents.items[1].root->kind, VALUE_NULL);
    cr_expect_eq(documents.items[3].line, 7);
    cr_assert(yaml_parse_at(arena, STR("a: 1"), STR("-"), 41, &documents, &err));
    cr_expect_eq(documents.items[0].line, 41);
    cr_assert(yaml_parse(arena, STR(" \n# nothing\n"), STR("-"), &documents, &err));
    cr_expect_eq(documents.count, 0);
    cr_assert(yaml_parse(arena, STR_NONE, STR("-"), &documents, &err));
    cr_expect_eq(documents.count, 0);
    arena_free(arena);
}

Test(yaml, json_is_read_as_it_is)
{
    struct arena *arena = arena_new();
    struct str got = as_json(arena, STR("{\"a\":[1,0.10,\"x\\ny\",null,true,{}],\"b\\/c\":\"é\"}"));
    cr_expect(str_is(got, "{\"a\":[1,0.10,\"x\\ny\",null,true,{}],\"b/c\":\"é\"}"), "%.*s", STR_ARG(got));
    arena_free(arena);
}

/* Hostile input: bounded in time and memory, refused with a limit. */
static struct str repeated(struct arena *arena, const char *unit, size_t times, const char *end)
{
    struct buf buf CLEANUP(buf_done);
    buf_init(&buf, 64 << 20);
    for (size_t i = 0; i < times; i++)
        buf_text(&buf, unit);
    buf_text(&buf, end);
    return str_dup(arena, buf_view(&buf));
}

static struct str billion_laughs(struct arena *arena)
{
    struct buf buf CLEANUP(buf_done);
    buf_init(&buf, 1 << 20);
    buf_text(&buf, "a0: &a0 lol\n");
    for (int i = 1; i < 12; i++)
        buf_fmt(&buf, "a%d: &a%d [*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d]\n", i, i, i - 1, i - 1, i - 1,
                i - 1, i - 1, i - 1, i - 1, i - 1);
    return str_dup(arena, buf_view(&buf));
}

static struct str deep_by_aliases(struct arena *arena)
{
    struct buf buf CLEANUP(buf_done);
    buf_init(&buf, 1 << 20);
    buf_text(&buf, "a0: &a0 x\n");
    for (int i = 1; i < 200; i++)
        buf_fmt(&buf, "a%d: &a%d [*a%d]\n", i, i, i - 1);
    return str_dup(arena, buf_view(&buf));
}

static struct str many_anchors(struct arena *arena)
{
    struct buf buf CLEANUP(buf_done);
    buf_init(&buf, 1 << 20);
    for (int i = 0; i < 1100; i++)
        buf_fmt(&buf, "- &a%d x\n", i);
    return str_dup(arena, buf_view(&buf));
}

static struct str merge_bomb(struct arena *arena)
{
    struct buf buf CLEANUP(buf_done);
    buf_init(&buf, 1 << 20);
    buf_text(&buf, "a: &a {");
    for (int i = 0; i < 3000; i++)
        buf_fmt(&buf, "k%d: 1, ", i);
    buf_text(&buf, "}\nb:\n  <<: [");
    for (int i = 0; i < 100; i++)
        buf_text(&buf, "*a, ");
    buf_text(&buf, "]\n");
    return str_dup(arena, buf_view(&buf));
}

Test(yaml, hostile_input_meets_a_limit, .timeout = 20)
{
    struct arena *arena = arena_new();
    const struct {
        const char *what;
        struct str text;
    } cases[] = {
        {"deep flow", repeated(arena, "[", 100000, "")},
        {"deep flow maps", repeated(arena, "{a: ", 100000, "")},
        {"deep block", repeated(arena, "- ", 100000, "x")},
        {"aliases", billion_laughs(arena)},
        {"deep aliases", deep_by_aliases(arena)},
        {"anchors", many_anchors(arena)},
        {"merge", merge_bomb(arena)},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct yaml_documents documents;
        struct err err;
        bool ok = yaml_parse(arena, cases[i].text, STR("x"), &documents, &err);
        cr_expect_not(ok, "%s", cases[i].what);
        cr_expect(ok || err.code == ERR_LIMIT, "%s: %s", cases[i].what, err.msg);
    }
    cr_expect(
        str_starts(as_json(arena, repeated(arena, "[", 100, repeated(arena, "]", 100, "").ptr)), STR("[[")));
    arena_free(arena);
}

Test(yaml, writes_what_people_expect)
{
    static const struct {
        const char *json, *yaml;
    } cases[] = {
        {"{\"a\":1,\"b\":{\"c\":[{\"d\":\"e\",\"f\":{}},\"g\",[],[1,[2]]]}}",
         "a: 1\nb:\n  c:\n  - d: e\n    f: {}\n  - g\n  - []\n  - - 1\n    - - 2\n"},
        {"{}", "{}\n"},
        {"[]", "[]\n"},
        {"null", "null\n"},
        {"[null,true,1e3,0.10]", "- null\n- true\n- 1e3\n- 0.10\n"},
        {"{\"a\":\"x\\ny\\n\",\"b\":\"x\\ny\",\"c\":\"x\\n\\n\",\"d\":\"  x\\n\"}",
         "a: |\n  x\n  y\nb: |-\n  x\n  y\nc: |+\n  x\n\nd: |2\n    x\n"},
        {"[\"x\\ny\"]", "- |-\n  x\n  y\n"},
        {"[{\"a\":\"x\\n\\ny\"}]", "- a: |-\n    x\n\n    y\n"},
        {"{\"cpu\":\"500m\",\"memory\":\"1Gi\",\"image\":\"nginx:1.2.3\",\"args\":[\"-c\",\"--v=2\",\"- "
         "x\",\"*\"]}",
         "cpu: 500m\nmemory: 1Gi\nimage: nginx:1.2.3\nargs:\n- -c\n- --v=2\n- '- x'\n- '*'\n"},
        {"{\"on\":\"yes\",\"1\":\"2\",\"it's\":\"it's: fine\",\"\":\"\"}",
         "\"on\": \"yes\"\n\"1\": \"2\"\nit's: 'it''s: fine'\n\"\": \"\"\n"},
        {"[\"1e_5\",\"1e_+5\",\"0_x1f\",\"-_0\",\"1_a-g\",\"-c_0\",\"2_0m\"]",
         "- \"1e_5\"\n- \"1e_+5\"\n- \"0_x1f\"\n- \"-_0\"\n- 1_a-g\n- -c_0\n- 2_0m\n"},
        {"\"x\\ny\"", "\"x\\ny\"\n"},
        {"{\"t\":\"a\\tb\",\"n\":\"\\u0000\\u0085\\u2028\\ufeff\\u007f\"}",
         "t: \"a\\tb\"\n\"n\": \"\\x00\\u0085\\u2028\\uFEFF\\x7F\"\n"},
    };
    struct arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct str got = emitted(arena, from_json(arena, cases[i].json));
        cr_expect(str_is(got, cases[i].yaml), "%s became\n%.*s", cases[i].json, STR_ARG(got));
    }
    arena_free(arena);
}

Test(yaml, texts_that_a_reader_could_misread_are_quoted)
{
    static const char *const texts[] = {
        "yes",
        "Yes",
        "yEs",
        "no",
        "on",
        "off",
        "y",
        "n",
        "N",
        "~",
        "null",
        "true",
        "False",
        "1",
        "-1",
        "+1",
        "1_000",
        "1,000",
        "0x1f",
        "0o17",
        "0b1",
        "017",
        "12:30:45",
        "1:2",
        "2026-11-21",
        "2026-11-21T00:00:00Z",
        ".5",
        "5.",
        "1e3",
        "12e4567",
        ".inf",
        "-.INF",
        ".nan",
        "=",
        "<<",
        " a",
        "a ",
        "a: b",
        "a:",
        ":a",
        "a #b",
        "#a",
        "- a",
        "-",
        "? a",
        "?a",
        "[a",
        "{a",
        "a\tb",
        "!a",
        "&a",
        "*a",
        "|",
        ">",
        "%a",
        "@a",
        "`a",
        "'a",
        "\"a",
        ",a",
        "--- a",
        "...",
        "",
        "\xc2\x85",
        "\xe2\x80\xa8",
        "\xef\xbb\xbf"
        "a",
        "\x7f",
        "\x1b",
    };
    static const char *const plain[] = {
        "a",
        "a-b",
        "/path/x",
        "nginx:1.2.3",
        "10.0.0.1:8080",
        "1.2.3",
        "500m",
        "a:b",
        "a#b",
        "a,b",
        "v1",
        "-c",
        "--x",
        "é",
        "$(VAR)",
        "a'b",
        "a\"b",
        "x=y",
        "\xF0\x9F\x8C\x8D",
        "nobody",
        "1st",
        "a]b}",
    };
    struct arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct str got = emitted(arena, value_cstr(arena, texts[i]));
        cr_expect(got.ptr[0] == '"' || got.ptr[0] == '\'', "%s stands plain: %.*s", texts[i], STR_ARG(got));
    }
    for (size_t i = 0; i < COUNT_OF(plain); i++) {
        struct str got = emitted(arena, value_cstr(arena, plain[i]));
        cr_expect(str_eq(got, str_fmt(arena, "%s\n", plain[i])), "%s became %.*s", plain[i], STR_ARG(got));
    }
    arena_free(arena);
}

/* ---- the round trip, over a generated corpus ---- */

static uint64_t draw(uint64_t *state, uint64_t below)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state % below;
}

static struct str nasty_text(struct arena *arena, uint64_t *state)
{
    static const struct str atoms[] = {
        STR_INIT("a"),
        STR_INIT(" "),
        STR_INIT("\n"),
        STR_INIT("\t"),
        STR_INIT(":"),
        STR_INIT(": "),
        STR_INIT("#"),
        STR_INIT(" #"),
        STR_INIT("- "),
        STR_INIT("-"),
        STR_INIT("---"),
        STR_INIT("..."),
        STR_INIT("'"),
        STR_INIT("\""),
        STR_INIT("\\"),
        STR_INIT("yes"),
        STR_INIT("no"),
        STR_INIT("~"),
        STR_INIT("null"),
        STR_INIT("0x1f"),
        STR_INIT("1_0"),
        STR_INIT("1"),
        STR_INIT("0"),
        STR_INIT("."),
        STR_INIT("e"),
        STR_INIT("+"),
        STR_INIT("{"),
        STR_INIT("}"),
        STR_INIT("["),
        STR_INIT("]"),
        STR_INIT(","),
        STR_INIT("&"),
        STR_INIT("*"),
        STR_INIT("!"),
        STR_INIT("|"),
        STR_INIT(">"),
        STR_INIT("%"),
        STR_INIT("@"),
        STR_INIT("`"),
        STR_INIT("?"),
        STR_INIT("\r"),
        STR_INIT("\r\n"),
        STR_INIT("\0"),
        STR_INIT("\x1b"),
        STR_INIT("\x7f"),
        STR_INIT("\xc2\x85"),
        STR_INIT("\xc2\xa0"),
        STR_INIT("\xe2\x80\xa8"),
        STR_INIT("\xe2\x80\xa9"),
        STR_INIT("\xef\xbb\xbf"),
        STR_INIT("\xef\xbf\xbe"),
        STR_INIT("\xef\xbf\xbd"),
        STR_INIT("\xc3\xa9"),
        STR_INIT("\xf0\x9f\x8c\x8d"),
        STR_INIT("\xf4\x8f\xbf\xbf"),
        STR_INIT("2026-11-21"),
        STR_INIT("12:30"),
        STR_INIT("<<"),
        STR_INIT("="),
        STR_INIT("\n\n"),
        STR_INIT("  "),
        STR_INIT("line of text"),
        STR_INIT("{{ template }}"),
    };
    struct str parts[12];
    size_t count = draw(state, COUNT_OF(parts));
    for (size_t i = 0; i < count; i++)
        parts[i] = atoms[draw(state, COUNT_OF(atoms))];
    struct str text = str_join(arena, parts, count, STR(""));
    if (draw(state, 64) == 0) /* longer than a simple key may be */
        text = str_fmt(arena, "%0*d%s", 1100, 7, draw(state, 2) ? "\n" : "");
    return text;
}

static const struct value *nasty_value(struct arena *arena, uint64_t *state, unsigned depth)
{
    static const char *const numbers[] = {
        "0", "-0", "1", "-12", "0.1", "1e3", "1E-7", "18446744073709551616", "1.0"};
    struct value_map_builder map = {0};
    struct value_list_builder list = {0};
    switch (draw(state, depth > 4 ? 8 : 14)) {
    case 0: return value_null(arena);
    case 1: return value_bool(arena, draw(state, 2));
    case 2: return value_number(arena, str_of(numbers[draw(state, COUNT_OF(numbers))]));
    case 8:
    case 9:
    case 10:
        for (size_t i = draw(state, 5); i > 0; i--)
            value_push(arena, &list, nasty_value(arena, state, depth + 1));
        return value_list_done(arena, &list);
    case 11:
    case 12:
    case 13:
        for (size_t i = draw(state, 5); i > 0; i--) {
            value_put(arena, &map, nasty_text(arena, state), nasty_value(arena, state, depth + 1));
            map.count -= value_duplicate(map.items, map.count) < map.count;
        }
        return value_map_done(arena, &map);
    default: return value_string(arena, nasty_text(arena, state));
    }
}

Test(yaml, what_is_written_reads_back_the_same)
{
    uint64_t state = 0x9E3779B97F4A7C15;
    struct arena *arena = arena_new();
    for (int i = 0; i < 20000; i++) {
        struct yaml_documents documents;
        struct err err;
        const struct value *value = nasty_value(arena, &state, 0);
        struct str text = emitted(arena, value);
        bool ok = yaml_parse(arena, text, STR("x"), &documents, &err) && documents.count == 1 &&
                  value_equal(value, documents.items[0].root);
        cr_assert(ok, "%.*s\n---\n%.*s", STR_ARG(json_text(arena, value)), STR_ARG(text));
        arena_reset(arena);
    }
    arena_free(arena);
}

Test(yaml, a_full_buffer_is_told)
{
    struct buf buf CLEANUP(buf_done);
    struct arena *arena = arena_new();
    buf_init(&buf, 20);
    yaml_write(&buf, from_json(arena, "{\"a\":{\"b\":[1,2,3,\"four\",\"five\"]}}"));
    cr_expect_not(buf_ok(&buf));
    arena_free(arena);
}
