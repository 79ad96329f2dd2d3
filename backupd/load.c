#include "backupd/load.h"

#include "backupd/backup.h"
#include "backupd/catalog.h"
#include "backupd/part.h"

/* Where a backup goes: into a bundle, or object by object into a stash. */
struct loading {
    struct bundle *about; /* what is known of the whole, and the objects where there is no stash */
    struct stash *stash;
    struct arena *arena; /* of trees: the bundle's, or one for each entry */
    const struct manifest_pack *pack;
    struct value_map_builder openapi;
    bool rest;    /* go on without what does not hold */
    bool damaged; /* something was left out */
};

/* What cannot be had is a hole with a name, and no reason to do without the rest. */
static void leave_out(struct loading *loading, const char *what)
{
    struct bundle *about = loading->about;
    loading->damaged = true;
    *ARENA_PUSH(about->arena, &about->problems) = str_fmt(about->arena, "%s", what);
}

static void begin_entry(struct loading *loading)
{
    if (loading->stash != NULL)
        arena_reset(loading->arena);
}

static bool load_object(void *ctx, struct str path, struct str body, struct err *err)
{
    struct loading *loading = ctx;
    struct resource resource;
    struct err fault;
    begin_entry(loading);
    if (part_object(loading->arena, loading->pack, path, body, &resource, &fault)) {
        if (loading->stash != NULL)
            return stash_put_text(loading->stash, &resource, body, err);
        bundle_add(loading->about, &resource);
        return true;
    }
    if (!loading->rest) {
        *err = fault;
        return false;
    }
    struct str name = manifest_pack_name(loading->arena, loading->pack);
    err_context(&fault, "pack %.*s, %.*s", STR_ARG(name), STR_ARG(path));
    leave_out(loading, fault.msg);
    return true;
}

static bool load_document(void *ctx, struct str path, struct str body, struct err *err)
{
    struct loading *loading = ctx;
    const struct value *document = NULL;
    if (!str_starts(path, STR(PART_OPENAPI)) || !str_ends(path, STR(".json")))
        return true;
    begin_entry(loading);
    if (!part_document(loading->arena, body, &document, err))
        return false;
    struct str key = str_slice(path, sizeof PART_OPENAPI - 1, path.len - (sizeof ".json" - 1));
    if (loading->stash != NULL)
        return stash_put_document(loading->stash, key, body, err);
    value_put(loading->arena, &loading->openapi, key, document);
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

static bool load_pack(struct run *run, struct loading *loading, struct err *err)
{
    const struct manifest_pack *pack = loading->pack;
    pack_entry_fn entry = pack->part == MANIFEST_SCHEMA ? load_document : load_object;
    return loading->stash != NULL ? part_stream(run, pack, entry, loading, err)
                                  : part_read(run, run->arena, pack, entry, loading, err);
}

static bool load_packs(struct run *run, const struct manifest *m, struct loading *loading, struct err *err)
{
    struct bundle *about = loading->about;
    size_t lost = 0;
    describe(about, m);
    for (size_t i = 0; i < m->packs.count; i++) {
        const struct manifest_pack *pack = loading->pack = &m->packs.items[i];
        progress_step(run->progress, "loading", i, m->packs.count, "packs",
                      manifest_pack_name(run->arena, pack));
        if (pack->part == MANIFEST_HOOK)
            continue;
        if (!load_pack(run, loading, err)) {
            if (!loading->rest || (err->code != ERR_CORRUPT && err->code != ERR_NOT_FOUND) ||
                ++lost == m->packs.count)
                return false;
            leave_out(loading, err->msg);
        }
    }
    about->complete = about->complete && !loading->damaged;
    progress_step(run->progress, "loading", m->packs.count, m->packs.count, "packs", STR_NONE);
    if (loading->stash != NULL)
        return stash_finish(loading->stash, err);
    if (loading->openapi.count != 0)
        about->openapi = value_map_done(run->arena, &loading->openapi);
    bundle_sort(about);
    return true;
}

static bool load(struct run *run, struct str cluster, struct str which, struct loading *loading,
                 struct err *err)
{
    struct catalog_entry entry;
    struct manifest manifest;
    if (!catalog_find(run->store, run->arena, cluster, which, &entry, err))
        return false;
    if (!manifest_fetch(run->store, run->arena, entry.key, &manifest, err) ||
        !load_packs(run, &manifest, loading, err))
        return err_context(err, "backup %.*s", STR_ARG(entry.id));
    return true;
}

static bool load_bundle(struct run *run, struct str cluster, struct str which, bool *ret_damaged,
                        struct bundle *ret_bundle, struct err *err)
{
    struct bundle bundle;
    struct loading loading = {.about = &bundle, .arena = run->arena, .rest = ret_damaged != NULL};
    bundle_init(&bundle, run->arena);
    if (!load(run, cluster, which, &loading, err))
        return false;
    *ret_bundle = bundle;
    if (ret_damaged != NULL)
        *ret_damaged = loading.damaged;
    return true;
}

bool backup_load(struct run *run, struct str cluster, struct str which, struct bundle *ret_bundle,
                 struct err *err)
{
    return load_bundle(run, cluster, which, NULL, ret_bundle, err);
}

bool backup_load_rest(struct run *run, struct str cluster, struct str which, struct bundle *ret_bundle,
                      bool *ret_damaged, struct err *err)
{
    return load_bundle(run, cluster, which, ret_damaged, ret_bundle, err);
}

bool backup_load_stash(struct run *run, struct str cluster, struct str which, struct stash **ret_stash,
                       bool *ret_damaged, struct err *err)
{
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    struct loading loading = {.arena = scratch, .rest = ret_damaged != NULL};
    if (!stash_new(run->arena, backup_spool_dir(run), &loading.stash, err))
        return false;
    loading.about = stash_about(loading.stash);
    if (!load(run, cluster, which, &loading, err)) {
        stash_close(loading.stash);
        return false;
    }
    *ret_stash = loading.stash;
    if (ret_damaged != NULL)
        *ret_damaged = loading.damaged;
    return true;
}
