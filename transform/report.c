/* What a person should know before the result is shared or applied. No text here ever holds a value. */
#include "core/kube/workload.h"
#include "core/secrets/leak.h"
#include "transform/rule.h"

static void report(struct subject *subject, struct str where, struct str name, const char *what)
{
    if (what != NULL)
        subject_finding(subject, "secrets.in-the-clear", SEVERITY_WARNING, str_c(subject->arena, where),
                        str_fmt(subject->arena, "%.*s looks like %s in the clear", STR_ARG(name), what),
                        "move it into a Secret and refer to it");
}

/* "--password=x", "password=x", or "--password" with the value behind it. */
static const char *argument_leak(struct str argument, struct str next)
{
    struct str value = argument, name = str_cut(&value, '=');
    bool flag = str_starts(argument, STR("-"));
    while (str_starts(name, STR("-")))
        name = str_from(name, 1);
    const char *form = leak_form(argument);
    if (form != NULL || str_find(name, ' ') < name.len)
        return form;
    if (value.len != 0)
        return leak_setting(name, value);
    return flag && str_find(argument, '=') == argument.len && !str_starts(next, STR("-"))
               ? leak_setting(name, next)
               : NULL;
}

static void check_arguments(struct subject *subject, const struct workload *workload, const char *list,
                            const struct value *container, const char *key)
{
    const struct value *arguments = value_key(container, key);
    struct str container_name = value_str(value_key(container, "name"));
    for (size_t i = 0; i < value_count(arguments); i++)
        report(subject, str_fmt(subject->arena, "%sspec.%s", workload->pods_path, list),
               str_fmt(subject->arena, "%s[%zu] of container %.*s", key, i, STR_ARG(container_name)),
               argument_leak(value_str(value_item(arguments, i)), value_str(value_item(arguments, i + 1))));
}

static void check_containers(struct subject *subject, const struct workload *workload, const char *list)
{
    VALUE_EACH(container, value_key(workload->pod_spec, list)) {
        struct str container_name = value_str(value_key(container, "name"));
        VALUE_EACH(variable, value_key(container, "env")) {
            struct str name = value_str(value_key(variable, "name"));
            report(subject, str_fmt(subject->arena, "%sspec.%s", workload->pods_path, list),
                   str_fmt(subject->arena, "%.*s of container %.*s", STR_ARG(name), STR_ARG(container_name)),
                   leak_setting(name, value_str(value_key(variable, "value"))));
        }
        check_arguments(subject, workload, list, container, "command");
        check_arguments(subject, workload, list, container, "args");
    }
}

void rule_credentials(struct subject *subject)
{
    struct workload workload;
    if (workload_of(subject->live, &workload)) {
        check_containers(subject, &workload, "initContainers");
        check_containers(subject, &workload, "containers");
        return;
    }
    MEMBER_EACH(member, value_key(subject->object, "data")) {
        report(subject, str_fmt(subject->arena, "data.%.*s", STR_ARG(member->key)), member->key,
               leak_setting(member->key, value_str(&member->value)));
    }
}
