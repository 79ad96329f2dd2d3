/* Commands around a backup: in which order, with which output, and what thaws when something fails. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backupd/backup.h"
#include "backupd/hook_intern.h"
#include "backupd/load.h"
#include "backupd/part.h"
#include "backupd/verify.h"
#include "core/base/files.h"
#include "core/kube/kube.h"
#include "tests/backupd/backup_fixture.h"
#include "tests/harness/exec_server.h"

/* Hooks are shells that write into this folder. */
struct world {
    struct backup_fixture f;
    struct hooks *hooks;
    char dir[64];
    struct err err;
};

static struct config_hook hook_of(struct arena *arena, const char *name, const char *when, const char *script)
{
    struct config_hook hook = {.name = str_of(name),
                               .when = str_of(when),
                               .timeout_ms = 60000,
                               .on_failure = STR("fail"),
                               .keep_output = true};
    *ARENA_PUSH(arena, &hook.command) = STR("sh");
    *ARENA_PUSH(arena, &hook.command) = STR("-c");
    *ARENA_PUSH(arena, &hook.command) = str_of(script);
    return hook;
}

static void world_open(struct world *w)
{
    *w = (struct world){.dir = "/tmp/hooks-XXXXXX"};
    cr_assert(mkdtemp(w->dir) != NULL);
    setenv("HOOK_DIR", w->dir, 1);
    backup_fixture_init(&w->f);
    w->f.bundle.complete = true;
    w->f.run.config = &w->f.config;
}

static struct config_hook *add(struct world *w, const char *name, const char *when, const char *script)
{
    struct config_hook *hook = ARENA_PUSH(w->f.run.arena, &w->f.config.hooks);
    *hook = hook_of(w->f.run.arena, name, when, script);
    *ARENA_PUSH(w->f.run.arena, &hook->environment) = STR("HOOK_DIR");
    return hook;
}

/* As the command line does it. */
static bool back_up(struct world *w)
{
    struct err ignored;
    if (!hooks_open(&w->f.run, NULL, &w->hooks, &w->err))
        return false;
    w->f.run.hooks = w->hooks;
    bool made = hooks_before(w->hooks, &w->err) && backup_stage(&w->f.run, &w->f.bundle, &w->err);
    bool whole = hooks_after(w->hooks, made ? &w->err : &ignored);
    return made && whole;
}

static struct str file_of(struct world *w, const char *name)
{
    struct str text = STR_NONE;
    struct err ignored;
    const char *path = str_c(w->f.run.arena, str_fmt(w->f.run.arena, "%s/%s", w->dir, name));
    return file_read(w->f.run.arena, path, 1 << 20, &text, &ignored) ? text : STR_NONE;
}

static void world_close(struct world *w)
{
    static const char *const names[] = {"log", "begun", ""};
    hooks_close(w->hooks);
    w->f.run.hooks = NULL;
    for (size_t i = 0; i < COUNT_OF(names); i++)
        remove(str_c(w->f.run.arena, str_fmt(w->f.run.arena, "%s/%s", w->dir, names[i])));
    backup_fixture_done(&w->f);
}

static const struct value *result_of(struct world *w, const char *name)
{
    VALUE_EACH(result, hooks_value(w->hooks, w->f.run.arena))
        if (str_is(value_str(value_key(result, "name")), name))
            return result;
    return NULL;
}

#define LOG(word) "echo " word " >>$HOOK_DIR/log"

Test(hooks, run_in_their_order_around_the_backup)
{
    struct world w;
    world_open(&w);
    add(&w, "thaw", "after", "echo $GITOPS_PIPE_BACKUP $GITOPS_PIPE_HOOK >>$HOOK_DIR/log");
    add(&w, "freeze", "before", LOG("freeze"));
    add(&w, "dump", "before", LOG("dump"));
    add(&w, "announce", "after", LOG("announce"));
    cr_expect(back_up(&w), "%s", w.err.msg);
    cr_expect(str_is(file_of(&w, "log"), "freeze\ndump\nstored thaw\nannounce\n"), "%.*s",
              STR_ARG(file_of(&w, "log")));
    world_close(&w);
}

struct pieces {
    struct buf text;
};

static bool take_piece(void *ctx, struct str path, struct str body, struct err *err)
{
    struct pieces *pieces = ctx;
    buf_str(&pieces->text, body);
    return true;
}

/* Several pieces, and one that is not full; in the store, noted, and back again byte for byte. */
Test(hooks, output_becomes_a_pack_and_comes_out_again)
{
    struct world w;
    struct manifest m;
    struct pieces got;
    struct str key;
    world_open(&w);
    add(&w, "dump", "before", "seq 1 1300000; echo password=hunter2 >&2");
    add(&w, "silent", "before", "true");
    add(&w, "unkept", "before", "echo x")->keep_output = false;
    add(&w, "late", "after", "echo late");
    cr_assert(back_up(&w), "%s", w.err.msg);
    key = manifest_key(w.f.run.arena, w.f.bundle.cluster, w.f.bundle.backup_id);
    cr_assert(manifest_fetch(w.f.run.store, w.f.run.arena, key, &m, &w.err), "%s", w.err.msg);
    cr_expect(m.complete);

    buf_init(&got.text, 64 << 20);
    size_t found = 0;
    for (size_t i = 0; i < m.packs.count; i++)
        if (m.packs.items[i].part == MANIFEST_HOOK) {
            cr_expect(part_stream(&w.f.run, &m.packs.items[i], take_piece, &got, &w.err), "%s", w.err.msg);
            cr_expect(str_is(m.packs.items[i].hook, found++ == 0 ? "dump" : "late"));
        }
    cr_expect_eq(found, 2, "an empty output and one that nobody wants leave no pack");
    cr_expect(got.text.len > 2 * (size_t)HOOK_PIECE_BYTES &&
              str_ends(buf_view(&got.text), STR("1300000\nlate\n")));
    struct sha256 hash = sha256_of(str_slice(buf_view(&got.text), 0, got.text.len - 5));
    const struct value *dump = value_item(m.hooks, 0);
    cr_expect(str_eq(value_str(value_key(dump, "sha256")), sha256_hex(w.f.run.arena, &hash)));
    cr_expect(str_is(value_text(value_key(dump, "exitCode")), "0"));
    cr_expect(str_is(value_str(value_key(dump, "notes")), "password=***"));
    cr_expect_eq(value_count(m.hooks), 4);
    buf_done(&got.text);
    world_close(&w);
}

/* Who reads the objects of a backup passes over what hooks have left; who proves it does not. */
Test(hooks, output_stands_in_nobodys_way)
{
    struct world w;
    struct bundle loaded;
    bool clean = false;
    world_open(&w);
    add(&w, "dump", "before", "echo this is no JSON");
    cr_assert(back_up(&w), "%s", w.err.msg);
    cr_expect(backup_load(&w.f.run, STR_NONE, STR("latest"), &loaded, &w.err), "%s", w.err.msg);
    cr_expect_eq(loaded.count, w.f.bundle.count);
    cr_expect(backup_verify(&w.f.run, STR_NONE, STR("latest"), &clean, &w.err), "%s", w.err.msg);
    cr_expect(clean);
    world_close(&w);
}

Test(hooks, one_that_fails_before_ends_it_and_what_is_frozen_thaws)
{
    struct world w;
    world_open(&w);
    add(&w, "freeze", "before", LOG("freeze"));
    add(&w, "dump", "before", "echo half; echo 'pg_dump: no such database' >&2; exit 3");
    add(&w, "never", "before", LOG("never"));
    add(&w, "thaw-1", "after", "echo thaw $GITOPS_PIPE_BACKUP >>$HOOK_DIR/log; exit 1");
    add(&w, "thaw-2", "after", LOG("thaw-2"));
    cr_expect_not(back_up(&w));
    cr_expect_eq(w.err.code, ERR_REFUSED, "%s", w.err.msg);
    cr_expect_str_eq(w.err.msg, "hook dump: exit code 3: pg_dump: no such database");
    cr_expect(str_is(file_of(&w, "log"), "freeze\nthaw failed\nthaw-2\n"), "%.*s",
              STR_ARG(file_of(&w, "log")));
    cr_expect_eq(hooks_output_count(w.hooks), 0, "half a dump is none");
    cr_expect_eq(backup_fixture_count(&w.f, "backups/"), 0);
    world_close(&w);
}

Test(hooks, one_that_may_fail_is_a_note)
{
    struct world w;
    world_open(&w);
    add(&w, "try", "before", "exit 3")->on_failure = STR("continue");
    add(&w, "late", "after", "exit 4")->on_failure = STR("continue");
    cr_expect(back_up(&w), "%s", w.err.msg);
    cr_expect_eq(hooks_failed(w.hooks).len, 0);
    cr_expect(str_is(value_str(value_key(result_of(&w, "try"), "error")), "hook try: exit code 3"));
    cr_expect(str_is(value_text(value_key(result_of(&w, "late"), "exitCode")), "4"));
    cr_expect_eq(backup_fixture_count(&w.f, "backups/"), 1);
    world_close(&w);
}

Test(hooks, one_that_fails_after_leaves_an_incomplete_backup)
{
    struct world w;
    struct manifest m;
    world_open(&w);
    add(&w, "dump", "after", "exit 3");
    cr_expect(back_up(&w), "%s", w.err.msg);
    struct str key = manifest_key(w.f.run.arena, w.f.bundle.cluster, w.f.bundle.backup_id);
    cr_assert(manifest_fetch(w.f.run.store, w.f.run.arena, key, &m, &w.err), "%s", w.err.msg);
    cr_expect_not(m.complete);
    cr_expect(str_is(hooks_failed(w.hooks), "dump"));
    world_close(&w);
}

Test(hooks, a_time_limit_ends_one)
{
    struct world w;
    world_open(&w);
    add(&w, "hang", "before", "sleep 1000")->timeout_ms = 50;
    cr_expect_not(back_up(&w));
    cr_expect_eq(w.err.code, ERR_REFUSED);
    cr_expect(strstr(w.err.msg, "hook hang: no end within"), "%s", w.err.msg);
    world_close(&w);
}

Test(hooks, a_program_that_is_not_there_is_named)
{
    struct world w;
    world_open(&w);
    add(&w, "gone", "before", "")->command.items[0] = STR("/no/such/program");
    cr_expect_not(back_up(&w));
    cr_expect_eq(w.err.code, ERR_USAGE);
    cr_expect(strstr(w.err.msg, "hook gone: it does not start"), "%s", w.err.msg);
    world_close(&w);
}

Test(hooks, a_program_gets_no_variable_that_is_not_listed)
{
    struct world w;
    world_open(&w);
    setenv("AWS_SECRET_ACCESS_KEY", "hunter2hunter2", 1);
    setenv("PGPASSWORD", "correct-horse", 1);
    add(&w, "look", "before", "env | grep -c -e AWS -e PGPASSWORD >>$HOOK_DIR/log; true");
    struct config_hook *told =
        add(&w, "told", "before", "env | grep -c PGPASSWORD >>$HOOK_DIR/log; echo $PGPASSWORD >&2");
    *ARENA_PUSH(w.f.run.arena, &told->environment) = STR("PGPASSWORD");
    cr_expect(back_up(&w), "%s", w.err.msg);
    cr_expect(str_is(file_of(&w, "log"), "0\n1\n"), "%.*s", STR_ARG(file_of(&w, "log")));
    cr_expect(str_is(value_str(value_key(result_of(&w, "told"), "notes")), "***"));
    world_close(&w);
}

/* ---- interruption ---- */

static void *interrupt(void *ctx)
{
    struct world *w = ctx;
    char path[96];
    snprintf(path, sizeof path, "%s/begun", w->dir);
    while (access(path, F_OK) != 0)
        usleep(1000);
    hooks_interrupt(w->hooks);
    return NULL;
}

Test(hooks, an_interrupt_ends_the_one_that_runs_and_thaws)
{
    struct world w;
    pthread_t thread;
    world_open(&w);
    add(&w, "hang", "before", "touch $HOOK_DIR/begun; sleep 1000");
    add(&w, "thaw", "after", LOG("thaw"));
    cr_assert(hooks_open(&w.f.run, NULL, &w.hooks, &w.err));
    pthread_create(&thread, NULL, interrupt, &w);
    struct err why = {0};
    cr_expect_not(hooks_before(w.hooks, &why));
    cr_expect_not(hooks_after(w.hooks, &w.err), "and there must be no backup");
    cr_expect_eq(w.err.code, ERR_INTERRUPTED);
    pthread_join(thread, NULL);
    cr_expect(str_is(file_of(&w, "log"), "thaw\n"), "once: %.*s", STR_ARG(file_of(&w, "log")));
    world_close(&w);
}

/* ---- in pods ---- */

static bool open_pod_world(struct world *w, struct exec_server **server, const struct exec_script *script)
{
    world_open(w);
    *server = exec_server_start(script, NULL);
    const char *path = str_c(w->f.run.arena, str_fmt(w->f.run.arena, "%s/log", w->dir));
    struct str text = str_fmt(w->f.run.arena,
                              "current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\n"
                              "clusters: [{name: k, cluster: {server: 'http://127.0.0.1:%u'}}]\n"
                              "users: [{name: u, user: {token: t}}]\n",
                              exec_server_port(*server));
    struct config_hook *hook = add(w, "dump", "before", "pg_dump");
    hook->namespace = STR("shop");
    hook->pod = STR("db-0");
    hook->environment.count = 0;
    return file_write(path, text, 0600, &w->err) &&
           kube_open(w->f.run.arena, &(struct kube_options){.kubeconfig = str_of(path)}, &w->f.run.kube,
                     &w->err);
}

Test(hooks, a_pod_gives_its_output_or_none)
{
    static const struct {
        const char *status; /* NULL: cut before */
        const char *error;
    } cases[] = {
        {"{\"status\":\"Success\"}", NULL},
        {"{\"status\":\"Failure\",\"details\":{\"causes\":[{\"reason\":\"ExitCode\",\"message\":\"2\"}]}}",
         "hook dump: exit code 2 in pod db-0: connection refused"},
        {"{\"status\":\"Failure\",\"message\":\"no such file: psql\"}",
         "hook dump: in pod db-0: no such file: psql"},
        {NULL, "hook dump: exec in pod shop/db-0: the connection ended before the command did"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct buf frames CLEANUP(buf_done);
        struct exec_server *server;
        struct world w;
        buf_init(&frames, 1 << 20);
        exec_message(&frames, 1, STR("CREATE TABLE"));
        exec_message(&frames, 2, STR("connecting\nconnection refused\n"));
        if (cases[i].status != NULL)
            exec_message(&frames, 3, str_of(cases[i].status));
        cr_assert(open_pod_world(&w, &server, &(struct exec_script){.frames = buf_view(&frames)}), "%s",
                  w.err.msg);
        bool made = back_up(&w);
        cr_expect_eq(made, cases[i].error == NULL, "%zu: %s", i, w.err.msg);
        cr_expect_eq(hooks_output_count(w.hooks), made ? 1 : 0);
        cr_expect(made || strstr(w.err.msg, cases[i].error) == w.err.msg, "%s", w.err.msg);
        exec_server_stop(server, NULL, NULL);
        exec_server_free(server);
        kube_close(w.f.run.kube);
        w.f.run.kube = NULL;
        world_close(&w);
    }
}

/* ---- words ---- */

Test(hooks, secrets_are_hidden_in_what_a_command_says)
{
    static const struct {
        const char *text, *wants;
    } cases[] = {
        {"all is well", "all is well"},
        {"FATAL: password authentication failed for user \"u\"",
         "FATAL: password authentication failed for user \"u\""},
        {"PGPASSWORD=hunter2 pg_dump", "PGPASSWORD=*** pg_dump"},
        {"--password: hunter2", "--password: ***"},
        {"\"token\": \"hunter2\", \"a\": 1", "\"token\": \"***\", \"a\": 1"},
        {"Authorization: Bearer hunter2 sent", "Authorization: *** sent"},
        {"secret = 'two words' end", "secret = '***' end"},
        {"at postgres://u:hunter2@db:5432/x?sslmode=off", "at postgres://***@db:5432/x?sslmode=off"},
        {"https://example.com/a@b stays", "https://example.com/a@b stays"},
        {"the value S3CR3T-VALUE stands here", "the value *** stands here"},
        {"abc stays, being short", "abc stays, being short"},
        {"clear\033[2J\r", "clear?[2J?"},
        {"password=", "password="},
    };
    static struct str secrets[] = {STR_INIT("S3CR3T-VALUE"), STR_INIT("abc")};
    const struct str_list list = {secrets, COUNT_OF(secrets), COUNT_OF(secrets)};
    struct arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct str got = hook_words(arena, str_of(cases[i].text), &list);
        cr_expect(str_is(got, cases[i].wants), "%s → %.*s", cases[i].text, STR_ARG(got));
    }
    arena_free(arena);
}
