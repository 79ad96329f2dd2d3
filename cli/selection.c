/* What to take of a cluster: what the configuration says, and what the command line makes of it for once. */
#include "cli/cli.h"

static void replace(const struct cli *cli, enum option_id option, struct str_list *list, bool *narrowed)
{
    if (!cli_has(cli, option))
        return;
    *list = cli->options[option];
    *narrowed = true;
}

/* The configuration's list stays as it is: a copy grows. */
static void extend(struct cli *cli, enum option_id option, struct str_list *list, bool *narrowed)
{
    list->cap = list->count;
    for (size_t i = 0; i < cli->options[option].count; i++)
        *ARENA_PUSH(cli->arena, list) = cli->options[option].items[i];
    *narrowed = *narrowed || cli_has(cli, option);
}

static bool is_same(const struct str_list *a, const struct str_list *b)
{
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++)
        same = str_eq(a->items[i], b->items[i]);
    return same;
}

/* Everything means Events and Leases too, which are out unless somebody says otherwise. What somebody took the trouble to
 * exclude stays out. */
static void take_events_too(struct cli *cli, struct kube_selection *selection)
{
    struct config defaults;
    config_defaults(cli->arena, &defaults);
    if (is_same(&selection->exclude_types, &defaults.exclude_types))
        selection->exclude_types = (struct str_list){0};
}

static bool set_preset(struct cli *cli, struct kube_selection *selection, struct err *err)
{
    struct str configured = cli->config.preset, wanted = configured;
    if (cli_has(cli, OPTION_PRESET))
        wanted = cli_option(cli, OPTION_PRESET);
    if (wanted.len == 0)
        return true;
    if (!kube_preset_of(wanted, &selection->preset)) {
        err_set(err, ERR_USAGE, "there is no preset \"%.*s\"", STR_ARG(wanted));
        return err_next(err, "use everything or declared");
    }
    if (selection->preset == KUBE_EVERYTHING)
        take_events_too(cli, selection);
    selection->narrowed =
        selection->narrowed || (selection->preset == KUBE_DECLARED && !str_eq(configured, wanted));
    return true;
}

bool cli_selection(struct cli *cli, struct kube_selection *ret_selection, struct err *err)
{
    const struct config *config = &cli->config;
    struct kube_selection s = {.include_namespaces = config->include_namespaces,
                               .exclude_namespaces = config->exclude_namespaces,
                               .include_types = config->include_types,
                               .exclude_types = config->exclude_types,
                               .include_names = config->include_names,
                               .exclude_names = config->exclude_names,
                               .labels = config->include_labels,
                               .allow_missing = config->allow_missing,
                               .no_cluster_scoped = !config->cluster_scoped};
    if (!set_preset(cli, &s, err))
        return false;
    replace(cli, OPTION_NAMESPACE, &s.include_namespaces, &s.narrowed);
    extend(cli, OPTION_EXCLUDE_NAMESPACE, &s.exclude_namespaces, &s.narrowed);
    replace(cli, OPTION_TYPE, &s.include_types, &s.narrowed);
    extend(cli, OPTION_EXCLUDE_TYPE, &s.exclude_types, &s.narrowed);
    replace(cli, OPTION_NAME, &s.include_names, &s.narrowed);
    extend(cli, OPTION_EXCLUDE_NAME, &s.exclude_names, &s.narrowed);
    if (cli_has(cli, OPTION_SELECTOR)) {
        s.labels = cli_option(cli, OPTION_SELECTOR);
        s.narrowed = true;
    }
    if (cli_has(cli, OPTION_NO_CLUSTER_SCOPED)) {
        s.narrowed = s.narrowed || !s.no_cluster_scoped;
        s.no_cluster_scoped = true;
    }
    *ret_selection = s;
    return true;
}
