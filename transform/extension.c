/* CRDs, webhooks and APIServices. */
#include "transform/rule.h"

/* Annotations by which an injector is told to fill in caBundle. */
static bool is_injected(const struct subject *subject)
{
    static const char *const keys[] = {
        "cert-manager.io/inject-ca-from",
        "cert-manager.io/inject-ca-from-secret",
        "cert-manager.io/inject-apiserver-ca",
        "certmanager.k8s.io/inject-ca-from",
        "service.beta.openshift.io/inject-cabundle",
    };
    for (size_t i = 0; i < COUNT_OF(keys); i++)
        if (subject_annotation(subject, keys[i]).len > 0)
            return true;
    return false;
}

void rule_crd(struct subject *subject)
{
    const char *const *bundle = PATH("spec", "conversion", "webhook", "clientConfig", "caBundle");
    const struct value *preserve = value_in(subject->object, PATH("spec", "preserveUnknownFields"));
    if (value_is(preserve, VALUE_BOOL) && !value_true(preserve))
        subject_remove(subject, PATH("spec", "preserveUnknownFields"));
    if (is_injected(subject) || subject_owner(subject, bundle) != MANAGED_BY_APPLY)
        subject_remove(subject, bundle);
}

/* Whether all that a set of fields holds is caBundle: the keys of list items, which every manager of an item has, apart. */
static bool holds_only_bundles(const struct value *fields, bool *any)
{
    MEMBER_EACH(member, fields) {
        struct str key = member->key;
        if (str_is(key, ".") || str_is(key, "f:name"))
            continue;
        bool bundle = str_is(key, "f:caBundle");
        *any = *any || bundle;
        if (!bundle && (value_count(&member->value) == 0 || !holds_only_bundles(&member->value, any)))
            return false;
    }
    return true;
}

/* A manager that wrote certificates and nothing else, whatever it is called: istiod, cert-controller, an operator. */
static bool is_injector(const struct value *entry)
{
    const struct value *fields = value_key(entry, "fieldsV1");
    bool any = false;
    if (str_contains(value_str(value_key(entry, "manager")), STR("cainjector")))
        return true;
    return str_is(value_str(value_key(entry, "operation")), "Update") &&
           holds_only_bundles(value_key(fields, "f:metadata") ? NULL : fields, &any) && any;
}

static bool is_injectors(const struct subject *subject)
{
    VALUE_EACH(entry, value_in(subject->live->object, PATH("metadata", "managedFields"))) {
        if (is_injector(entry))
            return true;
    }
    return is_injected(subject);
}

static const struct value *without_bundle(struct arena *arena, const struct value *webhook, void *ctx)
{
    return value_without_in(arena, webhook, PATH("clientConfig", "caBundle"));
}

void rule_injected_ca(struct subject *subject)
{
    if (!is_injectors(subject))
        return;
    subject_remove(subject, PATH("spec", "caBundle"));
    const struct value *webhooks = value_key(subject->object, "webhooks");
    if (value_is(webhooks, VALUE_LIST))
        subject_set(subject, PATH("webhooks"),
                    value_change_items(subject->arena, webhooks, without_bundle, NULL));
}
