/* <backup|dir|file|-> as a bundle or a stash: what exists on disk wins, then the store is asked. */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backupd/backup.h"
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

/* Where it goes: one of both. */
struct target {
    struct bundle *bundle;
    struct stash **stash;
};

static bool load_kustomization(struct cli *cli, const char *path, const struct target *to, struct err *err)
{
    struct bundle built = {0}, *bundle = to->bundle != NULL ? to->bundle : &built;
    if (!kustomize_build_dir(cli->arena, path, bundle, err))
        return false;
    bundle_sort(bundle);
    return to->stash == NULL ||
           stash_from_bundle(cli->arena, backup_spool_dir(&cli->run), bundle, to->stash, err);
}

static bool load_path(struct cli *cli, struct str what, const struct target *to, struct err *err)
{
    const char *path = str_c(cli->arena, what);
    if (is_kustomization(cli, what))
        return load_kustomization(cli, path, to, err);
    if (to->stash != NULL)
        return stash_read_manifests(cli->arena, backup_spool_dir(&cli->run), path, to->stash, err);
    return bundle_read_manifests(cli->arena, path, to->bundle, err);
}

/* Who looks at a damaged backup is told what is left of it; who rebuilds from it must not take that for the whole. */
static bool takes_the_rest(const struct cli *cli)
{
    static const struct str commands[] = {STR_INIT("convert"), STR_INIT("score"), STR_INIT("show")};
    return str_in(str_of(cli->command->name), commands, COUNT_OF(commands));
}

static bool load_backup(struct cli *cli, struct str what, const struct target *to, struct err *err)
{
    if (!cli_need_store(cli, err))
        return false;
    struct str cluster = cli_cluster(cli, what);
    bool rest = takes_the_rest(cli), loaded;
    if (to->stash != NULL)
        loaded = backup_load_stash(&cli->run, cluster, what, to->stash, rest ? &cli->damaged : NULL, err);
    else if (rest)
        loaded = backup_load_rest(&cli->run, cluster, what, to->bundle, &cli->damaged, err);
    else
        loaded = backup_load(&cli->run, cluster, what, to->bundle, err);
    if (!loaded && err->code == ERR_NOT_FOUND)
        err_next(err, "gitops-pipe list shows the backups; a path must exist and is looked for first");
    return loaded;
}

bool cli_is_path(struct cli *cli, struct str what)
{
    struct stat info;
    return str_is(what, "-") || stat(str_c(cli->arena, what), &info) == 0;
}

static bool load(struct cli *cli, struct str what, const struct target *to, struct err *err)
{
    bool on_disk = cli_is_path(cli, what);
    if (!(on_disk ? load_path : load_backup)(cli, what, to, err))
        return false;
    tell_problems(cli, to->stash != NULL ? stash_about(*to->stash) : to->bundle);
    return true;
}

bool cli_load(struct cli *cli, struct str what, struct bundle *ret_bundle, struct err *err)
{
    return load(cli, what, &(struct target){.bundle = ret_bundle}, err);
}

bool cli_load_stash(struct cli *cli, struct str what, struct stash **ret_stash, struct err *err)
{
    return load(cli, what, &(struct target){.stash = ret_stash}, err);
}

static bool tell_unknown(struct cli *cli, struct stash *stash, size_t index, struct err *err)
{
    const struct resource_type *type = stash_object(stash, index).type;
    struct str origin;
    if (!stash_origin(stash, cli->arena, index, &origin, err))
        return false;
    cli_warn(cli, "%.*s: nothing is known of the kind %.*s of %.*s%s%.*s; it is kept as it is",
             STR_ARG(origin), STR_ARG(type->kind), STR_ARG(type->group), type->group.len ? "/" : "",
             STR_ARG(type->version));
    return true;
}

/* Every type that the objects have, one in two versions twice, is at one address. */
bool cli_tell_unknown_kinds(struct cli *cli, struct stash *stash, struct err *err)
{
    const struct bundle *about = stash_about(stash);
    struct {
        const struct resource_type **items;
        size_t count, cap;
    } seen = {0};
    for (size_t i = 0; i < stash_count(stash); i++) {
        const struct resource_type *type = stash_object(stash, i).type;
        size_t at = 0;
        while (at < seen.count && seen.items[at] != type)
            at++;
        if (at < seen.count)
            continue;
        *ARENA_PUSH(cli->arena, &seen) = type;
        if (resource_type_find(&about->types, type->group, type->kind) == NULL &&
            !tell_unknown(cli, stash, i, err))
            return false;
    }
    return true;
}
