/* doctor: would a run work? Every check says what it found, or what is wrong and what to do. */
#include "cli/cli.h"
#include "cli/doctor.h"
#include "core/crypto/age.h"
#include "core/git/repo.h"
#include "core/kube/kube.h"
#include "core/store/store.h"

/* One check: fills `detail` when all is well, `err` when not. */
typedef bool (*check_fn)(struct cli *cli, struct str *detail, struct err *err);

static size_t count_listable(const struct resource_types *types)
{
    size_t count = 0;
    for (size_t i = 0; i < types->count; i++)
        count += types->items[i].listable;
    return count;
}

static bool check_cluster(struct cli *cli, struct str *detail, struct err *err)
{
    struct str version;
    struct resource_types types;
    if (!cli_need_kube(cli, err) || !kube_version(cli->run.kube, cli->arena, &version, err) ||
        !kube_discover(cli->run.kube, cli->arena, &types, err))
        return false;
    *detail = str_fmt(cli->arena, "%.*s (%.*s), %zu types", STR_ARG(cli->config.cluster_name),
                      STR_ARG(version), count_listable(&types));
    return true;
}

static struct str type_name(struct arena *arena, const struct resource_type *type)
{
    return type->group.len ? str_fmt(arena, "%.*s.%.*s", STR_ARG(type->plural), STR_ARG(type->group))
                           : type->plural;
}

/* Asks first for everything at once; only who may not do that is asked type by type. */
static bool check_permissions(struct cli *cli, struct str *detail, struct err *err)
{
    struct resource_types types;
    struct str_list denied = {0};
    bool allowed = false;
    if (!cli_need_kube(cli, err) ||
        !kube_may(cli->run.kube, cli->arena, "list", NULL, STR_NONE, &allowed, err) ||
        !kube_discover(cli->run.kube, cli->arena, &types, err))
        return false;
    for (size_t i = 0; !allowed && i < types.count; i++) {
        bool may = true;
        if (types.items[i].listable &&
            !kube_may(cli->run.kube, cli->arena, "list", &types.items[i], STR_NONE, &may, err))
            return false;
        if (!may)
            *ARENA_PUSH(cli->arena, &denied) = type_name(cli->arena, &types.items[i]);
    }
    if (denied.count != 0) {
        struct str all = str_join(cli->arena, denied.items, denied.count, STR(", "));
        err_set(err, ERR_DENIED, "may not list %zu types: %.*s", denied.count,
                STR_ARG(str_slice(all, 0, 600)));
        return err_next(
            err, "grant list on them, or name them under cluster.allowMissing or cluster.exclude.types");
    }
    *detail = STR("may list every type");
    return true;
}

static bool check_store(struct cli *cli, struct str *detail, struct err *err)
{
    if (!cli_need_store(cli, err) || !store_probe(cli->run.store, cli->arena, err))
        return false;
    struct str_list notes;
    store_notes(cli->run.store, cli->arena, &notes);
    if (notes.count != 0) {
        err_set(err, ERR_UNREACHABLE, "%.*s", STR_ARG(notes.items[0]));
        return err_next(err, "a backup goes to the other stores all the same, and exits with 3");
    }
    *detail = str_fmt(cli->arena, "%.*s, create-only writes hold", STR_ARG(store_url(cli->run.store)));
    return true;
}

static bool check_git(struct cli *cli, struct str *detail, struct err *err)
{
    const struct config *config = &cli->config;
    struct repo_options options = {.url = config->git_url,
                                   .branch = config->git_branch,
                                   .author = config->git_author,
                                   .state_dir = config->state_dir,
                                   .clock = &cli->clock};
    struct repo *repo;
    if (config->git_url.len == 0)
        return err_set(err, ERR_USAGE, "git.url is not set") ||
               err_next(err, "name the repository to publish to in %s; git init --bare DIR makes one",
                        GITOPS_PIPE_CONFIG_FILE);
    if (!repo_open(cli->arena, &options, &repo, err))
        return false;
    struct str tip = repo_tip(repo), url = repo_url(repo);
    *detail = str_fmt(cli->arena, "%.*s, branch %.*s %s%.*s", STR_ARG(url), STR_ARG(config->git_branch),
                      tip.len ? "at " : "will be made", STR_ARG(str_slice(tip, 0, 10)));
    repo_close(repo);
    return true;
}

/* Who has settings for a mode has them for the environment that uses it. */
static bool check_mode(struct cli *cli, const struct config_secrets *settings, struct err *err)
{
    struct age_recipients recipients;
    if (settings->mode == SECRETS_SOPS && settings->recipients.count == 0)
        return err_set(err, ERR_USAGE, "mode sops needs secrets.recipients") ||
               err_next(err, "gitops-pipe secrets keygen FILE makes an identity and prints its recipient");
    if (settings->mode == SECRETS_SOPS)
        return age_recipients_parse(cli->arena, &settings->recipients, &recipients, err);
    if (settings->mode == SECRETS_EXTERNAL && settings->store.len == 0)
        return err_set(err, ERR_USAGE, "mode external needs secrets.external.store") ||
               err_next(err, "name the SecretStore or ClusterSecretStore that has the values");
    return true;
}

static bool check_secrets(struct cli *cli, struct str *detail, struct err *err)
{
    const struct config *config = &cli->config;
    struct str_list words = {0};
    for (size_t i = 0; i < config->environments.count; i++) {
        const struct config_environment *environment = &config->environments.items[i];
        struct config_secrets settings = config_secrets_of(config, environment);
        if (settings.mode == SECRETS_REFUSE) {
            err_set(err, ERR_USAGE, "secrets.mode is not set, so convert refuses when there are Secrets");
            return err_next(err, "set secrets.mode: sops, sealed or external, or omit to have them listed");
        }
        if (!check_mode(cli, &settings, err))
            return err_context(err, "%.*s", STR_ARG(environment->name));
        *ARENA_PUSH(cli->arena, &words) =
            str_fmt(cli->arena, "%.*s %s", STR_ARG(environment->name), config_secrets_name(settings.mode));
    }
    *detail = str_join(cli->arena, words.items, words.count, STR(", "));
    return true;
}

static const struct {
    const char *name;
    check_fn check;
} checks[] = {{"cluster", check_cluster},
              {"permissions", check_permissions},
              {"store", check_store},
              {"git", check_git},
              {"secrets", check_secrets}};

const struct value *doctor_checks(struct cli *cli)
{
    struct value_list_builder list = {0};
    struct arena *arena = cli->arena;
    for (size_t i = 0; i < COUNT_OF(checks); i++) {
        struct err err = {0};
        struct str detail = STR_NONE;
        bool ok = checks[i].check(cli, &detail, &err);
        struct str message = str_dup(arena, str_of(err.msg)), next = str_dup(arena, str_of(err.next));
        value_push(arena, &list,
                   VALUE_MAP(arena, {"name", value_cstr(arena, checks[i].name)},
                             {"ok", value_bool(arena, ok)},
                             {"detail", ok ? value_string(arena, detail) : NULL},
                             {"message", ok ? NULL : value_string(arena, message)},
                             {"next", !ok && next.len ? value_string(arena, next) : NULL}));
    }
    return value_list_done(arena, &list);
}

bool doctor_all_ok(const struct value *list)
{
    VALUE_EACH(check, list)
        if (!value_true(value_key(check, "ok")))
            return false;
    return true;
}

static void print_doctor(struct cli *cli, const struct value *result, struct buf *out)
{
    VALUE_EACH(check, value_key(result, "checks")) {
        bool ok = value_true(value_key(check, "ok"));
        struct str next = value_str(value_key(check, "next"));
        buf_fmt(out, " %s %-12.*s %.*s\n", cli_mark(cli, ok), STR_ARG(value_str(value_key(check, "name"))),
                STR_ARG(value_str(value_key(check, ok ? "detail" : "message"))));
        if (next.len != 0)
            buf_fmt(out, "   → %.*s\n", STR_ARG(next));
    }
}

bool cmd_doctor(struct cli *cli, struct err *err)
{
    const struct value *list = doctor_checks(cli);
    bool ok = doctor_all_ok(list);
    const struct value *result = VALUE_MAP(cli->arena, {"ok", value_bool(cli->arena, ok)}, {"checks", list});
    if (!cli_print(cli, result, print_doctor, err))
        return false;
    return ok || err_set(err, ERR_UNREACHABLE, "not everything a run needs is there");
}
