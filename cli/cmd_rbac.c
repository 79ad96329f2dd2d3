/* rbac: the least rights that a backup with this configuration needs, to be looked at and applied by an admin. */
#include "cli/cli.h"
#include "core/base/yaml.h"
#include "core/kube/rbac.h"

#define DEFAULT_ACCOUNT "gitops-pipe/gitops-pipe"

/* "namespace/name". */
static bool read_account(struct cli *cli, struct rbac_wish *wish, struct err *err)
{
    struct str text = cli_option(cli, OPTION_SERVICE_ACCOUNT), rest;
    rest = text.len ? text : STR(DEFAULT_ACCOUNT);
    wish->namespace = str_cut(&rest, '/');
    wish->account = rest;
    if (wish->namespace.len != 0 && rest.len != 0 && str_find(rest, '/') == rest.len)
        return true;
    return err_set(err, ERR_USAGE, "--service-account wants NAMESPACE/NAME, not \"%.*s\"", STR_ARG(text));
}

/* What the cluster serves; where there is none to ask, what every Kubernetes serves, and a word about it. */
static bool find_types(struct cli *cli, struct resource_types *ret_types, struct str *ret_note,
                       struct err *err)
{
    if (cli_need_kube(cli, err) && kube_discover(cli->run.kube, cli->arena, ret_types, err)) {
        *ret_note = str_fmt(cli->arena,
                            "types as discovered in cluster %.*s; custom types that come later need "
                            "a new role, or --wildcard",
                            STR_ARG(cli->config.cluster_name));
        return true;
    }
    if (err->code != ERR_UNREACHABLE && err->code != ERR_NOT_FOUND)
        return false;
    *ret_types = *resource_builtin_types();
    *ret_note =
        STR("built-in types alone: no cluster was there to ask, so custom resources are not in the role");
    cli_warn(cli, "%.*s (%s)", STR_ARG(*ret_note), err->msg);
    return true;
}

static bool print_documents(const struct value *objects, struct str note, struct err *err)
{
    struct buf out CLEANUP(buf_done);
    buf_init(&out, (size_t)16 << 20);
    buf_fmt(&out, "# Written by gitops-pipe rbac: %.*s.\n", STR_ARG(note));
    VALUE_EACH(object, objects) {
        buf_text(&out, "---\n");
        yaml_write(&out, object);
    }
    return buf_ok(&out) ? cli_write_out(buf_view(&out), err)
                        : err_set(err, ERR_LIMIT, "the roles are larger than 16 MiB");
}

static void add_hooks(struct cli *cli, struct rbac_wish *wish)
{
    const struct config_hooks *hooks = &cli->config.hooks;
    struct rbac_exec *execs = ARENA_ARRAY(cli->arena, struct rbac_exec, hooks->count);
    for (size_t i = 0; i < hooks->count; i++)
        if (hooks->items[i].namespace.len != 0)
            execs[wish->exec_count++] = (struct rbac_exec){hooks->items[i].namespace, hooks->items[i].pod};
    wish->execs = execs;
}

bool cmd_rbac(struct cli *cli, struct err *err)
{
    struct arena *arena = cli->arena;
    struct kube_selection selection;
    struct resource_types types;
    struct rbac_wish wish = {
        .types = &types, .selection = &selection, .wildcard = cli_has(cli, OPTION_WILDCARD)};
    struct str note;
    if (!cli_selection(cli, &selection, err) || !read_account(cli, &wish, err) ||
        !find_types(cli, &types, &note, err))
        return false;
    add_hooks(cli, &wish);
    const struct value *objects = rbac_objects(arena, &wish);
    if (cli->format != OUTPUT_JSON)
        return print_documents(objects, note, err);
    const struct value *list = VALUE_MAP(arena, {"apiVersion", value_cstr(arena, "v1")},
                                         {"kind", value_cstr(arena, "List")}, {"items", objects});
    return cli_print(cli, list, NULL, err);
}
