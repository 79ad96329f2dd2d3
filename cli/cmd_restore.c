/* restore: a cluster from a backup or a repository, in waves, until it is ready. */
#include <inttypes.h>

#include "cli/cli.h"
#include "core/kube/kube.h"
#include "core/kustomize/kustomize.h"
#include "core/secrets/open.h"
#include "dr-scenarios/compare.h"
#include "dr-scenarios/restore.h"

struct source {
    struct bundle snapshot; /* for Secrets, and to know the cluster it came from; may be empty */
    struct bundle declared; /* what is applied */
};

static bool open_source(struct cli *cli, struct str what, struct source *source, struct err *err)
{
    struct str dir = str_fmt(cli->arena, "overlays/%.*s", STR_ARG(cli->config.drill_environment));
    struct bundle converted;
    bool ok;
    if (cli_is_repository(cli, what)) {
        struct str path = str_fmt(cli->arena, "%.*s/%.*s", STR_ARG(what), STR_ARG(dir));
        ok = cli_load_origin(cli, what, &source->snapshot, err) &&
             kustomize_build_dir(cli->arena, str_c(cli->arena, path), &source->declared, err);
    } else {
        ok = cli_load(cli, what, &source->snapshot, err) &&
             cli_convert(cli, &source->snapshot, &converted, err) &&
             kustomize_build(cli->arena, &cli->run.files, dir, &source->declared, err);
    }
    ok = ok && secrets_open(&cli->run, &source->declared, &source->snapshot,
                            config_environment(&cli->config, cli->config.drill_environment), err);
    if (ok)
        bundle_sort(&source->declared);
    return ok;
}

static void print_restore(struct cli *cli, const struct value *result, struct buf *out)
{
    const struct value *restored = value_key(result, "restore"), *compared = value_key(result, "compare");
    bool dry = cli_has(cli, OPTION_DRY_RUN);
    int64_t declared = 0;
    value_i64(value_key(restored, "declared"), &declared);
    size_t secrets = value_count(value_key(restored, "secretsProvided"));
    buf_fmt(out, " %.*s of %zu objects %s", STR_ARG(value_text(value_key(restored, "applied"))),
            (size_t)declared + secrets, dry ? "would be accepted" : "applied");
    if (!dry)
        buf_fmt(out, ", %.*s of %.*s ready, %zu Secrets from the backup",
                STR_ARG(value_text(value_key(restored, "ready"))),
                STR_ARG(value_text(value_key(restored, "waited"))), secrets);
    if (value_key(restored, "unrehearsed") != NULL)
        buf_fmt(out, ", %.*s can be tried only when their types or namespaces are there",
                STR_ARG(value_text(value_key(restored, "unrehearsed"))));
    if (compared != NULL)
        buf_fmt(out, "\n compared: %.*s missing, %.*s different",
                STR_ARG(value_text(value_key(compared, "missing"))),
                STR_ARG(value_text(value_key(compared, "different"))));
    buf_char(out, '\n');
    VALUE_EACH(finding, value_key(result, "findings")) {
        const struct value *resource = value_key(finding, "resource");
        struct str namespace = value_str(value_key(resource, "namespace"));
        buf_fmt(out, "  %.*s%s%.*s/%.*s  %.*s\n", STR_ARG(namespace), namespace.len ? "/" : "",
                STR_ARG(value_str(value_key(resource, "kind"))),
                STR_ARG(value_str(value_key(resource, "name"))),
                STR_ARG(value_str(value_key(finding, "message"))));
    }
}

/* Reads the target again: applied is not yet there. */
static bool compare(struct cli *cli, struct kube *target, const struct source *source,
                    struct restore_result *result, const struct value **ret_section, struct err *err)
{
    const struct kube_selection everything = {0};
    struct compare_result compared;
    struct bundle live;
    if (!kube_snapshot(target, cli->arena, &everything, cli->run.progress, &live, err))
        return err_context(err, "read the rebuilt cluster");
    compare_bundles(cli->arena, &source->declared, &live, &compared);
    for (size_t i = 0; i < compared.count; i++)
        *ARENA_PUSH(cli->arena, &result->findings) = compare_finding(cli->arena, &compared.items[i]);
    cli->incomplete = cli->incomplete || compared.count != 0;
    *ret_section = VALUE_MAP(cli->arena, {"objects", value_int(cli->arena, (int64_t)compared.objects)},
                             {"missing", value_int(cli->arena, (int64_t)compared.missing)},
                             {"different", value_int(cli->arena, (int64_t)compared.different)});
    return true;
}

static bool print_result(struct cli *cli, const struct restore_result *result, const struct value *compared,
                         struct err *err)
{
    struct value_list_builder findings = {0};
    for (size_t i = 0; i < result->warnings.count; i++)
        value_push(cli->arena, &findings, finding_value(cli->arena, &result->warnings.items[i]));
    for (size_t i = 0; i < result->findings.count; i++)
        value_push(cli->arena, &findings, finding_value(cli->arena, &result->findings.items[i]));
    const struct value *value =
        VALUE_MAP(cli->arena, {"restore", restore_section(cli->arena, result)}, {"compare", compared},
                  {"findings", value_list_done(cli->arena, &findings)});
    return cli_print(cli, value, print_restore, err);
}

static bool restore(struct cli *cli, struct kube *target, const struct source *source, struct err *err)
{
    struct restore_options options = {.dry_run = cli_has(cli, OPTION_DRY_RUN),
                                      .allow_not_empty = cli_has(cli, OPTION_ALLOW_NOT_EMPTY),
                                      .replace = cli_has(cli, OPTION_REPLACE),
                                      .allow_same_cluster = cli_has(cli, OPTION_ALLOW_SAME_CLUSTER),
                                      .source_uid = source->snapshot.cluster_uid,
                                      .provided_secrets = &source->snapshot,
                                      .environment =
                                          config_environment(&cli->config, cli->config.drill_environment)};
    struct restore_result result = {0};
    const struct value *compared = NULL;
    struct err print_err = {0};
    if (!cli_timeout(cli, &options.wait_timeout_ms, err))
        return false;
    bool ok = restore_run(&cli->run, target, &source->declared, &options, &result, err);
    if (!ok && err->code != ERR_INCOMPLETE)
        return false;
    if (ok && !options.dry_run && !compare(cli, target, source, &result, &compared, err))
        return false;
    if (!print_result(cli, &result, compared, &print_err)) {
        *err = print_err;
        return false;
    }
    return ok;
}

bool cmd_restore(struct cli *cli, struct err *err)
{
    struct str what;
    struct source source = {0};
    struct kube *target;
    if (!cli_argument(cli, 0, &what, err))
        return false;
    if (!cli_has(cli, OPTION_TARGET)) {
        err_set(err, ERR_USAGE, "restore writes to a cluster, so it wants to be told which");
        return err_next(err, "name it with --target context:NAME or --target kubeconfig:FILE");
    }
    if (!restore_open(&cli->run, cli_option(cli, OPTION_TARGET), &target, err))
        return false;
    bool ok = open_source(cli, what, &source, err) && restore(cli, target, &source, err);
    kube_close(target);
    return ok;
}
