/* state.c — objects, and every version they had since the last compaction, as etcd keeps them. */
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "dr-scenarios/sandbox/intern.h"

struct str state_key(struct arena *arena, struct str namespace, struct str name)
{
    return namespace.len ? str_fmt(arena, "%.*s/%.*s", STR_ARG(namespace), STR_ARG(name)) : name;
}

/* Index of `key`, or of the place where it belongs. */
static size_t position(const struct storage *storage, struct str key)
{
    size_t from = 0, to = storage->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (str_cmp(storage->items[middle]->key, key) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

struct entry *state_find(const struct storage *storage, struct str key)
{
    size_t at = position(storage, key);
    return at < storage->count && str_eq(storage->items[at]->key, key) ? storage->items[at] : NULL;
}

const struct value *state_at(const struct entry *entry, uint64_t rv)
{
    for (size_t i = entry->count; i-- > 0;)
        if (entry->items[i].rv <= rv)
            return entry->items[i].object;
    return NULL;
}

const struct value *state_get(const struct served *type, struct str namespace, struct str name)
{
    char text[640];
    int len = namespace.len ? snprintf(text, sizeof text, "%.*s/%.*s", STR_ARG(namespace), STR_ARG(name))
                            : snprintf(text, sizeof text, "%.*s", STR_ARG(name));
    if (len < 0 || (size_t)len >= sizeof text)
        return NULL;
    const struct entry *entry = state_find(type->storage, (struct str){text, (size_t)len});
    return entry ? state_at(entry, UINT64_MAX) : NULL;
}

static struct entry *entry_for(struct sandbox *sandbox, struct storage *storage, struct str namespace,
                               struct str name)
{
    struct arena *arena = sandbox->arena;
    struct str key = state_key(arena, namespace, name);
    size_t at = position(storage, key);
    if (at < storage->count && str_eq(storage->items[at]->key, key))
        return storage->items[at];
    struct entry *entry = ARENA_NEW(arena, struct entry);
    entry->key = str_dup(arena, key);
    entry->namespace = str_dup(arena, namespace);
    entry->name = str_dup(arena, name);
    (void)ARENA_PUSH(arena, storage);
    memmove(&storage->items[at + 1], &storage->items[at], (storage->count - 1 - at) * sizeof entry);
    storage->items[at] = entry;
    return entry;
}

static void add_version(struct sandbox *sandbox, struct entry *entry, const struct value *object)
{
    bool was = entry->count && entry->items[entry->count - 1].object;
    sandbox->objects += (object != NULL) - (size_t)was;
    *ARENA_PUSH(sandbox->arena, entry) = (struct version){sandbox->rv, object};
}

const struct value *state_put(struct sandbox *sandbox, const struct served *type, struct str namespace,
                              struct str name, const struct value *object)
{
    if (sandbox->objects >= sandbox->options.max_objects)
        return NULL;
    sandbox->rv++;
    const struct value *rv =
        value_string(sandbox->arena, str_fmt(sandbox->arena, "%llu", (unsigned long long)sandbox->rv));
    const struct value *kept = value_with_in(sandbox->arena, value_copy(sandbox->arena, object),
                                             PATH("metadata", "resourceVersion"), rv);
    add_version(sandbox, entry_for(sandbox, type->storage, namespace, name), kept);
    return kept;
}

void state_remove(struct sandbox *sandbox, const struct served *type, struct str namespace, struct str name)
{
    struct entry *entry = state_find(type->storage, state_key(sandbox->arena, namespace, name));
    if (entry == NULL || state_at(entry, UINT64_MAX) == NULL)
        return;
    sandbox->rv++;
    add_version(sandbox, entry, NULL);
}

static void compact_storage(struct storage *storage)
{
    size_t kept = 0;
    for (size_t i = 0; i < storage->count; i++) {
        struct entry *entry = storage->items[i];
        if (state_at(entry, UINT64_MAX) == NULL)
            continue;
        entry->items[0] = entry->items[entry->count - 1];
        entry->count = 1;
        storage->items[kept++] = entry;
    }
    storage->count = kept;
}

void state_compact(struct sandbox *sandbox)
{
    for (size_t i = 0; i < sandbox->types.count; i++)
        compact_storage(sandbox->types.items[i]->storage);
    /* A write of its own, so that what was readable a moment ago is not any more. */
    sandbox->compacted = ++sandbox->rv;
}

struct str state_uid(struct arena *arena)
{
    unsigned char b[16];
    if (getrandom(b, sizeof b, 0) != sizeof b)
        memset(b, 0x5a, sizeof b);
    b[6] = (b[6] & 0x0f) | 0x40;
    b[8] = (b[8] & 0x3f) | 0x80;
    return str_fmt(arena, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
                   b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}

struct str state_now(struct arena *arena)
{
    return clock_rfc3339(arena, clock_now_ms(NULL));
}

const struct value *state_literal(struct arena *arena, const char *json)
{
    const struct value *value = NULL;
    struct err ignored;
    return json_parse(arena, str_of(json), NULL, &value, &ignored) ? value : value_null(arena);
}
