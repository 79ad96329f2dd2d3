/* report: lays out the report of an earlier run again, in another format. */
#include "quality/report/report.h"

#include "cli/cli.h"
#include "core/base/json.h"

static const char *const extensions[] = {
    [REPORT_HTML] = "html", [REPORT_MARKDOWN] = "md", [REPORT_JSON] = "json"};

static bool read_report(struct cli *cli, const struct value **ret_report, struct err *err)
{
    struct str path = cli->arguments.count
                          ? cli->arguments.items[0]
                          : str_fmt(cli->arena, "%.*s/report.json", STR_ARG(cli->config.report_dir)),
               text;
    if (!file_read(cli->arena, str_c(cli->arena, path), REPORT_MAX_BYTES, &text, err)) {
        return err->code == ERR_NOT_FOUND
                   ? err_next(err, "gitops-pipe run writes one; name another with report FILE")
                   : false;
    }
    return json_parse(cli->arena, text, NULL, ret_report, err) || err_context(err, "%.*s", STR_ARG(path));
}

bool cmd_report(struct cli *cli, struct err *err)
{
    static const char *const usual[] = {
        [OUTPUT_TEXT] = "markdown", [OUTPUT_JSON] = "json", [OUTPUT_YAML] = "json"};
    struct str name =
        cli_has(cli, OPTION_FORMAT) ? cli_option(cli, OPTION_FORMAT) : str_of(usual[cli->format]);
    enum report_format format;
    const struct value *report;
    struct buf out CLEANUP(buf_done);
    buf_init(&out, REPORT_MAX_BYTES);
    if (!report_format_of(name, &format))
        return err_set(err, ERR_USAGE, "--format is html, markdown or json, not \"%.*s\"", STR_ARG(name));
    if (!read_report(cli, &report, err))
        return false;
    if (cli->format == OUTPUT_YAML && !cli_has(cli, OPTION_FORMAT) && !cli_has(cli, OPTION_OUT))
        return cli_print(cli, report, NULL, err);
    report_write(format, cli->arena, report, &out);
    if (!buf_ok(&out))
        return err_set(err, ERR_LIMIT, "the report is larger than %d bytes", REPORT_MAX_BYTES);
    if (!cli_has(cli, OPTION_OUT))
        return cli_write_out(buf_view(&out), err);
    struct str path =
        str_fmt(cli->arena, "%.*s/report.%s", STR_ARG(cli_option(cli, OPTION_OUT)), extensions[format]);
    return file_make_dirs(str_c(cli->arena, cli_option(cli, OPTION_OUT)), err) &&
           file_write(str_c(cli->arena, path), buf_view(&out), 0644, err);
}
