/* list: the backups of a store, newest first. */
#include <inttypes.h>

#include "backupd/catalog.h"
#include "cli/cli.h"
#include "core/store/store.h"

enum { LIST_MAX = 1000 };

static void print_row(struct cli *cli, const struct value *backup, struct buf *out)
{
    struct str problem = value_str(value_key(backup, "problem"));
    int64_t objects = 0, bytes = 0;
    value_i64(value_key(backup, "objects"), &objects);
    value_i64(value_key(backup, "bytes"), &bytes);
    struct str name = str_fmt(cli->arena, "%.*s/%.*s", STR_ARG(value_str(value_key(backup, "cluster"))),
                              STR_ARG(value_str(value_key(backup, "id"))));
    if (problem.len != 0) {
        buf_fmt(out, "%-48.*s  %.*s\n", STR_ARG(name), STR_ARG(problem));
        return;
    }
    buf_fmt(out, "%-48.*s  %-20.*s  %10.*s objects  %9.*s  %s%s\n", STR_ARG(name),
            STR_ARG(value_str(value_key(backup, "takenAt"))),
            STR_ARG(cli_thousands(cli->arena, (uint64_t)objects)),
            STR_ARG(cli_bytes(cli->arena, (uint64_t)bytes)),
            value_true(value_key(backup, "complete")) ? "complete" : "INCOMPLETE",
            value_true(value_key(backup, "narrowed")) ? ", a part of the cluster" : "");
}

static void print_list(struct cli *cli, const struct value *result, struct buf *out)
{
    if (value_count(result) == 0)
        buf_fmt(out, "no backups in %.*s yet; gitops-pipe backup makes one\n",
                STR_ARG(store_url(cli->run.store)));
    VALUE_EACH(backup, result)
        print_row(cli, backup, out);
}

bool cmd_list(struct cli *cli, struct err *err)
{
    struct catalog catalog;
    if (!cli_need_store(cli, err) ||
        !catalog_list(cli->run.store, cli->arena, cli_option(cli, OPTION_CLUSTER), &catalog, err) ||
        !catalog_read(cli->run.store, cli->arena, LIST_MAX, &catalog, err))
        return false;
    return cli_print(cli, catalog_value(cli->arena, &catalog), print_list, err);
}
