#include "backupd/part.h"
#include "backupd/seal.h"
#include "core/base/json.h"
#include "core/keys.h"
#include "core/store/spool.h"

struct counted {
    pack_entry_fn entry;
    void *ctx;
    uint64_t entries;
};

static bool count_entry(void *ctx, struct str path, struct str body, struct err *err)
{
    struct counted *counted = ctx;
    counted->entries++;
    return counted->entry(counted->ctx, path, body, err);
}

static void spool_cleanup(struct spool **spool)
{
    spool_drop(*spool);
}

static bool fetch(struct run *run, const struct manifest_pack *pack, struct str key, struct spool **spool,
                  struct str *ret_bytes, struct err *err)
{
    if (store_fetch(run->store, key, pack->bytes, &pack->sha256, NULL, spool, ret_bytes, err))
        return true;
    if (err->code == ERR_NOT_FOUND)
        err_next(err, "this pack is gone from the store; `list` shows other backups");
    return false;
}

/* The bytes of the pack itself: fetched, proved, and decrypted where they are encrypted. */
static bool open_pack(struct run *run, const struct manifest_pack *pack, struct str key, struct spool **spool,
                      struct str *ret_bytes, struct err *err)
{
    CLEANUP(spool_cleanup) struct spool *sealed = NULL;
    struct age_identities identities;
    if (!fetch(run, pack, key, &sealed, ret_bytes, err))
        return false;
    if (!pack->encrypted) {
        *spool = sealed;
        sealed = NULL;
        return true;
    }
    if (!keys_identities(run, &identities, err))
        return false;
    bool good = seal_open(&identities, *ret_bytes, pack, spool, ret_bytes, err);
    age_wipe(&identities);
    return good;
}

static bool unpack(struct run *run, struct arena *arena, const struct manifest_pack *pack, struct str key,
                   struct counted *counted, struct err *err)
{
    CLEANUP(spool_cleanup) struct spool *spool = NULL;
    struct pack_limits limits = PACK_DEFAULT_LIMITS;
    struct str bytes = STR_NONE;

    limits.max_entries = pack->entries;
    limits.max_bytes = pack->raw_bytes;
    if (pack->part ==
        MANIFEST_HOOK) /* what a command writes may be all alike, and is bounded when it is taken */
        limits.max_ratio = UINT64_MAX;
    if (!open_pack(run, pack, key, &spool, &bytes, err))
        return false;
    if (!pack_read(arena, bytes, &limits, count_entry, counted, err))
        return err_context(err, "%.*s", STR_ARG(key));
    if (counted->entries == pack->entries)
        return true;
    return err_set(err, ERR_CORRUPT, "%.*s: %llu entries, where the manifest says %llu", STR_ARG(key),
                   (unsigned long long)counted->entries, (unsigned long long)pack->entries);
}

static bool name_fault(const struct manifest_pack *pack, struct str key, struct err *err)
{
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    if (err->code == ERR_CORRUPT)
        err_next(err, "`verify` lists every damaged pack; `list` shows other backups");
    return err_context(err, "pack %.*s", STR_ARG(manifest_pack_name(scratch, pack)));
}

bool part_check(struct run *run, const struct manifest_pack *pack, struct err *err)
{
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    CLEANUP(spool_cleanup) struct spool *spool = NULL;
    struct str key = manifest_pack_key(scratch, pack), bytes = STR_NONE;
    return fetch(run, pack, key, &spool, &bytes, err) || name_fault(pack, key, err);
}

bool part_read(struct run *run, struct arena *arena, const struct manifest_pack *pack, pack_entry_fn entry,
               void *ctx, struct err *err)
{
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    struct counted counted = {entry, ctx, 0};
    struct str key = manifest_pack_key(scratch, pack);

    return unpack(run, arena, pack, key, &counted, err) || name_fault(pack, key, err);
}

struct passing {
    struct arena *arena; /* of one entry */
    pack_entry_fn entry;
    void *ctx;
};

static bool pass_on(void *ctx, struct str path, struct str body, struct err *err)
{
    struct passing *passing = ctx;
    bool good = passing->entry(passing->ctx, path, body, err);
    arena_reset(passing->arena);
    return good;
}

bool part_stream(struct run *run, const struct manifest_pack *pack, pack_entry_fn entry, void *ctx,
                 struct err *err)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct passing passing = {arena, entry, ctx};
    return part_read(run, arena, pack, pass_on, &passing, err);
}

bool part_document(struct arena *arena, struct str body, const struct value **ret_document, struct err *err)
{
    if (json_parse(arena, body, NULL, ret_document, err))
        return true;
    err->code = ERR_CORRUPT;
    return false;
}

bool part_object(struct arena *arena, const struct manifest_pack *pack, struct str path, struct str body,
                 struct resource *ret_resource, struct err *err)
{
    const struct value *object = NULL;
    struct resource resource;
    if (!part_document(arena, body, &object, err))
        return false;
    if (!resource_from(object, path, &resource, err)) {
        err->code = ERR_CORRUPT;
        return false;
    }
    if (!str_eq(resource.namespace, pack->namespace))
        return err_set(err, ERR_CORRUPT, "it belongs to namespace \"%.*s\"", STR_ARG(resource.namespace));
    *ret_resource = resource;
    return true;
}
