/* backup: one look at the cluster, into the store. */
#include <inttypes.h>

#include "backupd/backup.h"
#include "cli/cli.h"

/* The cluster that `selection` takes a share of. */
bool cli_stash_of(struct cli *cli, const struct kube_selection *selection, struct stash **ret_stash,
                  struct err *err)
{
    if (!kube_stash(cli->run.kube, cli->arena, selection, backup_spool_dir(&cli->run), cli->run.progress,
                    ret_stash, err))
        return false;
    stash_about(*ret_stash)->cluster = cli->config.cluster_name;
    return true;
}

bool cli_stash(struct cli *cli, struct stash **ret_stash, struct err *err)
{
    struct kube_selection selection;
    return cli_selection(cli, &selection, err) && cli_need_kube(cli, err) &&
           cli_stash_of(cli, &selection, ret_stash, err);
}

bool cli_snapshot(struct cli *cli, struct bundle *ret_bundle, struct err *err)
{
    struct stash *stash;
    if (!cli_stash(cli, &stash, err))
        return false;
    bool made = stash_bundle_all(stash, cli->arena, ret_bundle, err);
    stash_close(stash);
    return made;
}

static void print_missing(struct buf *out, const struct value *missing)
{
    VALUE_EACH(type, missing)
        buf_fmt(out, "  missing  %.*s: %.*s\n", STR_ARG(value_str(value_key(type, "type"))),
                STR_ARG(value_str(value_key(type, "reason"))));
}

static struct str bytes_of(struct cli *cli, const struct value *packs, const char *key)
{
    int64_t bytes = 0;
    value_i64(value_key(packs, key), &bytes);
    return cli_bytes(cli->arena, (uint64_t)bytes);
}

void cli_print_backup(struct cli *cli, const struct value *result, struct buf *out)
{
    struct arena *arena = cli->arena;
    const struct value *packs = value_key(result, "packs");
    int64_t objects = 0, ms = 0;
    value_i64(value_key(result, "objects"), &objects);
    value_i64(value_key(result, "durationMs"), &ms);
    bool complete = value_true(value_key(result, "complete")), dry = value_true(value_key(result, "dryRun"));
    struct str id = value_str(value_key(result, "id"));
    buf_fmt(out, " %.*s%s%.*s  %s · %.*s objects · %.*s new, %.*s unchanged · %.*s\n",
            STR_ARG(value_str(value_key(result, "cluster"))), id.len ? "/" : "", STR_ARG(id),
            dry        ? "dry run, nothing written"
            : complete ? "complete"
                       : "INCOMPLETE",
            STR_ARG(cli_thousands(arena, (uint64_t)objects)), STR_ARG(bytes_of(cli, packs, "bytesNew")),
            STR_ARG(bytes_of(cli, packs, "bytesUnchanged")), STR_ARG(cli_duration(arena, ms)));
    print_missing(out, value_key(result, "missing"));
    cli_write_hooks(cli, value_key(result, "hooks"), out);
    VALUE_EACH(note, value_key(result, "notes"))
        buf_fmt(out, "  note     %.*s\n", STR_ARG(value_str(note)));
}

/* The backup is there and says what it lacks; whoever reads only stderr and the exit status must hear of it too. */
bool cli_tell_hole(const struct value *missing, struct err *err)
{
    size_t count = value_count(missing);
    err_set(err, ERR_INCOMPLETE, "the backup is incomplete: %zu type%s could not be read, the first is %.*s",
            count, count == 1 ? "" : "s", STR_ARG(value_str(value_key(value_item(missing, 0), "type"))));
    return err_next(err, "grant the list verb on what is missing, or name it with --allow-missing TYPE");
}

/* The same for a hook that must not fail: what it was to leave is not there, or what it was to thaw is still frozen. */
static bool tell_hook(const struct value *hooks, struct err *err)
{
    VALUE_EACH(hook, hooks) {
        struct str policy = value_str(value_key(hook, "onFailure"));
        if (value_true(value_key(hook, "ok")) || !str_is(policy, "fail"))
            continue;
        err_set(err, ERR_INCOMPLETE, "the backup is incomplete: %.*s",
                STR_ARG(value_str(value_key(hook, "error"))));
        return err_next(err, "run the command by hand; onFailure: continue goes on without it");
    }
    return true;
}

/* The same for a store that was away: the next backup copies over what it lacks, when it is back. */
static bool tell_lack(const struct value *lacking, struct err *err)
{
    const struct value *stores = value_key(lacking, "stores");
    err_set(err, ERR_INCOMPLETE, "the backup is not in every store: %.*s lacks it%s",
            STR_ARG(value_str(value_item(stores, 0))), value_count(stores) > 1 ? ", and more" : "");
    return err_next(err, "bring the store back: the next backup copies over what is missing there");
}

static bool back_up(struct cli *cli, struct stash *stash, struct err *err)
{
    if (!backup_stash(&cli->run, stash, cli_has(cli, OPTION_DRY_RUN), err))
        return false;
    const struct value *result = value_key(run_report(&cli->run), "backup");
    const struct value *lacking = value_key(result, "lacking");
    bool hole = value_count(value_key(result, "missing")) != 0 && !stash_about(stash)->complete;
    return cli_print(cli, result, cli_print_backup, err) && (lacking == NULL || tell_lack(lacking, err)) &&
           tell_hook(value_key(result, "hooks"), err) &&
           (!hole || cli_tell_hole(value_key(result, "missing"), err));
}

static bool read_and_store(struct cli *cli, struct err *err)
{
    struct stash *stash;
    if (!cli_stash(cli, &stash, err))
        return false;
    bool made = back_up(cli, stash, err);
    stash_close(stash);
    return made;
}

bool cmd_backup(struct cli *cli, struct err *err)
{
    if (cli_has(cli, OPTION_SHARD))
        return cli_backup_shard(cli, err);
    /* The store first: a store that cannot be written should not cost a read of the cluster. */
    if (!cli_need_store(cli, err))
        return false;
    bool made = cli_hooks_begin(cli, err) && read_and_store(cli, err);
    return cli_hooks_end(cli, made, err);
}
