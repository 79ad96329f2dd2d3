/* The report as Markdown, short enough for a pull request. */
#include "core/base/version.h"
#include "quality/report/answer.h"
#include "quality/report/chapter.h"
#include "quality/report/escape.h"
#include "quality/report/formats.h"
#include "quality/report/words.h"

enum { MAX_FINDINGS = 50 };

static void put(struct buf *buf, struct str text)
{
    escape_markdown(buf, text);
}

static void put_cell(struct buf *buf, struct str text)
{
    buf_text(buf, " ");
    put(buf, text);
    buf_text(buf, " |");
}

static struct str text_of(const struct value *map, const char *key)
{
    return value_text(value_key(map, key));
}

/* "| a | b |" and the line below it. */
static void put_header(struct buf *buf, const char *const *columns, size_t count)
{
    buf_text(buf, "\n|");
    for (size_t i = 0; i < count; i++)
        buf_fmt(buf, " %s |", columns[i]);
    buf_text(buf, "\n|");
    for (size_t i = 0; i < count; i++)
        buf_text(buf, " --- |");
    buf_char(buf, '\n');
}

static void put_answer(struct buf *buf, const struct answer *answer)
{
    static const char *const marks[] = {"✅", "⚠️", "❌"};
    buf_fmt(buf, "# %s ", marks[answer->verdict]);
    put(buf, answer->headline);
    buf_text(buf, "\n\n");
    if (answer->sandbox)
        buf_text(buf, "> **Sandbox:** no real cluster took part; a stand-in API server answered. Times and "
                      "results say nothing about a real one.\n\n");
    if (answer->cluster.len != 0) {
        buf_text(buf, "Cluster **");
        put(buf, answer->cluster);
        buf_text(buf, "** ");
        put(buf, answer->version);
    }
    if (answer->when.len != 0) {
        buf_text(buf, answer->cluster.len ? ", " : "");
        put(buf, answer->when);
    }
    buf_text(buf, "\n");
}

static void put_figures(struct buf *buf, const struct answer *answer)
{
    if (answer->figure_count == 0)
        return;
    buf_text(buf, "\n|");
    for (size_t i = 0; i < answer->figure_count; i++)
        put_cell(buf, answer->figures[i].label);
    buf_text(buf, "\n|");
    for (size_t i = 0; i < answer->figure_count; i++)
        buf_text(buf, " --- |");
    buf_text(buf, "\n|");
    for (size_t i = 0; i < answer->figure_count; i++) {
        buf_text(buf, " **");
        put(buf, answer->figures[i].value);
        buf_text(buf, "** ");
        put(buf, answer->figures[i].note);
        buf_text(buf, " |");
    }
    buf_char(buf, '\n');
}

static void put_tasks(struct buf *buf, const struct answer *answer)
{
    if (answer->task_count == 0)
        return;
    buf_text(buf, "\n## What to do\n\n");
    for (size_t i = 0; i < answer->task_count; i++) {
        const struct task *task = &answer->tasks[i];
        buf_fmt(buf, "%zu. **%s** ", i + 1, severity_name(task->severity));
        put(buf, task->what);
        if (task->how.len != 0) {
            buf_text(buf, " → ");
            put(buf, task->how);
        }
        if (task->where.len != 0) {
            buf_text(buf, " (");
            put(buf, task->where);
            buf_char(buf, ')');
        }
        buf_char(buf, '\n');
    }
    if (answer->tasks_left != 0)
        buf_fmt(buf, "\n… and %zu more checks with findings.\n", answer->tasks_left);
}

static void put_spans(struct arena *arena, struct buf *buf, const char *title, const struct value *section)
{
    static const char *const columns[] = {"", "step", "time", "result"};
    struct spans spans;
    spans_of(arena, section, &spans);
    if (spans.count == 0)
        return;
    buf_fmt(buf, "\n## %s\n", title);
    put_header(buf, columns, COUNT_OF(columns));
    for (size_t i = 0; i < spans.count; i++) {
        const struct span *span = &spans.items[i];
        buf_fmt(buf, "| %s |", span->ok ? "✔" : "✘");
        put_cell(buf, span->name);
        put_cell(buf, span->ms < 0 ? STR_NONE : words_duration(arena, span->ms));
        put_cell(buf, span->summary);
        buf_char(buf, '\n');
    }
}

static void put_finding(struct buf *buf, const struct value *finding)
{
    const struct value *resource = value_key(finding, "resource");
    struct str namespace = text_of(resource, "namespace");
    buf_char(buf, '|');
    put_cell(buf, text_of(finding, "severity"));
    put_cell(buf, text_of(finding, "check"));
    buf_char(buf, ' ');
    put(buf, namespace);
    buf_text(buf, namespace.len ? "/" : "");
    put(buf, text_of(resource, "kind"));
    buf_char(buf, '/');
    put(buf, text_of(resource, "name"));
    buf_text(buf, " |");
    put_cell(buf, text_of(finding, "path"));
    put_cell(buf, text_of(finding, "message"));
    buf_char(buf, '\n');
}

static void put_findings(struct buf *buf, const struct value *findings)
{
    static const char *const columns[] = {"severity", "check", "object", "path", "what is wrong"};
    size_t shown = 0, serious = 0;
    VALUE_EACH(finding, findings)
        serious += !str_is(text_of(finding, "severity"), "info");
    if (serious == 0)
        return;
    buf_text(buf, "\n<details><summary>Findings</summary>\n");
    put_header(buf, columns, COUNT_OF(columns));
    VALUE_EACH(finding, findings)
        if (!str_is(text_of(finding, "severity"), "info") && shown++ < MAX_FINDINGS)
            put_finding(buf, finding);
    if (serious > MAX_FINDINGS)
        buf_fmt(buf, "\n… and %zu more; report.json and report.html list them.\n", serious - MAX_FINDINGS);
    buf_text(buf, "\n</details>\n");
}

static void put_score(struct buf *buf, const struct value *score)
{
    static const char *const columns[] = {"namespace", "score", "grade", "errors", "warnings"};
    static const char *const dimensions[] = {"schema", "security", "production", "resources"};
    if (score == NULL)
        return;
    buf_text(buf, "\n## Score\n\n");
    for (size_t i = 0; i < COUNT_OF(dimensions); i++) {
        buf_fmt(buf, "%s%s **", i ? " · " : "", dimensions[i]);
        put(buf, value_text(value_in(score, PATH("dimensions", dimensions[i]))));
        buf_text(buf, "**");
    }
    buf_char(buf, '\n');
    if (value_count(value_key(score, "namespaces")) != 0)
        put_header(buf, columns, COUNT_OF(columns));
    VALUE_EACH(namespace, value_key(score, "namespaces")) {
        if (value_true(value_key(namespace, "excluded")))
            continue;
        buf_char(buf, '|');
        put_cell(buf, text_of(namespace, "name"));
        put_cell(buf, text_of(namespace, "overall"));
        put_cell(buf, text_of(namespace, "grade"));
        put_cell(buf, text_of(namespace, "errors"));
        put_cell(buf, text_of(namespace, "warnings"));
        buf_char(buf, '\n');
    }
    put_findings(buf, value_key(score, "findings"));
}

static void put_table(struct buf *buf, const struct fact_table *table)
{
    buf_text(buf, "\n");
    put(buf, table->title);
    buf_text(buf, "\n\n|");
    for (size_t c = 0; c < table->columns.count; c++)
        put_cell(buf, table->columns.items[c]);
    buf_text(buf, "\n|");
    for (size_t c = 0; c < table->columns.count; c++)
        buf_text(buf, " --- |");
    buf_char(buf, '\n');
    for (size_t row = 0; row < table->rows; row++) {
        buf_char(buf, '|');
        for (size_t c = 0; c < table->columns.count; c++)
            put_cell(buf, table->cells.items[row * table->columns.count + c]);
        buf_char(buf, '\n');
    }
    if (table->left_out != 0)
        buf_fmt(buf, "\n… and %zu more\n", table->left_out);
}

static void put_chapter(struct arena *arena, struct buf *buf, struct str key, const struct value *section)
{
    struct chapter chapter;
    chapter_of(arena, key, section, &chapter);
    buf_text(buf, "\n<details><summary>");
    put(buf, chapter.title);
    buf_text(buf, "</summary>\n\n");
    for (size_t i = 0; i < chapter.facts.count; i++) {
        buf_text(buf, "- ");
        put(buf, chapter.facts.items[i].label);
        buf_text(buf, ": ");
        put(buf, chapter.facts.items[i].value);
        buf_char(buf, '\n');
    }
    for (size_t i = 0; i < chapter.tables.count; i++)
        put_table(buf, &chapter.tables.items[i]);
    buf_text(buf, "\n</details>\n");
}

void report_markdown(struct arena *arena, const struct value *report, struct buf *buf)
{
    struct answer answer;
    answer_of(arena, report, &answer);
    put_answer(buf, &answer);
    put_figures(buf, &answer);
    put_tasks(buf, &answer);
    put_spans(arena, buf, "Run", value_key(report, "run"));
    for (size_t i = 0; drill_at(report, i) != NULL; i++)
        put_spans(arena, buf, "Drill", drill_at(report, i));
    put_score(buf, value_key(report, "score"));
    MEMBER_EACH(section, report)
        if (!str_is(section->key, "score") && !str_is(section->key, "schemaVersion"))
            put_chapter(arena, buf, section->key, &section->value);
    buf_text(buf, "\n---\ngitops-pipe " GITOPS_PIPE_VERSION "\n");
}
