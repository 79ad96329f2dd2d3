/* diff: what changed between two backups, folders, repositories, or the cluster as it is now. */
#include "backupd/diff.h"
#include "cli/cli.h"
#include "core/base/json.h"

enum { SHOWN_MAX = 96 }; /* bytes of a value in the text form; JSON has it whole */

static void print_scalar(struct cli *cli, const struct value *value, struct buf *out)
{
    struct str text = value_is(value, VALUE_STRING) && value_str(value).len != 0
                          ? value_text(value)
                          : json_text(cli->arena, value);
    size_t shown = text.len < SHOWN_MAX ? text.len : SHOWN_MAX;
    while (shown < text.len && (text.ptr[shown] & 0xC0) == 0x80) /* not in the middle of a character */
        shown--;
    for (size_t i = 0; i < shown; i++)
        buf_char(out, (unsigned char)text.ptr[i] < 0x20 || text.ptr[i] == 0x7f ? ' ' : text.ptr[i]);
    if (shown < text.len)
        buf_text(out, "…");
}

static void print_field(struct cli *cli, const struct value *field, struct buf *out)
{
    const struct value *old = value_key(field, "old"), *new = value_key(field, "new");
    buf_fmt(out, "      %.*s  ", STR_ARG(value_str(value_key(field, "path"))));
    if (value_true(value_key(field, "hidden"))) {
        buf_fmt(out, "%.*s (not shown: a Secret)\n", STR_ARG(value_str(value_key(field, "change"))));
        return;
    }
    if (old != NULL)
        print_scalar(cli, old, out);
    else
        buf_text(out, "added:");
    buf_text(out, new == NULL ? "  removed" : old == NULL ? " " : " → ");
    if (new != NULL)
        print_scalar(cli, new, out);
    buf_char(out, '\n');
}

static void print_object(struct cli *cli, const struct value *object, struct buf *out)
{
    struct str change = value_str(value_key(object, "change"));
    struct str namespace = value_str(value_key(object, "namespace"));
    buf_fmt(out, "  %c %.*s%s%.*s/%.*s\n",
            str_is(change, "added")     ? '+'
            : str_is(change, "removed") ? '-'
                                        : '~',
            STR_ARG(namespace), namespace.len ? "/" : "", STR_ARG(value_str(value_key(object, "kind"))),
            STR_ARG(value_str(value_key(object, "name"))));
    VALUE_EACH(field, value_key(object, "fields"))
        print_field(cli, field, out);
}

static void print_diff(struct cli *cli, const struct value *result, struct buf *out)
{
    buf_fmt(out, " %.*s → %.*s  %.*s added · %.*s removed · %.*s changed · %.*s unchanged\n",
            STR_ARG(value_str(value_key(result, "from"))), STR_ARG(value_str(value_key(result, "to"))),
            STR_ARG(value_text(value_key(result, "added"))),
            STR_ARG(value_text(value_key(result, "removed"))),
            STR_ARG(value_text(value_key(result, "changed"))),
            STR_ARG(value_text(value_key(result, "unchanged"))));
    VALUE_EACH(object, value_key(result, "objects"))
        print_object(cli, object, out);
    struct str outside = value_text(value_key(result, "outsideSelection"));
    if (outside.len != 0)
        buf_fmt(out, "  ? %.*s objects are outside of what the other side was to hold (gitops-pipe show)\n",
                STR_ARG(outside));
    VALUE_EACH(type, value_key(result, "notCompared"))
        buf_fmt(out, "  ? %.*s was not read in %.*s: %.*s\n", STR_ARG(value_str(value_key(type, "type"))),
                STR_ARG(value_str(value_key(type, "side"))), STR_ARG(value_str(value_key(type, "reason"))));
}

/* What a side is: the live cluster, a path (of a repository: an overlay), or a backup, which is read pack by pack. */
static bool side_of(struct cli *cli, struct str what, struct bundle *bundle, struct diff_side *ret_side,
                    struct err *err)
{
    *ret_side = (struct diff_side){.name = what, .cluster = cli_cluster(cli, what), .which = what};
    if (str_is(what, "cluster")) {
        ret_side->bundle = bundle;
        return cli_snapshot(cli, bundle, err);
    }
    if (!cli_is_path(cli, what))
        return cli_need_store(cli, err);
    if (cli_is_repository(cli, what))
        what =
            str_fmt(cli->arena, "%.*s/overlays/%.*s", STR_ARG(what), STR_ARG(cli->config.drill_environment));
    ret_side->bundle = bundle;
    return cli_load(cli, what, bundle, err);
}

bool cmd_diff(struct cli *cli, struct err *err)
{
    struct diff_options options = {.namespaces = cli->options[OPTION_NAMESPACE],
                                   .types = cli->options[OPTION_TYPE],
                                   .all = cli_has(cli, OPTION_ALL)};
    struct str from, to;
    struct bundle bundles[2];
    struct diff_side sides[2];
    bool same;
    if (!cli_argument(cli, 0, &from, err) || !cli_argument(cli, 1, &to, err) ||
        !side_of(cli, from, &bundles[0], &sides[0], err) || !side_of(cli, to, &bundles[1], &sides[1], err) ||
        !backup_diff(&cli->run, &sides[0], &sides[1], &options, &same, err))
        return false;
    const struct value *result = value_key(run_report(&cli->run), "diff");
    cli->differs = !same;
    cli->incomplete = cli->incomplete || value_count(value_key(result, "notCompared")) != 0;
    return cli_print(cli, result, print_diff, err);
}
