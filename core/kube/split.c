#include "core/kube/split.h"

#include <string.h>

#include "core/base/json.h"

/* What may come next. */
enum state {
    AT_START,      /* '{' */
    AT_FIRST_KEY,  /* '"' or '}' */
    AT_KEY,        /* '"' */
    IN_KEY,        /* the rest of a key */
    AT_COLON,      /* ':' */
    AT_VALUE,      /* a value of the outer map */
    IN_VALUE,      /* the rest of it */
    AFTER_VALUE,   /* ',' or '}' */
    AT_FIRST_ITEM, /* an item or ']' */
    AT_ITEM,       /* an item */
    IN_ITEM,       /* the rest of it */
    AFTER_ITEM,    /* ',' or ']' */
    AT_END         /* nothing */
};

enum kind { CONTAINER, TEXT, WORD /* a number, true, false, null */ };

enum { METADATA_MAX = 1 << 20, KEEP_BYTES = 1 << 20, KEY_MAX = 256 };

void split_init(struct split *split, const struct split_sink *sink, size_t max_item_bytes)
{
    *split = (struct split){.sink = *sink, .max = max_item_bytes};
    buf_init(&split->held, max_item_bytes);
    buf_init(&split->metadata, METADATA_MAX);
}

void split_done(struct split *split)
{
    buf_done(&split->held);
    buf_done(&split->metadata);
}

void split_again(struct split *split)
{
    struct split_sink sink = split->sink;
    size_t max = split->max;
    split_done(split);
    split_init(split, &sink, max);
}

static bool corrupt(struct err *err, const char *what)
{
    return err_set(err, ERR_CORRUPT, "the reply is no list: %s", what);
}

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/* ---- the end of a value ---- */

/* In a string: goes behind the quote that ends it, or to `end`. */
static const char *skip_text(struct split *s, const char *at, const char *end)
{
    if (s->escaped && at < end) {
        s->escaped = false;
        at++;
    }
    while (at < end) {
        char c = *at++;
        if (c == '"') {
            s->in_string = false;
            return at;
        }
        if (c != '\\')
            continue;
        if (at == end)
            s->escaped = true;
        else
            at++;
    }
    return at;
}

/* Goes behind the end of the value that `at` is in; `*ended` tells whether it was there. */
static const char *skip_container(struct split *s, const char *at, const char *end, bool *ended)
{
    while (at < end) {
        if (s->in_string) {
            at = skip_text(s, at, end);
            continue;
        }
        char c = *at++;
        if (c == '"') {
            s->in_string = true;
        } else if (c == '{' || c == '[') {
            s->depth++;
        } else if ((c == '}' || c == ']') && --s->depth == 0) {
            *ended = true;
            return at;
        }
    }
    return at;
}

static const char *skip_value(struct split *s, const char *at, const char *end, bool *ended)
{
    if (s->kind == CONTAINER)
        return skip_container(s, at, end, ended);
    if (s->kind == TEXT) {
        at = skip_text(s, at, end);
        *ended = !s->in_string;
        return at;
    }
    while (at < end && *at != ',' && *at != '}' && *at != ']' && !is_space(*at))
        at++;
    *ended = at < end;
    return at;
}

/* ---- one value ---- */

/* Returns where the value goes on: behind its first byte, or at it where it is a word. */
static const char *begin_value(struct split *s, const char *at)
{
    buf_clear(&s->held);
    s->depth = 0;
    s->in_string = s->escaped = false;
    s->kind = *at == '{' || *at == '[' ? CONTAINER : *at == '"' ? TEXT : WORD;
    if (s->kind == CONTAINER)
        return at; /* skip_container counts the bracket */
    s->in_string = s->kind == TEXT;
    return s->kind == TEXT ? at + 1 : at;
}

static bool hold(struct split *s, const char *from, const char *to, struct err *err)
{
    buf_append(&s->held, from, (size_t)(to - from));
    return buf_ok(&s->held) ||
           err_set(err, ERR_LIMIT, "an item of the list has more than %zu bytes", s->held.max);
}

/* What was held and the piece's part of it, as one text. */
static bool whole_text(struct split *s, const char *from, const char *to, struct str *ret_text,
                       struct err *err)
{
    *ret_text = (struct str){from, (size_t)(to - from)};
    if (s->held.len == 0)
        return ret_text->len <= s->max || hold(s, from, to, err);
    if (!hold(s, from, to, err))
        return false;
    *ret_text = buf_view(&s->held);
    return true;
}

static void release(struct split *s)
{
    if (s->held.cap > KEEP_BYTES)
        buf_done(&s->held);
    buf_clear(&s->held);
}

static bool end_member(struct split *s, struct str text, struct err *err)
{
    if (s->is_items) /* an empty list of Go may be null */
        return str_is(text, "null") || corrupt(err, "its items are no list");
    if (s->is_metadata) {
        buf_str(&s->metadata, text);
        return buf_ok(&s->metadata) || corrupt(err, "its metadata is beyond all measure");
    }
    return true;
}

/* From `from`, inside the value, as far as the piece goes. */
static const char *cut_value(struct split *s, const char *from, const char *at, const char *end,
                             struct err *err)
{
    bool item = s->state == IN_ITEM, ended = false;
    struct str text;
    at = skip_value(s, at, end, &ended);
    if (!ended)
        return hold(s, from, at, err) ? at : NULL;
    if (!whole_text(s, from, at, &text, err))
        return NULL;
    s->state = item ? AFTER_ITEM : AFTER_VALUE;
    if (!(item ? s->sink.item(s->sink.ctx, text, err) : end_member(s, text, err)))
        return NULL;
    release(s);
    return at;
}

/* ---- keys ---- */

static bool end_key(struct split *s, struct str key, struct err *err)
{
    key.len--;                                  /* its quote */
    if (memchr(key.ptr, '\\', key.len) != NULL) /* it might be "items" in disguise */
        return corrupt(err, "a key is written with escapes");
    s->is_items = str_is(key, "items");
    s->is_metadata = str_is(key, "metadata");
    if ((s->is_items && s->had_items) || (s->is_metadata && s->had_metadata))
        return corrupt(err, "a key comes twice");
    s->had_items = s->had_items || s->is_items;
    s->had_metadata = s->had_metadata || s->is_metadata;
    s->state = AT_COLON;
    return true;
}

static const char *cut_key(struct split *s, const char *from, const char *end, struct err *err)
{
    struct str text;
    const char *at = skip_text(s, from, end);
    if (s->held.len + (size_t)(at - from) > KEY_MAX) {
        corrupt(err, "a key is beyond all measure");
        return NULL;
    }
    if (s->in_string)
        return hold(s, from, at, err) ? at : NULL;
    if (!whole_text(s, from, at, &text, err) || !end_key(s, text, err))
        return NULL;
    release(s);
    return at;
}

/* ---- what stands between ---- */

static bool expect(struct split *s, char c, char wanted, enum state next, struct err *err)
{
    if (c != wanted)
        return corrupt(err, s->state == AT_START ? "it does not start with '{'" : "it is not JSON");
    s->state = next;
    return true;
}

static bool begin_key(struct split *s, char c, struct err *err)
{
    s->in_string = true;
    s->escaped = false;
    return expect(s, c, '"', IN_KEY, err);
}

/* One byte that is no space, between values. Where a value begins, the state says so and the byte is part of it. */
static bool step(struct split *s, char c, bool *begins, struct err *err)
{
    switch ((enum state)s->state) {
    case AT_START: return expect(s, c, '{', AT_FIRST_KEY, err);
    case AT_FIRST_KEY: return c == '}' ? expect(s, c, '}', AT_END, err) : begin_key(s, c, err);
    case AT_KEY: return begin_key(s, c, err);
    case AT_COLON: return expect(s, c, ':', AT_VALUE, err);
    case AT_VALUE:
        if (s->is_items && c == '[')
            return expect(s, c, '[', AT_FIRST_ITEM, err);
        *begins = true;
        s->state = IN_VALUE;
        return true;
    case AFTER_VALUE: return c == ',' ? expect(s, c, ',', AT_KEY, err) : expect(s, c, '}', AT_END, err);
    case AT_FIRST_ITEM:
    case AT_ITEM:
        if (c == ']' && s->state == AT_FIRST_ITEM)
            return expect(s, c, ']', AFTER_VALUE, err);
        *begins = true;
        s->state = IN_ITEM;
        return true;
    case AFTER_ITEM: return c == ',' ? expect(s, c, ',', AT_ITEM, err) : expect(s, c, ']', AFTER_VALUE, err);
    case AT_END: return corrupt(err, "text after its end");
    case IN_KEY:
    case IN_VALUE:
    case IN_ITEM: break;
    }
    return err_set(err, ERR_INTERNAL, "split: a value in the wrong place");
}

static bool is_value_start(char c)
{
    return c != ',' && c != ':' && c != '}' && c != ']';
}

bool split_feed(struct split *s, struct str piece, struct err *err)
{
    const char *at = piece.ptr, *end = piece.ptr + piece.len;
    while (at != NULL && at < end) {
        bool begins = false;
        if (s->state == IN_KEY) {
            at = cut_key(s, at, end, err);
        } else if (s->state == IN_VALUE || s->state == IN_ITEM) {
            at = cut_value(s, at, at, end, err);
        } else if (!is_space(*at) && !step(s, *at, &begins, err)) {
            return false;
        } else if (!begins) {
            at++;
        } else if (!is_value_start(*at)) {
            return corrupt(err, "a value is missing");
        } else {
            const char *from = at;
            at = cut_value(s, from, begin_value(s, at), end, err);
        }
    }
    return at != NULL || piece.len == 0;
}

bool split_end(struct split *s, struct arena *arena, const struct value **ret_metadata, struct err *err)
{
    const struct value *metadata = NULL;
    if (s->state != AT_END)
        return corrupt(err, s->state == AT_START ? "it is empty" : "it is cut short");
    if (!s->had_items)
        return corrupt(err, "it has no items");
    if (s->had_metadata) {
        struct str text = str_dup(arena, buf_view(&s->metadata));
        if (!json_parse(arena, text, NULL, &metadata, err)) {
            err->code = ERR_CORRUPT;
            return err_context(err, "metadata of the list");
        }
        if (!value_is(metadata, VALUE_MAP))
            return corrupt(err, "its metadata is no map");
    }
    *ret_metadata = metadata;
    return true;
}
