#include "backupd/part.h"

#include <stdlib.h>

#include "core/base/json.h"

/* A ConfigMap holds at most 1 MiB and etcd 1.5 MiB per object; OpenAPI documents are the large ones. */
enum { ENTRY_MAX_BYTES = 64 << 20 };

struct entry {
    struct str path;
    const struct value *value;
};

struct entries {
    struct entry *items;
    size_t count, cap;
};

void parts_of(struct arena *arena, const struct bundle *bundle, struct parts *ret_parts)
{
    struct parts parts = {0};
    for (size_t from = 0, to; from < bundle->count; from = to) {
        struct str namespace = bundle->items[from].namespace;
        to = from + 1;
        while (to < bundle->count && str_eq(bundle->items[to].namespace, namespace))
            to++;
        *ARENA_PUSH(arena, &parts) = (struct part){
            .part = namespace.len ? MANIFEST_NAMESPACE : MANIFEST_CLUSTER,
            .namespace = namespace,
            .from = from,
            .to = to,
        };
    }
    *ARENA_PUSH(arena, &parts) = (struct part){.part = MANIFEST_SCHEMA};
    *ret_parts = parts;
}

/* ---- objects ---- */

/* A type that discovery does not know cannot have been listed; a bundle from elsewhere may hold one all the same. */
static struct str plural_of(struct arena *arena, const struct resource_type *type,
                            const struct resource *resource)
{
    return type != NULL ? type->plural : str_lower(arena, resource->kind);
}

static void add_objects(struct arena *arena, const struct bundle *bundle, const struct part *part,
                        struct entries *entries)
{
    const struct resource_type *type = NULL;
    for (size_t i = part->from; i < part->to; i++) {
        const struct resource *r = &bundle->items[i];
        struct str group = resource_group(r);
        if (type == NULL || !str_eq(type->kind, r->kind) ||
            !str_eq(type->group, group)) /* they come sorted */
            type = resource_type_find(&bundle->types, group, r->kind);
        *ARENA_PUSH(arena, entries) = (struct entry){
            pack_path(arena, group, resource_version(r), plural_of(arena, type, r), r->name), r->object};
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

static void add_schema(struct arena *arena, const struct bundle *bundle, struct entries *entries)
{
    *ARENA_PUSH(arena, entries) = (struct entry){STR(PART_DISCOVERY), discovery(arena, &bundle->types)};
    MEMBER_EACH(document, bundle->openapi) {
        struct str path;
        if (openapi_path(arena, document->key, &path))
            *ARENA_PUSH(arena, entries) = (struct entry){path, &document->value};
    }
}

/* ---- packing ---- */

static int entry_order(const void *a, const void *b)
{
    return str_cmp(((const struct entry *)a)->path, ((const struct entry *)b)->path);
}

static bool write_entries(struct pack_writer *writer, const struct entries *entries, struct err *err)
{
    struct buf text CLEANUP(buf_done);
    buf_init(&text, ENTRY_MAX_BYTES);
    for (size_t i = 0; i < entries->count; i++) {
        struct str path = entries->items[i].path;
        buf_clear(&text);
        json_write(&text, entries->items[i].value);
        if (!buf_ok(&text))
            return err_set(err, ERR_LIMIT, "%.*s is larger than %d bytes", STR_ARG(path), ENTRY_MAX_BYTES);
        if (!pack_add(writer, path, buf_view(&text), err))
            return false;
    }
    return true;
}

bool part_pack(const struct bundle *bundle, const struct part *part, const char *dir,
               struct pack_writer **ret_writer, struct pack *ret_pack, struct err *err)
{
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    struct entries entries = {0};
    struct pack_writer *writer = NULL;

    if (part->part == MANIFEST_SCHEMA)
        add_schema(scratch, bundle, &entries);
    else
        add_objects(scratch, bundle, part, &entries);
    if (entries.count != 0)
        qsort(entries.items, entries.count, sizeof *entries.items, entry_order);

    if (!pack_begin(dir, &writer, err))
        return false;
    if (!write_entries(writer, &entries, err) || !pack_finish(writer, ret_pack, err)) {
        pack_drop(writer);
        return false;
    }
    *ret_writer = writer;
    return true;
}
