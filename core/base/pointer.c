#include "core/base/pointer.h"

#include <string.h>

enum edit { EDIT_ADD, EDIT_REPLACE, EDIT_REMOVE };

/* What stays the same on the way down. */
struct editor {
    struct arena *arena;
    enum edit edit;
    const struct value *value;
    struct str pointer; /* whole, for messages */
    struct err *err;
};

/* Cuts the first token off `*rest`, which starts with '/'; still escaped. */
static struct str next_token(struct str *rest)
{
    *rest = str_from(*rest, 1);
    size_t end = str_find(*rest, '/');
    struct str token = str_slice(*rest, 0, end);
    *rest = str_from(*rest, end);
    return token;
}

static bool token_well_formed(struct str token)
{
    for (size_t i = 0; i < token.len; i++)
        if (token.ptr[i] == '~' &&
            (i + 1 == token.len || (token.ptr[i + 1] != '0' && token.ptr[i + 1] != '1')))
            return false;
    return true;
}

bool pointer_is_well_formed(struct str pointer)
{
    if (pointer.len != 0 && pointer.ptr[0] != '/')
        return false;
    return token_well_formed(pointer);
}

/* Whether the escaped token spells `key`. */
static bool token_is(struct str token, struct str key)
{
    size_t k = 0;
    for (size_t i = 0; i < token.len; i++, k++) {
        char c = token.ptr[i];
        if (c == '~')
            c = token.ptr[++i] == '1' ? '/' : '~';
        if (k == key.len || key.ptr[k] != c)
            return false;
    }
    return k == key.len;
}

static struct str token_text(struct arena *arena, struct str token)
{
    if (str_find(token, '~') == token.len)
        return token;
    char *text = arena_alloc(arena, token.len + 1);
    size_t len = 0;
    for (size_t i = 0; i < token.len; i++, len++)
        text[len] = token.ptr[i] != '~' ? token.ptr[i] : token.ptr[++i] == '1' ? '/' : '~';
    return (struct str){text, len};
}

/* RFC 6901: decimal digits without leading zeros. */
static bool token_index(struct str token, uint64_t *ret_index)
{
    return (token.len == 1 || !str_starts(token, STR("0"))) && str_to_u64(token, ret_index);
}

static const struct value *step(const struct value *node, struct str token)
{
    uint64_t index;
    if (value_is(node, VALUE_LIST))
        return token_index(token, &index) ? value_item(node, index) : NULL;
    MEMBER_EACH(member, node)
        if (token_is(token, member->key))
            return &member->value;
    return NULL;
}

const struct value *pointer_get(const struct value *root, struct str pointer)
{
    if (!pointer_is_well_formed(pointer))
        return NULL;
    while (root != NULL && pointer.len != 0) {
        struct str token = next_token(&pointer);
        root = step(root, token);
    }
    return root;
}

/* The edits below return the changed node, or NULL with the error filled in. */
static const struct value *nothing_there(const struct editor *e)
{
    err_set(e->err, ERR_NOT_FOUND, "nothing at %.*s", STR_ARG(e->pointer));
    return NULL;
}

static const struct value *list_of(struct arena *arena, const struct value *items, size_t count)
{
    struct value_list_builder list = {(struct value *)items, count, count};
    return value_list_done(arena, &list);
}

static const struct value *list_insert(struct arena *arena, const struct value *list, size_t at,
                                       const struct value *item)
{
    struct value *items = ARENA_ARRAY(arena, struct value, list->count + 1);
    for (size_t i = 0; i < list->count; i++)
        items[i < at ? i : i + 1] = list->items[i];
    items[at] = *item;
    return list_of(arena, items, list->count + 1);
}

static const struct value *list_remove(struct arena *arena, const struct value *list, size_t at)
{
    struct value *items = ARENA_ARRAY(arena, struct value, list->count - 1);
    for (size_t i = 0; i < list->count; i++)
        if (i != at)
            items[i < at ? i : i - 1] = list->items[i];
    return list_of(arena, items, list->count - 1);
}

static const struct value *list_set(struct arena *arena, const struct value *list, size_t at,
                                    const struct value *item)
{
    struct value *items = arena_grow(arena, list->items, list->count, list->count, sizeof *items);
    items[at] = *item;
    return list_of(arena, items, list->count);
}

static const struct value *edit_list_end(const struct editor *e, const struct value *list, struct str token)
{
    uint64_t index = list->count;
    if (!(e->edit == EDIT_ADD && str_is(token, "-")) && !token_index(token, &index)) {
        err_set(e->err, ERR_INVALID, "%.*s: '%.*s' is no index of a list", STR_ARG(e->pointer),
                STR_ARG(token));
        return NULL;
    }
    if (index >= list->count + (e->edit == EDIT_ADD))
        return nothing_there(e);
    if (e->edit == EDIT_ADD)
        return list_insert(e->arena, list, index, e->value);
    if (e->edit == EDIT_REPLACE)
        return list_set(e->arena, list, index, e->value);
    return list_remove(e->arena, list, index);
}

static const struct value *edit_map_end(const struct editor *e, const struct value *map, struct str token)
{
    if (e->edit != EDIT_ADD && step(map, token) == NULL)
        return nothing_there(e);
    struct str key = token_text(e->arena, token);
    return e->edit == EDIT_REMOVE ? value_without(e->arena, map, key)
                                  : value_with(e->arena, map, key, e->value);
}

/* Goes down to the parent of the address, edits it, and copies the spine on the way back. */
static const struct value *edit_below(const struct editor *e, const struct value *node, struct str rest)
{
    struct str token = next_token(&rest);
    if (!value_is(node, VALUE_MAP) && !value_is(node, VALUE_LIST))
        return nothing_there(e);
    if (rest.len == 0)
        return node->kind == VALUE_LIST ? edit_list_end(e, node, token) : edit_map_end(e, node, token);
    const struct value *child = step(node, token);
    if (child == NULL)
        return nothing_there(e);
    const struct value *changed = edit_below(e, child, rest);
    if (changed == NULL)
        return NULL;
    return node->kind == VALUE_LIST ? list_set(e->arena, node, (size_t)(child - node->items), changed)
                                    : value_with(e->arena, node, token_text(e->arena, token), changed);
}

static bool edit(struct editor e, const struct value *root, const struct value **ret_root)
{
    if (!pointer_is_well_formed(e.pointer))
        return err_set(e.err, ERR_INVALID,
                       "'%.*s' is no JSON pointer: it starts with '/', and '~' is written ~0",
                       STR_ARG(e.pointer));
    const struct value *changed = e.pointer.len == 0 ? e.value : edit_below(&e, root, e.pointer);
    if (changed == NULL)
        return false;
    *ret_root = changed;
    return true;
}

bool pointer_add(struct arena *arena, const struct value *root, struct str pointer, const struct value *value,
                 const struct value **ret_root, struct err *err)
{
    return edit((struct editor){arena, EDIT_ADD, value, pointer, err}, root, ret_root);
}

bool pointer_replace(struct arena *arena, const struct value *root, struct str pointer,
                     const struct value *value, const struct value **ret_root, struct err *err)
{
    return edit((struct editor){arena, EDIT_REPLACE, value, pointer, err}, root, ret_root);
}

bool pointer_remove(struct arena *arena, const struct value *root, struct str pointer,
                    const struct value **ret_root, struct err *err)
{
    static const struct value nothing = {.kind = VALUE_NULL}; /* what is left where the root is removed */
    return edit((struct editor){arena, EDIT_REMOVE, &nothing, pointer, err}, root, ret_root);
}

struct str pointer_child(struct arena *arena, struct str parent, struct str token)
{
    size_t escapes = 0;
    for (size_t i = 0; i < token.len; i++)
        escapes += token.ptr[i] == '~' || token.ptr[i] == '/';
    char *text = arena_alloc(arena, parent.len + 1 + token.len + escapes + 1), *to = text;
    if (parent.len != 0)
        to = (char *)memcpy(to, parent.ptr, parent.len) + parent.len;
    *to++ = '/';
    for (size_t i = 0; i < token.len; i++) {
        bool escaped = token.ptr[i] == '~' || token.ptr[i] == '/';
        if (escaped)
            *to++ = '~';
        *to++ = !escaped ? token.ptr[i] : token.ptr[i] == '/' ? '1' : '0';
    }
    return (struct str){text, (size_t)(to - text)};
}

struct str pointer_index(struct arena *arena, struct str parent, size_t index)
{
    return str_fmt(arena, "%.*s/%zu", STR_ARG(parent), index);
}

struct str pointer_of_place(struct arena *arena, const struct pointer_place *place)
{
    if (place == NULL)
        return STR("");
    struct str parent = pointer_of_place(arena, place->parent);
    return place->in_list ? pointer_index(arena, parent, place->index)
                          : pointer_child(arena, parent, place->key);
}

static bool plain_key(struct str key)
{
    for (size_t i = 0; i < key.len; i++) {
        char c = key.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
              c == '_'))
            return false;
    }
    return key.len != 0;
}

struct str pointer_dotted(struct arena *arena, struct str pointer)
{
    struct buf text CLEANUP(buf_done);
    buf_init(&text, 4 * pointer.len + 16);
    uint64_t index;
    while (pointer.len != 0) {
        struct str key = token_text(arena, next_token(&pointer));
        if (token_index(key, &index) || str_is(key, "-"))
            buf_fmt(&text, "[%.*s]", STR_ARG(key));
        else if (plain_key(key))
            buf_fmt(&text, "%s%.*s", text.len ? "." : "", STR_ARG(key));
        else
            buf_fmt(&text, "[\"%.*s\"]", STR_ARG(key));
    }
    return str_dup(arena, buf_view(&text));
}
