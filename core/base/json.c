/* A recursive-descent parser with a bounded depth. Items of open containers collect on one scratch stack and
 * are copied into the arena when their container closes, so every container is exactly as large as it must be.
 * What is parsed is written into its slot of that stack at once: handed up as a struct, each copy would wait for the
 * small writes before it. */
#include "core/base/json.h"

#include <stdlib.h>
#include <string.h>

const struct json_limits JSON_DEFAULT_LIMITS = {
    .max_bytes = (size_t)512 << 20, .max_depth = 200, .max_values = (size_t)64 << 20};

struct parser {
    struct arena *arena;
    const char *start, *at, *end;
    struct json_limits limits;
    unsigned depth;
    size_t values;
    struct member *stack; /* list items use the value half only */
    size_t count, cap;
    struct err *err;
};

static bool fail(struct parser *p, enum err_code code, const char *what)
{
    size_t line = 1;
    const char *line_start = p->start;
    for (const char *at = p->start; at < p->at && at < p->end; at++)
        if (*at == '\n') {
            line++;
            line_start = at + 1;
        }
    return err_set(p->err, code, "JSON: line %zu, column %zu: %s", line, (size_t)(p->at - line_start) + 1,
                   what);
}

static void skip_space(struct parser *p)
{
    while (p->at < p->end && (*p->at == ' ' || *p->at == '\n' || *p->at == '\t' || *p->at == '\r'))
        p->at++;
}

/* A new slot at the end: its index, since the stack moves when it grows. */
static size_t push(struct parser *p)
{
    if (p->count == p->cap) {
        size_t cap = p->cap ? 2 * p->cap : 256;
        struct member *stack = realloc(p->stack, cap * sizeof *stack);
        if (stack == NULL)
            abort();
        p->stack = stack;
        p->cap = cap;
    }
    return p->count++;
}

static bool is_digit(const struct parser *p)
{
    return p->at < p->end && *p->at >= '0' && *p->at <= '9';
}

static bool skip_digits(struct parser *p)
{
    const char *from = p->at;
    while (is_digit(p))
        p->at++;
    return p->at > from;
}

static bool skip_char(struct parser *p, char c)
{
    bool there = p->at < p->end && *p->at == c;
    p->at += there;
    return there;
}

static bool skip_number(struct parser *p)
{
    skip_char(p, '-');
    if (!skip_char(p, '0') && !skip_digits(p))
        return false;
    if (skip_char(p, '.') && !skip_digits(p))
        return false;
    if (skip_char(p, 'e') || skip_char(p, 'E')) {
        if (!skip_char(p, '+'))
            skip_char(p, '-');
        return skip_digits(p);
    }
    return true;
}

static bool put_text(struct parser *p, size_t slot, enum value_kind kind, const char *text, size_t len)
{
    p->stack[slot].value = (struct value){.kind = kind, .count = (uint32_t)len, .text = text};
    return true;
}

static bool parse_number(struct parser *p, size_t slot)
{
    const char *from = p->at;
    if (!skip_number(p))
        return fail(p, ERR_INVALID, "not a number");
    return put_text(p, slot, VALUE_NUMBER, from, (size_t)(p->at - from));
}

bool json_is_number(struct str text)
{
    struct parser p = {.at = text.ptr, .end = text.ptr + text.len};
    return text.len != 0 && skip_number(&p) && p.at == p.end;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool parse_hex4(struct parser *p, unsigned *ret)
{
    unsigned code = 0;
    if (p->end - p->at < 4)
        return fail(p, ERR_INVALID, "cut short inside \\u");
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(*p->at);
        if (digit < 0)
            return fail(p, ERR_INVALID, "\\u needs four hexadecimal digits");
        code = code << 4 | (unsigned)digit;
        p->at++;
    }
    *ret = code;
    return true;
}

static char *put_utf8(char *to, unsigned code)
{
    if (code < 0x80) {
        *to++ = (char)code;
        return to;
    }
    unsigned tail = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static const unsigned char lead[] = {0, 0xC0, 0xE0, 0xF0};
    *to++ = (char)(lead[tail] | code >> (6 * tail));
    while (tail-- > 0)
        *to++ = (char)(0x80 | (code >> (6 * tail) & 0x3F));
    return to;
}

static bool parse_unicode_escape(struct parser *p, char **to)
{
    unsigned code = 0, low = 0;
    if (!parse_hex4(p, &code))
        return false;
    if (code >= 0xDC00 && code <= 0xDFFF)
        return fail(p, ERR_INVALID, "a low surrogate without its high one");
    if (code >= 0xD800 && code <= 0xDBFF) {
        if (!skip_char(p, '\\') || !skip_char(p, 'u') || !parse_hex4(p, &low) || low < 0xDC00 || low > 0xDFFF)
            return fail(p, ERR_INVALID, "a high surrogate without its low one");
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    *to = put_utf8(*to, code);
    return true;
}

static bool parse_escape(struct parser *p, char **to)
{
    static const char from[] = "\"\\/bfnrt", plain[] = "\"\\/\b\f\n\r\t";
    if (p->at == p->end)
        return fail(p, ERR_INVALID, "cut short inside a string");
    char c = *p->at++;
    if (c == 'u')
        return parse_unicode_escape(p, to);
    const char *known = c ? strchr(from, c) : NULL;
    if (known == NULL)
        return fail(p, ERR_INVALID, "unknown escape in a string");
    *(*to)++ = plain[known - from];
    return true;
}

static const bool ends_run[256] = {[0 ... 0x1F] = true, ['"'] = true, ['\\'] = true};

/* Stops at the first byte that is not an ordinary character; `*high` collects whether any was not ASCII. */
static const char *scan_plain(const char *at, const char *end, unsigned char *high)
{
    unsigned char seen = 0;
    while (at < end && !ends_run[(unsigned char)*at])
        seen |= (unsigned char)*at++;
    *high |= seen;
    return at;
}

/* Decoding never lengthens a text, so the raw length bounds the copy. */
static bool parse_escaped(struct parser *p, const char *from, unsigned char *high, struct str *ret)
{
    const char *close = p->at;
    while (close < p->end && *close != '"')
        close += *close == '\\' && close + 1 < p->end ? 2 : 1;
    char *text = arena_alloc(p->arena, (size_t)(close - from) + 1), *to = text;
    memcpy(to, from, (size_t)(p->at - from));
    to += p->at - from;
    while (p->at < p->end && *p->at == '\\') {
        p->at++;
        if (!parse_escape(p, &to))
            return false;
        const char *run = p->at;
        p->at = scan_plain(run, p->end, high);
        memcpy(to, run, (size_t)(p->at - run));
        to += p->at - run;
    }
    *ret = (struct str){text, (size_t)(to - text)};
    return true;
}

static bool parse_string(struct parser *p, struct str *ret)
{
    unsigned char high = 0;
    const char *from = ++p->at;
    p->at = scan_plain(from, p->end, &high);
    struct str text = {from, (size_t)(p->at - from)};
    if (p->at < p->end && *p->at == '\\' && !parse_escaped(p, from, &high, &text))
        return false;
    if (p->at == p->end)
        return fail(p, ERR_INVALID, "cut short inside a string");
    if (*p->at != '"')
        return fail(p, ERR_INVALID, "a control character in a string must be escaped");
    if (high >= 0x80 && !str_is_utf8(text))
        return fail(p, ERR_INVALID, "a string is not UTF-8");
    p->at++;
    *ret = text;
    return true;
}

static bool parse_value(struct parser *p, size_t slot);

static bool parse_list(struct parser *p, size_t slot)
{
    size_t base = p->count;
    p->at++;
    skip_space(p);
    if (!skip_char(p, ']')) {
        do {
            if (!parse_value(p, push(p)))
                return false;
            skip_space(p);
        } while (skip_char(p, ','));
        if (!skip_char(p, ']'))
            return fail(p, ERR_INVALID, "expected ',' or ']' in a list");
    }
    size_t count = p->count - base;
    struct value *items = ARENA_ARRAY(p->arena, struct value, count);
    for (size_t i = 0; i < count; i++)
        items[i] = p->stack[base + i].value;
    p->count = base;
    p->stack[slot].value = (struct value){.kind = VALUE_LIST, .count = (uint32_t)count, .items = items};
    return true;
}

static bool parse_member(struct parser *p)
{
    size_t slot = push(p);
    skip_space(p);
    if (p->at == p->end || *p->at != '"')
        return fail(p, ERR_INVALID, "expected a key in quotes");
    if (!parse_string(p, &p->stack[slot].key))
        return false;
    skip_space(p);
    if (!skip_char(p, ':'))
        return fail(p, ERR_INVALID, "expected ':' after a key");
    if (!parse_value(p, slot))
        return false;
    skip_space(p);
    return true;
}

static bool parse_map(struct parser *p, size_t slot)
{
    size_t base = p->count;
    p->at++;
    skip_space(p);
    if (!skip_char(p, '}')) {
        do {
            if (!parse_member(p))
                return false;
        } while (skip_char(p, ','));
        if (!skip_char(p, '}'))
            return fail(p, ERR_INVALID, "expected ',' or '}' in a map");
    }
    size_t count = p->count - base;
    if (count != 0 && value_duplicate(p->stack + base, count) < count)
        return fail(p, ERR_INVALID, "a key comes twice in the map that ends here");
    struct member *members = ARENA_ARRAY(p->arena, struct member, count);
    if (count != 0)
        memcpy(members, p->stack + base, count * sizeof *members);
    p->count = base;
    p->stack[slot].value = (struct value){.kind = VALUE_MAP, .count = (uint32_t)count, .members = members};
    return true;
}

static bool parse_word(struct parser *p, const char *word, struct value value, size_t slot)
{
    size_t len = strlen(word);
    if ((size_t)(p->end - p->at) < len || memcmp(p->at, word, len) != 0)
        return fail(p, ERR_INVALID, "expected a value");
    p->at += len;
    p->stack[slot].value = value;
    return true;
}

static bool parse_container(struct parser *p, size_t slot)
{
    if (p->depth == p->limits.max_depth)
        return fail(p, ERR_LIMIT, "nested too deep");
    p->depth++;
    bool ok = *p->at == '{' ? parse_map(p, slot) : parse_list(p, slot);
    p->depth--;
    return ok;
}

static bool parse_value(struct parser *p, size_t slot)
{
    struct str text;
    skip_space(p);
    if (p->at == p->end)
        return fail(p, ERR_INVALID, "cut short: expected a value");
    if (++p->values > p->limits.max_values)
        return fail(p, ERR_LIMIT, "too many values");
    switch (*p->at) {
    case '{':
    case '[': return parse_container(p, slot);
    case '"': return parse_string(p, &text) && put_text(p, slot, VALUE_STRING, text.ptr, text.len);
    case 't': return parse_word(p, "true", (struct value){.kind = VALUE_BOOL, .count = 1}, slot);
    case 'f': return parse_word(p, "false", (struct value){.kind = VALUE_BOOL}, slot);
    case 'n': return parse_word(p, "null", (struct value){.kind = VALUE_NULL}, slot);
    default: return parse_number(p, slot);
    }
}

bool json_parse(struct arena *arena, struct str text, const struct json_limits *limits,
                const struct value **ret_value, struct err *err)
{
    struct parser p = {
        .arena = arena, .start = text.ptr, .at = text.ptr, .end = text.ptr + text.len, .err = err};
    p.limits = limits ? *limits : JSON_DEFAULT_LIMITS;
    if (text.len > p.limits.max_bytes || text.len > UINT32_MAX)
        return err_set(err, ERR_LIMIT, "JSON: %zu bytes are more than the limit of %zu", text.len,
                       p.limits.max_bytes);
    bool ok = parse_value(&p, push(&p));
    skip_space(&p);
    if (ok && p.at != p.end)
        ok = fail(&p, ERR_INVALID, "text after the end of the document");
    if (ok) {
        struct value *root = ARENA_NEW(arena, struct value);
        *root = p.stack[0].value;
        *ret_value = root;
    }
    free(p.stack);
    return ok;
}
