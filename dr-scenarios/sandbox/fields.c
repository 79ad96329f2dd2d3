/* fields.c — sets of fields, and merging by them: the heart of server-side apply.
 *
 * A set is written as metadata.managedFields writes it (FieldsV1): "f:name" a field, "k:{…}" the item of a list with
 * those keys, "v:…" the member of a set, "." the thing itself beside its children; an empty map is the thing itself.
 * How lists and maps merge comes from the CRD's x-kubernetes-* marks, for built-in types from the tables here, which
 * follow the listType and mapType marks of k8s.io/api.
 */
#include <string.h>

#include "dr-scenarios/sandbox/intern.h"

struct list_rule {
    const char *kind; /* NULL: any */
    const char *field, *keys[3];
    const char *defaults[3]; /* JSON, of keys that may be missing */
};

static const struct list_rule list_rules[] = {
    {NULL, "finalizers", {"="}, {NULL}}, /* "=": a set */
    {NULL, "ownerReferences", {"uid"}, {NULL}},
    {"EndpointSlice", "ports", {NULL}, {NULL}},
    {"Service", "ports", {"port", "protocol"}, {NULL, "\"TCP\""}},
    {NULL, "ports", {"containerPort", "protocol"}, {NULL, "\"TCP\""}},
    {NULL, "containers", {"name"}, {NULL}},
    {NULL, "initContainers", {"name"}, {NULL}},
    {NULL, "ephemeralContainers", {"name"}, {NULL}},
    {NULL, "env", {"name"}, {NULL}},
    {NULL, "volumes", {"name"}, {NULL}},
    {NULL, "volumeMounts", {"mountPath"}, {NULL}},
    {NULL, "volumeDevices", {"devicePath"}, {NULL}},
    {NULL, "imagePullSecrets", {"name"}, {NULL}},
    {NULL, "hostAliases", {"ip"}, {NULL}},
    {NULL, "topologySpreadConstraints", {"topologyKey", "whenUnsatisfiable"}, {NULL}},
    {NULL, "resourceClaims", {"name"}, {NULL}},
    {NULL, "claims", {"name"}, {NULL}},
    {NULL, "schedulingGates", {"name"}, {NULL}},
    {"ServiceAccount", "secrets", {"name"}, {NULL}},
    {NULL, "conditions", {"type"}, {NULL}},
    {NULL, "webhooks", {"name"}, {NULL}},
    {NULL, "matchConditions", {"name"}, {NULL}},
};

static const char *const atomic_maps[] = {
    "selector",      "podSelector",      "namespaceSelector", "objectSelector",
    "labelSelector", "nodeSelector",     "secretKeyRef",      "configMapKeyRef",
    "fieldRef",      "resourceFieldRef", "roleRef",           "scaleTargetRef",
    "secretRef",     "targetRef",        "claimRef",          "nodeSelectorTerms",
};

static const struct list_rule atomic_list = {0};

static bool custom(struct place place)
{
    return place.type->crd.len != 0 && place.schema != NULL;
}

static struct place child(struct place place, struct str key)
{
    const struct value *schema = value_get(value_key(place.schema, "properties"), key);
    if (schema == NULL)
        schema = value_key(place.schema, "additionalProperties");
    return (struct place){place.type, schema, key};
}

static struct place item(struct place place)
{
    return (struct place){place.type, value_key(place.schema, "items"), place.field};
}

static struct list_rule custom_rule(struct arena *arena, const struct value *schema)
{
    struct str kind = value_str(value_key(schema, "x-kubernetes-list-type"));
    struct list_rule rule = {0};
    if (str_is(kind, "set"))
        rule.keys[0] = "=";
    const struct value *keys = value_key(schema, "x-kubernetes-list-map-keys");
    for (size_t i = 0; str_is(kind, "map") && i < value_count(keys) && i < COUNT_OF(rule.keys); i++)
        rule.keys[i] = str_c(arena, value_str(value_item(keys, i)));
    return rule;
}

static struct list_rule rule_of(struct arena *arena, struct place place)
{
    if (custom(place))
        return custom_rule(arena, place.schema);
    for (size_t i = 0; i < COUNT_OF(list_rules); i++)
        if (str_is(place.field, list_rules[i].field) &&
            (list_rules[i].kind == NULL || str_is(place.type->type.kind, list_rules[i].kind)))
            return list_rules[i];
    return atomic_list;
}

/* A map that is owned and replaced as a whole. */
static bool is_atomic(struct place place)
{
    if (custom(place))
        return str_is(value_str(value_key(place.schema, "x-kubernetes-map-type")), "atomic");
    for (size_t i = 0; i < COUNT_OF(atomic_maps); i++)
        if (str_is(place.field, atomic_maps[i]))
            return place.type->crd.len == 0;
    return false;
}

/* The name of an item in a set: k:{"name":"web"}, v:"x"; empty when it lacks its keys. */
static struct str item_name(struct arena *arena, const struct list_rule *rule, const struct value *item)
{
    struct value_map_builder keys = {0};
    if (str_is(str_of(rule->keys[0]), "="))
        return str_fmt(arena, "v:%.*s", STR_ARG(json_text(arena, item)));
    for (size_t i = 0; i < COUNT_OF(rule->keys) && rule->keys[i]; i++) {
        const struct value *key = value_key(item, rule->keys[i]);
        struct err ignored;
        if (key == NULL && rule->defaults[i] != NULL &&
            !json_parse(arena, str_of(rule->defaults[i]), NULL, &key, &ignored))
            return STR_NONE;
        if (key == NULL)
            return STR_NONE;
        value_put(arena, &keys, str_of(rule->keys[i]), key);
    }
    const struct value *sorted = value_sorted(arena, value_map_done(arena, &keys));
    return str_fmt(arena, "k:%.*s", STR_ARG(json_text(arena, sorted)));
}

static const struct value *item_find(struct arena *arena, const struct list_rule *rule,
                                     const struct value *list, struct str name)
{
    VALUE_EACH(it, list) {
        if (str_eq(item_name(arena, rule, it), name))
            return it;
    }
    return NULL;
}

static const struct value *nothing(struct arena *arena)
{
    return value_map_of(arena, NULL, 0);
}

static struct str field_name(struct arena *arena, struct str key)
{
    return str_fmt(arena, "f:%.*s", STR_ARG(key));
}

static const struct value *fields_of_list(struct arena *arena, struct place place, const struct value *list)
{
    struct list_rule rule = rule_of(arena, place);
    struct value_map_builder set = {0};
    for (size_t i = 0; rule.keys[0] && i < value_count(list); i++) {
        struct str name = item_name(arena, &rule, value_item(list, i));
        const struct value *fields = fields_of(arena, item(place), value_item(list, i));
        if (name.len && value_get(value_map_done(arena, &set), name) == NULL)
            value_put(arena, &set, name,
                      name.ptr[0] == 'v' ? nothing(arena)
                                         : value_with(arena, fields, STR("."), nothing(arena)));
    }
    return value_map_done(arena, &set);
}

const struct value *fields_of(struct arena *arena, struct place place, const struct value *object)
{
    if (value_is(object, VALUE_LIST))
        return fields_of_list(arena, place, object);
    struct value_map_builder set = {0};
    if (!is_atomic(place)) {
        MEMBER_EACH(member, object) {
            value_put(arena, &set, field_name(arena, member->key),
                      fields_of(arena, child(place, member->key), &member->value));
        }
    }
    return value_map_done(arena, &set);
}

/* Whether the set holds the thing itself, not only what is inside it. */
static bool itself(const struct value *node)
{
    return node != NULL && (value_count(node) == 0 || value_key(node, "."));
}

static const struct value *encode(struct arena *arena, bool self, const struct value_map_builder *inside)
{
    const struct value *node = value_map_done(arena, inside);
    if (inside->count == 0)
        return self ? node : NULL;
    return self ? value_with(arena, node, STR("."), nothing(arena)) : node;
}

const struct value *fields_join(struct arena *arena, const struct value *a, const struct value *b)
{
    struct value_map_builder inside = {0};
    if (a == NULL || b == NULL)
        return a ? a : b;
    MEMBER_EACH(member, a) {
        if (!str_is(member->key, "."))
            value_put(arena, &inside, member->key,
                      fields_join(arena, &member->value, value_get(b, member->key)));
    }
    MEMBER_EACH(member, b) {
        if (!str_is(member->key, ".") && value_get(a, member->key) == NULL)
            value_put(arena, &inside, member->key, &member->value);
    }
    return encode(arena, itself(a) || itself(b), &inside);
}

const struct value *fields_minus(struct arena *arena, const struct value *a, const struct value *b)
{
    struct value_map_builder inside = {0};
    if (a == NULL || b == NULL)
        return a;
    MEMBER_EACH(member, a) {
        if (str_is(member->key, "."))
            continue;
        const struct value *left = fields_minus(arena, &member->value, value_get(b, member->key));
        if (left != NULL)
            value_put(arena, &inside, member->key, left);
    }
    return encode(arena, itself(a) && !itself(b), &inside);
}

static const struct value *drop_items(struct arena *arena, struct place place, const struct value *list,
                                      const struct value *gone)
{
    struct list_rule rule = rule_of(arena, place);
    struct value_list_builder kept = {0};
    VALUE_EACH(it, list) {
        const struct value *node = rule.keys[0] ? value_get(gone, item_name(arena, &rule, it)) : NULL;
        const struct value *left = node == NULL   ? it
                                   : itself(node) ? NULL
                                                  : fields_drop(arena, item(place), it, node);
        if (left != NULL)
            value_push(arena, &kept, left);
    }
    return kept.count ? value_list_done(arena, &kept) : NULL;
}

const struct value *fields_drop(struct arena *arena, struct place place, const struct value *object,
                                const struct value *gone)
{
    struct value_map_builder kept = {0};
    if (gone == NULL)
        return object;
    if (value_is(object, VALUE_LIST))
        return drop_items(arena, place, object, gone);
    MEMBER_EACH(member, object) {
        const struct value *node = value_get(gone, field_name(arena, member->key));
        const struct value *left = node == NULL ? &member->value
                                   : itself(node)
                                       ? NULL
                                       : fields_drop(arena, child(place, member->key), &member->value, node);
        if (left != NULL)
            value_put(arena, &kept, member->key, left);
    }
    return kept.count || value_count(object) == 0 ? value_map_done(arena, &kept) : NULL;
}

/* Both orders survive: what only the live list has stays where it is, the applied ones keep theirs. */
static const struct value *merge_lists(struct arena *arena, struct place place, const struct list_rule *rule,
                                       const struct value *live, const struct value *applied)
{
    struct value_list_builder merged = {0};
    size_t l = 0, r = 0;
    while (l < value_count(live) || r < value_count(applied)) {
        const struct value *left = value_item(live, l), *right = value_item(applied, r);
        struct str left_name = left ? item_name(arena, rule, left) : STR_NONE;
        if (left != NULL && item_find(arena, rule, applied, left_name) == NULL) {
            value_push(arena, &merged, left);
            l++;
            continue;
        }
        if (right == NULL) { /* shared, and already written in its applied place */
            l++;
            continue;
        }
        const struct value *before = item_find(arena, rule, live, item_name(arena, rule, right));
        value_push(arena, &merged, fields_merge(arena, item(place), before, right));
        l += left != NULL;
        r++;
    }
    return value_list_done(arena, &merged);
}

const struct value *fields_merge(struct arena *arena, struct place place, const struct value *live,
                                 const struct value *applied)
{
    if (value_is(live, VALUE_LIST) && value_is(applied, VALUE_LIST)) {
        struct list_rule rule = rule_of(arena, place);
        return rule.keys[0] ? merge_lists(arena, place, &rule, live, applied) : applied;
    }
    if (!value_is(live, VALUE_MAP) || !value_is(applied, VALUE_MAP) || is_atomic(place))
        return applied;
    struct value_map_builder merged = {0};
    MEMBER_EACH(member, live) {
        const struct value *new = value_get(applied, member->key);
        value_put(arena, &merged, member->key,
                  new ? fields_merge(arena, child(place, member->key), &member->value, new) : &member->value);
    }
    MEMBER_EACH(member, applied) {
        if (value_get(live, member->key) == NULL)
            value_put(arena, &merged, member->key, &member->value);
    }
    return value_map_done(arena, &merged);
}

static const struct value *changed_items(struct arena *arena, struct place place,
                                         const struct list_rule *rule, const struct value *before,
                                         const struct value *now)
{
    struct value_map_builder set = {0};
    VALUE_EACH(it, now) {
        struct str name = item_name(arena, rule, it);
        const struct value *was = item_find(arena, rule, before, name);
        const struct value *node = fields_changed(arena, item(place), was, it);
        if (was == NULL && name.len && name.ptr[0] == 'k')
            node = value_with(arena, node, STR("."), nothing(arena));
        if (node != NULL && name.len && !value_get(value_map_done(arena, &set), name))
            value_put(arena, &set, name, node);
    }
    return set.count ? value_map_done(arena, &set) : NULL;
}

const struct value *fields_changed(struct arena *arena, struct place place, const struct value *before,
                                   const struct value *now)
{
    struct value_map_builder set = {0};
    if (value_equal(before, now))
        return NULL;
    if (before == NULL)
        return fields_of(arena, place, now);
    if (value_is(now, VALUE_LIST) && value_is(before, VALUE_LIST)) {
        struct list_rule rule = rule_of(arena, place);
        return rule.keys[0] ? changed_items(arena, place, &rule, before, now) : nothing(arena);
    }
    if (!value_is(now, VALUE_MAP) || !value_is(before, VALUE_MAP) || is_atomic(place))
        return nothing(arena);
    MEMBER_EACH(member, now) {
        const struct value *node =
            fields_changed(arena, child(place, member->key), value_get(before, member->key), &member->value);
        if (node != NULL)
            value_put(arena, &set, field_name(arena, member->key), node);
    }
    return set.count ? value_map_done(arena, &set) : NULL;
}

/* ".spec", "[name=\"web\"]", "[=\"x\"]": one step of an address as the API server prints it. */
static struct str step(struct arena *arena, struct str name)
{
    struct str rest = str_from(name, 2), text = STR("[");
    const struct value *keys;
    struct err ignored;
    if (name.ptr[0] == 'f')
        return str_fmt(arena, ".%.*s", STR_ARG(rest));
    if (name.ptr[0] == 'v' || !json_parse(arena, rest, NULL, &keys, &ignored))
        return str_fmt(arena, "[=%.*s]", STR_ARG(rest));
    MEMBER_EACH(key, keys) {
        text = str_fmt(arena, "%.*s%s%.*s=%.*s", STR_ARG(text), text.len > 1 ? "," : "", STR_ARG(key->key),
                       STR_ARG(json_text(arena, &key->value)));
    }
    return str_fmt(arena, "%.*s]", STR_ARG(text));
}

void fields_common(struct arena *arena, const struct value *set, const struct value *owned, struct str prefix,
                   struct str_list *paths)
{
    if (set == NULL || owned == NULL)
        return;
    if (prefix.len && itself(set) && itself(owned))
        *ARENA_PUSH(arena, paths) = prefix;
    MEMBER_EACH(member, set) {
        const struct value *other = value_get(owned, member->key);
        if (str_is(member->key, ".") || other == NULL || member->key.len < 2)
            continue;
        struct str at = step(arena, member->key);
        fields_common(arena, &member->value, other, str_fmt(arena, "%.*s%.*s", STR_ARG(prefix), STR_ARG(at)),
                      paths);
    }
}
