#include <unistd.h>

#include "backupd/backup_intern.h"
#include "backupd/hooks.h"
#include "backupd/level.h"
#include "core/base/json.h"
#include "core/base/parallel.h"
#include "core/base/version.h"
#include "core/config/config.h"
#include "core/keys.h"

/* Packing is computing, storing is waiting: a few of each at once. */
enum { THREADS = 4 };

/* ---- what it is called ---- */

const char *backup_spool_dir(const struct run *run)
{
    if (run->config == NULL || run->config->state_dir.len == 0)
        return NULL;
    const char *dir = str_c(run->arena, run->config->state_dir);
    return access(dir, W_OK) == 0 ? dir : NULL;
}

/* What hooks have left from the one of that number on. */
static void add_outputs(struct backup *b, size_t from)
{
    for (size_t i = from; b->run->hooks != NULL && i < hooks_output_count(b->run->hooks); i++)
        *ARENA_PUSH(b->run->arena, &b->parts) =
            (struct packing){.part = MANIFEST_HOOK, .output = hooks_output(b->run->hooks, i)};
}

/* What all shards of a backup have in common; the schema, the last part, is that of the first shard. */
static void join(struct backup *b)
{
    b->manifest.id = b->joint->id;
    b->manifest.taken_ms = b->joint->taken_ms;
    if (b->joint->index != 0)
        b->parts.count--;
}

static bool begin(struct backup *b, struct err *err)
{
    const struct bundle *bundle = stash_about(b->stash);
    struct str cluster = bundle->cluster.len ? bundle->cluster : bundle->cluster_uid, id = STR_NONE;
    if (cluster.len == 0) {
        err_set(err, ERR_USAGE, "the cluster has no name to file its backups under");
        return err_next(err, "set cluster.name in the configuration");
    }
    if (!guard_new_id(b->run, &id, err))
        return false;
    b->spool_dir = backup_spool_dir(b->run);
    b->began_ms = clock_monotonic_ms();
    b->manifest = (struct manifest){
        .id = id,
        .tool = STR("gitops-pipe " GITOPS_PIPE_VERSION),
        .cluster = cluster,
        .cluster_uid = bundle->cluster_uid,
        .server_version = bundle->server_version,
        .resource_version = bundle->resource_version,
        .taken_ms = bundle->taken_ms ? bundle->taken_ms : clock_now_ms(b->run->clock),
        .complete = bundle->complete,
        .sandbox = bundle->sandbox,
        .objects = stash_count(b->stash),
        .types = bundle->types,
        .problems = bundle->problems,
        .selection = bundle->selection,
        .narrowed = bundle->narrowed,
    };
    packings_of(b->run->arena, b->stash, &b->parts);
    if (b->joint != NULL)
        join(b);
    add_outputs(b, 0);
    if (!keys_recipients(b->run, &b->recipients, err))
        return false;
    if (b->recipients.count == 0)
        return true;
    b->manifest.recipients = b->run->config->encrypt_recipients;
    return seal_index_read(b->run, cluster, &b->manifest.recipients, &b->sealed, err);
}

/* ---- the marker ---- */

/* The backup is there by now: a marker that stays only makes prune wait. */
static void remove_marker(struct backup *b)
{
    struct arena *a = b->run->arena;
    struct err err = {0};
    if (!guard_leave(b->run, &b->guard, &err))
        value_push(a, &b->notes,
                   value_string(a, str_fmt(a, "the in-progress marker stays behind: %s", err.msg)));
}

/* Ids hold random bits, so nothing is lost by it; but who relies on the store should know. */
static void note_weakness(struct backup *b)
{
    struct arena *a = b->run->arena;
    if (!store_creates_atomically(b->run->store))
        value_push(
            a, &b->notes,
            value_cstr(a, "this store has no conditional writes: create-only is checked, not enforced"));
}

/* ---- packs ---- */

static bool look_up(struct store *store, struct arena *arena, const struct manifest_pack *pack,
                    struct store_info *info, enum store_held *ret_held, struct err *err)
{
    if (!store_head(store, arena, manifest_pack_key(arena, pack), info, err)) {
        *ret_held = STORE_LACKS;
        return err->code == ERR_NOT_FOUND;
    }
    bool same = info->bytes == pack->bytes && (!info->has_sha256 || sha256_eq(&info->sha256, &pack->sha256));
    *ret_held = same ? STORE_HOLDS : STORE_DIFFERS;
    return true;
}

static bool publish_pack(struct backup *b, struct arena *arena, const struct manifest_pack *pack,
                         struct str bytes, struct store_info *info, enum store_held *ret_held,
                         struct err *err)
{
    struct store_content content = {manifest_pack_key(arena, pack), bytes, pack->sha256};
    return store_ensure(b->run->store, arena, &content, b->dry, info, ret_held, err);
}

/* An encrypted pack never looks the same twice, so what is there is known by its plain hash; where that copy is damaged
 * or gone, a new one takes its place under a new name. */
static bool publish_sealed(struct backup *b, struct arena *arena, struct manifest_pack *pack,
                           struct str plain, struct store_info *info, enum store_held *ret_held,
                           struct err *err)
{
    struct spool *spool = NULL;
    struct str bytes = STR_NONE;
    enum store_held before = STORE_LACKS;
    pack->encrypted = true;
    pack->plain = pack->sha256;
    if (seal_index_find(&b->sealed, pack)) {
        if (!look_up(b->run->store, arena, pack, info, &before, err))
            return false;
        *ret_held = before;
        if (before == STORE_HOLDS)
            return true;
    }
    bool published = seal_pack(&b->recipients, plain, b->spool_dir, pack, &spool, &bytes, err) &&
                     publish_pack(b, arena, pack, bytes, info, ret_held, err);
    *ret_held = before;
    spool_drop(spool);
    return published;
}

/* A hook's output was packed while it came. */
static bool make_pack(struct backup *b, const struct packing *part, struct pack_writer **writer,
                      struct pack *ret_pack, struct err *err)
{
    if (part->output == NULL)
        return part_pack(b->stash, part, b->spool_dir, writer, ret_pack, err);
    *ret_pack = part->output->pack;
    return true;
}

static void note_pack(struct backup *b, size_t index, const struct manifest_pack *pack,
                      const struct store_info *info, enum store_held held)
{
    pthread_mutex_lock(&b->lock);
    b->tallies[held].packs++;
    b->tallies[held].bytes += pack->bytes;
    struct manifest_pack *noted = &b->manifest.packs.items[index];
    *noted = *pack;
    noted->version = str_dup(b->run->arena, info->version);
    progress_step(b->run->progress, "storing", ++b->stored, b->parts.count, "packs",
                  manifest_pack_name(b->run->arena, noted));
    pthread_mutex_unlock(&b->lock);
}

static bool publish_part(void *ctx, size_t index, struct err *err)
{
    struct backup *b = ctx;
    const struct packing *part = &b->parts.items[index += b->from];
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    struct manifest_pack noted = {.part = part->part, .namespace = part->namespace};
    struct pack_writer *writer = NULL;
    struct store_info info = {0};
    struct pack pack = {0};
    enum store_held held = STORE_LACKS;

    bool published = make_pack(b, part, &writer, &pack, err);
    if (part->output != NULL)
        noted.hook = part->output->name;
    noted.sha256 = pack.sha256;
    noted.bytes = pack.bytes.len;
    noted.raw_bytes = pack.raw_bytes;
    noted.entries = pack.entries;
    published =
        published && (b->recipients.count ? publish_sealed(b, scratch, &noted, pack.bytes, &info, &held, err)
                                          : publish_pack(b, scratch, &noted, pack.bytes, &info, &held, err));
    if (published)
        note_pack(b, index, &noted, &info, held);
    pack_drop(writer);
    return published || err_context(err, "pack %.*s", STR_ARG(manifest_pack_name(scratch, &noted)));
}

/* The parts from b->from on. */
static bool publish_parts(struct backup *b, struct err *err)
{
    struct manifest_packs *packs = &b->manifest.packs;
    packs->items =
        arena_grow(b->run->arena, packs->items, packs->count, b->parts.count, sizeof *packs->items);
    packs->count = packs->cap = b->parts.count;
    progress_step(b->run->progress, "storing", b->stored, b->parts.count, "packs", STR_NONE);
    pthread_mutex_init(&b->lock, NULL);
    bool good = parallel_for(b->parts.count - b->from, THREADS, publish_part, b, err);
    pthread_mutex_destroy(&b->lock);
    b->from = b->parts.count;
    return good;
}

/* ---- hooks ---- */

/* Everything is read and stored: what was frozen may go on. The manifest waits, for it says how that went. */
static bool finish_hooks(struct backup *b, struct err *err)
{
    struct hooks *hooks = b->run->hooks;
    if (hooks == NULL)
        return true;
    size_t before = hooks_output_count(hooks);
    hooks_stored(hooks);
    if (!hooks_after(hooks, err))
        return false;
    add_outputs(b, before);
    b->manifest.hooks = hooks_value(hooks, b->run->arena);
    b->manifest.complete = b->manifest.complete && hooks_failed(hooks).len == 0;
    return publish_parts(b, err);
}

/* ---- the other stores ---- */

/* What an earlier night could not bring to one of the stores goes there now. The backup exists by then: a failure here
 * is told, and makes it a backup in fewer stores than were asked for. */
static void level_stores(struct backup *b)
{
    struct arena *a = b->run->arena;
    struct leveled done = {0};
    struct err err = {0};
    if (store_copies(b->run->store) == 1)
        return;
    if (!stores_level(b->run, b->spool_dir, &done, &err))
        value_push(
            a, &b->notes,
            value_string(a, str_fmt(a, "not everything could be copied from store to store: %s", err.msg)));
    if (done.packs + done.manifests != 0)
        value_push(
            a, &b->notes,
            value_string(a, str_fmt(a, "copied from store to store: %llu packs, %llu manifests",
                                    (unsigned long long)done.packs, (unsigned long long)done.manifests)));
}

/* ---- the manifest ---- */

/* A reply that got lost makes the client try again, and then the key is taken: by us, if the bytes are ours. */
static bool is_ours(struct backup *b, struct str key, struct str text, struct err *err)
{
    struct str there = STR_NONE;
    if (!store_get(b->run->store, b->run->arena, key, MANIFEST_MAX_BYTES, &there, err))
        return false;
    return str_eq(there, text) || err_set(err, ERR_EXISTS, "%.*s is in the store already", STR_ARG(key));
}

static bool publish_manifest(struct backup *b, struct err *err)
{
    if (b->joint != NULL)
        return joint_hand_in(b->run, b->joint, &b->manifest, err) &&
               joint_finish(b->run, b->joint, &b->state, err);
    struct str key = manifest_key(b->run->arena, b->manifest.cluster, b->manifest.id);
    struct buf text CLEANUP(buf_done);
    buf_init(&text, MANIFEST_MAX_BYTES);
    json_write_pretty(&text, manifest_value(b->run->arena, &b->manifest));
    if (!buf_ok(&text))
        return err_set(err, ERR_LIMIT, "the manifest is larger than %d bytes", MANIFEST_MAX_BYTES);
    if (store_create(b->run->store, b->run->arena, key, buf_view(&text), NULL, err) ||
        (err->code == ERR_EXISTS && is_ours(b, key, buf_view(&text), err)))
        return true;
    return err_context(err, "manifest");
}

static bool preview(struct backup *b, struct err *err)
{
    if (!begin(b, err) || !publish_parts(b, err))
        return err_context(err, "backup");
    backup_report(b);
    return true;
}

/* A backup exists once its manifest does; so the manifest is last, and create-only. */
static bool store_all(struct backup *b, struct err *err)
{
    struct run *run = b->run;
    struct str marker = STR_NONE; /* shards are many, and each has a marker of its own */
    if (!begin(b, err) || !store_probe(run->store, run->arena, err) ||
        (b->joint != NULL && !guard_new_id(run, &marker, err)) ||
        !guard_enter_backup(run, b->manifest.cluster, marker.len ? marker : b->manifest.id, &b->guard, err))
        return err_context(err, "backup");
    note_weakness(b);
    bool published = publish_parts(b, err) && finish_hooks(b, err) && guard_backup_holds(&b->guard, err) &&
                     publish_manifest(b, err);
    if (published && (b->joint == NULL || b->state.published))
        level_stores(b);
    remove_marker(b);
    return published || err_context(err, "backup");
}

bool backup_stash(struct run *run, struct stash *stash, bool dry_run, struct err *err)
{
    struct backup b = {.run = run, .stash = stash, .dry = dry_run};
    if (dry_run)
        return preview(&b, err);
    if (!store_all(&b, err))
        return false;
    stash_about(stash)->backup_id = b.manifest.id;
    stash_about(stash)->complete = b.manifest.complete;
    backup_report(&b);
    return true;
}

/* Our shard is in: only to publish, if the others are. Under a marker, so that no prune takes a pack between the look at
 * it and the manifest. */
static bool finish_joint(struct backup *b, struct err *err)
{
    struct str marker;
    if (!guard_new_id(b->run, &marker, err) ||
        !guard_enter_backup(b->run, b->manifest.cluster, marker, &b->guard, err))
        return err_context(err, "backup");
    bool finished = joint_finish(b->run, b->joint, &b->state, err);
    remove_marker(b);
    return finished;
}

bool backup_shard(struct run *run, struct stash *stash, const struct joint *joint, bool *ret_complete,
                  struct err *err)
{
    struct backup b = {.run = run, .stash = stash, .joint = joint, .began_ms = clock_monotonic_ms()};
    b.manifest = (struct manifest){.id = joint->id,
                                   .cluster = joint->cluster,
                                   .resource_version = joint->resource_version,
                                   .taken_ms = joint->taken_ms,
                                   .complete = true};
    if (!(stash != NULL ? store_all : finish_joint)(&b, err))
        return false;
    backup_report(&b);
    *ret_complete = !b.state.published || b.state.manifest.complete; /* whoever is the last tells of holes */
    return true;
}

bool backup_stage(struct run *run, struct bundle *bundle, struct err *err)
{
    struct stash *stash;
    if (!stash_from_bundle(run->arena, backup_spool_dir(run), bundle, &stash, err))
        return err_context(err, "backup");
    bool made = backup_stash(run, stash, false, err);
    bundle->backup_id = stash_about(stash)->backup_id;
    stash_close(stash);
    return made;
}
