#include "backupd/load.h"

#include "backupd/catalog.h"
#include "backupd/part.h"

struct loading {
    struct bundle *bundle;
    const struct manifest_pack *pack;
    struct value_map_builder openapi;
};

static bool load_object(void *ctx, struct str path, struct str body, struct err *err)
{
    struct loading *loading = ctx;
    struct resource resource;
    if (!part_object(loading->bundle->arena, loading->pack, path, body, &resource, err))
        return false;
    bundle_add(loading->bundle, &resource);
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

static bool load_packs(struct run *run, const struct manifest *m, struct bundle *bundle, struct err *err)
{
    struct loading loading = {.bundle = bundle};
    for (size_t i = 0; i < m->packs.count; i++) {
        const struct manifest_pack *pack = loading.pack = &m->packs.items[i];
        progress_step(run->progress, "loading", i, m->packs.count, "packs",
                      manifest_pack_name(run->arena, pack));
        if (pack->part == MANIFEST_HOOK)
            continue;
        if (!part_read(run, run->arena, pack, pack->part == MANIFEST_SCHEMA ? load_document : load_object,
                       &loading, err))
            return false;
    }
    progress_step(run->progress, "loading", m->packs.count, m->packs.count, "packs", STR_NONE);
    if (loading.openapi.count != 0)
        bundle->openapi = value_map_done(run->arena, &loading.openapi);
    bundle_sort(bundle);
    return true;
}

bool backup_load(struct run *run, struct str cluster, struct str which, struct bundle *ret_bundle,
                 struct err *err)
{
    struct catalog_entry entry;
    struct manifest manifest;
    struct bundle bundle;
    if (!catalog_find(run->store, run->arena, cluster, which, &entry, err))
        return false;
    bundle_init(&bundle, run->arena);
    if (!manifest_fetch(run->store, run->arena, entry.key, &manifest, err) ||
        !load_packs(run, &manifest, &bundle, err))
        return err_context(err, "backup %.*s", STR_ARG(entry.id));
    describe(&bundle, &manifest);
    *ret_bundle = bundle;
    return true;
}
