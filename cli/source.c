/* <backup|dir|file|-> as a bundle: what exists on disk wins, then the store is asked. */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backupd/load.h"
#include "cli/cli.h"
#include "core/kustomize/kustomize.h"

/* Several clusters may share a store; whoever says "latest" means the one at hand. An id is told apart by itself. */
struct str cli_cluster(const struct cli *cli, struct str which)
{
    struct str named = cli_option(cli, OPTION_CLUSTER);
    return named.len == 0 && str_is(which, "latest") ? cli->config.cluster_name : named;
}

/* Input that was left out is no reason to stop, and none to keep quiet. */
static void tell_problems(struct cli *cli, const struct bundle *bundle)
{
    for (size_t i = 0; i < bundle->problems.count; i++)
        cli_warn(cli, "left out: %.*s", STR_ARG(bundle->problems.items[i]));
    cli->incomplete = cli->incomplete || bundle->problems.count != 0;
}

static bool is_kustomization(struct cli *cli, struct str dir)
{
    const char *file = str_c(cli->arena, str_fmt(cli->arena, "%.*s/kustomization.yaml", STR_ARG(dir)));
    return access(file, F_OK) == 0;
}

static bool load_path(struct cli *cli, struct str what, struct bundle *ret_bundle, struct err *err)
{
    const char *path = str_c(cli->arena, what);
    if (!is_kustomization(cli, what))
        return bundle_read_manifests(cli->arena, path, ret_bundle, err);
    if (!kustomize_build_dir(cli->arena, path, ret_bundle, err))
        return false;
    bundle_sort(ret_bundle);
    return true;
}

/* Who looks at a damaged backup is told what is left of it; who rebuilds from it must not take that for the whole. */
static bool takes_the_rest(const struct cli *cli)
{
    static const struct str commands[] = {STR_INIT("convert"), STR_INIT("score"), STR_INIT("show")};
    return str_in(str_of(cli->command->name), commands, COUNT_OF(commands));
}

static bool load_backup(struct cli *cli, struct str what, struct bundle *ret_bundle, struct err *err)
{
    if (!cli_need_store(cli, err))
        return false;
    struct str cluster = cli_cluster(cli, what);
    if (takes_the_rest(cli) ? backup_load_rest(&cli->run, cluster, what, ret_bundle, &cli->damaged, err)
                            : backup_load(&cli->run, cluster, what, ret_bundle, err))
        return true;
    if (err->code == ERR_NOT_FOUND)
        err_next(err, "gitops-pipe list shows the backups; a path must exist and is looked for first");
    return false;
}

bool cli_is_path(struct cli *cli, struct str what)
{
    struct stat info;
    return str_is(what, "-") || stat(str_c(cli->arena, what), &info) == 0;
}

bool cli_load(struct cli *cli, struct str what, struct bundle *ret_bundle, struct err *err)
{
    bool on_disk = cli_is_path(cli, what);
    if (!(on_disk ? load_path : load_backup)(cli, what, ret_bundle, err))
        return false;
    tell_problems(cli, ret_bundle);
    return true;
}
