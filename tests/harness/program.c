#include "tests/harness/program.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROGRAM_MAX_OUTPUT = 64 << 20, PROGRAM_TIMEOUT_S = 240, PROGRAM_MAX_ARGUMENTS = 32 };

const char *program_path(struct arena *arena, const char *name)
{
    char self[4096];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self);
    cr_assert(len > 0 && (size_t)len < sizeof self);
    struct str folder = {self, (size_t)len}; /* …/build/tests/all */
    folder = str_slice(folder, 0, str_rfind(folder, '/'));
    folder = str_slice(folder, 0, str_rfind(folder, '/'));
    return str_c(arena, str_fmt(arena, "%.*s/%s", STR_ARG(folder), name));
}

static _Noreturn void child(const char *path, const char *dir, char **argv, int in, const int *out,
                            const int *err)
{
    if ((dir != NULL && chdir(dir) != 0) || dup2(in, 0) < 0 || dup2(out[1], 1) < 0 || dup2(err[1], 2) < 0)
        _exit(126);
    for (int fd = 3; fd < 64; fd++)
        close(fd);
    alarm(PROGRAM_TIMEOUT_S);
    execv(path, argv);
    _exit(127);
}

/* Reads both pipes to their ends, whichever speaks first. */
static void collect(int out_fd, int err_fd, struct buf *out, struct buf *err)
{
    struct pollfd fds[] = {{.fd = out_fd, .events = POLLIN}, {.fd = err_fd, .events = POLLIN}};
    struct buf *bufs[] = {out, err};
    while (fds[0].fd >= 0 || fds[1].fd >= 0) {
        cr_assert(poll(fds, 2, -1) > 0);
        for (int i = 0; i < 2; i++) {
            char chunk[65536];
            ssize_t got = fds[i].revents ? read(fds[i].fd, chunk, sizeof chunk) : 1;
            if (fds[i].revents && got > 0)
                buf_append(bufs[i], chunk, (size_t)got);
            if (got <= 0)
                fds[i].fd = -1;
        }
    }
}

static int input_file(struct str input)
{
    char path[] = "/tmp/gitops-pipe-input-XXXXXX";
    int fd = mkstemp(path);
    cr_assert(fd >= 0 && write(fd, input.len ? input.ptr : "", input.len) == (ssize_t)input.len);
    cr_assert(lseek(fd, 0, SEEK_SET) == 0);
    unlink(path);
    return fd;
}

struct program_result program_run(struct arena *arena, const char *name, const char *dir,
                                  const char *const *arguments, struct str input)
{
    char *argv[PROGRAM_MAX_ARGUMENTS] = {(char *)name};
    const char *path = program_path(arena, name);
    int out[2], err[2], status, in = input_file(input);
    for (size_t i = 0; arguments[i] != NULL; i++) {
        cr_assert(i + 2 < PROGRAM_MAX_ARGUMENTS);
        argv[i + 1] = (char *)arguments[i];
    }
    cr_assert(pipe2(out, O_CLOEXEC) == 0 && pipe2(err, O_CLOEXEC) == 0);
    pid_t pid = fork();
    cr_assert(pid >= 0);
    if (pid == 0)
        child(path, dir, argv, in, out, err);
    close(in);
    close(out[1]);
    close(err[1]);
    struct buf out_text CLEANUP(buf_done), err_text CLEANUP(buf_done);
    buf_init(&out_text, PROGRAM_MAX_OUTPUT);
    buf_init(&err_text, PROGRAM_MAX_OUTPUT);
    collect(out[0], err[0], &out_text, &err_text);
    close(out[0]);
    close(err[0]);
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    return (struct program_result){.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
                                   .out = str_dup(arena, buf_view(&out_text)),
                                   .err = str_dup(arena, buf_view(&err_text))};
}

const char *temp_folder(struct arena *arena)
{
    char *path = (char *)str_c(arena, STR("/tmp/gitops-pipe-test-XXXXXX"));
    cr_assert_not_null(mkdtemp(path));
    return path;
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *ftw)
{
    return remove(path);
}

void temp_remove(const char *folder)
{
    nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}
