#include "backupd/load.h"

#include "backupd/catalog.h"
#include "backupd/part.h"

struct loading {
    struct bundle *bundle;
    const struct manifest_pack *pack;
    struct value_map_builder openapi;
    bool rest;    /* go on without what does not hold */
    bool damaged; /* something was left out */
};

/* What cannot be had is a hole with a name, and no reason to do without the rest. */
static void leave_out(struct loading *loading, const char *what)
{
    struct arena *arena = loading->bundle->arena;
    loading->damaged = true;
    *ARENA_PUSH(arena, &loading->bundle->problems) = str_fmt(arena, "%s", what);
}

static bool load_object(void *ctx, struct str path, struct str body, struct err *err)
{
    struct loading *loading = ctx;
    struct resource resource;
    struct err fault;
    if (part_object(loading->bundle->arena, loading->pack, path, body, &resource, &fault)) {
        bundle_add(loading->bundle, &resource);
        return true;
    }
    if (!loading->rest) {
        *err = fault;
        return false;
    }
    struct str name = manifest_pack_name(loading->bundle->arena, loading->pack);
    err_context(&fault, "pack %.*s, %.*s", STR_ARG(name), STR_ARG(path));
    leave_out(loading, fault.msg);
    return true;
}

static bool load_document(void *ctx, struct str path, struct str body, struct err *err)
{
    struct loading *loading = ctx;
    struct arena *arena = loading->bundle->arena;
    const struct value *document = NULL;
    if (!str_starts(path, STR(PART_OPENAPI)) || !str_ends(path, STR(".json")))
        return true;
    if (!part_document(arena, body, &document, err))
        return false;
    struct str key = str_slice(path, sizeof PART_OPENAPI - 1, path.len - (sizeof ".json" - 1));
    value_put(arena, &loading->openapi, key, document);
    return true;
}

static void describe(struct bundle *bundle, const struct manifest *m)
{
    bundle->backup_id = m->id;
    bundle->cluster = m->cluster;
    bundle->cluster_uid = m->cluster_uid;
    bundle->server_version = m->server_version;
    bundle->resource_version = m->resource_version;
    bundle->taken_ms = m->taken_ms;
    bundle->complete = m->complete;
    bundle->sandbox = m->sandbox;
    bundle->types = m->types;
    bundle->problems = m->problems;
    bundle->selection = m->selection;
    bundle->narrowed = m->narrowed;
}

static bool load_packs(struct run *run, const struct manifest *m, struct loading *loading, struct err *err)
{
    struct bundle *bundle = loading->bundle;
    size_t lost = 0;
    describe(bundle, m);
    for (size_t i = 0; i < m->packs.count; i++) {
        const struct manifest_pack *pack = loading->pack = &m->packs.items[i];
        progress_step(run->progress, "loading", i, m->packs.count, "packs",
                      manifest_pack_name(run->arena, pack));
        if (pack->part == MANIFEST_HOOK)
            continue;
        if (!part_read(run, run->arena, pack, pack->part == MANIFEST_SCHEMA ? load_document : load_object,
                       loading, err)) {
            if (!loading->rest || (err->code != ERR_CORRUPT && err->code != ERR_NOT_FOUND) ||
                ++lost == m->packs.count)
                return false;
            leave_out(loading, err->msg);
        }
    }
    bundle->complete = bundle->complete && !loading->damaged;
    progress_step(run->progress, "loading", m->packs.count, m->packs.count, "packs", STR_NONE);
    if (loading->openapi.count != 0)
        bundle->openapi = value_map_done(run->arena, &loading->openapi);
    bundle_sort(bundle);
    return true;
}

static bool load(struct run *run, struct str cluster, struct str which, struct loading *loading,
                 struct err *err)
{
    struct catalog_entry entry;
    struct manifest manifest;
    if (!catalog_find(run->store, run->arena, cluster, which, &entry, err))
        return false;
    bundle_init(loading->bundle, run->arena);
    if (!manifest_fetch(run->store, run->arena, entry.key, &manifest, err) ||
        !load_packs(run, &manifest, loading, err))
        return err_context(err, "backup %.*s", STR_ARG(entry.id));
    return true;
}

bool backup_load(struct run *run, struct str cluster, struct str which, struct bundle *ret_bundle,
                 struct err *err)
{
    struct bundle bundle = {0};
    struct loading loading = {.bundle = &bundle};
    if (!load(run, cluster, which, &loading, err))
        return false;
    *ret_bundle = bundle;
    return true;
}

bool backup_load_rest(struct run *run, struct str cluster, struct str which, struct bundle *ret_bundle,
                      bool *ret_damaged, struct err *err)
{
    struct bundle bundle = {0};
    struct loading loading = {.bundle = &bundle, .rest = true};
    if (!load(run, cluster, which, &loading, err))
        return false;
    *ret_bundle = bundle;
    *ret_damaged = loading.damaged;
    return true;
}
