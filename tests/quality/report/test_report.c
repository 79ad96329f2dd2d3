/* Reports: the answer on top, everything escaped, nothing loaded, and no report that cannot be laid out. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/json.h"
#include "core/base/version.h"
#include "quality/report/answer.h"
#include "quality/report/escape.h"
#include "quality/report/report.h"
#include "quality/report/words.h"
#include "tests/quality/fixture.h"

static const struct value *json(struct arena *arena, struct str text)
{
    struct err err;
    const struct value *value;
    cr_assert(json_parse(arena, text, NULL, &value, &err), "%s", err.msg);
    return value;
}

static const struct value *full_report(struct arena *arena)
{
    struct err err;
    struct str text;
    cr_assert(file_read(arena, "testdata/quality/report/full.json", 1 << 20, &text, &err), "%s", err.msg);
    return json(arena, text);
}

static struct str written(struct arena *arena, enum report_format format, const struct value *report)
{
    struct buf buf;
    buf_init(&buf, 64 << 20);
    report_write(format, arena, report, &buf);
    cr_assert(buf_ok(&buf));
    struct str text = str_dup(arena, buf_view(&buf));
    buf_done(&buf);
    return text;
}

static size_t count_of(struct str text, struct str part)
{
    size_t count = 0;
    for (size_t at = 0; at + part.len <= text.len; at++)
        count += str_starts(str_from(text, at), part);
    return count;
}

/* Elements that are opened are closed, in order; attributes are quoted. Enough to see that no text broke out. */
static void expect_balanced(struct str page)
{
    static const char *const empty[] = {"meta", "!DOCTYPE", "wbr", "input", "circle", "rect", "line"};
    struct str open[64];
    size_t depth = 0;
    for (size_t at = 0; at < page.len; at++) {
        if (page.ptr[at] != '<')
            continue;
        struct str tag = str_from(page, at + 1);
        tag = str_slice(tag, 0, str_find(tag, '>'));
        struct str rest = tag, name = str_cut(&rest, ' ');
        bool closing = str_starts(name, STR("/")), alone = str_ends(tag, STR("/"));
        for (size_t i = 0; i < COUNT_OF(empty); i++)
            alone = alone || str_is(name, empty[i]);
        if (closing) {
            cr_assert(depth > 0 && str_eq(open[--depth], str_from(name, 1)), "</%.*s> closes nothing",
                      STR_ARG(name));
        } else if (!alone) {
            cr_assert_lt(depth, COUNT_OF(open));
            open[depth++] = name;
            if (str_is(name, "style") || str_is(name, "script")) /* raw text */
                while (!str_starts(str_from(page, at + 1), STR("</s")))
                    at++;
        }
    }
    cr_expect_eq(depth, 0, "%.*s stays open", STR_ARG(depth ? open[depth - 1] : STR_NONE));
}

Test(report, markdown_is_as_it_was)
{
    struct arena *arena = arena_new();
    struct err err;
    struct str want, text = written(arena, REPORT_MARKDOWN, full_report(arena));
    cr_assert(file_read(arena, "testdata/quality/report/full.md", 1 << 20, &want, &err), "%s", err.msg);
    want = str_fmt(arena, "%.*sgitops-pipe %s\n", STR_ARG(want), GITOPS_PIPE_VERSION);
    cr_expect(str_eq(text, want), "%.*s", STR_ARG(text));
    arena_free(arena);
}

Test(report, html_opens_with_the_answer_and_loads_nothing)
{
    static const char *const foreign[] = {
        "http://", "https://", "src=", "href=", "@import", "url(", " style="};
    struct arena *arena = arena_new();
    struct str page = written(arena, REPORT_HTML, full_report(arena));
    struct str body = str_from(page, page.len);
    for (size_t at = 0; body.len == 0; at++)
        if (str_starts(str_from(page, at), STR("<body>")))
            body = str_from(page, at);
    expect_balanced(page);
    cr_expect(str_contains(page, STR("default-src 'none'")));
    cr_expect(str_contains(str_slice(body, 0, 1200), STR("It worked, and some of it needs care")));
    cr_expect(str_contains(str_slice(body, 0, 1200), STR("Sandbox.")));
    for (size_t i = 0; i < COUNT_OF(foreign); i++)
        cr_expect_not(str_contains(page, str_of(foreign[i])), "%s", foreign[i]);
    cr_expect_eq(count_of(page, STR("class=\"track\" cx=")), 4, "four dimensions are drawn");
    cr_expect_eq(count_of(page, STR("class=\"timeline\"")), 2, "the run and the drill are drawn");
    arena_free(arena);
}

Test(report, json_is_the_tree_behind_a_version)
{
    struct arena *arena = arena_new();
    const struct value *report = full_report(arena);
    const struct value *read = json(arena, written(arena, REPORT_JSON, report));
    cr_expect_eq(fixture_number(read, PATH("schemaVersion")), REPORT_SCHEMA_VERSION);
    cr_expect(value_equal(value_without(arena, read, STR("schemaVersion")), report));
    cr_expect(value_equal(json(arena, written(arena, REPORT_JSON, read)), read),
              "written twice it stays the same");
    arena_free(arena);
}

Test(report, every_format_says_that_it_was_the_sandbox)
{
    static const char *const reports[] = {"{\"run\":{\"sandbox\":true}}", "{\"drill\":{\"sandbox\":true}}",
                                          "{\"drill\":[{\"name\":\"a\"},{\"sandbox\":true}]}"};
    struct arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(reports); i++) {
        const struct value *report = json(arena, str_of(reports[i]));
        for (int format = REPORT_HTML; format <= REPORT_JSON; format++) {
            struct str text = str_lower(arena, written(arena, (enum report_format)format, report));
            cr_expect(str_contains(text, STR("sandbox")), "%s, format %d", reports[i], format);
        }
    }
    struct str text = written(arena, REPORT_HTML, json(arena, STR("{\"run\":{\"sandbox\":false}}")));
    cr_expect_not(str_contains(text, STR("Sandbox.")));
    arena_free(arena);
}

Test(report, what_failed_comes_first)
{
    struct arena *arena = arena_new();
    const struct value *report =
        json(arena,
             STR("{\"run\":{\"phases\":[{\"name\":\"backup\",\"ok\":true},{\"name\":\"publish\",\"ok\":false,"
                 "\"summary\":\"the branch moved on\"}]},\"score\":{\"overall\":97,\"grade\":\"A+\"}}"));
    struct answer answer;
    answer_of(arena, report, &answer);
    cr_expect_eq(answer.verdict, VERDICT_FAILED);
    cr_expect(str_is(answer.headline, "It stopped at publish"));
    cr_assert_geq(answer.task_count, 1);
    cr_expect(str_is(answer.tasks[0].what, "the branch moved on"));

    answer_of(arena, json(arena, STR("{\"backup\":{\"complete\":false,\"objects\":3}}")), &answer);
    cr_expect_eq(answer.verdict, VERDICT_CARE, "a backup with a hole is no clean success");
    answer_of(arena, json(arena, STR("{\"drill\":{\"name\":\"cluster-loss\",\"ok\":false}}")), &answer);
    cr_expect(str_is(answer.headline, "The drill cluster-loss failed"));
    answer_of(arena,
              json(arena, STR("{\"verify\":{\"clean\":false,\"problems\":[{\"pack\":\"a\",\"message\":\"pack "
                              "a: hash\"}]}}")),
              &answer);
    cr_expect(answer.verdict == VERDICT_FAILED && str_is(answer.tasks[0].what, "pack a: hash"));
    answer_of(arena, json(arena, STR("{\"publish\":{\"withheld\":[\"base/a\"]}}")), &answer);
    cr_expect_eq(answer.verdict, VERDICT_CARE, "withheld deletions are no clean success");
    arena_free(arena);
}

/* ---- Escaping ---- */

#define HOSTILE "<script>alert(1)</script>|a`b`\n# c [x](y) \"q\" 'r' @all \x1b[2J \xE2\x80\xAE"

Test(report, html_escapes)
{
    struct buf buf;
    buf_init(&buf, 4096);
    escape_html(&buf, STR(HOSTILE));
    cr_expect(str_is(buf_view(&buf),
                     "&lt;script&gt;alert(1)&lt;/script&gt;|a`b`\n# c [x](y) &quot;q&quot; &#39;r&#39; "
                     "@all \xEF\xBF\xBD[2J \xEF\xBF\xBD"),
              "%.*s", STR_ARG(buf_view(&buf)));
    buf_done(&buf);
}

Test(report, markdown_escapes)
{
    struct buf buf;
    buf_init(&buf, 4096);
    escape_markdown(&buf, STR(HOSTILE));
    struct str text = buf_view(&buf);
    for (const char *markup = "<>|`\n[]*@"; *markup != '\0'; markup++)
        cr_expect_eq(str_find(text, *markup), text.len, "%c came through: %.*s", *markup, STR_ARG(text));
    cr_expect(str_starts(text, STR("&#60;script&#62;alert(1)&#60;/script&#62;&#124;a&#96;b&#96; # c")),
              "%.*s", STR_ARG(text));
    buf_clear(&buf);
    escape_markdown(&buf, STR("# title"));
    cr_expect(str_is(buf_view(&buf), "&#35; title"), "a heading is none");
    buf_clear(&buf);
    escape_markdown(&buf, STR("spec.a[12].b[0] [1](x) a[1][2] []"));
    cr_expect(
        str_is(buf_view(&buf), "spec.a[12].b&#91;0&#93; &#91;1&#93;(x) a&#91;1&#93;&#91;2&#93; &#91;&#93;"),
        "%.*s", STR_ARG(buf_view(&buf)));
    buf_clear(&buf);
    escape_markdown(&buf, STR("spec.a[3]"));
    cr_expect(str_is(buf_view(&buf), "spec.a[3]"), "%.*s", STR_ARG(buf_view(&buf)));
    buf_clear(&buf);
    escape_markdown(&buf, STR("DB_PASSWORD __init__"));
    cr_expect(str_is(buf_view(&buf), "DB_PASSWORD &#95;&#95;init&#95;&#95;"), "%.*s",
              STR_ARG(buf_view(&buf)));
    buf_done(&buf);
}

/* Every text of the full report becomes hostile, one after the other; no mark-up may come through. */
struct turning {
    struct arena *arena;
    const struct value *with;
    size_t at, seen;
    bool strings_only;
};

static const struct value *turned(struct turning *t, const struct value *value)
{
    if ((!t->strings_only || value_is(value, VALUE_STRING)) && t->seen++ == t->at)
        return t->with;
    if (value_is(value, VALUE_LIST)) {
        struct value_list_builder list = {0};
        VALUE_EACH(item, value)
            value_push(t->arena, &list, turned(t, item));
        return value_list_done(t->arena, &list);
    }
    if (value_is(value, VALUE_MAP)) {
        struct value_map_builder map = {0};
        MEMBER_EACH(member, value)
            value_put(t->arena, &map, member->key, turned(t, &member->value));
        return value_map_done(t->arena, &map);
    }
    return value;
}

Test(report, no_text_breaks_out)
{
    struct arena *arena = arena_new();
    const struct value *report = full_report(arena);
    size_t rows = count_of(written(arena, REPORT_MARKDOWN, report), STR("\n|"));
    bool inside = true;
    for (size_t at = 0; inside; at++) {
        struct arena *scratch = arena_new();
        struct turning t = {scratch, value_string(scratch, STR(HOSTILE)), at, 0, true};
        const struct value *hostile = turned(&t, report);
        struct str page = written(scratch, REPORT_HTML, hostile);
        struct str text = written(scratch, REPORT_MARKDOWN, hostile);
        expect_balanced(page);
        cr_assert_eq(count_of(page, STR("<script>")), 1, "our own and no other, text %zu", at);
        cr_assert_not(str_contains(text, STR("<script")), "text %zu", at);
        cr_assert_not(str_contains(text, STR("\n# c")), "text %zu", at);
        cr_assert_leq(count_of(text, STR("\n|")), rows + 1, "text %zu made a row of its own", at);
        (void)json(scratch, written(scratch, REPORT_JSON, hostile));
        inside = t.seen > at;
        arena_free(scratch);
    }
    arena_free(arena);
}

Test(report, any_shape_can_be_laid_out)
{
    struct arena *arena = arena_new();
    const struct value *report = full_report(arena);
    const struct value *values =
        json(arena, STR("[null, true, -9223372036854775807, 1e300, 99999999999999999999, \"\", [], [1, [2]], "
                        "[{\"\": []}], "
                        "{}, {\"a\": {\"b\": {\"c\": {\"d\": {\"e\": {\"f\": 1}}}}}}]"));
    VALUE_EACH(with, values) {
        bool inside = true;
        for (size_t at = 0; inside; at++) {
            struct arena *scratch = arena_new();
            struct turning t = {scratch, with, at, 0, false};
            const struct value *odd = turned(&t, report);
            expect_balanced(written(scratch, REPORT_HTML, odd));
            (void)written(scratch, REPORT_MARKDOWN, odd);
            inside = t.seen > at;
            arena_free(scratch);
        }
    }
    arena_free(arena);
}

/* Long reports stay readable: what does not fit is counted. */
Test(report, long_lists_are_bounded_and_say_so)
{
    struct arena *arena = arena_new();
    struct value_list_builder findings = {0}, rows = {0}, words = {0};
    const struct value *finding = value_item(value_in(full_report(arena), PATH("score", "findings")), 0);
    for (int i = 0; i < 2100; i++)
        value_push(arena, &findings, finding);
    for (int i = 0; i < 60; i++)
        value_push(arena, &rows, VALUE_MAP(arena, {"name", value_int(arena, i)}));
    for (int i = 0; i < 20; i++)
        value_push(arena, &words, value_int(arena, i));
    const struct value *report =
        VALUE_MAP(arena, {"score", VALUE_MAP(arena, {"findings", value_list_done(arena, &findings)})},
                  {"novel", VALUE_MAP(arena, {"rows", value_list_done(arena, &rows)},
                                      {"words", value_list_done(arena, &words)})});
    struct str page = written(arena, REPORT_HTML, report), text = written(arena, REPORT_MARKDOWN, report);
    expect_balanced(page);
    cr_expect(str_contains(page, STR("… and 100 more; report.json lists them.")));
    cr_expect(str_contains(page, STR("… and 10 more</p>")) && str_contains(text, STR("… and 10 more")));
    cr_expect(str_contains(page, STR("11 … and 8 more")) && str_contains(text, STR("11 … and 8 more")));
    cr_expect(str_contains(text, STR("… and 2050 more")));
    arena_free(arena);
}

/* ---- Words, formats, files ---- */

Test(report, figures_read_well)
{
    struct arena *arena = arena_new();
    cr_expect(str_is(words_duration(arena, 350), "350 ms"));
    cr_expect(str_is(words_duration(arena, 4210), "4.2 s"));
    cr_expect(str_is(words_duration(arena, 200000), "3 min 20 s"));
    cr_expect(str_is(words_duration(arena, 7500000), "2 h 5 min"));
    cr_expect(str_is(words_duration(arena, 273600000), "3 d 4 h"));
    cr_expect(str_is(words_bytes(arena, 999), "999 B"));
    cr_expect(str_is(words_bytes(arena, 6100000), "6.1 MB"));
    cr_expect(str_is(words_bytes(arena, UINT64_MAX), "18.4 EB"));
    cr_expect(str_is(words_value(arena, STR("ms"), value_int(arena, 1500)), "1.5 s"));
    cr_expect(str_is(words_value(arena, STR("bytesNew"), value_int(arena, 1500)), "1.5 kB"));
    cr_expect(str_is(words_value(arena, STR("port"), value_int(arena, 8080)), "8080"));
    cr_expect(str_is(words_number(arena, 7), "7"));
    cr_expect(str_is(words_number(arena, 14210), "14\xE2\x80\xAF"
                                                 "210"));
    cr_expect(str_is(words_number(arena, -1234567), "-1\xE2\x80\xAF"
                                                    "234\xE2\x80\xAF"
                                                    "567"));
    cr_expect(str_is(words_label(arena, STR("recoveryTimeMs")), "recovery time"));
    cr_expect(str_is(words_label(arena, STR("bytesNew")), "bytes new"));
    cr_expect(str_is(words_label(arena, STR("clusterUID")), "cluster UID"));
    arena_free(arena);
}

Test(report, formats_have_names)
{
    enum report_format format = REPORT_JSON;
    cr_expect(report_format_of(STR("html"), &format) && format == REPORT_HTML);
    cr_expect(report_format_of(STR("md"), &format) && format == REPORT_MARKDOWN);
    cr_expect(report_format_of(STR("markdown"), &format) && format == REPORT_MARKDOWN);
    cr_expect(report_format_of(STR("json"), &format) && format == REPORT_JSON);
    cr_expect_not(report_format_of(STR("pdf"), &format));
}

Test(report, the_stage_writes_three_files)
{
    char dir[] = "/tmp/report-test-XXXXXX";
    static const char *const files[] = {"report.html", "report.md", "report.json"};
    struct fixture f;
    struct str text;
    fixture_init(&f);
    cr_assert(mkdtemp(dir) != NULL);
    f.config.report_dir = str_fmt(f.arena, "%s/made/here", dir);
    fixture_read(&f, "testdata/quality/bad-stack");
    fixture_score(&f);
    *ARENA_PUSH(f.arena, &f.run.findings) = (struct finding){.check = STR("transform.lost"),
                                                             .kind = STR("Secret"),
                                                             .namespace = STR("careless"),
                                                             .name = STR("left-behind"),
                                                             .message = STR("its value is nowhere else")};
    cr_expect(report_stage(&f.run, &f.bundle, &f.err), "%s", f.err.msg);
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        const char *path = str_c(f.arena, str_fmt(f.arena, "%s/made/here/%s", dir, files[i]));
        cr_expect(file_read(f.arena, path, 16 << 20, &text, &f.err), "%s", f.err.msg);
        cr_expect(str_contains(text, STR("production.image-tag")), "%s", files[i]);
        cr_expect(str_contains(text, STR("transform.lost")), "%s: what other stages found", files[i]);
        cr_expect(i == 2 || str_contains(text, STR("careless/Secret/left-behind")), "%s", files[i]);
        unlink(path);
    }
    rmdir(str_c(f.arena, f.config.report_dir));
    rmdir(str_c(f.arena, str_fmt(f.arena, "%s/made", dir)));
    rmdir(dir);
    fixture_done(&f);
}

Test(report, a_folder_that_cannot_be_written_is_an_error)
{
    struct fixture f;
    fixture_init(&f);
    f.config.report_dir = STR("/proc/nowhere");
    cr_expect_not(report_stage(&f.run, &f.bundle, &f.err));
    cr_expect(strstr(f.err.msg, "report") == f.err.msg, "%s", f.err.msg);
    fixture_done(&f);
}
