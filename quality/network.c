/* Who may reach what. */
#include "core/kube/selector.h"
#include "quality/check.h"

/* policyTypes absent means Ingress, and Egress too if there are egress rules. */
static bool governs_ingress(const struct value *spec)
{
    const struct value *types = value_key(spec, "policyTypes");
    if (value_count(types) == 0)
        return true;
    VALUE_EACH(type, types)
        if (str_is(value_str(type), "Ingress"))
            return true;
    return false;
}

static bool selects_everything(const struct value *selector)
{
    return value_is(selector, VALUE_MAP) && value_count(value_key(selector, "matchLabels")) == 0 &&
           value_count(value_key(selector, "matchExpressions")) == 0;
}

/* Once a policy selects a pod, only what policies allow comes in; so any policy over all pods is a default deny. */
static bool has_default_deny(const struct place *place)
{
    for (size_t i = 0; i < place->policies.count; i++) {
        const struct value *spec = value_key(place->policies.items[i]->object, "spec");
        if (selects_everything(value_key(spec, "podSelector")) && governs_ingress(spec))
            return true;
    }
    return false;
}

void check_default_deny(struct subject *subject)
{
    if (subject->place->workloads.count != 0 && !has_default_deny(subject->place))
        found(subject, STR_NONE, "%s", "");
}

/* An ingress rule without `from` and without `ports` lets everybody in. */
void check_policy_allows_all(struct subject *subject)
{
    const struct value *spec = value_key(subject->resource->object, "spec");
    if (!governs_ingress(spec))
        return;
    size_t i = 0;
    VALUE_EACH(rule, value_key(spec, "ingress")) {
        if (value_count(value_key(rule, "from")) == 0 && value_count(value_key(rule, "ports")) == 0)
            found(subject, STR_NONE, "spec.ingress[%zu]", i);
        i++;
    }
}

/* A namespace says whose it is with a label "tenant" or "<domain>/tenant", as Capsule and its like set it. */
static const struct member *tenant_of(const struct resource *namespace)
{
    MEMBER_EACH(label, namespace ? value_in(namespace->object, PATH("metadata", "labels")) : NULL)
        if (str_is(label->key, "tenant") || str_ends(label->key, STR("/tenant")))
            return label;
    return NULL;
}

/* The first namespace of another tenant that the peer lets in; also one that holds nothing yet. */
static const struct resource *foreign_namespace(const struct subject *subject, const struct member *own,
                                                const struct value *peer)
{
    const struct bundle *bundle = subject->estate->bundle;
    const struct value *selector = value_key(peer, "namespaceSelector");
    size_t from, to;
    bundle_namespace(bundle, STR_NONE, &from, &to);
    for (size_t i = from; selector != NULL && i < to; i++) {
        const struct resource *other = &bundle->items[i];
        const struct member *tenant = resource_is(other, "", "Namespace") ? tenant_of(other) : NULL;
        if (tenant != NULL && str_eq(tenant->key, own->key) &&
            !str_eq(value_str(&tenant->value), value_str(&own->value)) &&
            selector_matches(selector, value_in(other->object, PATH("metadata", "labels"))))
            return other;
    }
    return NULL;
}

void check_tenants_apart(struct subject *subject)
{
    const struct value *spec = value_key(subject->resource->object, "spec");
    const struct member *own = tenant_of(subject->place->object);
    size_t i = 0;
    if (own == NULL || !governs_ingress(spec))
        return;
    VALUE_EACH(rule, value_key(spec, "ingress")) {
        size_t j = 0;
        VALUE_EACH(peer, value_key(rule, "from")) {
            const struct resource *other = foreign_namespace(subject, own, peer);
            if (other != NULL)
                found(subject, other->name, "spec.ingress[%zu].from[%zu]", i, j);
            j++;
        }
        i++;
    }
}

static bool covers(const struct value *tls, struct str host)
{
    VALUE_EACH(entry, tls) {
        if (value_count(value_key(entry, "hosts")) == 0)
            return true;
        VALUE_EACH(pattern, value_key(entry, "hosts")) {
            struct str covered = value_str(pattern), rest = host;
            if (str_eq(covered, host))
                return true;
            str_cut(&rest, '.');
            if (str_starts(covered, STR("*.")) && rest.len != 0 && str_eq(str_from(covered, 2), rest))
                return true;
        }
    }
    return false;
}

void check_ingress_tls(struct subject *subject)
{
    const struct value *spec = value_key(subject->resource->object, "spec");
    if (str_is(subject->resource->kind, "Route")) {
        if (value_key(spec, "tls") == NULL)
            found(subject, value_str(value_key(spec, "host")), "spec.tls");
        return;
    }
    size_t i = 0;
    VALUE_EACH(rule, value_key(spec, "rules")) {
        struct str host = value_str(value_key(rule, "host"));
        if (!covers(value_key(spec, "tls"), host))
            found(subject, host, "spec.rules[%zu].host", i);
        i++;
    }
    if (i == 0 && value_count(value_key(spec, "tls")) == 0)
        found(subject, STR_NONE, "spec.tls");
}

void check_external_ips(struct subject *subject)
{
    if (value_count(value_in(subject->resource->object, PATH("spec", "externalIPs"))) != 0)
        found(subject, STR_NONE, "spec.externalIPs");
}

void check_exposed_service(struct subject *subject)
{
    struct str type = value_str_in(subject->resource->object, PATH("spec", "type"));
    if (str_is(type, "NodePort") || str_is(type, "LoadBalancer"))
        found(subject, type, "spec.type");
}
