/* Backups in two stores: one away for a night, one that lost or changed something, both made level again. */
#include <criterion/criterion.h>
#include <string.h>

#include "backupd/backup.h"
#include "backupd/level.h"
#include "backupd/load.h"
#include "backupd/verify.h"
#include "core/store/mirror.h"
#include "tests/backupd/backup_fixture.h"

struct fixture {
    struct backup_fixture base; /* its store is "main", behind its own faults */
    struct store *second, *faulty;
    struct fault_plan plan; /* of second */
};

static void next_run(struct fixture *f)
{
    struct store *copies[2];
    backup_fixture_next_run(&f->base);
    copies[0] = f->base.run.store;
    copies[0]->name = STR("main");
    copies[1] = f->faulty = fault_store(f->base.arena, f->second, &f->plan);
    copies[1]->name = STR("second");
    f->base.run.store = store_mirror(f->base.arena, copies, 2);
}

static void fixture_init(struct fixture *f)
{
    struct config_store config = {.name = STR("second"), .url = STR("mem:")};
    *f = (struct fixture){0};
    backup_fixture_init(&f->base);
    cr_assert(store_open(f->base.arena, &config, &f->second, &f->base.err), "%s", f->base.err.msg);
    next_run(f);
}

static void end_run(struct fixture *f)
{
    store_close(f->base.run.store);
    next_run(f);
}

static void fixture_done(struct fixture *f)
{
    store_close(f->base.run.store);
    store_close(f->second);
    backup_fixture_done(&f->base);
}

static size_t keys(struct fixture *f, struct store *store, const char *prefix)
{
    struct store_page page;
    cr_assert(store_list(store, f->base.arena, str_of(prefix), STR_NONE, 1000, &page, &f->base.err), "%s",
              f->base.err.msg);
    return page.count;
}

static const struct value *lacking(struct fixture *f)
{
    return backup_fixture_in(&f->base, PATH("backup", "lacking"));
}

static void backup(struct fixture *f)
{
    cr_assert(backup_stage(&f->base.run, &f->base.bundle, &f->base.err), "%s", f->base.err.msg);
}

static bool verify(struct fixture *f)
{
    bool clean = false;
    cr_assert(backup_verify(&f->base.run, STR_NONE, STR("latest"), &clean, &f->base.err), "%s",
              f->base.err.msg);
    return clean;
}

Test(level, a_backup_goes_to_both)
{
    struct fixture f;
    fixture_init(&f);
    backup(&f);
    cr_expect(lacking(&f) == NULL);
    cr_expect_eq(keys(&f, f.second, "packs/"), 4);
    cr_expect_eq(keys(&f, f.second, "backups/"), 1, "a manifest, and no marker left");
    cr_expect(verify(&f));
    fixture_done(&f);
}

Test(level, a_store_that_is_away_is_named_and_gets_all_of_it_the_next_time)
{
    for (int away = 0; away < 2; away++) {
        struct fixture f;
        fixture_init(&f);
        struct store *absent = away ? f.second : f.base.inner;
        struct fault_plan *plan = away ? &f.plan : &f.base.plan;
        *plan = (struct fault_plan){.at = 1, .for_good = true};
        backup(&f);
        cr_expect(
            str_is(value_str(value_item(value_key(lacking(&f), "stores"), 0)), away ? "second" : "main"));
        *plan = (struct fault_plan){0};
        cr_expect_eq(keys(&f, absent, ""), 0);

        end_run(&f);
        backup_fixture_add(&f.base, "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":"
                                    "\"later\",\"namespace\":\"web\"}}");
        backup(&f);
        cr_expect(lacking(&f) == NULL);
        cr_expect_eq(keys(&f, absent, "packs/"), 5, "also the pack that only the older backup needs");
        cr_expect_eq(keys(&f, absent, "backups/"), 2);
        const struct value *note = value_item(backup_fixture_in(&f.base, PATH("backup", "notes")), 0);
        cr_expect(str_contains(value_str(note), STR("copied from store to store: 1 packs, 1 manifests")),
                  "%.*s", STR_ARG(value_str(note)));
        cr_expect(verify(&f));
        fixture_done(&f);
    }
}

Test(level, a_changed_pack_is_named_by_verify_and_read_from_the_other)
{
    struct fixture f;
    struct bundle loaded;
    struct str_list notes;
    fixture_init(&f);
    backup(&f);
    struct str key = backup_fixture_pack_key(&f.base, "shop");
    cr_assert(store_put(f.base.inner, f.base.arena, key, STR("rotten"), NULL, &f.base.err));

    cr_expect_not(verify(&f));
    const struct value *problem = value_item(backup_fixture_in(&f.base, PATH("verify", "problems")), 0);
    cr_expect(str_contains(value_str(value_key(problem, "message")), STR("store main: pack namespace shop")),
              "%.*s", STR_ARG(value_str(value_key(problem, "message"))));
    cr_expect_eq(value_count(backup_fixture_in(&f.base, PATH("verify", "problems"))), 1);

    cr_expect(backup_load(&f.base.run, STR_NONE, STR("latest"), &loaded, &f.base.err), "%s", f.base.err.msg);
    cr_expect_eq(loaded.count, f.base.bundle.count);
    store_notes(f.base.run.store, f.base.arena, &notes);
    cr_expect(notes.count == 1 && str_starts(notes.items[0], STR("store main: packs/")));

    end_run(&f);
    backup(&f);
    cr_expect_eq(backup_fixture_number(&f.base, PATH("backup", "packs", "repaired")), 1);
    cr_expect(verify(&f));
    fixture_done(&f);
}

Test(level, a_damaged_manifest_is_read_from_the_other)
{
    struct fixture f;
    struct bundle loaded;
    struct store_page page;
    fixture_init(&f);
    backup(&f);
    cr_assert(store_list(f.base.inner, f.base.arena, STR("backups/"), STR_NONE, 1, &page, &f.base.err));
    cr_assert(store_put(f.base.inner, f.base.arena, page.items[0].key, STR("{"), NULL, &f.base.err));
    cr_expect(backup_load(&f.base.run, STR_NONE, STR("latest"), &loaded, &f.base.err), "%s", f.base.err.msg);
    fixture_done(&f);
}

/* What is damaged in one store is never spread to the other. */
Test(level, a_damaged_pack_is_not_copied)
{
    struct fixture f;
    struct leveled done = {0};
    fixture_init(&f);
    f.plan = (struct fault_plan){.at = 1, .for_good = true};
    backup(&f);
    struct str key = backup_fixture_pack_key(&f.base, "shop");
    cr_assert(store_put(f.base.inner, f.base.arena, key, STR("rotten"), NULL, &f.base.err));
    f.plan = (struct fault_plan){0};
    end_run(&f);
    cr_expect_not(stores_level(&f.base.run, NULL, &done, &f.base.err));
    cr_expect_eq(f.base.err.code, ERR_CORRUPT, "%s", f.base.err.msg);
    cr_expect_eq(done.packs, 3);
    cr_expect_eq(keys(&f, f.second, "backups/"), 0, "no manifest before its packs");
    fixture_done(&f);
}
