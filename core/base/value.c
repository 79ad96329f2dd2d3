#include "core/base/value.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct value empty_map = {.kind = VALUE_MAP};

const char *value_kind_name(enum value_kind kind)
{
    static const char *const names[] = {"null", "boolean", "number", "string", "list", "map"};
    return (size_t)kind < COUNT_OF(names) ? names[kind] : "?";
}

/* The hottest loop of every stage: keys of one length mostly differ in the last byte, which saves the call. */
const struct value *value_get(const struct value *map, struct str key)
{
    if (!value_is(map, VALUE_MAP))
        return NULL;
    const struct member *end = map->members + map->count;
    for (const struct member *member = map->members; member != end; member++)
        if (member->key.len == key.len &&
            (key.len == 0 || (member->key.ptr[key.len - 1] == key.ptr[key.len - 1] &&
                              memcmp(member->key.ptr, key.ptr, key.len) == 0)))
            return &member->value;
    return NULL;
}

const struct value *value_in(const struct value *root, const char *const *path)
{
    while (root != NULL && *path != NULL)
        root = value_key(root, *path++);
    return root;
}

size_t value_count(const struct value *list_or_map)
{
    return value_is(list_or_map, VALUE_LIST) || value_is(list_or_map, VALUE_MAP) ? list_or_map->count : 0;
}

struct str value_str(const struct value *string)
{
    return value_is(string, VALUE_STRING) ? (struct str){string->text, string->count} : STR_NONE;
}

struct str value_str_in(const struct value *root, const char *const *path)
{
    return value_str(value_in(root, path));
}

struct str value_text(const struct value *scalar)
{
    if (value_is(scalar, VALUE_STRING) || value_is(scalar, VALUE_NUMBER))
        return (struct str){scalar->text, scalar->count};
    if (value_is(scalar, VALUE_BOOL))
        return scalar->count ? STR("true") : STR("false");
    return STR_NONE;
}

bool value_true(const struct value *boolean)
{
    return value_is(boolean, VALUE_BOOL) && boolean->count != 0;
}

bool value_i64(const struct value *number, int64_t *ret_number)
{
    if (!value_is(number, VALUE_NUMBER))
        return false;
    struct str digits = {number->text, number->count};
    bool negative = str_starts(digits, STR("-"));
    uint64_t magnitude;
    if (!str_to_u64(str_from(digits, negative), &magnitude) || magnitude > (uint64_t)INT64_MAX)
        return false;
    *ret_number = negative ? -(int64_t)magnitude : (int64_t)magnitude;
    return true;
}

static const struct value *keep(struct arena *arena, struct value value)
{
    struct value *kept = ARENA_NEW(arena, struct value);
    *kept = value;
    return kept;
}

/* Texts and containers beyond 4 Gi would not fit `count`; the parsers' limits are far below. */
static uint32_t count32(size_t count)
{
    if (count > UINT32_MAX)
        abort();
    return (uint32_t)count;
}

const struct value *value_null(struct arena *arena)
{
    return keep(arena, (struct value){.kind = VALUE_NULL});
}

const struct value *value_bool(struct arena *arena, bool boolean)
{
    return keep(arena, (struct value){.kind = VALUE_BOOL, .count = boolean});
}

const struct value *value_string(struct arena *arena, struct str text)
{
    return keep(arena, (struct value){.kind = VALUE_STRING, .count = count32(text.len), .text = text.ptr});
}

const struct value *value_cstr(struct arena *arena, const char *text)
{
    return value_string(arena, str_of(text));
}

const struct value *value_number(struct arena *arena, struct str text)
{
    return keep(arena, (struct value){.kind = VALUE_NUMBER, .count = count32(text.len), .text = text.ptr});
}

const struct value *value_int(struct arena *arena, int64_t number)
{
    return value_number(arena, str_fmt(arena, "%" PRId64, number));
}

const struct value *value_map_of(struct arena *arena, const struct value_pair *pairs, size_t count)
{
    struct value_map_builder map = {0};
    for (size_t i = 0; i < count; i++)
        if (pairs[i].value != NULL)
            value_put(arena, &map, str_of(pairs[i].key), pairs[i].value);
    return value_map_done(arena, &map);
}

const struct value *value_list_of(struct arena *arena, const struct value *const *items, size_t count)
{
    struct value_list_builder list = {0};
    for (size_t i = 0; i < count; i++)
        if (items[i] != NULL)
            value_push(arena, &list, items[i]);
    return value_list_done(arena, &list);
}

void value_push(struct arena *arena, struct value_list_builder *list, const struct value *item)
{
    *ARENA_PUSH(arena, list) = *item;
}

void value_put(struct arena *arena, struct value_map_builder *map, struct str key, const struct value *value)
{
    *ARENA_PUSH(arena, map) = (struct member){key, *value};
}

const struct value *value_list_done(struct arena *arena, const struct value_list_builder *list)
{
    return keep(arena,
                (struct value){.kind = VALUE_LIST, .count = count32(list->count), .items = list->items});
}

const struct value *value_map_done(struct arena *arena, const struct value_map_builder *map)
{
    return keep(arena,
                (struct value){.kind = VALUE_MAP, .count = count32(map->count), .members = map->items});
}

static int by_key(const void *a, const void *b)
{
    const struct member *x = *(const struct member *const *)a, *y = *(const struct member *const *)b;
    int order = str_cmp(x->key, y->key);
    return order ? order : (x > y) - (x < y);
}

/* Small maps are compared pairwise; large ones through a sorted index, so hostile input stays n log n. */
size_t value_duplicate(const struct member *members, size_t count)
{
    enum { PAIRWISE = 24 };
    if (count <= PAIRWISE) {
        for (size_t i = 1; i < count; i++)
            for (size_t j = 0; j < i; j++)
                if (str_eq(members[i].key, members[j].key))
                    return i;
        return count;
    }
    const struct member **order = malloc(count * sizeof *order);
    if (order == NULL)
        abort();
    for (size_t i = 0; i < count; i++)
        order[i] = &members[i];
    qsort(order, count, sizeof *order, by_key);
    size_t found = count;
    for (size_t i = 1; i < count && found == count; i++)
        if (str_eq(order[i - 1]->key, order[i]->key))
            found = (size_t)(order[i] - members);
    free(order);
    return found;
}

static size_t member_index(const struct value *map, struct str key)
{
    size_t i = 0;
    while (i < map->count && !str_eq(map->members[i].key, key))
        i++;
    return i;
}

const struct value *value_with(struct arena *arena, const struct value *map, struct str key,
                               const struct value *value)
{
    if (!value_is(map, VALUE_MAP))
        map = &empty_map;
    size_t at = member_index(map, key), count = at == map->count ? at + 1 : map->count;
    struct member *members = arena_grow(arena, map->members, map->count, count, sizeof *members);
    members[at] = (struct member){key, *value};
    return keep(arena, (struct value){.kind = VALUE_MAP, .count = count32(count), .members = members});
}

const struct value *value_without(struct arena *arena, const struct value *map, struct str key)
{
    if (!value_is(map, VALUE_MAP))
        return map;
    size_t at = member_index(map, key);
    if (at == map->count)
        return map;
    struct member *members = ARENA_ARRAY(arena, struct member, map->count - 1);
    for (size_t i = 0, to = 0; i < map->count; i++)
        if (i != at)
            members[to++] = map->members[i];
    return keep(arena, (struct value){.kind = VALUE_MAP, .count = map->count - 1, .members = members});
}

const struct value *value_with_in(struct arena *arena, const struct value *root, const char *const *path,
                                  const struct value *value)
{
    if (*path == NULL)
        return value;
    const struct value *child = value_with_in(arena, value_key(root, *path), path + 1, value);
    return value_with(arena, root, str_of(*path), child);
}

const struct value *value_without_in(struct arena *arena, const struct value *root, const char *const *path)
{
    if (path[1] == NULL)
        return value_without(arena, root, str_of(path[0]));
    const struct value *child = value_key(root, path[0]);
    const struct value *less = child ? value_without_in(arena, child, path + 1) : NULL;
    return less == child ? root : value_with(arena, root, str_of(path[0]), less);
}

const struct value *value_change_items(struct arena *arena, const struct value *list, value_change_fn change,
                                       void *ctx)
{
    struct value_list_builder changed = {0};
    bool same = true;
    VALUE_EACH(item, list) {
        const struct value *now = change(arena, item, ctx);
        same = same && now == item;
        if (now != NULL)
            value_push(arena, &changed, now);
    }
    return same ? list : value_list_done(arena, &changed);
}

static bool list_equal(const struct value *a, const struct value *b)
{
    for (uint32_t i = 0; i < a->count; i++)
        if (!value_equal(&a->items[i], &b->items[i]))
            return false;
    return true;
}

/* Keys mostly come in the same order, so look there before searching. */
static bool map_equal(const struct value *a, const struct value *b)
{
    for (uint32_t i = 0; i < a->count; i++) {
        const struct member *ma = &a->members[i], *mb = &b->members[i];
        const struct value *other = str_eq(ma->key, mb->key) ? &mb->value : value_get(b, ma->key);
        if (other == NULL || !value_equal(&ma->value, other))
            return false;
    }
    return true;
}

bool value_equal(const struct value *a, const struct value *b)
{
    if (a == b)
        return true;
    if (a == NULL || b == NULL || a->kind != b->kind || a->count != b->count)
        return false;
    switch (a->kind) {
    case VALUE_NULL:
    case VALUE_BOOL: return true;
    case VALUE_NUMBER:
    case VALUE_STRING: return str_eq(value_text(a), value_text(b));
    case VALUE_LIST: return list_equal(a, b);
    case VALUE_MAP: return map_equal(a, b);
    }
    return false;
}

static int member_order(const void *a, const void *b)
{
    return str_cmp(((const struct member *)a)->key, ((const struct member *)b)->key);
}

/* One walk serves both copies: `sorted` orders keys, `deep` also copies texts. */
static struct value rebuilt(struct arena *arena, const struct value *value, bool sorted, bool deep)
{
    struct value made = *value;
    if (value->kind == VALUE_LIST) {
        struct value *items = ARENA_ARRAY(arena, struct value, value->count);
        for (uint32_t i = 0; i < value->count; i++)
            items[i] = rebuilt(arena, &value->items[i], sorted, deep);
        made.items = items;
    } else if (value->kind == VALUE_MAP) {
        struct member *members = ARENA_ARRAY(arena, struct member, value->count);
        for (uint32_t i = 0; i < value->count; i++) {
            struct str key = value->members[i].key;
            members[i].key = deep ? str_dup(arena, key) : key;
            members[i].value = rebuilt(arena, &value->members[i].value, sorted, deep);
        }
        if (sorted && value->count > 1)
            qsort(members, value->count, sizeof *members, member_order);
        made.members = members;
    } else if (deep && (value->kind == VALUE_STRING || value->kind == VALUE_NUMBER)) {
        made.text = str_c(arena, (struct str){value->text, value->count});
    }
    return made;
}

const struct value *value_copy(struct arena *arena, const struct value *value)
{
    return value ? keep(arena, rebuilt(arena, value, false, true)) : NULL;
}

const struct value *value_sorted(struct arena *arena, const struct value *value)
{
    return value ? keep(arena, rebuilt(arena, value, true, false)) : NULL;
}
