#include "core/store/xml.h"

#include <string.h>

enum { MAX_DEPTH = 16, MAX_PATH_BYTES = 2048, MAX_TEXT_BYTES = 1 << 20 };

struct parser {
    struct str text;
    size_t at;
    struct buf path;           /* names of the open elements, with '/' between */
    size_t parents[MAX_DEPTH]; /* length of `path` before each of them */
    unsigned depth;
    struct buf inner; /* text of the innermost element so far */
    bool has_child;
    xml_element_fn element;
    void *ctx;
    struct err *err;
};

static bool fault(struct parser *p, const char *what)
{
    return err_set(p->err, ERR_CORRUPT, "XML: %s at byte %zu", what, p->at);
}

static bool at_end(const struct parser *p)
{
    return p->at == p->text.len;
}

static bool looking_at(const struct parser *p, const char *literal)
{
    return str_starts(str_from(p->text, p->at), str_of(literal));
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void skip_space(struct parser *p)
{
    while (!at_end(p) && is_space(p->text.ptr[p->at]))
        p->at++;
}

/* Behind the next `literal`. */
static bool skip_past(struct parser *p, const char *literal)
{
    struct str rest = str_from(p->text, p->at);
    const char *found = rest.len ? memmem(rest.ptr, rest.len, literal, strlen(literal)) : NULL;
    if (found == NULL)
        return fault(p, "no end of what begins");
    p->at += (size_t)(found - rest.ptr) + strlen(literal);
    return true;
}

static bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("_-.:", c) != NULL) || (unsigned char)c >= 0x80;
}

static bool read_name(struct parser *p, struct str *ret_name)
{
    size_t from = p->at;
    while (!at_end(p) && is_name(p->text.ptr[p->at]))
        p->at++;
    *ret_name = str_slice(p->text, from, p->at);
    return ret_name->len != 0 || fault(p, "a name is missing");
}

/* ---- text ---- */

static void append_utf8(struct buf *buf, uint32_t c)
{
    if (c < 0x80) {
        buf_char(buf, (char)c);
    } else if (c < 0x800) {
        buf_char(buf, (char)(0xc0 | c >> 6));
        buf_char(buf, (char)(0x80 | (c & 0x3f)));
    } else if (c < 0x10000) {
        buf_char(buf, (char)(0xe0 | c >> 12));
        buf_char(buf, (char)(0x80 | (c >> 6 & 0x3f)));
        buf_char(buf, (char)(0x80 | (c & 0x3f)));
    } else {
        buf_char(buf, (char)(0xf0 | c >> 18));
        buf_char(buf, (char)(0x80 | (c >> 12 & 0x3f)));
        buf_char(buf, (char)(0x80 | (c >> 6 & 0x3f)));
        buf_char(buf, (char)(0x80 | (c & 0x3f)));
    }
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : 99;
}

/* "#38" or "#x26": a character that XML allows, no surrogate. */
static bool numeric_reference(struct str digits, uint32_t *ret_char)
{
    uint32_t base = 10, c = 0;
    if (digits.len != 0 && digits.ptr[0] == 'x') {
        base = 16;
        digits = str_from(digits, 1);
    }
    for (size_t i = 0; i < digits.len; i++) {
        uint32_t digit = (uint32_t)digit_of(digits.ptr[i]);
        if (digit >= base || (c = c * base + digit) > 0x10ffff)
            return false;
    }
    *ret_char = c;
    return digits.len != 0 && (c >= 0x20 || c == '\t' || c == '\n' || c == '\r') &&
           (c < 0xd800 || c > 0xdfff);
}

static bool read_reference(struct parser *p)
{
    static const struct {
        const char *name;
        char c;
    } named[] = {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
    struct str rest = str_slice(p->text, p->at + 1, p->at + 12);
    struct str name = str_slice(rest, 0, str_find(rest, ';'));
    uint32_t c = 0;
    if (name.len == rest.len)
        return fault(p, "a reference does not end");
    for (size_t i = 0; i < COUNT_OF(named); i++)
        if (str_is(name, named[i].name))
            c = (uint32_t)named[i].c;
    if (c == 0 && !(name.len > 1 && name.ptr[0] == '#' && numeric_reference(str_from(name, 1), &c)))
        return fault(p, "an unknown reference");
    append_utf8(&p->inner, c);
    p->at += name.len + 2;
    return true;
}

static bool read_text(struct parser *p)
{
    size_t from = p->at;
    while (!at_end(p) && p->text.ptr[p->at] != '<' && p->text.ptr[p->at] != '&')
        p->at++;
    struct str text = str_slice(p->text, from, p->at);
    if (p->depth == 0 && str_trim(text).len != 0)
        return fault(p, "text outside of the document");
    buf_str(&p->inner, text);
    if (!at_end(p) && p->text.ptr[p->at] == '&' && (p->depth == 0 || !read_reference(p)))
        return p->depth == 0 ? fault(p, "text outside of the document") : false;
    return buf_ok(&p->inner) || fault(p, "too much text");
}

/* ---- elements ---- */

static bool close_element(struct parser *p)
{
    if (!p->element(p->ctx, buf_view(&p->path), p->has_child ? STR_NONE : buf_view(&p->inner), p->err))
        return false;
    p->path.len = p->parents[--p->depth];
    p->has_child = true;
    buf_clear(&p->inner);
    return true;
}

static bool end_tag(struct parser *p)
{
    struct str name;
    p->at += 2;
    if (!read_name(p, &name))
        return false;
    skip_space(p);
    if (p->depth == 0 || at_end(p) || p->text.ptr[p->at] != '>')
        return fault(p, "a stray end tag");
    size_t parent = p->parents[p->depth - 1];
    if (!str_eq(name, str_from(buf_view(&p->path), parent ? parent + 1 : 0)))
        return fault(p, "an end tag of another name");
    p->at++;
    return close_element(p);
}

static bool skip_attribute(struct parser *p)
{
    struct str name;
    if (!read_name(p, &name))
        return false;
    skip_space(p);
    if (!looking_at(p, "="))
        return fault(p, "an attribute without a value");
    p->at++;
    skip_space(p);
    if (!looking_at(p, "\"") && !looking_at(p, "'"))
        return fault(p, "an attribute without quotes");
    char quote[2] = {p->text.ptr[p->at++], '\0'};
    return skip_past(p, quote);
}

static bool start_tag(struct parser *p)
{
    struct str name;
    p->at++;
    if (p->depth == 0 && p->has_child)
        return fault(p, "a second document");
    if (!read_name(p, &name))
        return false;
    if (p->depth == MAX_DEPTH)
        return fault(p, "too deep");
    p->parents[p->depth++] = p->path.len;
    if (p->path.len != 0)
        buf_char(&p->path, '/');
    buf_str(&p->path, name);
    buf_clear(&p->inner);
    p->has_child = false;
    if (!buf_ok(&p->path))
        return fault(p, "names too long");
    for (skip_space(p); !looking_at(p, ">") && !looking_at(p, "/>"); skip_space(p))
        if (!skip_attribute(p))
            return false;
    bool empty = p->text.ptr[p->at] == '/';
    p->at += empty ? 2 : 1;
    return !empty || close_element(p);
}

static bool read_markup(struct parser *p)
{
    if (looking_at(p, "<!--")) {
        p->at += 4;
        return skip_past(p, "-->");
    }
    if (looking_at(p, "<?xml") && p->depth == 0 && !p->has_child)
        return skip_past(p, "?>");
    if (looking_at(p, "<!") || looking_at(p, "<?"))
        return fault(p, "markup that is not taken");
    return looking_at(p, "</") ? end_tag(p) : start_tag(p);
}

static bool read_document(struct parser *p)
{
    if (!str_is_utf8(p->text))
        return fault(p, "not UTF-8");
    while (!at_end(p))
        if (!(p->text.ptr[p->at] == '<' ? read_markup(p) : read_text(p)))
            return false;
    if (p->depth != 0 || !p->has_child)
        return fault(p, "the document does not end");
    return true;
}

bool xml_read(struct str text, xml_element_fn element, void *ctx, struct err *err)
{
    struct parser p = {.text = text, .element = element, .ctx = ctx, .err = err};
    buf_init(&p.path, MAX_PATH_BYTES);
    buf_init(&p.inner, MAX_TEXT_BYTES);
    bool good = read_document(&p);
    buf_done(&p.path);
    buf_done(&p.inner);
    return good;
}

struct search {
    struct arena *arena;
    const char *path;
    struct str found;
    bool there;
};

static bool take_wanted(void *ctx, struct str path, struct str text, struct err *err)
{
    struct search *search = ctx;
    if (search->there || !str_is(path, search->path))
        return true;
    search->found = str_dup(search->arena, text);
    search->there = true;
    return true;
}

bool xml_text(struct arena *arena, struct str text, const char *path, struct str *ret_text, struct err *err)
{
    struct search search = {.arena = arena, .path = path};
    if (!xml_read(text, take_wanted, &search, err))
        return false;
    if (!search.there)
        return err_set(err, ERR_CORRUPT, "the reply holds no %s", path);
    *ret_text = search.found;
    return true;
}
