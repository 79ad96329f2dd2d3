/* What restore and drill rebuild from: a converted repository on disk, or a backup converted on the spot. */
#include <unistd.h>

#include "backupd/load.h"
#include "cli/cli.h"
#include "core/base/yaml.h"
#include "overlays/overlays.h"
#include "overlays/publish.h"
#include "transform/transform.h"

enum { PROVENANCE_MAX_BYTES = 1 << 20, PREVIOUS_MAX_BYTES = 1 << 30 };

bool cli_is_repository(struct cli *cli, struct str dir)
{
    const char *file = str_c(cli->arena, str_fmt(cli->arena, "%.*s/" PUBLISH_PROVENANCE, STR_ARG(dir)));
    return access(file, F_OK) == 0;
}

bool cli_convert(struct cli *cli, const struct bundle *live, struct bundle *ret_declared, struct err *err)
{
    *ret_declared = *live;
    /* A rebuild writes Secrets nowhere but into the target, straight from the backup: no mode, no encryption. */
    cli_secrets_mode(cli, SECRETS_OMIT);
    cli->config.secrets_in_clear = IN_CLEAR_REPORT;
    return transform_stage(&cli->run, ret_declared, err) && overlays_stage(&cli->run, ret_declared, err);
}

bool cli_load_origin(struct cli *cli, struct str dir, struct bundle *ret_snapshot, struct err *err)
{
    struct str path = str_fmt(cli->arena, "%.*s/" PUBLISH_PROVENANCE, STR_ARG(dir)), text;
    struct yaml_documents documents;
    if (!file_read(cli->arena, str_c(cli->arena, path), PROVENANCE_MAX_BYTES, &text, err) ||
        !yaml_parse(cli->arena, text, path, &documents, err))
        return false;
    const struct value *root = documents.count ? documents.items[0].root : NULL;
    struct str backup = value_str(value_key(root, "backup")), cluster = value_str(value_key(root, "cluster"));
    bundle_init(ret_snapshot, cli->arena);
    if (backup.len == 0)
        return true; /* it was made from manifests: there is no backup behind it */
    return cli_need_store(cli, err) && backup_load(&cli->run, cluster, backup, ret_snapshot, err);
}

void cli_set_previous(struct cli *cli, struct str dir)
{
    struct files_in *previous = ARENA_NEW(cli->arena, struct files_in);
    *previous = (struct files_in){.dir = str_c(cli->arena, dir), .max_bytes = PREVIOUS_MAX_BYTES};
    cli->run.previous = previous;
}

bool cli_readable_gate(struct cli *cli, struct err *err)
{
    size_t count = cli->run.readable;
    if (count == 0 || cli->config.fail_on.len == 0)
        return true;
    err_set(err, ERR_FINDINGS, "values of Secrets stand in the clear in %zu place%s", count,
            count == 1 ? "" : "s");
    return err_next(err, "refer to the Secret there, and change the values");
}
