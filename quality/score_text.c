/* The score on a terminal or in a log: the answer first, then what to mend, grouped by check and bounded. */
#include <stdio.h>

#include "quality/check.h"
#include "quality/score.h"

enum { MAX_GROUPS = 15, MAX_PER_GROUP = 4, MAX_SHOWN = 120 };

static const struct {
    const char *on;
} colours[] = {
    [SEVERITY_INFO] = {"\033[36m"},
    [SEVERITY_WARNING] = {"\033[33m"},
    [SEVERITY_ERROR] = {"\033[31m"},
};

/* Names come from outside: nothing in them may move a cursor. */
static void put_plain(struct buf *buf, struct str text)
{
    struct str shown = str_slice(text, 0, MAX_SHOWN);
    while (shown.len != 0 && !str_is_utf8(shown))
        shown.len--;
    for (size_t i = 0; i < shown.len; i++) {
        unsigned char c = (unsigned char)shown.ptr[i];
        /* C1 controls are two bytes, C2 80 to C2 9F. */
        bool c1 = c == 0xC2 && i + 1 < shown.len && (unsigned char)shown.ptr[i + 1] < 0xA0;
        buf_char(buf, c < 0x20 || c == 0x7F || c1 ? '?' : (char)c);
        i += c1;
    }
    if (shown.len < text.len)
        buf_text(buf, "…");
}

static void put_coloured(struct buf *buf, enum severity severity, const char *text, bool colour)
{
    buf_text(buf, colour ? colours[severity].on : "");
    buf_text(buf, text);
    buf_text(buf, colour ? "\033[0m" : "");
}

static int64_t number(const struct value *map, const char *key)
{
    int64_t number = 0;
    return value_i64(value_key(map, key), &number) ? number : 0;
}

static enum severity severity_of(const struct value *finding)
{
    struct str name = value_str(value_key(finding, "severity"));
    return str_is(name, "error")     ? SEVERITY_ERROR
           : str_is(name, "warning") ? SEVERITY_WARNING
                                     : SEVERITY_INFO;
}

static void put_label(struct buf *buf, const struct value *resource)
{
    struct str namespace = value_str(value_key(resource, "namespace"));
    if (namespace.len != 0) {
        put_plain(buf, namespace);
        buf_char(buf, '/');
    }
    put_plain(buf, value_str(value_key(resource, "kind")));
    buf_char(buf, '/');
    put_plain(buf, value_str(value_key(resource, "name")));
}

/* The part of a message that is not the same for the whole group. */
static struct str particular(struct str message, struct str common)
{
    struct str rest = str_from(message, common.len);
    return str_starts(message, common) && str_starts(rest, STR(": ")) ? str_from(rest, 2) : STR_NONE;
}

static const struct value *check_of(const struct value *section, struct str id)
{
    VALUE_EACH(check, value_key(section, "checks"))
        if (str_eq(value_str(value_key(check, "id")), id))
            return check;
    return NULL;
}

static void put_finding(struct buf *buf, const struct value *finding, struct str common)
{
    struct str path = value_str(value_key(finding, "path"));
    struct str more = particular(value_str(value_key(finding, "message")), common);
    buf_text(buf, "             ");
    put_label(buf, value_key(finding, "resource"));
    if (path.len != 0) {
        buf_text(buf, "  ");
        put_plain(buf, path);
    }
    if (more.len != 0) {
        buf_text(buf, "  (");
        put_plain(buf, more);
        buf_char(buf, ')');
    }
    buf_char(buf, '\n');
}

/* One check and where it was violated: findings [from, to) of the section. */
static void put_group(struct buf *buf, const struct value *section, size_t from, size_t to, bool colour)
{
    const struct value *findings = value_key(section, "findings"), *first = value_item(findings, from);
    struct str id = value_str(value_key(first, "check"));
    const struct value *check = check_of(section, id);
    struct str common = value_str(value_key(check ? check : first, "message"));
    size_t shown = to - from > MAX_PER_GROUP ? MAX_PER_GROUP : to - from;
    enum severity severity = severity_of(first);

    buf_text(buf, "  ");
    put_coloured(buf, severity, severity_name(severity), colour);
    buf_repeat(buf, ' ', severity == SEVERITY_WARNING ? 2 : 4);
    put_plain(buf, id);
    buf_char(buf, '\n');
    buf_text(buf, "           ");
    put_plain(buf, common);
    buf_text(buf, " → ");
    put_plain(buf, value_str(value_key(first, "fix")));
    buf_char(buf, '\n');
    for (size_t i = from; i < from + shown; i++)
        put_finding(buf, value_item(findings, i), common);
    if (to - from > shown)
        buf_fmt(buf, "             … and %zu more\n", to - from - shown);
}

static size_t group_end(const struct value *findings, size_t from)
{
    struct str id = value_str(value_key(value_item(findings, from), "check"));
    size_t to = from + 1;
    while (to < value_count(findings) && str_eq(value_str(value_key(value_item(findings, to), "check")), id))
        to++;
    return to;
}

/* Errors and warnings; what is only worth knowing is counted at the end. */
static void put_groups(struct buf *buf, const struct value *section, bool colour)
{
    const struct value *findings = value_key(section, "findings");
    size_t from = 0, groups = 0, left_out = 0;
    while (from < value_count(findings) && severity_of(value_item(findings, from)) != SEVERITY_INFO) {
        size_t to = group_end(findings, from);
        if (groups < MAX_GROUPS)
            put_group(buf, section, from, to, colour);
        else
            left_out += to - from;
        groups++;
        from = to;
    }
    if (groups > MAX_GROUPS)
        buf_fmt(buf, "  … and %zu more findings of %zu checks\n", left_out, groups - MAX_GROUPS);
}

static void put_count(struct buf *buf, int64_t count, const char *one, const char *many)
{
    buf_fmt(buf, "%lld %s", (long long)count, count == 1 ? one : many);
}

/* "3 errors, 41 warnings in 6 namespaces; worst: payments (71)" */
static void put_counts(struct buf *buf, const struct value *section)
{
    const struct value *counts = value_key(section, "counts"), *worst = NULL;
    int64_t namespaces = 0;
    VALUE_EACH(namespace, value_key(section, "namespaces")) {
        if (value_true(value_key(namespace, "excluded")))
            continue;
        namespaces++;
        if (worst == NULL || number(namespace, "overall") < number(worst, "overall"))
            worst = namespace;
    }
    buf_char(buf, ' ');
    put_count(buf, number(counts, "errors"), "error", "errors");
    buf_text(buf, ", ");
    put_count(buf, number(counts, "warnings"), "warning", "warnings");
    if (namespaces > 0) {
        buf_text(buf, " in ");
        put_count(buf, namespaces, "namespace", "namespaces");
    }
    if (namespaces > 1 && number(worst, "overall") < 100) {
        buf_text(buf, "; worst: ");
        put_plain(buf, value_str(value_key(worst, "name")));
        buf_fmt(buf, " (%lld)", (long long)number(worst, "overall"));
    }
    buf_char(buf, '\n');
}

static enum severity severity_of_score(int64_t score)
{
    return score >= 80 ? SEVERITY_INFO : score >= 60 ? SEVERITY_WARNING : SEVERITY_ERROR;
}

void score_write_text(struct buf *buf, const struct value *section, bool colour)
{
    const struct value *counts = value_key(section, "counts"), *dimensions = value_key(section, "dimensions");
    int64_t overall = number(section, "overall"), infos = number(counts, "infos");
    struct str grade = value_str(value_key(section, "grade"));
    char headline[32];

    if (number(counts, "judged") == 0) {
        buf_text(buf, " nothing to score: ");
        put_count(buf, number(counts, "objects"), "object", "objects");
        buf_text(buf, ", none of them judged\n");
        return;
    }
    snprintf(headline, sizeof headline, "overall %lld  %.*s", (long long)overall,
             (int)(grade.len < 4 ? grade.len : 4), grade.ptr ? grade.ptr : "");
    buf_char(buf, ' ');
    put_coloured(buf, severity_of_score(overall), headline, colour);
    buf_fmt(buf, "      schema %lld · security %lld · production %lld · resources %lld\n",
            (long long)number(dimensions, "schema"), (long long)number(dimensions, "security"),
            (long long)number(dimensions, "production"), (long long)number(dimensions, "resources"));
    put_counts(buf, section);
    put_groups(buf, section, colour);
    if (infos > 0) {
        buf_text(buf, "  ");
        put_count(buf, infos, "note", "notes");
        buf_text(buf, " that cost nothing: --output json lists them\n");
    }
}
