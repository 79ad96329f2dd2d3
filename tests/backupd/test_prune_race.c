/* Backups and prunes of two machines on one store, in every order of their operations that two changes of turn can
 * make: whatever is visible afterwards is whole. The worst case is played every time: a backup finds in the store
 * exactly the pack that the prune is about to remove, old and referred to by nothing. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "backupd/backup.h"
#include "backupd/guard.h"
#include "backupd/prune.h"
#include "tests/backupd/nights.h"

enum { PLAYERS = 2 };

/* Whose turn it is, and for how many operations yet. A turn also ends with its player. */
struct duet {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct turn {
        int player;
        unsigned operations;
    } turns[4];
    size_t at;
    bool done[PLAYERS];
};

typedef void *(*play_fn)(void *player);

struct player {
    struct duet *duet;
    int number;
    struct backup_fixture f; /* of its own machine: arena, clock, run; the store is shared */
    unsigned operations;     /* it took */
    bool good;
};

static bool may_go(const struct duet *d, int player)
{
    return d->at == COUNT_OF(d->turns) || d->turns[d->at].player == player || d->done[d->turns[d->at].player];
}

static void next_turn(struct duet *d)
{
    while (d->at < COUNT_OF(d->turns) && (d->turns[d->at].operations == 0 || d->done[d->turns[d->at].player]))
        d->at++;
    pthread_cond_broadcast(&d->changed);
}

static void before_operation(void *ctx, unsigned operation)
{
    struct player *p = ctx;
    struct duet *d = p->duet;
    pthread_mutex_lock(&d->lock);
    while (!may_go(d, p->number))
        pthread_cond_wait(&d->changed, &d->lock);
    if (d->at < COUNT_OF(d->turns)) {
        d->turns[d->at].operations--;
        next_turn(d);
    }
    p->operations = operation;
    pthread_mutex_unlock(&d->lock);
}

static void end(struct player *p)
{
    pthread_mutex_lock(&p->duet->lock);
    p->duet->done[p->number] = true;
    next_turn(p->duet);
    pthread_mutex_unlock(&p->duet->lock);
}

static void *play_backup(void *ctx)
{
    struct player *p = ctx;
    p->good = night_try(&p->f, 3, 1, &p->f.err);
    end(p);
    return NULL;
}

static void *play_prune(void *ctx)
{
    static const struct prune_options options = {.rules = {.last = 1}};
    struct player *p = ctx;
    backup_fixture_next_run(&p->f);
    p->good = backup_prune(&p->f.run, STR("prod/eu"), &options, &p->f.err);
    end(p);
    return NULL;
}

/* A second machine on the store of `f`. */
static void join(struct player *p, struct duet *duet, int number, struct backup_fixture *f)
{
    *p = (struct player){.duet = duet, .number = number};
    nights_open(&p->f);
    store_close(p->f.inner);
    p->f.inner = f->inner;
    p->f.clock.fixed_ms = f->clock.fixed_ms + 60000;
    p->f.plan = (struct fault_plan){.before = before_operation, .ctx = p};
}

static void part(struct player *p)
{
    arena_free(p->f.arena);
}

/* Nights 0, 1 and 2 with contents 0, 1 and 2; the backup that runs has content 1 again. */
static void prepare(struct backup_fixture *f)
{
    nights_open(f);
    for (int night = 0; night < 3; night++)
        night_make(f, night, night);
}

static void check(struct backup_fixture *f, const char *where)
{
    cr_expect_geq(nights_are_whole(f, where), 1, "%s", where);
    backup_fixture_next_run(f);
    f->plan = (struct fault_plan){0};
    night_make(f, 4, 1);
    nights_are_whole(f, where);
}

/* The first is stopped after `first_operations`, the second after `second_operations`, then each goes to its end.
 * `ret_lengths`: how many operations each took. */
static void duet(play_fn first, play_fn second, unsigned first_operations, unsigned second_operations,
                 unsigned *ret_lengths)
{
    struct duet d = {.lock = PTHREAD_MUTEX_INITIALIZER,
                     .changed = PTHREAD_COND_INITIALIZER,
                     .turns = {{0, first_operations}, {1, second_operations}, {0, ~0U}, {1, ~0U}}};
    const play_fn play[] = {first, second};
    struct backup_fixture f;
    struct player players[PLAYERS];
    pthread_t threads[PLAYERS];
    char where[64];
    prepare(&f);
    next_turn(&d);
    snprintf(where, sizeof where, "%u operations, then %u", first_operations, second_operations);
    for (int i = 0; i < PLAYERS; i++)
        join(&players[i], &d, i, &f);
    for (int i = 0; i < PLAYERS; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, play[i], &players[i]), 0);
    for (int i = 0; i < PLAYERS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < PLAYERS; i++) {
        bool may_fail = play[i] == play_backup && players[i].f.err.code == ERR_CONFLICT;
        cr_expect(players[i].good || may_fail, "%s: %s", where, players[i].f.err.msg);
        ret_lengths[i] = players[i].operations;
    }
    check(&f, where);
    for (int i = 0; i < PLAYERS; i++)
        part(&players[i]);
    backup_fixture_done(&f);
}

static void every_order(play_fn first, play_fn second)
{
    unsigned alone[PLAYERS], ignored[PLAYERS];
    duet(first, second, ~0U, 0, alone);
    cr_assert(alone[0] > 8 && alone[1] > 8, "%u and %u operations", alone[0], alone[1]);
    for (unsigned i = 0; i <= alone[0]; i++)
        for (unsigned k = 0; k <= alone[1]; k++)
            duet(first, second, i, k, ignored);
}

Test(prune_race, a_backup_stopped_anywhere_while_a_prune_goes_any_distance, .timeout = 120)
{
    every_order(play_backup, play_prune);
}

Test(prune_race, a_prune_stopped_anywhere_while_a_backup_goes_any_distance, .timeout = 120)
{
    every_order(play_prune, play_backup);
}

Test(prune_race, two_prunes_at_once, .timeout = 120)
{
    every_order(play_prune, play_prune);
}
