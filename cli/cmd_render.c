/* render: what an overlay comes to. */
#include "cli/cli.h"
#include "core/kustomize/kustomize.h"

bool cmd_render(struct cli *cli, struct err *err)
{
    struct str dir;
    struct bundle bundle;
    struct buf out CLEANUP(buf_done);
    buf_init(&out, (size_t)2 << 30);
    if (!cli_argument(cli, 0, &dir, err) ||
        !kustomize_build_dir(cli->arena, str_c(cli->arena, dir), &bundle, err))
        return false;
    if (cli->format == OUTPUT_JSON) {
        struct value_list_builder items = {0};
        for (size_t i = 0; i < bundle.count; i++)
            value_push(cli->arena, &items, bundle.items[i].object);
        const struct value *list = VALUE_MAP(cli->arena, {"apiVersion", value_cstr(cli->arena, "v1")},
                                             {"kind", value_cstr(cli->arena, "List")},
                                             {"items", value_list_done(cli->arena, &items)});
        return cli_print(cli, list, NULL, err);
    }
    kustomize_write(&out, &bundle);
    if (!buf_ok(&out))
        return err_set(err, ERR_LIMIT, "the overlay renders to more than 2 GiB");
    return cli_write_out(buf_view(&out), err);
}
