/* Markers: who sees whom, and which of them still stand for somebody. */
#include <criterion/criterion.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backupd/backup.h"
#include "backupd/guard.h"
#include "backupd/manifest.h"
#include "core/base/json.h"
#include "tests/backupd/backup_fixture.h"

/* A process of this machine that has ended. */
static pid_t dead_process(void)
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    cr_assert_eq(waitpid(pid, NULL, 0), pid);
    return pid;
}

/* Leaves the marker that `enter` writes as another process would have written it. */
static struct str marker_text(struct backup_fixture *f, struct str key, pid_t pid, const char *boot)
{
    const struct value *marker;
    struct str text;
    cr_assert(store_get(f->inner, f->arena, key, 65536, &text, &f->err), "%s", f->err.msg);
    cr_assert(json_parse(f->arena, text, NULL, &marker, &f->err), "%s", f->err.msg);
    marker = value_with(f->arena, marker, STR("pid"), value_int(f->arena, pid));
    if (boot != NULL)
        marker = value_with(f->arena, marker, STR("boot"), value_cstr(f->arena, boot));
    return json_text(f->arena, marker);
}

static void rewrite(struct backup_fixture *f, struct str key, pid_t pid, const char *boot)
{
    cr_assert(store_put(f->inner, f->arena, key, marker_text(f, key, pid, boot), NULL, &f->err));
}

static struct guard enter_prune(struct backup_fixture *f)
{
    struct guard guard;
    int64_t now_ms;
    cr_assert(guard_enter_prune(&f->run, &guard, &now_ms, &f->err), "%s", f->err.msg);
    cr_assert_gt(now_ms, 0);
    return guard;
}

static struct guard enter_backup(struct backup_fixture *f, const char *id)
{
    struct guard guard;
    cr_assert(guard_enter_backup(&f->run, STR("prod/eu"), str_of(id), &guard, &f->err), "%s", f->err.msg);
    return guard;
}

Test(guard, a_backup_that_finds_a_prune_at_work_writes_nothing_and_says_who)
{
    struct backup_fixture f;
    char host[256] = "";
    backup_fixture_init(&f);
    gethostname(host, sizeof host - 1);
    struct guard prune = enter_prune(&f);

    cr_expect_not(backup_stage(&f.run, &f.bundle, &f.err));
    cr_expect_eq(f.err.code, ERR_CONFLICT, "%s", f.err.msg);
    cr_expect(strstr(f.err.msg, host) != NULL, "%s", f.err.msg);
    cr_expect(strstr(f.err.next, "keep.wait") != NULL, "%s", f.err.next);
    cr_expect_eq(backup_fixture_count(&f, "packs/"), 0);
    cr_expect_eq(backup_fixture_count(&f, "backups/"), 0, "its own marker is gone too");

    cr_assert(guard_leave(&f.run, &prune, &f.err), "%s", f.err.msg);
    cr_expect(backup_stage(&f.run, &f.bundle, &f.err), "%s", f.err.msg);
    backup_fixture_done(&f);
}

static void leave_after_a_while(void *ctx, unsigned operation)
{
    struct backup_fixture *f = ctx;
    if (operation > 4)
        cr_assert(store_delete(f->inner, str_of(f->plan.older), &f->err));
}

Test(guard, a_backup_waits_for_a_prune_to_go)
{
    struct backup_fixture f;
    backup_fixture_init(&f);
    struct guard prune = enter_prune(&f);
    f.config.keep_wait_ms = 60000;
    /* The marker goes when the backup has looked once; the second look is a second later. */
    f.plan =
        (struct fault_plan){.before = leave_after_a_while, .ctx = &f, .older = str_c(f.arena, prune.key)};
    cr_expect(backup_stage(&f.run, &f.bundle, &f.err), "%s", f.err.msg);
    backup_fixture_done(&f);
}

/* Which markers of a prune hold a backup up. */
Test(guard, a_prune_counts_until_it_is_known_dead_or_its_lease_is_over)
{
    static const struct {
        const char *what;
        bool dead_pid;
        const char *boot;
        int64_t older_ms;
        bool holds;
    } rows[] = {
        {"alive", false, NULL, 0, true},
        {"alive, and still within its lease", false, NULL, GUARD_LEASE_MS - 60000, true},
        {"its lease is over", false, NULL, GUARD_LEASE_MS + 1000, false},
        {"its process is gone", true, NULL, 0, false},
        {"a number that is no process here says nothing of another machine", true, "another-boot", 0, true},
        {"another machine whose lease is over", true, "another-boot", GUARD_LEASE_MS + 1000, false},
        {"a marker from the future counts", false, NULL, -3600000, true},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct backup_fixture f;
        backup_fixture_init(&f);
        struct guard prune = enter_prune(&f);
        if (rows[i].dead_pid)
            rewrite(&f, prune.key, dead_process(), rows[i].boot);
        f.plan = (struct fault_plan){.older = GUARD_PRUNE_PREFIX, .older_ms = rows[i].older_ms};
        bool made = backup_stage(&f.run, &f.bundle, &f.err);
        cr_expect_eq(made, !rows[i].holds, "%s: %s", rows[i].what, f.err.msg);
        cr_expect(made || f.err.code == ERR_CONFLICT, "%s: %s", rows[i].what, f.err.msg);
        cr_expect_eq(backup_fixture_count(&f, GUARD_PRUNE_PREFIX), rows[i].holds,
                     "%s: a dead one is cleared away", rows[i].what);
        backup_fixture_done(&f);
    }
}

Test(guard, a_marker_of_a_prune_that_cannot_be_read_counts)
{
    struct backup_fixture f;
    backup_fixture_init(&f);
    struct guard prune = enter_prune(&f);
    cr_assert(store_put(f.inner, f.arena, prune.key, STR("{\"id\": 7"), NULL, &f.err));
    cr_expect_not(backup_stage(&f.run, &f.bundle, &f.err));
    cr_expect_eq(f.err.code, ERR_CONFLICT, "%s", f.err.msg);
    backup_fixture_done(&f);
}

static void list_unfinished(struct backup_fixture *f, struct unfinished_list *list)
{
    cr_assert(guard_unfinished(&f->run, STR("prod/eu"), list, &f->err), "%s", f->err.msg);
}

static int64_t store_now(struct backup_fixture *f)
{
    struct guard guard;
    int64_t now_ms;
    cr_assert(guard_enter_prune(&f->run, &guard, &now_ms, &f->err), "%s", f->err.msg);
    cr_assert(guard_leave(&f->run, &guard, &f->err));
    return now_ms;
}

Test(guard, a_backup_is_running_until_it_is_known_dead_or_a_day_old)
{
    static const struct {
        const char *what;
        bool dead_pid;
        const char *boot;
        int64_t older_ms;
        bool running;
    } rows[] = {
        {"alive", false, NULL, 0, true},
        {"nearly a day", false, NULL, GUARD_STALE_MS - 60000, true},
        {"more than a day", false, NULL, GUARD_STALE_MS + 1000, false},
        {"its process is gone", true, NULL, 0, false},
        {"on another machine", true, "another-boot", 0, true},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct backup_fixture f;
        struct unfinished_list list;
        backup_fixture_init(&f);
        struct guard backup = enter_backup(&f, "20261121T020000.123Z-7f3a9c2e");
        if (rows[i].dead_pid)
            rewrite(&f, backup.key, dead_process(), rows[i].boot);
        f.plan = (struct fault_plan){.older = "backups/", .older_ms = rows[i].older_ms};
        list_unfinished(&f, &list);
        cr_assert_eq(list.count, 1);
        cr_expect(str_is(list.items[0].id, "20261121T020000.123Z-7f3a9c2e"));
        cr_expect_gt(list.items[0].host.len, 0);
        cr_expect_eq(guard_is_running(&list.items[0], store_now(&f)), rows[i].running, "%s", rows[i].what);

        /* The next backup of this cluster clears away what is dead, and nothing else. */
        f.plan.older = str_c(f.arena, backup.key);
        cr_assert(backup_stage(&f.run, &f.bundle, &f.err), "%s", f.err.msg);
        cr_expect_eq(backup_fixture_count(&f, str_c(f.arena, backup.key)), rows[i].running, "%s",
                     rows[i].what);
        backup_fixture_done(&f);
    }
}

/* A process number that came again belongs to somebody else. */
Test(guard, a_process_that_started_at_another_time_is_another_one)
{
    struct backup_fixture f;
    struct unfinished_list list;
    backup_fixture_init(&f);
    struct guard backup = enter_backup(&f, "one");
    const struct value *marker;
    cr_assert(json_parse(f.arena, marker_text(&f, backup.key, getpid(), NULL), NULL, &marker, &f.err));
    cr_expect_gt(value_str(value_key(marker, "processStart")).len, 0);
    marker = value_with(f.arena, marker, STR("processStart"), value_cstr(f.arena, "1"));
    cr_assert(store_put(f.inner, f.arena, backup.key, json_text(f.arena, marker), NULL, &f.err));
    list_unfinished(&f, &list);
    cr_assert_eq(list.count, 1);
    cr_expect(list.items[0].dead);
    backup_fixture_done(&f);
}

Test(guard, a_backup_of_several_processes_is_not_dead_because_one_is)
{
    struct backup_fixture f;
    struct unfinished_list list;
    backup_fixture_init(&f);
    struct guard backup = enter_backup(&f, "one");
    rewrite(&f, backup.key, dead_process(), NULL);
    cr_assert(store_put(f.inner, f.arena, STR("backups/prod%2Feu/one/part-3.json"), STR("{}"), NULL, &f.err));
    list_unfinished(&f, &list);
    cr_assert_eq(list.count, 1);
    cr_expect_not(list.items[0].dead);
    cr_expect_eq(list.items[0].keys.count, 2);
    backup_fixture_done(&f);
}

Test(guard, markers_that_are_damaged_are_named_and_count_as_running)
{
    static const char *const texts[] = {"", "{", "[]", "{\"id\":7}", "null", "\xff\xfe"};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct backup_fixture f;
        struct unfinished_list list;
        backup_fixture_init(&f);
        struct guard backup = enter_backup(&f, "one");
        cr_assert(store_put(f.inner, f.arena, backup.key, str_of(texts[i]), NULL, &f.err));
        list_unfinished(&f, &list);
        cr_assert_eq(list.count, 1);
        cr_expect_gt(list.items[0].problem.len, 0, "%zu", i);
        cr_expect(guard_is_running(&list.items[0], store_now(&f)), "%zu", i);
        backup_fixture_done(&f);
    }
}

/* Killed between the manifest and the end: nothing waits for that marker, and the next run takes it away. */
Test(guard, what_has_a_manifest_is_finished_and_its_marker_goes_with_the_next_run)
{
    for (int dead = 0; dead < 2; dead++) {
        struct backup_fixture f;
        struct unfinished_list list;
        backup_fixture_init(&f);
        struct guard other = enter_backup(&f, "other");
        cr_assert(backup_stage(&f.run, &f.bundle, &f.err), "%s", f.err.msg);
        struct str key = manifest_marker_key(f.arena, STR("prod/eu"), f.bundle.backup_id);
        cr_assert(store_put(f.inner, f.arena, key,
                            marker_text(&f, other.key, dead ? dead_process() : getpid(), NULL), NULL,
                            &f.err));
        cr_assert(guard_leave(&f.run, &other, &f.err));
        list_unfinished(&f, &list);
        cr_assert_eq(list.count, 1);
        cr_expect(list.items[0].finished && !guard_is_running(&list.items[0], store_now(&f)));

        backup_fixture_next_run(&f);
        cr_assert(backup_stage(&f.run, &f.bundle, &f.err), "%s", f.err.msg);
        cr_expect_eq(backup_fixture_count(&f, str_c(f.arena, key)), !dead,
                     "a living one may still be at work");
        cr_expect_eq(backup_fixture_count(&f, "backups/"), 2 + !dead, "and no manifest goes");
        backup_fixture_done(&f);
    }
}

Test(guard, nobody_goes_on_under_a_marker_that_may_have_been_taken_for_a_dead_ones)
{
    struct backup_fixture f;
    backup_fixture_init(&f);
    struct guard backup = enter_backup(&f, "one"), prune = {0};
    cr_expect(guard_backup_holds(&backup, &f.err));
    backup.began_ms -= GUARD_BACKUP_MS + 1000;
    cr_expect_not(guard_backup_holds(&backup, &f.err));
    cr_expect_eq(f.err.code, ERR_INTERRUPTED, "%s", f.err.msg);
    cr_assert(guard_leave(&f.run, &backup, &f.err));

    prune = enter_prune(&f);
    cr_expect(guard_prune_holds(&prune));
    prune.began_ms -= GUARD_WORK_MS + 1000;
    cr_expect_not(guard_prune_holds(&prune));
    backup_fixture_done(&f);
}
