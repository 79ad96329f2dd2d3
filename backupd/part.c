#include "backupd/part.h"

#include <stdlib.h>

#include "core/base/json.h"

/* A ConfigMap holds at most 1 MiB and etcd 1.5 MiB per object; OpenAPI documents are the large ones. */
enum { ENTRY_MAX_BYTES = 64 << 20 };

struct entry {
    struct str path;
    size_t index;             /* of an object or a document of the stash */
    const struct value *root; /* or what is written; NULL where the stash has the text */
};

struct entries {
    struct entry *items;
    size_t count, cap;
};

typedef bool (*read_fn)(const struct stash *stash, size_t index, struct buf *buf, struct err *err);

void packings_of(struct arena *arena, const struct stash *stash, struct packings *ret_parts)
{
    struct packings parts = {0};
    for (size_t i = 0; i < stash_part_count(stash); i++) {
        struct str namespace = stash_part(stash, i).namespace;
        enum manifest_part part = namespace.len ? MANIFEST_NAMESPACE : MANIFEST_CLUSTER;
        *ARENA_PUSH(arena, &parts) = (struct packing){.part = part, .namespace = namespace, .index = i};
    }
    *ARENA_PUSH(arena, &parts) = (struct packing){.part = MANIFEST_SCHEMA};
    *ret_parts = parts;
}

static void add_objects(struct arena *arena, const struct stash *stash, size_t index, struct entries *entries)
{
    struct stash_part part = stash_part(stash, index);
    for (size_t i = part.from; i < part.to; i++) {
        struct stash_object object = stash_object(stash, i);
        const struct resource_type *type = object.type;
        *ARENA_PUSH(arena, entries) = (struct entry){
            .path = pack_path(arena, type->group, type->version, type->plural, object.name), .index = i};
    }
}

/* ---- discovery and OpenAPI ---- */

/* Only what stays the same from one backup to the next: counts and versions stand in the manifest. */
static const struct value *discovery(struct arena *a, const struct resource_types *types)
{
    struct value_list_builder list = {0};
    for (size_t i = 0; i < types->count; i++) {
        const struct resource_type *t = &types->items[i];
        value_push(a, &list,
                   VALUE_MAP(a, {"group", value_string(a, t->group)},
                             {"version", value_string(a, t->version)}, {"kind", value_string(a, t->kind)},
                             {"plural", value_string(a, t->plural)},
                             {"singular", value_string(a, t->singular)},
                             {"namespaced", value_bool(a, t->namespaced)}));
    }
    return VALUE_MAP(a, {"types", value_list_done(a, &list)});
}

/* "apis/apps/v1" as a path; group and version are DNS names, anything else a server says is no path of ours. */
static bool openapi_path(struct arena *arena, struct str key, struct str *ret_path)
{
    struct str rest = key;
    while (rest.len != 0) {
        struct str part = str_cut(&rest, '/');
        if (part.len == 0 || !str_eq(store_key_part(arena, part), part))
            return false;
    }
    *ret_path = str_fmt(arena, PART_OPENAPI "%.*s.json", STR_ARG(key));
    return key.len != 0;
}

static void add_schema(struct arena *arena, struct stash *stash, struct entries *entries)
{
    *ARENA_PUSH(arena, entries) =
        (struct entry){.path = STR(PART_DISCOVERY), .root = discovery(arena, &stash_about(stash)->types)};
    for (size_t i = 0; i < stash_document_count(stash); i++) {
        struct str path;
        if (openapi_path(arena, stash_document_key(stash, i), &path))
            *ARENA_PUSH(arena, entries) = (struct entry){.path = path, .index = i};
    }
}

/* ---- packing ---- */

static int entry_order(const void *a, const void *b)
{
    return str_cmp(((const struct entry *)a)->path, ((const struct entry *)b)->path);
}

static bool write_entries(const struct stash *stash, read_fn read, const struct entries *entries,
                          struct pack_writer *writer, struct err *err)
{
    struct buf text CLEANUP(buf_done);
    buf_init(&text, ENTRY_MAX_BYTES);
    for (size_t i = 0; i < entries->count; i++) {
        const struct entry *entry = &entries->items[i];
        buf_clear(&text);
        if (entry->root != NULL)
            json_write(&text, entry->root);
        else if (!read(stash, entry->index, &text, err))
            return err_context(err, "%.*s", STR_ARG(entry->path));
        if (!buf_ok(&text))
            return err_set(err, ERR_LIMIT, "%.*s is larger than %d bytes", STR_ARG(entry->path),
                           ENTRY_MAX_BYTES);
        if (!pack_add(writer, entry->path, buf_view(&text), err))
            return false;
    }
    return true;
}

bool part_pack(struct stash *stash, const struct packing *part, const char *dir,
               struct pack_writer **ret_writer, struct pack *ret_pack, struct err *err)
{
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    bool schema = part->part == MANIFEST_SCHEMA;
    struct entries entries = {0};
    struct pack_writer *writer = NULL;

    if (schema)
        add_schema(scratch, stash, &entries);
    else
        add_objects(scratch, stash, part->index, &entries);
    if (entries.count != 0)
        qsort(entries.items, entries.count, sizeof *entries.items, entry_order);

    if (!pack_begin(dir, &writer, err))
        return false;
    if (!write_entries(stash, schema ? stash_read_document : stash_read, &entries, writer, err) ||
        !pack_finish(writer, ret_pack, err)) {
        pack_drop(writer);
        return false;
    }
    *ret_writer = writer;
    return true;
}
