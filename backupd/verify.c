#include "backupd/verify.h"

#include "backupd/catalog.h"
#include "backupd/part.h"
#include "core/keys.h"

struct verifying {
    struct run *run;
    const struct manifest_pack *pack;
    struct arena *scratch; /* for one pack */
    bool has_keys; /* an identity is at hand; without one, encrypted packs are proved but not opened */
    uint64_t objects, bytes, unopened;
    struct value_list_builder problems;
    bool away[STORE_MAX_COPIES]; /* a store that cannot be read at all */
};

static void add_problem(struct verifying *v, const struct err *why)
{
    struct arena *a = v->run->arena;
    struct str pack = manifest_pack_name(a, v->pack), message = str_dup(a, str_of(why->msg));
    value_push(a, &v->problems,
               VALUE_MAP(a, {"pack", value_string(a, pack)}, {"message", value_string(a, message)}));
    *ARENA_PUSH(a, &v->run->findings) = (struct finding){
        .check = STR("backup.pack"),
        .severity = SEVERITY_ERROR,
        .namespace = v->pack->namespace,
        .message = message,
        .fix = STR("restore from another backup or store; the next backup writes the pack anew"),
    };
}

/* One bad entry hides no other: it is noted, and the pack goes on. */
static bool verify_entry(void *ctx, struct str path, struct str body, struct err *err)
{
    struct verifying *v = ctx;
    struct resource resource;
    const struct value *document;
    struct err why = {0};
    bool schema = v->pack->part == MANIFEST_SCHEMA;
    bool good = schema ? part_document(v->scratch, body, &document, &why)
                       : part_object(v->scratch, v->pack, path, body, &resource, &why);
    v->objects += !schema;
    if (!good) {
        err_context(&why, "pack %.*s: entry %.*s", STR_ARG(manifest_pack_name(v->scratch, v->pack)),
                    STR_ARG(path));
        add_problem(v, &why);
    }
    return true;
}

/* What stops the whole verification: nothing more can be learnt from this store. */
static bool is_fatal(const struct err *err)
{
    return err->code == ERR_UNREACHABLE || err->code == ERR_DENIED || err->code == ERR_INTERRUPTED;
}

/* In every store: a copy is only worth something while it is whole. What one copy of several cannot give is a problem
 * and stops nothing. */
static bool verify_copies(struct verifying *v, struct err *err)
{
    struct store *store = v->run->store;
    struct run run = *v->run;
    uint64_t objects = v->objects;
    bool closed = v->pack->encrypted && !v->has_keys;
    v->unopened += closed;
    for (size_t i = 0; i < store_copies(store); i++) {
        struct store *copy = run.store = store_copy(store, i);
        struct err why = {0};
        if (v->away[i])
            continue;
        v->objects = objects;
        if (closed ? part_check(&run, v->pack, &why)
                   : part_read(&run, v->scratch, v->pack, verify_entry, v, &why))
            continue;
        if (copy == store && is_fatal(&why)) {
            *err = why;
            return false;
        }
        v->away[i] = is_fatal(&why); /* one problem tells it, and no further pack waits for it */
        if (copy != store)
            err_context(&why, "store %.*s", STR_ARG(store_label(copy)));
        add_problem(v, &why);
    }
    return true;
}

static bool verify_packs(struct verifying *v, const struct manifest *m, struct err *err)
{
    for (size_t i = 0; i < m->packs.count; i++) {
        struct arena *scratch CLEANUP(arena_cleanup) = v->scratch = arena_new();
        v->pack = &m->packs.items[i];
        v->bytes += v->pack->bytes;
        progress_step(v->run->progress, "verifying", i, m->packs.count, "packs",
                      manifest_pack_name(scratch, v->pack));
        if (!verify_copies(v, err))
            return false;
    }
    progress_step(v->run->progress, "verifying", m->packs.count, m->packs.count, "packs", STR_NONE);
    return true;
}

static void report(struct verifying *v, const struct manifest *m, int64_t began_ms)
{
    struct arena *a = v->run->arena;
    run_section(
        v->run, "verify",
        VALUE_MAP(a, {"id", value_string(a, m->id)}, {"cluster", value_string(a, m->cluster)},
                  {"store", value_string(a, store_url(v->run->store))},
                  {"clean", value_bool(a, v->problems.count == 0)}, {"complete", value_bool(a, m->complete)},
                  {"packs", value_int(a, (int64_t)m->packs.count)},
                  {"objects", value_int(a, (int64_t)v->objects)}, {"bytes", value_int(a, (int64_t)v->bytes)},
                  {"unopened", v->unopened ? value_int(a, (int64_t)v->unopened) : NULL},
                  {"durationMs", value_int(a, clock_monotonic_ms() - began_ms)},
                  {"problems", value_list_done(a, &v->problems)}));
}

bool backup_verify(struct run *run, struct str cluster, struct str which, bool *ret_clean, struct err *err)
{
    int64_t began_ms = clock_monotonic_ms();
    struct verifying v = {.run = run, .has_keys = keys_at_hand(run)};
    struct catalog_entry entry;
    struct manifest manifest;
    if (!catalog_find(run->store, run->arena, cluster, which, &entry, err))
        return false;
    if (!manifest_fetch(run->store, run->arena, entry.key, &manifest, err) ||
        !verify_packs(&v, &manifest, err))
        return err_context(err, "backup %.*s", STR_ARG(entry.id));
    report(&v, &manifest, began_ms);
    *ret_clean = v.problems.count == 0;
    return true;
}
