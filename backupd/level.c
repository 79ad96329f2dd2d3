#include "backupd/level.h"

#include "backupd/manifest.h"
#include "core/store/spool.h"

enum { PAGE = 1000 };

struct holdings {
    struct store_info *items; /* sorted by key */
    size_t count, cap;
};

struct level {
    struct run *run;
    struct arena *arena;
    const char *spool_dir;
    struct leveled *done;
    struct holdings held[STORE_MAX_COPIES];
    bool away[STORE_MAX_COPIES];   /* it could not be listed */
    bool behind[STORE_MAX_COPIES]; /* something could not be brought there */
};

static bool list_all(struct level *l, struct store *copy, struct str prefix, struct holdings *held,
                     struct err *err)
{
    struct store_page page = {.more = true};
    struct str after = STR_NONE;
    *held = (struct holdings){0};
    while (page.more) {
        if (!store_list(copy, l->arena, prefix, after, PAGE, &page, err))
            return false;
        for (size_t i = 0; i < page.count; i++)
            *ARENA_PUSH(l->arena, held) = page.items[i];
        if (page.count == 0)
            break;
        after = page.items[page.count - 1].key;
    }
    return true;
}

static const struct store_info *find(const struct holdings *held, struct str key)
{
    size_t from = 0, to = held->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        int order = str_cmp(held->items[middle].key, key);
        if (order == 0)
            return &held->items[middle];
        if (order < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return NULL;
}

/* ---- one object ---- */

static bool copy_pack(struct level *l, struct store *from, struct store *to, const struct store_info *info,
                      struct err *err)
{
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    struct store_content content = {.key = info->key};
    struct store_info sent;
    struct spool *spool = NULL;
    enum store_held held;
    if (!manifest_pack_of(info->key, &content.sha256))
        return true; /* nothing of ours */
    if (!store_fetch(from, info->key, info->bytes, &content.sha256, l->spool_dir, &spool, &content.body, err))
        return false;
    bool copied = store_ensure(to, scratch, &content, false, &sent, &held, err);
    spool_drop(spool);
    l->done->packs += copied;
    l->done->bytes += copied ? info->bytes : 0;
    return copied;
}

/* Gone from where it came from: prune was there in between, and a backup without packs must not be left. */
static bool still_there(struct store *from, struct store *to, struct arena *scratch, struct str key,
                        struct err *err)
{
    struct store_info info;
    struct err why = {0};
    if (store_head(from, scratch, key, &info, &why) || why.code != ERR_NOT_FOUND)
        return true;
    return store_erase(to, key, err);
}

static bool copy_manifest(struct level *l, struct store *from, struct store *to,
                          const struct store_info *info, struct err *err)
{
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    struct manifest manifest;
    struct str json = STR_NONE;
    if (!str_ends(info->key, STR("/manifest.json")))
        return true;
    if (!manifest_fetch(from, scratch, info->key, &manifest, err) ||
        !store_get(from, scratch, info->key, MANIFEST_MAX_BYTES, &json, err))
        return false;
    if (!store_create(to, scratch, info->key, json, NULL, err))
        return err->code == ERR_EXISTS;
    l->done->manifests++;
    l->done->bytes += json.len;
    return still_there(from, to, scratch, info->key, err);
}

/* ---- all of them ---- */

typedef bool (*copy_fn)(struct level *l, struct store *from, struct store *to, const struct store_info *info,
                        struct err *err);

/* From the first copy that has it whole; only when none can give it is that a failure. */
static bool bring(struct level *l, size_t to, const struct store_info *info, copy_fn copy, struct err *err)
{
    struct store *store = l->run->store;
    bool tried = false;
    for (size_t from = 0; from < store_copies(store); from++) {
        const struct store_info *there = from == to ? NULL : find(&l->held[from], info->key);
        if (there == NULL)
            continue;
        tried = true;
        if (copy(l, store_copy(store, from), store_copy(store, to), there, err))
            return true;
    }
    return !tried || err_context(err, "store %.*s", STR_ARG(store_label(store_copy(store, to))));
}

static bool held_before(const struct level *l, size_t copy, struct str key)
{
    for (size_t i = 0; i < copy; i++)
        if (find(&l->held[i], key) != NULL)
            return true;
    return false;
}

static bool level_key(struct level *l, const struct store_info *info, copy_fn copy, struct err *err)
{
    bool good = true;
    for (size_t to = 0; to < store_copies(l->run->store); to++) {
        struct err why = {0};
        if (l->away[to] || find(&l->held[to], info->key) != NULL || bring(l, to, info, copy, &why))
            continue;
        l->behind[to] = true;
        if (good)
            *err = why;
        good = false;
    }
    return good;
}

static bool level_prefix(struct level *l, struct str prefix, copy_fn copy, struct err *err)
{
    struct store *store = l->run->store;
    bool good = true;
    for (size_t i = 0; i < store_copies(store); i++) {
        struct err ignored = {0}; /* the writes before this one told of it */
        l->held[i] = (struct holdings){0};
        if (!l->away[i] && !list_all(l, store_copy(store, i), prefix, &l->held[i], &ignored)) {
            l->away[i] = true;
            l->held[i] = (struct holdings){0};
        }
    }
    for (size_t from = 0; from < store_copies(store); from++)
        for (size_t i = 0; i < l->held[from].count; i++) {
            const struct store_info *info = &l->held[from].items[i];
            struct err why = {0};
            if (held_before(l, from, info->key) || level_key(l, info, copy, &why))
                continue;
            if (good)
                *err = why;
            good = false;
        }
    return good;
}

bool stores_level(struct run *run, const char *spool_dir, struct leveled *done, struct err *err)
{
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    struct level level = {.run = run, .arena = scratch, .spool_dir = spool_dir, .done = done};
    bool good = level_prefix(&level, STR("packs/"), copy_pack, err) &&
                level_prefix(&level, STR("backups/"), copy_manifest, err);
    for (size_t i = 0; good && i < store_copies(run->store); i++)
        if (!level.away[i] && !level.behind[i])
            store_caught_up(run->store, i);
    return good;
}
