#include "core/kustomize/target.h"

#include <string.h>

#include "core/kustomize/schema.h"

static const char *const field_names[TARGET_FIELDS] = {"group", "version", "kind", "name", "namespace"};

/* Go and POSIX agree on literals, ".", classes, groups, alternatives and repetitions. */
static bool common_syntax(struct str pattern)
{
    for (size_t i = 0; i + 1 < pattern.len; i++) {
        char c = pattern.ptr[i], next = pattern.ptr[i + 1];
        bool letter =
            (next >= 'a' && next <= 'z') || (next >= 'A' && next <= 'Z') || (next >= '0' && next <= '9');
        if ((c == '\\' && letter) || (c == '(' && next == '?') || (strchr("*+?}", c) && next == '?'))
            return false;
    }
    return memchr(pattern.ptr, '\0', pattern.len) == NULL;
}

static bool compile(struct arena *arena, struct target *target, size_t i, struct str pattern, struct err *err)
{
    const char *whole = str_c(arena, str_fmt(arena, "^(%.*s)$", STR_ARG(pattern)));
    if (!common_syntax(pattern) || pattern.len > 1024 ||
        regcomp(&target->fields[i].regex, whole, REG_EXTENDED | REG_NOSUB) != 0)
        return err_set(err, ERR_INVALID, "target.%s: '%.*s' is no pattern that is read here", field_names[i],
                       STR_ARG(pattern));
    target->fields[i].used = true;
    return true;
}

static struct str trimmed(struct str *rest, char c)
{
    return str_trim(str_cut(rest, c));
}

/* "e in (f, g)": *rest starts behind the opening bracket. */
static bool read_set(struct arena *arena, struct str *rest, struct requirement *r)
{
    size_t end = str_find(*rest, ')');
    if (end == rest->len)
        return false;
    struct str values = str_slice(*rest, 0, end);
    while (values.len != 0)
        *ARENA_PUSH(arena, &r->values) = trimmed(&values, ',');
    *rest = str_trim(str_from(*rest, end + 1));
    if (rest->len != 0 && rest->ptr[0] == ',')
        *rest = str_from(*rest, 1);
    else if (rest->len != 0)
        return false;
    return r->values.count != 0;
}

static bool read_comparison(struct arena *arena, struct str text, struct requirement *r)
{
    size_t equals = str_find(text, '=');
    if (str_starts(text, STR("!")) && equals == text.len) {
        *r = (struct requirement){.key = str_trim(str_from(text, 1)), .operator= LABEL_ABSENT };
    } else if (equals == text.len) {
        *r = (struct requirement){.key = str_trim(text), .operator= LABEL_EXISTS };
    } else {
        bool negated = equals > 0 && text.ptr[equals - 1] == '!';
        bool doubled = equals + 1 < text.len && text.ptr[equals + 1] == '=';
        *r = (struct requirement){.key = str_trim(str_slice(text, 0, equals - negated)),
                                  .operator= negated ? LABEL_NOT_IN : LABEL_IN };
        *ARENA_PUSH(arena, &r->values) = str_trim(str_from(text, equals + 1 + doubled));
    }
    return r->key.len != 0 && str_find(r->key, ' ') == r->key.len;
}

static bool read_requirement(struct arena *arena, struct str *rest, struct requirement *r)
{
    size_t open = str_find(*rest, '('), comma = str_find(*rest, ',');
    if (open > comma || open == rest->len)
        return read_comparison(arena, trimmed(rest, ','), r);
    struct str words = str_trim(str_slice(*rest, 0, open));
    struct str key = str_cut(&words, ' ');
    words = str_trim(words);
    *r = (struct requirement){.key = key, .operator= str_is(words, "in") ? LABEL_IN : LABEL_NOT_IN};
    *rest = str_from(*rest, open + 1);
    return (str_is(words, "in") || str_is(words, "notin")) && read_set(arena, rest, r);
}

bool requirements_read(struct arena *arena, struct str text, struct requirements *ret, struct err *err)
{
    struct requirements made = {0};
    struct str rest = str_trim(text);
    while (rest.len != 0) {
        struct requirement r;
        if (!read_requirement(arena, &rest, &r))
            return err_set(err, ERR_INVALID, "'%.*s' is no label selector", STR_ARG(text));
        *ARENA_PUSH(arena, &made) = r;
        rest = str_trim(rest);
    }
    *ret = made;
    return true;
}

static bool read_target_member(struct arena *arena, struct target *target, const struct member *member,
                               struct err *err)
{
    struct str text = value_str(&member->value);
    if (member->value.kind != VALUE_STRING)
        return err_set(err, ERR_INVALID, "target.%.*s is not a string", STR_ARG(member->key));
    for (size_t i = 0; i < TARGET_FIELDS; i++)
        if (str_is(member->key, field_names[i]))
            return text.len == 0 || compile(arena, target, i, text, err);
    if (str_is(member->key, "labelSelector"))
        return requirements_read(arena, text, &target->labels, err);
    if (str_is(member->key, "annotationSelector"))
        return requirements_read(arena, text, &target->annotations, err);
    return err_set(err, ERR_INVALID, "target.%.*s is not known", STR_ARG(member->key));
}

bool target_read(struct arena *arena, const struct value *map, struct target *ret_target, struct err *err)
{
    struct target target = {0};
    MEMBER_EACH(member, map)
        if (!read_target_member(arena, &target, member, err)) {
            target_done(&target);
            return false;
        }
    *ret_target = target;
    return true;
}

void target_done(struct target *target)
{
    for (size_t i = 0; i < TARGET_FIELDS; i++)
        if (target->fields[i].used)
            regfree(&target->fields[i].regex);
}

static bool meets(const struct requirements *requirements, const struct value *labels)
{
    for (size_t i = 0; i < requirements->count; i++) {
        const struct requirement *r = &requirements->items[i];
        const struct value *label = value_get(labels, r->key);
        bool in = label != NULL && str_in(value_text(label), r->values.items, r->values.count);
        bool met = r->operator== LABEL_EXISTS   ? label != NULL
                   : r->operator== LABEL_ABSENT ? label == NULL
                   : r->operator== LABEL_IN     ? in
                                                : !in;
        if (!met)
            return false;
    }
    return true;
}

/* What a target's `namespace` is held against: the one in effect. */
static struct str namespace_in_effect(const struct resource *r)
{
    if (schema_cluster_scoped(resource_group(r), resource_version(r), r->kind))
        return STR("_non_namespaceable_");
    return r->namespace.len != 0 ? r->namespace : STR("default");
}

bool target_selects(struct arena *scratch, const struct target *target, const struct layer_item *item)
{
    const struct resource *r = &item->resource;
    const struct str texts[TARGET_FIELDS] = {resource_group(r), resource_version(r), r->kind, r->name,
                                             namespace_in_effect(r)};
    for (size_t i = 0; i < TARGET_FIELDS; i++)
        if (target->fields[i].used &&
            regexec(&target->fields[i].regex, str_c(scratch, texts[i]), 0, NULL, 0) != 0)
            return false;
    const struct value *metadata = value_key(r->object, "metadata");
    return meets(&target->labels, value_key(metadata, "labels")) &&
           meets(&target->annotations, value_key(metadata, "annotations"));
}
