#include "tests/harness/generate.h"

#include <inttypes.h>
#include <string.h>

#include "core/base/diff.h"
#include "core/base/pointer.h"

enum { MAX_DEPTH = 9 };

/* splitmix64: every seed is as good as another. */
static uint64_t next_random(struct generator *g)
{
    uint64_t z = g->state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

uint64_t generate_number(struct generator *g, uint64_t below)
{
    return next_random(g) % below;
}

static bool chance(struct generator *g, unsigned percent)
{
    return generate_number(g, 100) < percent;
}

/* --- values --- */

static struct str word(struct generator *g)
{
    static const char *const words[] = {"alpha", "bravo", "kilo", "lima", "oscar", "tango", "x-ray", "zulu"};
    return str_fmt(g->arena, "%s-%" PRIu64, words[generate_number(g, COUNT_OF(words))],
                   generate_number(g, 100));
}

/* Texts that YAML readers like to take for something else. */
static struct str awkward_text(struct generator *g)
{
    static const char *const texts[] = {
        "yes",
        "0x1f",
        "1e3",
        "~",
        "2001-01-01",
        " leading",
        "trailing ",
        "a: b",
        "- item",
        "two\nlines",
        "ends\n\n",
        "#hash",
        "tab\there",
        "\"q\"",
        "é ü 😀",
        "null",
        "0755",
        "1_000",
        "true",
        "",
        "\\back\\",
        "{a: 1}",
        "%TAG",
        "@at",
        "\r\ncrlf",
        "*alias",
        "&anchor",
        "!tag",
        "| literal",
        "> folded",
        "?",
        "=",
        "-0",
        ".inf",
        "1:20",
        "---",
        "very "
        "long "
        "text that goes on and on and on and on "
        "until a line would have to be folded by somebody",
    };
    return str_of(texts[generate_number(g, COUNT_OF(texts))]);
}

/* What a field's name says of its text; the first that fits counts. "#" is a number: items of a list differ. */
static struct str text_for(struct generator *g, struct str key)
{
    static const struct {
        const char *glob, *text;
    } rows[] = {
        {"uid", "7d0f2b50-5c1d-4e54-9a6b-000000000001"},
        {"fieldPath", "metadata.name"},
        {"*ath", "/data/#"},
        {"subPath*", "sub/#"},
        {"host*IP", "192.0.2.#"},
        {"ip", "192.0.2.#"},
        {"*IP", "192.0.2.#"},
        {"*CIDR", "10.#.0.0/16"},
        {"cidr", "10.#.0.0/16"},
        {"image", "registry.example.com/team/app:1.2"},
        {"url", "https://example.com/#"},
        {"*PullPolicy", "IfNotPresent"},
        {"operator", "Exists"},
        {"expression", "true"},
        {"schedule", "*/5 * * * *"},
        {"timeZone", "Etc/UTC"},
        {"apiVersion", "v1"},
        {"externalName", "outside.example.com"},
        {"topologyKey", "kubernetes.io/hostname"},
        {"serverName", "server.example.com"},
        {"host", "host-#.example.com"},
        {"user", "somebody"},
        {"resource", "limits.cpu"},
        {"*key", "example.com/key-#"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (str_glob(str_of(rows[i].glob), key)) {
            struct str rest = str_of(rows[i].text), head = str_cut(&rest, '#');
            return head.len == strlen(rows[i].text) ? head
                                                    : str_fmt(g->arena, "%.*s%" PRIu64 "%.*s", STR_ARG(head),
                                                              generate_number(g, 250), STR_ARG(rest));
        }
    return word(g);
}

static bool holds_free_text(struct str key)
{
    static const struct str keys[] = {STR_INIT("value"),   STR_INIT("args"),        STR_INIT("command"),
                                      STR_INIT("message"), STR_INIT("description"), STR_INIT("data")};
    return str_in(key, keys, COUNT_OF(keys));
}

static const struct value *make_string(struct generator *g, struct str format, struct str key)
{
    if (str_is(format, "date-time"))
        return value_cstr(g->arena, "2026-01-02T03:04:05Z");
    if (str_is(format, "byte"))
        return value_cstr(g->arena, "AAECAwQ=");
    return value_string(g->arena, holds_free_text(key) && chance(g, 70) ? awkward_text(g) : text_for(g, key));
}

static const struct value *make_quantity(struct generator *g)
{
    static const char *const texts[] = {"100m", "1", "1Gi", "512Mi", "0.5", "1500M", "2k"};
    return value_cstr(g->arena, texts[generate_number(g, COUNT_OF(texts))]);
}

static const struct value *make_integer(struct generator *g, struct str key)
{
    bool port = str_ends(key, STR("ort")) || str_ends(key, STR("orts"));
    return value_int(g->arena, (int64_t)(port ? 1024 + generate_number(g, 20000) : generate_number(g, 12)));
}

static const struct value *make(struct generator *g, const struct value *schema, struct str key,
                                unsigned depth);

static bool is_required(const struct value *schema, struct str name)
{
    VALUE_EACH(required, value_key(schema, "required"))
        if (str_eq(value_str(required), name))
            return true;
    return false;
}

/* Items of a list are told apart by these; a server takes a list without them, and then refuses to apply it. */
static bool is_list_key(const struct value *keys, struct str name)
{
    VALUE_EACH(key, keys)
        if (str_eq(value_str(key), name))
            return true;
    return false;
}

static bool is_servers_own(struct str name)
{
    static const struct str names[] = {
        STR_INIT("managedFields"),     STR_INIT("ownerReferences"), STR_INIT("creationTimestamp"),
        STR_INIT("deletionTimestamp"), STR_INIT("resourceVersion"), STR_INIT("selfLink"),
        STR_INIT("generateName"),      STR_INIT("generation"),      STR_INIT("deletionGracePeriodSeconds")};
    return str_in(name, names, COUNT_OF(names));
}

/* `keys` of the list that the map is an item of; NULL elsewhere. */
static const struct value *make_map(struct generator *g, const struct value *schema, const struct value *keys,
                                    unsigned depth)
{
    struct value_map_builder map = {0};
    const struct value *others = value_key(schema, "additionalProperties");
    for (size_t i = 0, count = 1 + generate_number(g, 2); value_is(others, VALUE_MAP) && i < count; i++) {
        struct str key = str_fmt(g->arena, "%s%.*s-%zu", i ? "example.com/" : "", STR_ARG(word(g)), i);
        value_put(g->arena, &map, key, make(g, others, STR("value"), depth + 1));
    }
    MEMBER_EACH(property, value_key(schema, "properties")) {
        unsigned likely = depth < 4 ? 25 : depth < 6 ? 12 : 4;
        if (is_servers_own(property->key))
            continue;
        if (is_required(schema, property->key) || is_list_key(keys, property->key) ||
            (depth < MAX_DEPTH && chance(g, likely)))
            value_put(g->arena, &map, property->key, make(g, &property->value, property->key, depth + 1));
    }
    return value_map_done(g->arena, &map);
}

static const struct value *make_list(struct generator *g, const struct value *schema, struct str key,
                                     unsigned depth)
{
    struct value_list_builder list = {0};
    const struct value *keys = value_key(schema, "x-kubernetes-list-map-keys");
    const struct value *items = schemas_resolve(g->schemas, value_key(schema, "items"));
    for (size_t i = 0, count = 1 + generate_number(g, 2); i < count; i++)
        value_push(g->arena, &list,
                   keys ? make_map(g, items, keys, depth + 1) : make(g, items, key, depth + 1));
    return value_list_done(g->arena, &list);
}

static const struct value *make(struct generator *g, const struct value *schema, struct str key,
                                unsigned depth)
{
    schema = schemas_resolve(g->schemas, schema);
    const struct value *values = value_key(schema, "enum");
    struct str type = value_str(value_key(schema, "type")), format = value_str(value_key(schema, "format"));
    if (value_count(values) != 0)
        return value_item(values, generate_number(g, value_count(values)));
    if (str_is(format, "int-or-string"))
        return chance(g, 60) ? make_integer(g, key) : value_cstr(g->arena, "25%");
    if (value_key(schema, "oneOf") != NULL) /* what else is one of two: a quantity */
        return make_quantity(g);
    if (str_is(type, "boolean"))
        return value_bool(g->arena, chance(g, 50));
    if (str_is(type, "integer") || str_is(type, "number"))
        return make_integer(g, key);
    if (str_is(type, "array"))
        return make_list(g, schema, key, depth);
    return str_is(type, "object") ? make_map(g, schema, NULL, depth) : make_string(g, format, key);
}

/* --- growing --- */

/* Identity, what the server keeps for itself, and what would act on other objects: a default class or priority. */
static bool is_left_alone(struct str pointer)
{
    static const char *const globs[] = {
        "/apiVersion",          "/kind", "/status", "/globalDefault", "*/metadata/name*", "*/metadata/uid",
        "*/ephemeralContainers"};
    for (size_t i = 0; i < COUNT_OF(globs); i++)
        if (str_glob(str_of(globs[i]), pointer))
            return true;
    return is_servers_own(str_from(pointer, str_rfind(pointer, '/') + 1));
}

static const struct value *grow(struct generator *g, const struct value *schema, const struct value *value,
                                struct str pointer, unsigned depth);

static const struct value *grow_map(struct generator *g, const struct value *schema, const struct value *map,
                                    struct str pointer, unsigned depth)
{
    struct value_map_builder grown = {0};
    const struct value *properties = value_key(schema, "properties");
    MEMBER_EACH(member, map) {
        struct str at = pointer_child(g->arena, pointer, member->key);
        const struct value *below = value_get(properties, member->key);
        bool alone = is_left_alone(at) || below == NULL;
        value_put(g->arena, &grown, member->key,
                  alone ? &member->value : grow(g, below, &member->value, at, depth + 1));
    }
    MEMBER_EACH(property, properties) {
        struct str at = pointer_child(g->arena, pointer, property->key);
        if (value_get(map, property->key) == NULL && !is_left_alone(at) && chance(g, 18))
            value_put(g->arena, &grown, property->key, make(g, &property->value, property->key, depth + 1));
    }
    return value_map_done(g->arena, &grown);
}

static const struct value *grow(struct generator *g, const struct value *schema, const struct value *value,
                                struct str pointer, unsigned depth)
{
    schema = schemas_resolve(g->schemas, schema);
    if (value_is(value, VALUE_MAP))
        return grow_map(g, schema, value, pointer, depth);
    if (!value_is(value, VALUE_LIST))
        return value;
    struct value_list_builder list = {0};
    for (uint32_t i = 0; i < value->count; i++)
        value_push(g->arena, &list,
                   grow(g, value_key(schema, "items"), &value->items[i], pointer_index(g->arena, pointer, i),
                        depth + 1));
    return value_list_done(g->arena, &list);
}

const struct value *generate_grow(struct generator *g, const struct value *schema)
{
    return grow(g, schema, g->seedling, STR_NONE, 0);
}

/* --- taking back --- */

/* "spec.ports[0].name", "metadata.annotations[a.b/c]" as a pointer into `object`, as far as it leads. */
static struct str pointer_of_field(struct arena *arena, const struct value *object, struct str field)
{
    struct str pointer = STR_NONE;
    while (field.len != 0) {
        struct str token;
        if (field.ptr[0] == '[') {
            token = str_slice(field, 1, str_find(field, ']'));
            field = str_from(field, token.len + 2);
        } else {
            field = field.ptr[0] == '.' ? str_from(field, 1) : field;
            size_t end = str_find(field, '.'), bracket = str_find(field, '[');
            token = str_slice(field, 0, end < bracket ? end : bracket);
            field = str_from(field, token.len);
        }
        struct str next = pointer_child(arena, pointer, token);
        if (pointer_get(object, next) == NULL)
            break;
        pointer = next;
    }
    return pointer;
}

/* Without what stands at the pointer, unless the seedling has it: then `object` itself. */
static const struct value *take_back(struct generator *g, const struct value *object, struct str pointer)
{
    const struct value *left = object;
    struct err ignored;
    if (pointer.len == 0 || pointer_get(g->seedling, pointer) != NULL ||
        !pointer_remove(g->arena, object, pointer, &left, &ignored))
        return object;
    return left;
}

/* The same with the nearest thing at or above the pointer that was grown. */
static const struct value *take_back_above(struct generator *g, const struct value *object,
                                           struct str pointer)
{
    const struct value *left = object;
    while (pointer.len != 0 && (left = take_back(g, object, pointer)) == object)
        pointer = str_slice(pointer, 0, str_rfind(pointer, '/'));
    return left;
}

static const struct value *take_back_half(struct generator *g, const struct value *object)
{
    struct diff_list grown = {0};
    diff_values(g->arena, g->seedling, object, &grown);
    for (size_t i = grown.count; i > 0; i--)
        if (grown.count < 3 || chance(g, 50))
            object = take_back(g, object, grown.items[i - 1].pointer);
    return object;
}

const struct value *generate_repair(struct generator *g, const struct value *object,
                                    const struct value *status)
{
    const struct value *left = object;
    VALUE_EACH(cause, value_in(status, PATH("details", "causes"))) {
        struct str pointer = pointer_of_field(g->arena, left, value_str(value_key(cause, "field")));
        left = take_back_above(g, left, pointer);
    }
    return left != object ? left : take_back_half(g, object);
}
