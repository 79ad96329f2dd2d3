/* In which version custom resources are stored.
 *
 * Discovery names the preferred version; a definition may store another. To be given the preferred one its conversion
 * webhook must answer, when the cluster is read and again when it is rebuilt, where the webhook's pods may not run yet.
 * So the stored one is read: it is what is really there, and needs nobody. */
#include "core/kube/kube_intern.h"

static const struct value *definition_of(struct kube *kube, struct arena *arena,
                                         const struct resource_type *type, struct err *err)
{
    /* A list that is narrowed to one, since who may back up may list and need not be allowed to get. */
    struct str name = str_fmt(arena, "%.*s.%.*s", STR_ARG(type->plural), STR_ARG(type->group));
    struct str path = str_fmt(
        arena, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions?fieldSelector=metadata.name%%3D%.*s",
        STR_ARG(name));
    struct kube_request request = {.method = "GET", .path = path};
    struct kube_reply reply;
    if (!kube_exchange(kube, arena, &request, &reply, err))
        return NULL;
    VALUE_EACH(item, value_key(reply.object, "items"))
        if (str_eq(value_str_in(item, PATH("metadata", "name")), name))
            return item;
    err->code = ERR_NONE; /* no custom type, or not ours to see */
    return NULL;
}

bool kube_use_storage_versions(struct kube *kube, struct arena *arena, struct resource_types *types,
                               struct err *err)
{
    for (size_t i = 0; i < types->count; i++) {
        struct resource_type *type = &types->items[i];
        if (!type->several_versions || !type->listable || str_find(type->group, '.') == type->group.len)
            continue;
        err->code = ERR_NONE;
        const struct value *definition = definition_of(kube, arena, type, err);
        if (definition == NULL && err->code != ERR_NONE)
            return err_context(err, "storage version of %.*s.%.*s", STR_ARG(type->plural),
                               STR_ARG(type->group));
        VALUE_EACH(version, value_in(definition, PATH("spec", "versions")))
            if (value_true(value_key(version, "storage")) && value_true(value_key(version, "served")))
                type->version = value_str(value_key(version, "name"));
    }
    return true;
}
