/* Where the values of known Secrets stand again. Each value is searched for as it is and in base64, at each of the three
 * ways in which it can lie inside a longer encoded text. All are found in one pass: eight bytes from about the middle of
 * every pattern, its anchor, are in a hash table, before it a bit map that most places of a text do not pass. The middle,
 * since values of a kind (keys in PEM, settings in JSON) begin and end alike.
 *
 * No byte of a value is kept. What passes the table is hashed, and that hash decides. */
#include <ctype.h>
#include <string.h>

#include "core/base/base64.h"
#include "core/base/json.h"
#include "core/base/sha256.h"
#include "core/secrets/leak.h"
#include "core/secrets/select.h"

enum { HEAD = 8, SURE = 12, LONG = 16, MAX_VALUE = 1 << 20, MAX_LINES = 2000 };
enum { HASHED_MOST = 64 << 20 }; /* bytes for one text; ordinary ones need hardly more than their values */
enum { HASH_BITS = 24, LEAST_MAP_BITS = 16, MAP_BITS_PER_PATTERN = 16, SUM = 16 };

struct pattern {
    uint8_t sum[SUM];     /* half of its SHA-256 */
    struct pattern *next; /* of all; once sealed, of the same slot */
    const struct leak_hit *who;
    uint32_t hash, mark; /* of the anchor; of the anchor and the head */
    uint32_t anchor;     /* where it begins */
    uint32_t len : 31, encoded : 1;
};

struct leak_index {
    struct arena *arena;
    struct pattern *all, **end;
    size_t count;
    struct pattern **slots;
    size_t slot_count;
    uint64_t *map;
    size_t map_mask;
    size_t reach; /* the furthest anchor */
};

struct gathering {
    struct arena *scratch;
    struct leak_index *index;
    const struct resource *secret;
    struct str key;
    struct leak_hit *who; /* the key of the Secret, whatever part of its value is meant; NULL: not told yet */
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

static uint64_t word_at(const char *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

static uint32_t hash_of(uint64_t word)
{
    return (uint32_t)((word * 0x9E3779B97F4A7C15u) >> (64 - HASH_BITS));
}

static uint32_t mark_of(uint64_t anchor, uint64_t head)
{
    uint64_t mixed = (anchor ^ head >> 29) * 0xD6E8FEB86659FD93u + head;
    return (uint32_t)((mixed * 0x9E3779B97F4A7C15u) >> 32);
}

static size_t distinct_bytes(const char *bytes)
{
    size_t count = 0;
    for (size_t i = 0; i < HEAD; i++)
        count += memchr(bytes, bytes[i], i) == NULL;
    return count;
}

/* Near the middle; blanks and rows of dashes stand in every other text. */
static size_t anchor_of(struct str text)
{
    enum { TRIED = 64 };
    size_t best = (text.len - HEAD) / 2, most = 0;
    for (size_t at = best, i = 0; i < TRIED && at + HEAD <= text.len && most < HEAD; at++, i++) {
        size_t distinct = distinct_bytes(text.ptr + at);
        if (distinct > most) {
            most = distinct;
            best = at;
        }
    }
    return best;
}

static void sum_of(struct str text, uint8_t *ret_sum)
{
    struct sha256 sum = sha256_of(text);
    memcpy(ret_sum, sum.bytes, SUM);
}

static const struct leak_hit *teller(struct gathering *g)
{
    struct arena *arena = g->index->arena;
    if (g->who == NULL) {
        g->who = ARENA_NEW(arena, struct leak_hit);
        *g->who = (struct leak_hit){str_dup(arena, g->secret->namespace), str_dup(arena, g->secret->name),
                                    str_dup(arena, g->key), false};
    }
    return g->who;
}

static void add_pattern(struct gathering *g, struct str text, bool encoded)
{
    struct leak_index *index = g->index;
    if (text.len < HEAD)
        return;
    size_t at = anchor_of(text);
    uint64_t anchor = word_at(text.ptr + at);
    struct pattern *pattern = ARENA_NEW(index->arena, struct pattern);
    *pattern = (struct pattern){.who = teller(g),
                                .hash = hash_of(anchor),
                                .mark = mark_of(anchor, word_at(text.ptr)),
                                .anchor = (uint32_t)at,
                                .len = (uint32_t)text.len & INT32_MAX,
                                .encoded = encoded};
    sum_of(text, pattern->sum);
    *index->end = pattern;
    index->end = &pattern->next;
    index->count++;
    index->reach = at > index->reach ? at : index->reach;
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
        add_pattern(g, encoded_at(g->scratch, value, before), true);
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
    const struct value *parsed;
    struct err ignored;
    struct str value = str_trim(entry->value);
    g->key = entry->key;
    g->who = NULL;
    add_value(g, entry->key, value);
    if (value.len > MAX_VALUE || !str_is_utf8(value))
        return;
    if (str_starts(value, STR("{")) && json_parse(g->scratch, value, NULL, &parsed, &ignored))
        add_json(g, entry->key, parsed);
    else if (str_find(value, '\n') < value.len || str_find(value, '=') < value.len)
        add_lines(g, value);
}

struct leak_index *leak_index_new(struct arena *arena)
{
    struct leak_index *index = ARENA_NEW(arena, struct leak_index);
    index->arena = arena;
    index->end = &index->all;
    return index;
}

void leak_index_add(struct leak_index *index, const struct resource *secret)
{
    struct secret_entries entries;
    struct err ignored;
    if (!resource_is(secret, "", "Secret") || str_is(secrets_type(secret->object), "helm.sh/release.v1"))
        return;
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    struct gathering g = {.scratch = scratch, .index = index, .secret = secret};
    if (!secrets_entries(scratch, secret->object, &entries, &ignored))
        return;
    for (size_t i = 0; i < entries.count; i++)
        add_entry(&g, &entries.items[i]);
}

/* ---- the table ---- */

/* What was added last comes first in its slot. */
static void enter(struct leak_index *index, struct pattern *pattern)
{
    size_t bit = pattern->hash & index->map_mask;
    struct pattern **slot = &index->slots[pattern->hash % index->slot_count];
    index->map[bit / 64] |= (uint64_t)1 << bit % 64;
    pattern->next = *slot;
    *slot = pattern;
}

const struct leak_index *leak_index_seal(struct leak_index *index)
{
    size_t bits = LEAST_MAP_BITS;
    if (index->count == 0)
        return NULL;
    while (bits < HASH_BITS && (size_t)1 << bits < MAP_BITS_PER_PATTERN * index->count)
        bits++;
    index->map_mask = ((size_t)1 << bits) - 1;
    index->map = ARENA_ARRAY(index->arena, uint64_t, ((size_t)1 << bits) / 64);
    index->slot_count = index->count + 1;
    index->slots = ARENA_ARRAY(index->arena, struct pattern *, index->slot_count);
    for (struct pattern *pattern = index->all, *next; pattern != NULL; pattern = next) {
        next = pattern->next;
        enter(index, pattern);
    }
    index->all = NULL;
    return index;
}

/* A short value inside a longer word is that word's own business. */
static bool stands_alone(struct str text, size_t at, const struct pattern *pattern)
{
    size_t end = at + pattern->len;
    if (pattern->encoded || pattern->len >= SURE)
        return true;
    return (at == 0 || !isalnum((unsigned char)text.ptr[at - 1])) &&
           (end == text.len || !isalnum((unsigned char)text.ptr[end]));
}

/* A text that seems to hold a value over and over, and never does, was made to. Hashing all of it would take for ever; past
 * the bound it is taken to hold it. */
static bool stands_at(const struct pattern *pattern, struct str text, size_t at, uint64_t anchor,
                      size_t *hashed)
{
    if (at + pattern->len > text.len || pattern->mark != mark_of(anchor, word_at(text.ptr + at)) ||
        !stands_alone(text, at, pattern))
        return false;
    uint8_t sum[SUM];
    *hashed += pattern->len;
    if (*hashed > HASHED_MOST)
        return true;
    sum_of(str_slice(text, at, at + pattern->len), sum);
    return memcmp(sum, pattern->sum, SUM) == 0;
}

struct found {
    const struct pattern *pattern;
    size_t at;
    size_t hashed; /* bytes so far */
};

/* What begins first, and of that the longest. */
static bool is_better(const struct found *found, const struct pattern *pattern, size_t at)
{
    return found->pattern == NULL || at < found->at ||
           (at == found->at && pattern->len > found->pattern->len);
}

static void look_up(const struct leak_index *index, struct str text, size_t at, uint64_t anchor,
                    struct found *found)
{
    uint32_t hash = hash_of(anchor);
    for (const struct pattern *pattern = index->slots[hash % index->slot_count]; pattern != NULL;
         pattern = pattern->next)
        if (pattern->hash == hash && pattern->anchor <= at &&
            is_better(found, pattern, at - pattern->anchor) &&
            stands_at(pattern, text, at - pattern->anchor, anchor, &found->hashed))
            *found = (struct found){pattern, at - pattern->anchor, found->hashed};
}

bool leak_find(const struct leak_index *index, struct str text, struct leak_hit *ret_hit)
{
    struct found found = {0};
    if (index == NULL || text.len < HEAD)
        return false;
    for (size_t at = 0; at + HEAD <= text.len; at++) {
        uint64_t anchor = word_at(text.ptr + at);
        size_t bit = hash_of(anchor) & index->map_mask;
        if (!(index->map[bit / 64] >> bit % 64 & 1))
            continue;
        if (found.pattern != NULL && at > found.at + index->reach)
            break; /* what begins earlier would have been met */
        look_up(index, text, at, anchor, &found);
    }
    if (found.pattern == NULL)
        return false;
    *ret_hit = *found.pattern->who;
    ret_hit->encoded = found.pattern->encoded;
    return true;
}
