/* drill: rehearses a disaster on a target of its own and says how long the way back took. */
#include <inttypes.h>

#include "backupd/load.h"
#include "cli/cli.h"
#include "dr-scenarios/drill.h"

static void print_list(struct cli *cli, const struct value *result, struct buf *out)
{
    VALUE_EACH(scenario, result)
        buf_fmt(out, "%-16.*s %.*s\n", STR_ARG(value_str(value_key(scenario, "id"))),
                STR_ARG(value_str(value_key(scenario, "what"))));
}

static bool list(struct cli *cli, struct err *err)
{
    struct value_list_builder scenarios = {0};
    for (size_t i = 0; i < drill_count(); i++) {
        struct drill_scenario scenario = drill_scenario(i);
        value_push(cli->arena, &scenarios,
                   VALUE_MAP(cli->arena, {"id", value_cstr(cli->arena, scenario.id)},
                             {"what", value_cstr(cli->arena, scenario.what)}));
    }
    return cli_print(cli, value_list_done(cli->arena, &scenarios), print_list, err);
}

static struct str duration(struct cli *cli, const struct value *ms)
{
    int64_t number;
    return value_i64(ms, &number) ? cli_duration(cli->arena, number) : STR("unknown");
}

static void print_drill(struct cli *cli, const struct value *result, struct buf *out)
{
    const struct value *objectives = value_key(result, "objectives");
    cli_write_steps(cli, value_key(result, "steps"), out);
    buf_fmt(out, "\n recovery time %.*s (objective %.*s) · age of the data %.*s (objective %.*s)\n",
            STR_ARG(duration(cli, value_key(result, "recoveryTimeMs"))),
            STR_ARG(duration(cli, value_key(objectives, "recoveryTimeMs"))),
            STR_ARG(duration(cli, value_key(result, "recoveryPointMs"))),
            STR_ARG(duration(cli, value_key(objectives, "recoveryPointMs"))));
    if (value_true(value_key(result, "sandbox")))
        buf_text(out,
                 " The target was the sandbox, a stand-in: its times are not those of a real cluster.\n");
    VALUE_EACH(finding, value_key(result, "findings"))
        buf_fmt(out, "  %.*s/%.*s  %.*s\n", STR_ARG(value_str_in(finding, PATH("resource", "kind"))),
                STR_ARG(value_str_in(finding, PATH("resource", "name"))),
                STR_ARG(value_str(value_key(finding, "message"))));
}

/* The repository named, with the backup it came from; else the newest backup, converted on the spot. */
static bool prepare(struct cli *cli, struct bundle *snapshot, struct err *err)
{
    struct str repository = cli_option(cli, OPTION_REPOSITORY);
    struct bundle declared;
    if (repository.len != 0)
        return cli_load_origin(cli, repository, snapshot, err);
    return cli_load(cli, STR("latest"), snapshot, err) && cli_convert(cli, snapshot, &declared, err);
}

/* Asked before a backup is loaded: the wrong name is the first thing to tell. */
static bool is_known(struct str name, struct err *err)
{
    for (size_t i = 0; i < drill_count(); i++)
        if (str_is(name, drill_scenario(i).id))
            return true;
    err_set(err, ERR_USAGE, "no such drill: %.*s", STR_ARG(name));
    return err_next(err, "gitops-pipe drill list shows them");
}

static bool rehearse(struct cli *cli, struct str name, struct err *err)
{
    struct bundle snapshot;
    struct drill_options options = {.scenario = name, .repository = cli_option(cli, OPTION_REPOSITORY)};
    struct err print_err = {0};
    if (!cli_timeout(cli, &options.wait_timeout_ms, err) || !prepare(cli, &snapshot, err))
        return false;
    bool ok = drill_run(&cli->run, &snapshot, &options, err);
    const struct value *section = value_key(run_report(&cli->run), "drill");
    if (section != NULL && !cli_print(cli, section, print_drill, &print_err) && ok) {
        *err = print_err;
        return false;
    }
    return ok;
}

bool cmd_drill(struct cli *cli, struct err *err)
{
    struct str name;
    if (!cli_argument(cli, 0, &name, err))
        return false;
    if (str_is(name, "list"))
        return list(cli, err);
    if (!str_is(name, "all"))
        return is_known(name, err) && rehearse(cli, name, err);
    for (size_t i = 0; i < drill_count(); i++)
        if (!rehearse(cli, str_of(drill_scenario(i).id), err))
            return false;
    return true;
}
