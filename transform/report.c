/* What a person should know before the result is shared or applied. No text here ever holds a value. */
#include "core/kube/workload.h"
#include "core/secrets/leak.h"
#include "transform/rule.h"

static void report(struct subject *subject, struct str where, struct str name, const char *what)
{
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
    for (size_t i = 0; i < value_count(arguments); i++) {
        const char *what =
            argument_leak(value_str(value_item(arguments, i)), value_str(value_item(arguments, i + 1)));
        if (what != NULL)
            report(subject, str_fmt(subject->arena, "%sspec.%s", workload->pods_path, list),
                   str_fmt(subject->arena, "%s[%zu] of container %.*s", key, i, STR_ARG(container_name)),
                   what);
    }
}

static void check_containers(struct subject *subject, const struct workload *workload, const char *list)
{
    VALUE_EACH(container, value_key(workload->pod_spec, list)) {
        struct str container_name = value_str(value_key(container, "name"));
        VALUE_EACH(variable, value_key(container, "env")) {
            struct str name = value_str(value_key(variable, "name"));
            const char *what = leak_setting(name, value_str(value_key(variable, "value")));
            if (what != NULL)
                report(
                    subject, str_fmt(subject->arena, "%sspec.%s", workload->pods_path, list),
                    str_fmt(subject->arena, "%.*s of container %.*s", STR_ARG(name), STR_ARG(container_name)),
                    what);
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
        const char *what = leak_setting(member->key, value_str(&member->value));
        if (what != NULL)
            report(subject, str_fmt(subject->arena, "data.%.*s", STR_ARG(member->key)), member->key, what);
    }
}

/* DEL, C1 controls, U+FFFE and U+FFFF: legal in a ConfigMap and in YAML's escapes, but kustomize 5.8 writes them as they
 * are, and then refuses or changes what it wrote itself. */
static bool kustomize_loses(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        unsigned char next = i + 1 < text.len ? (unsigned char)text.ptr[i + 1] : 0;
        unsigned char last = i + 2 < text.len ? (unsigned char)text.ptr[i + 2] : 0;
        if (c == 0x7f || (c == 0xc2 && next >= 0x80 && next <= 0x9f) ||
            (c == 0xef && next == 0xbf && last >= 0xbe))
            return true;
    }
    return false;
}

void rule_texts(struct subject *subject)
{
    MEMBER_EACH(member, value_key(subject->object, "data")) {
        if (!kustomize_loses(value_str(&member->value)))
            continue;
        struct str path = str_fmt(subject->arena, "data.%.*s", STR_ARG(member->key));
        subject_finding(
            subject, "transform.text", SEVERITY_WARNING, str_c(subject->arena, path),
            str_fmt(subject->arena,
                    "%.*s holds a control character that kustomize, and so Argo CD and Flux, cannot carry",
                    STR_ARG(member->key)),
            "move it into binaryData; gitops-pipe's own render and restore carry it");
    }
}
