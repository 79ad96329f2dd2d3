/* One backup by several processes: in any order, at once, killed and run again; never a manifest before all are in, and
 * never two. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "backupd/backup.h"
#include "backupd/catalog.h"
#include "backupd/joint.h"
#include "backupd/load.h"
#include "core/kube/selection.h"
#include "tests/backupd/backup_fixture.h"

enum { SHARDS = 3 };

static const struct value *selection_of(struct backup_fixture *f)
{
    return VALUE_MAP(f->arena, {"preset", value_cstr(f->arena, "declared")});
}

static struct joint joint_of(struct backup_fixture *f, unsigned index)
{
    return (struct joint){
        .cluster = f->bundle.cluster, .name = STR("night"), .index = index, .shards = SHARDS};
}

/* The share of a shard, as a snapshot would bring it. */
static struct bundle share_of(struct backup_fixture *f, unsigned index)
{
    const struct kube_selection selection = {.shard = index, .shards = SHARDS};
    struct bundle share = f->bundle;
    share.items = NULL;
    share.count = share.cap = 0;
    share.selection = selection_of(f);
    for (size_t i = 0; i < f->bundle.count; i++)
        if (kube_shard_has(&selection, f->bundle.items[i].namespace))
            bundle_add(&share, &f->bundle.items[i]);
    return share;
}

/* What a process does that is started as this shard. */
static bool run_shard(struct backup_fixture *f, struct run *run, unsigned index, struct err *err)
{
    struct joint joint = joint_of(f, index);
    struct bundle share = share_of(f, index);
    struct joint_state state;
    struct stash *stash = NULL;
    bool found, is_in, complete;
    if (!joint_find(run, &joint, selection_of(f), &found, err) ||
        (!found && !joint_begin(run, &joint, STR("4711"), selection_of(f), err)) ||
        !joint_finish(run, &joint, &state, err) || !joint_is_in(run, &joint, &is_in, err))
        return false;
    if (!state.published && !is_in && !stash_from_bundle(run->arena, NULL, &share, &stash, err))
        return false;
    bool done = backup_shard(run, stash, &joint, &complete, err);
    stash_close(stash);
    return done;
}

static void must_run(struct backup_fixture *f, unsigned index)
{
    backup_fixture_next_run(f);
    cr_assert(run_shard(f, &f->run, index, &f->err), "shard %u: %s", index, f->err.msg);
}

static size_t visible(struct backup_fixture *f)
{
    struct catalog catalog;
    cr_assert(catalog_list(f->inner, f->arena, STR_NONE, &catalog, &f->err), "%s", f->err.msg);
    return catalog.count;
}

/* The one backup holds what the cluster held, and is what one process alone would have made of it. */
static void expect_whole(struct backup_fixture *f)
{
    struct bundle loaded;
    cr_assert_eq(visible(f), 1);
    cr_assert(backup_load(&f->run, STR_NONE, STR("latest"), &loaded, &f->err), "%s", f->err.msg);
    cr_assert_eq(loaded.count, f->bundle.count);
    for (size_t i = 0; i < loaded.count; i++)
        cr_expect(resource_cmp(&loaded.items[i], &f->bundle.items[i]) == 0 &&
                  value_equal(loaded.items[i].object, f->bundle.items[i].object));
    cr_expect(value_equal(loaded.openapi, f->bundle.openapi));
    cr_expect_eq(loaded.types.count, f->bundle.types.count);
    cr_expect_not(loaded.complete, "one type of the fixture could not be read");
    cr_expect_eq(backup_fixture_count(f, "runs/"), 1, "the plan stays, the parts go");
}

Test(joint, shards_in_any_order_make_one_backup)
{
    static const unsigned orders[][SHARDS] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                              {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    for (size_t k = 0; k < COUNT_OF(orders); k++) {
        struct backup_fixture f;
        backup_fixture_init(&f);
        for (size_t i = 0; i < SHARDS; i++) {
            cr_expect_eq(visible(&f), 0);
            must_run(&f, orders[k][i]);
            const struct value *waiting = backup_fixture_in(&f, PATH("backup", "shard", "waitingFor"));
            cr_expect_eq(value_count(waiting), SHARDS - 1 - i);
        }
        expect_whole(&f);
        cr_expect_eq(backup_fixture_number(&f, PATH("backup", "objects")), (int64_t)f.bundle.count);
        must_run(&f, 1);
        expect_whole(&f);
        backup_fixture_done(&f);
    }
}

Test(joint, a_missing_shard_never_publishes)
{
    for (unsigned absent = 0; absent < SHARDS; absent++) {
        struct backup_fixture f;
        backup_fixture_init(&f);
        for (int twice = 0; twice < 2; twice++)
            for (unsigned i = 0; i < SHARDS; i++)
                if (i != absent)
                    must_run(&f, i);
        cr_expect_eq(visible(&f), 0);
        backup_fixture_done(&f);
    }
}

/* Killed at every single operation of every shard, for good or for once, before or after it took effect. */
Test(joint, a_killed_shard_is_run_again)
{
    for (unsigned victim = 0; victim < SHARDS; victim++)
        for (unsigned at = 1, harmed = true; harmed; at++)
            for (unsigned how = 0; how < 4; how++) {
                struct backup_fixture f;
                backup_fixture_init(&f);
                for (unsigned i = 0; i < SHARDS; i++)
                    if (i != victim)
                        must_run(&f, i);
                backup_fixture_next_run(&f);
                f.plan = (struct fault_plan){.at = at, .after = how & 1, .for_good = how & 2};
                (void)!run_shard(&f, &f.run, victim, &f.err);
                harmed = f.plan.operations >= at;
                f.plan = (struct fault_plan){0};
                must_run(&f, victim);
                expect_whole(&f);
                backup_fixture_done(&f);
            }
}

struct process {
    struct backup_fixture *f;
    struct run run;
    unsigned index;
    struct err err;
    bool done;
};

static void *as_process(void *ctx)
{
    struct process *process = ctx;
    process->done = run_shard(process->f, &process->run, process->index, &process->err);
    return NULL;
}

/* All at once, each shard twice: whoever is last publishes, and two that are last publish the same. */
Test(joint, shards_at_the_same_time_publish_once)
{
    for (int round = 0; round < 20; round++) {
        struct backup_fixture f;
        struct process processes[2 * SHARDS];
        pthread_t threads[2 * SHARDS];
        backup_fixture_init(&f);
        for (unsigned i = 0; i < 2 * SHARDS; i++) {
            struct backup_fixture *own = ARENA_NEW(f.arena, struct backup_fixture);
            *own = f;
            own->arena = arena_new();
            own->bundle.arena = own->arena;
            processes[i] = (struct process){.f = own, .index = i % SHARDS};
            processes[i].run =
                (struct run){.arena = own->arena, .clock = &f.clock, .config = &f.config, .store = f.inner};
        }
        for (unsigned i = 0; i < 2 * SHARDS; i++)
            cr_assert_eq(pthread_create(&threads[i], NULL, as_process, &processes[i]), 0);
        for (unsigned i = 0; i < 2 * SHARDS; i++)
            pthread_join(threads[i], NULL);
        for (unsigned i = 0; i < 2 * SHARDS; i++) {
            cr_expect(processes[i].done, "%u: %s", i, processes[i].err.msg);
            arena_free(processes[i].f->arena);
        }
        backup_fixture_next_run(&f);
        f.run.store = f.inner;
        must_run(&f, 0); /* clears away what a slow twin handed in after the end */
        expect_whole(&f);
        backup_fixture_done(&f);
    }
}

Test(joint, other_settings_are_refused)
{
    struct backup_fixture f;
    bool found;
    backup_fixture_init(&f);
    must_run(&f, 0);
    struct joint joint = joint_of(&f, 1);
    cr_expect_not(joint_find(&f.run, &joint, NULL, &found, &f.err));
    cr_expect_eq(f.err.code, ERR_USAGE);
    cr_expect(strstr(f.err.msg, "another selection") != NULL, "%s", f.err.msg);
    joint.shards = SHARDS + 1;
    cr_expect_not(joint_find(&f.run, &joint, selection_of(&f), &found, &f.err));
    cr_expect(strstr(f.err.msg, "another number of shards") != NULL, "%s", f.err.msg);
    joint.name = STR("other");
    cr_expect(joint_find(&f.run, &joint, selection_of(&f), &found, &f.err) && !found);
    backup_fixture_done(&f);
}

/* A prune came in between. */
Test(joint, a_pack_that_has_gone_is_stored_again)
{
    struct backup_fixture f;
    struct store_page packs;
    backup_fixture_init(&f);
    must_run(&f, 0);
    cr_assert(store_list(f.inner, f.arena, STR("packs/"), STR_NONE, 1, &packs, &f.err));
    cr_assert(store_delete(f.inner, packs.items[0].key, &f.err));
    must_run(&f, 1);
    backup_fixture_next_run(&f);
    cr_expect_not(run_shard(&f, &f.run, 2, &f.err));
    cr_expect_eq(f.err.code, ERR_NOT_FOUND);
    cr_expect_str_eq(f.err.next, "run shard 0/3 again");
    cr_expect_eq(visible(&f), 0);
    must_run(&f, 0);
    expect_whole(&f);
    backup_fixture_done(&f);
}

Test(joint, the_name_of_a_shard_is_read)
{
    static const struct {
        const char *text;
        bool good;
        unsigned index, shards;
    } cases[] = {{"0/1", true, 0, 1},    {"3/4", true, 3, 4},   {"999/1000", true, 999, 1000},
                 {"4/4", false, 0, 0},   {"-1/4", false, 0, 0}, {"1", false, 0, 0},
                 {"/4", false, 0, 0},    {"0/0", false, 0, 0},  {"0/1001", false, 0, 0},
                 {"1/4/5", false, 0, 0}, {"", false, 0, 0}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        unsigned index = 77, shards = 77;
        struct err err;
        cr_expect_eq(joint_parse_shard(str_of(cases[i].text), &index, &shards, &err), cases[i].good, "%s",
                     cases[i].text);
        if (cases[i].good)
            cr_expect(index == cases[i].index && shards == cases[i].shards, "%s", cases[i].text);
        else
            cr_expect_eq(err.code, ERR_USAGE);
    }
}

/* Every namespace has one shard, and no shard has all of many. */
Test(joint, namespaces_are_shared_out)
{
    size_t shares[8] = {0};
    for (unsigned n = 0; n < 2000; n++) {
        char name[32];
        unsigned owners = 0;
        snprintf(name, sizeof name, "team-%u", n);
        for (unsigned i = 0; i < 8; i++) {
            const struct kube_selection selection = {.shard = i, .shards = 8};
            bool has = kube_shard_has(&selection, str_of(name));
            owners += has;
            shares[i] += has;
        }
        cr_assert_eq(owners, 1, "%s", name);
    }
    for (unsigned i = 0; i < 8; i++)
        cr_expect(shares[i] > 180 && shares[i] < 320, "shard %u has %zu of 2000", i, shares[i]);
}
