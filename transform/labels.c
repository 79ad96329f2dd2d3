/* Which labels something selects by. Asked for a few keys only: those that a tool puts on everything. */
#include <stdlib.h>

#include "transform/rule.h"

/* Gathering. */
struct search {
    struct arena *arena;
    struct label_uses *uses;
    const struct str *keys;
    size_t key_count;
};

/* The object is gone when its texts are asked for; of the keys there are only a few. */
static void add(struct search *search, struct str key, struct str value, bool any)
{
    for (size_t i = 0; i < search->key_count; i++)
        if (str_eq(key, search->keys[i]))
            *ARENA_PUSH(search->arena, search->uses) =
                (struct label_use){search->keys[i], str_dup(search->arena, value), any};
}

static void add_map(struct search *search, const struct value *labels)
{
    MEMBER_EACH(label, labels)
        if (label->value.kind == VALUE_STRING)
            add(search, label->key, value_str(&label->value), false);
}

/* "a=b,c in (d)": whatever is asked of a key counts as every value of it. */
static void add_text(struct search *search, struct str text)
{
    while (text.len != 0) {
        struct str part = str_trim(str_cut(&text, ','));
        for (size_t i = 0; i < search->key_count; i++)
            if (str_contains(part, search->keys[i]))
                add(search, search->keys[i], STR_NONE, true);
    }
}

static void look_into(struct search *search, const struct value *node);

static void look_at(struct search *search, const struct member *member)
{
    const struct value *value = &member->value;
    if (str_is(member->key, "matchLabels") || str_is(member->key, "selector"))
        add_map(search, value);
    if (str_is(member->key, "selector") || str_is(member->key, "labelSelector"))
        add_text(search, value_str(value));
    if (str_is(member->key, "matchExpressions"))
        VALUE_EACH(expression, value)
            add(search, value_str(value_key(expression, "key")), STR_NONE, true);
    if (str_is(member->key, "labelSelectors")) /* of kustomize and the like */
        VALUE_EACH(text, value)
            add_text(search, value_str(text));
    look_into(search, value);
}

static void look_into(struct search *search, const struct value *node)
{
    MEMBER_EACH(member, node)
        if (!str_is(member->key, "managedFields"))
            look_at(search, member);
    VALUE_EACH(item, node)
        look_into(search, item);
}

static int use_cmp(const void *a, const void *b)
{
    const struct label_use *left = a, *right = b;
    int order = str_cmp(left->key, right->key);
    order = order ? order : (int)right->any - (int)left->any;
    return order ? order : str_cmp(left->value, right->value);
}

static bool look_at_object(void *ctx, const struct resource *resource, struct err *err)
{
    look_into(ctx, resource->object);
    return true;
}

bool label_uses_gather(struct arena *arena, const struct parts *live, const struct str *keys,
                       size_t key_count, struct label_uses *ret_uses, struct err *err)
{
    struct search search = {arena, ret_uses, keys, key_count};
    *ret_uses = (struct label_uses){0};
    if (!parts_each(live, NULL, NULL, look_at_object, &search, err))
        return false;
    if (ret_uses->count > 1)
        qsort(ret_uses->items, ret_uses->count, sizeof *ret_uses->items, use_cmp);
    return true;
}

bool label_uses_has(const struct label_uses *uses, struct str key, struct str value)
{
    struct label_use every = {key, STR_NONE, true}, exact = {key, value, false};
    return uses->count != 0 &&
           (bsearch(&every, uses->items, uses->count, sizeof *uses->items, use_cmp) != NULL ||
            bsearch(&exact, uses->items, uses->count, sizeof *uses->items, use_cmp) != NULL);
}
