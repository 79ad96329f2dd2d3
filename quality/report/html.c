/* The page: head, answer, and the order of what follows. */
#include "quality/report/html.h"

#include "core/base/base64.h"
#include "core/base/sha256.h"
#include "core/base/version.h"
#include "quality/report/assets.h"
#include "quality/report/escape.h"
#include "quality/report/formats.h"

void html(struct page *page, const char *markup)
{
    buf_text(page->buf, markup);
}

void html_text(struct page *page, struct str text)
{
    escape_html(page->buf, text);
}

void html_element(struct page *page, const char *tag, struct str text)
{
    struct str name = str_slice(str_of(tag), 0, str_find(str_of(tag), ' '));
    buf_fmt(page->buf, "<%s>", tag);
    html_text(page, text);
    buf_fmt(page->buf, "</%.*s>", STR_ARG(name));
}

const char *html_score_class(int64_t score)
{
    return score >= 80 ? "good" : score >= 60 ? "care" : "bad";
}

const char *html_severity_class(struct str severity)
{
    return str_is(severity, "error") ? "bad" : str_is(severity, "warning") ? "care" : "note";
}

static struct str hash_of(struct arena *arena, struct str text)
{
    struct sha256 hash = sha256_of(text);
    return base64_encode(arena, (struct str){(const char *)hash.bytes, sizeof hash.bytes}, BASE64_STANDARD);
}

/* Only our own style and script may run, by their hash; nothing is loaded, nothing may be framed or sent. */
static void put_policy(struct page *page)
{
    struct str style = hash_of(page->arena, asset_style()), script = hash_of(page->arena, asset_script());
    html(page, "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; base-uri 'none'; "
               "form-action 'none'; ");
    buf_fmt(page->buf, "style-src 'sha256-%.*s'; script-src 'sha256-%.*s'\">\n", STR_ARG(style),
            STR_ARG(script));
}

static void put_head(struct page *page)
{
    html(page, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    put_policy(page);
    html(page, "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
               "<meta name=\"referrer\" content=\"no-referrer\">\n<title>");
    html_text(page, page->answer.headline);
    html(page, " · gitops-pipe</title>\n<style>");
    buf_str(page->buf, asset_style());
    html(page, "</style>\n</head>\n<body>\n");
}

static void put_answer(struct page *page)
{
    static const struct {
        const char *class, *mark;
    } verdicts[] = {{"good", "✔"}, {"care", "!"}, {"bad", "✘"}};
    const struct answer *answer = &page->answer;

    html(page, "<header>\n<p class=\"eyebrow\">gitops-pipe");
    html(page, answer->cluster.len ? " · " : "");
    html_text(page, answer->cluster);
    html(page, answer->version.len ? " " : "");
    html_text(page, answer->version);
    html(page, answer->when.len ? " · " : "");
    html_text(page, answer->when);
    buf_fmt(page->buf, "</p>\n<h1 class=\"%s\"><span class=\"mark\" aria-hidden=\"true\">%s</span>",
            verdicts[answer->verdict].class, verdicts[answer->verdict].mark);
    html_text(page, answer->headline);
    html(page, "</h1>\n");
    if (answer->sandbox)
        html(page,
             "<p class=\"banner\"><strong>Sandbox.</strong> No real cluster took part: a stand-in API server "
             "answered. Times and results say nothing about a real one.</p>\n");
}

static void put_figures(struct page *page)
{
    if (page->answer.figure_count != 0)
        html(page, "<dl class=\"figures\">\n");
    for (size_t i = 0; i < page->answer.figure_count; i++) {
        const struct figure *figure = &page->answer.figures[i];
        html(page, "<div>");
        html_element(page, "dt", figure->label);
        html(page, "<dd>");
        html_text(page, figure->value);
        if (figure->note.len != 0)
            html_element(page, "small", figure->note);
        html(page, "</dd></div>\n");
    }
    if (page->answer.figure_count != 0)
        html(page, "</dl>\n");
    html(page, "</header>\n<main>\n");
}

static void put_task(struct page *page, const struct task *task)
{
    struct str severity = str_of(severity_name(task->severity));
    buf_fmt(page->buf, "<li><p><strong class=\"%s\">%s</strong> ", html_severity_class(severity),
            severity.ptr);
    html_text(page, task->what);
    html(page, "</p><p class=\"how\">");
    if (task->how.len != 0) {
        html(page, "→ ");
        html_text(page, task->how);
        html(page, " ");
    }
    html_element(page, "code", task->where);
    html(page, "</p></li>\n");
}

static void put_tasks(struct page *page)
{
    const struct answer *answer = &page->answer;
    if (answer->task_count == 0)
        return;
    html(page, "<h2>What to do</h2>\n<ol class=\"tasks\">\n");
    for (size_t i = 0; i < answer->task_count; i++)
        put_task(page, &answer->tasks[i]);
    html(page, "</ol>\n");
    if (answer->tasks_left != 0)
        buf_fmt(page->buf, "<p class=\"more\">… and %zu more checks with findings, listed below.</p>\n",
                answer->tasks_left);
}

static void put_timelines(struct page *page)
{
    html_timeline(page, STR("The run"), value_key(page->report, "run"));
    for (size_t i = 0; drill_at(page->report, i) != NULL; i++) {
        struct str name = value_str(value_key(drill_at(page->report, i), "name"));
        html_timeline(page,
                      name.len ? str_fmt(page->arena, "The drill: %.*s", STR_ARG(name)) : STR("The drill"),
                      drill_at(page->report, i));
    }
}

static void put_chapters(struct page *page)
{
    size_t chapters = 0;
    MEMBER_EACH(section, page->report) {
        if (str_is(section->key, "score") || str_is(section->key, "schemaVersion"))
            continue;
        if (chapters++ == 0)
            html(page, "<h2>Stage by stage</h2>\n");
        html_chapter(page, section->key, &section->value);
    }
}

void report_html(struct arena *arena, const struct value *report, struct buf *buf)
{
    struct page page = {.arena = arena, .buf = buf, .report = report};
    answer_of(arena, report, &page.answer);
    put_head(&page);
    put_answer(&page);
    put_figures(&page);
    put_tasks(&page);
    html_dimensions(&page);
    put_timelines(&page);
    html_score(&page);
    put_chapters(&page);
    html(&page, "</main>\n<footer>Made by gitops-pipe ");
    html_text(&page, STR(GITOPS_PIPE_VERSION));
    html(&page, ". One file, nothing loaded from elsewhere.</footer>\n<script>");
    buf_str(buf, asset_script());
    html(&page, "</script>\n</body>\n</html>\n");
}
