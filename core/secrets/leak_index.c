/* Where the values of known Secrets stand again. Each value is searched for as it is and in base64, at each of the three
 * ways in which it can lie inside a longer encoded text. All are found in one pass: the first eight bytes of every
 * pattern are in a hash table, before it a bit map that most places of a text do not pass. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/base64.h"
#include "core/base/json.h"
#include "core/secrets/leak.h"
#include "core/secrets/select.h"

enum { HEAD = 8, SURE = 12, LONG = 16, MAP_BITS = 16, MAX_VALUE = 1 << 20, MAX_LINES = 2000 };

struct pattern {
    struct str text;
    struct leak_hit hit;
    uint64_t head;
    size_t next; /* of the same slot, plus one; 0: the last */
};

struct leak_index {
    struct pattern *items;
    size_t count, cap;
    size_t *slots; /* index into items, plus one */
    size_t slot_count;
    uint64_t map[(1 << MAP_BITS) / 64];
};

struct gathering {
    struct arena *arena;
    struct leak_index *index;
    const struct resource *secret;
    struct str key; /* of the Secret, whatever part of its value is meant */
};

/* ---- which values ---- */

/* Keys under which things stand that everybody may know. */
static bool is_open_key(struct str key)
{
    static const char *const known[] = {
        "user",   "username",  "login",  "host",   "hostname", "port",    "database", "dbname",
        "db",     "url",       "uri",    "server", "endpoint", "address", "region",   "bucket",
        "type",   "namespace", "name",   "email",  "ca.crt",   "tls.crt", "ca",       "ca_bundle",
        "ca.pem", "realm",     "domain", "issuer", "scheme",   "config",  "age.pub",  "ssh-publickey"};
    for (size_t i = 0; i < COUNT_OF(known); i++)
        if (str_eq_nocase(key, str_of(known[i])))
            return true;
    return false;
}

struct looks {
    size_t distinct, classes;
    bool only_lower;
};

static struct looks looks_of(struct str value)
{
    bool seen[256] = {false}, lower = false, upper = false, digit = false, other = false;
    struct looks looks = {.only_lower = true};
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.ptr[i];
        looks.distinct += !seen[c];
        seen[c] = true;
        lower = lower || islower(c);
        upper = upper || isupper(c);
        digit = digit || isdigit(c);
        other = other || !isalnum(c);
        looks.only_lower = looks.only_lower && islower(c);
    }
    looks.classes = (size_t)lower + upper + digit + other;
    return looks;
}

/* A certificate is there to be shown. */
static bool is_certificate(struct str value)
{
    return str_starts(value, STR("-----BEGIN CERTIFICATE")) && !str_contains(value, STR("PRIVATE KEY"));
}

/* Whether finding the value elsewhere says something: "admin" under "user" does not. */
static bool is_telling(struct str name, struct str value)
{
    if (value.len < HEAD || value.len > MAX_VALUE || is_certificate(value))
        return false;
    if (leak_form(value) != NULL)
        return true;
    struct looks looks = looks_of(value);
    if (is_open_key(name) || looks.distinct < 4)
        return false;
    if (leak_name(name))
        return value.len >= SURE || !looks.only_lower;
    return value.len >= LONG && looks.classes >= 3 && looks.distinct >= LONG / 2;
}

/* ---- gathering ---- */

static void add_pattern(struct gathering *g, struct str text, bool encoded)
{
    if (text.len < HEAD)
        return;
    struct pattern *pattern = ARENA_PUSH(g->arena, g->index);
    *pattern = (struct pattern){.text = text, .hit = {g->secret, g->key, encoded}};
    memcpy(&pattern->head, text.ptr, HEAD);
}

/* The characters of base64 that the value alone decides when `before` bytes precede it. */
static struct str encoded_at(struct arena *arena, struct str value, size_t before)
{
    static const size_t skipped[] = {0, 2, 3};
    char *bytes = arena_alloc(arena, before + value.len);
    memcpy(bytes + before, value.ptr, value.len);
    struct str text = base64_encode(arena, (struct str){bytes, before + value.len}, BASE64_STANDARD);
    return str_slice(text, skipped[before], (before + value.len) * 8 / 6);
}

static void add_value(struct gathering *g, struct str name, struct str value)
{
    if (!is_telling(name, value))
        return;
    add_pattern(g, value, false);
    for (size_t before = 0; before < 3; before++)
        add_pattern(g, encoded_at(g->arena, value, before), true);
}

static void add_json(struct gathering *g, struct str name, const struct value *value)
{
    MEMBER_EACH(member, value)
        add_json(g, member->key, &member->value);
    VALUE_EACH(item, value)
        add_json(g, name, item);
    if (value_is(value, VALUE_STRING) && leak_name(name))
        add_value(g, name, value_str(value));
}

/* Lines "name = value" or "name: value" of a settings file. */
static void add_lines(struct gathering *g, struct str text)
{
    for (size_t i = 0; text.len != 0 && i < MAX_LINES; i++) {
        struct str value = str_trim(str_cut(&text, '\n'));
        size_t equals = str_find(value, '='), colon = str_find(value, ':');
        struct str name = str_trim(str_cut(&value, equals < colon ? '=' : ':'));
        value = str_trim(value);
        if (value.len >= 2 && (value.ptr[0] == '"' || value.ptr[0] == '\'') &&
            value.ptr[value.len - 1] == value.ptr[0])
            value = str_slice(value, 1, value.len - 1);
        if (leak_name(name))
            add_value(g, name, value);
    }
}

static void add_entry(struct gathering *g, const struct secret_entry *entry)
{
    struct arena *arena = g->arena;
    const struct value *parsed;
    struct err ignored;
    struct str value = str_trim(entry->value);
    g->key = entry->key;
    add_value(g, entry->key, value);
    if (value.len > MAX_VALUE || !str_is_utf8(value))
        return;
    if (str_starts(value, STR("{")) && json_parse(arena, value, NULL, &parsed, &ignored))
        add_json(g, entry->key, parsed);
    else if (str_find(value, '\n') < value.len || str_find(value, '=') < value.len)
        add_lines(g, value);
}

/* ---- the table ---- */

static size_t hash_of(uint64_t head)
{
    return (size_t)((head * 0x9E3779B97F4A7C15u) >> 40);
}

static void enter(struct leak_index *index, size_t at)
{
    struct pattern *pattern = &index->items[at];
    size_t hash = hash_of(pattern->head), bit = hash & ((1 << MAP_BITS) - 1);
    size_t *slot = &index->slots[hash % index->slot_count];
    index->map[bit / 64] |= (uint64_t)1 << bit % 64;
    pattern->next = *slot;
    *slot = at + 1;
}

const struct leak_index *leak_index_of(struct arena *arena, const struct bundle *bundle)
{
    struct gathering g = {.arena = arena, .index = ARENA_NEW(arena, struct leak_index)};
    for (size_t i = 0; i < bundle->count; i++) {
        struct secret_entries entries;
        struct err ignored;
        g.secret = &bundle->items[i];
        if (!resource_is(g.secret, "", "Secret") ||
            str_is(secrets_type(g.secret->object), "helm.sh/release.v1") ||
            !secrets_entries(arena, g.secret->object, &entries, &ignored))
            continue;
        for (size_t j = 0; j < entries.count; j++)
            add_entry(&g, &entries.items[j]);
    }
    if (g.index->count == 0)
        return NULL;
    g.index->slot_count = 2 * g.index->count + 1;
    g.index->slots = ARENA_ARRAY(arena, size_t, g.index->slot_count);
    for (size_t i = 0; i < g.index->count; i++)
        enter(g.index, i);
    return g.index;
}

/* A short value inside a longer word is that word's own business. */
static bool stands_alone(struct str text, size_t at, const struct pattern *pattern)
{
    size_t end = at + pattern->text.len;
    if (pattern->hit.encoded || pattern->text.len >= SURE)
        return true;
    return (at == 0 || !isalnum((unsigned char)text.ptr[at - 1])) &&
           (end == text.len || !isalnum((unsigned char)text.ptr[end]));
}

static const struct pattern *match_at(const struct leak_index *index, struct str text, size_t at,
                                      uint64_t head)
{
    for (size_t i = index->slots[hash_of(head) % index->slot_count]; i != 0; i = index->items[i - 1].next) {
        const struct pattern *pattern = &index->items[i - 1];
        if (pattern->head == head && str_starts(str_from(text, at), pattern->text) &&
            stands_alone(text, at, pattern))
            return pattern;
    }
    return NULL;
}

bool leak_find(const struct leak_index *index, struct str text, struct leak_hit *ret_hit)
{
    if (index == NULL || text.len < HEAD)
        return false;
    for (size_t at = 0; at + HEAD <= text.len; at++) {
        uint64_t head;
        memcpy(&head, text.ptr + at, HEAD);
        size_t bit = hash_of(head) & ((1 << MAP_BITS) - 1);
        if (!(index->map[bit / 64] >> bit % 64 & 1))
            continue;
        const struct pattern *pattern = match_at(index, text, at, head);
        if (pattern != NULL) {
            *ret_hit = pattern->hit;
            return true;
        }
    }
    return false;
}
