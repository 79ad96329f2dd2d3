/* The user's own rules: transform.rules of the configuration. Two rows of rules.def say when they run. */
#include "core/base/pointer.h"
#include "transform/rule.h"

struct user_rules user_rules_of(struct arena *arena, const struct config *config)
{
    struct user_rules rules = {ARENA_ARRAY(arena, struct user_rule, config->rules.count),
                               config->rules.count};
    for (size_t i = 0; i < rules.count; i++) {
        const struct config_rule *from = &config->rules.items[i];
        struct str why = str_fmt(arena, "the configuration says so%s%.*s", from->where.len ? ": " : "",
                                 STR_ARG(from->where));
        rules.items[i] =
            (struct user_rule){.rule = {.id = str_c(arena, str_fmt(arena, "user.%.*s", STR_ARG(from->name))),
                                        .applies = "*",
                                        .apply = from->drop_object ? rule_user_objects : rule_user_fields,
                                        .what = "a rule of the configuration",
                                        .why = str_c(arena, why)},
                               .config = from};
    }
    return rules;
}

void rule_user_objects(struct subject *subject)
{
    const struct user_rules *rules = &subject->scene->user;
    for (size_t i = 0; i < rules->count && !subject->dropped; i++) {
        const struct config_rule *config = rules->items[i].config;
        if (!config->drop_object || !match_takes(&config->match, subject->scene, subject->live))
            continue;
        subject->rule = &rules->items[i].rule;
        subject_drop(subject);
        subject->log->user_applications[i]++;
    }
}

/* One walk down a pattern. */
struct edit {
    struct subject *subject;
    const struct value *value; /* to set; NULL: what the pattern names is taken out */
};

static const struct value *edit_at(struct edit *edit, const struct value *node, struct str here,
                                   struct str rest);

/* "~1" is '/', "~0" is '~'. */
static struct str token_text(struct arena *arena, struct str token)
{
    if (str_find(token, '~') == token.len)
        return token;
    char *text = arena_alloc(arena, token.len + 1);
    size_t len = 0;
    for (size_t i = 0; i < token.len; i++)
        text[len++] = token.ptr[i] != '~' ? token.ptr[i] : token.ptr[++i] == '1' ? '/' : '~';
    return (struct str){text, len};
}

/* Steps are told one after the other: an item's place is the one it has once those before it are gone. */
static const struct value *edit_list(struct edit *edit, const struct value *list, struct str here,
                                     struct str token, struct str rest)
{
    struct arena *arena = edit->subject->arena;
    struct value_list_builder items = {0};
    uint64_t wanted = UINT64_MAX;
    bool every = str_is(token, "*"), changed = false;
    if (!every && !str_to_u64(token, &wanted))
        return list;
    for (size_t i = 0; i < value_count(list); i++) {
        const struct value *item = value_item(list, i), *left = item;
        if (every || i == wanted)
            left = edit_at(edit, item, pointer_index(arena, here, items.count), rest);
        changed = changed || left != item;
        if (left != NULL)
            value_push(arena, &items, left);
    }
    return changed ? value_list_done(arena, &items) : list;
}

/* Labels and annotations that a rule emptied go; other empty maps may mean something. */
static bool is_tidied(struct str here)
{
    return str_ends(here, STR("/labels")) || str_ends(here, STR("/annotations"));
}

static const struct value *edit_map(struct edit *edit, const struct value *map, struct str here,
                                    struct str token, struct str rest)
{
    struct arena *arena = edit->subject->arena;
    struct value_map_builder members = {0};
    bool every = str_is(token, "*"), changed = false, found = false;
    struct str wanted = token_text(arena, token);
    uint64_t index;
    if (map == NULL && str_to_u64(token, &index))
        return NULL; /* an item of a list that is not there */
    MEMBER_EACH(member, map) {
        const struct value *left = &member->value;
        if (every || str_eq(member->key, wanted)) {
            left = edit_at(edit, left, pointer_child(arena, here, member->key), rest);
            found = true;
        }
        changed = changed || left != &member->value;
        if (left != NULL)
            value_put(arena, &members, member->key, left);
    }
    if (!found && !every && edit->value != NULL) {
        const struct value *made = edit_at(edit, NULL, pointer_child(arena, here, wanted), rest);
        changed = made != NULL;
        if (changed)
            value_put(arena, &members, wanted, made);
    }
    if (changed && members.count == 0 && is_tidied(here)) {
        subject_note_removed(edit->subject, here);
        return NULL;
    }
    return changed ? value_map_done(arena, &members) : map;
}

/* What becomes of `node`: itself, something new, or NULL for nothing. A map that is missing on the way to what is set
 * is made; where something else than a map or list stands in the way, the pattern names nothing. */
static const struct value *edit_at(struct edit *edit, const struct value *node, struct str here,
                                   struct str rest)
{
    if (rest.len == 0) {
        if (edit->value == NULL)
            subject_note_removed(edit->subject, here);
        else if (node == NULL || !value_equal(node, edit->value))
            subject_note_changed(edit->subject, here, edit->value);
        return node != NULL && edit->value != NULL && value_equal(node, edit->value) ? node : edit->value;
    }
    rest = str_from(rest, 1);
    size_t end = str_find(rest, '/');
    struct str token = str_slice(rest, 0, end);
    rest = str_from(rest, end);
    if (value_is(node, VALUE_LIST))
        return edit_list(edit, node, here, token, rest);
    if (node == NULL || value_is(node, VALUE_MAP))
        return edit_map(edit, node, here, token, rest);
    return node;
}

static void apply(struct subject *subject, struct str pattern, const struct value *value)
{
    struct edit edit = {subject, value};
    subject->object = edit_at(&edit, subject->object, STR_NONE, pattern);
}

void rule_user_fields(struct subject *subject)
{
    const struct user_rules *rules = &subject->scene->user;
    for (size_t i = 0; i < rules->count; i++) {
        const struct config_rule *config = rules->items[i].config;
        if (config->drop_object || !match_takes(&config->match, subject->scene, subject->live))
            continue;
        size_t before = subject->log->steps;
        subject->rule = &rules->items[i].rule;
        for (size_t j = 0; j < config->drop.count; j++)
            apply(subject, config->drop.items[j], NULL);
        if (config->set_pointer.len != 0)
            apply(subject, config->set_pointer, config->set_value);
        subject->log->user_applications[i] += subject->log->steps > before;
    }
}
