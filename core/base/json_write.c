#include "core/base/json.h"

static void write_escape(struct buf *buf, unsigned char c)
{
    switch (c) {
    case '"': buf_text(buf, "\\\""); return;
    case '\\': buf_text(buf, "\\\\"); return;
    case '\n': buf_text(buf, "\\n"); return;
    case '\r': buf_text(buf, "\\r"); return;
    case '\t': buf_text(buf, "\\t"); return;
    default: buf_fmt(buf, "\\u%04x", c);
    }
}

static const bool needs_escape[256] = {[0 ... 0x1F] = true, ['"'] = true, ['\\'] = true};

static size_t plain_len(struct str text)
{
    size_t len = 0;
    while (len < text.len && !needs_escape[(unsigned char)text.ptr[len]])
        len++;
    return len;
}

void json_write_string(struct buf *buf, struct str text)
{
    size_t plain = plain_len(text);
    char *at = plain == text.len && plain != 0 ? buf_reserve(buf, text.len + 2) : NULL;
    if (at != NULL) { /* nearly always */
        *at++ = '"';
        at = (char *)memcpy(at, text.ptr, text.len) + text.len;
        *at = '"';
        buf->len += text.len + 2;
        return;
    }
    buf_char(buf, '"');
    while (plain < text.len) {
        buf_append(buf, text.ptr, plain);
        write_escape(buf, (unsigned char)text.ptr[plain]);
        text = str_from(text, plain + 1);
        plain = plain_len(text);
    }
    buf_str(buf, text);
    buf_char(buf, '"');
}

/* `indent` < 0 writes everything on one line. */
static void break_line(struct buf *buf, int indent)
{
    if (indent < 0)
        return;
    buf_char(buf, '\n');
    buf_repeat(buf, ' ', 2 * (size_t)indent);
}

static void write_value(struct buf *buf, const struct value *value, int indent);

static void write_list(struct buf *buf, const struct value *list, int indent)
{
    int inner = indent < 0 ? indent : indent + 1;
    buf_char(buf, '[');
    for (uint32_t i = 0; i < list->count; i++) {
        if (i > 0)
            buf_char(buf, ',');
        break_line(buf, inner);
        write_value(buf, &list->items[i], inner);
    }
    if (list->count != 0)
        break_line(buf, indent);
    buf_char(buf, ']');
}

static void write_map(struct buf *buf, const struct value *map, int indent)
{
    int inner = indent < 0 ? indent : indent + 1;
    buf_char(buf, '{');
    for (uint32_t i = 0; i < map->count; i++) {
        if (i > 0)
            buf_char(buf, ',');
        break_line(buf, inner);
        json_write_string(buf, map->members[i].key);
        buf_char(buf, ':');
        if (indent >= 0)
            buf_char(buf, ' ');
        write_value(buf, &map->members[i].value, inner);
    }
    if (map->count != 0)
        break_line(buf, indent);
    buf_char(buf, '}');
}

static void write_value(struct buf *buf, const struct value *value, int indent)
{
    switch (value->kind) {
    case VALUE_NULL: buf_text(buf, "null"); return;
    case VALUE_BOOL:
    case VALUE_NUMBER: buf_str(buf, value_text(value)); return;
    case VALUE_STRING: json_write_string(buf, value_str(value)); return;
    case VALUE_LIST: write_list(buf, value, indent); return;
    case VALUE_MAP: write_map(buf, value, indent); return;
    }
}

void json_write(struct buf *buf, const struct value *value)
{
    write_value(buf, value, -1);
}

void json_write_pretty(struct buf *buf, const struct value *value)
{
    write_value(buf, value, 0);
    buf_char(buf, '\n');
}

struct str json_text(struct arena *arena, const struct value *value)
{
    struct buf buf CLEANUP(buf_done);
    buf_init(&buf, SIZE_MAX / 2);
    json_write(&buf, value);
    return str_dup(arena, buf_view(&buf));
}
