/* How good it is: four dimensions as rings, then namespaces and findings as tables. */
#include "quality/report/html.h"

enum { MAX_ROWS = 2000 };

static const struct {
    const char *key, *title;
} dimensions[] = {
    {"schema", "Schema compliance"},
    {"security", "Security hardening"},
    {"production", "Production readiness"},
    {"resources", "Resource optimisation"},
};

static int64_t number(const struct value *map, const char *const *path)
{
    int64_t found = 0;
    return value_i64(value_in(map, path), &found) ? found : 0;
}

static struct str text(const struct value *map, const char *key)
{
    return value_text(value_key(map, key));
}

void html_dimensions(struct page *page)
{
    const struct value *score = value_key(page->report, "score");
    if (!value_is(value_key(score, "dimensions"), VALUE_MAP))
        return;
    html(page, "<h2>Four dimensions</h2>\n<div class=\"rings\">\n");
    for (size_t i = 0; i < COUNT_OF(dimensions); i++) {
        html(page, "<figure>");
        svg_ring(page, number(score, PATH("dimensions", dimensions[i].key)));
        buf_fmt(page->buf, "<figcaption>%s</figcaption></figure>\n", dimensions[i].title);
    }
    html(page, "</div>\n");
}

static void put_head(struct page *page, const char *const *columns, size_t count)
{
    html(page, "<thead><tr>");
    for (size_t i = 0; i < count; i++)
        buf_fmt(page->buf, "<th scope=\"col\"><button type=\"button\">%s</button></th>", columns[i]);
    html(page, "</tr></thead>\n<tbody>\n");
}

static void put_namespace(struct page *page, const struct value *namespace)
{
    static const char *const counts[] = {"objects", "errors", "warnings"};
    int64_t overall = number(namespace, PATH("overall"));
    html(page, "<tr>");
    html_element(page, "th scope=row", text(namespace, "name"));
    buf_fmt(page->buf, "<td class=\"score\" data-key=\"%lld\">", (long long)overall);
    svg_bar(page, overall);
    buf_fmt(page->buf, " <strong>%lld</strong> ", (long long)overall);
    html_text(page, text(namespace, "grade"));
    html(page, "</td>");
    for (size_t i = 0; i < COUNT_OF(dimensions); i++)
        buf_fmt(page->buf, "<td class=\"number\">%lld</td>",
                (long long)number(namespace, PATH("dimensions", dimensions[i].key)));
    for (size_t i = 0; i < COUNT_OF(counts); i++)
        html_element(page, "td class=number", text(namespace, counts[i]));
    html(page, "</tr>\n");
}

static void put_namespaces(struct page *page, const struct value *namespaces)
{
    static const char *const columns[] = {"Namespace", "Score",   "Schema", "Security", "Production",
                                          "Resources", "Objects", "Errors", "Warnings"};
    size_t excluded = 0;
    if (value_count(namespaces) == 0)
        return;
    html(page, "<h2>Namespaces</h2>\n<div class=\"scroll\"><table class=\"sorts\">");
    put_head(page, columns, COUNT_OF(columns));
    VALUE_EACH(namespace, namespaces) {
        if (value_true(value_key(namespace, "excluded")))
            excluded++;
        else
            put_namespace(page, namespace);
    }
    html(page, "</tbody></table></div>\n");
    if (excluded != 0)
        buf_fmt(page->buf, "<p class=\"more\">%zu namespace%s of the system not judged.</p>\n", excluded,
                excluded == 1 ? "" : "s");
}

static void put_object(struct page *page, const struct value *resource)
{
    struct str namespace = text(resource, "namespace");
    html(page, "<td><bdi>");
    html_text(page, text(resource, "kind"));
    html(page, "/");
    html_text(page, text(resource, "name"));
    html(page, "</bdi>");
    if (namespace.len != 0)
        html_element(page, "small", namespace);
    html(page, "</td>");
}

/* Severities sort by weight, not by the alphabet. */
static int severity_key(struct str severity)
{
    return str_is(severity, "error") ? 0 : str_is(severity, "warning") ? 1 : 2;
}

/* A path may break behind its dots. */
static void put_path(struct page *page, struct str path)
{
    while (path.len != 0) {
        html_text(page, str_cut(&path, '.'));
        html(page, path.len ? ".<wbr>" : "");
    }
}

static void put_finding(struct page *page, const struct value *finding)
{
    struct str severity = text(finding, "severity");
    html(page, "<tr data-severity=\"");
    html_text(page, severity);
    buf_fmt(page->buf, "\"><td data-key=\"%d\"><span class=\"severity %s\">", severity_key(severity),
            html_severity_class(severity));
    html_text(page, severity);
    html(page, "</span></td>");
    put_object(page, value_key(finding, "resource"));
    html(page, "<td>");
    html_text(page, text(finding, "message"));
    html(page, "<small>→ ");
    html_text(page, text(finding, "fix"));
    html(page, "</small></td><td><span class=\"path\">");
    put_path(page, text(finding, "path"));
    html(page, "</span><small><code>");
    html_text(page, text(finding, "check"));
    html(page, "</code></small></td></tr>\n");
}

/* What costs nothing is shown when it is asked for, or when there is nothing else. */
static void put_controls(struct page *page, const struct value *findings)
{
    bool serious = !str_is(text(value_item(findings, 0), "severity"), "info");
    html(page,
         "<h2>Findings</h2>\n<div class=\"controls\" data-table=\"findings\" hidden><label>Filter <input "
         "type=\"search\" placeholder=\"name, check, path …\"></label><label>Severity <select>");
    html(page, serious ? "<option value=\"error warning\">errors and warnings</option>" : "");
    html(page,
         "<option value=\"\">all</option><option>error</option><option>warning</option><option>info</option>"
         "</select></label><output class=\"more\"></output></div>\n");
}

static void put_findings(struct page *page, const struct value *findings)
{
    static const char *const columns[] = {"Severity", "Object", "What is wrong", "Where and which check"};
    size_t shown = 0;
    if (value_count(findings) == 0)
        return;
    put_controls(page, findings);
    html(page, "<div class=\"scroll\"><table class=\"sorts\" id=\"findings\">");
    put_head(page, columns, COUNT_OF(columns));
    VALUE_EACH(finding, findings)
        if (shown++ < MAX_ROWS)
            put_finding(page, finding);
    html(page, "</tbody></table></div>\n");
    if (shown > MAX_ROWS)
        buf_fmt(page->buf, "<p class=\"more\">… and %zu more; report.json lists them.</p>\n",
                shown - MAX_ROWS);
}

void html_score(struct page *page)
{
    const struct value *score = value_key(page->report, "score");
    put_namespaces(page, value_key(score, "namespaces"));
    put_findings(page, value_key(score, "findings"));
}
