/* A program run to its end: output, status, and every way to end it. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/process.h"

struct heard {
    struct buf out, notes;
    size_t most;
};

static bool take_out(void *ctx, struct str piece, struct err *err)
{
    struct heard *heard = ctx;
    buf_str(&heard->out, piece);
    return heard->most == 0 || heard->out.len <= heard->most || err_set(err, ERR_LIMIT, "enough");
}

static bool take_notes(void *ctx, struct str piece, struct err *err)
{
    struct heard *heard = ctx;
    buf_str(&heard->notes, piece);
    return true;
}

static bool run_with(struct heard *heard, const char *const *env, const char *script, int64_t timeout_ms,
                     int *status, struct err *err)
{
    const char *const argv[] = {"sh", "-c", script, NULL};
    const struct process process = {.argv = argv,
                                    .env = env,
                                    .timeout_ms = timeout_ms,
                                    .out = take_out,
                                    .notes = take_notes,
                                    .ctx = heard};
    buf_init(&heard->out, 8 << 20);
    buf_init(&heard->notes, 8 << 20);
    return process_run(&process, status, err);
}

static void heard_done(struct heard *heard)
{
    buf_done(&heard->out);
    buf_done(&heard->notes);
}

Test(process, output_notes_and_status)
{
    static const struct {
        const char *script, *out, *notes;
        int status;
    } cases[] = {
        {"echo a; echo b >&2; exit 3", "a\n", "b\n", 3},
        {"true", "", "", 0},
        {"kill -9 $$", "", "", 137},
        {"cat", "", "", 0}, /* standard input is empty */
        {"exec >&-; echo late >&2", "", "late\n", 0},
        {"trap 'echo term' TERM; kill -TERM $$", "term\n", "", 0}, /* nothing is blocked or ignored */
    };
    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct heard heard = {0};
        struct err err = {0};
        int status = -1;
        cr_expect(run_with(&heard, NULL, cases[i].script, 60000, &status, &err), "%s", err.msg);
        cr_expect_eq(status, cases[i].status, "%s: %d", cases[i].script, status);
        cr_expect(str_is(buf_view(&heard.out), cases[i].out), "%s", cases[i].script);
        cr_expect(str_is(buf_view(&heard.notes), cases[i].notes), "%s", cases[i].script);
        heard_done(&heard);
    }
}

Test(process, much_on_both_streams_at_once)
{
    struct heard heard = {0};
    struct err err = {0};
    int status;
    cr_expect(run_with(&heard, NULL, "head -c 1000000 /dev/zero >&2 & head -c 2000000 /dev/zero; wait", 60000,
                       &status, &err),
              "%s", err.msg);
    cr_expect_eq(heard.out.len, 2000000);
    cr_expect_eq(heard.notes.len, 1000000);
    heard_done(&heard);
}

Test(process, the_environment_is_the_one_given)
{
    static const char *const env[] = {"PATH=/usr/bin:/bin", "A=1", NULL};
    struct heard heard = {0};
    struct err err = {0};
    int status;
    cr_expect(run_with(&heard, env, "env | grep -v -e ^PWD= -e ^_= -e ^SHLVL= -e ^OLDPWD= | sort", 60000,
                       &status, &err));
    cr_expect(str_is(buf_view(&heard.out), "A=1\nPATH=/usr/bin:/bin\n"), "%.*s",
              STR_ARG(buf_view(&heard.out)));
    heard_done(&heard);
}

/* What it printed last is the pid of a process in its group; that one must be gone too. */
static void expect_gone(struct heard *heard)
{
    uint64_t pid = 0;
    cr_assert(str_to_u64(str_trim(buf_view(&heard->out)), &pid), "%.*s", STR_ARG(buf_view(&heard->out)));
    for (int i = 0; i < 500 && kill((pid_t)pid, 0) == 0; i++)
        usleep(10000);
    char path[64], state[256] = "";
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "r");
    if (file != NULL) {
        cr_expect(fgets(state, sizeof state, file) != NULL && strstr(state, ") Z") != NULL, "%s", state);
        fclose(file);
    }
}

Test(process, a_time_limit_ends_it_and_all_it_has_started)
{
    static const char *const scripts[] = {"sleep 1000 & echo $!; wait", "sleep 1000 & echo $!; exit 0",
                                          "echo $$; exec sleep 1000"};
    for (size_t i = 0; i < COUNT_OF(scripts); i++) {
        struct heard heard = {0};
        struct err err = {0};
        int status;
        cr_expect_not(run_with(&heard, NULL, scripts[i], 1000, &status, &err));
        cr_expect_eq(err.code, ERR_INTERRUPTED, "%s", err.msg);
        expect_gone(&heard);
        heard_done(&heard);
    }
}

Test(process, who_takes_the_output_may_end_it)
{
    struct heard heard = {.most = 1000};
    struct err err = {0};
    int status;
    cr_expect_not(run_with(&heard, NULL, "exec yes", 60000, &status, &err));
    cr_expect_eq(err.code, ERR_LIMIT, "%s", err.msg);
    heard_done(&heard);
}

Test(process, a_program_that_is_not_there)
{
    const char *const argv[] = {"/no/such/program", NULL};
    struct err err = {0};
    int status;
    cr_expect_not(process_run(&(struct process){.argv = argv, .timeout_ms = 1000}, &status, &err));
    cr_expect_eq(err.code, ERR_USAGE);
    cr_expect(strstr(err.msg, "it does not start"), "%s", err.msg);
}
