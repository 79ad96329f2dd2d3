/* html.h — the parts of the HTML report. Each appends to the page; `page->arena` is for scratch. */
#pragma once
#include "quality/report/answer.h"

struct page {
    struct arena *arena;
    struct buf *buf;
    const struct value *report;
    struct answer answer;
};

/* Plain mark-up of our own. */
void html(struct page *page, const char *markup);
/* Text from outside, escaped. */
void html_text(struct page *page, struct str text);
/* "<tag>text</tag>"; `tag` may carry attributes, as in "td class=number". */
void html_element(struct page *page, const char *tag, struct str text);
const char *html_score_class(int64_t score);          /* "good" from 80, "care" from 60, "bad" */
const char *html_severity_class(struct str severity); /* "bad", "care", "note" */

/* html_score.c */
void html_dimensions(struct page *page);
void html_score(struct page *page);
/* html_chapters.c */
void html_timeline(struct page *page, struct str title, const struct value *section);
void html_chapter(struct page *page, struct str key, const struct value *section);

/* svg.c: pictures. Numbers are given in the text as well, for those who do not see them. */
void svg_ring(struct page *page, int64_t score);
void svg_bar(struct page *page, int64_t score);
void svg_timeline(struct page *page, const struct spans *spans);
