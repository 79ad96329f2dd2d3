#include "backupd/catalog.h"
#include "backupd/prune_intern.h"
#include "core/config/config.h"

enum { PAGE = 1000, POLL_MS = 2000 };

bool prune_each_pack(struct prune *p, struct str *after, prune_pack_fn fn, struct err *err)
{
    struct store_page page = {.more = true};
    while (page.more) {
        struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
        if (!store_list(p->run->store, scratch, STR("packs/"), *after, PAGE, &page, err))
            return err_context(err, "list packs");
        for (size_t i = 0; i < page.count; i++) {
            struct sha256 sha256;
            if (manifest_pack_of(page.items[i].key, &sha256) && /* else it is nothing of ours */
                !fn(p, &page.items[i], references_find(&p->references, &sha256), err))
                return false;
            if (i + 1 == page.count)
                *after = str_dup(p->run->arena, page.items[i].key);
        }
    }
    return true;
}

/* ---- which packs may go ---- */

static bool is_young(const struct prune *p, const struct store_info *info, int64_t now_ms)
{
    return now_ms - info->modified_ms < p->options->grace_ms;
}

static void count_removed(struct prune *p, const struct store_info *info)
{
    p->removed_packs++;
    p->removed_bytes += info->bytes;
}

static void count_young(struct prune *p, const struct store_info *info)
{
    p->young_packs++;
    p->young_bytes += info->bytes;
}

static bool count_pack(struct prune *p, const struct store_info *info, struct reference *entry,
                       struct err *err)
{
    if (entry != NULL && entry->backups != 0)
        return true;
    (is_young(p, info, clock_now_ms(p->run->clock)) ? count_young : count_removed)(p, info);
    return true;
}

static bool leave_unreadable(struct prune *p)
{
    if (p->unreadable != 0)
        p->left = STR("a manifest cannot be read, and nobody knows which packs it refers to");
    return p->unreadable != 0;
}

bool prune_count_packs(struct prune *p, struct err *err)
{
    struct str after = STR_NONE;
    if (!prune_count_runs(p, clock_now_ms(p->run->clock), err))
        return false;
    return leave_unreadable(p) || prune_each_pack(p, &after, count_pack, err);
}

/* ---- nobody may be at work ---- */

static void note_unfinished(struct prune *p, struct value_list_builder *list, const struct unfinished *u)
{
    struct arena *a = p->run->arena;
    value_push(a, list,
               VALUE_MAP(a, {"cluster", value_string(a, u->cluster)}, {"id", value_string(a, u->id)},
                         {"host", u->host.len ? value_string(a, u->host) : NULL},
                         {"startedAt", u->started_at.len ? value_string(a, u->started_at) : NULL},
                         {"problem", u->problem.len ? value_string(a, u->problem) : NULL}));
}

/* What the dead left behind is cleared away, of the living the list is left in p->running. */
static bool look_for_backups(struct prune *p, int64_t now_ms, struct err *err)
{
    struct unfinished_list list;
    p->running = (struct value_list_builder){0};
    if (!guard_unfinished(p->run, STR_NONE, &list, err))
        return false;
    for (size_t i = 0; i < list.count; i++) {
        const struct unfinished *unfinished = &list.items[i];
        if (guard_is_running(unfinished, now_ms)) {
            note_unfinished(p, &p->running, unfinished);
        } else if (guard_is_left_behind(unfinished, now_ms)) {
            if (!guard_clear(p->run, unfinished, err))
                return err_context(err, "clear away %.*s", STR_ARG(unfinished->id));
            note_unfinished(p, &p->cleared, unfinished);
        }
    }
    return true;
}

/* A copy that does not see our marker could have a backup writing to it that we do not see. */
static bool every_copy_takes_part(struct prune *p, struct err *err)
{
    struct str_list lagging = {0};
    store_lagging(p->run->store, p->run->arena, &lagging);
    if (lagging.count == 0)
        return true;
    err_set(err, ERR_UNREACHABLE, "store %.*s cannot be reached, and packs go from all stores or from none",
            STR_ARG(lagging.items[0]));
    return err_next(err, "run prune again when it is back");
}

/* Our marker first, then a look for theirs (guard.h). */
static bool enter(struct prune *p, bool *ret_alone, struct err *err)
{
    int64_t began_ms = clock_monotonic_ms(), waited_ms = 0;
    int64_t wait_ms = p->run->config != NULL ? p->run->config->keep_wait_ms : 0;
    for (;;) {
        struct err ignored;
        if (!guard_enter_prune(p->run, &p->guard, &p->now_ms, err))
            return false;
        bool looked = every_copy_takes_part(p, err) && look_for_backups(p, p->now_ms, err);
        *ret_alone = looked && p->running.count == 0;
        if (*ret_alone && waited_ms != 0)
            guard_tell_waiting(p->run, "waiting for a backup", waited_ms, true, STR_NONE);
        if (*ret_alone)
            return true;
        if (!guard_leave(p->run, &p->guard, looked ? err : &ignored) || !looked)
            return false;
        waited_ms = clock_monotonic_ms() - began_ms;
        if (waited_ms >= wait_ms)
            return true;
        guard_tell_waiting(p->run, "waiting for a backup", waited_ms, false, STR_NONE);
        clock_sleep_ms(POLL_MS);
        waited_ms += POLL_MS;
    }
}

/* What came since the first list, and what was removed and is seen all the same, counts. What vanished counts too: one
 * list proves nothing. */
static bool read_again(struct prune *p, struct err *err)
{
    struct catalog catalog;
    if (!catalog_list(p->run->store, p->run->arena, STR_NONE, &catalog, err))
        return false;
    for (size_t i = 0; i < catalog.count; i++) {
        struct prune_backup backup = {.key = catalog.items[i].key};
        bool known = false;
        for (size_t k = 0; k < p->backups.count && !known; k++)
            known = !p->backups.items[k].removed && str_eq(p->backups.items[k].key, backup.key);
        if (!known && !prune_count(p, &backup, err) && err->code != ERR_NOT_FOUND)
            return false;
    }
    return true;
}

/* ---- removing ---- */

/* A last look: it may have been sent again meanwhile, by a backup that repaired it. */
static bool remove_pack(struct prune *p, const struct store_info *listed, struct err *err)
{
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    struct store_info info;
    if (!store_head(p->run->store, scratch, listed->key, &info, err))
        return err->code == ERR_NOT_FOUND;
    if (info.modified_ms > listed->modified_ms + 1000) { /* lists and heads may round differently */
        count_young(p, listed);
        return true;
    }
    if (store_erase(p->run->store, listed->key, err)) {
        count_removed(p, listed);
        return true;
    }
    if (err->code != ERR_REFUSED)
        return err_context(err, "remove %.*s", STR_ARG(listed->key));
    prune_note_locked(p, listed->key, err->msg);
    return true;
}

static bool leave(struct prune *p, struct err *err)
{
    bool held = p->holding;
    p->holding = false;
    return !held || guard_leave(p->run, &p->guard, err);
}

/* After a failure of our own, which is the one to tell. */
static bool withdraw(struct prune *p)
{
    struct err ignored;
    bool left = leave(p, &ignored);
    (void)left;
    return false;
}

/* Alone with the store and knowing every manifest, or p->left says why not. */
static bool begin(struct prune *p, struct err *err)
{
    if (!enter(p, &p->holding, err))
        return false;
    if (!p->holding) {
        p->left = STR("a backup is running");
        return true;
    }
    /* Runs first: whoever publishes one does so before its parts go. */
    if (!prune_count_runs(p, p->now_ms, err) || !read_again(p, err))
        return withdraw(p);
    return !leave_unreadable(p) || leave(p, err);
}

static bool visit_pack(struct prune *p, const struct store_info *info, struct reference *entry,
                       struct err *err)
{
    struct sha256 sha256;
    if (p->left.len != 0 || (entry != NULL && entry->backups != 0))
        return true;
    if (is_young(p, info, p->now_ms)) {
        count_young(p, info);
        return true;
    }
    if (guard_prune_holds(&p->guard))
        return remove_pack(p, info, err);
    /* The marker counts no longer for sure: a new one, and another look at everything. */
    return leave(p, err) && begin(p, err) && manifest_pack_of(info->key, &sha256) &&
           visit_pack(p, info, references_find(&p->references, &sha256), err);
}

bool prune_remove_packs(struct prune *p, struct err *err)
{
    struct str after = STR_NONE;
    if (leave_unreadable(p))
        return true;
    if (!begin(p, err))
        return false;
    bool removed = p->left.len != 0 || prune_each_pack(p, &after, visit_pack, err);
    return removed ? leave(p, err) : withdraw(p);
}
