/* value.h — the one data type: an immutable tree of what JSON and YAML can say.
 *
 * Trees live in arenas and are never changed: an edit returns a new root that shares all it did not touch, so
 * "before" stays for diffs and rollback. Numbers keep the text they came with; strings are UTF-8 bytes with a
 * length and may hold NUL; maps keep the order of their keys and never hold one twice. Every reader accepts
 * NULL and a wrong kind and then answers "nothing", so that a path through an object from outside needs no
 * checks on the way. A value is 16 bytes; copy it freely within the life of its arena.
 */
#pragma once
#include "core/base/base.h"

enum value_kind { VALUE_NULL, VALUE_BOOL, VALUE_NUMBER, VALUE_STRING, VALUE_LIST, VALUE_MAP };

struct value {
    uint32_t count; /* bytes of a text, items of a list, members of a map, 0 or 1 for a bool */
    enum value_kind kind : 8;
    union {
        const char *text;
        const struct value *items;
        const struct member *members;
    };
};

struct member {
    struct str key;
    struct value value;
};

/* A path of map keys, ended by NULL: PATH("spec", "template", "spec"). */
#define PATH(...) ((const char *const[]){__VA_ARGS__, NULL})

/* Reading. */
static inline bool value_is(const struct value *value, enum value_kind kind)
{
    return value != NULL && value->kind == kind;
}
const char *value_kind_name(enum value_kind kind); /* "map", "list", … */
const struct value *value_get(const struct value *map, struct str key);
static inline const struct value *value_key(const struct value *map, const char *key)
{
    return value_get(map, str_of(key));
}
const struct value *value_in(const struct value *root, const char *const *path);
static inline const struct value *value_item(const struct value *list, size_t index)
{
    return value_is(list, VALUE_LIST) && index < list->count ? &list->items[index] : NULL;
}
size_t value_count(const struct value *list_or_map); /* 0 for anything else */
struct str value_str(const struct value *string);    /* empty for anything else */
struct str value_str_in(const struct value *root, const char *const *path);
struct str value_text(const struct value *scalar); /* text of a string or number, true/false, else empty */
bool value_true(const struct value *boolean);      /* true only for the boolean true */
/* A whole number in range; false for anything else, also for 1.5. */
bool value_i64(const struct value *number, int64_t *ret_number);

/* For loops: VALUE_EACH(item, list), MEMBER_EACH(member, map). Both accept NULL and the wrong kind. */
#define VALUE_EACH(item, list)                                                                               \
    for (const struct value *item##_of = (list), *item = value_item(item##_of, 0),                           \
                            *item##_end = value_items_end(item##_of);                                        \
         item != item##_end; item++)
#define MEMBER_EACH(member_, map)                                                                            \
    for (const struct member *member_##_end = NULL, *member_ = value_each_member((map), &member_##_end);     \
         member_ != member_##_end; member_++)
/* NULL where value_item(list, 0) is. */
static inline const struct value *value_items_end(const struct value *list)
{
    return value_is(list, VALUE_LIST) && list->count != 0 ? list->items + list->count : NULL;
}
static inline const struct member *value_members(const struct value *map)
{
    return value_is(map, VALUE_MAP) && map->count != 0 ? map->members : NULL;
}
static inline const struct member *value_members_end(const struct value *map)
{
    return value_is(map, VALUE_MAP) && map->count != 0 ? map->members + map->count : NULL;
}
/* The first member, and where they end. */
static inline const struct member *value_each_member(const struct value *map, const struct member **ret_end)
{
    *ret_end = value_members_end(map);
    return value_members(map);
}

/* Making. Texts are not copied: they must live as long as the arena. */
const struct value *value_null(struct arena *arena);
const struct value *value_bool(struct arena *arena, bool boolean);
const struct value *value_string(struct arena *arena, struct str text);
const struct value *value_cstr(struct arena *arena, const char *text);
const struct value *value_number(struct arena *arena, struct str text); /* text must be a JSON number */
const struct value *value_int(struct arena *arena, int64_t number);

struct value_pair {
    const char *key;
    const struct value *value; /* NULL: the pair is left out */
};
const struct value *value_map_of(struct arena *arena, const struct value_pair *pairs, size_t count);
const struct value *value_list_of(struct arena *arena, const struct value *const *items,
                                  size_t count); /* skips NULL */
/* VALUE_MAP(arena, {"kind", value_cstr(arena, "Pod")}, {"spec", spec}) */
#define VALUE_MAP(arena, ...)                                                                                \
    value_map_of((arena), (struct value_pair[]){__VA_ARGS__},                                                \
                 sizeof((struct value_pair[]){__VA_ARGS__}) / sizeof(struct value_pair))
#define VALUE_LIST(arena, ...)                                                                               \
    value_list_of((arena), (const struct value *const[]){__VA_ARGS__},                                       \
                  sizeof((const struct value *const[]){__VA_ARGS__}) / sizeof(const struct value *))

/* Growing a list or a map piece by piece; `arena` owns the result. Zero-initialise; finish once. */
struct value_list_builder {
    struct value *items;
    size_t count, cap;
};
struct value_map_builder {
    struct member *items;
    size_t count, cap;
};
void value_push(struct arena *arena, struct value_list_builder *list, const struct value *item);
/* The caller sees to it that no key comes twice (value_duplicate tells afterwards). */
void value_put(struct arena *arena, struct value_map_builder *map, struct str key, const struct value *value);
const struct value *value_list_done(struct arena *arena, const struct value_list_builder *list);
const struct value *value_map_done(struct arena *arena, const struct value_map_builder *map);
/* Index of a member whose key stood before it, or `count` where every key is there once. */
size_t value_duplicate(const struct member *members, size_t count);

/* Editing: each returns a new root. `map` may be NULL or no map, which counts as an empty one. */
const struct value *value_with(struct arena *arena, const struct value *map, struct str key,
                               const struct value *value);
const struct value *value_without(struct arena *arena, const struct value *map, struct str key);
/* Sets along a path and makes the maps that are missing on the way. */
const struct value *value_with_in(struct arena *arena, const struct value *root, const char *const *path,
                                  const struct value *value);
/* Removes at a path; returns `root` itself when there is nothing. Maps left empty on the way stay: empty maps mean
 * something in Kubernetes. */
const struct value *value_without_in(struct arena *arena, const struct value *root, const char *const *path);
/* The list with `change(arena, item, ctx)` in place of each item; items for which it returns NULL are left out.
 * Returns `list` itself when nothing changed. */
typedef const struct value *(*value_change_fn)(struct arena *arena, const struct value *item, void *ctx);
const struct value *value_change_items(struct arena *arena, const struct value *list, value_change_fn change,
                                       void *ctx);

/* Comparing. Equal means: same kinds, same texts, same members in any order, same items in the same order. */
bool value_equal(const struct value *a, const struct value *b);
/* A deep copy with no pointer outside `arena`. */
const struct value *value_copy(struct arena *arena, const struct value *value);
/* The same tree with the keys of every map in bytewise order: the canonical form. */
const struct value *value_sorted(struct arena *arena, const struct value *value);
