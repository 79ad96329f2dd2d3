#include "backupd/guard.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "backupd/manifest.h"
#include "core/base/json.h"
#include "core/base/version.h"
#include "core/config/config.h"

enum { MARKER_MAX_BYTES = 64 * 1024, PAGE = 1000, POLL_MS = 250, PROC_MAX_BYTES = 4096 };

/* Goes on while the machine sleeps, as the store's clock does. */
static int64_t boottime_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- who wrote a marker, and whether that process is still there ---- */

/* The first line of a file of the kernel's; empty where there is none. */
static struct str proc_line(struct arena *arena, const char *path)
{
    struct str text = STR_NONE;
    struct err err;
    if (!file_read(arena, path, PROC_MAX_BYTES, &text, &err))
        return STR_NONE;
    return str_cut(&text, '\n');
}

static struct str boot_id(struct arena *arena)
{
    return proc_line(arena, "/proc/sys/kernel/random/boot_id");
}

/* "pid:[4026531836]": process numbers mean the same only within one of these. */
static struct str pid_namespace(struct arena *arena)
{
    char name[64];
    ssize_t len = readlink("/proc/self/ns/pid", name, sizeof name);
    return len > 0 ? str_dup(arena, (struct str){name, (size_t)len}) : STR_NONE;
}

/* When a process started, in ticks since boot: numbers of processes come again, these do not. */
static struct str process_start(struct arena *arena, int64_t pid)
{
    struct str path = str_fmt(arena, "/proc/%lld/stat", (long long)pid);
    struct str line = proc_line(arena, path.ptr);
    /* The name stands in brackets and may hold anything; field 22 of proc(5) is the 20th behind it. */
    struct str rest = str_from(line, str_rfind(line, ')') + 1), field = STR_NONE;
    str_cut(&rest, ' ');
    for (int i = 0; i < 20; i++)
        field = str_cut(&rest, ' ');
    return field;
}

static const struct value *marker_value(struct run *run, struct str id)
{
    struct arena *a = run->arena;
    char host[256] = "";
    gethostname(host, sizeof host - 1);
    return VALUE_MAP(
        a, {"id", value_string(a, id)}, {"tool", value_cstr(a, "gitops-pipe " GITOPS_PIPE_VERSION)},
        {"startedAt", value_string(a, clock_rfc3339(a, clock_now_ms(run->clock)))},
        {"host", value_string(a, str_dup(a, str_of(host)))}, {"pid", value_int(a, getpid())},
        {"boot", value_string(a, boot_id(a))}, {"pidNamespace", value_string(a, pid_namespace(a))},
        {"processStart", value_string(a, process_start(a, getpid()))});
}

/* Only what is sure: written on this machine since it was booted, by a process of this namespace that is no more. */
static bool is_dead(struct arena *arena, const struct value *marker)
{
    struct str boot = value_str(value_key(marker, "boot")),
               start = value_str(value_key(marker, "processStart"));
    struct str namespace = value_str(value_key(marker, "pidNamespace"));
    int64_t pid = 0;
    if (boot.len == 0 || namespace.len == 0 || !str_eq(boot, boot_id(arena)) ||
        !str_eq(namespace, pid_namespace(arena)))
        return false;
    if (!value_i64(value_key(marker, "pid"), &pid) || pid < 1 || pid > INT32_MAX)
        return false;
    if (kill((pid_t)pid, 0) != 0)
        return errno == ESRCH;
    struct str now = process_start(arena, pid);
    return start.len != 0 && now.len != 0 && !str_eq(start, now);
}

/* ---- markers of ours ---- */

bool guard_new_id(struct run *run, struct str *ret_id, struct err *err)
{
    uint32_t random = 0;
    int64_t now = clock_now_ms(run->clock);
    struct str time = clock_rfc3339(run->arena, now);
    if (getrandom(&random, sizeof random, 0) != sizeof random)
        return err_errno(err, "random bytes");
    /* 2026-11-21T02:00:00Z */
    const char *t = time.ptr;
    *ret_id = str_fmt(run->arena, "%.4s%.2s%.2sT%.2s%.2s%.2s.%03dZ-%08x", t, t + 5, t + 8, t + 11, t + 14,
                      t + 17, (int)(now % 1000), random);
    return true;
}

static bool write_marker(struct run *run, struct str key, struct str id, struct guard *ret_guard,
                         struct err *err)
{
    *ret_guard = (struct guard){.key = key, .began_ms = boottime_ms()};
    return store_create(run->store, run->arena, key, json_text(run->arena, marker_value(run, id)), NULL,
                        err) ||
           err_context(err, "marker");
}

/* What the store's clock says: the time it gave the marker, and what has passed here since. */
static bool store_now(struct run *run, const struct guard *guard, int64_t *ret_ms, struct err *err)
{
    struct store_info info;
    int64_t before = boottime_ms();
    if (!store_head(run->store, run->arena, guard->key, &info, err))
        return err_context(err, "marker");
    *ret_ms = info.modified_ms + (before - guard->began_ms);
    return true;
}

bool guard_leave(struct run *run, const struct guard *guard, struct err *err)
{
    return store_delete(run->store, guard->key, err);
}

/* After a failure of our own, which is the one to tell; a marker that stays ends by age. */
static bool withdraw(struct run *run, const struct guard *guard)
{
    struct err ignored;
    bool gone = guard_leave(run, guard, &ignored);
    (void)gone;
    return false;
}

bool guard_backup_holds(const struct guard *guard, struct err *err)
{
    if (boottime_ms() - guard->began_ms <= GUARD_BACKUP_MS)
        return true;
    err_set(err, ERR_INTERRUPTED,
            "the backup took more than %d hours, and its marker may be taken for a dead one's",
            GUARD_BACKUP_MS / 3600000);
    return err_next(err, "run it again: the packs that it sent are there");
}

bool guard_prune_holds(const struct guard *guard)
{
    return boottime_ms() - guard->began_ms <= GUARD_WORK_MS;
}

/* ---- backups without a manifest ---- */

/* backups/<cluster>/<id>/<file> */
static bool in_backup(struct str key, struct str *ret_cluster, struct str *ret_id, struct str *ret_file)
{
    struct str rest = key, root = str_cut(&rest, '/');
    *ret_cluster = str_cut(&rest, '/');
    *ret_id = str_cut(&rest, '/');
    *ret_file = rest;
    return str_is(root, "backups") && ret_id->len != 0 && rest.len != 0;
}

static void read_marker(struct run *run, struct unfinished *unfinished, struct str key)
{
    const struct value *marker = NULL;
    struct str text;
    struct err err = {0};
    if (!store_get(run->store, run->arena, key, MARKER_MAX_BYTES, &text, &err) ||
        !json_parse(run->arena, text, NULL, &marker, &err) ||
        !value_is(value_key(marker, "id"), VALUE_STRING)) {
        unfinished->problem = err.msg[0] ? str_dup(run->arena, str_of(err.msg)) : STR("it is no marker");
        return;
    }
    unfinished->host = value_str(value_key(marker, "host"));
    unfinished->started_at = value_str(value_key(marker, "startedAt"));
    unfinished->dead = is_dead(run->arena, marker);
}

/* Keys come sorted, so those of one backup follow each other. */
static void note_key(struct run *run, struct unfinished_list *list, const struct store_info *info)
{
    struct str cluster, id, file;
    if (!in_backup(info->key, &cluster, &id, &file))
        return;
    struct unfinished *last = list->count ? &list->items[list->count - 1] : NULL;
    if (last == NULL || !str_eq(last->id, id) || !str_eq(last->cluster, cluster)) {
        last = ARENA_PUSH(run->arena, list);
        *last = (struct unfinished){.cluster = cluster, .id = id};
    }
    if (str_is(file, "manifest.json")) {
        last->finished = true;
        return;
    }
    *ARENA_PUSH(run->arena, &last->keys) = info->key;
    if (info->modified_ms > last->modified_ms)
        last->modified_ms = info->modified_ms;
}

static bool has_file(const struct unfinished *unfinished, const char *file, struct str *ret_key)
{
    struct str cluster, id, name;
    for (size_t i = 0; i < unfinished->keys.count; i++)
        if (in_backup(unfinished->keys.items[i], &cluster, &id, &name) && str_is(name, file)) {
            *ret_key = unfinished->keys.items[i];
            return true;
        }
    return false;
}

bool guard_unfinished(struct run *run, struct str cluster, struct unfinished_list *ret_list, struct err *err)
{
    struct unfinished_list all = {0}, list = {0};
    struct str prefix = manifest_prefix(run->arena, cluster), after = STR_NONE, key;
    struct store_page page = {.more = true};
    while (page.more) {
        if (!store_list(run->store, run->arena, prefix, after, PAGE, &page, err))
            return err_context(err, "look for running backups");
        for (size_t i = 0; i < page.count; i++)
            note_key(run, &all, &page.items[i]);
        after = page.count ? page.items[page.count - 1].key : after;
    }
    for (size_t i = 0; i < all.count; i++) {
        struct unfinished *unfinished = &all.items[i];
        if (unfinished->keys.count == 0)
            continue;
        if (has_file(unfinished, "in-progress.json", &key))
            read_marker(run, unfinished, key);
        unfinished->dead =
            unfinished->dead && unfinished->keys.count == 1; /* others may be at work on it too */
        *ARENA_PUSH(run->arena, &list) = *unfinished;
    }
    *ret_list = list;
    return true;
}

bool guard_clear(struct run *run, const struct unfinished *unfinished, struct err *err)
{
    for (size_t i = 0; i < unfinished->keys.count; i++)
        if (!store_delete(run->store, unfinished->keys.items[i], err))
            return false;
    return true;
}

bool guard_is_running(const struct unfinished *unfinished, int64_t now_ms)
{
    return !unfinished->finished && !guard_is_left_behind(unfinished, now_ms);
}

bool guard_is_left_behind(const struct unfinished *unfinished, int64_t now_ms)
{
    return unfinished->dead ||
           (unfinished->modified_ms != 0 && now_ms - unfinished->modified_ms > GUARD_STALE_MS);
}

/* ---- prunes ---- */

/* Whether a prune other than ours may still be removing packs. Markers of dead ones are removed on the way. */
static bool find_prune(struct run *run, const struct guard *guard, struct unfinished *ret_prune,
                       bool *ret_found, struct err *err)
{
    struct store_page page;
    int64_t now_ms = 0;
    *ret_found = false;
    if (!store_list(run->store, run->arena, STR(GUARD_PRUNE_PREFIX), STR_NONE, PAGE, &page, err))
        return err_context(err, "look for running prunes");
    for (size_t i = 0; i < page.count; i++) {
        const struct store_info *info = &page.items[i];
        struct unfinished prune = {.modified_ms = info->modified_ms};
        struct err ignored;
        if (str_eq(info->key, guard->key))
            continue;
        if (now_ms == 0 && !store_now(run, guard, &now_ms, err))
            return false;
        read_marker(run, &prune, info->key);
        if (!prune.dead && (info->modified_ms == 0 || now_ms - info->modified_ms <= GUARD_LEASE_MS)) {
            *ret_prune = prune;
            *ret_found = true;
        } else if (!store_delete(run->store, info->key, &ignored)) {
            continue; /* whoever comes next tries again */
        }
    }
    return true;
}

bool guard_enter_prune(struct run *run, struct guard *ret_guard, int64_t *ret_now_ms, struct err *err)
{
    struct str id = STR_NONE, key;
    struct unfinished other;
    struct guard guard;
    bool found;
    if (!guard_new_id(run, &id, err))
        return false;
    key = str_fmt(run->arena, GUARD_PRUNE_PREFIX "%.*s.json", STR_ARG(id));
    if (!write_marker(run, key, id, &guard, err))
        return false;
    if (!store_now(run, &guard, ret_now_ms, err) || !find_prune(run, &guard, &other, &found, err))
        return withdraw(run, &guard);
    *ret_guard = guard;
    return true;
}

/* ---- backups ---- */

static bool too_long(const struct unfinished *prune, struct err *err)
{
    err_set(err, ERR_CONFLICT, "a prune is removing packs from the store (host %.*s, since %.*s)",
            STR_ARG(prune->host), STR_ARG(prune->started_at));
    return err_next(err,
                    "run it again when that has ended; keep.wait in the configuration says how long to wait");
}

void guard_tell_waiting(struct run *run, const char *what, int64_t waited_ms, bool done, struct str detail)
{
    uint64_t total = run->config != NULL ? (uint64_t)run->config->keep_wait_ms / 1000 + 1 : 1;
    uint64_t waited = (uint64_t)waited_ms / 1000;
    progress_step(run->progress, what,
                  done             ? total
                  : waited < total ? waited
                                   : total - 1,
                  total, "s", detail);
}

/* A prune that came before us did not see our marker. One that comes later does, and leaves the packs alone. */
static bool wait_for_prunes(struct run *run, const struct guard *guard, struct err *err)
{
    int64_t began_ms = boottime_ms(), waited_ms = 0;
    int64_t wait_ms = run->config != NULL ? run->config->keep_wait_ms : 0;
    struct unfinished prune = {0};
    bool found;
    while (find_prune(run, guard, &prune, &found, err)) {
        if (!found && waited_ms > 0)
            guard_tell_waiting(run, "waiting for a prune", waited_ms, true, STR_NONE);
        if (!found)
            return true;
        waited_ms = boottime_ms() - began_ms;
        if (waited_ms >= wait_ms)
            return too_long(&prune, err);
        guard_tell_waiting(run, "waiting for a prune", waited_ms, false, prune.host);
        clock_sleep_ms(POLL_MS);
        waited_ms += POLL_MS;
    }
    return false;
}

/* Best effort: what stays now is seen again by the next backup and by prune. */
static void clear_away_the_dead(struct run *run, struct str cluster, const struct guard *guard)
{
    struct unfinished_list list;
    int64_t now_ms = 0;
    struct err ignored;
    if (!guard_unfinished(run, cluster, &list, &ignored))
        return;
    for (size_t i = 0; i < list.count; i++) {
        const struct unfinished *unfinished = &list.items[i];
        if (str_eq(unfinished->keys.items[0], guard->key))
            continue;
        if (now_ms == 0 && !store_now(run, guard, &now_ms, &ignored))
            return;
        if (guard_is_left_behind(unfinished, now_ms) && !guard_clear(run, unfinished, &ignored))
            return;
    }
}

bool guard_enter_backup(struct run *run, struct str cluster, struct str id, struct guard *ret_guard,
                        struct err *err)
{
    struct guard guard;
    if (!write_marker(run, manifest_marker_key(run->arena, cluster, id), id, &guard, err))
        return false;
    if (!wait_for_prunes(run, &guard, err))
        return withdraw(run, &guard);
    clear_away_the_dead(run, cluster, &guard);
    *ret_guard = guard;
    return true;
}
