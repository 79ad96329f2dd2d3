/* Shards of one backup hand in what they stored under runs/ (backupd/joint.h), long before there is a manifest: their
 * packs are referred to from there. */
#include "backupd/manifest.h"
#include "backupd/prune_intern.h"

enum { PAGE = 1000 };

/* The objects of one run follow each other: runs/<cluster>/<name>/… */
struct shards {
    struct str run; /* "runs/<cluster>/<name>/" */
    struct str_list keys;
    int64_t modified_ms; /* of the newest */
};

static struct str run_of(struct str key)
{
    struct str rest = key;
    for (int i = 0; i < 3; i++)
        str_cut(&rest, '/');
    return str_slice(key, 0, key.len - rest.len);
}

static bool count_part(struct prune *p, struct str key, struct err *err)
{
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    struct manifest part;
    struct str text;
    if (!str_contains(key, STR("/shard-")))
        return true;
    if (!store_get(p->run->store, scratch, key, MANIFEST_MAX_BYTES, &text, err))
        return err->code == ERR_NOT_FOUND; /* its backup has been published meanwhile */
    if (!manifest_parse(scratch, text, &part, err)) {
        struct prune_backup unreadable = {
            .key = key, .problem = str_fmt(p->run->arena, "%.*s: %s", STR_ARG(key), err->msg)};
        *ARENA_PUSH(p->run->arena, &p->backups) = unreadable;
        p->unreadable++;
        return true;
    }
    for (size_t i = 0; i < part.packs.count; i++) {
        uint32_t index = references_index(&p->references, &part.packs.items[i].sha256);
        p->references.items[index].backups++;
    }
    return true;
}

/* Nobody comes back to a run of yesterday; whoever does all the same finds that its shards have to be run again. */
static bool end_run(struct prune *p, const struct shards *s, int64_t now_ms, struct err *err)
{
    struct arena *a = p->run->arena;
    bool stale = s->keys.count != 0 && s->modified_ms != 0 && now_ms - s->modified_ms > GUARD_STALE_MS;
    for (size_t i = 0; i < s->keys.count; i++) {
        struct str key = s->keys.items[i];
        if (!(stale && !p->options->dry_run ? store_delete(p->run->store, key, err)
                                            : count_part(p, key, err)))
            return err_context(err, "%.*s", STR_ARG(key));
    }
    if (stale)
        value_push(a, &p->cleared, VALUE_MAP(a, {"run", value_string(a, s->run)}));
    return true;
}

bool prune_count_runs(struct prune *p, int64_t now_ms, struct err *err)
{
    struct arena *a = p->run->arena;
    struct store_page page = {.more = true};
    struct shards shards = {0};
    struct str after = STR_NONE;
    while (page.more) {
        if (!store_list(p->run->store, a, STR("runs/"), after, PAGE, &page, err))
            return err_context(err, "look for shards");
        for (size_t i = 0; i < page.count; i++) {
            const struct store_info *info = &page.items[i];
            struct str run = run_of(after = info->key);
            if (shards.keys.count != 0 && !str_eq(run, shards.run)) {
                if (!end_run(p, &shards, now_ms, err))
                    return false;
                shards = (struct shards){0};
            }
            shards.run = run;
            shards.modified_ms =
                info->modified_ms > shards.modified_ms ? info->modified_ms : shards.modified_ms;
            *ARENA_PUSH(a, &shards.keys) = info->key;
        }
    }
    return end_run(p, &shards, now_ms, err);
}
