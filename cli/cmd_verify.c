/* verify: every pack again, every problem listed. */
#include <inttypes.h>

#include "backupd/verify.h"
#include "cli/cli.h"

static void print_verify(struct cli *cli, const struct value *result, struct buf *out)
{
    int64_t bytes = 0;
    bool clean = value_true(value_key(result, "clean"));
    value_i64(value_key(result, "bytes"), &bytes);
    struct str objects = value_text(value_key(result, "objects"));
    struct str unopened = value_text(value_key(result, "unopened"));
    buf_fmt(out, " %.*s/%.*s  %s · %.*s packs%s%.*s%s, %.*s read again\n",
            STR_ARG(value_str(value_key(result, "cluster"))), STR_ARG(value_str(value_key(result, "id"))),
            clean ? "clean" : "DAMAGED", STR_ARG(value_text(value_key(result, "packs"))),
            objects.len ? ", " : "", STR_ARG(objects), objects.len ? " objects" : "",
            STR_ARG(cli_bytes(cli->arena, (uint64_t)bytes)));
    if (unopened.len != 0)
        buf_fmt(out, "  %.*s encrypted packs were not opened: no identity is at hand (--identity)\n",
                STR_ARG(unopened));
    VALUE_EACH(problem, value_key(result, "problems"))
        buf_fmt(out, "  %.*s\n", STR_ARG(value_str(value_key(problem, "message"))));
    if (!value_true(value_key(result, "complete")))
        buf_text(out, "  this backup was incomplete when it was made (gitops-pipe show)\n");
}

static bool damaged(const struct value *problems, struct err *err)
{
    size_t count = value_count(problems);
    struct str first = value_str(value_key(value_item(problems, 0), "message"));
    if (count == 1)
        err_set(err, ERR_CORRUPT, "%.*s", STR_ARG(first));
    else
        err_set(err, ERR_CORRUPT, "%zu things are wrong; the first: %.*s", count, STR_ARG(first));
    return err_next(err, "take a new backup now: it sends again what is damaged, and leaves what is whole");
}

static void print_path(struct cli *cli, const struct value *result, struct buf *out)
{
    buf_fmt(out, " %.*s  %s · %.*s objects read\n", STR_ARG(value_str(value_key(result, "path"))),
            value_true(value_key(result, "clean")) ? "clean" : "with faults",
            STR_ARG(value_text(value_key(result, "objects"))));
}

/* Manifests have no hashes: whole means that every document could be read. What could not is told while loading. */
static bool verify_path(struct cli *cli, struct str path, struct err *err)
{
    struct bundle bundle;
    if (!cli_load(cli, path, &bundle, err))
        return false;
    struct value_list_builder problems = {0};
    for (size_t i = 0; i < bundle.problems.count; i++)
        value_push(cli->arena, &problems, value_string(cli->arena, bundle.problems.items[i]));
    const struct value *result = VALUE_MAP(cli->arena, {"path", value_string(cli->arena, path)},
                                           {"clean", value_bool(cli->arena, bundle.problems.count == 0)},
                                           {"objects", value_int(cli->arena, (int64_t)bundle.count)},
                                           {"problems", value_list_done(cli->arena, &problems)});
    return cli_print(cli, result, print_path, err);
}

bool cmd_verify(struct cli *cli, struct err *err)
{
    struct str which;
    bool clean;
    if (!cli_argument(cli, 0, &which, err))
        return false;
    if (cli_is_path(cli, which))
        return verify_path(cli, which, err);
    if (!cli_need_store(cli, err) || !(cli_has(cli, OPTION_DEEP) ? backup_verify : backup_verify_hashes)(
                                         &cli->run, cli_cluster(cli, which), which, &clean, err))
        return false;
    const struct value *section = value_key(run_report(&cli->run), "verify");
    if (!cli_print(cli, section, print_verify, err))
        return false;
    if (!clean)
        return damaged(value_key(section, "problems"), err);
    cli->incomplete = !value_true(value_key(section, "complete"));
    return true;
}
