/* publish: what convert wrote into a folder becomes a commit on the branch. */
#include "cli/cli.h"
#include "core/base/yaml.h"
#include "overlays/publish.h"

enum { PUBLISH_MAX_BYTES = 1 << 30 };

/* What .gitops-pipe.yaml of the folder says of its origin: publishing must know whether the backup had holes. */
static bool read_provenance(struct cli *cli, struct str dir, struct bundle *bundle, struct err *err)
{
    const struct file *file = files_find(&cli->run.files, STR(PUBLISH_PROVENANCE));
    struct yaml_documents documents;
    if (file == NULL) {
        err_set(err, ERR_NOT_FOUND, "%.*s holds no repository written by convert", STR_ARG(dir));
        return err_next(err, "gitops-pipe convert latest --out %.*s writes one", STR_ARG(dir));
    }
    if (!yaml_parse(cli->arena, file->bytes, file->path, &documents, err))
        return false;
    const struct value *root = documents.count ? documents.items[0].root : NULL;
    const char *base = str_c(cli->arena, str_fmt(cli->arena, "%.*s/base", STR_ARG(dir)));
    if (!bundle_read_manifests(cli->arena, base, bundle, err))
        return false;
    bundle->cluster = value_str(value_key(root, "cluster"));
    bundle->backup_id = value_str(value_key(root, "backup"));
    bundle->complete = value_true(value_key(root, "complete"));
    bundle->narrowed = value_true(value_key(root, "narrowed"));
    return true;
}

static void print_publish(struct cli *cli, const struct value *result, struct buf *out)
{
    const struct value *files = value_key(result, "files");
    struct str commit = value_str(value_key(result, "commit"));
    bool changed = value_true(value_key(result, "changed")),
         preview = value_true(value_key(result, "preview"));
    size_t withheld = value_count(value_key(result, "withheld"));
    if (changed)
        buf_fmt(out, " %s %.*s files added, %.*s changed, %.*s removed",
                preview ? "would commit:" : "committed", STR_ARG(value_text(value_key(files, "added"))),
                STR_ARG(value_text(value_key(files, "changed"))),
                STR_ARG(value_text(value_key(files, "removed"))));
    else
        buf_text(out, withheld ? " withheld: the backup did not read what it would have deleted"
                               : " nothing changed, no commit");
    buf_fmt(out, "\n %.*s  %.*s  %.*s\n", STR_ARG(value_str(value_key(result, "url"))),
            STR_ARG(value_str(value_key(result, "branch"))), STR_ARG(str_slice(commit, 0, 12)));
    if (preview && value_true(value_key(result, "tooMany")))
        buf_fmt(out,
                "  would be refused: %.*s objects would be deleted; --allow-deletions says yes to that\n",
                STR_ARG(value_text(value_key(result, "deleted"))));
    VALUE_EACH(object, value_key(result, "withheld"))
        buf_fmt(out, "  would have been deleted: %.*s\n", STR_ARG(value_str(object)));
}

bool cmd_publish(struct cli *cli, struct err *err)
{
    struct str dir = cli->arguments.count ? cli->arguments.items[0] : STR("repo");
    struct bundle bundle;
    stage_fn stage = cli_has(cli, OPTION_DRY_RUN) ? publish_preview : publish_stage;
    if (cli->config.git_url.len == 0)
        return err_set(err, ERR_USAGE, "git.url is not set") ||
               err_next(err, "name the repository to push to under git: in %s", GITOPS_PIPE_CONFIG_FILE);
    if (!files_read_wanted(cli->arena, str_c(cli->arena, dir), PUBLISH_MAX_BYTES, publish_owns,
                           &cli->run.files, err) ||
        !read_provenance(cli, dir, &bundle, err) || !stage(&cli->run, &bundle, err))
        return false;
    const struct value *section = value_key(run_report(&cli->run), "publish");
    cli->incomplete = value_count(value_key(section, "withheld")) != 0;
    return cli_print(cli, section, print_publish, err);
}
