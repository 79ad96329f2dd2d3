/* A backup whose hashes all hold and whose content does not agree: only a writer with a fault makes one, and only
 * `verify --deep` finds it. */
#include <criterion/criterion.h>
#include <string.h>

#include "backupd/backup.h"
#include "backupd/catalog.h"
#include "backupd/verify.h"
#include "core/base/json.h"
#include "core/store/pack.h"
#include "tests/backupd/backup_fixture.h"

#define SECRET(name, metadata)                                                                               \
    "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":\"" name                              \
    "\",\"namespace\":\"web\"" metadata "}}"

/* The pack of "web" replaced by one of these entries, and a manifest that agrees with its hash, size and count. */
static void write_web(struct backup_fixture *f, const char *const (*entries)[2], size_t count)
{
    struct pack_writer *writer;
    struct pack pack;
    struct catalog_entry entry;
    struct manifest m;
    struct err *err = &f->err;
    cr_assert(backup_stage(&f->run, &f->bundle, err), "%s", err->msg);
    cr_assert(pack_begin(NULL, &writer, err), "%s", err->msg);
    for (size_t i = 0; i < count; i++)
        cr_assert(pack_add(writer, str_of(entries[i][0]), str_of(entries[i][1]), err), "%s", err->msg);
    cr_assert(pack_finish(writer, &pack, err), "%s", err->msg);
    cr_assert(catalog_find(f->inner, f->arena, STR_NONE, STR("latest"), &entry, err), "%s", err->msg);
    cr_assert(manifest_fetch(f->inner, f->arena, entry.key, &m, err), "%s", err->msg);
    for (size_t i = 0; i < m.packs.count; i++) {
        struct manifest_pack *web = &m.packs.items[i];
        if (!str_is(web->namespace, "web"))
            continue;
        web->sha256 = pack.sha256;
        web->bytes = pack.bytes.len;
        web->raw_bytes = pack.raw_bytes;
        web->entries = pack.entries;
        cr_assert(store_put(f->inner, f->arena, manifest_pack_key(f->arena, web), pack.bytes, NULL, err));
    }
    m.objects += count - 2;
    cr_assert(store_put(f->inner, f->arena, entry.key, json_text(f->arena, manifest_value(f->arena, &m)),
                        NULL, err));
    pack_drop(writer);
}

static struct str problems(struct backup_fixture *f)
{
    return json_text(f->arena, backup_fixture_in(f, PATH("verify", "problems")));
}

#define ONE                                                                                                  \
    "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"one\",\"namespace\":\"web\"}}"
#define MAP(name, metadata)                                                                                  \
    "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"" name                           \
    "\",\"namespace\":\"web\"" metadata "}}"

Test(deep, what_hashes_cannot_see_is_found_and_named)
{
    static const struct {
        const char *entries[3][2];
        const char *says; /* NULL: clean */
    } rows[] = {
        {{{"core/v1/configmaps/one.json", ONE}, {"core/v1/configmaps/two.json", MAP("two", "")}}, NULL},
        {{{"core/v1/configmaps/one.json", ONE}, {"core/v1/configmaps/zwei.json", MAP("two", "")}},
         "core/v1/configmaps/zwei.json: its names lead to core/v1/configmaps/two.json"},
        {{{"core/v1/configmaps/one.json", ONE}, {"core/v1/secrets/two.json", MAP("two", "")}},
         "its names lead to core/v1/configmaps/two.json"},
        {{{"core/v1/configmaps/one.json", ONE}, {"core/v1/secrets/two.json", SECRET("two", "")}},
         "configmaps: 2 objects, where the manifest says 3"},
        {{{"core/v1/configmaps/one.json", ONE},
          {"core/v1/widgets/two.json", "{\"apiVersion\":\"v1\",\"kind\":\"Widget\",\"metadata\":{\"name\":"
                                       "\"two\",\"namespace\":\"web\"}}"}},
         "lists no type Widget of v1"},
        {{{"core/v1/configmaps/one.json", ONE},
          {"core/v1/namespaces/two.json", "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{"
                                          "\"name\":\"two\",\"namespace\":\"web\"}}"}},
         "a Namespace in a namespace"},
        {{{"core/v1/configmaps/one.json", MAP("one", ",\"uid\":\"same\"")},
          {"core/v1/configmaps/two.json", MAP("two", ",\"uid\":\"same\"")}},
         "two.json: another ConfigMap has the same uid, same"},
        {{{"core/v1/configmaps/one.json", MAP("one", ",\"uid\":\"same\"")},
          {"core/v1/secrets/two.json", SECRET("two", ",\"uid\":\"same\"")}},
         "where the manifest says"}, /* the uid of another kind means nothing */
        {{{"core/v1/configmaps/one.json", MAP("one", ",\"resourceVersion\":\"4711\"")},
          {"core/v1/configmaps/two.json", MAP("two", ",\"resourceVersion\":\"4712\"")}},
         "two.json: resourceVersion 4712 is later than that of the backup, 4711"},
        {{{"core/v1/configmaps/one.json", MAP("one", ",\"resourceVersion\":\"10000\"")},
          {"core/v1/configmaps/two.json", MAP("two", ",\"resourceVersion\":\"999\"")}},
         "one.json: resourceVersion 10000 is later"},
        {{{"core/v1/configmaps/one.json", MAP("one", ",\"resourceVersion\":\"opaque\"")},
          {"core/v1/configmaps/two.json", MAP("two", ",\"resourceVersion\":\"0004711\"")}},
         NULL},
        {{{"core/v1/configmaps/one.json", ONE}, {"core/v1/configmaps/two.json", "{\"kind\":"}},
         "entry core/v1/configmaps/two.json"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct backup_fixture f;
        bool clean = false;
        backup_fixture_init(&f);
        write_web(&f, rows[i].entries, 2);

        cr_expect(backup_verify_hashes(&f.run, STR_NONE, STR("latest"), &clean, &f.err), "%s", f.err.msg);
        cr_expect(clean, "row %zu: every hash holds: %.*s", i, STR_ARG(problems(&f)));
        cr_expect_null(backup_fixture_in(&f, PATH("verify", "objects")), "nothing was parsed");

        backup_fixture_next_run(&f);
        cr_expect(backup_verify(&f.run, STR_NONE, STR("latest"), &clean, &f.err), "%s", f.err.msg);
        cr_expect_eq(clean, rows[i].says == NULL, "row %zu: %.*s", i, STR_ARG(problems(&f)));
        if (rows[i].says != NULL)
            cr_expect(str_contains(problems(&f), str_of(rows[i].says)), "row %zu: %.*s", i,
                      STR_ARG(problems(&f)));
        backup_fixture_done(&f);
    }
}

Test(deep, all_that_is_wrong_is_listed)
{
    static const char *const entries[][2] = {
        {"core/v1/configmaps/a.json", MAP("b", "")},
        {"core/v1/configmaps/c.json", MAP("c", ",\"resourceVersion\":\"99999\"")},
        {"core/v1/configmaps/d.json", "null"},
        {"core/v1/configmaps/e.json", MAP("e", "")},
    };
    struct backup_fixture f;
    bool clean = true;
    backup_fixture_init(&f);
    write_web(&f, entries, COUNT_OF(entries));
    cr_expect(backup_verify(&f.run, STR_NONE, STR("latest"), &clean, &f.err), "%s", f.err.msg);
    cr_expect_not(clean);
    cr_expect_eq(value_count(backup_fixture_in(&f, PATH("verify", "problems"))), 3, "%.*s",
                 STR_ARG(problems(&f)));
    cr_expect_eq(f.run.findings.count, 3);
    backup_fixture_done(&f);
}

/* More objects than the first table of uids holds. */
Test(deep, many_uids_are_told_apart)
{
    enum { MANY = 3000 };
    static const char *entries[MANY][2];
    struct backup_fixture f;
    bool clean = true;
    backup_fixture_init(&f);
    for (int i = 0; i < MANY; i++) {
        int uid = i == MANY - 1 ? 1234 : i;
        entries[i][0] = str_fmt(f.arena, "core/v1/configmaps/c%04d.json", i).ptr;
        entries[i][1] =
            str_fmt(f.arena,
                    "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"c%04d\","
                    "\"namespace\":\"web\",\"uid\":\"%d\"}}",
                    i, uid)
                .ptr;
    }
    write_web(&f, entries, MANY);
    cr_expect(backup_verify(&f.run, STR_NONE, STR("latest"), &clean, &f.err), "%s", f.err.msg);
    cr_expect_not(clean);
    cr_expect_eq(value_count(backup_fixture_in(&f, PATH("verify", "problems"))), 1, "%.*s",
                 STR_ARG(problems(&f)));
    cr_expect(str_contains(problems(&f), STR("c2999.json: another ConfigMap has the same uid, 1234")), "%.*s",
              STR_ARG(problems(&f)));
    backup_fixture_done(&f);
}
