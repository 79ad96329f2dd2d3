/* Which backups there are, and which one a name means. */
#include <criterion/criterion.h>
#include <string.h>

#include "backupd/backup.h"
#include "backupd/catalog.h"
#include "tests/backupd/backup_fixture.h"

static struct str make(struct backup_fixture *f, const char *cluster)
{
    backup_fixture_next_run(f);
    f->bundle.cluster = str_of(cluster);
    cr_assert(backup_stage(&f->run, &f->bundle, &f->err), "%s", f->err.msg);
    return f->bundle.backup_id;
}

static struct str find(struct backup_fixture *f, const char *cluster, struct str which)
{
    struct catalog_entry entry = {0};
    f->err = (struct err){0};
    if (!catalog_find(f->inner, f->arena, str_of(cluster), which, &entry, &f->err))
        return STR_NONE;
    return entry.id;
}

Test(catalog, an_empty_store_says_what_to_do)
{
    struct backup_fixture f;
    backup_fixture_init(&f);
    cr_expect_eq(find(&f, "", STR("latest")).len, 0);
    cr_expect_eq(f.err.code, ERR_NOT_FOUND, "%s", f.err.msg);
    cr_expect(strstr(f.err.next, "gitops-pipe backup") != NULL, "%s", f.err.next);
    backup_fixture_done(&f);
}

Test(catalog, names)
{
    struct backup_fixture f;
    backup_fixture_init(&f);
    struct str old = make(&f, "prod"), new = make(&f, "prod"), other = make(&f, "stage");

    cr_expect(str_eq(find(&f, "prod", STR("latest")), new));
    cr_expect(str_eq(find(&f, "", STR("prod/latest")), new));
    cr_expect(str_eq(find(&f, "", old), old));
    cr_expect(str_eq(find(&f, "", str_slice(old, 0, old.len - 1)), old));
    cr_expect(str_eq(find(&f, "", str_fmt(f.arena, "stage/%.*s", STR_ARG(other))), other));

    cr_expect_eq(find(&f, "", STR("latest")).len, 0);
    cr_expect_eq(f.err.code, ERR_USAGE, "%s", f.err.msg);
    cr_expect(strstr(f.err.msg, "prod/") != NULL && strstr(f.err.msg, "stage/") != NULL, "%s", f.err.msg);
    cr_expect_eq(find(&f, "", STR("2026")).len, 0);
    cr_expect_eq(f.err.code, ERR_USAGE, "%s", f.err.msg);
    cr_expect_eq(find(&f, "prod", other).len, 0);
    cr_expect_eq(f.err.code, ERR_NOT_FOUND, "%s", f.err.msg);
    cr_expect_eq(find(&f, "", STR("2027")).len, 0);
    cr_expect_eq(f.err.code, ERR_NOT_FOUND, "%s", f.err.msg);
    cr_expect_eq(find(&f, "", STR("prod/")).len, 0);
    cr_expect_eq(f.err.code, ERR_USAGE, "%s", f.err.msg);
    backup_fixture_done(&f);
}

Test(catalog, lists_newest_first_and_says_what_cannot_be_read)
{
    struct backup_fixture f;
    struct catalog catalog;
    backup_fixture_init(&f);
    struct str old = make(&f, "prod"), new = make(&f, "prod");
    cr_assert(store_put(f.inner, f.arena, STR("backups/prod/20250101T000000.000Z-00000000/manifest.json"),
                        STR("{\"format\":1}"), NULL, &f.err));
    cr_assert(store_put(f.inner, f.arena, STR("backups/prod/20250102T000000.000Z-00000000/in-progress.json"),
                        STR("{}"), NULL, &f.err));

    cr_assert(catalog_list(f.inner, f.arena, STR("prod"), &catalog, &f.err), "%s", f.err.msg);
    cr_assert(catalog_read(f.inner, f.arena, 10, &catalog, &f.err), "%s", f.err.msg);
    cr_assert_eq(catalog.count, 3);
    cr_expect(str_eq(catalog.items[0].id, new));
    cr_expect(str_eq(catalog.items[1].id, old));
    cr_expect(catalog.items[2].problem.len != 0);
    const struct value *list = catalog_value(f.arena, &catalog);
    cr_expect(str_is(value_text(value_key(value_item(list, 0), "objects")), "7"));
    cr_expect(value_str(value_key(value_item(list, 2), "problem")).len != 0);

    cr_assert(catalog_read(f.inner, f.arena, 1, &catalog, &f.err), "%s", f.err.msg);
    cr_expect_eq(catalog.count, 1);
    backup_fixture_done(&f);
}
