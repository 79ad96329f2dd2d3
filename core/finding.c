#include "core/finding.h"

struct finding finding_about(struct arena *arena, const struct resource *resource, const char *check,
                             enum severity severity, struct str message, const char *fix)
{
    return (struct finding){.check = str_of(check),
                            .severity = severity,
                            .api_version = str_dup(arena, resource->api_version),
                            .kind = str_dup(arena, resource->kind),
                            .namespace = str_dup(arena, resource->namespace),
                            .name = str_dup(arena, resource->name),
                            .message = message,
                            .fix = str_of(fix)};
}

const char *severity_name(enum severity severity)
{
    static const char *const names[] = {"info", "warning", "error"};
    return (size_t)severity < COUNT_OF(names) ? names[severity] : "?";
}

const struct value *finding_value(struct arena *arena, const struct finding *finding)
{
    const struct value *resource = VALUE_MAP(arena, {"apiVersion", value_string(arena, finding->api_version)},
                                             {"kind", value_string(arena, finding->kind)},
                                             {"namespace", value_string(arena, finding->namespace)},
                                             {"name", value_string(arena, finding->name)});
    return VALUE_MAP(arena, {"check", value_string(arena, finding->check)},
                     {"severity", value_cstr(arena, severity_name(finding->severity))},
                     {"dimension", value_string(arena, finding->dimension)}, {"resource", resource},
                     {"path", value_string(arena, finding->path)},
                     {"message", value_string(arena, finding->message)},
                     {"fix", value_string(arena, finding->fix)});
}
