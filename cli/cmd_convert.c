/* convert: from live objects to a repository on disk, or an explanation of what a rule did. */
#include <dirent.h>
#include <inttypes.h>
#include <unistd.h>

#include "backupd/backup.h"
#include "cli/cli.h"
#include "core/secrets/protect.h"
#include "overlays/overlays.h"
#include "transform/transform.h"

enum { MAX_READ_BACK = 1 << 30 }; /* of one folder */

static void print_values(const struct value *step, struct buf *out)
{
    struct str before = value_str(value_key(step, "before")), after = value_str(value_key(step, "after"));
    if (before.len != 0)
        buf_fmt(out, ": %.*s", STR_ARG(before));
    if (after.len != 0)
        buf_fmt(out, " → %.*s", STR_ARG(after));
}

/* How to switch a rule off for an object stands once, behind the last thing that it did. */
static void print_off(const struct value *steps, const struct value *step, struct buf *out)
{
    struct str off = value_str(value_key(step, "off"));
    bool more = false;
    VALUE_EACH(other, steps)
        more = more || (other > step && str_eq(value_str(value_key(other, "off")), off));
    if (!more && off.len != 0)
        buf_fmt(out, "            off: %.*s\n", STR_ARG(off));
}

static void print_explanation(struct cli *cli, const struct value *steps, struct buf *out)
{
    struct str told = STR_NONE;
    VALUE_EACH(step, steps) {
        struct str resource = value_str(value_key(step, "resource"));
        struct str path = value_str(value_key(step, "path"));
        if (!str_eq(resource, told))
            buf_fmt(out, "%.*s\n", STR_ARG(resource));
        told = resource;
        buf_fmt(out, "  %-8.*s  %.*s", STR_ARG(value_str(value_key(step, "action"))), STR_ARG(path));
        print_values(step, out);
        buf_fmt(out, "%s[%.*s] %.*s\n", path.len ? "  " : "", STR_ARG(value_str(value_key(step, "rule"))),
                STR_ARG(value_str(value_key(step, "why"))));
        print_off(steps, step, out);
    }
}

/* Who is asked about, and what the rules of each part did to him. */
struct explaining {
    struct arena *arena;
    struct resource wanted;
    struct value_list_builder steps;
};

/* [namespace/]Kind/name */
static bool parse_wanted(struct cli *cli, struct resource *ret_wanted, struct err *err)
{
    struct str rest = cli_option(cli, OPTION_EXPLAIN), parts[3];
    size_t count = 0;
    while (count < COUNT_OF(parts) && rest.len != 0)
        parts[count++] = str_cut(&rest, '/');
    if (count < 2 || rest.len != 0)
        return err_set(err, ERR_USAGE, "--explain wants Kind/name or namespace/Kind/name");
    *ret_wanted = (struct resource){
        .namespace = count == 3 ? parts[0] : STR_NONE, .kind = parts[count - 2], .name = parts[count - 1]};
    return true;
}

static void append_steps(struct explaining *e, const struct value *steps)
{
    VALUE_EACH(step, steps)
        value_push(e->arena, &e->steps, value_copy(e->arena, step));
}

static bool explain_part(void *ctx, const struct transform_log *log, struct err *err)
{
    struct explaining *e = ctx;
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    append_steps(e, transform_explanation(scratch, log, e->wanted.kind, e->wanted.namespace, e->wanted.name));
    return true;
}

static bool explain(struct cli *cli, const struct parts *live, struct err *err)
{
    struct explaining e = {.arena = cli->arena};
    struct declared declared;
    struct transform_log log;
    const struct value *environments = NULL;
    if (!parse_wanted(cli, &e.wanted, err) || !transform_declare(&cli->run, live, backup_spool_dir(&cli->run),
                                                                 explain_part, &e, &declared, &log, err))
        return false;
    bool ok = overlays_explanation(&cli->run, &declared, &e.wanted, &environments, err);
    declared_close(&declared);
    if (!ok)
        return false;
    append_steps(&e, environments);
    if (e.steps.count != 0)
        return cli_print(cli, value_list_done(cli->arena, &e.steps), print_explanation, err);
    err_set(err, ERR_NOT_FOUND, "no rule touched %.*s", STR_ARG(cli_option(cli, OPTION_EXPLAIN)));
    return err_next(err, "it is written as it was read, or it is not in this backup (gitops-pipe show)");
}

/* What convert wrote to: finished, or killed on the way (see core/base/files.h). */
static bool is_ours(struct cli *cli, const char *out)
{
    static const char *const marks[] = {".gitops-pipe.yaml", ".gitops-pipe.files", ".gitops-pipe.tmp"};
    for (size_t i = 0; i < COUNT_OF(marks); i++)
        if (access(str_c(cli->arena, str_fmt(cli->arena, "%s/%s", out, marks[i])), F_OK) == 0)
            return true;
    return false;
}

/* A folder that holds somebody else's files is not ours to fill. */
static bool check_out(struct cli *cli, const char *out, struct err *err)
{
    DIR *dir = opendir(out);
    bool empty = true;
    if (dir == NULL)
        return true; /* made later, or refused with the reason then */
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
        if (!str_is(str_of(entry->d_name), ".") && !str_is(str_of(entry->d_name), "..") &&
            !str_is(str_of(entry->d_name), ".git"))
            empty = false;
    closedir(dir);
    if (empty || is_ours(cli, out) || cli_has(cli, OPTION_FORCE))
        return true;
    err_set(err, ERR_REFUSED, "%s holds files that convert did not write", out);
    return err_next(err, "name an empty folder with --out, or say --force to write between them");
}

static void print_releases(const struct value *releases, struct buf *out)
{
    VALUE_EACH(release, releases) {
        struct str version = value_str(value_key(release, "chartVersion"));
        buf_fmt(
            out, "\n helm: %.*s/%.*s, chart %.*s%s%.*s, %.*s objects",
            STR_ARG(value_str(value_key(release, "namespace"))),
            STR_ARG(value_str(value_key(release, "release"))),
            STR_ARG(value_key(release, "chart") ? value_str(value_key(release, "chart")) : STR("unknown")),
            version.len ? " " : "", STR_ARG(version), STR_ARG(value_text(value_key(release, "objects"))));
    }
}

static void print_secrets(const struct value *secrets, struct buf *out)
{
    const char *before = " · secrets:";
    MEMBER_EACH(mode, value_key(secrets, "written")) {
        buf_fmt(out, "%s %.*s %.*s", before, STR_ARG(mode->key), STR_ARG(value_text(&mode->value)));
        before = ",";
    }
    size_t provide = value_count(value_key(secrets, "toProvide"));
    if (provide != 0)
        buf_fmt(out, "; %zu must be provided (listed in README.md)", provide);
}

static void print_findings(const struct value *findings, struct buf *out)
{
    VALUE_EACH(finding, findings) {
        const struct value *resource = value_key(finding, "resource");
        struct str namespace = value_str(value_key(resource, "namespace"));
        struct str path = value_str(value_key(finding, "path"));
        buf_fmt(out, "  %-7.*s  %.*s  %.*s%s%.*s/%.*s%s%.*s\n           %.*s\n",
                STR_ARG(value_str(value_key(finding, "severity"))),
                STR_ARG(value_str(value_key(finding, "check"))), STR_ARG(namespace), namespace.len ? "/" : "",
                STR_ARG(value_str(value_key(resource, "kind"))),
                STR_ARG(value_str(value_key(resource, "name"))), path.len ? "  " : "", STR_ARG(path),
                STR_ARG(value_str(value_key(finding, "message"))));
    }
}

static void print_convert(struct cli *cli, const struct value *result, struct buf *out)
{
    int64_t objects = 0, declared = 0, files = 0;
    const struct value *transform = value_key(result, "transform");
    value_i64(value_key(transform, "objects"), &objects);
    value_i64(value_key(transform, "declared"), &declared);
    value_i64(value_key(result, "files"), &files);
    buf_fmt(out,
            " %.*s objects → %.*s declared, %.*s left out (why: gitops-pipe convert --explain KIND/NAME)\n",
            STR_ARG(cli_thousands(cli->arena, (uint64_t)objects)),
            STR_ARG(cli_thousands(cli->arena, (uint64_t)declared)),
            STR_ARG(cli_thousands(cli->arena, (uint64_t)(objects - declared))));
    buf_text(out, " overlays:");
    for (size_t i = 0; i < cli->config.environments.count; i++)
        buf_fmt(out, "%s %.*s", i ? "," : "", STR_ARG(cli->config.environments.items[i].name));
    print_secrets(value_in(result, PATH("overlays", "secrets")), out);
    print_releases(value_key(transform, "helmReleases"), out);
    buf_fmt(out, "\n %" PRId64 " files %s %.*s\n", files,
            value_true(value_key(result, "dryRun")) ? "would go to" : "in",
            STR_ARG(value_str_in(result, PATH("out"))));
    print_findings(value_key(result, "findings"), out);
    if (value_key(result, "roundTrip") != NULL)
        cli_write_round_trip(cli, value_key(result, "roundTrip"), out);
}

/* What a person should see before the result is shared: info is left to the report. */
static const struct value *findings_of(struct cli *cli)
{
    struct value_list_builder list = {0};
    for (size_t i = 0; i < cli->run.findings.count; i++)
        if (cli->run.findings.items[i].severity != SEVERITY_INFO)
            value_push(cli->arena, &list, finding_value(cli->arena, &cli->run.findings.items[i]));
    return list.count ? value_list_done(cli->arena, &list) : NULL;
}

static const struct value *convert_result(struct cli *cli, const struct parts *live, struct str out,
                                          size_t files)
{
    struct arena *arena = cli->arena;
    const struct str_list *known = &live->about->problems;
    struct value_list_builder problems = {0};
    const struct value *report = run_report(&cli->run);
    for (size_t i = 0; i < known->count; i++)
        value_push(arena, &problems, value_string(arena, known->items[i]));
    return VALUE_MAP(arena, {"out", value_string(arena, out)},
                     {"dryRun", cli_has(cli, OPTION_DRY_RUN) ? value_bool(arena, true) : NULL},
                     {"files", value_int(arena, (int64_t)files)},
                     {"transform", value_key(report, "transform")},
                     {"overlays", value_key(report, "overlays")}, {"findings", findings_of(cli)},
                     {"roundTrip", value_key(report, "roundTrip")},
                     {"problems", problems.count ? value_list_done(arena, &problems) : NULL});
}

/* Where the files go: to disk as they are made. A dry run keeps them only where they are to be read again. */
static bool open_out(struct cli *cli, const char *dir, struct files_out **ret_out, struct err *err)
{
    if (!cli_has(cli, OPTION_DRY_RUN))
        return files_out_folder(cli->arena, dir, ret_out, err);
    *ret_out = cli_has(cli, OPTION_VERIFY) ? files_out_memory(cli->arena, &cli->run.files)
                                           : files_out_none(cli->arena);
    return true;
}

/* What is held against the snapshot is what lies on disk, read back. */
static bool verify(struct cli *cli, const struct parts *live, const struct declared *declared,
                   const char *dir, struct err *err)
{
    struct files_in files = {.dir = dir, .max_bytes = MAX_READ_BACK};
    const struct value *section;
    if (cli_has(cli, OPTION_DRY_RUN))
        files.files = &cli->run.files;
    if (!cli_round_trip(cli, live, &declared->secrets, &files, &section, err))
        return false;
    run_section(&cli->run, "roundTrip", section);
    return true;
}

static bool write_and_verify(struct cli *cli, const struct parts *live, struct declared *declared,
                             const char *dir, size_t *ret_files, struct err *err)
{
    struct files_out *out;
    cli_set_previous(cli, str_of(dir));
    if (!open_out(cli, dir, &out, err))
        return false;
    bool ok = overlays_write(&cli->run, declared, out, err);
    *ret_files = out->count;
    files_out_close(out);
    return ok && (cli_has(cli, OPTION_DRY_RUN) || secrets_remember(&cli->run, false, err)) &&
           (!cli_has(cli, OPTION_VERIFY) || verify(cli, live, declared, dir, err));
}

static bool convert(struct cli *cli, const struct parts *live, struct str out, struct err *err)
{
    struct declared declared;
    struct transform_log log;
    size_t files = 0;
    if (!transform_declare(&cli->run, live, backup_spool_dir(&cli->run), NULL, NULL, &declared, &log, err))
        return false;
    run_section(&cli->run, "transform", transform_section(cli->arena, &log));
    cli->incomplete = cli->incomplete || log.impossible != 0;
    bool ok = write_and_verify(cli, live, &declared, str_c(cli->arena, out), &files, err);
    declared_close(&declared);
    return ok && cli_print(cli, convert_result(cli, live, out, files), print_convert, err) &&
           cli_round_trip_gate(value_key(run_report(&cli->run), "roundTrip"), err) &&
           cli_readable_gate(cli, err);
}

bool cmd_convert(struct cli *cli, struct err *err)
{
    struct str what, out = cli_has(cli, OPTION_OUT) ? cli_option(cli, OPTION_OUT) : STR("repo");
    struct stash *stash;
    struct parts live;
    bool writes = !cli_has(cli, OPTION_DRY_RUN) && !cli_has(cli, OPTION_EXPLAIN);
    if (!cli_argument(cli, 0, &what, err) || (writes && !check_out(cli, str_c(cli->arena, out), err)) ||
        !cli_load_stash(cli, what, &stash, err))
        return false;
    parts_of_stash(cli->arena, stash, &live);
    bool ok = cli_tell_unknown_kinds(cli, stash, err) &&
              (cli_has(cli, OPTION_EXPLAIN) ? explain(cli, &live, err) : convert(cli, &live, out, err));
    stash_close(stash);
    return ok;
}
