/* namespace: objects move into one namespace, and what names them by their old one follows. */
#include "core/kustomize/intern.h"
#include "core/kustomize/schema.h"

static const struct value *with_namespace(struct arena *arena, const struct value *map, struct str namespace)
{
    return value_with(arena, map, STR("namespace"), value_string(arena, namespace));
}

/* The places that kustomize sets without looking what they name. */
static const struct value *set_places(struct arena *arena, const struct resource *r, struct str namespace)
{
    const struct value *object = r->object, *name = value_string(arena, namespace);
    const char *const *conversion =
        PATH("spec", "conversion", "webhook", "clientConfig", "service", "namespace");
    if (!schema_cluster_scoped(resource_group(r), resource_version(r), r->kind))
        object = value_with_in(arena, object, PATH("metadata", "namespace"), name);
    if (str_is(r->api_version, "v1") && str_is(r->kind, "Namespace"))
        object = value_with_in(arena, object, PATH("metadata", "name"), name);
    if (resource_is(r, "apiregistration.k8s.io", "APIService"))
        object = value_with_in(arena, object, PATH("spec", "service", "namespace"), name);
    if (resource_is(r, "apiextensions.k8s.io", "CustomResourceDefinition") &&
        value_in(object, conversion) != NULL)
        object = value_with_in(arena, object, conversion, name);
    return object;
}

static bool is_binding(const struct resource *r)
{
    return str_is(r->kind, "RoleBinding") || str_is(r->kind, "ClusterRoleBinding");
}

/* "default" is in every namespace, so nothing in the layer needs to be called so. */
static const struct value *move_default_subject(struct arena *arena, const struct value *subject, void *ctx)
{
    const struct str *namespace = ctx;
    return str_is(value_str(value_key(subject, "name")), "default")
               ? with_namespace(arena, subject, *namespace)
               : subject;
}

bool kustomize_namespace(struct kustomization *k, const struct value *setting)
{
    struct arena *arena = k->build->arena;
    struct str namespace = value_str(setting);
    k->build->moved = true;
    for (size_t i = 0; i < k->layer.count; i++) {
        struct layer_item *item = &k->layer.items[i];
        if (item->resource.object == NULL)
            continue;
        const struct value *object = set_places(arena, &item->resource, namespace);
        const struct value *subjects = value_key(object, "subjects");
        if (is_binding(&item->resource) && value_is(subjects, VALUE_LIST))
            object = value_with(arena, object, STR("subjects"),
                                value_change_items(arena, subjects, move_default_subject, &namespace));
        if (!layer_change(&k->layer, item, object, k->build->err))
            return kustomize_context(k, "namespace");
    }
    return true;
}

/* `reference` {name, namespace} with the namespace that the object it means has by now. */
static const struct value *follow(const struct layer *layer, const char *kind, const struct value *reference)
{
    struct resource like = {.api_version = STR("v1"),
                            .kind = str_of(kind),
                            .namespace = value_str(value_key(reference, "namespace")),
                            .name = value_str(value_key(reference, "name"))};
    const struct layer_item *item = like.name.len ? layer_find(layer, &like) : NULL;
    if (item == NULL || str_eq(item->resource.namespace, like.namespace))
        return reference;
    return with_namespace(layer->arena, reference, item->resource.namespace);
}

static const struct value *follow_subject(struct arena *arena, const struct value *subject, void *ctx)
{
    if (!str_is(value_str(value_key(subject, "kind")), "ServiceAccount"))
        return subject;
    return follow(ctx, "ServiceAccount", subject);
}

static const struct value *follow_webhook(struct arena *arena, const struct value *webhook, void *ctx)
{
    const struct value *service = value_in(webhook, PATH("clientConfig", "service"));
    const struct value *followed = service ? follow(ctx, "Service", service) : NULL;
    return followed == service ? webhook
                               : value_with_in(arena, webhook, PATH("clientConfig", "service"), followed);
}

void kustomize_follow_references(struct layer *layer)
{
    for (size_t i = 0; i < layer->count; i++) {
        struct resource *r = &layer->items[i].resource;
        bool binding = is_binding(r), webhooks = str_ends(r->kind, STR("WebhookConfiguration"));
        const char *key = binding ? "subjects" : "webhooks";
        const struct value *list = binding || webhooks ? value_key(r->object, key) : NULL;
        const struct value *followed =
            value_change_items(layer->arena, list, binding ? follow_subject : follow_webhook, layer);
        if (followed != list)
            r->object = value_with(layer->arena, r->object, str_of(key), followed);
    }
}
