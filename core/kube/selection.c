/* What a snapshot takes, and what it may do without. */
#include <stdio.h>

#include "core/kube/kube.h"

static bool any_glob(const struct str_list *patterns, struct str text)
{
    for (size_t i = 0; i < patterns->count; i++)
        if (str_glob(patterns->items[i], text))
            return true;
    return false;
}

/* By "plural" or "plural.group", compared without building the second. */
static bool names_type(struct str pattern, const struct resource_type *type)
{
    char full[512];
    struct str name = {full, type->plural.len + 1 + type->group.len};
    if (str_glob(pattern, type->plural))
        return true;
    if (type->group.len == 0 || name.len >= sizeof full)
        return false;
    snprintf(full, sizeof full, "%.*s.%.*s", STR_ARG(type->plural), STR_ARG(type->group));
    return str_glob(pattern, name);
}

static bool any_type(const struct str_list *patterns, const struct resource_type *type)
{
    for (size_t i = 0; i < patterns->count; i++)
        if (names_type(patterns->items[i], type))
            return true;
    return false;
}

bool kube_selects_namespace(const struct kube_selection *selection, struct str namespace)
{
    bool included =
        selection->include_namespaces.count == 0 || any_glob(&selection->include_namespaces, namespace);
    return included && !any_glob(&selection->exclude_namespaces, namespace);
}

bool kube_selects_type(const struct kube_selection *selection, const struct resource_type *type)
{
    bool is_namespace = type->group.len == 0 && str_is(type->plural, "namespaces");
    if (selection->no_cluster_scoped && !type->namespaced && !is_namespace)
        return false;
    bool included = selection->include_types.count == 0 || any_type(&selection->include_types, type);
    return included && !any_type(&selection->exclude_types, type);
}

bool kube_allows_missing(const struct kube_selection *selection, const struct resource_type *type)
{
    return any_type(&selection->allow_missing, type);
}
