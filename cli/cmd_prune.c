/* prune: old backups go by rules, and the packs that nobody needs any more. */
#include <inttypes.h>

#include "backupd/prune.h"
#include "cli/cli.h"
#include "core/store/store.h"

enum { KEEP_MAX = 100000 };

static int64_t number_of(const struct value *map, const char *key)
{
    int64_t number = 0;
    value_i64(value_key(map, key), &number);
    return number;
}

static void print_backups(struct cli *cli, const struct value *result, struct buf *out)
{
    VALUE_EACH(backup, value_key(result, "backups")) {
        bool keep = value_true(value_key(backup, "keep"));
        struct str locked = value_str(value_key(backup, "locked"));
        buf_fmt(out, "  %-6s %.*s  %s  %.*s\n",
                keep         ? "keep"
                : locked.len ? "LOCKED"
                             : "remove",
                STR_ARG(value_str(value_key(backup, "id"))),
                value_true(value_key(backup, "complete")) ? "complete  " : "INCOMPLETE",
                STR_ARG(value_str(value_key(backup, "why"))));
    }
}

static void print_notes(struct cli *cli, const struct value *result, struct buf *out)
{
    const struct value *packs = value_key(result, "packs");
    struct str left = value_str(value_key(packs, "left"));
    VALUE_EACH(manifest, value_key(result, "unreadable"))
        buf_fmt(out, "  UNREADABLE %.*s\n", STR_ARG(value_str(value_key(manifest, "problem"))));
    VALUE_EACH(locked, value_key(result, "locked"))
        buf_fmt(out, "  locked   %.*s\n", STR_ARG(value_str(value_key(locked, "reason"))));
    VALUE_EACH(backup, value_key(result, "running"))
        buf_fmt(out, "  running  %.*s/%.*s on %.*s since %.*s%s%.*s\n",
                STR_ARG(value_str(value_key(backup, "cluster"))), STR_ARG(value_str(value_key(backup, "id"))),
                STR_ARG(value_str(value_key(backup, "host"))),
                STR_ARG(value_str(value_key(backup, "startedAt"))), value_key(backup, "problem") ? ": " : "",
                STR_ARG(value_str(value_key(backup, "problem"))));
    VALUE_EACH(backup, value_key(result, "cleared"))
        buf_fmt(out, "  cleared  what was left of %.*s%s%.*s%.*s\n",
                STR_ARG(value_str(value_key(backup, "cluster"))), value_key(backup, "id") ? "/" : "",
                STR_ARG(value_str(value_key(backup, "id"))), STR_ARG(value_str(value_key(backup, "run"))));
    if (left.len != 0)
        buf_fmt(out, "  packs were left alone: %.*s\n", STR_ARG(left));
    if (number_of(packs, "young") != 0)
        buf_fmt(out, "  %" PRId64 " packs are too young to go (keep.grace)\n", number_of(packs, "young"));
}

static void print_prune(struct cli *cli, const struct value *result, struct buf *out)
{
    const struct value *removed = value_key(result, "removed");
    print_backups(cli, result, out);
    print_notes(cli, result, out);
    buf_fmt(out, " %.*s  %s%" PRId64 " of %zu backups, %" PRId64 " packs, %.*s\n",
            STR_ARG(value_str(value_key(result, "cluster"))),
            value_true(value_key(result, "dryRun")) ? "dry run, would remove " : "removed ",
            number_of(removed, "backups"), value_count(value_key(result, "backups")),
            number_of(removed, "packs"),
            STR_ARG(cli_bytes(cli->arena, (uint64_t)number_of(removed, "bytes"))));
}

static bool take_number(struct cli *cli, enum option_id option, int64_t *number, struct err *err)
{
    struct str text = cli_option(cli, option);
    uint64_t given;
    if (!cli_has(cli, option))
        return true;
    if (!str_to_u64(text, &given) || given > KEEP_MAX)
        return err_set(err, ERR_USAGE, "--%s wants a number from 0 to %d, not \"%.*s\"",
                       cli_option_name(option), KEEP_MAX, STR_ARG(text));
    *number = (int64_t)given;
    return true;
}

static bool take_duration(struct cli *cli, enum option_id option, int64_t *ms, struct err *err)
{
    struct str text = cli_option(cli, option);
    return !cli_has(cli, option) || config_duration(text, ms) ||
           err_set(err, ERR_USAGE, "--%s wants a duration such as 36h or 30d, not \"%.*s\"",
                   cli_option_name(option), STR_ARG(text));
}

static bool options_of(struct cli *cli, struct prune_options *options, struct err *err)
{
    struct config *config = &cli->config;
    *options = (struct prune_options){.rules = {.last = config->keep_last,
                                                .daily = config->keep_daily,
                                                .weekly = config->keep_weekly,
                                                .monthly = config->keep_monthly,
                                                .within_ms = config->keep_within_ms},
                                      .grace_ms = config->keep_grace_ms,
                                      .dry_run = cli_has(cli, OPTION_DRY_RUN)};
    return take_number(cli, OPTION_KEEP_LAST, &options->rules.last, err) &&
           take_number(cli, OPTION_KEEP_DAILY, &options->rules.daily, err) &&
           take_number(cli, OPTION_KEEP_WEEKLY, &options->rules.weekly, err) &&
           take_number(cli, OPTION_KEEP_MONTHLY, &options->rules.monthly, err) &&
           take_duration(cli, OPTION_KEEP_WITHIN, &options->rules.within_ms, err) &&
           take_duration(cli, OPTION_GRACE, &options->grace_ms, err) &&
           cli_timeout(cli, &config->keep_wait_ms, err);
}

/* What could be removed is; a manifest nobody can read wants somebody to look at it. */
static bool unreadable(const struct value *result, struct err *err)
{
    const struct value *list = value_key(result, "unreadable");
    if (value_count(list) == 0)
        return true;
    err_set(err, ERR_CORRUPT, "%zu manifest%s cannot be read, so no packs were removed; the first: %.*s",
            value_count(list), value_count(list) == 1 ? "" : "s",
            STR_ARG(value_str(value_key(value_item(list, 0), "problem"))));
    return err_next(err, "take it from another copy of the store, or remove that backup's folder by hand");
}

bool cmd_prune(struct cli *cli, struct err *err)
{
    struct prune_options options;
    struct str cluster =
        cli_has(cli, OPTION_CLUSTER) ? cli_option(cli, OPTION_CLUSTER) : cli->config.cluster_name;
    if (!options_of(cli, &options, err) || !cli_need_store(cli, err) ||
        !backup_prune(&cli->run, cluster, &options, err))
        return false;
    const struct value *result = value_key(run_report(&cli->run), "prune");
    return cli_print(cli, result, print_prune, err) && unreadable(result, err);
}
