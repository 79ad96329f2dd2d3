/* Timelines, and sections by their keys. */
#include "quality/report/chapter.h"
#include "quality/report/html.h"
#include "quality/report/words.h"

void html_timeline(struct page *page, struct str title, const struct value *section)
{
    struct spans spans;
    spans_of(page->arena, section, &spans);
    if (spans.count == 0)
        return;
    html_element(page, "h2", title);
    html(page, "\n<div class=\"timeline\">");
    svg_timeline(page, &spans);
    html(page, "</div>\n");
}

static void put_facts(struct page *page, const struct chapter *chapter)
{
    html(page, "<dl class=\"facts\">\n");
    for (size_t i = 0; i < chapter->facts.count; i++) {
        html_element(page, "dt", chapter->facts.items[i].label);
        html_element(page, "dd", chapter->facts.items[i].value);
        html(page, "\n");
    }
    html(page, "</dl>\n");
}

static void put_table(struct page *page, const struct fact_table *table)
{
    if (table->title.len != 0)
        html_element(page, "h3", table->title);
    html(page, "<table><thead><tr>");
    for (size_t c = 0; c < table->columns.count; c++)
        html_element(page, "th scope=col", words_label(page->arena, table->columns.items[c]));
    html(page, "</tr></thead><tbody>\n");
    for (size_t row = 0; row < table->rows; row++) {
        html(page, "<tr>");
        for (size_t c = 0; c < table->columns.count; c++)
            html_element(page, "td", table->cells.items[row * table->columns.count + c]);
        html(page, "</tr>\n");
    }
    html(page, "</tbody></table>\n");
    if (table->left_out != 0)
        buf_fmt(page->buf, "<p class=\"more\">… and %zu more</p>\n", table->left_out);
}

void html_chapter(struct page *page, struct str key, const struct value *section)
{
    struct chapter chapter;
    chapter_of(page->arena, key, section, &chapter);
    if (chapter.facts.count == 0 && chapter.tables.count == 0)
        return;
    html(page, "<details>");
    html_element(page, "summary", chapter.title);
    html(page, "<div>\n");
    if (chapter.facts.count != 0)
        put_facts(page, &chapter);
    for (size_t i = 0; i < chapter.tables.count; i++)
        put_table(page, &chapter.tables.items[i]);
    html(page, "</div></details>\n");
}
