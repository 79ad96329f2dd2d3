#include "backupd/verify.h"

#include "backupd/catalog.h"
#include "backupd/deep.h"
#include "backupd/part.h"
#include "core/keys.h"

struct verifying {
    struct run *run;
    const struct manifest_pack *pack;
    struct arena *scratch; /* for one entry */
    struct deep *deep;     /* NULL: hashes only */
    bool has_keys; /* an identity is at hand; without one, encrypted packs are proved but not opened */
    uint64_t entries, objects, bytes, unopened;
    struct value_list_builder problems;
    bool away[STORE_MAX_COPIES]; /* a store that cannot be read at all */
};

static void add_problem(struct verifying *v, const char *text)
{
    struct arena *a = v->run->arena;
    struct str pack = v->pack ? manifest_pack_name(a, v->pack) : STR_NONE, message = str_dup(a, str_of(text));
    value_push(a, &v->problems,
               VALUE_MAP(a, {"pack", v->pack ? value_string(a, pack) : NULL},
                         {"message", value_string(a, message)}));
    *ARENA_PUSH(a, &v->run->findings) = (struct finding){
        .check = STR("backup.pack"),
        .severity = SEVERITY_ERROR,
        .namespace = v->pack ? v->pack->namespace : STR_NONE,
        .message = message,
        .fix = STR("restore from another backup or store; the next backup writes the pack anew"),
    };
}

static bool check_document(struct verifying *v, struct str path, struct str body, struct err *err)
{
    const struct value *document;
    return part_document(v->scratch, body, &document, err) &&
           (!str_is(path, PART_DISCOVERY) || deep_discovery(v->deep, document, err));
}

static bool check_object(struct verifying *v, struct str path, struct str body, struct err *err)
{
    struct resource resource;
    v->objects++;
    return part_object(v->scratch, v->pack, path, body, &resource, err) &&
           deep_object(v->deep, path, &resource, err);
}

/* One bad entry hides no other: it is noted, and the pack goes on. */
static bool verify_entry(void *ctx, struct str path, struct str body, struct err *err)
{
    struct verifying *v = ctx;
    struct err why = {0};
    v->entries++;
    bool good = v->pack->part == MANIFEST_SCHEMA ? check_document(v, path, body, &why)
                                                 : check_object(v, path, body, &why);
    if (!good) {
        err_context(&why, "pack %.*s: entry %.*s", STR_ARG(manifest_pack_name(v->run->arena, v->pack)),
                    STR_ARG(path));
        add_problem(v, why.msg);
    }
    arena_reset(v->scratch);
    return true;
}

/* Of a hook's output the hash says all there is to say; opening it proves that it can be got out again. */
static bool pass_over(void *ctx, struct str path, struct str body, struct err *err)
{
    return true;
}

/* What stops the whole verification: nothing more can be learnt from this store. */
static bool is_fatal(const struct err *err)
{
    return err->code == ERR_UNREACHABLE || err->code == ERR_DENIED || err->code == ERR_INTERRUPTED;
}

static bool open_pack(struct verifying *v, struct run *run, struct err *err)
{
    if (v->pack->part == MANIFEST_HOOK)
        return part_stream(run, v->pack, pass_over, NULL, err);
    return part_read(run, v->scratch, v->pack, verify_entry, v, err);
}

/* In every store: a copy is only worth something while it is whole. What one copy of several cannot give is a problem
 * and stops nothing. What was opened once need not be opened in another copy of the same hash. */
static bool verify_copies(struct verifying *v, struct err *err)
{
    struct store *store = v->run->store;
    struct run run = *v->run;
    bool open = v->deep != NULL && (!v->pack->encrypted || v->has_keys);
    v->unopened += v->deep != NULL && !open;
    for (size_t i = 0; i < store_copies(store); i++) {
        struct store *copy = run.store = store_copy(store, i);
        struct err why = {0};
        if (v->away[i])
            continue;
        uint64_t entries = v->entries;
        bool good = open ? open_pack(v, &run, &why) : part_check(&run, v->pack, &why);
        open = open && !good && v->entries == entries; /* an entry is only seen when the hash holds */
        if (good)
            continue;
        if (copy == store && is_fatal(&why)) {
            *err = why;
            return false;
        }
        v->away[i] = is_fatal(&why); /* one problem tells it, and no further pack waits for it */
        if (copy != store)
            err_context(&why, "store %.*s", STR_ARG(store_label(copy)));
        add_problem(v, why.msg);
    }
    return true;
}

static bool verify_packs(struct verifying *v, const struct manifest *m, struct err *err)
{
    for (size_t i = 0; i < m->packs.count; i++) {
        struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
        v->scratch = scratch;
        v->pack = &m->packs.items[i];
        v->bytes += v->pack->bytes;
        progress_step(v->run->progress, "verifying", i, m->packs.count, "packs",
                      manifest_pack_name(v->run->arena, v->pack));
        if (!verify_copies(v, err))
            return false;
    }
    progress_step(v->run->progress, "verifying", m->packs.count, m->packs.count, "packs", STR_NONE);
    return true;
}

/* Of a pack that could not be opened nobody knows what it lacks: that is told already. */
static void verify_counts(struct verifying *v)
{
    struct str_list problems = {0};
    if (v->deep == NULL || v->unopened != 0 || v->problems.count != 0)
        return;
    deep_counts(v->deep, &problems);
    v->pack = NULL;
    for (size_t i = 0; i < problems.count; i++)
        add_problem(v, str_c(v->run->arena, problems.items[i]));
}

static void report(struct verifying *v, const struct manifest *m, int64_t began_ms)
{
    struct arena *a = v->run->arena;
    run_section(v->run, "verify",
                VALUE_MAP(a, {"id", value_string(a, m->id)}, {"cluster", value_string(a, m->cluster)},
                          {"store", value_string(a, store_url(v->run->store))},
                          {"clean", value_bool(a, v->problems.count == 0)},
                          {"complete", value_bool(a, m->complete)}, {"deep", value_bool(a, v->deep != NULL)},
                          {"packs", value_int(a, (int64_t)m->packs.count)},
                          {"objects", v->deep ? value_int(a, (int64_t)v->objects) : NULL},
                          {"bytes", value_int(a, (int64_t)v->bytes)},
                          {"unopened", v->unopened ? value_int(a, (int64_t)v->unopened) : NULL},
                          {"durationMs", value_int(a, clock_monotonic_ms() - began_ms)},
                          {"problems", value_list_done(a, &v->problems)}));
}

static bool verify(struct run *run, struct str cluster, struct str which, bool deep, bool *ret_clean,
                   struct err *err)
{
    int64_t began_ms = clock_monotonic_ms();
    struct verifying v = {.run = run, .has_keys = keys_at_hand(run)};
    struct catalog_entry entry;
    struct manifest manifest;
    if (!catalog_find(run->store, run->arena, cluster, which, &entry, err))
        return false;
    if (!manifest_fetch(run->store, run->arena, entry.key, &manifest, err))
        return err_context(err, "backup %.*s", STR_ARG(entry.id));
    v.deep = deep ? deep_new(run->arena, &manifest) : NULL;
    if (!verify_packs(&v, &manifest, err))
        return err_context(err, "backup %.*s", STR_ARG(entry.id));
    verify_counts(&v);
    report(&v, &manifest, began_ms);
    *ret_clean = v.problems.count == 0;
    return true;
}

bool backup_verify(struct run *run, struct str cluster, struct str which, bool *ret_clean, struct err *err)
{
    return verify(run, cluster, which, true, ret_clean, err);
}

bool backup_verify_hashes(struct run *run, struct str cluster, struct str which, bool *ret_clean,
                          struct err *err)
{
    return verify(run, cluster, which, false, ret_clean, err);
}
