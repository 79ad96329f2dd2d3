#include "core/store/mirror.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/sha256.h"

enum { MAX_NOTES = 100, LEFT_ALONE_MS = 30 * 1000 };

struct copy_state {
    bool lags; /* a write went past it */
    int64_t left_alone_until_ms;
};

struct mirror {
    struct store store;
    pthread_mutex_t lock; /* of all below */
    struct copy_state *states;
    struct arena *arena; /* of the notes */
    struct str_list notes;
    size_t more_notes;
};

static struct mirror *mirror_of(struct store *store)
{
    return store->copy_count != 0 ? (struct mirror *)store : NULL;
}

/* ---- what failed ---- */

static void note(struct mirror *m, size_t copy, bool write, const struct err *why)
{
    pthread_mutex_lock(&m->lock);
    struct copy_state *state = &m->states[copy];
    struct str line =
        str_fmt(m->arena, "store %.*s: %s", STR_ARG(store_label(m->store.copies[copy])), why->msg);
    state->lags = state->lags || write;
    if (why->code == ERR_UNREACHABLE)
        state->left_alone_until_ms = clock_monotonic_ms() + LEFT_ALONE_MS;
    bool known = str_in(line, m->notes.items, m->notes.count);
    if (!known && m->notes.count < MAX_NOTES)
        *ARENA_PUSH(m->arena, &m->notes) = line;
    else if (!known)
        m->more_notes++;
    pthread_mutex_unlock(&m->lock);
}

/* It could not be reached a moment ago. */
static bool is_left_alone(struct mirror *m, size_t copy)
{
    pthread_mutex_lock(&m->lock);
    bool left_alone = m->states[copy].left_alone_until_ms > clock_monotonic_ms();
    pthread_mutex_unlock(&m->lock);
    return left_alone;
}

static void set_lag(struct mirror *m, size_t copy, bool lags)
{
    pthread_mutex_lock(&m->lock);
    m->states[copy].lags = lags;
    pthread_mutex_unlock(&m->lock);
}

void store_caught_up(struct store *store, size_t index)
{
    if (mirror_of(store) != NULL)
        set_lag(mirror_of(store), index, false);
}

void store_notes(struct store *store, struct arena *arena, struct str_list *ret_notes)
{
    struct mirror *m = mirror_of(store);
    struct str_list notes = {0};
    if (m != NULL) {
        pthread_mutex_lock(&m->lock);
        for (size_t i = 0; i < m->notes.count; i++)
            *ARENA_PUSH(arena, &notes) = str_dup(arena, m->notes.items[i]);
        if (m->more_notes != 0)
            *ARENA_PUSH(arena, &notes) = str_fmt(arena, "… and %zu more of this kind", m->more_notes);
        pthread_mutex_unlock(&m->lock);
    }
    *ret_notes = notes;
}

void store_lagging(struct store *store, struct arena *arena, struct str_list *ret_names)
{
    struct mirror *m = mirror_of(store);
    struct str_list names = {0};
    for (size_t i = 0; m != NULL && i < store->copy_count; i++) {
        pthread_mutex_lock(&m->lock);
        if (m->states[i].lags)
            *ARENA_PUSH(arena, &names) = store_label(store->copies[i]);
        pthread_mutex_unlock(&m->lock);
    }
    *ret_names = names;
}

/* ---- trying copies ---- */

/* That something is not there counts only when every copy says so. */
static void keep_worst(struct err *err, const struct err *why, bool first)
{
    if (first || err->code == ERR_NOT_FOUND)
        *err = *why;
}

/* Whose turn it is: in order, and those that were left alone only while nothing succeeded. */
struct turns {
    bool tried[STORE_MAX_COPIES];
    struct err worst; /* of those that failed */
    bool failed, succeeded;
};

static bool next_turn(struct store *store, struct turns *turns, size_t *ret_copy)
{
    for (int left_alone = 0; left_alone < (turns->succeeded ? 1 : 2); left_alone++)
        for (size_t i = 0; i < store->copy_count; i++) {
            if (turns->tried[i] || is_left_alone(mirror_of(store), i) != (left_alone == 1))
                continue;
            turns->tried[i] = true;
            *ret_copy = i;
            return true;
        }
    return false;
}

static void keep(struct turns *turns, const struct err *why)
{
    keep_worst(&turns->worst, why, !turns->failed);
    turns->failed = true;
}

/* Fills `err` where nothing succeeded. */
static bool end_turns(const struct turns *turns, struct err *err)
{
    if (!turns->succeeded)
        *err = turns->worst;
    return turns->succeeded;
}

bool store_try_copies(struct store *store, store_try_fn attempt, void *ctx, struct err *err)
{
    struct mirror *m = mirror_of(store);
    struct turns turns = {0};
    size_t copy;
    if (m == NULL)
        return attempt(ctx, store, err);
    struct err missing[STORE_MAX_COPIES] = {0};
    while (!turns.succeeded && next_turn(store, &turns, &copy)) {
        struct err why = {0};
        turns.succeeded = attempt(ctx, store->copies[copy], &why);
        if (turns.succeeded)
            break;
        keep(&turns, &why);
        if (why.code == ERR_NOT_FOUND)
            missing[copy] = why;
        else
            note(m, copy, false, &why);
    }
    for (size_t i = 0; turns.succeeded && i < store->copy_count; i++)
        if (missing[i].code != ERR_NONE)
            note(m, i, false, &missing[i]); /* only where another had it is that a fault */
    return end_turns(&turns, err);
}

bool store_write_copies(struct store *store, store_try_fn attempt, void *ctx, struct err *err)
{
    struct mirror *m = mirror_of(store);
    struct turns turns = {0};
    size_t copy;
    if (m == NULL)
        return attempt(ctx, store, err);
    while (next_turn(store, &turns, &copy)) {
        struct err why = {0};
        if (attempt(ctx, store->copies[copy], &why)) {
            turns.succeeded = true;
            continue;
        }
        keep(&turns, &why);
        if (why.code == ERR_EXISTS && !turns.succeeded)
            break; /* the first copy decides who wins a key */
        note(m, copy, true, &why);
    }
    for (size_t i = 0; turns.succeeded && i < store->copy_count; i++)
        if (!turns.tried[i])
            set_lag(m, i, true);
    return end_turns(&turns, err);
}

/* ---- the driver ---- */

struct writing {
    struct arena *arena;
    const struct store_write *write;
    struct store_info *info;
    bool won; /* a copy took it */
};

static bool holds_the_same(struct store *copy, struct arena *arena, const struct store_write *write)
{
    struct store_info there = {0};
    struct err ignored = {0};
    return copy->driver->head(copy, arena, write->key, &there, &ignored) && there.has_sha256 &&
           there.bytes == write->body.len && sha256_eq(&there.sha256, &write->sha256);
}

static bool write_one(void *ctx, struct store *copy, struct err *err)
{
    struct writing *w = ctx;
    struct store_info info = *w->info;
    bool written = copy->driver->write(copy, w->arena, w->write, &info, err) ||
                   (w->won && err->code == ERR_EXISTS && holds_the_same(copy, w->arena, w->write));
    if (written && !w->won)
        *w->info = info;
    w->won = w->won || written;
    return written;
}

/* The first copy that can be reached decides who wins a key; only the winner writes the others. */
static bool mirror_write(struct store *store, struct arena *arena, const struct store_write *write,
                         struct store_info *info, struct err *err)
{
    struct writing w = {.arena = arena, .write = write, .info = info};
    return store_write_copies(store, write_one, &w, err);
}

struct reading {
    struct arena *arena;
    struct str key;
    const struct store_sink *sink;
    bool handed_out; /* the sink saw something: no other copy can go on from there */
    struct err why;
};

static bool pass_on(void *ctx, struct str piece, struct err *err)
{
    struct reading *r = ctx;
    r->handed_out = true;
    return r->sink->piece(r->sink->ctx, piece, err);
}

static bool read_one(void *ctx, struct store *copy, struct err *err)
{
    struct reading *r = ctx;
    if (r->handed_out) {
        *err = r->why;
        return false;
    }
    bool good = copy->driver->read(copy, r->arena, r->key, &(struct store_sink){pass_on, r}, err);
    if (!good)
        r->why = *err;
    return good;
}

static bool mirror_read(struct store *store, struct arena *arena, struct str key,
                        const struct store_sink *sink, struct err *err)
{
    struct reading r = {.arena = arena, .key = key, .sink = sink};
    return store_try_copies(store, read_one, &r, err);
}

static void merge_lock(struct store_info *info, const struct store_info *other)
{
    if (other->retained_until_ms > info->retained_until_ms)
        info->retained_until_ms = other->retained_until_ms;
    info->legal_hold = info->legal_hold || other->legal_hold;
}

/* What the first copy says that has it; the lock is the longest of all. */
static bool mirror_head(struct store *store, struct arena *arena, struct str key, struct store_info *info,
                        struct err *err)
{
    struct turns turns = {0};
    size_t copy;
    while (next_turn(store, &turns, &copy)) {
        struct store_info there = {.key = key};
        struct err why = {0};
        if (store->copies[copy]->driver->head(store->copies[copy], arena, key, &there, &why)) {
            if (turns.succeeded)
                merge_lock(info, &there);
            else
                *info = there;
            turns.succeeded = true;
            continue;
        }
        keep(&turns, &why);
        if (why.code != ERR_NOT_FOUND)
            note(mirror_of(store), copy, false, &why);
    }
    return end_turns(&turns, err);
}

static int info_order(const void *a, const void *b)
{
    return str_cmp(((const struct store_info *)a)->key, ((const struct store_info *)b)->key);
}

/* Sorted, each key once, none beyond what every copy has listed so far, at most `limit`. */
static void settle(struct store_page *page, struct str bound, size_t limit)
{
    size_t kept = 0;
    if (page->count != 0)
        qsort(page->items, page->count, sizeof *page->items, info_order);
    for (size_t i = 0; i < page->count; i++) {
        bool beyond = kept == limit || (bound.len != 0 && str_cmp(page->items[i].key, bound) > 0);
        bool same = kept != 0 && str_eq(page->items[kept - 1].key, page->items[i].key);
        page->more = page->more || (beyond && !same);
        if (!beyond && !same)
            page->items[kept++] = page->items[i];
    }
    page->count = kept;
}

static bool mirror_list(struct store *store, struct arena *arena, struct str prefix, struct str after,
                        size_t limit, struct store_page *page, struct err *err)
{
    struct turns turns = {0};
    struct str bound = STR_NONE;
    size_t copy;
    while (next_turn(store, &turns, &copy)) {
        struct store_page one = {0};
        struct err why = {0};
        if (!store->copies[copy]->driver->list(store->copies[copy], arena, prefix, after, limit, &one,
                                               &why)) {
            keep(&turns, &why);
            note(mirror_of(store), copy, false, &why);
            continue;
        }
        for (size_t k = 0; k < one.count; k++)
            *ARENA_PUSH(arena, page) = one.items[k];
        page->more = page->more || one.more;
        if (one.more && one.count != 0 &&
            (bound.len == 0 || str_cmp(one.items[one.count - 1].key, bound) < 0))
            bound = one.items[one.count - 1].key;
        turns.succeeded = true;
    }
    settle(page, bound, limit);
    return end_turns(&turns, err);
}

static bool remove_everywhere(struct store *store, struct arena *arena, struct str key, bool erase,
                              struct err *err)
{
    bool good = true;
    for (size_t i = 0; i < store->copy_count; i++) {
        struct store *copy = store->copies[i];
        struct err why = {0};
        bool with_versions = erase && copy->driver->erase != NULL;
        if ((with_versions ? copy->driver->erase : copy->driver->remove)(copy, arena, key, &why))
            continue;
        err_context(&why, "store %.*s", STR_ARG(store_label(copy)));
        if (good)
            *err = why;
        good = false;
    }
    return good;
}

static bool mirror_remove(struct store *store, struct arena *arena, struct str key, struct err *err)
{
    return remove_everywhere(store, arena, key, false, err);
}

/* A lock in one copy keeps all of them. */
static bool mirror_erase(struct store *store, struct arena *arena, struct str key, struct err *err)
{
    struct store_info info = {.key = key};
    if (!mirror_head(store, arena, key, &info, err)) {
        if (err->code != ERR_NOT_FOUND)
            return false;
    } else if (info.legal_hold || info.retained_until_ms > clock_now_ms(NULL)) {
        err_set(err, ERR_REFUSED, "%.*s is %s", STR_ARG(key),
                info.legal_hold ? "under legal hold" : "retained by object lock");
        return err_next(err, "object lock keeps it in one of the stores; nothing was removed");
    }
    return remove_everywhere(store, arena, key, true, err);
}

static void mirror_close(struct store *store)
{
    struct mirror *m = mirror_of(store);
    for (size_t i = 0; i < store->copy_count; i++)
        store_close(store->copies[i]);
    pthread_mutex_destroy(&m->lock);
    arena_free(m->arena);
}

static const struct store_driver driver = {
    .name = "mirror",
    .write = mirror_write,
    .read = mirror_read,
    .head = mirror_head,
    .list = mirror_list,
    .remove = mirror_remove,
    .erase = mirror_erase,
    .close = mirror_close,
};

struct store *store_mirror(struct arena *arena, struct store *const *copies, size_t count)
{
    struct mirror *m = ARENA_NEW(arena, struct mirror);
    struct str *urls = ARENA_ARRAY(arena, struct str, count);
    m->store.copies = ARENA_ARRAY(arena, struct store *, count);
    m->store.copy_count = count;
    m->states = ARENA_ARRAY(arena, struct copy_state, count);
    for (size_t i = 0; i < count; i++) {
        m->store.copies[i] = copies[i];
        urls[i] = store_url(copies[i]);
    }
    m->store.driver = &driver;
    m->store.url = str_join(arena, urls, count, STR(" + "));
    m->arena = arena_new();
    pthread_mutex_init(&m->lock, NULL);
    return &m->store;
}
