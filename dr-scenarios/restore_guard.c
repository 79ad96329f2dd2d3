#include "dr-scenarios/restore_intern.h"

static const struct resource_type namespace_type = {
    .version = STR_INIT("v1"), .kind = STR_INIT("Namespace"), .plural = STR_INIT("namespaces")};

static bool check_identity(struct kube *target, struct arena *scratch, const struct restore_options *options,
                           struct err *err)
{
    const struct value *system;
    struct str source = options->source_uid;
    if (source.len == 0 || options->allow_same_cluster)
        return true;
    if (!kube_get(target, scratch, &namespace_type, STR_NONE, STR("kube-system"), &system, err))
        return err_context(err, "target");
    if (!str_eq(value_str_in(system, PATH("metadata", "uid")), source))
        return true;
    err_set(err, ERR_REFUSED, "the target is the very cluster that was backed up");
    return err_next(err, "choose another target; restore --allow-same-cluster overwrites this one");
}

/* Namespaces that every cluster has from its start. */
static bool is_given(struct str namespace)
{
    return str_is(namespace, "default") || str_starts(namespace, STR("kube-"));
}

static bool check_empty(struct kube *target, struct arena *scratch, const struct str_list *namespaces,
                        struct err *err)
{
    struct str_list there = {0};
    for (size_t i = 0; i < namespaces->count; i++) {
        const struct value *namespace;
        struct err why;
        if (is_given(namespaces->items[i]))
            continue;
        if (kube_get(target, scratch, &namespace_type, STR_NONE, namespaces->items[i], &namespace, &why))
            *ARENA_PUSH(scratch, &there) = namespaces->items[i];
        else if (why.code != ERR_NOT_FOUND) {
            *err = why;
            return err_context(err, "target");
        }
    }
    if (there.count == 0)
        return true;
    struct str names = str_join(scratch, there.items, there.count, STR(", "));
    err_set(err, ERR_REFUSED, "the target is not empty: it has %.*s", STR_ARG(names));
    return err_next(err, "choose an empty cluster; restore --allow-not-empty overwrites what is there");
}

bool restore_guard(struct kube *target, struct arena *scratch, const struct restore_options *options,
                   const struct str_list *namespaces, struct err *err)
{
    return check_identity(target, scratch, options, err) &&
           (options->allow_not_empty || check_empty(target, scratch, namespaces, err));
}
