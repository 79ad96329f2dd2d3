#include "core/kube/rbac.h"

#include <stdlib.h>

#define RBAC_GROUP "rbac.authorization.k8s.io"

/* ---- pieces ---- */

static const struct value *strings(struct arena *arena, const struct str *items, size_t count)
{
    struct value_list_builder list = {0};
    for (size_t i = 0; i < count; i++)
        value_push(arena, &list, value_string(arena, items[i]));
    return value_list_done(arena, &list);
}

static const struct value *one_string(struct arena *arena, struct str text)
{
    return strings(arena, &text, 1);
}

/* `names` NULL: every object. */
static const struct value *rule(struct arena *arena, struct str group, const struct value *resources,
                                const struct value *names, const struct value *verbs)
{
    return VALUE_MAP(arena, {"apiGroups", one_string(arena, group)}, {"resources", resources},
                     {"resourceNames", names}, {"verbs", verbs});
}

static const struct value *head(struct arena *arena, const char *api_version, const char *kind,
                                struct str namespace, struct str name)
{
    const struct value *metadata =
        VALUE_MAP(arena, {"name", value_string(arena, name)},
                  {"namespace", namespace.len ? value_string(arena, namespace) : NULL});
    return VALUE_MAP(arena, {"apiVersion", value_cstr(arena, api_version)}, {"kind", value_cstr(arena, kind)},
                     {"metadata", metadata});
}

/* ---- which types go where ---- */

/* The namespaces that are named without a glob, or none when a glob is among them. */
static struct str_list named_namespaces(struct arena *arena, const struct kube_selection *selection)
{
    struct str_list named = {0};
    for (size_t i = 0; i < selection->include_namespaces.count; i++) {
        struct str name = selection->include_namespaces.items[i];
        if (str_find(name, '*') < name.len || str_find(name, '?') < name.len)
            return (struct str_list){0};
        if (kube_selects_namespace(selection, name) && !str_in(name, named.items, named.count))
            *ARENA_PUSH(arena, &named) = name;
    }
    return named;
}

enum scope { SCOPE_ALL, SCOPE_CLUSTER, SCOPE_NAMESPACED };

struct picked {
    const struct resource_type **items;
    size_t count, cap;
};

static int type_order(const void *a, const void *b)
{
    const struct resource_type *x = *(const struct resource_type *const *)a,
                               *y = *(const struct resource_type *const *)b;
    int order = str_cmp(x->group, y->group);
    return order ? order : str_cmp(x->plural, y->plural);
}

/* A server says of this type that it cannot be listed; the built-in table does not. */
static bool creates_only(const struct resource_type *type)
{
    return type->group.len == 0 && str_is(type->plural, "bindings");
}

static struct picked pick(struct arena *arena, const struct rbac_wish *wish, enum scope scope)
{
    struct picked picked = {0};
    for (size_t i = 0; i < wish->types->count; i++) {
        const struct resource_type *type = &wish->types->items[i];
        bool here = scope == SCOPE_ALL || (scope == SCOPE_NAMESPACED) == type->namespaced;
        if (here && type->listable && !creates_only(type) && kube_selects_type(wish->selection, type))
            *ARENA_PUSH(arena, &picked) = type;
    }
    if (picked.count != 0)
        qsort(picked.items, picked.count, sizeof *picked.items, type_order);
    return picked;
}

/* One rule per group. */
static void add_lists(struct arena *arena, const struct rbac_wish *wish, enum scope scope,
                      struct value_list_builder *rules)
{
    const struct value *list = one_string(arena, STR("list"));
    struct picked picked = pick(arena, wish, scope);
    for (size_t i = 0; i < picked.count;) {
        struct str group = picked.items[i]->group;
        struct str_list plurals = {0};
        for (; i < picked.count && str_eq(picked.items[i]->group, group); i++)
            if (plurals.count == 0 || !str_eq(plurals.items[plurals.count - 1], picked.items[i]->plural))
                *ARENA_PUSH(arena, &plurals) = picked.items[i]->plural;
        value_push(arena, rules,
                   rule(arena, group, strings(arena, plurals.items, plurals.count), NULL, list));
    }
}

/* list alone: get on "*" would open pods/exec and nodes/proxy. */
static void add_wildcard(struct arena *arena, struct value_list_builder *rules)
{
    const struct value *all = one_string(arena, STR("*"));
    value_push(arena, rules, rule(arena, STR("*"), all, NULL, one_string(arena, STR("list"))));
}

/* ---- rules ---- */

/* kube-system says by its uid which cluster this is; a namespace that is named is asked for, in case it is misspelt. */
static const struct value *get_namespaces(struct arena *arena, const struct str_list *named)
{
    struct str_list names = {0};
    *ARENA_PUSH(arena, &names) = STR("kube-system");
    for (size_t i = 0; i < named->count; i++)
        if (!str_is(named->items[i], "kube-system"))
            *ARENA_PUSH(arena, &names) = named->items[i];
    return rule(arena, STR_NONE, one_string(arena, STR("namespaces")),
                strings(arena, names.items, names.count), one_string(arena, STR("get")));
}

static const struct value *cluster_rules(struct arena *arena, const struct rbac_wish *wish,
                                         const struct str_list *named)
{
    struct value_list_builder rules = {0};
    if (wish->wildcard && named->count == 0)
        add_wildcard(arena, &rules);
    else
        add_lists(arena, wish, named->count ? SCOPE_CLUSTER : SCOPE_ALL, &rules);
    value_push(arena, &rules, get_namespaces(arena, named));
    return value_list_done(arena, &rules);
}

/* A WebSocket is opened by a GET, and from Kubernetes 1.35 on the right to create is asked for besides. A pod found
 * by its labels may have any name. */
static void add_exec(struct arena *arena, const struct rbac_exec *exec, struct value_list_builder *rules)
{
    static const struct str verbs[] = {STR_INIT("get"), STR_INIT("create")};
    const struct value *names = exec->pod.len ? one_string(arena, exec->pod) : NULL;
    if (exec->pod.len == 0)
        value_push(
            arena, rules,
            rule(arena, STR_NONE, one_string(arena, STR("pods")), NULL, one_string(arena, STR("list"))));
    value_push(arena, rules,
               rule(arena, STR_NONE, one_string(arena, STR("pods/exec")), names,
                    strings(arena, verbs, COUNT_OF(verbs))));
}

static bool holds(const struct value_list_builder *list, const struct value *item)
{
    for (size_t i = 0; i < list->count; i++)
        if (value_equal(&list->items[i], item))
            return true;
    return false;
}

static const struct value *namespace_rules(struct arena *arena, const struct rbac_wish *wish,
                                           struct str namespace, bool named)
{
    struct value_list_builder rules = {0}, once = {0};
    if (named && wish->wildcard)
        add_wildcard(arena, &rules);
    else if (named)
        add_lists(arena, wish, SCOPE_NAMESPACED, &rules);
    for (size_t i = 0; i < wish->exec_count; i++)
        if (str_eq(wish->execs[i].namespace, namespace))
            add_exec(arena, &wish->execs[i], &rules);
    for (size_t i = 0; i < rules.count; i++) /* two hooks in one pod */
        if (!holds(&once, &rules.items[i]))
            value_push(arena, &once, &rules.items[i]);
    return value_list_done(arena, &once);
}

/* ---- objects ---- */

/* A role and who has it; of the cluster when `namespace` is empty. */
static void add_role(struct arena *arena, const struct rbac_wish *wish, struct str namespace,
                     const struct value *rules, struct value_list_builder *objects)
{
    bool cluster = namespace.len == 0;
    const char *kind = cluster ? "ClusterRole" : "Role";
    const struct value *role = head(arena, RBAC_GROUP "/v1", kind, namespace, STR(RBAC_NAME));
    const struct value *binding = head(
        arena, RBAC_GROUP "/v1", cluster ? "ClusterRoleBinding" : "RoleBinding", namespace, STR(RBAC_NAME));
    const struct value *reference =
        VALUE_MAP(arena, {"apiGroup", value_cstr(arena, RBAC_GROUP)}, {"kind", value_cstr(arena, kind)},
                  {"name", value_cstr(arena, RBAC_NAME)});
    const struct value *subject = VALUE_MAP(arena, {"kind", value_cstr(arena, "ServiceAccount")},
                                            {"name", value_string(arena, wish->account)},
                                            {"namespace", value_string(arena, wish->namespace)});
    value_push(arena, objects, value_with(arena, role, STR("rules"), rules));
    binding = value_with(arena, binding, STR("roleRef"), reference);
    value_push(arena, objects, value_with(arena, binding, STR("subjects"), VALUE_LIST(arena, subject)));
}

static void add_name(struct arena *arena, struct str_list *names, struct str name)
{
    if (!str_in(name, names->items, names->count))
        *ARENA_PUSH(arena, names) = name;
}

const struct value *rbac_objects(struct arena *arena, const struct rbac_wish *wish)
{
    struct value_list_builder objects = {0};
    struct str_list named = named_namespaces(arena, wish->selection), spaces = {0};
    for (size_t i = 0; i < named.count; i++)
        add_name(arena, &spaces, named.items[i]);
    for (size_t i = 0; i < wish->exec_count; i++)
        add_name(arena, &spaces, wish->execs[i].namespace);
    if (spaces.count != 0)
        qsort(spaces.items, spaces.count, sizeof *spaces.items, str_qsort);

    value_push(arena, &objects, head(arena, "v1", "Namespace", STR_NONE, wish->namespace));
    value_push(arena, &objects, head(arena, "v1", "ServiceAccount", wish->namespace, wish->account));
    add_role(arena, wish, STR_NONE, cluster_rules(arena, wish, &named), &objects);
    for (size_t i = 0; i < spaces.count; i++) {
        bool is_named = str_in(spaces.items[i], named.items, named.count);
        add_role(arena, wish, spaces.items[i], namespace_rules(arena, wish, spaces.items[i], is_named),
                 &objects);
    }
    return value_list_done(arena, &objects);
}
