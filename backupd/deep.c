#include "backupd/deep.h"

#include <string.h>

#include "core/store/pack.h"

enum { UID_BYTES = 16, FIRST_SLOTS = 1024 };

/* Of group, kind and uid. All zero: a free slot; no hash is. */
struct uid {
    uint8_t bytes[UID_BYTES];
};

struct deep {
    struct arena *arena;
    const struct manifest *manifest;
    uint64_t *counts; /* by type */
    struct uid *uids;
    size_t uid_count, uid_slots;
};

struct deep *deep_new(struct arena *arena, const struct manifest *manifest)
{
    struct deep *deep = ARENA_NEW(arena, struct deep);
    *deep = (struct deep){.arena = arena, .manifest = manifest, .uid_slots = FIRST_SLOTS};
    deep->counts = ARENA_ARRAY(arena, uint64_t, manifest->types.count);
    deep->uids = ARENA_ARRAY(arena, struct uid, FIRST_SLOTS);
    return deep;
}

/* ---- uids ---- */

static struct uid *slot_of(const struct deep *deep, const struct uid *uid)
{
    static const struct uid none;
    uint64_t start;
    memcpy(&start, uid->bytes, sizeof start);
    size_t slot = (size_t)(start & (deep->uid_slots - 1));
    while (memcmp(&deep->uids[slot], &none, sizeof none) != 0 &&
           memcmp(&deep->uids[slot], uid, sizeof *uid) != 0)
        slot = (slot + 1) & (deep->uid_slots - 1);
    return &deep->uids[slot];
}

static void grow(struct deep *deep)
{
    static const struct uid none;
    struct uid *old = deep->uids;
    size_t old_slots = deep->uid_slots;
    deep->uid_slots *= 2;
    deep->uids = ARENA_ARRAY(deep->arena, struct uid, deep->uid_slots);
    for (size_t i = 0; i < old_slots; i++)
        if (memcmp(&old[i], &none, sizeof none) != 0)
            *slot_of(deep, &old[i]) = old[i];
}

static bool uid_is_new(struct deep *deep, const struct resource_type *type, struct str text)
{
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    struct sha256 sha256 = sha256_of(
        str_fmt(scratch, "%.*s/%.*s/%.*s", STR_ARG(type->group), STR_ARG(type->kind), STR_ARG(text)));
    struct uid uid;
    memcpy(uid.bytes, sha256.bytes, sizeof uid.bytes);
    struct uid *slot = slot_of(deep, &uid);
    if (memcmp(slot, &uid, sizeof uid) == 0)
        return false;
    *slot = uid;
    if (2 * ++deep->uid_count > deep->uid_slots)
        grow(deep);
    return true;
}

/* ---- versions ---- */

static bool is_number(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
    return text.len != 0;
}

/* Versions of one etcd are numbers without bound; anything else says nothing. */
static bool is_later(struct str version, struct str than)
{
    if (!is_number(version) || !is_number(than))
        return false;
    while (version.len > 1 && version.ptr[0] == '0')
        version = str_from(version, 1);
    while (than.len > 1 && than.ptr[0] == '0')
        than = str_from(than, 1);
    return version.len != than.len ? version.len > than.len : str_cmp(version, than) > 0;
}

/* ---- objects ---- */

static bool check_type(const struct deep *deep, const struct resource *resource, size_t *ret_type,
                       struct err *err)
{
    const struct resource_types *types = &deep->manifest->types;
    const struct resource_type *type = resource_type_find(types, resource_group(resource), resource->kind);
    if (type == NULL)
        return err_set(err, ERR_CORRUPT, "the manifest lists no type %.*s of %.*s", STR_ARG(resource->kind),
                       STR_ARG(resource->api_version));
    if (type->namespaced != (resource->namespace.len != 0))
        return err_set(err, ERR_CORRUPT, "a %.*s %s", STR_ARG(resource->kind),
                       type->namespaced ? "without a namespace" : "in a namespace");
    *ret_type = (size_t)(type - types->items);
    return true;
}

static bool check_path(const struct resource_type *type, struct str path, const struct resource *resource,
                       struct err *err)
{
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    struct str want =
        pack_path(scratch, type->group, resource_version(resource), type->plural, resource->name);
    return str_eq(path, want) || err_set(err, ERR_CORRUPT, "its names lead to %.*s", STR_ARG(want));
}

bool deep_object(struct deep *deep, struct str path, const struct resource *resource, struct err *err)
{
    struct str uid = value_str_in(resource->object, PATH("metadata", "uid"));
    struct str version = value_str_in(resource->object, PATH("metadata", "resourceVersion"));
    size_t index = 0;
    if (!check_type(deep, resource, &index, err))
        return false;
    const struct resource_type *type = &deep->manifest->types.items[index];
    deep->counts[index]++;
    if (!check_path(type, path, resource, err))
        return false;
    if (uid.len != 0 && !uid_is_new(deep, type, uid))
        return err_set(err, ERR_CORRUPT, "another %.*s has the same uid, %.*s", STR_ARG(type->kind),
                       STR_ARG(uid));
    if (str_is(type->consistency, "exact") && is_later(version, type->resource_version))
        return err_set(err, ERR_CORRUPT, "resourceVersion %.*s is later than that of the backup, %.*s",
                       STR_ARG(version), STR_ARG(type->resource_version));
    return true;
}

bool deep_discovery(const struct deep *deep, const struct value *document, struct err *err)
{
    const struct resource_types *types = &deep->manifest->types;
    const struct value *list = value_key(document, "types");
    if (value_count(list) != types->count)
        return err_set(err, ERR_CORRUPT, "%zu types, where the manifest lists %zu", value_count(list),
                       types->count);
    VALUE_EACH(item, list) {
        struct str group = value_str(value_key(item, "group")), kind = value_str(value_key(item, "kind"));
        if (resource_type_find(types, group, kind) == NULL)
            return err_set(err, ERR_CORRUPT, "the manifest lists no type %.*s of group \"%.*s\"",
                           STR_ARG(kind), STR_ARG(group));
    }
    return true;
}

void deep_counts(const struct deep *deep, struct str_list *ret_problems)
{
    for (size_t i = 0; i < deep->manifest->types.count; i++) {
        const struct resource_type *type = &deep->manifest->types.items[i];
        if (deep->counts[i] != type->count)
            *ARENA_PUSH(deep->arena, ret_problems) =
                str_fmt(deep->arena, "%.*s: %llu objects, where the manifest says %zu",
                        STR_ARG(manifest_type_name(deep->arena, type)), (unsigned long long)deep->counts[i],
                        type->count);
    }
}
