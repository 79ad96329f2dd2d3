/* Rights that reach further than anybody meant; source: kubernetes.io/docs/concepts/security/rbac-good-practices. */
#include "quality/check.h"

static bool lists(const struct value *rule, const char *key, const char *wanted)
{
    VALUE_EACH(item, value_key(rule, key))
        if (str_is(value_str(item), wanted))
            return true;
    return false;
}

/* Whether the rule allows `verb` on `resource` of the core group, for any name. */
static bool allows(const struct value *rule, const char *verb, const char *resource)
{
    return (lists(rule, "verbs", verb) || lists(rule, "verbs", "*")) &&
           (lists(rule, "resources", resource) || lists(rule, "resources", "*")) &&
           (lists(rule, "apiGroups", "") || lists(rule, "apiGroups", "*")) &&
           value_count(value_key(rule, "resourceNames")) == 0;
}

static bool is_wildcard(const struct value *rule)
{
    return lists(rule, "verbs", "*") && lists(rule, "resources", "*");
}

void check_rbac_wildcard(struct subject *subject)
{
    size_t i = 0;
    VALUE_EACH(rule, value_key(subject->resource->object, "rules")) {
        if (is_wildcard(rule))
            found(subject, STR_NONE, "rules[%zu]", i);
        else if (lists(rule, "verbs", "*"))
            found(subject, STR("every verb"), "rules[%zu].verbs", i);
        else if (lists(rule, "resources", "*"))
            found(subject, STR("every resource"), "rules[%zu].resources", i);
        i++;
    }
}

void check_rbac_escalation(struct subject *subject)
{
    static const char *const verbs[] = {"escalate", "bind", "impersonate"};
    size_t i = 0;
    VALUE_EACH(rule, value_key(subject->resource->object, "rules")) {
        for (size_t v = 0; v < COUNT_OF(verbs); v++)
            if (lists(rule, "verbs", verbs[v]))
                found(subject, str_of(verbs[v]), "rules[%zu].verbs", i);
        i++;
    }
}

/* A wildcard rule is found by its own check and not a second time. */
void check_rbac_secrets(struct subject *subject)
{
    static const char *const verbs[] = {"get", "list", "watch"};
    size_t i = 0;
    VALUE_EACH(rule, value_key(subject->resource->object, "rules")) {
        for (size_t v = 0; v < COUNT_OF(verbs) && !is_wildcard(rule); v++) {
            if (allows(rule, verbs[v], "secrets")) {
                found(subject, str_of(verbs[v]), "rules[%zu]", i);
                break;
            }
        }
        i++;
    }
}

void check_rbac_exec(struct subject *subject)
{
    static const char *const resources[] = {"pods/exec", "pods/attach", "pods/portforward"};
    size_t i = 0;
    VALUE_EACH(rule, value_key(subject->resource->object, "rules")) {
        for (size_t r = 0; r < COUNT_OF(resources) && !is_wildcard(rule); r++) {
            if (allows(rule, "create", resources[r]) || allows(rule, "get", resources[r])) {
                found(subject, str_of(resources[r]), "rules[%zu]", i);
                break;
            }
        }
        i++;
    }
}

void check_cluster_admin(struct subject *subject)
{
    const struct value *role = value_key(subject->resource->object, "roleRef");
    if (!str_is(value_str(value_key(role, "kind")), "ClusterRole") ||
        !str_is(value_str(value_key(role, "name")), "cluster-admin"))
        return;
    size_t i = 0;
    VALUE_EACH(holder, value_key(subject->resource->object, "subjects")) {
        struct str name = value_str(value_key(holder, "name"));
        if (!str_is(name, "system:masters"))
            found(subject, name, "subjects[%zu]", i);
        i++;
    }
}

void check_rbac_anonymous(struct subject *subject)
{
    size_t i = 0;
    VALUE_EACH(holder, value_key(subject->resource->object, "subjects")) {
        struct str name = value_str(value_key(holder, "name"));
        if (str_is(name, "system:anonymous") || str_is(name, "system:unauthenticated"))
            found(subject, name, "subjects[%zu]", i);
        i++;
    }
}
