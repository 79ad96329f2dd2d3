#include "core/kustomize/merge.h"

#include <string.h>

enum { MAX_LIST = 10000 }; /* items of one merged list: matching them is quadratic */

enum directive { MERGE, REPLACE, DELETE };

struct merger {
    struct arena *arena;
    struct err *err;
};

static bool merge_field(struct merger *m, const struct schema_field *field, const struct value *base,
                        const struct value *patch, const struct value **ret);

static bool is_set(const struct value *value)
{
    return value != NULL && value->kind != VALUE_NULL;
}

static bool read_directive(struct merger *m, const struct value *map, enum directive *ret)
{
    const struct value *value = value_key(map, "$patch");
    struct str text = value_text(value);
    if (value == NULL || str_is(text, "merge"))
        *ret = MERGE;
    else if (str_is(text, "replace"))
        *ret = REPLACE;
    else if (str_is(text, "delete"))
        *ret = DELETE;
    else
        return err_set(m->err, ERR_INVALID, "$patch is '%.*s'; it may be merge, replace or delete",
                       STR_ARG(text));
    return true;
}

static bool known_keys_only(struct merger *m, const struct value *patch)
{
    MEMBER_EACH(member, patch)
        if (str_starts(member->key, STR("$")) && !str_is(member->key, "$patch"))
            return err_set(m->err, ERR_INVALID, "'%.*s' is a directive that kustomize does not follow",
                           STR_ARG(member->key));
    return true;
}

/* Every member of both; a member that comes out as nothing is left out. */
static bool merge_members(struct merger *m, enum shape shape, const struct value *base,
                          const struct value *patch, const struct value **ret)
{
    struct value_map_builder made = {0};
    const struct value *sides[] = {base, patch};
    for (size_t side = 0; side < 2; side++) {
        MEMBER_EACH(member, sides[side]) {
            const struct value *mine = side == 0 ? &member->value : value_get(base, member->key);
            if (side == 1 && mine != NULL)
                continue;
            const struct value *merged;
            if (!merge_field(m, schema_field_of(shape, member->key), mine, value_get(patch, member->key),
                             &merged))
                return err_context(m->err, "%.*s", STR_ARG(member->key));
            if (merged != NULL)
                value_put(m->arena, &made, member->key, merged);
        }
    }
    *ret = value_map_done(m->arena, &made);
    return true;
}

/* What is new is merged with itself: that follows its directives and takes its nulls out. */
static bool merge_map(struct merger *m, enum shape shape, const struct value *base, const struct value *patch,
                      const struct value **ret)
{
    enum directive directive;
    if (!read_directive(m, patch, &directive) || !known_keys_only(m, patch))
        return false;
    if (directive == DELETE) {
        *ret = NULL;
        return true;
    }
    patch = value_without(m->arena, patch, STR("$patch"));
    if (!is_set(base) || directive == REPLACE)
        base = patch;
    return merge_members(m, shape, base, patch, ret);
}

struct key {
    struct str texts[2]; /* empty where the item has none */
};

static struct key key_of(const struct value *item, const char *const *names)
{
    return (struct key){
        {value_text(value_key(item, names[0])), names[1] ? value_text(value_key(item, names[1])) : STR_NONE}};
}

static bool key_same(struct key a, struct key b)
{
    return str_eq(a.texts[0], b.texts[0]) && str_eq(a.texts[1], b.texts[1]);
}

/* Same but for what one of them leaves out, "80" and "80/TCP": kustomize takes them for one and then loses
 * the patch. */
static bool key_ambiguous(struct key a, struct key b)
{
    bool unsure = false;
    for (size_t i = 0; i < 2; i++) {
        if (str_eq(a.texts[i], b.texts[i]))
            continue;
        if (a.texts[i].len != 0 && b.texts[i].len != 0)
            return false;
        unsure = true;
    }
    return unsure && (str_eq(a.texts[0], b.texts[0]) || str_eq(a.texts[1], b.texts[1]));
}

static bool check_items(struct merger *m, const struct schema_field *field, const struct value *list)
{
    if (value_count(list) > MAX_LIST)
        return err_set(m->err, ERR_LIMIT, "more than %d items to merge", MAX_LIST);
    VALUE_EACH(item, list) {
        if (item->kind != VALUE_MAP)
            return err_set(m->err, ERR_INVALID, "an item is a %s, not a map", value_kind_name(item->kind));
        if (key_of(item, field->keys).texts[0].len == 0)
            return err_set(m->err, ERR_INVALID, "an item has no %s to be merged by", field->keys[0]);
    }
    return true;
}

static const struct value *find_item(const struct value *list, const struct schema_field *field,
                                     struct key key)
{
    VALUE_EACH(item, list)
        if (key_same(key_of(item, field->keys), key))
            return item;
    return NULL;
}

/* Puts `item` in the place of one with the same key, or at the end; `last` takes the other out first. */
static void put_item(struct merger *m, const struct schema_field *field, struct value_list_builder *list,
                     const struct value *item, bool last)
{
    struct key key = key_of(item, field->keys);
    size_t at = 0;
    while (at < list->count && !key_same(key_of(&list->items[at], field->keys), key))
        at++;
    if (at < list->count && !last) {
        list->items[at] = *item;
        return;
    }
    if (at < list->count) {
        memmove(&list->items[at], &list->items[at + 1], (list->count - at - 1) * sizeof *list->items);
        list->count--;
    }
    value_push(m->arena, list, item);
}

static bool unambiguous(struct merger *m, const struct schema_field *field, const struct value *base,
                        const struct value *item)
{
    struct key key = key_of(item, field->keys);
    VALUE_EACH(other, base)
        if (key_ambiguous(key, key_of(other, field->keys)))
            return err_set(m->err, ERR_INVALID,
                           "%s %.*s: only one of patch and base names its %s, and kustomize would "
                           "lose the patch; name it in both",
                           field->keys[0], STR_ARG(key.texts[0]), field->keys[1]);
    return true;
}

/* One item of the patch with its partner in the base. */
static bool merge_item(struct merger *m, const struct schema_field *field, const struct value *base,
                       const struct value *item, const struct value **ret)
{
    enum directive directive;
    struct key key = key_of(item, field->keys);
    const struct value *partner = find_item(base, field, key);
    if (!unambiguous(m, field, base, item) || !read_directive(m, item, &directive))
        return false;
    if (directive == REPLACE && partner != NULL && partner != item)
        return err_set(m->err, ERR_INVALID,
                       "%s %.*s: kustomize does not follow $patch: replace on an item that is "
                       "there already; delete its fields with null, or replace the whole list",
                       field->keys[0], STR_ARG(key.texts[0]));
    if (!merge_map(m, field->below, partner, item, ret))
        return err_context(m->err, "%s %.*s", field->keys[0], STR_ARG(key.texts[0]));
    return true;
}

/* With one key in use the patch's order wins, with two the base's. */
static bool two_keys_used(const struct schema_field *field, const struct value *base,
                          const struct value *patch)
{
    const struct value *sides[] = {base, patch};
    for (size_t side = 0; side < 2; side++)
        VALUE_EACH(item, sides[side])
            if (key_of(item, field->keys).texts[1].len != 0)
                return true;
    return false;
}

static bool merge_items(struct merger *m, const struct schema_field *field, const struct value *base,
                        const struct value *patch, const struct value **ret)
{
    struct value_list_builder made = {0}, gone = {0};
    bool base_order = two_keys_used(field, base, patch);
    VALUE_EACH(item, patch) {
        const struct value *merged;
        if (!merge_item(m, field, base, item, &merged))
            return false;
        if (merged == NULL)
            value_push(m->arena, &gone, item);
        else if (!base_order || find_item(base, field, key_of(item, field->keys)) == NULL)
            put_item(m, field, &made, merged, false);
    }
    const struct value *deleted = value_list_done(m->arena, &gone);
    VALUE_EACH(item, base) {
        struct key key = key_of(item, field->keys);
        const struct value *change = find_item(patch, field, key), *merged = item;
        if (find_item(deleted, field, key) != NULL)
            continue;
        bool first = find_item(base, field, key) == item;
        if (change != NULL && first && !merge_item(m, field, base, change, &merged))
            return false;
        if (change == NULL && first && field->below != SHAPE_NONE &&
            !merge_members(m, field->below, item, NULL, &merged))
            return false;
        put_item(m, field, &made, merged, base_order);
    }
    *ret = value_list_done(m->arena, &made);
    return true;
}

/* A list's own directive is an item that holds nothing but $patch; it is taken out of *list. */
static bool list_directive(struct merger *m, const struct value **list, enum directive *ret)
{
    struct value_list_builder rest = {0};
    *ret = MERGE;
    VALUE_EACH(item, *list) {
        if (value_count(item) != 1 || value_key(item, "$patch") == NULL)
            value_push(m->arena, &rest, item);
        else if (!read_directive(m, item, ret))
            return false;
    }
    if (rest.count != value_count(*list))
        *list = value_list_done(m->arena, &rest);
    return true;
}

static bool merge_list(struct merger *m, const struct schema_field *field, const struct value *base,
                       const struct value *patch, const struct value **ret)
{
    enum directive directive;
    if (!list_directive(m, &patch, &directive))
        return false;
    if (directive == DELETE) {
        *ret = NULL;
        return true;
    }
    if (!is_set(base) || directive == REPLACE)
        base = patch;
    if (!check_items(m, field, base) || !check_items(m, field, patch))
        return false;
    return merge_items(m, field, base, patch, ret);
}

/* A list of plain values as a set: the patch's first, then the base's. */
static const struct value *unite(struct merger *m, const struct value *base, const struct value *patch)
{
    struct value_list_builder made = {0};
    const struct value *sides[] = {patch, base};
    for (size_t side = 0; side < 2; side++)
        VALUE_EACH(item, sides[side]) {
            bool seen = false;
            for (size_t i = 0; i < made.count && !seen; i++)
                seen = str_eq(value_text(&made.items[i]), value_text(item));
            if (!seen)
                value_push(m->arena, &made, item);
        }
    return value_list_done(m->arena, &made);
}

static bool fits(const struct value *base, const struct value *patch)
{
    if (!is_set(base) || !is_set(patch))
        return true;
    bool map = base->kind == VALUE_MAP, list = base->kind == VALUE_LIST;
    return (patch->kind == VALUE_MAP) == map && (patch->kind == VALUE_LIST) == list;
}

/* What the patch does not speak of is still passed over: of items with the same key kustomize keeps the
 * last. */
static bool pass_over(struct merger *m, const struct schema_field *field, const struct value *base,
                      const struct value **ret)
{
    static const struct value no_members = {.kind = VALUE_MAP};
    struct err ignored;
    *ret = base;
    if (field == NULL || base == NULL)
        return true;
    if (base->kind == VALUE_MAP && field->what == SCHEMA_MAP)
        return merge_members(m, field->below, base, &no_members, ret);
    if (base->kind != VALUE_LIST || field->what != SCHEMA_LIST)
        return true;
    if (!check_items(&(struct merger){m->arena, &ignored}, field, base))
        return true;
    return merge_items(m, field, base, NULL, ret);
}

/* `patch` NULL means that the patch does not speak of the field; a null value takes it away. */
static bool merge_field(struct merger *m, const struct schema_field *field, const struct value *base,
                        const struct value *patch, const struct value **ret)
{
    if (patch == NULL)
        return pass_over(m, field, base, ret);
    if (!fits(base, patch))
        return err_set(m->err, ERR_INVALID, "a %s cannot be merged into a %s", value_kind_name(patch->kind),
                       value_kind_name(base->kind));
    if (patch->kind == VALUE_MAP)
        return merge_map(m, field ? field->below : SHAPE_NONE, base, patch, ret);
    if (patch->kind == VALUE_LIST && field != NULL && field->what == SCHEMA_LIST)
        return merge_list(m, field, base, patch, ret);
    if (patch->kind == VALUE_LIST && field != NULL && field->what == SCHEMA_SET)
        patch = unite(m, base, patch);
    *ret = patch->kind == VALUE_NULL ? NULL : patch;
    return true;
}

bool merge_strategic(struct arena *arena, enum shape shape, const struct value *object,
                     const struct value *patch, const struct value **ret_object, struct err *err)
{
    return merge_map(&(struct merger){arena, err}, shape, object, patch, ret_object);
}
