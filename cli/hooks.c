/* Hooks around a backup, and the promise that what is frozen thaws: also when the backup fails, and on ctrl-C.
 *
 * While hooks are due the signals are blocked, and a thread waits for them. The first one runs what is due after the
 * backup and ends the process; the second ends it at once. */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "backupd/backup.h"
#include "backupd/hooks.h"
#include "cli/cli.h"

struct cli_watch {
    const struct cli *cli;
    struct hooks *hooks;
    pthread_t thread;
    int signals, end[2];
    sigset_t before;
};

static sigset_t watched(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    return set;
}

static void *watch(void *ctx)
{
    struct cli_watch *w = ctx;
    struct pollfd polls[2] = {{w->signals, POLLIN, 0}, {w->end[0], POLLIN, 0}};
    while (polls[0].revents == 0) {
        poll(polls, COUNT_OF(polls), -1);
        if (polls[1].revents != 0)
            return NULL;
    }
    struct signalfd_siginfo first;
    ssize_t ignored = read(w->signals, &first, sizeof first);
    (void)ignored;
    sigset_t set = watched();
    pthread_sigmask(SIG_UNBLOCK, &set, NULL); /* the next one finds the handler of main */
    cli_warn(w->cli, "interrupted; running the hooks that are due, once more ends at once");
    hooks_interrupt(w->hooks);
    _exit(err_exit_status(ERR_INTERRUPTED));
}

static bool watch_begin(struct cli *cli, struct err *err)
{
    struct cli_watch *w = ARENA_NEW(cli->arena, struct cli_watch);
    sigset_t set = watched();
    *w = (struct cli_watch){.cli = cli, .hooks = cli->run.hooks};
    if (pipe(w->end) != 0 || (w->signals = signalfd(-1, &set, SFD_CLOEXEC)) < 0)
        return err_errno(err, "watch for signals");
    pthread_sigmask(SIG_BLOCK, &set, &w->before);
    if (pthread_create(&w->thread, NULL, watch, w) != 0)
        return err_set(err, ERR_INTERNAL, "no thread to watch for signals");
    cli->watch = w;
    return true;
}

static void watch_end(struct cli *cli)
{
    struct cli_watch *w = cli->watch;
    if (w == NULL)
        return;
    close(w->end[1]);
    pthread_join(w->thread,
                 NULL); /* does not return while a signal is being answered: that ends the process */
    close(w->end[0]);
    close(w->signals);
    pthread_sigmask(SIG_SETMASK, &w->before, NULL);
    cli->watch = NULL;
}

bool cli_hooks_begin(struct cli *cli, struct err *err)
{
    if (cli->config.hooks.count == 0 || cli_has(cli, OPTION_DRY_RUN))
        return true;
    return cli_need_kube(cli, err) &&
           hooks_open(&cli->run, backup_spool_dir(&cli->run), &cli->run.hooks, err) &&
           watch_begin(cli, err) && hooks_before(cli->run.hooks, err);
}

/* A failed backup has no manifest to note it in. */
static void tell_after(struct cli *cli)
{
    VALUE_EACH(result, hooks_value(cli->run.hooks, cli->arena))
        if (!value_true(value_key(result, "ok")))
            cli_warn(cli, "%.*s", STR_ARG(value_str(value_key(result, "error"))));
}

bool cli_hooks_end(struct cli *cli, bool made, struct err *err)
{
    struct err why;
    struct hooks *hooks = cli->run.hooks;
    if (hooks == NULL)
        return made;
    bool interrupted = !hooks_after(hooks, &why);
    watch_end(cli);
    if (!made)
        tell_after(cli);
    cli->run.hooks = NULL;
    hooks_close(hooks);
    if (interrupted && made)
        *err = why;
    return made && !interrupted;
}

void cli_write_hooks(struct cli *cli, const struct value *hooks, struct buf *out)
{
    VALUE_EACH(hook, hooks) {
        int64_t ms = 0, bytes = 0;
        bool kept = value_i64(value_key(hook, "bytes"), &bytes), ok = value_true(value_key(hook, "ok"));
        value_i64(value_key(hook, "ms"), &ms);
        buf_fmt(out, "  hook     %s %.*s, %.*s, %.*s", cli_mark(cli, ok),
                STR_ARG(value_str(value_key(hook, "name"))), STR_ARG(value_str(value_key(hook, "when"))),
                STR_ARG(cli_duration(cli->arena, ms)));
        if (kept)
            buf_fmt(out, ": %.*s kept", STR_ARG(cli_bytes(cli->arena, (uint64_t)bytes)));
        if (!ok)
            buf_fmt(out, ": %.*s", STR_ARG(value_str(value_key(hook, "error"))));
        buf_char(out, '\n');
    }
}
