/* init: finds out what it can and writes a configuration that explains itself. */
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/cli.h"
#include "core/base/files.h"
#include "core/base/json.h"
#include "core/config/config_keys.h"
#include "core/kube/kube.h"

/* What a first look at the machine tells. */
struct found {
    struct str cluster, context, kubeconfig, version, problem;
};

/* A cluster that does not answer is no reason not to write a configuration: the file says what was found. */
static void look_at_cluster(struct cli *cli, struct found *found)
{
    struct err err;
    char kubeconfig[PATH_MAX];
    /* A configuration that is written anew is not what the cluster is called by. */
    config_defaults(cli->arena, &cli->config);
    cli->config.cluster_kubeconfig = cli_option(cli, OPTION_KUBECONFIG);
    cli->config.cluster_context = cli_option(cli, OPTION_CONTEXT);
    if (cli_has(cli, OPTION_KUBECONFIG) &&
        realpath(str_c(cli->arena, cli->config.cluster_kubeconfig), kubeconfig) != NULL)
        found->kubeconfig = str_dup(cli->arena, str_of(kubeconfig));
    if (!cli_need_kube(cli, &err)) {
        found->problem = str_dup(cli->arena, str_of(err.msg));
        return;
    }
    found->context = kube_context(cli->run.kube);
    found->cluster = cli->config.cluster_name;
    if (!kube_version(cli->run.kube, cli->arena, &found->version, &err))
        found->problem = str_dup(cli->arena, str_of(err.msg));
}

/* Context names hold characters that a folder of the store should not. */
static struct str plain_name(struct arena *arena, struct str name)
{
    struct str lower = str_lower(arena, name.len ? name : STR("my-cluster"));
    char *text = (char *)str_c(arena, lower);
    for (size_t i = 0; i < lower.len; i++)
        if (!((text[i] >= 'a' && text[i] <= 'z') || (text[i] >= '0' && text[i] <= '9')))
            text[i] = '-';
    return str_trim((struct str){text, lower.len});
}

static void write_text(struct cli *cli, const struct found *found, struct buf *out)
{
    struct arena *arena = cli->arena;
    const struct value *context = value_string(arena, found->context), *name;
    name = value_string(arena, plain_name(arena, found->cluster));
    buf_text(
        out,
        "# gitops-pipe.yaml: what to back up, where to, and what to make of it.\n"
        "# Every key: gitops-pipe init --schema. Anything secret comes from the environment as ${NAME}.\n"
        "apiVersion: gitops-pipe.io/v1\nkind: Pipeline\n\ncluster:\n  name: ");
    buf_str(out, json_text(arena, name));
    buf_text(out, "            # names the cluster in backups, reports and the repository\n");
    if (found->context.len != 0) {
        buf_text(out, "  context: ");
        buf_str(out, json_text(arena, context));
        buf_text(out, "         # of the kubeconfig\n");
    }
    if (found->kubeconfig.len != 0) {
        buf_text(out, "  kubeconfig: ");
        buf_str(out, json_text(arena, value_string(arena, found->kubeconfig)));
        buf_char(out, '\n');
    }
    if (found->problem.len != 0)
        buf_fmt(out, "  # when this was written the cluster did not answer: %.*s\n", STR_ARG(found->problem));
    buf_text(
        out,
        "  # include: {namespaces: [\"shop-*\"]}\n"
        "  # exclude: {namespaces: [kube-system], types: [events, leases.coordination.k8s.io]}\n"
        "\nstores:\n"
        "  - {name: main, url: \"file:backups\"}            # a folder beside this file\n"
        "  # - {name: main, url: \"s3://backups/my-cluster\", endpoint: \"https://minio.example.com\", "
        "region: us-east-1}\n"
        "  #   credentials: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile of the shared file\n"
        "\n# encrypt: {recipients: [age1...]}      # gitops-pipe secrets keygen FILE makes a key and prints "
        "one\n"
        "keep: {daily: 7, weekly: 5, monthly: 12} # what gitops-pipe prune leaves; nothing else removes a "
        "backup\n"
        "\nquality:\n"
        "  gate: {overall: 0}                   # below it, score and run exit with 1\n"
        "\nsecrets:\n"
        "  mode: omit                           # Secrets stay out of git; the repository lists what must be "
        "provided\n"
        "  # mode: sops                         # or in git, encrypted for recipients: [age1...]; also "
        "sealed, "
        "external\n"
        "\nenvironments:\n"
        "  - {name: dev, replicas: {fixed: 1}, debug: true}\n"
        "  - {name: staging, replicas: {fixed: 2}}\n"
        "  - {name: prod, replicas: {atLeast: 3}, harden: true}\n"
        "\n# git:\n"
        "#   url: \"git@example.com:platform/my-cluster.git\"   # or https://…, or the path of a bare "
        "repository\n"
        "#   branch: main\n"
        "#   author: \"gitops-pipe <ops@example.com>\"\n"
        "\ndeliver: [argocd, flux]\n"
        "\ndrills:\n"
        "  target: sandbox                      # or context:NAME of a cluster that may be filled\n"
        "  environment: prod\n"
        "  objectives: {recoveryTime: 5m, recoveryPoint: 24h}\n");
}

static bool print_schema(struct cli *cli, struct err *err)
{
    struct buf out CLEANUP(buf_done);
    buf_init(&out, 1 << 20);
    json_write_pretty(&out, config_schema(cli->arena));
    return cli_write_out(buf_view(&out), err);
}

static void print_done(struct cli *cli, const struct value *result, struct buf *out)
{
    struct str problem = value_str_in(result, PATH("problem"));
    buf_fmt(out, "wrote %.*s\n", STR_ARG(value_str_in(result, PATH("file"))));
    if (problem.len != 0)
        buf_fmt(out, "the cluster did not answer: %.*s\n", STR_ARG(problem));
    else
        buf_fmt(out, "cluster %.*s, %.*s\n", STR_ARG(value_str_in(result, PATH("cluster"))),
                STR_ARG(value_str_in(result, PATH("version"))));
    buf_text(out, "next: set git.url in it, then gitops-pipe doctor\n");
}

bool cmd_init(struct cli *cli, struct err *err)
{
    struct str dir = cli->arguments.count ? cli->arguments.items[0] : STR(".");
    struct found found = {0};
    if (cli_has(cli, OPTION_SCHEMA))
        return print_schema(cli, err);
    const char *path = str_c(cli->arena, str_fmt(cli->arena, "%.*s/" GITOPS_PIPE_CONFIG_FILE, STR_ARG(dir)));
    if (access(path, F_OK) == 0 && !cli_has(cli, OPTION_FORCE)) {
        err_set(err, ERR_EXISTS, "%s is there already", path);
        return err_next(err, "edit it, or write it anew with --force");
    }
    look_at_cluster(cli, &found);
    struct buf text CLEANUP(buf_done);
    buf_init(&text, 1 << 16);
    write_text(cli, &found, &text);
    if (!file_make_dirs(str_c(cli->arena, dir), err) || !file_write(path, buf_view(&text), 0644, err))
        return false;
    const struct value *result =
        VALUE_MAP(cli->arena, {"file", value_cstr(cli->arena, path)},
                  {"cluster", value_string(cli->arena, plain_name(cli->arena, found.cluster))},
                  {"version", value_string(cli->arena, found.version)},
                  {"problem", found.problem.len ? value_string(cli->arena, found.problem) : NULL});
    return cli_print(cli, result, print_done, err);
}
