#include "quality/report/escape.h"

#include <string.h>

static const char replacement[] = "\xEF\xBF\xBD";

/* Bytes of a character at `at` that must not be shown; 0 when it is harmless. C1 controls are C2 80–9F, directional
 * marks E2 80 8E–8F, AA–AE and E2 81 A6–A9. */
static size_t unsafe_at(struct str text, size_t at)
{
    const unsigned char *c = (const unsigned char *)text.ptr + at;
    size_t left = text.len - at;
    if (c[0] < 0x20 || c[0] == 0x7F)
        return 1;
    if (c[0] == 0xC2 && left > 1 && c[1] < 0xA0)
        return 2;
    if (c[0] != 0xE2 || left < 3)
        return 0;
    bool mark = c[1] == 0x80 && (c[2] == 0x8E || c[2] == 0x8F || (c[2] >= 0xA8 && c[2] <= 0xAE));
    return mark || (c[1] == 0x81 && c[2] >= 0xA6 && c[2] <= 0xA9) ? 3 : 0;
}

void escape_html(struct buf *buf, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        size_t unsafe = c == '\n' || c == '\t' ? 0 : unsafe_at(text, i);
        if (unsafe != 0) {
            buf_text(buf, replacement);
            i += unsafe - 1;
            continue;
        }
        switch (c) {
        case '&': buf_text(buf, "&amp;"); break;
        case '<': buf_text(buf, "&lt;"); break;
        case '>': buf_text(buf, "&gt;"); break;
        case '"': buf_text(buf, "&quot;"); break;
        case '\'': buf_text(buf, "&#39;"); break;
        default: buf_char(buf, c);
        }
    }
}

/* An underscore inside a word is only an underscore. */
static bool is_word(struct str text, size_t at)
{
    char c = at < text.len ? text.ptr[at] : ' ';
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* "[2]" in a path is no link, as long as nothing behind it makes it one. */
static bool is_index(struct str text, size_t at)
{
    size_t from = at, to;
    while (from > 0 && text.ptr[from] == ']')
        from--;
    while (from > 0 && text.ptr[from] >= '0' && text.ptr[from] <= '9')
        from--;
    for (to = from + 1; to < text.len && text.ptr[to] >= '0' && text.ptr[to] <= '9'; to++)
        ;
    bool closed = to > from + 1 && to < text.len && text.ptr[to] == ']';
    return closed && from > 0 && text.ptr[from] == '[' && (to + 1 == text.len || text.ptr[to + 1] == '.');
}

static bool is_markup(struct str text, size_t at)
{
    char c = text.ptr[at];
    if (c == '[' || c == ']')
        return !is_index(text, at);
    if (c == '_')
        return at == 0 || !is_word(text, at - 1) || !is_word(text, at + 1);
    if (at == 0 && strchr("#+-=", c) != NULL)
        return true;
    return strchr("\\`*[]<>|@~$&!", c) != NULL;
}

void escape_markdown(struct buf *buf, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool blank = c == '\n' || c == '\r' || c == '\t';
        size_t unsafe = blank ? 0 : unsafe_at(text, i);
        if (blank) {
            buf_char(buf, ' ');
        } else if (unsafe != 0) {
            buf_text(buf, replacement);
            i += unsafe - 1;
        } else if (is_markup(text, i)) {
            buf_fmt(buf, "&#%d;", c);
        } else {
            buf_char(buf, c);
        }
    }
}
