/* What a command needs, made when it first asks: configuration, clock, progress, store, cluster. */
#include <stdlib.h>
#include <unistd.h>

#include "cli/cli.h"
#include "core/kube/kube.h"
#include "core/secrets/protect.h"
#include "core/store/store.h"

/* These must work where there is no configuration yet, or a broken one. */
static bool needs_no_config(const struct command *command)
{
    return command->function == cmd_init || command->function == cmd_help ||
           command->function == cmd_completion || command->function == cmd_sandbox;
}

static bool read_config(struct cli *cli, struct err *err)
{
    struct str path = cli_option(cli, OPTION_CONFIG);
    if (path.len != 0)
        return config_read(cli->arena, str_c(cli->arena, path), &cli->config, err);
    if (!needs_no_config(cli->command) && access(GITOPS_PIPE_CONFIG_FILE, F_OK) == 0)
        return config_read(cli->arena, GITOPS_PIPE_CONFIG_FILE, &cli->config, err);
    config_defaults(cli->arena, &cli->config);
    return true;
}

void cli_secrets_mode(struct cli *cli, enum secrets_mode mode)
{
    struct config *config = &cli->config;
    config->secrets.mode = mode;
    config->secret_rules.count = 0;
    for (size_t i = 0; i < config->environments.count; i++)
        config->environments.items[i].secrets.mode = mode;
}

static bool set_secrets_mode(struct cli *cli, struct err *err)
{
    struct str wanted = cli_option(cli, OPTION_SECRETS);
    enum secrets_mode mode;
    if (wanted.len == 0)
        return true;
    if (config_secrets_mode(wanted, &mode)) {
        cli_secrets_mode(cli, mode);
        return true;
    }
    err_set(err, ERR_USAGE, "--secrets %.*s: no such mode", STR_ARG(wanted));
    return err_next(err, "it is one of omit, sealed, sops and external");
}

static bool set_helm_marks(struct cli *cli, struct err *err)
{
    struct str wanted = cli_option(cli, OPTION_HELM);
    return wanted.len == 0 || config_helm_marks(wanted, &cli->config.helm_marks) ||
           err_set(err, ERR_USAGE, "--helm wants keep or strip, not \"%.*s\"", STR_ARG(wanted));
}

/* One of the configured stores by its name or URL; any other URL goes with the settings of the first. */
static void choose_store(struct config *config, struct str wanted)
{
    struct config_store *first = &config->stores.items[0];
    for (size_t i = 0; i < config->stores.count; i++)
        if (str_eq(config->stores.items[i].name, wanted) || str_eq(config->stores.items[i].url, wanted)) {
            *first = config->stores.items[i];
            config->stores.count = 1;
            return;
        }
    *first = (struct config_store){.name = STR("--store"),
                                   .url = wanted,
                                   .path_style = true,
                                   .region = first->region,
                                   .endpoint = first->endpoint,
                                   .ca_file = first->ca_file};
    config->stores.count = 1;
}

/* What is said on the command line stands above the file. */
static bool override_config(struct cli *cli, struct err *err)
{
    struct config *config = &cli->config;
    if (cli_has(cli, OPTION_KUBECONFIG))
        config->cluster_kubeconfig = cli_option(cli, OPTION_KUBECONFIG);
    if (cli_has(cli, OPTION_CONTEXT))
        config->cluster_context = cli_option(cli, OPTION_CONTEXT);
    if (cli_has(cli, OPTION_STORE))
        choose_store(config, cli_option(cli, OPTION_STORE));
    if (cli_has(cli, OPTION_IDENTITY))
        config->identity_file = cli_option(cli, OPTION_IDENTITY);
    if (cli_has(cli, OPTION_ENVIRONMENT))
        config->drill_environment = cli_option(cli, OPTION_ENVIRONMENT);
    if (cli_has(cli, OPTION_TARGET))
        config->drill_target = cli_option(cli, OPTION_TARGET);
    config->allow_deletions = cli_has(cli, OPTION_ALLOW_DELETIONS);
    for (size_t i = 0; i < cli->options[OPTION_ALLOW_MISSING].count; i++)
        *ARENA_PUSH(cli->arena, &config->allow_missing) = cli->options[OPTION_ALLOW_MISSING].items[i];
    return set_helm_marks(cli, err) && set_secrets_mode(cli, err);
}

bool cli_setup(struct cli *cli, struct err *err)
{
    if (!read_config(cli, err) || !override_config(cli, err))
        return false;
    cli->run = (struct run){.arena = cli->arena, .config = &cli->config, .clock = &cli->clock};
    if (!cli_has(cli, OPTION_QUIET))
        cli->run.progress = cli_progress(cli->arena, isatty(STDERR_FILENO), cli->colour_err, cli->log_json);
    return true;
}

bool cli_need_store(struct cli *cli, struct err *err)
{
    if (cli->run.store != NULL)
        return true;
    if (cli->config.stores.count == 0)
        return err_set(err, ERR_USAGE, "no store is configured") ||
               err_next(err, "add one under stores: in %s", GITOPS_PIPE_CONFIG_FILE);
    return store_open_all(cli->arena, &cli->config.stores, &cli->run.store, err);
}

bool cli_need_kube(struct cli *cli, struct err *err)
{
    struct kube_options options = {.kubeconfig = cli->config.cluster_kubeconfig,
                                   .context = cli->config.cluster_context};
    if (cli->run.kube != NULL)
        return true;
    if (!kube_open(cli->arena, &options, &cli->run.kube, err))
        return false;
    if (cli->config.cluster_name.len == 0)
        cli->config.cluster_name = kube_context(cli->run.kube);
    return true;
}

/* A copy that failed while another stood in for it: nothing is lost yet, and somebody has to know. */
void cli_tell_store_notes(struct cli *cli)
{
    struct str_list notes = {0};
    if (cli->run.store != NULL)
        store_notes(cli->run.store, cli->arena, &notes);
    for (size_t i = 0; i < notes.count; i++)
        cli_warn(cli, "%.*s", STR_ARG(notes.items[i]));
}

void cli_close(struct cli *cli)
{
    secrets_forget(&cli->run);
    kube_close(cli->run.kube);
    store_close(cli->run.store);
}

bool cli_argument(struct cli *cli, size_t index, struct str *ret, struct err *err)
{
    if (index < cli->arguments.count) {
        *ret = cli->arguments.items[index];
        return true;
    }
    err_set(err, ERR_USAGE, "%s needs %s", cli->command->name, cli->command->arguments);
    return err_next(err, "gitops-pipe %s --help shows examples", cli->command->name);
}

bool cli_timeout(struct cli *cli, int64_t *ret_ms, struct err *err)
{
    struct str text = cli_option(cli, OPTION_TIMEOUT);
    if (text.len == 0)
        return true;
    return config_duration(text, ret_ms) ||
           err_set(err, ERR_USAGE, "--timeout wants a duration such as 90s or 5m, not \"%.*s\"",
                   STR_ARG(text));
}
