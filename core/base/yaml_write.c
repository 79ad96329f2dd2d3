/* Block style, as kubectl and kustomize write it: lists at the indent of their key, long texts as literal blocks. The
 * one question that matters is which quotes a text needs; it is answered in one pass over a table of bytes. */
#include <string.h>

#include "core/base/yaml.h"
#include "core/base/yaml_scalar.h"

enum style { STYLE_PLAIN, STYLE_SINGLE, STYLE_DOUBLE, STYLE_LITERAL };

/* libyaml and Go's readers take at most 1024 characters before the ':' of a key; quoted, one byte can become ten. */
enum { LONGEST_SIMPLE_KEY = 100, STEP = 2 };

/* What a byte can do to a text. */
enum {
    SEEN_COLON = 1,
    SEEN_HASH = 2,
    SEEN_NEWLINE = 4,
    SEEN_TAB = 8,
    SEEN_CONTROL = 16,
    SEEN_HIGH = 32,
    SEEN_OTHER = 64, /* anything that is not a space or a break */
};

static const unsigned char classes[256] = {
    [0x00 ... 0x08] = SEEN_CONTROL,
    ['\t'] = SEEN_TAB,
    ['\n'] = SEEN_NEWLINE,
    [0x0B ... 0x1F] = SEEN_CONTROL,
    ['!' ... '"'] = SEEN_OTHER,
    ['#'] = SEEN_HASH | SEEN_OTHER,
    ['$' ... '9'] = SEEN_OTHER,
    [':'] = SEEN_COLON | SEEN_OTHER,
    [';' ... '~'] = SEEN_OTHER,
    [0x7F] = SEEN_CONTROL,
    [0x80 ... 0xFF] = SEEN_HIGH | SEEN_OTHER,
};

/* Bytes that may open a plain text. '-' may, unless a space follows. */
static const bool opens_plain[256] = {
    ['a' ... 'z'] = true, ['A' ... 'Z'] = true, ['0' ... '9'] = true,   ['/'] = true, ['.'] = true,
    ['_'] = true,         ['-'] = true,         ['+'] = true,           ['$'] = true, ['('] = true,
    [')'] = true,         ['<'] = true,         ['^'] = true,           [';'] = true, ['~'] = true,
    ['\\'] = true,        ['='] = true,         [0x80 ... 0xFF] = true,
};

static void put_indent(struct buf *buf, size_t indent)
{
    static const char spaces[] = "                                                                ";
    if (indent < sizeof spaces)
        buf_append(buf, spaces, indent);
    else
        buf_repeat(buf, ' ', indent);
}

static unsigned classes_in(struct str text)
{
    unsigned seen = 0;
    for (size_t i = 0; i < text.len; i++)
        seen |= classes[(unsigned char)text.ptr[i]];
    return seen;
}

/* The code point at `at` and its length; text is UTF-8, what is not counts as one unprintable byte. */
static unsigned code_point(struct str text, size_t at, size_t *ret_len)
{
    const unsigned char *bytes = (const unsigned char *)text.ptr + at;
    size_t len = bytes[0] < 0x80 ? 1 : bytes[0] >= 0xF0 ? 4 : bytes[0] >= 0xE0 ? 3 : 2;
    *ret_len = 1;
    if (len == 1 || at + len > text.len)
        return bytes[0];
    unsigned code = bytes[0] & (0x7Fu >> len);
    for (size_t i = 1; i < len; i++)
        code = code << 6 | (bytes[i] & 0x3F);
    *ret_len = len;
    return code;
}

/* What every reader takes literally, anywhere. Line separators and the byte order mark are not among it. */
static bool is_printable(unsigned code)
{
    return (code >= 0x20 && code < 0x7F) || (code >= 0xA0 && code < 0x2028) ||
           (code > 0x2029 && code < 0xD800) || (code >= 0xE000 && code < 0xFEFF) ||
           (code > 0xFEFF && code < 0xFFFE) || (code >= 0x10000 && code <= 0x10FFFF);
}

static bool high_is_printable(struct str text)
{
    for (size_t i = 0, len; i < text.len; i += len) {
        unsigned code = code_point(text, i, &len);
        if (code >= 0x80 && !is_printable(code))
            return false;
    }
    return true;
}

/* ": " inside, or ':' at the end. */
static bool colon_ends_key(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] == ':' && (i + 1 == text.len || text.ptr[i + 1] == ' '))
            return true;
    return false;
}

static bool fits_plain(struct str text, unsigned seen)
{
    unsigned char first = (unsigned char)text.ptr[0];
    if (!opens_plain[first] || text.ptr[text.len - 1] == ' ')
        return false;
    if (first == '-' && (text.len == 1 || text.ptr[1] == ' ' || str_starts(text, STR("---"))))
        return false;
    if (first == '.' && str_starts(text, STR("...")))
        return false;
    return !((seen & SEEN_COLON) && colon_ends_key(text)) &&
           !((seen & SEEN_HASH) && str_contains(text, STR(" #")));
}

/* Go's reader takes a tab for indent where a block's first line opens with one, wherever the indent was said to be. */
static bool opens_with_tab(struct str text)
{
    while (text.len != 0 && text.ptr[0] == '\n')
        text = str_from(text, 1);
    return text.len != 0 && text.ptr[0] == '\t';
}

static enum style style_of(struct str text, bool may_be_literal)
{
    unsigned seen = classes_in(text);
    if (text.len == 0 || (seen & SEEN_CONTROL) || ((seen & SEEN_HIGH) && !high_is_printable(text)))
        return STYLE_DOUBLE;
    if (seen & SEEN_NEWLINE)
        return may_be_literal && (seen & SEEN_OTHER) && !opens_with_tab(text) ? STYLE_LITERAL : STYLE_DOUBLE;
    if ((seen & SEEN_TAB) || yaml_looks_typed(text))
        return STYLE_DOUBLE;
    return fits_plain(text, seen) ? STYLE_PLAIN : STYLE_SINGLE;
}

static void write_single(struct buf *buf, struct str text)
{
    buf_char(buf, '\'');
    while (text.len != 0) {
        size_t quote = str_find(text, '\'');
        buf_append(buf, text.ptr, quote);
        if (quote < text.len)
            buf_text(buf, "''");
        text = str_from(text, quote + 1);
    }
    buf_char(buf, '\'');
}

static void write_escape(struct buf *buf, unsigned code)
{
    static const char from[] = "\"\\\n\t\r", to[] = "\"\\ntr";
    const char *known = code != 0 && code < 0x80 ? strchr(from, (int)code) : NULL;
    if (known != NULL)
        buf_fmt(buf, "\\%c", to[known - from]);
    else if (code < 0x80)
        buf_fmt(buf, "\\x%02X", code);
    else
        buf_fmt(buf, code < 0x10000 ? "\\u%04X" : "\\U%08X", code);
}

static void write_double(struct buf *buf, struct str text)
{
    size_t from = 0, len;
    buf_char(buf, '"');
    for (size_t i = 0; i < text.len; i += len) {
        unsigned code = code_point(text, i, &len);
        if (is_printable(code) && code != '"' && code != '\\')
            continue;
        buf_append(buf, text.ptr + from, i - from);
        write_escape(buf, code);
        from = i + len;
    }
    buf_append(buf, text.ptr + from, text.len - from);
    buf_char(buf, '"');
}

/* "|" keeps one final newline, "|-" none, "|+" all. Where the text opens with white space a reader could not tell
 * its indent from ours, so it is stated. */
static void write_literal(struct buf *buf, struct str text, size_t indent)
{
    bool ends = text.ptr[text.len - 1] == '\n', ends_twice = ends && text.ptr[text.len - 2] == '\n';
    buf_char(buf, '|');
    if (memchr(" \t\n", text.ptr[0], 3) != NULL)
        buf_char(buf, '2');
    if (!ends || ends_twice)
        buf_char(buf, ends ? '+' : '-');
    buf_char(buf, '\n');
    while (text.len != 0) {
        struct str line = str_cut(&text, '\n');
        if (line.len != 0)
            put_indent(buf, indent);
        buf_str(buf, line);
        buf_char(buf, '\n');
    }
}

/* Ends the line. `indent` is where a literal block stands. */
static void write_string(struct buf *buf, struct str text, size_t indent, bool may_be_literal)
{
    switch (style_of(text, may_be_literal)) {
    case STYLE_LITERAL: write_literal(buf, text, indent); return;
    case STYLE_PLAIN: buf_str(buf, text); break;
    case STYLE_SINGLE: write_single(buf, text); break;
    case STYLE_DOUBLE: write_double(buf, text); break;
    }
    buf_char(buf, '\n');
}

static void write_inline(struct buf *buf, const struct value *value, size_t indent, bool may_be_literal)
{
    struct str text = value_text(value);
    switch (value->kind) {
    case VALUE_NULL: buf_text(buf, "null\n"); return;
    case VALUE_LIST: buf_text(buf, "[]\n"); return;
    case VALUE_MAP: buf_text(buf, "{}\n"); return;
    case VALUE_STRING: write_string(buf, text, indent, may_be_literal); return;
    case VALUE_BOOL:
    case VALUE_NUMBER: buf_str(buf, text); buf_char(buf, '\n');
    }
}

static bool is_block(const struct value *value)
{
    return (value->kind == VALUE_LIST || value->kind == VALUE_MAP) && value->count != 0;
}

/* A map or a list with something in it. The first line stands where the writer is, the others at `indent`. */
static void write_block(struct buf *buf, const struct value *value, size_t indent);

static void write_list(struct buf *buf, const struct value *list, size_t indent)
{
    for (uint32_t i = 0; i < list->count; i++) {
        const struct value *item = &list->items[i];
        if (i > 0)
            put_indent(buf, indent);
        buf_text(buf, "- ");
        if (is_block(item))
            write_block(buf, item, indent + STEP);
        else
            write_inline(buf, item, indent + STEP, true);
    }
}

/* Too long for "key: value": "? key" on a line of its own, then ": value". */
static void write_long_key(struct buf *buf, struct str key, const struct value *value, size_t indent)
{
    buf_text(buf, "? ");
    write_string(buf, key, indent + STEP, false);
    put_indent(buf, indent);
    buf_text(buf, ": ");
    if (is_block(value))
        write_block(buf, value, indent + STEP);
    else
        write_inline(buf, value, indent + STEP, true);
}

static void write_key(struct buf *buf, struct str key)
{
    switch (style_of(key, false)) {
    case STYLE_PLAIN: buf_str(buf, key); break;
    case STYLE_SINGLE: write_single(buf, key); break;
    default: write_double(buf, key);
    }
}

static void write_map(struct buf *buf, const struct value *map, size_t indent)
{
    for (uint32_t i = 0; i < map->count; i++) {
        const struct value *value = &map->members[i].value;
        struct str key = map->members[i].key;
        if (i > 0)
            put_indent(buf, indent);
        if (key.len > LONGEST_SIMPLE_KEY) {
            write_long_key(buf, key, value, indent);
            continue;
        }
        write_key(buf, key);
        if (!is_block(value)) {
            buf_text(buf, ": ");
            write_inline(buf, value, indent + STEP, true);
            continue;
        }
        size_t below = value->kind == VALUE_MAP ? indent + STEP : indent;
        buf_text(buf, ":\n");
        put_indent(buf, below);
        write_block(buf, value, below);
    }
}

static void write_block(struct buf *buf, const struct value *value, size_t indent)
{
    if (value->kind == VALUE_LIST)
        write_list(buf, value, indent);
    else
        write_map(buf, value, indent);
}

void yaml_write(struct buf *buf, const struct value *value)
{
    if (is_block(value))
        write_block(buf, value, 0);
    else
        write_inline(buf, value, 0, false);
}
