/* Making backups, and getting them back: whole, again for nothing, and never half. */
#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backupd/backup.h"
#include "backupd/catalog.h"
#include "backupd/load.h"
#include "backupd/verify.h"
#include "core/base/json.h"
#include "tests/backupd/backup_fixture.h"
#include "tests/harness/alike.h"

static size_t visible_backups(struct backup_fixture *f)
{
    struct catalog catalog;
    cr_assert(catalog_list(f->inner, f->arena, STR_NONE, &catalog, &f->err), "%s", f->err.msg);
    return catalog.count;
}

static void expect_clean(struct backup_fixture *f)
{
    bool clean = false;
    cr_expect(backup_verify(&f->run, STR_NONE, STR("latest"), &clean, &f->err), "%s", f->err.msg);
    cr_expect(clean, "%s", value_str(backup_fixture_in(f, PATH("verify", "problems", "0"))).ptr);
}

static void expect_same(const struct bundle *a, const struct bundle *b)
{
    cr_assert_eq(a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        cr_expect_eq(resource_cmp(&a->items[i], &b->items[i]), 0);
        cr_expect(value_equal(a->items[i].object, b->items[i].object), "%.*s", STR_ARG(a->items[i].name));
    }
    cr_assert_eq(a->types.count, b->types.count);
    for (size_t i = 0; i < a->types.count; i++) {
        const struct resource_type *x = &a->types.items[i], *y = &b->types.items[i];
        cr_expect(str_eq(x->group, y->group) && str_eq(x->version, y->version) && str_eq(x->kind, y->kind) &&
                  str_eq(x->plural, y->plural) && str_eq(x->singular, y->singular) &&
                  str_eq(x->resource_version, y->resource_version) &&
                  str_eq(x->consistency, y->consistency) && str_eq(x->missing, y->missing) &&
                  x->namespaced == y->namespaced && x->listable == y->listable &&
                  x->has_status == y->has_status);
    }
    cr_expect(value_equal(a->openapi, b->openapi));
}

/* The latest backup into a bundle and into a stash: the same of it, or the same words why not. */
static void expect_stashed_alike(struct backup_fixture *f, bool rest)
{
    struct bundle bundle;
    struct stash *stash = NULL;
    struct err why_bundle = {0}, why_stash = {0};
    bool damaged[2] = {0};
    bool loaded = rest ? backup_load_rest(&f->run, STR_NONE, STR("latest"), &bundle, &damaged[0], &why_bundle)
                       : backup_load(&f->run, STR_NONE, STR("latest"), &bundle, &why_bundle);
    bool stashed =
        backup_load_stash(&f->run, STR_NONE, STR("latest"), &stash, rest ? &damaged[1] : NULL, &why_stash);
    cr_assert_eq(loaded, stashed, "%s%s", why_bundle.msg, why_stash.msg);
    cr_assert_eq(why_bundle.code, why_stash.code);
    cr_assert_str_eq(why_bundle.msg, why_stash.msg);
    cr_assert_str_eq(why_bundle.next, why_stash.next);
    cr_assert_eq(damaged[0], damaged[1]);
    if (loaded)
        expect_alike(stash, &bundle);
    stash_close(stash);
}

Test(backup, comes_back_object_for_object)
{
    struct backup_fixture f;
    struct bundle loaded;
    backup_fixture_init(&f);

    cr_assert(backup_stage(&f.run, &f.bundle, &f.err), "%s", f.err.msg);
    cr_expect(str_starts(f.bundle.backup_id, STR("20261121T020001.123Z-")), "%.*s",
              STR_ARG(f.bundle.backup_id));
    cr_assert(backup_load(&f.run, STR_NONE, f.bundle.backup_id, &loaded, &f.err), "%s", f.err.msg);

    expect_same(&f.bundle, &loaded);
    cr_expect(str_eq(loaded.backup_id, f.bundle.backup_id));
    cr_expect(str_is(loaded.cluster, "prod/eu"));
    cr_expect(str_is(loaded.cluster_uid, "7d2c0f6e"));
    cr_expect(str_is(loaded.server_version, "v1.36.3"));
    cr_expect(str_is(loaded.resource_version, "4711"));
    cr_expect_eq(loaded.taken_ms, 1795226400000);
    cr_expect_eq(loaded.complete, false);
    expect_stashed_alike(&f, false);
    expect_stashed_alike(&f, true);
    expect_clean(&f);
    backup_fixture_done(&f);
}

Test(backup, the_report_says_what_was_done)
{
    struct backup_fixture f;
    backup_fixture_init(&f);
    cr_assert(backup_stage(&f.run, &f.bundle, &f.err), "%s", f.err.msg);

    cr_expect_eq(backup_fixture_number(&f, PATH("backup", "packs", "new")),
                 4); /* cluster, shop, web, schema */
    cr_expect_eq(backup_fixture_number(&f, PATH("backup", "packs", "unchanged")), 0);
    cr_expect_eq(backup_fixture_number(&f, PATH("backup", "objects")), 7);
    cr_expect_eq(backup_fixture_number(&f, PATH("backup", "types")), 5);
    cr_expect_not(value_true(backup_fixture_in(&f, PATH("backup", "complete"))));
    const struct value *missing = value_item(backup_fixture_in(&f, PATH("backup", "missing")), 0);
    cr_expect(str_is(value_str(value_key(missing, "type")), "pods.metrics.k8s.io"));
    cr_expect(str_is(value_str(value_key(missing, "reason")), "stale"));
    cr_expect(str_eq(value_str(backup_fixture_in(&f, PATH("backup", "id"))), f.bundle.backup_id));
    cr_expect_eq(backup_fixture_count(&f, "packs/"), 4);
    cr_expect_eq(backup_fixture_count(&f, "backups/prod%2Feu/"), 1, "the marker is gone");
    backup_fixture_done(&f);
}

Test(backup, an_unchanged_cluster_is_not_sent_again)
{
    struct backup_fixture f;
    backup_fixture_init(&f);
    cr_assert(backup_stage(&f.run, &f.bundle, &f.err), "%s", f.err.msg);

    backup_fixture_next_run(&f);
    cr_assert(backup_stage(&f.run, &f.bundle, &f.err), "%s", f.err.msg);
    cr_expect_eq(backup_fixture_number(&f, PATH("backup", "packs", "new")), 0);
    cr_expect_eq(backup_fixture_number(&f, PATH("backup", "packs", "unchanged")), 4);
    cr_expect_eq(backup_fixture_number(&f, PATH("backup", "packs", "bytesNew")), 0);

    backup_fixture_next_run(&f);
    backup_fixture_add(
        &f, "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"three\",\"namespace\":"
            "\"web\"}}");
    cr_assert(backup_stage(&f.run, &f.bundle, &f.err), "%s", f.err.msg);
    cr_expect_eq(backup_fixture_number(&f, PATH("backup", "packs", "new")), 1);
    cr_expect_eq(visible_backups(&f), 3);
    expect_clean(&f);
    backup_fixture_done(&f);
}

Test(backup, a_dry_run_writes_nothing)
{
    struct backup_fixture f;
    backup_fixture_init(&f);
    struct stash *stash;
    cr_assert(stash_from_bundle(f.arena, NULL, &f.bundle, &stash, &f.err), "%s", f.err.msg);
    cr_assert(backup_stash(&f.run, stash, true, &f.err), "%s", f.err.msg);
    stash_close(stash);
    cr_expect_eq(backup_fixture_count(&f, ""), 0);
    cr_expect_eq(backup_fixture_number(&f, PATH("backup", "packs", "new")), 4);
    cr_expect(value_true(backup_fixture_in(&f, PATH("backup", "dryRun"))));
    cr_expect_null(backup_fixture_in(&f, PATH("backup", "id")));
    backup_fixture_done(&f);
}

/* How many store operations an undisturbed backup takes. */
static unsigned operations_of_a_backup(void)
{
    struct backup_fixture f;
    backup_fixture_init(&f);
    cr_assert(backup_stage(&f.run, &f.bundle, &f.err), "%s", f.err.msg);
    unsigned operations = f.plan.operations;
    backup_fixture_done(&f);
    return operations;
}

static void fail_and_go_on(unsigned at, bool after, bool for_good, enum err_code code)
{
    struct backup_fixture f;
    backup_fixture_init(&f);
    f.plan = (struct fault_plan){.at = at, .after = after, .for_good = for_good, .code = code};
    bool made = backup_stage(&f.run, &f.bundle, &f.err);
    cr_expect(made || f.err.code == (code ? code : ERR_UNREACHABLE), "at %u: %s", at, f.err.msg);

    /* Whatever is visible now is whole. */
    f.plan = (struct fault_plan){0};
    size_t before = visible_backups(&f);
    cr_expect(!made || before == 1, "at %u", at);
    if (before == 1)
        expect_clean(&f);

    backup_fixture_next_run(&f);
    cr_expect(backup_stage(&f.run, &f.bundle, &f.err), "at %u: %s", at, f.err.msg);
    cr_expect_eq(visible_backups(&f), before + 1, "at %u", at);
    cr_expect_eq(backup_fixture_count(&f, "packs/"), 4, "at %u", at);
    expect_clean(&f);
    backup_fixture_done(&f);
}

Test(backup, killed_or_cut_off_at_any_operation_the_next_run_goes_on)
{
    unsigned operations = operations_of_a_backup();
    cr_assert_gt(operations, 12);
    for (unsigned at = 1; at <= operations; at++)
        for (unsigned how = 0; how < 4; how++)
            fail_and_go_on(at, how & 1, how & 2, ERR_NONE);
}

Test(backup, a_full_store_at_any_operation_loses_nothing)
{
    unsigned operations = operations_of_a_backup();
    for (unsigned at = 1; at <= operations; at++)
        fail_and_go_on(at, false, true, ERR_IO);
}

Test(backup, what_a_killed_run_had_sent_is_not_sent_again)
{
    struct backup_fixture f;
    backup_fixture_init(&f);
    f.plan = (struct fault_plan){.at = operations_of_a_backup() - 1, .for_good = true}; /* the manifest */
    cr_expect_not(backup_stage(&f.run, &f.bundle, &f.err));
    cr_expect(strstr(f.err.msg, "manifest") != NULL, "%s", f.err.msg);
    cr_expect_eq(visible_backups(&f), 0);

    f.plan = (struct fault_plan){0};
    backup_fixture_next_run(&f);
    cr_expect(backup_stage(&f.run, &f.bundle, &f.err), "%s", f.err.msg);
    cr_expect_eq(backup_fixture_number(&f, PATH("backup", "packs", "new")), 0);
    backup_fixture_done(&f);
}

Test(backup, a_manifest_whose_reply_was_lost_is_recognised)
{
    struct backup_fixture f;
    backup_fixture_init(&f);
    f.plan = (struct fault_plan){.at = operations_of_a_backup() - 1, .after = true, .code = ERR_EXISTS};
    cr_expect(backup_stage(&f.run, &f.bundle, &f.err), "%s", f.err.msg);
    cr_expect_eq(visible_backups(&f), 1);
    backup_fixture_done(&f);
}

Test(backup, a_marker_that_stays_is_said_and_harms_nothing)
{
    struct backup_fixture f;
    backup_fixture_init(&f);
    f.plan = (struct fault_plan){.at = operations_of_a_backup()};
    cr_expect(backup_stage(&f.run, &f.bundle, &f.err), "%s", f.err.msg);
    cr_expect_eq(value_count(backup_fixture_in(&f, PATH("backup", "notes"))), 1);
    cr_expect_eq(visible_backups(&f), 1);
    expect_clean(&f);
    backup_fixture_done(&f);
}

Test(backup, a_store_that_overwrites_is_refused)
{
    struct backup_fixture f;
    backup_fixture_init(&f);
    f.plan.ignore_create = true;
    cr_expect_not(backup_stage(&f.run, &f.bundle, &f.err));
    cr_expect_eq(f.err.code, ERR_REFUSED, "%s", f.err.msg);
    cr_expect(strstr(f.err.msg, "If-None-Match") != NULL, "%s", f.err.msg);
    cr_expect(f.err.next[0] != '\0');
    cr_expect_eq(backup_fixture_count(&f, "packs/"), 0);
    backup_fixture_done(&f);
}

Test(backup, a_cluster_without_a_name_is_refused)
{
    struct backup_fixture f;
    backup_fixture_init(&f);
    f.bundle.cluster = f.bundle.cluster_uid = STR_NONE;
    cr_expect_not(backup_stage(&f.run, &f.bundle, &f.err));
    cr_expect_eq(f.err.code, ERR_USAGE, "%s", f.err.msg);
    backup_fixture_done(&f);
}

/* ---- damage ---- */

enum damage { FLIPPED, TRUNCATED, LONGER, GONE, SWAPPED };

static void damage(struct backup_fixture *f, struct str key, enum damage how)
{
    struct str body;
    cr_assert(store_get(f->inner, f->arena, key, 1 << 20, &body, &f->err), "%s", f->err.msg);
    if (how == GONE) {
        cr_assert(store_delete(f->inner, key, &f->err));
        return;
    }
    if (how == FLIPPED)
        ((char *)body.ptr)[body.len / 2] ^= 4;
    if (how == TRUNCATED)
        body.len /= 2;
    if (how == LONGER)
        body = str_fmt(f->arena, "%.*s and more", (int)body.len, body.ptr);
    if (how == SWAPPED)
        cr_assert(store_get(f->inner, f->arena, backup_fixture_pack_key(f, ""), 1 << 20, &body, &f->err));
    cr_assert(store_put(f->inner, f->arena, key, body, NULL, &f->err), "%s", f->err.msg);
}

Test(backup, a_damaged_pack_is_found_named_and_repaired_by_the_next_backup)
{
    for (enum damage how = FLIPPED; how <= SWAPPED; how++) {
        struct backup_fixture f;
        struct bundle loaded;
        bool clean = true;
        backup_fixture_init(&f);
        cr_assert(backup_stage(&f.run, &f.bundle, &f.err), "%s", f.err.msg);
        struct str shop = backup_fixture_pack_key(&f, "shop");
        damage(&f, shop, how);
        damage(&f, backup_fixture_pack_key(&f, "web"), how);

        cr_expect_not(backup_load(&f.run, STR_NONE, STR("latest"), &loaded, &f.err), "%d", how);
        cr_expect_eq(f.err.code, how == GONE ? ERR_NOT_FOUND : ERR_CORRUPT, "%d: %s", how, f.err.msg);
        cr_expect(strstr(f.err.msg, "namespace shop") != NULL, "%d: %s", how, f.err.msg);
        cr_expect(strstr(f.err.msg, str_c(f.arena, shop)) != NULL, "%d: %s", how, f.err.msg);
        cr_expect(f.err.next[0] != '\0');
        expect_stashed_alike(&f, false);
        expect_stashed_alike(&f, true);

        cr_assert(backup_verify(&f.run, STR_NONE, STR("latest"), &clean, &f.err), "%s", f.err.msg);
        cr_expect_not(clean);
        cr_expect_eq(value_count(backup_fixture_in(&f, PATH("verify", "problems"))), 2,
                     "all problems, not the first");
        cr_expect_eq(f.run.findings.count, 2);

        backup_fixture_next_run(&f);
        cr_assert(backup_stage(&f.run, &f.bundle, &f.err), "%s", f.err.msg);
        cr_expect_eq(backup_fixture_number(&f, PATH("backup", "packs", how == GONE ? "new" : "repaired")), 2);
        expect_clean(&f);
        backup_fixture_done(&f);
    }
}

/* A pack whose hash is right and whose content is not: made by something else than this program. */
Test(backup, a_pack_of_another_namespace_is_corrupt)
{
    struct backup_fixture f;
    struct bundle loaded;
    struct catalog_entry entry;
    struct str text;
    backup_fixture_init(&f);
    cr_assert(backup_stage(&f.run, &f.bundle, &f.err), "%s", f.err.msg);
    cr_assert(catalog_find(f.inner, f.arena, STR_NONE, STR("latest"), &entry, &f.err), "%s", f.err.msg);
    cr_assert(store_get(f.inner, f.arena, entry.key, 1 << 20, &text, &f.err));
    char *at = strstr((char *)text.ptr, "\"namespace\": \"web\"");
    cr_assert_not_null(at);
    memcpy(at, "\"namespace\": \"wob\"", 18);
    const struct value *changed;
    cr_assert(json_parse(f.arena, text, NULL, &changed, &f.err));
    text = json_text(f.arena, manifest_seal(f.arena, changed));
    cr_assert(store_put(f.inner, f.arena, entry.key, text, NULL, &f.err));

    bool clean = true;
    cr_expect_not(backup_load(&f.run, STR_NONE, STR("latest"), &loaded, &f.err));
    cr_expect_eq(f.err.code, ERR_CORRUPT, "%s", f.err.msg);
    cr_expect(strstr(f.err.msg, "core/v1/configmaps/one.json") != NULL, "%s", f.err.msg);
    expect_stashed_alike(&f, false);
    expect_stashed_alike(&f, true);
    cr_expect(backup_verify(&f.run, STR_NONE, STR("latest"), &clean, &f.err), "%s", f.err.msg);
    cr_expect_eq(value_count(backup_fixture_in(&f, PATH("verify", "problems"))), 2, "both entries are named");
    backup_fixture_done(&f);
}

Test(backup, no_room_for_a_stash_is_told_and_is_no_damage)
{
    struct backup_fixture f;
    struct stash *stash;
    struct rlimit limit = {100, 100}; /* a disk that is full for one process */
    bool damaged = false;
    int status;
    backup_fixture_init(&f);
    cr_assert(backup_stage(&f.run, &f.bundle, &f.err), "%s", f.err.msg);
    signal(SIGXFSZ, SIG_IGN);
    pid_t child = fork();
    if (child == 0) {
        setrlimit(RLIMIT_FSIZE, &limit);
        bool as_told = !backup_load_stash(&f.run, STR_NONE, STR("latest"), &stash, &damaged, &f.err) &&
                       f.err.code == ERR_IO && strstr(f.err.next, "TMPDIR") != NULL && !damaged;
        _exit(as_told ? 0 : 1);
    }
    waitpid(child, &status, 0);
    cr_expect_eq(status, 0);
    backup_fixture_done(&f);
}

Test(backup, an_unreachable_store_stops_a_verification)
{
    struct backup_fixture f;
    bool clean = true;
    backup_fixture_init(&f);
    cr_assert(backup_stage(&f.run, &f.bundle, &f.err), "%s", f.err.msg);
    f.plan = (struct fault_plan){.at = 4, .for_good = true};
    cr_expect_not(backup_verify(&f.run, STR_NONE, STR("latest"), &clean, &f.err));
    cr_expect_eq(f.err.code, ERR_UNREACHABLE, "%s", f.err.msg);
    backup_fixture_done(&f);
}
