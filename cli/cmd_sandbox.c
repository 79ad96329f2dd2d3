/* sandbox: a stand-in API server on loopback, until it is stopped. */
#include <signal.h>
#include <stdatomic.h>

#include "cli/cli.h"
#include "dr-scenarios/sandbox/sandbox.h"

static atomic_bool stop_wanted;

static void stop(int number)
{
    atomic_store(&stop_wanted, true);
}

static void ready(const struct sandbox *sandbox, void *ctx)
{
    struct cli *cli = ctx;
    const struct str_list *problems = sandbox_problems(sandbox);
    for (size_t i = 0; i < problems->count; i++)
        fprintf(stderr, "left out: %.*s\n", STR_ARG(problems->items[i]));
    if (cli_has(cli, OPTION_QUIET))
        return;
    struct str url = sandbox_url(sandbox), kubeconfig = cli_option(cli, OPTION_WRITE_KUBECONFIG);
    fprintf(stderr, "sandbox (a stand-in, no real cluster) at %.*s, %zu objects\n", STR_ARG(url),
            sandbox_objects((struct sandbox *)sandbox));
    if (kubeconfig.len != 0)
        fprintf(stderr, "kubeconfig: %.*s   Ctrl-C stops it\n", STR_ARG(kubeconfig));
}

bool cmd_sandbox(struct cli *cli, struct err *err)
{
    struct str port = cli_option(cli, OPTION_PORT), from = cli_option(cli, OPTION_FROM);
    struct str kubeconfig = cli_option(cli, OPTION_WRITE_KUBECONFIG);
    struct sandbox_options options = {.folder = from.len ? str_c(cli->arena, from) : NULL};
    uint64_t number = 0;
    if (port.len != 0 && (!str_to_u64(port, &number) || number > UINT16_MAX))
        return err_set(err, ERR_USAGE, "--port %.*s: not a port", STR_ARG(port));
    options.port = (uint16_t)number;
    signal(SIGINT, stop);
    signal(SIGTERM, stop);
    return sandbox_serve(&options, kubeconfig.len ? str_c(cli->arena, kubeconfig) : NULL, ready, cli,
                         &stop_wanted, err);
}
