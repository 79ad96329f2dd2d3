/* transform.disable, transform.rules and transform.helm: what a user changes about the rules of the transform. */
#include "core/base/pointer.h"
#include "core/config/config_read.h"

static bool is_known(struct str key, const char *const *known)
{
    for (; *known; known++)
        if (str_is(key, *known))
            return true;
    return false;
}

/* A map with these keys and no others. */
bool config_check_keys(struct config_reader *r, struct str pointer, const struct value *map,
                       const char *const *known, const char *what)
{
    if (!config_expect(r, pointer, map, VALUE_MAP, what))
        return false;
    MEMBER_EACH(member, map) {
        if (is_known(member->key, known))
            continue;
        struct str best = STR_NONE;
        unsigned best_distance = 4;
        for (const char *const *key = known; *key; key++) {
            unsigned distance = str_distance(str_of(*key), member->key);
            if (distance < best_distance) {
                best = str_of(*key);
                best_distance = distance;
            }
        }
        struct str why = best.len ? str_fmt(r->arena, "unknown key \"%.*s\"; did you mean \"%.*s\"?",
                                            STR_ARG(member->key), STR_ARG(best))
                                  : str_fmt(r->arena, "unknown key \"%.*s\"", STR_ARG(member->key));
        return config_fail_at(r, pointer_child(r->arena, pointer, member->key), str_c(r->arena, why));
    }
    return true;
}

static struct str child(struct config_reader *r, struct str pointer, const char *key)
{
    return pointer_child(r->arena, pointer, str_of(key));
}

/* One text, or a list of them; nothing where the key is not there. */
bool config_read_texts(struct config_reader *r, struct str pointer, const struct value *value,
                       struct str_list *ret)
{
    size_t index = 0;
    *ret = (struct str_list){0};
    if (value == NULL)
        return true;
    if (value_is(value, VALUE_STRING))
        return config_read_text(r, pointer, value, ARENA_PUSH(r->arena, ret));
    if (!config_expect(r, pointer, value, VALUE_LIST, "a text or a list of texts"))
        return false;
    VALUE_EACH(item, value)
        if (!config_read_text(r, pointer_index(r->arena, pointer, index++), item, ARENA_PUSH(r->arena, ret)))
            return false;
    return true;
}

static bool read_labels(struct config_reader *r, struct str pointer, const struct value *labels,
                        const struct value **ret)
{
    *ret = labels;
    if (labels == NULL)
        return true;
    if (!config_expect(r, pointer, labels, VALUE_MAP, "a map of labels"))
        return false;
    MEMBER_EACH(member, labels)
        if (!config_expect(r, pointer_child(r->arena, pointer, member->key), &member->value, VALUE_STRING,
                           "a text"))
            return false;
    return true;
}

bool config_read_match(struct config_reader *r, struct str pointer, const struct value *match,
                       struct config_match *ret)
{
    static const char *const known[] = {"type", "namespace", "name", "labels", NULL};
    *ret = (struct config_match){0};
    if (match == NULL)
        return true;
    return config_check_keys(r, pointer, match, known, "a map of type, namespace, name and labels") &&
           config_read_texts(r, child(r, pointer, "type"), value_key(match, "type"), &ret->types) &&
           config_read_texts(r, child(r, pointer, "namespace"), value_key(match, "namespace"),
                             &ret->namespaces) &&
           config_read_texts(r, child(r, pointer, "name"), value_key(match, "name"), &ret->names) &&
           read_labels(r, child(r, pointer, "labels"), value_key(match, "labels"), &ret->labels);
}

static bool is_narrow(const struct config_match *match)
{
    return match->types.count || match->namespaces.count || match->names.count || value_count(match->labels);
}

static bool read_scoped_off(struct config_reader *r, struct str at, const struct value *item,
                            struct config *config)
{
    static const char *const known[] = {"rule", "match", NULL};
    struct config_off *off = ARENA_PUSH(r->arena, &config->scoped_off);
    *off = (struct config_off){.where = config_where(r, at)};
    if (!config_check_keys(r, at, item, known, "the id of a rule, or {rule, match}") ||
        !config_read_match(r, child(r, at, "match"), value_key(item, "match"), &off->match))
        return false;
    if (value_str(value_key(item, "rule")).len == 0)
        return config_fail_at(r, at, "which rule? expected {rule: ID, match: …}");
    if (!is_narrow(&off->match))
        return config_fail_at(r, at, "match is empty; write the id alone to switch the rule off everywhere");
    return config_read_text(r, child(r, at, "rule"), value_key(item, "rule"), &off->rule);
}

bool config_read_off(struct config_reader *r, struct str pointer, const struct value *value, void *field)
{
    struct config *config = (void *)((char *)field - offsetof(struct config, disabled_rules));
    size_t index = 0;
    config->disabled_rules = config->disabled_where = (struct str_list){0};
    config->scoped_off = (struct config_offs){0};
    if (!config_expect(r, pointer, value, VALUE_LIST, "a list of rules"))
        return false;
    VALUE_EACH(item, value) {
        struct str at = pointer_index(r->arena, pointer, index++);
        if (value_is(item, VALUE_MAP)) {
            if (!read_scoped_off(r, at, item, config))
                return false;
            continue;
        }
        *ARENA_PUSH(r->arena, &config->disabled_where) = config_where(r, at);
        if (!config_read_text(r, at, item, ARENA_PUSH(r->arena, &config->disabled_rules)))
            return false;
    }
    return true;
}

/* What identifies an object is not a rule's to change: other objects and the repository's files name it. */
static bool is_identity(struct str pointer)
{
    struct str rest = str_from(pointer, 1), first = str_cut(&rest, '/'), second = str_cut(&rest, '/');
    if (!str_is(first, "metadata"))
        return str_is(first, "apiVersion") || str_is(first, "kind") || str_is(first, "*") || first.len == 0;
    return second.len == 0 || str_is(second, "name") || str_is(second, "namespace") || str_is(second, "*");
}

static bool check_pointer(struct config_reader *r, struct str at, struct str pointer)
{
    if (!str_starts(pointer, STR("/")) || !pointer_is_well_formed(pointer))
        return config_fail_at(r, at, "expected a JSON pointer such as /spec/template/spec/hostNetwork");
    if (is_identity(pointer))
        return config_fail_at(r, at,
                              "a rule cannot change apiVersion, kind, name and namespace of an object");
    return true;
}

static bool read_drop(struct config_reader *r, struct str at, const struct value *drop,
                      struct config_rule *rule)
{
    if (!config_read_texts(r, at, drop, &rule->drop))
        return false;
    if (value_is(drop, VALUE_STRING) && str_is(value_str(drop), "object")) {
        rule->drop = (struct str_list){0};
        rule->drop_object = true;
        return is_narrow(&rule->match) ||
               config_fail_at(r, at, "without a match this would leave out every object");
    }
    for (size_t i = 0; i < rule->drop.count; i++)
        if (!check_pointer(r, value_is(drop, VALUE_LIST) ? pointer_index(r->arena, at, i) : at,
                           rule->drop.items[i]))
            return false;
    return true;
}

static bool read_set(struct config_reader *r, struct str at, const struct value *set,
                     struct config_rule *rule)
{
    static const char *const known[] = {"pointer", "value", NULL};
    if (set == NULL)
        return true;
    rule->set_value = value_key(set, "value");
    if (!config_check_keys(r, at, set, known, "{pointer, value}"))
        return false;
    if (value_key(set, "pointer") == NULL || rule->set_value == NULL)
        return config_fail_at(r, at, "expected {pointer: /json/pointer, value: …}");
    return config_read_text(r, child(r, at, "pointer"), value_key(set, "pointer"), &rule->set_pointer) &&
           check_pointer(r, child(r, at, "pointer"), rule->set_pointer);
}

static bool is_rule_name(struct str name)
{
    for (size_t i = 0; i < name.len; i++)
        if (!((name.ptr[i] >= 'a' && name.ptr[i] <= 'z') || (name.ptr[i] >= '0' && name.ptr[i] <= '9') ||
              name.ptr[i] == '-'))
            return false;
    return name.len != 0 && name.len <= 63;
}

static bool read_rule(struct config_reader *r, struct str at, const struct value *item,
                      struct config_rule *rule)
{
    static const char *const known[] = {"name", "match", "drop", "set", NULL};
    *rule = (struct config_rule){.where = config_where(r, at)};
    if (!config_check_keys(r, at, item, known, "a rule: {name, match, drop, set}"))
        return false;
    rule->name = value_str(value_key(item, "name"));
    if (!is_rule_name(rule->name))
        return config_fail_at(r, at, "a rule needs a name of lower-case letters, digits and '-'");
    if (!config_read_match(r, child(r, at, "match"), value_key(item, "match"), &rule->match) ||
        !read_drop(r, child(r, at, "drop"), value_key(item, "drop"), rule) ||
        !read_set(r, child(r, at, "set"), value_key(item, "set"), rule))
        return false;
    if (!rule->drop_object && rule->drop.count == 0 && rule->set_pointer.len == 0)
        return config_fail_at(r, at, "this rule does nothing: it needs drop or set");
    return true;
}

bool config_read_rules(struct config_reader *r, struct str pointer, const struct value *value, void *field)
{
    struct config_rules rules = {0};
    size_t index = 0;
    if (!config_expect(r, pointer, value, VALUE_LIST, "a list of rules"))
        return false;
    VALUE_EACH(item, value) {
        struct str at = pointer_index(r->arena, pointer, index++);
        struct config_rule rule;
        if (!read_rule(r, at, item, &rule))
            return false;
        for (size_t i = 0; i < rules.count; i++)
            if (str_eq(rules.items[i].name, rule.name))
                return config_fail_at(r, at, "this rule comes twice");
        *ARENA_PUSH(r->arena, &rules) = rule;
    }
    *(struct config_rules *)field = rules;
    return true;
}

bool config_helm_marks(struct str name, enum helm_marks *ret_marks)
{
    if (!str_is(name, "keep") && !str_is(name, "strip"))
        return false;
    *ret_marks = str_is(name, "strip") ? HELM_STRIP : HELM_KEEP;
    return true;
}

bool config_read_helm(struct config_reader *r, struct str pointer, const struct value *value, void *field)
{
    return config_helm_marks(value_str(value), field) || config_fail_at(r, pointer, "expected keep or strip");
}
