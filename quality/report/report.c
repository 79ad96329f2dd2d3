#include "quality/report/report.h"

#include "core/base/json.h"
#include "core/config/config.h"
#include "quality/report/formats.h"

static const struct {
    const char *name, *other_name, *file;
    void (*write)(struct arena *arena, const struct value *report, struct buf *buf);
} formats[] = {
    [REPORT_HTML] = {"html", "html", "report.html", report_html},
    [REPORT_MARKDOWN] = {"markdown", "md", "report.md", report_markdown},
    [REPORT_JSON] = {"json", "json", "report.json", report_json},
};

bool report_format_of(struct str name, enum report_format *ret_format)
{
    for (size_t i = 0; i < COUNT_OF(formats); i++) {
        if (str_is(name, formats[i].name) || str_is(name, formats[i].other_name)) {
            *ret_format = (enum report_format)i;
            return true;
        }
    }
    return false;
}

/* The version comes first; a report that was read from a file has one already. */
void report_json(struct arena *arena, const struct value *report, struct buf *buf)
{
    struct value_map_builder map = {0};
    value_put(arena, &map, STR("schemaVersion"), value_int(arena, REPORT_SCHEMA_VERSION));
    MEMBER_EACH(section, report)
        if (!str_is(section->key, "schemaVersion"))
            value_put(arena, &map, section->key, &section->value);
    json_write_pretty(buf, value_map_done(arena, &map));
}

void report_write(enum report_format format, struct arena *arena, const struct value *report, struct buf *buf)
{
    formats[format].write(arena, report, buf);
}

static bool write_file(struct run *run, enum report_format format, struct buf *buf, struct err *err)
{
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    struct str dir = run->config->report_dir.len ? run->config->report_dir : STR(".");
    const char *path = str_c(scratch, str_fmt(scratch, "%.*s/%s", STR_ARG(dir), formats[format].file));
    buf_clear(buf);
    report_write(format, scratch, run_report(run), buf);
    if (!buf_ok(buf))
        return err_set(err, ERR_LIMIT, "%s would be larger than %d MiB", path, REPORT_MAX_BYTES >> 20);
    return file_write(path, buf_view(buf), 0644, err);
}

/* What the other stages found: the score lists its own. */
static void add_findings(struct run *run)
{
    struct value_list_builder list = {0};
    for (size_t i = 0; i < run->findings.count; i++)
        if (run->findings.items[i].dimension.len == 0)
            value_push(run->arena, &list, finding_value(run->arena, &run->findings.items[i]));
    if (list.count != 0)
        run_section(run, "findings", value_list_done(run->arena, &list));
}

bool report_stage(struct run *run, struct bundle *bundle, struct err *err)
{
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    struct buf buf CLEANUP(buf_done);
    bool written = true;
    add_findings(run);
    buf_init(&buf, REPORT_MAX_BYTES);
    if (run->config->report_dir.len != 0 && !file_make_dirs(str_c(scratch, run->config->report_dir), err))
        return err_context(err, "report");
    for (size_t i = 0; i < COUNT_OF(formats) && written; i++)
        written = write_file(run, (enum report_format)i, &buf, err);
    return written || err_context(err, "report");
}
