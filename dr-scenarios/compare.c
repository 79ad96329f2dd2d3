#include "dr-scenarios/compare.h"

#include <string.h>

#include "core/base/json.h"
#include "core/base/pointer.h"
#include "core/kube/quantity.h"

enum { MAX_DIFFERENCES = 10000, MAX_SHOWN = 120 };

struct comparison {
    struct arena *arena;
    struct compare_result *result;
    const struct resource *declared;
};

/* What identifies the items of a list, in the order of preference. */
static const char *const item_keys[] = {"name",        "mountPath", "devicePath", "containerPort", "key",
                                        "topologyKey", "type",      "ip",         "port",          "uid"};
/* Lists in which the cluster may add items although they have no name. */
static const char *const open_lists[] = {"tolerations", "finalizers", "ownerReferences", "imagePullSecrets",
                                         "secrets"};
/* Maps that mean nothing when empty: the API server drops them. */
static const char *const hollow_maps[] = {
    "labels",   "annotations", "data",         "binaryData", "matchLabels", "resources", "limits",
    "requests", "parameters",  "nodeSelector", "metadata",   "status",      "stringData"};
/* Fields whose texts are amounts. */
static const char *const amounts[] = {
    "requests",     "limits", "hard",     "capacity",       "sizeLimit",
    "default",      "max",    "min",      "defaultRequest", "divisor",
    "averageValue", "value",  "overhead", "storage",        "maxLimitRequestRatio"};
/* Fields of metadata that belong to the cluster, not to whoever declared it. */
static const char *const bookkeeping[] = {"name",
                                          "namespace",
                                          "uid",
                                          "resourceVersion",
                                          "generation",
                                          "creationTimestamp",
                                          "managedFields",
                                          "selfLink",
                                          "ownerReferences",
                                          "generateName"};

static bool among(struct str text, const char *const *set, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (str_is(text, set[i]))
            return true;
    return false;
}

static struct str last_key(struct str pointer)
{
    size_t slash = str_rfind(pointer, '/');
    return slash < pointer.len ? str_from(pointer, slash + 1) : pointer;
}

static bool is_secret(const struct resource *resource)
{
    return str_is(resource->kind, "Secret") && resource_group(resource).len == 0;
}

static void note(struct comparison *c, struct str pointer, const struct value *want, const struct value *have)
{
    bool hide = is_secret(c->declared);
    if (c->result->count < MAX_DIFFERENCES)
        *ARENA_PUSH(c->arena, c->result) =
            (struct compare_difference){c->declared, false, pointer, hide ? NULL : want, hide ? NULL : have};
}

static bool same_amount(struct str pointer, const struct value *want, const struct value *have)
{
    double a, b;
    struct str rest = pointer;
    bool amount = false;
    while (rest.len && !amount)
        amount = among(str_cut(&rest, '/'), amounts, COUNT_OF(amounts));
    return amount && quantity_of(want, &a) && quantity_of(have, &b) && !(a < b) && !(b < a);
}

static bool same_number(const struct value *want, const struct value *have)
{
    double a, b;
    return value_is(want, VALUE_NUMBER) && value_is(have, VALUE_NUMBER) &&
           quantity_parse(value_text(want), &a) && quantity_parse(value_text(have), &b) && !(a < b) &&
           !(b < a);
}

/* Line breaks inside base64 are not part of it, and the API server writes none. */
static bool same_base64(struct str want, struct str have)
{
    size_t w = 0, h = 0;
    for (; w < want.len; w++) {
        if (want.ptr[w] == '\n' || want.ptr[w] == '\r' || want.ptr[w] == ' ')
            continue;
        if (h == have.len || have.ptr[h++] != want.ptr[w])
            return false;
    }
    return h == have.len;
}

static bool is_base64_field(const struct comparison *c, struct str pointer)
{
    return (is_secret(c->declared) && str_starts(pointer, STR("/data/"))) ||
           str_starts(pointer, STR("/binaryData/")) || str_is(last_key(pointer), "caBundle");
}

static bool same_scalar(const struct comparison *c, struct str pointer, const struct value *want,
                        const struct value *have)
{
    bool number_and_text = (value_is(want, VALUE_NUMBER) && value_is(have, VALUE_STRING)) ||
                           (value_is(want, VALUE_STRING) && value_is(have, VALUE_NUMBER));
    return value_equal(want, have) || same_amount(pointer, want, have) || same_number(want, have) ||
           (number_and_text && str_eq(value_text(want), value_text(have))) ||
           (is_base64_field(c, pointer) && same_base64(value_str(want), value_str(have)));
}

/* Nothing was asked for, and nothing is there. */
static bool is_hollow(struct str pointer, const struct value *want)
{
    if (value_is(want, VALUE_NULL) || (value_is(want, VALUE_LIST) && value_count(want) == 0))
        return true;
    return value_is(want, VALUE_MAP) && value_count(want) == 0 &&
           among(last_key(pointer), hollow_maps, COUNT_OF(hollow_maps));
}

static void compare(struct comparison *c, struct str pointer, const struct value *want,
                    const struct value *have);

/* Items of a list by the text of `key`; NULL when none has it. */
static const struct value *item_with(const struct value *list, const char *key, struct str text)
{
    VALUE_EACH(item, list) {
        if (str_eq(value_text(value_key(item, key)), text))
            return item;
    }
    return NULL;
}

/* The key that every item has and no two share; NULL when there is none. */
static const char *key_of(const struct value *list)
{
    for (size_t k = 0; k < COUNT_OF(item_keys); k++) {
        bool fits = value_count(list) > 0;
        for (size_t i = 0; fits && i < value_count(list); i++) {
            const struct value *item = value_item(list, i);
            struct str text = value_text(value_key(item, item_keys[k]));
            fits = text.len && item_with(list, item_keys[k], text) == item;
        }
        if (fits)
            return item_keys[k];
    }
    return NULL;
}

static bool contains(const struct value *list, const struct value *wanted)
{
    VALUE_EACH(item, list) {
        if (value_equal(item, wanted))
            return true;
    }
    return false;
}

static void compare_lists(struct comparison *c, struct str pointer, const struct value *want,
                          const struct value *have)
{
    const char *key = key_of(want);
    bool open = among(last_key(pointer), open_lists, COUNT_OF(open_lists));
    if (key != NULL && key_of(have) == NULL && value_count(have) > 0)
        key = NULL; /* the cluster's items do not tell themselves apart by it */
    if (key == NULL && !open && value_count(want) != value_count(have)) {
        note(c, pointer, want, have);
        return;
    }
    for (size_t i = 0; i < value_count(want); i++) {
        const struct value *item = value_item(want, i);
        struct str at = pointer_index(c->arena, pointer, i);
        if (key != NULL)
            compare(c, at, item, item_with(have, key, value_text(value_key(item, key))));
        else if (!open || !contains(have, item))
            compare(c, at, item, value_item(have, i));
    }
}

static void compare_maps(struct comparison *c, struct str pointer, const struct value *want,
                         const struct value *have)
{
    bool meta = str_is(pointer, "/metadata");
    MEMBER_EACH(member, want) {
        if (meta && among(member->key, bookkeeping, COUNT_OF(bookkeeping)))
            continue;
        compare(c, pointer_child(c->arena, pointer, member->key), &member->value,
                value_get(have, member->key));
    }
}

static void compare(struct comparison *c, struct str pointer, const struct value *want,
                    const struct value *have)
{
    if (have == NULL || value_is(have, VALUE_NULL)) {
        if (!is_hollow(pointer, want))
            note(c, pointer, want, NULL);
    } else if (value_is(want, VALUE_MAP) && value_is(have, VALUE_MAP)) {
        compare_maps(c, pointer, want, have);
    } else if (value_is(want, VALUE_LIST) && value_is(have, VALUE_LIST)) {
        compare_lists(c, pointer, want, have);
    } else if (!same_scalar(c, pointer, want, have)) {
        note(c, pointer, want, have);
    }
}

/* What is written to an object and comes back elsewhere, or is the cluster's own afterwards. */
static bool is_passed_over(const struct resource *declared, struct str key)
{
    bool aggregated = str_is(declared->kind, "ClusterRole") &&
                      value_key(declared->object, "aggregationRule") && str_is(key, "rules");
    return str_is(key, "apiVersion") || str_is(key, "kind") || str_is(key, "status") || aggregated;
}

static void compare_object(struct comparison *c, const struct value *live)
{
    MEMBER_EACH(member, c->declared->object) {
        const struct value *have = value_get(live, member->key);
        if (is_secret(c->declared) && str_is(member->key, "stringData")) {
            MEMBER_EACH(text, &member->value) {
                if (value_get(value_key(live, "data"), text->key) == NULL)
                    note(c, pointer_child(c->arena, STR("/stringData"), text->key), NULL, NULL);
            }
        } else if (!is_passed_over(c->declared, member->key)) {
            compare(c, pointer_child(c->arena, STR_NONE, member->key), &member->value, have);
        }
    }
}

/* Namespaced objects that name no namespace are in `default`. */
static const struct resource *live_of(const struct bundle *live, const struct resource *declared)
{
    struct str group = resource_group(declared);
    const struct resource *found =
        bundle_find(live, group, declared->kind, declared->namespace, declared->name);
    if (found == NULL && declared->namespace.len == 0)
        found = bundle_find(live, group, declared->kind, STR("default"), declared->name);
    return found;
}

void compare_bundles(struct arena *arena, const struct bundle *declared, const struct bundle *live,
                     struct compare_result *ret_result)
{
    struct comparison c = {.arena = arena, .result = ret_result};
    *ret_result = (struct compare_result){.objects = declared->count};
    for (size_t i = 0; i < declared->count; i++) {
        c.declared = &declared->items[i];
        const struct resource *found = live_of(live, c.declared);
        size_t before = ret_result->count;
        if (found == NULL) {
            ret_result->missing++;
            if (ret_result->count < MAX_DIFFERENCES)
                *ARENA_PUSH(arena, ret_result) =
                    (struct compare_difference){.declared = c.declared, .missing = true};
            continue;
        }
        compare_object(&c, found->object);
        ret_result->different += ret_result->count > before;
    }
}

static struct str shown(struct arena *arena, const struct value *value)
{
    struct str text = value ? json_text(arena, value) : STR("nothing");
    return text.len <= MAX_SHOWN ? text : str_fmt(arena, "%.*s…", MAX_SHOWN, text.ptr);
}

static struct str explain(struct arena *arena, const struct compare_difference *difference)
{
    if (difference->missing)
        return STR("declared, and not in the rebuilt cluster");
    if (is_secret(difference->declared))
        return STR("not as declared (values of Secrets are not shown)");
    return str_fmt(arena, "declared %.*s, the rebuilt cluster has %.*s",
                   STR_ARG(shown(arena, difference->want)), STR_ARG(shown(arena, difference->have)));
}

struct finding compare_finding(struct arena *arena, const struct compare_difference *difference)
{
    const struct resource *declared = difference->declared;
    bool missing = difference->missing;
    struct finding finding =
        finding_about(arena, declared, missing ? "drill.missing-object" : "drill.field-differs",
                      SEVERITY_ERROR, explain(arena, difference),
                      missing ? "see why it was not restored, or take it out of the repository"
                              : "declare what the cluster makes of it, or see who changed it");
    if (!missing)
        finding.path = pointer_dotted(arena, difference->pointer);
    return finding;
}
