#include "core/base/pointer.h"
#include "transform/rule.h"

const struct value *transform_section(struct arena *arena, const struct transform_log *log)
{
    struct value_map_builder rules = {0};
    for (size_t i = 0; i < transform_rule_count(); i++)
        if (log->applications[i] > 0)
            value_put(arena, &rules, str_of(transform_rule_at(i)->id),
                      value_int(arena, (int64_t)log->applications[i]));
    return VALUE_MAP(arena, {"objects", value_int(arena, (int64_t)log->objects)},
                     {"declared", value_int(arena, (int64_t)log->declared)},
                     {"leftOut", value_int(arena, (int64_t)(log->objects - log->declared))},
                     {"rules", value_map_done(arena, &rules)},
                     {"omittedSecrets", value_list_done(arena, &log->omitted_secrets)});
}

static bool is_asked_for(const struct resource *resource, struct str kind, struct str namespace,
                         struct str name)
{
    return str_eq_nocase(resource->kind, kind) && str_eq(resource->name, name) &&
           (namespace.len == 0 || str_eq(resource->namespace, namespace));
}

static const struct value *explain_entry(struct arena *arena, const struct transform_entry *entry)
{
    static const char *const words[] = {
        [TRANSFORM_DROPPED] = "left out", [TRANSFORM_REMOVED] = "removed", [TRANSFORM_CHANGED] = "changed"};
    return VALUE_MAP(arena, {"resource", value_string(arena, resource_label(arena, entry->resource))},
                     {"action", value_cstr(arena, words[entry->action])},
                     {"path", value_string(arena, pointer_dotted(arena, entry->pointer))},
                     {"rule", value_cstr(arena, entry->rule->id)},
                     {"why", value_cstr(arena, entry->rule->why)});
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
        "Each can be switched off by its id, under `transform.disable` in gitops-pipe.yaml, and\n"
        "`gitops-pipe convert --explain KIND/NAME` prints which of them did what to an object.\n"
        "\"Pitfall\" is the row of the list of known mistakes that the rule answers; its tests lie in\n"
        "`testdata/transform`. Written by the test of this table: change `transform/rules.def`, not this "
        "file.\n\n"
        "| rule | pitfall | kinds | what it does | why |\n"
        "|---|---|---|---|---|\n");
    for (size_t i = 0; i < transform_rule_count(); i++)
        rule_markdown(text, transform_rule_at(i));
}
