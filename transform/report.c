/* What a person should know before the result is shared or applied. No text here ever holds a value. */
#include <string.h>

#include "core/kube/workload.h"
#include "transform/rule.h"

/* Words in a name that promise a secret. Compared in lower case, with '-' and '.' as '_'. */
bool sounds_secret(struct arena *arena, struct str name)
{
    static const struct str words[] = {
        STR_INIT("*password*"),   STR_INIT("*passwd*"),      STR_INIT("*secret*"),
        STR_INIT("*token*"),      STR_INIT("*api_key*"),     STR_INIT("*apikey*"),
        STR_INIT("*access_key*"), STR_INIT("*private_key*"), STR_INIT("*credential*"),
        STR_INIT("*passphrase*"),
    };
    /* Names of where a secret lies, or how it behaves. */
    static const struct str harmless[] = {
        STR_INIT("*_file"),     STR_INIT("*_path"),   STR_INIT("*_name"),   STR_INIT("*_url"),
        STR_INIT("*_ttl"),      STR_INIT("*_dir"),    STR_INIT("*_expir*"), STR_INIT("*_type"),
        STR_INIT("*_endpoint"), STR_INIT("*_length"),
    };
    char *text = (char *)str_c(arena, str_lower(arena, name));
    for (size_t i = 0; i < name.len; i++)
        if (text[i] == '-' || text[i] == '.')
            text[i] = '_';
    struct str plain = {text, name.len};
    for (size_t i = 0; i < COUNT_OF(harmless); i++)
        if (str_glob(harmless[i], plain))
            return false;
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (str_glob(words[i], plain))
            return true;
    return false;
}

/* "scheme://user:password@host" */
static bool holds_url_password(struct str text)
{
    for (size_t at = 0; at + 3 < text.len; at++) {
        if (!str_starts(str_from(text, at), STR("://")))
            continue;
        struct str rest = str_from(text, at + 3);
        size_t colon = rest.len, end = 0;
        for (; end < rest.len && !strchr("/@ \"'\n", rest.ptr[end]); end++)
            if (rest.ptr[end] == ':' && colon == rest.len)
                colon = end;
        if (end < rest.len && rest.ptr[end] == '@' && colon + 1 < end && rest.ptr[colon + 1] != '$')
            return true;
    }
    return false;
}

static bool is_secret_text(struct arena *arena, struct str name, struct str text)
{
    if (str_contains(text, STR("PRIVATE KEY-----")) || holds_url_password(text))
        return true;
    bool reference = str_starts(text, STR("$")) || str_starts(text, STR("/"));
    bool flag = str_is(text, "true") || str_is(text, "false");
    return text.len > 0 && !reference && !flag && sounds_secret(arena, name);
}

static void report(struct subject *subject, struct str where, struct str name)
{
    subject_finding(subject, "secrets.in-the-clear", SEVERITY_WARNING, str_c(subject->arena, where),
                    str_fmt(subject->arena, "%.*s looks like a credential in the clear", STR_ARG(name)),
                    "move it into a Secret and refer to it");
}

static void check_containers(struct subject *subject, const struct workload *workload, const char *list)
{
    VALUE_EACH(container, value_key(workload->pod_spec, list)) {
        struct str container_name = value_str(value_key(container, "name"));
        VALUE_EACH(variable, value_key(container, "env")) {
            struct str name = value_str(value_key(variable, "name"));
            if (is_secret_text(subject->arena, name, value_str(value_key(variable, "value"))))
                report(subject, str_fmt(subject->arena, "%sspec.%s", workload->pods_path, list),
                       str_fmt(subject->arena, "%.*s of container %.*s", STR_ARG(name),
                               STR_ARG(container_name)));
        }
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
        if (is_secret_text(subject->arena, member->key, value_str(&member->value)))
            report(subject, str_fmt(subject->arena, "data.%.*s", STR_ARG(member->key)), member->key);
    }
}
