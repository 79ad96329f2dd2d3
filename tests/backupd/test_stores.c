/* A backup on every kind of store: made, made again for nothing, loaded, verified, damaged. */
#include <criterion/criterion.h>

#include "backupd/backup.h"
#include "backupd/load.h"
#include "backupd/verify.h"
#include "tests/backupd/backup_fixture.h"
#include "tests/harness/store_fixture.h"

static void use(struct backup_fixture *f, struct store *store)
{
    backup_fixture_next_run(f);
    f->run.store = store;
}

static void make_and_read_back(struct backup_fixture *f, const char *name, struct store *store)
{
    struct bundle loaded;
    bool clean = false;
    use(f, store);
    cr_assert(backup_stage(&f->run, &f->bundle, &f->err), "%s: %s", name, f->err.msg);
    cr_expect_eq(backup_fixture_number(f, PATH("backup", "packs", "new")), 4, "%s", name);

    use(f, store);
    cr_assert(backup_stage(&f->run, &f->bundle, &f->err), "%s: %s", name, f->err.msg);
    cr_expect_eq(backup_fixture_number(f, PATH("backup", "packs", "unchanged")), 4, "%s", name);
    cr_expect_eq(backup_fixture_number(f, PATH("backup", "packs", "bytesNew")), 0, "%s", name);

    cr_assert(backup_load(&f->run, STR("prod/eu"), STR("latest"), &loaded, &f->err), "%s: %s", name,
              f->err.msg);
    cr_assert_eq(loaded.count, f->bundle.count);
    for (size_t i = 0; i < loaded.count; i++)
        cr_expect(value_equal(loaded.items[i].object, f->bundle.items[i].object), "%s: %zu", name, i);
    cr_expect(backup_verify(&f->run, STR("prod/eu"), STR("latest"), &clean, &f->err), "%s: %s", name,
              f->err.msg);
    cr_expect(clean, "%s", name);
}

static void damage_is_found(struct backup_fixture *f, const char *name, struct store *store)
{
    struct store_page page;
    bool clean = true;
    cr_assert(store_list(store, f->arena, STR("packs/"), STR_NONE, 1, &page, &f->err), "%s: %s", name,
              f->err.msg);
    cr_assert_eq(page.count, 1);
    cr_assert(store_put(store, f->arena, page.items[0].key, STR("rotten"), NULL, &f->err), "%s", f->err.msg);
    cr_expect(backup_verify(&f->run, STR("prod/eu"), STR("latest"), &clean, &f->err), "%s: %s", name,
              f->err.msg);
    cr_expect_not(clean, "%s", name);
    use(f, store);
    cr_assert(backup_stage(&f->run, &f->bundle, &f->err), "%s: %s", name, f->err.msg);
    cr_expect_eq(backup_fixture_number(f, PATH("backup", "packs", "repaired")), 1, "%s", name);
    cr_expect(backup_verify(&f->run, STR("prod/eu"), STR("latest"), &clean, &f->err), "%s: %s", name,
              f->err.msg);
    cr_expect(clean, "%s", name);
}

Test(backup_on_stores, is_made_once_read_back_and_repaired)
{
    for (struct store_fixture s = {0}; store_fixture_next(&s);) {
        struct backup_fixture f;
        backup_fixture_init(&f);
        make_and_read_back(&f, s.name, s.store);
        damage_is_found(&f, s.name, s.store);
        backup_fixture_done(&f);
    }
}
