#include <string.h>

#include "core/base/json.h"
#include "core/base/pointer.h"
#include "core/secrets/leak.h"
#include "transform/rule.h"

enum { SHOWN_BYTES = 80 };

static bool is_users(const struct transform_rule *rule)
{
    return transform_rule_at(transform_rule_index(rule)) != rule;
}

static void count_users(struct arena *arena, const struct transform_log *log, struct value_map_builder *rules)
{
    for (size_t i = 0; i < log->scene->user.count; i++)
        if (log->user_applications[i] != 0)
            value_put(arena, rules, str_of(log->scene->user.items[i].rule.id),
                      value_int(arena, (int64_t)log->user_applications[i]));
}

const struct value *transform_section(struct arena *arena, const struct transform_log *log)
{
    struct value_map_builder rules = {0};
    for (size_t i = 0; i < transform_rule_count(); i++)
        if (log->applications[i] > 0)
            value_put(arena, &rules, str_of(transform_rule_at(i)->id),
                      value_int(arena, (int64_t)log->applications[i]));
    count_users(arena, log, &rules);
    return VALUE_MAP(arena, {"objects", value_int(arena, (int64_t)log->objects)},
                     {"declared", value_int(arena, (int64_t)log->declared)},
                     {"leftOut", value_int(arena, (int64_t)(log->objects - log->declared))},
                     {"rules", value_map_done(arena, &rules)},
                     {"secrets", value_list_done(arena, &log->secrets)},
                     {"helmReleases", value_list_done(arena, &log->helm_releases)});
}

static bool is_asked_for(const struct resource *resource, struct str kind, struct str namespace,
                         struct str name)
{
    return str_eq_nocase(resource->kind, kind) && str_eq(resource->name, name) &&
           (namespace.len == 0 || str_eq(resource->namespace, namespace));
}

/* Where values of secrets stand, or may. */
static bool may_hold_secrets(const struct resource *resource, struct str pointer)
{
    static const char *const places[] = {"/data*",
                                         "/stringData*",
                                         "/binaryData*",
                                         "*/env/*",
                                         "*/args/*",
                                         "*/command/*",
                                         "*last-applied-configuration*"};
    struct str last = str_from(pointer, str_rfind(pointer, '/') + 1);
    bool keeps = resource_is(resource, "", "Secret") || resource_is(resource, "", "ConfigMap");
    for (size_t i = 0; i < COUNT_OF(places); i++)
        if ((i > 2 || keeps) && str_glob(str_of(places[i]), pointer))
            return true;
    return leak_name(last);
}

/* A value in a few words: a short scalar as it is, of anything else its size. NULL where it must not be shown. */
static const struct value *shown(struct arena *arena, const struct transform_entry *entry,
                                 const struct value *value)
{
    if (value == NULL || may_hold_secrets(entry->resource, entry->pointer))
        return NULL;
    switch (value->kind) {
    case VALUE_NULL: return value_cstr(arena, "null");
    case VALUE_MAP:
        return value_string(arena, value->count ? str_fmt(arena, "{%u keys}", value->count) : STR("{}"));
    case VALUE_LIST:
        return value_string(arena, value->count ? str_fmt(arena, "[%u items]", value->count) : STR("[]"));
    case VALUE_STRING:
        if (leak_form(value_str(value)) != NULL)
            return NULL;
        if (value->count > SHOWN_BYTES)
            return value_string(arena, str_fmt(arena, "(%u bytes)", value->count));
        return value_string(arena, json_text(arena, value));
    default: return value_string(arena, value_text(value));
    }
}

/* The way to keep the rule from this one object; the id alone under transform.disable keeps it from all. */
static struct str off_text(struct arena *arena, const struct transform_entry *entry)
{
    const struct resource *r = entry->resource;
    if (is_users(entry->rule))
        return str_fmt(arena, "change transform.rules, rule %s", entry->rule->id + strlen("user."));
    struct str group = resource_group(r);
    if (transform_rule_guards(entry->rule) != NULL)
        return str_fmt(arena, "it cannot be switched off: %s", transform_rule_guards(entry->rule));
    return str_fmt(arena, "transform.disable: [{rule: %s, match: {type: %.*s%s%.*s%s%.*s, name: %.*s}}]",
                   entry->rule->id, STR_ARG(r->kind), group.len ? "." : "", STR_ARG(group),
                   r->namespace.len ? ", namespace: " : "", STR_ARG(r->namespace), STR_ARG(r->name));
}

static const struct value *explain_entry(struct arena *arena, const struct transform_entry *entry)
{
    static const char *const words[] = {
        [TRANSFORM_DROPPED] = "left out", [TRANSFORM_REMOVED] = "removed", [TRANSFORM_CHANGED] = "changed"};
    const struct value *before =
        entry->pointer.len ? pointer_get(entry->resource->object, entry->pointer) : NULL;
    return VALUE_MAP(arena, {"resource", value_string(arena, resource_label(arena, entry->resource))},
                     {"action", value_cstr(arena, words[entry->action])},
                     {"path", value_string(arena, pointer_dotted(arena, entry->pointer))},
                     {"before", shown(arena, entry, before)}, {"after", shown(arena, entry, entry->value)},
                     {"rule", value_cstr(arena, entry->rule->id)},
                     {"why", value_cstr(arena, entry->rule->why)},
                     {"off", value_string(arena, off_text(arena, entry))});
}

const struct value *transform_explanation(struct arena *arena, const struct transform_log *log,
                                          struct str kind, struct str namespace, struct str name)
{
    struct value_list_builder steps = {0};
    for (size_t i = 0; i < log->count; i++)
        if (is_asked_for(log->items[i].resource, kind, namespace, name))
            value_push(arena, &steps, explain_entry(arena, &log->items[i]));
    return steps.count ? value_list_done(arena, &steps) : NULL;
}

static const struct pitfall {
    int row;
    const char *subject, *right, *where, *off;
} PITFALLS[] = {
#define PITFALL(row, subject, right, where, off) {row, subject, right, where, off},
#include "transform/pitfalls.def"
#undef PITFALL
};

/* The rules of the row, then the places outside of them. */
static void pitfall_places(struct buf *text, const struct pitfall *pitfall)
{
    const char *between = "";
    for (size_t i = 0; i < transform_rule_count(); i++) {
        const struct transform_rule *rule = transform_rule_at(i);
        if (rule->pitfall != pitfall->row)
            continue;
        buf_fmt(text, "%s`%s`", between, rule->id);
        between = ", ";
    }
    if (pitfall->where[0] != '\0')
        buf_fmt(text, "%s%s", between[0] ? "; " : "", pitfall->where);
}

static void pitfalls_markdown(struct buf *text)
{
    buf_text(
        text,
        "## What goes wrong, and where it is handled\n\n"
        "Each row has golden cases that start with its number, below `testdata/transform`, "
        "`testdata/environments`,\n`testdata/publish` or `testdata/rebuild`. A rule is turned off by its "
        "id; other ways stand in the last column.\n\n"
        "| row | subject | what becomes of it | where | to turn it off, beside the rules' ids |\n"
        "|---|---|---|---|---|\n");
    for (size_t i = 0; i < COUNT_OF(PITFALLS); i++) {
        buf_fmt(text, "| %d | %s | %s | ", PITFALLS[i].row, PITFALLS[i].subject, PITFALLS[i].right);
        pitfall_places(text, &PITFALLS[i]);
        buf_fmt(text, " | %s |\n", PITFALLS[i].off);
    }
}

static void rule_markdown(struct buf *text, const struct transform_rule *rule)
{
    buf_fmt(text, "| `%s` | ", rule->id);
    if (rule->pitfall > 0)
        buf_fmt(text, "%d", rule->pitfall);
    buf_fmt(text, " | %s | %s | %s |\n", str_is(str_of(rule->applies), "*") ? "every kind" : rule->applies,
            rule->what, rule->why);
}

void transform_rules_markdown(struct buf *text)
{
    buf_text(
        text,
        "# Transform rules\n\n"
        "From live objects to declared ones: these rules run in this order over every object of a backup.\n"
        "`gitops-pipe convert --explain KIND/NAME` prints which of them did what to an object, what stood "
        "there, and how\n"
        "to keep the rule from it. Written by the test of this table: change `transform/rules.def` and\n"
        "`transform/pitfalls.def`, not this file.\n\n"
        "## Changing them\n\n"
        "```yaml\n"
        "transform:\n"
        "  disable:\n"
        "    - noise.annotations                       # off for every object\n"
        "    - rule: service.node-ports                # off for some\n"
        "      match: {type: services, namespace: edge, name: \"gateway-*\"}\n"
        "  rules:                                      # of your own\n"
        "    - {name: no-scratch, match: {namespace: \"*-scratch\"}, drop: object}\n"
        "    - {name: no-cpu-limits, match: {type: [deployments.apps, StatefulSet.apps]},\n"
        "       drop: /spec/template/spec/containers/*/resources/limits/cpu}\n"
        "    - {name: keep-data, match: {type: persistentvolumes, labels: {tier: data}},\n"
        "       set: {pointer: /spec/persistentVolumeReclaimPolicy, value: Retain}}\n"
        "```\n\n"
        "`match` holds when all that it says holds; texts are globs, and each may be a list of which one has "
        "to match. A\n"
        "type is `plural`, `plural.group`, `Kind` or `Kind.group`. `drop` is `object`, a JSON pointer, or a "
        "list of them;\n"
        "a token `*` is every item or member. `set` makes the maps that are missing on its way. What such a "
        "rule did is\n"
        "logged as `user.NAME`. apiVersion, kind, name and namespace are not a rule's to change, and "
        "`secrets.set-aside` and\n"
        "`secrets.token-data` cannot be switched off ([decision "
        "028](decisions/028-rules-of-ones-own.md)).\n\n");
    pitfalls_markdown(text);
    buf_text(text, "\n## The rules\n\n"
                   "| rule | row | kinds | what it does | why |\n"
                   "|---|---|---|---|---|\n");
    for (size_t i = 0; i < transform_rule_count(); i++)
        rule_markdown(text, transform_rule_at(i));
}
