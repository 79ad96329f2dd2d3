#include "core/base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/clock.h"

enum { PIECE_BYTES = 64 << 10, GRACE_MS = 2000, STEP_MS = 10 };

extern char **environ;

/* A pipe from the child: what it writes comes out of `read`. */
struct stream {
    int read, write;
    bool (*take)(void *ctx, struct str piece, struct err *err);
};

struct running {
    const struct process *process;
    pid_t pid;
    struct stream streams[2];
    int64_t deadline_ms;
};

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static bool open_streams(struct running *r, struct err *err)
{
    for (size_t i = 0; i < COUNT_OF(r->streams); i++) {
        int fds[2];
        if (pipe2(fds, O_CLOEXEC) != 0)
            return err_errno(err, "pipe");
        r->streams[i].read = fds[0];
        r->streams[i].write = fds[1];
    }
    r->streams[0].take = r->process->out;
    r->streams[1].take = r->process->notes;
    return true;
}

/* ---- start ---- */

static int spawn(struct running *r)
{
    const struct process *p = r->process;
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none, all;

    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, r->streams[0].write, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files, r->streams[1].write, STDERR_FILENO);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    int fault = posix_spawnp(&r->pid, p->argv[0], &files, &attributes, (char *const *)p->argv,
                             p->env ? (char *const *)p->env : environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    return fault;
}

static bool start(struct running *r, struct err *err)
{
    int fault = spawn(r);
    for (size_t i = 0; i < COUNT_OF(r->streams); i++)
        close_fd(&r->streams[i].write);
    if (fault == 0)
        return true;
    errno = fault;
    err_errno(err, "it does not start");
    err->code = ERR_USAGE;
    return false;
}

/* ---- while it runs ---- */

static bool timed_out(const struct running *r, struct err *err)
{
    return err_set(err, ERR_INTERRUPTED, "no end within %lld s", (long long)(r->process->timeout_ms / 1000));
}

static bool take_piece(struct running *r, struct stream *stream, struct err *err)
{
    char bytes[PIECE_BYTES];
    ssize_t got = read(stream->read, bytes, sizeof bytes);
    if (got < 0)
        return errno == EINTR || err_errno(err, "read its output");
    if (got == 0)
        close_fd(&stream->read);
    else if (stream->take != NULL)
        return stream->take(r->process->ctx, (struct str){bytes, (size_t)got}, err);
    return true;
}

/* Until both pipes are closed; whoever holds on to them in the background meets the time limit. */
static bool take_output(struct running *r, struct err *err)
{
    while (r->streams[0].read >= 0 || r->streams[1].read >= 0) {
        struct pollfd polls[2] = {{r->streams[0].read, POLLIN, 0}, {r->streams[1].read, POLLIN, 0}};
        int64_t left = r->deadline_ms - clock_monotonic_ms();
        if (left <= 0)
            return timed_out(r, err);
        if (poll(polls, COUNT_OF(polls), left > INT32_MAX ? INT32_MAX : (int)left) < 0 && errno != EINTR)
            return err_errno(err, "poll");
        for (size_t i = 0; i < COUNT_OF(polls); i++)
            if (polls[i].revents != 0 && !take_piece(r, &r->streams[i], err))
                return false;
    }
    return true;
}

/* ---- the end ---- */

/* False when it is still there at the deadline. */
static bool wait_until(struct running *r, int64_t deadline_ms, int *ret_status)
{
    for (;;) {
        pid_t done = waitpid(r->pid, ret_status, WNOHANG);
        if (done == r->pid || (done < 0 && errno != EINTR))
            return true;
        if (clock_monotonic_ms() >= deadline_ms)
            return false;
        clock_sleep_ms(STEP_MS);
    }
}

/* The group goes, also what the child has left in it. */
static void end_group(struct running *r)
{
    int status;
    kill(-r->pid, SIGTERM);
    bool gone = wait_until(r, clock_monotonic_ms() + GRACE_MS, &status);
    kill(-r->pid, SIGKILL);
    if (!gone)
        waitpid(r->pid, &status, 0);
}

static void tell_group(const struct process *process, int group)
{
    if (process->group != NULL)
        atomic_store(process->group, group);
}

bool process_run(const struct process *process, int *ret_status, struct err *err)
{
    struct running r = {.process = process,
                        .streams = {{.read = -1, .write = -1}, {.read = -1, .write = -1}},
                        .deadline_ms = clock_monotonic_ms() + process->timeout_ms};
    int status = 0;
    bool started = open_streams(&r, err) && start(&r, err);
    tell_group(process, started ? r.pid : 0);
    bool done =
        started && take_output(&r, err) && (wait_until(&r, r.deadline_ms, &status) || timed_out(&r, err));
    for (size_t i = 0; i < COUNT_OF(r.streams); i++) {
        close_fd(&r.streams[i].read);
        close_fd(&r.streams[i].write);
    }
    tell_group(process, 0);
    if (started && !done)
        end_group(&r);
    if (done)
        *ret_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return done;
}
