/* Old backups go by rules, and packs when nobody needs them any more: never one too many. */
#include <criterion/criterion.h>
#include <string.h>

#include "backupd/backup.h"
#include "backupd/catalog.h"
#include "backupd/guard.h"
#include "backupd/prune.h"
#include "core/base/json.h"
#include "tests/backupd/nights.h"

static bool prune(struct backup_fixture *f, const struct prune_options *options)
{
    backup_fixture_next_run(f);
    return backup_prune(&f->run, STR("prod/eu"), options, &f->err);
}

static void expect_pruned(struct backup_fixture *f, const struct prune_options *options)
{
    cr_assert(prune(f, options), "%s", f->err.msg);
}

static int64_t removed(struct backup_fixture *f, const char *what)
{
    return backup_fixture_number(f, PATH("prune", "removed", what));
}

static struct str left(struct backup_fixture *f)
{
    return value_str(backup_fixture_in(f, PATH("prune", "packs", "left")));
}

static const struct prune_options keep_two = {.rules = {.last = 2}};

Test(prune, what_no_rule_keeps_goes_with_the_packs_that_only_it_had)
{
    struct backup_fixture f;
    nights_open(&f);
    for (int night = 0; night < 5; night++)
        night_make(&f, night, night);
    cr_assert_eq(backup_fixture_count(&f, "packs/"), 3 + 5);

    expect_pruned(&f, &keep_two);
    cr_expect_eq(removed(&f, "backups"), 3);
    cr_expect_eq(removed(&f, "packs"), 3);
    cr_expect_gt(removed(&f, "bytes"), 0);
    cr_expect_eq(left(&f).len, 0);
    cr_expect_eq(backup_fixture_count(&f, "packs/"), 3 + 2);
    cr_expect_eq(backup_fixture_count(&f, GUARD_PRUNE_PREFIX), 0, "its marker is gone");
    cr_expect_eq(nights_are_whole(&f, "after"), 2);
    backup_fixture_done(&f);
}

Test(prune, the_report_says_of_each_why_it_stays)
{
    static const struct prune_options options = {.rules = {.last = 1, .daily = 2}};
    struct backup_fixture f;
    nights_open(&f);
    for (int night = 0; night < 3; night++)
        night_make(&f, night, 0);
    expect_pruned(&f, &options);
    const struct value *backups = backup_fixture_in(&f, PATH("prune", "backups"));
    cr_assert_eq(value_count(backups), 3);
    cr_expect(str_is(value_str(value_key(value_item(backups, 0), "why")),
                     "newest complete, last, daily 2026-11-23"));
    cr_expect(str_is(value_str(value_key(value_item(backups, 1), "why")), "daily 2026-11-22"));
    cr_expect(str_is(value_str(value_key(value_item(backups, 2), "why")), "no rule keeps it"));
    cr_expect_not(value_true(value_key(value_item(backups, 2), "keep")));
    backup_fixture_done(&f);
}

Test(prune, a_dry_run_says_the_same_and_writes_nothing)
{
    struct prune_options options = keep_two;
    struct backup_fixture f;
    nights_open(&f);
    for (int night = 0; night < 5; night++)
        night_make(&f, night, night);
    options.dry_run = true;
    if (f.clock.fixed_ms < clock_now_ms(NULL))
        f.clock.fixed_ms =
            clock_now_ms(NULL); /* packs have the date of today, and a dry run no other clock */
    expect_pruned(&f, &options);
    cr_expect_eq(removed(&f, "backups"), 3);
    cr_expect_eq(removed(&f, "packs"), 3);
    cr_expect_eq(backup_fixture_count(&f, ""), 1 + 5 + 8, "probe, manifests, packs");
    backup_fixture_done(&f);
}

/* Two clusters in one store: rules touch one of them, references count of both. */
Test(prune, packs_that_another_cluster_has_too_stay)
{
    struct backup_fixture f;
    nights_open(&f);
    night_make(&f, 0, 0);
    f.bundle.cluster = STR("other");
    night_make(&f, 1, 0);
    f.bundle.cluster = STR("prod/eu");
    night_make(&f, 2, 2);
    night_make(&f, 3, 3);
    expect_pruned(&f, &(struct prune_options){.rules = {.last = 1}});
    cr_expect_eq(removed(&f, "backups"), 2);
    cr_expect_eq(removed(&f, "packs"), 1);
    cr_expect_eq(nights_are_whole(&f, "after"), 2);

    cr_expect_not(backup_prune(&f.run, STR_NONE, &keep_two, &f.err));
    cr_expect_eq(f.err.code, ERR_USAGE, "%s", f.err.msg);
    cr_expect(strstr(f.err.next, "--cluster") != NULL, "%s", f.err.next);
    cr_expect_not(backup_prune(&f.run, STR("nobody"), &keep_two, &f.err));
    cr_expect_eq(f.err.code, ERR_NOT_FOUND, "%s", f.err.msg);
    backup_fixture_done(&f);
}

Test(prune, without_rules_nothing_is_removed)
{
    struct backup_fixture f;
    nights_open(&f);
    night_make(&f, 0, 0);
    cr_expect_not(prune(&f, &(struct prune_options){0}));
    cr_expect_eq(f.err.code, ERR_USAGE, "%s", f.err.msg);
    cr_expect(strstr(f.err.next, "keep:") != NULL);
    cr_expect_eq(nights_are_whole(&f, "after"), 1);
    backup_fixture_done(&f);
}

Test(prune, incomplete_backups_never_push_a_complete_one_out)
{
    struct backup_fixture f;
    nights_open(&f);
    night_make(&f, 0, 0);
    f.bundle.complete = false;
    for (int night = 1; night < 5; night++)
        night_make(&f, night, night);
    expect_pruned(&f, &(struct prune_options){.rules = {.last = 1}});
    cr_expect_eq(removed(&f, "backups"), 3);
    cr_expect_eq(nights_are_whole(&f, "after"), 2, "the complete one and the newest of the others");
    backup_fixture_done(&f);
}

Test(prune, a_backup_of_a_part_of_the_cluster_stands_for_no_night)
{
    struct backup_fixture f;
    nights_open(&f);
    night_make(&f, 0, 0);
    f.bundle.selection = VALUE_MAP(f.arena, {"narrowed", value_bool(f.arena, true)});
    f.bundle.narrowed = true;
    night_make(&f, 1, 1);
    night_make(&f, 2, 2);
    expect_pruned(&f, &(struct prune_options){.rules = {.last = 1}});
    cr_expect_eq(removed(&f, "backups"), 1);
    cr_expect_eq(nights_are_whole(&f, "after"), 2, "the whole one and the newest part");
    backup_fixture_done(&f);
}

/* Packs that nothing refers to: what a killed run sent is young, and goes once it is not. */
Test(prune, packs_within_the_grace_period_stay)
{
    struct backup_fixture f;
    nights_open(&f);
    night_make(&f, 0, 0);
    cr_assert(store_put(f.inner, f.arena,
                        STR("packs/00000000000000000000000000000000000000000000000000000000000000aa.tar.zst"),
                        STR("of a killed run"), NULL, &f.err));
    cr_assert(store_put(f.inner, f.arena, STR("packs/README"), STR("nothing of ours"), NULL, &f.err));
    struct prune_options options = {.rules = {.last = 1}, .grace_ms = 3600000};
    expect_pruned(&f, &options);
    cr_expect_eq(removed(&f, "packs"), 0);
    cr_expect_eq(backup_fixture_number(&f, PATH("prune", "packs", "young")), 1);

    f.plan = (struct fault_plan){.older = "packs/", .older_ms = 3600000 + 5000};
    expect_pruned(&f, &options);
    cr_expect_eq(removed(&f, "packs"), 1);
    cr_expect_eq(backup_fixture_count(&f, "packs/README"), 1, "what is no pack is not touched");
    cr_expect_eq(nights_are_whole(&f, "after"), 1);
    backup_fixture_done(&f);
}

/* The store's clock says today, the machine's says something else: of packs only the store's counts. */
Test(prune, clocks_of_machines_that_differ_change_nothing)
{
    static const int64_t skews[] = {0, -1200000, 1200000, NIGHT * 4000};
    for (size_t i = 0; i < COUNT_OF(skews); i++) {
        struct backup_fixture f;
        nights_open(&f);
        night_make(&f, 0, 0);
        night_make(&f, 1, 1);
        night_make(&f, 2, 2);
        f.clock.fixed_ms = NIGHT_0 + 2 * NIGHT + skews[i];
        struct prune_options options = {.rules = {.last = 1}, .grace_ms = 3600000};
        expect_pruned(&f, &options);
        cr_expect_eq(removed(&f, "packs"), 0, "all packs are seconds old, whatever the machine thinks");
        f.plan = (struct fault_plan){.older = "packs/", .older_ms = 3600000 + 5000};
        f.clock.fixed_ms = NIGHT_0 + 2 * NIGHT + skews[i];
        expect_pruned(&f, &options);
        cr_expect_gt(removed(&f, "packs"), 0, "and now they are an hour old");
        nights_are_whole(&f, "after");
        backup_fixture_done(&f);
    }
}

Test(prune, what_object_lock_protects_is_left_named_and_counted)
{
    static const char *const prefixes[] = {"packs/", "backups/"};
    for (size_t i = 0; i < COUNT_OF(prefixes); i++) {
        struct backup_fixture f;
        nights_open(&f);
        for (int night = 0; night < 4; night++)
            night_make(&f, night, night);
        f.plan.retained = str_of(prefixes[i]);
        f.plan.legal_hold = true;
        expect_pruned(&f, &keep_two);
        const struct value *locked = backup_fixture_in(&f, PATH("prune", "locked"));
        cr_expect_eq(value_count(locked), 2, "%s", prefixes[i]);
        cr_expect(str_starts(value_str(value_key(value_item(locked, 0), "key")), str_of(prefixes[i])));
        cr_expect_eq(removed(&f, "packs"), 0, "a pack of a locked manifest is needed, too");
        cr_expect_eq(removed(&f, "backups"), i == 0 ? 2 : 0);
        cr_expect_eq(nights_are_whole(&f, prefixes[i]), i == 0 ? 2 : 4);

        f.plan = (struct fault_plan){0};
        expect_pruned(&f, &keep_two);
        cr_expect_eq(removed(&f, "packs"), 2, "the lock is over");
        nights_are_whole(&f, prefixes[i]);
        backup_fixture_done(&f);
    }
}

Test(prune, nothing_goes_while_the_newest_complete_backup_lacks_a_pack)
{
    for (int damage = 0; damage < 2; damage++) {
        struct backup_fixture f;
        nights_open(&f);
        for (int night = 0; night < 4; night++)
            night_make(&f, night, night);
        struct str pack = backup_fixture_pack_key(&f, "web");
        cr_assert(damage ? store_put(f.inner, f.arena, pack, STR("half"), NULL, &f.err)
                         : store_delete(f.inner, pack, &f.err));
        cr_expect_not(prune(&f, &keep_two));
        cr_expect_eq(f.err.code, ERR_REFUSED, "%s", f.err.msg);
        cr_expect(f.err.next[0] != '\0');
        cr_expect_eq(backup_fixture_count(&f, "backups/"), 4);
        backup_fixture_done(&f);
    }
}

Test(prune, a_manifest_that_cannot_be_read_keeps_every_pack_and_is_named)
{
    static const char *const texts[] = {"", "{\"format\":99,\"tool\":\"gitops-pipe 9\"}", "{\"format\":1}"};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct backup_fixture f;
        struct catalog catalog;
        nights_open(&f);
        for (int night = 0; night < 4; night++)
            night_make(&f, night, night);
        cr_assert(catalog_list(f.inner, f.arena, STR_NONE, &catalog, &f.err));
        struct str key = catalog.items[3].key;
        cr_assert(store_put(f.inner, f.arena, key, str_of(texts[i]), NULL, &f.err));
        expect_pruned(&f, &keep_two);
        cr_expect_eq(removed(&f, "backups"), 1, "the other one");
        cr_expect_eq(removed(&f, "packs"), 0);
        cr_expect_gt(left(&f).len, 0);
        const struct value *unreadable = value_item(backup_fixture_in(&f, PATH("prune", "unreadable")), 0);
        cr_expect(str_eq(value_str(value_key(unreadable, "key")), key));
        cr_expect_eq(backup_fixture_count(&f, "packs/"), 3 + 4);
        backup_fixture_done(&f);
    }
}

Test(prune, beside_a_running_backup_it_leaves_all_packs_and_says_so)
{
    struct backup_fixture f;
    struct guard guard;
    nights_open(&f);
    for (int night = 0; night < 4; night++)
        night_make(&f, night, night);
    backup_fixture_next_run(&f);
    cr_assert(guard_enter_backup(&f.run, STR("other"), STR("running"), &guard, &f.err), "%s", f.err.msg);
    expect_pruned(&f, &keep_two);
    cr_expect_eq(removed(&f, "backups"), 2);
    cr_expect_eq(removed(&f, "packs"), 0);
    cr_expect(str_is(left(&f), "a backup is running"));
    const struct value *running = value_item(backup_fixture_in(&f, PATH("prune", "running")), 0);
    cr_expect(str_is(value_str(value_key(running, "id")), "running"));
    cr_expect_gt(value_str(value_key(running, "host")).len, 0);
    cr_expect_eq(backup_fixture_count(&f, GUARD_PRUNE_PREFIX), 0);

    /* A day later nobody believes in it any more. */
    f.plan = (struct fault_plan){.older = "backups/other/running/", .older_ms = GUARD_STALE_MS + 5000};
    expect_pruned(&f, &keep_two);
    cr_expect_eq(removed(&f, "packs"), 2);
    cr_expect_eq(value_count(backup_fixture_in(&f, PATH("prune", "cleared"))), 1);
    cr_expect_eq(backup_fixture_count(&f, "backups/other/"), 0, "and it is cleared away");
    cr_expect_eq(nights_are_whole(&f, "after"), 2);
    backup_fixture_done(&f);
}

/* What shards have handed in is referred to, though no manifest does so yet. */
Test(prune, packs_of_shards_that_wait_for_others_stay_for_a_day)
{
    struct backup_fixture f;
    struct catalog catalog;
    struct str part;
    nights_open(&f);
    for (int night = 0; night < 4; night++)
        night_make(&f, night, night);
    cr_assert(catalog_list(f.inner, f.arena, STR_NONE, &catalog, &f.err));
    cr_assert(store_get(f.inner, f.arena, catalog.items[3].key, 1 << 20, &part, &f.err));
    cr_assert(store_put(f.inner, f.arena, STR("runs/prod%2Feu/nightly/plan.json"), STR("{}"), NULL, &f.err));
    cr_assert(store_put(f.inner, f.arena, STR("runs/prod%2Feu/nightly/shard-3.json"), part, NULL, &f.err));

    expect_pruned(&f, &keep_two);
    cr_expect_eq(removed(&f, "backups"), 2);
    cr_expect_eq(removed(&f, "packs"), 1, "not the one that shard 3 counts on");
    cr_expect_eq(backup_fixture_count(&f, "runs/"), 2);

    f.plan = (struct fault_plan){.older = "runs/", .older_ms = GUARD_STALE_MS + 5000};
    expect_pruned(&f, &keep_two);
    cr_expect_eq(removed(&f, "packs"), 1, "nobody comes back to it");
    cr_expect_eq(backup_fixture_count(&f, "runs/"), 0);
    nights_are_whole(&f, "after");
    backup_fixture_done(&f);
}

Test(prune, a_part_of_a_shard_that_cannot_be_read_keeps_every_pack)
{
    struct backup_fixture f;
    nights_open(&f);
    for (int night = 0; night < 4; night++)
        night_make(&f, night, night);
    cr_assert(store_put(f.inner, f.arena, STR("runs/prod/x/shard-0.json"), STR("{"), NULL, &f.err));
    expect_pruned(&f, &keep_two);
    cr_expect_eq(removed(&f, "packs"), 0);
    cr_expect_gt(left(&f).len, 0);
    cr_expect_eq(value_count(backup_fixture_in(&f, PATH("prune", "unreadable"))), 1);
    backup_fixture_done(&f);
}

/* A list that lacks a manifest, as an eventually consistent gateway may give it, costs no pack. */
struct lapse {
    struct backup_fixture *f;
    struct str key, body;
    unsigned from, to; /* operations between which the key cannot be seen */
};

static void lapse(void *ctx, unsigned operation)
{
    struct lapse *l = ctx;
    struct arena *arena = arena_new();
    struct err err;
    if (operation == l->from)
        cr_assert(store_delete(l->f->inner, l->key, &err));
    if (operation == l->to)
        cr_assert(store_put(l->f->inner, arena, l->key, l->body, NULL, &err));
    arena_free(arena);
}

Test(prune, one_list_that_lacks_a_manifest_costs_no_pack)
{
    unsigned operations = 0;
    for (unsigned from = 0; from <= operations; from++) {
        struct backup_fixture f;
        struct catalog catalog;
        nights_open(&f);
        for (int night = 0; night < 4; night++)
            night_make(&f, night, night);
        cr_assert(catalog_list(f.inner, f.arena, STR_NONE, &catalog, &f.err));
        struct lapse l = {.f = &f, .key = catalog.items[1].key, .from = from, .to = from + 1};
        cr_assert(store_get(f.inner, f.arena, l.key, 1 << 20, &l.body, &f.err));
        f.plan = (struct fault_plan){.before = lapse, .ctx = &l};
        bool pruned = prune(&f, &keep_two);
        operations = f.plan.operations;
        cr_assert_gt(operations, 15);
        cr_expect(pruned || f.err.code == ERR_NOT_FOUND, "%u: %s", from, f.err.msg);
        lapse(&l, l.to);
        cr_expect_geq(nights_are_whole(&f, "after the lapse"), 2, "%u", from);
        backup_fixture_done(&f);
    }
}

/* Of a killed backup a marker stays, and packs that nothing refers to. Prune goes by without harm, and once nobody can
 * come back to it, takes all of it away. */
Test(prune, what_a_killed_backup_leaves_behind_goes_and_nothing_else)
{
    for (unsigned at = 1; at < 20; at++) {
        struct backup_fixture f;
        nights_open(&f);
        night_make(&f, 0, 0);
        night_make(&f, 1, 1);
        f.plan = (struct fault_plan){.at = at, .for_good = true};
        bool made = night_try(&f, 2, 7, &f.err);
        f.plan = (struct fault_plan){0};
        expect_pruned(&f, &(struct prune_options){.rules = {.last = 2}});
        cr_expect_eq(nights_are_whole(&f, "beside its marker"), 2, "at %u", at);

        f.plan = (struct fault_plan){.older = "backups/", .older_ms = GUARD_STALE_MS + 5000};
        expect_pruned(&f, &(struct prune_options){.rules = {.last = 2}});
        cr_expect_eq(nights_are_whole(&f, "a day later"), 2, "at %u", at);
        cr_expect_eq(backup_fixture_count(&f, "backups/"), 2, "at %u: no marker is left", at);
        cr_expect_eq(backup_fixture_count(&f, "packs/"), 3 + 2, "at %u (%s): nor a pack", at,
                     made ? "made" : "killed");
        backup_fixture_done(&f);
    }
}

Test(prune, cut_off_at_any_operation_it_loses_nothing_and_the_next_run_ends_it)
{
    unsigned operations = 0;
    for (unsigned at = 0; at <= operations; at++)
        for (int how = 0; how < 4; how++) {
            struct backup_fixture f;
            nights_open(&f);
            for (int night = 0; night < 4; night++)
                night_make(&f, night, night);
            f.plan = (struct fault_plan){.at = at, .after = how & 1, .for_good = how & 2};
            bool pruned = prune(&f, &keep_two);
            operations = at == 0 ? f.plan.operations : operations;
            cr_expect(pruned || f.err.code == ERR_UNREACHABLE, "at %u: %s", at, f.err.msg);
            cr_expect_geq(nights_are_whole(&f, "cut off"), 2, "at %u", at);

            /* The marker of a run that was cut off counts until its lease is over. */
            f.plan = (struct fault_plan){.older = GUARD_PRUNE_PREFIX, .older_ms = GUARD_LEASE_MS + 5000};
            night_make(&f, 4, 0);
            f.plan = (struct fault_plan){0};
            expect_pruned(&f, &keep_two);
            cr_expect_eq(nights_are_whole(&f, "ended"), 2, "at %u", at);
            cr_expect_eq(backup_fixture_count(&f, "packs/"), 3 + 2, "at %u", at);
            cr_expect_eq(backup_fixture_count(&f, GUARD_PRUNE_PREFIX), 0, "at %u", at);
            backup_fixture_done(&f);
        }
}
