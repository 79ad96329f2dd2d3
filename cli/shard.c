/* backup --shard: one of several processes that make a backup together. */
#include "backupd/backup.h"
#include "backupd/joint.h"
#include "cli/cli.h"

static struct str bytes_of(struct cli *cli, const struct value *result, const char *key)
{
    int64_t bytes = 0;
    value_i64(value_in(result, PATH("packs", key)), &bytes);
    return cli_bytes(cli->arena, (uint64_t)bytes);
}

static void print_shard(struct cli *cli, const struct value *result, struct buf *out)
{
    const struct value *shard = value_key(result, "shard"), *waiting = value_key(shard, "waitingFor");
    if (value_true(value_key(shard, "published"))) {
        cli_print_backup(cli, result, out);
        return;
    }
    struct str index = value_text(value_key(shard, "index")), of = value_text(value_key(shard, "of"));
    buf_fmt(out, " shard %.*s of run %.*s is in · %.*s new, %.*s unchanged · waiting for", STR_ARG(index),
            STR_ARG(value_str(value_key(shard, "run"))), STR_ARG(bytes_of(cli, result, "bytesNew")),
            STR_ARG(bytes_of(cli, result, "bytesUnchanged")));
    VALUE_EACH(missing, waiting)
        buf_fmt(out, " %.*s/%.*s", STR_ARG(value_str(missing)), STR_ARG(of));
    buf_char(out, '\n');
}

/* The plan that all shards share: the first to come makes it, at the moment of now. */
static bool find_plan(struct cli *cli, struct joint *joint, const struct kube_selection *selection,
                      struct err *err)
{
    const struct value *chosen = kube_selection_value(cli->arena, selection);
    struct str moment;
    bool found;
    if (!joint_find(&cli->run, joint, chosen, &found, err))
        return false;
    if (found)
        return true;
    return store_probe(cli->run.store, cli->arena, err) &&
           kube_moment(cli->run.kube, cli->arena, selection, &moment, err) &&
           joint_begin(&cli->run, joint, moment, chosen, err);
}

/* Reads and stores this shard, unless that is done. */
static bool do_shard(struct cli *cli, const struct joint *joint, struct kube_selection *selection,
                     bool *ret_complete, struct err *err)
{
    struct joint_state state;
    struct stash *stash = NULL;
    bool is_in;
    selection->shard = joint->index;
    selection->shards = joint->shards;
    selection->moment = joint->resource_version;
    if (!joint_finish(&cli->run, joint, &state, err) || !joint_is_in(&cli->run, joint, &is_in, err) ||
        (!state.published && !is_in && !cli_stash_of(cli, selection, &stash, err)))
        return false;
    bool done = backup_shard(&cli->run, stash, joint, ret_complete, err);
    stash_close(stash);
    return done;
}

bool cli_backup_shard(struct cli *cli, struct err *err)
{
    struct joint joint = {.name = cli_option(cli, OPTION_RUN)};
    struct kube_selection selection;
    bool complete = false;
    if (!joint_parse_shard(cli_option(cli, OPTION_SHARD), &joint.index, &joint.shards, err))
        return false;
    if (joint.name.len == 0 || cli_has(cli, OPTION_DRY_RUN))
        return err_set(err, ERR_USAGE,
                       joint.name.len ? "--shard makes no dry run" : "--shard wants --run NAME");
    if (cli->config.hooks.count != 0) /* before which of the shards, and after which? */
        return err_set(err, ERR_USAGE, "hooks belong to one process; shards run none") ||
               err_next(err, "run the hooks' commands in a job of their own, or back up without --shard");
    if (!cli_need_store(cli, err) || !cli_selection(cli, &selection, err) || !cli_need_kube(cli, err))
        return false;
    joint.cluster = cli->config.cluster_name;
    if (!find_plan(cli, &joint, &selection, err) || !do_shard(cli, &joint, &selection, &complete, err))
        return err_context(err, "run %.*s", STR_ARG(joint.name));
    const struct value *result = value_key(run_report(&cli->run), "backup");
    return cli_print(cli, result, print_shard, err) &&
           (complete || cli_tell_hole(value_key(result, "missing"), err));
}
