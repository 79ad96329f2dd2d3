#include "quality/report/html.h"
#include "quality/report/words.h"

enum {
    RING_RADIUS = 40,
    ROW_HEIGHT = 30,
    WIDTH = 960,
    LABEL_WIDTH = 220,
    TIME_WIDTH = 110,
    NAME_CHARACTERS = 26
};

static int64_t clamped(int64_t score)
{
    return score < 0 ? 0 : score > 100 ? 100 : score;
}

/* A circle's outline, as much of it as the score is of 100. */
void svg_ring(struct page *page, int64_t score)
{
    double around = 2 * 3.14159265 * RING_RADIUS, drawn = around * (double)clamped(score) / 100;
    buf_fmt(
        page->buf,
        "<svg width=\"104\" height=\"104\" viewBox=\"0 0 104 104\" role=\"img\" aria-label=\"%lld of 100\">"
        "<circle class=\"track\" cx=\"52\" cy=\"52\" r=\"%d\" stroke-width=\"8\"/>",
        (long long)score, RING_RADIUS);
    if (score > 0)
        buf_fmt(page->buf,
                "<circle class=\"arc %s\" cx=\"52\" cy=\"52\" r=\"%d\" stroke-width=\"8\" "
                "stroke-dasharray=\"%.1f %.1f\" transform=\"rotate(-90 52 52)\"/>",
                html_score_class(score), RING_RADIUS, drawn, around);
    buf_fmt(page->buf,
            "<text x=\"52\" y=\"60.5\" text-anchor=\"middle\" font-size=\"24\" "
            "font-weight=\"650\">%lld</text></svg>",
            (long long)score);
}

void svg_bar(struct page *page, int64_t score)
{
    buf_fmt(
        page->buf,
        "<svg width=\"120\" height=\"8\" viewBox=\"0 0 120 8\" aria-hidden=\"true\"><rect class=\"track\" "
        "width=\"120\" height=\"8\" rx=\"4\"/><rect class=\"%s\" width=\"%.1f\" height=\"8\" "
        "rx=\"4\"/></svg>",
        html_score_class(score), 1.2 * (double)clamped(score));
}

/* Cut by characters, not by bytes. */
static struct str shortened(struct page *page, struct str text)
{
    size_t characters = 0, at = 0;
    for (; at < text.len && characters < NAME_CHARACTERS; at++)
        characters += ((unsigned char)text.ptr[at] & 0xC0) != 0x80;
    while (at < text.len && ((unsigned char)text.ptr[at] & 0xC0) == 0x80)
        at++;
    return at < text.len ? str_fmt(page->arena, "%.*s…", STR_ARG(str_slice(text, 0, at))) : text;
}

static void put_row(struct page *page, const struct span *span, size_t row, double scale)
{
    double y = (double)(row * ROW_HEIGHT), x = LABEL_WIDTH + (double)span->start_ms * scale;
    double width = span->ms > 0 ? (double)span->ms * scale : 0;
    struct str time = span->ms < 0 ? STR_NONE : words_duration(page->arena, span->ms);

    buf_fmt(page->buf, "<g><title>");
    html_text(page, span->name);
    buf_fmt(page->buf, ": %.*s%s</title><text x=\"0\" y=\"%.0f\" font-size=\"15\"%s>", STR_ARG(time),
            span->ok ? "" : ", failed", y + 20, span->ok ? "" : " font-weight=\"650\"");
    html(page, span->ok ? "" : "✘ ");
    html_text(page, shortened(page, span->name));
    buf_fmt(page->buf,
            "</text><rect class=\"%s\" x=\"%.1f\" y=\"%.0f\" width=\"%.1f\" height=\"14\" rx=\"3\"/>"
            "<text class=\"soft\" x=\"%d\" y=\"%.0f\" font-size=\"14\" text-anchor=\"end\">%.*s</text></g>",
            span->ok ? "good" : "bad", x, y + 8, width < 3 ? 3 : width, WIDTH, y + 20, STR_ARG(time));
}

void svg_timeline(struct page *page, const struct spans *spans)
{
    double room = WIDTH - LABEL_WIDTH - TIME_WIDTH;
    double scale = spans->end_ms > 0 ? room / (double)spans->end_ms : 0;
    size_t height = spans->count * ROW_HEIGHT + 28;
    struct str end = words_duration(page->arena, spans->end_ms);

    buf_fmt(page->buf,
            "<svg viewBox=\"0 0 %d %zu\" role=\"img\" aria-label=\"%zu steps in %.*s\">"
            "<line class=\"grid\" x1=\"%d\" y1=\"0\" x2=\"%d\" y2=\"%zu\"/>"
            "<line class=\"grid\" x1=\"%.0f\" y1=\"0\" x2=\"%.0f\" y2=\"%zu\"/>",
            WIDTH, height, spans->count, STR_ARG(end), LABEL_WIDTH, LABEL_WIDTH, height - 20,
            LABEL_WIDTH + room, LABEL_WIDTH + room, height - 20);
    for (size_t i = 0; i < spans->count; i++)
        put_row(page, &spans->items[i], i, scale);
    buf_fmt(
        page->buf,
        "<text class=\"soft\" x=\"%d\" y=\"%zu\" font-size=\"13\">0</text>"
        "<text class=\"soft\" x=\"%.0f\" y=\"%zu\" font-size=\"13\" text-anchor=\"end\">%.*s</text></svg>",
        LABEL_WIDTH, height - 4, LABEL_WIDTH + room, height - 4, STR_ARG(end));
}
