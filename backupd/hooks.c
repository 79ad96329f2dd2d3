#include "backupd/hooks.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "backupd/hook_intern.h"
#include "core/base/progress.h"
#include "core/kube/kube.h"

enum state { IDLE, BEGUN, AFTER, OVER };

struct hooks {
    struct run *run;
    const char *spool_dir;
    struct arena *arena, *arena_after; /* two threads may run hooks, one each phase: see hooks_interrupt */
    struct kube *kube, *kube_after;
    struct hook_result *results; /* as the configuration lists them */
    size_t count;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t over;
    enum state state;
    bool interrupted, stored;
    atomic_int group; /* of the before hook that runs */
};

static bool needs_kube(const struct config_hooks *hooks)
{
    for (size_t i = 0; i < hooks->count; i++)
        if (hooks->items[i].namespace.len != 0)
            return true;
    return false;
}

/* Clients of their own: the snapshot's works meanwhile. */
static bool open_clients(struct hooks *h, struct err *err)
{
    return !needs_kube(&h->run->config->hooks) ||
           (kube_open_another(h->run->kube, h->arena, &h->kube, err) &&
            kube_open_another(h->run->kube, h->arena_after, &h->kube_after, err));
}

bool hooks_open(struct run *run, const char *spool_dir, struct hooks **ret_hooks, struct err *err)
{
    const struct config_hooks *list = &run->config->hooks;
    struct hooks *h = ARENA_NEW(run->arena, struct hooks);
    *h = (struct hooks){.run = run,
                        .spool_dir = spool_dir,
                        .arena = arena_new(),
                        .arena_after = arena_new(),
                        .results = ARENA_ARRAY(run->arena, struct hook_result, list->count),
                        .count = list->count};
    for (size_t i = 0; i < list->count; i++)
        h->results[i].hook = &list->items[i];
    pthread_mutex_init(&h->lock, NULL);
    pthread_cond_init(&h->over, NULL);
    if (!open_clients(h, err)) {
        hooks_close(h);
        return false;
    }
    *ret_hooks = h;
    return true;
}

void hooks_close(struct hooks *h)
{
    if (h == NULL)
        return;
    for (size_t i = 0; i < h->count; i++)
        pack_drop(h->results[i].writer);
    kube_close(h->kube);
    kube_close(h->kube_after);
    arena_free(h->arena);
    arena_free(h->arena_after);
    pthread_mutex_destroy(&h->lock);
    pthread_cond_destroy(&h->over);
}

/* ---- the order of things ---- */

static bool must_not_fail(const struct hook_result *result)
{
    return str_is(result->hook->on_failure, "fail");
}

static struct hook_call call_of(struct hooks *h, bool after)
{
    return (struct hook_call){.kube = after ? h->kube_after : h->kube,
                              .arena = after ? h->arena_after : h->arena,
                              .cluster = h->run->config->cluster_name,
                              .spool_dir = h->spool_dir,
                              .group = after ? NULL : &h->group,
                              .after_failure = after && !h->stored};
}

static bool begin(struct hooks *h, struct err *err)
{
    pthread_mutex_lock(&h->lock);
    bool interrupted = h->interrupted;
    if (!interrupted)
        h->state = BEGUN;
    pthread_mutex_unlock(&h->lock);
    return !interrupted || err_set(err, ERR_INTERRUPTED, "interrupted");
}

bool hooks_before(struct hooks *h, struct err *err)
{
    const struct hook_call call = call_of(h, false);
    for (size_t i = 0; i < h->count; i++) {
        struct hook_result *result = &h->results[i];
        struct err why = {0};
        if (!begin(h, err))
            return false;
        if (!str_is(result->hook->when, "before"))
            continue;
        progress_step(h->run->progress, "hooks", i, h->count, "hooks", result->hook->name);
        if (!hook_run(&call, result, &why) && must_not_fail(result)) {
            *err = why;
            return false;
        }
    }
    return true;
}

/* Who comes second waits for the first. False: there is nothing to run. */
static bool claim_after(struct hooks *h)
{
    pthread_mutex_lock(&h->lock);
    bool mine = h->state == BEGUN;
    if (mine)
        h->state = AFTER;
    while (!mine && h->state == AFTER)
        pthread_cond_wait(&h->over, &h->lock);
    pthread_mutex_unlock(&h->lock);
    return mine;
}

/* One that fails keeps none of the others from running: what is frozen must thaw. */
static void run_after(struct hooks *h)
{
    const struct hook_call call = call_of(h, true);
    struct err why;
    for (size_t i = 0; i < h->count; i++)
        if (str_is(h->results[i].hook->when, "after")) {
            bool ok = hook_run(&call, &h->results[i], &why);
            (void)ok; /* the result says it */
        }
    pthread_mutex_lock(&h->lock);
    h->state = OVER;
    pthread_cond_broadcast(&h->over);
    pthread_mutex_unlock(&h->lock);
}

void hooks_stored(struct hooks *h)
{
    pthread_mutex_lock(&h->lock);
    h->stored = true;
    pthread_mutex_unlock(&h->lock);
}

bool hooks_after(struct hooks *h, struct err *err)
{
    if (claim_after(h))
        run_after(h);
    pthread_mutex_lock(&h->lock);
    bool interrupted = h->interrupted;
    pthread_mutex_unlock(&h->lock);
    return !interrupted || err_set(err, ERR_INTERRUPTED, "interrupted");
}

void hooks_interrupt(struct hooks *h)
{
    struct err ignored;
    pthread_mutex_lock(&h->lock);
    h->interrupted = true;
    pthread_mutex_unlock(&h->lock);
    int group = atomic_load(&h->group);
    if (group > 0)
        kill(-group, SIGTERM);
    bool whole = hooks_after(h, &ignored);
    (void)whole; /* it was interrupted: that is known */
}

/* ---- what came of them ---- */

static const struct value *result_value(struct arena *a, const struct hook_result *r)
{
    bool kept = r->writer != NULL;
    return VALUE_MAP(a, {"name", value_string(a, r->hook->name)}, {"when", value_string(a, r->hook->when)},
                     {"ok", value_bool(a, r->ok)}, {"onFailure", value_string(a, r->hook->on_failure)},
                     {"exitCode", r->exit_code >= 0 ? value_int(a, r->exit_code) : NULL},
                     {"ms", value_int(a, r->ms)}, {"bytes", kept ? value_int(a, (int64_t)r->bytes) : NULL},
                     {"sha256", kept ? value_string(a, sha256_hex(a, &r->sha256)) : NULL},
                     {"error", r->ok ? NULL : value_string(a, r->error)},
                     {"notes", r->notes.len ? value_string(a, r->notes) : NULL});
}

const struct value *hooks_value(const struct hooks *h, struct arena *arena)
{
    struct value_list_builder list = {0};
    for (size_t i = 0; i < h->count; i++)
        if (h->results[i].ran)
            value_push(arena, &list, value_copy(arena, result_value(arena, &h->results[i])));
    return value_list_done(arena, &list);
}

struct str hooks_failed(const struct hooks *h)
{
    for (size_t i = 0; i < h->count; i++)
        if (h->results[i].ran && !h->results[i].ok && must_not_fail(&h->results[i]))
            return h->results[i].hook->name;
    return STR_NONE;
}

size_t hooks_output_count(const struct hooks *h)
{
    size_t count = 0;
    for (size_t i = 0; i < h->count; i++)
        count += h->results[i].writer != NULL;
    return count;
}

const struct hook_output *hooks_output(const struct hooks *h, size_t index)
{
    for (size_t i = 0; i < h->count; i++)
        if (h->results[i].writer != NULL && index-- == 0)
            return &h->results[i].output;
    return NULL;
}
