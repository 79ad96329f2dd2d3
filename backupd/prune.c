#include "backupd/prune.h"

#include <stdlib.h>

#include "backupd/catalog.h"
#include "backupd/prune_intern.h"

/* ---- what is there ---- */

static bool is_fatal(const struct err *err)
{
    return err->code == ERR_UNREACHABLE || err->code == ERR_DENIED || err->code == ERR_INTERRUPTED ||
           err->code == ERR_IO;
}

bool prune_count(struct prune *p, struct prune_backup *backup, struct err *err)
{
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    struct manifest manifest;
    struct err why = {0};
    if (!manifest_fetch(p->run->store, scratch, backup->key, &manifest, &why)) {
        if (is_fatal(&why) || why.code == ERR_NOT_FOUND) {
            *err = why;
            return false;
        }
        backup->problem = str_dup(p->run->arena, str_of(why.msg));
        p->unreadable++;
        return true;
    }
    /* One of a part of the cluster stands for no night: it counts with those that have holes. */
    backup->keep =
        (struct keep_item){.time_ms = manifest.taken_ms, .complete = manifest.complete && !manifest.narrowed};
    backup->packs = ARENA_ARRAY(p->run->arena, uint32_t, manifest.packs.count);
    backup->pack_count = manifest.packs.count;
    for (size_t i = 0; i < manifest.packs.count; i++) {
        uint32_t index = references_index(&p->references, &manifest.packs.items[i].sha256);
        p->references.items[index].bytes = manifest.packs.items[i].bytes;
        p->references.items[index].backups++;
        backup->packs[i] = index;
    }
    return true;
}

static bool read_backups(struct prune *p, struct err *err)
{
    struct catalog catalog;
    if (!catalog_list(p->run->store, p->run->arena, STR_NONE, &catalog, err))
        return false;
    for (size_t i = 0; i < catalog.count; i++) {
        struct prune_backup backup = {
            .key = catalog.items[i].key, .cluster = catalog.items[i].cluster, .id = catalog.items[i].id};
        progress_step(p->run->progress, "reading manifests", i, catalog.count, "backups", backup.id);
        if (prune_count(p, &backup, err))
            *ARENA_PUSH(p->run->arena, &p->backups) = backup;
        else if (err->code != ERR_NOT_FOUND) /* another prune took it */
            return false;
    }
    progress_step(p->run->progress, "reading manifests", catalog.count, catalog.count, "backups", STR_NONE);
    return true;
}

/* ---- which of them stay ---- */

static bool choose_cluster(struct prune *p, struct err *err)
{
    struct arena *a = p->run->arena;
    struct str cluster = p->cluster.len ? store_key_part(a, p->cluster) : STR_NONE;
    bool found = false;
    for (size_t i = 0; i < p->backups.count; i++) {
        struct prune_backup *backup = &p->backups.items[i];
        if (cluster.len == 0)
            cluster = backup->cluster;
        backup->chosen = str_eq(backup->cluster, cluster);
        found = found || backup->chosen;
        if (!backup->chosen && p->cluster.len == 0) {
            err_set(err, ERR_USAGE, "the store has backups of %.*s, of %.*s and perhaps of others",
                    STR_ARG(cluster), STR_ARG(backup->cluster));
            return err_next(err,
                            "say which are meant with --cluster, or set cluster.name in the configuration");
        }
    }
    if (!found)
        return err_set(err, ERR_NOT_FOUND, "there are no backups%s%.*s in %.*s", p->cluster.len ? " of " : "",
                       STR_ARG(p->cluster), STR_ARG(store_url(p->run->store)));
    p->cluster = cluster;
    return true;
}

/* Keys are sorted by the time at which a backup began, rules go by the time it shows: near, and not the same. */
static int newest_first(const void *a, const void *b)
{
    int64_t x = (*(struct prune_backup *const *)a)->keep.time_ms,
            y = (*(struct prune_backup *const *)b)->keep.time_ms;
    return (y > x) - (y < x);
}

static void decide(struct prune *p)
{
    struct arena *a = p->run->arena;
    struct prune_backup **order = ARENA_ARRAY(a, struct prune_backup *, p->backups.count);
    struct keep_item *items = ARENA_ARRAY(a, struct keep_item, p->backups.count);
    size_t count = 0;
    for (size_t i = 0; i < p->backups.count; i++)
        if (p->backups.items[i].chosen && p->backups.items[i].problem.len == 0)
            order[count++] = &p->backups.items[i];
    if (count == 0)
        return;
    qsort(order, count, sizeof *order, newest_first);
    for (size_t i = 0; i < count; i++)
        items[i] = order[i]->keep;
    keep_decide(&p->options->rules, clock_now_ms(p->run->clock), items, count);
    for (size_t i = 0; i < count; i++)
        order[i]->keep = items[i];
}

static bool goes(const struct prune_backup *backup)
{
    return backup->chosen && backup->problem.len == 0 && backup->keep.why == 0;
}

/* ---- the newest complete backup has to hold before anything else may go ---- */

static bool note_listed(struct prune *p, const struct store_info *info, struct reference *entry,
                        struct err *err)
{
    if (entry == NULL)
        return true;
    entry->listed = true;
    entry->listed_bytes = info->bytes;
    return true;
}

/* One list proves nothing: what it lacks is asked for by name. */
static bool pack_is_there(struct prune *p, const struct reference *entry)
{
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    struct manifest_pack plain = {.sha256 = entry->sha256},
                         encrypted = {.sha256 = entry->sha256, .encrypted = true};
    struct store_info info;
    struct err ignored;
    if (entry->listed && entry->listed_bytes == entry->bytes)
        return true;
    return (store_head(p->run->store, scratch, manifest_pack_key(scratch, &plain), &info, &ignored) ||
            store_head(p->run->store, scratch, manifest_pack_key(scratch, &encrypted), &info, &ignored)) &&
           info.bytes == entry->bytes;
}

static bool newest_holds(struct prune *p, struct err *err)
{
    struct str after = STR_NONE;
    if (!prune_each_pack(p, &after, note_listed, err))
        return false;
    for (size_t i = 0; i < p->backups.count; i++) {
        const struct prune_backup *backup = &p->backups.items[i];
        for (size_t k = 0; backup->chosen && (backup->keep.why & KEEP_NEWEST) && k < backup->pack_count;
             k++) {
            const struct reference *entry = &p->references.items[backup->packs[k]];
            if (pack_is_there(p, entry))
                continue;
            err_set(err, ERR_REFUSED,
                    "the newest complete backup, %.*s, lacks a pack (%.*s): nothing was removed",
                    STR_ARG(backup->id), STR_ARG(sha256_hex(p->run->arena, &entry->sha256)));
            return err_next(err,
                            "take a new backup, and look at what `gitops-pipe verify` says of the others");
        }
    }
    return true;
}

/* ---- backups go ---- */

static void forget(struct prune *p, struct prune_backup *backup)
{
    for (size_t i = 0; i < backup->pack_count; i++)
        p->references.items[backup->packs[i]].backups--;
    backup->removed = true;
    p->removed_backups++;
}

void prune_note_locked(struct prune *p, struct str key, const char *reason)
{
    struct arena *a = p->run->arena;
    value_push(a, &p->locked,
               VALUE_MAP(a, {"key", value_string(a, str_dup(a, key))},
                         {"reason", value_string(a, str_dup(a, str_of(reason)))}));
}

/* Oldest first: whenever this ends, what is left is the newer half. */
static bool remove_backups(struct prune *p, struct err *err)
{
    size_t total = p->backups.count;
    for (size_t i = total; i-- > 0;) {
        struct prune_backup *backup = &p->backups.items[i];
        if (!goes(backup))
            continue;
        progress_step(p->run->progress, "removing backups", total - i - 1, total, "backups", backup->id);
        if (p->options->dry_run || store_erase(p->run->store, backup->key, err)) {
            forget(p, backup);
        } else if (err->code == ERR_REFUSED) {
            prune_note_locked(p, backup->key, err->msg);
            backup->locked = str_dup(p->run->arena, str_of(err->msg));
        } else {
            return err_context(err, "remove %.*s", STR_ARG(backup->key));
        }
    }
    progress_step(p->run->progress, "removing backups", total, total, "backups", STR_NONE);
    return true;
}

/* ---- the report ---- */

static const struct value *backups_value(struct prune *p)
{
    struct arena *a = p->run->arena;
    struct value_list_builder list = {0};
    for (size_t i = 0; i < p->backups.count; i++) {
        const struct prune_backup *backup = &p->backups.items[i];
        if (backup->chosen && backup->problem.len == 0)
            value_push(a, &list,
                       VALUE_MAP(a, {"id", value_string(a, backup->id)},
                                 {"takenAt", value_string(a, clock_rfc3339(a, backup->keep.time_ms))},
                                 {"complete", value_bool(a, backup->keep.complete)},
                                 {"keep", value_bool(a, !goes(backup))},
                                 {"why", value_string(a, keep_reason(a, &backup->keep))},
                                 {"locked", backup->locked.len ? value_string(a, backup->locked) : NULL}));
    }
    return value_list_done(a, &list);
}

static const struct value *unreadable_value(struct prune *p)
{
    struct arena *a = p->run->arena;
    struct value_list_builder list = {0};
    for (size_t i = 0; i < p->backups.count; i++)
        if (p->backups.items[i].problem.len != 0)
            value_push(a, &list,
                       VALUE_MAP(a, {"key", value_string(a, p->backups.items[i].key)},
                                 {"problem", value_string(a, p->backups.items[i].problem)}));
    return value_list_done(a, &list);
}

static void report(struct prune *p, int64_t began_ms)
{
    struct arena *a = p->run->arena;
    const struct value *removed = VALUE_MAP(a, {"backups", value_int(a, (int64_t)p->removed_backups)},
                                            {"packs", value_int(a, (int64_t)p->removed_packs)},
                                            {"bytes", value_int(a, (int64_t)p->removed_bytes)});
    const struct value *packs = VALUE_MAP(a, {"young", value_int(a, (int64_t)p->young_packs)},
                                          {"bytesYoung", value_int(a, (int64_t)p->young_bytes)},
                                          {"left", p->left.len ? value_string(a, p->left) : NULL});
    run_section(p->run, "prune",
                VALUE_MAP(a, {"store", value_string(a, store_url(p->run->store))},
                          {"cluster", value_string(a, p->cluster)},
                          {"dryRun", p->options->dry_run ? value_bool(a, true) : NULL},
                          {"backups", backups_value(p)}, {"unreadable", unreadable_value(p)},
                          {"removed", removed}, {"packs", packs}, {"locked", value_list_done(a, &p->locked)},
                          {"running", value_list_done(a, &p->running)},
                          {"cleared", value_list_done(a, &p->cleared)},
                          {"durationMs", value_int(a, clock_monotonic_ms() - began_ms)}));
}

static bool has_rules(const struct prune *p, struct err *err)
{
    if (keep_any(&p->options->rules))
        return true;
    err_set(err, ERR_USAGE, "nothing says which backups to keep");
    return err_next(err, "set keep: in the configuration, or give --keep-last, --keep-daily and the like");
}

static bool anything_goes(const struct prune *p)
{
    for (size_t i = 0; i < p->backups.count; i++)
        if (goes(&p->backups.items[i]))
            return true;
    return false;
}

static bool find_out(struct prune *p, struct err *err)
{
    if (!has_rules(p, err) || !read_backups(p, err) || !choose_cluster(p, err))
        return false;
    decide(p);
    return !anything_goes(p) || newest_holds(p, err);
}

bool backup_prune(struct run *run, struct str cluster, const struct prune_options *options, struct err *err)
{
    int64_t began_ms = clock_monotonic_ms();
    struct prune p = {
        .run = run, .options = options, .cluster = cluster, .references = {.arena = run->arena}};
    if (!find_out(&p, err) || !remove_backups(&p, err) ||
        !(options->dry_run ? prune_count_packs : prune_remove_packs)(&p, err))
        return err_context(err, "prune");
    report(&p, began_ms);
    return true;
}
