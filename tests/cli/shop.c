#include "tests/cli/shop.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/files.h"
#include "core/base/json.h"

const char *in_shop(struct shop *shop, const char *file)
{
    return str_c(shop->arena, str_fmt(shop->arena, "%s/%s", shop->dir, file));
}

void put_in_shop(struct shop *shop, const char *file, const char *text)
{
    struct err err;
    cr_assert(file_write(in_shop(shop, file), str_of(text), 0644, &err), "%s", err.msg);
}

void run_git(const char *dir, const char *const *arguments)
{
    pid_t pid = fork();
    int status;
    if (pid == 0) {
        const char *argv[16] = {"git", "-C", dir, "-c", "user.name=t", "-c", "user.email=t@example.com"};
        for (size_t i = 0; arguments[i] != NULL; i++)
            argv[i + 7] = arguments[i];
        if (freopen("/dev/null", "w", stdout) == NULL)
            _exit(126);
        execvp("git", (char *const *)argv);
        _exit(127);
    }
    cr_assert(waitpid(pid, &status, 0) == pid && status == 0, "git %s", arguments[0]);
}

struct shop open_shop(void)
{
    return open_shop_of("production-simulation");
}

struct shop open_shop_of(const char *estate)
{
    struct err err;
    struct shop shop = {.arena = arena_new()};
    struct sandbox_options options = {
        .folder = str_c(shop.arena, str_fmt(shop.arena, "testdata/estates/%s", estate))};
    shop.dir = temp_folder(shop.arena);
    cr_assert(sandbox_start(&options, &shop.sandbox, &err), "%s", err.msg);
    cr_assert(sandbox_write_kubeconfig(shop.sandbox, in_shop(&shop, "kubeconfig"), &err), "%s", err.msg);
    GIT(shop.dir, "init", "-q", "--bare", "--initial-branch=main", "repository.git");
    put_in_shop(
        &shop, "gitops-pipe.yaml",
        str_c(shop.arena, str_fmt(shop.arena,
                                  "apiVersion: gitops-pipe.io/v1\nkind: Pipeline\ncluster: {name: shop, "
                                  "kubeconfig: kubeconfig}\n"
                                  "stores: [{name: main, url: 'file:store'}]\nsecrets: {mode: omit}\n"
                                  "git: {url: '%s/repository.git'}\n",
                                  shop.dir)));
    return shop;
}

void close_shop(struct shop *shop)
{
    sandbox_stop(shop->sandbox);
    temp_remove(shop->dir);
    arena_free(shop->arena);
}

const struct value *json_of(struct shop *shop, struct program_result result)
{
    const struct value *value = NULL;
    struct err err;
    cr_assert(json_parse(shop->arena, result.out, NULL, &value, &err), "%s\n%.*s%.*s", err.msg,
              STR_ARG(result.out), STR_ARG(result.err));
    return value;
}

void expect_refused(struct program_result result, int status, const char *says)
{
    cr_expect_eq(result.status, status, "exit %d: %.*s", result.status, STR_ARG(result.err));
    cr_expect(str_contains(result.err, str_of(says)), "\"%s\" is not in: %.*s", says, STR_ARG(result.err));
}
