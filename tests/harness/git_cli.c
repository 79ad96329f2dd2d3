#include "tests/harness/git_cli.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_ARGS = 30 };

static void run_child(const char *dir, int output, const char *const *args)
{
    const char *argv[MAX_ARGS + 8] = {
        "git", "-C", dir, "-c", "user.name=Test", "-c", "user.email=test@example.com"};
    size_t count = 7;
    for (size_t i = 0; args[i] != NULL && i < MAX_ARGS; i++)
        argv[count++] = args[i];
    dup2(output, STDOUT_FILENO);
    setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
    setenv("GIT_TERMINAL_PROMPT", "0", 1);
    execvp("git", (char *const *)argv);
    _exit(127);
}

struct str git_cli(struct arena *arena, const char *dir, int *ret_status, const char *const *args)
{
    int out[2], status = 0;
    char chunk[4096];
    struct buf text CLEANUP(buf_done);
    buf_init(&text, 64 << 20);
    if (pipe(out) != 0)
        abort();
    pid_t child = fork();
    if (child == 0)
        run_child(dir, out[1], args);
    close(out[1]);
    for (ssize_t got; (got = read(out[0], chunk, sizeof chunk)) > 0;)
        buf_append(&text, chunk, (size_t)got);
    close(out[0]);
    waitpid(child, &status, 0);
    if (ret_status != NULL) {
        *ret_status = WEXITSTATUS(status);
    } else if (status != 0) {
        fprintf(stderr, "git %s failed in %s\n", args[0], dir);
        abort();
    }
    while (text.len != 0 && text.ptr[text.len - 1] == '\n')
        text.len--;
    return str_dup(arena, buf_view(&text));
}

const char *temp_dir(struct arena *arena)
{
    char path[] = "/tmp/gitops-pipe-test-XXXXXX";
    if (mkdtemp(path) == NULL)
        abort();
    return str_dup(arena, str_of(path)).ptr;
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    return remove(path);
}

void temp_dir_remove(const char *dir)
{
    nftw(dir, remove_entry, 32, FTW_DEPTH | FTW_PHYS);
}
