/* Who may reach what. */
#include "core/kube/selector.h"
#include "quality/check.h"

void check_default_deny(struct subject *subject)
{
    if (subject->facts->runs_pods && !subject->facts->default_deny)
        found(subject, STR_NONE, "%s", "");
}

/* An ingress rule without `from` and without `ports` lets everybody in. */
void check_policy_allows_all(struct subject *subject)
{
    const struct value *spec = value_key(subject->resource->object, "spec");
    if (!policy_governs_ingress(spec))
        return;
    size_t i = 0;
    VALUE_EACH(rule, value_key(spec, "ingress")) {
        if (value_count(value_key(rule, "from")) == 0 && value_count(value_key(rule, "ports")) == 0)
            found(subject, STR_NONE, "spec.ingress[%zu]", i);
        i++;
    }
}

/* A namespace says whose it is with a label "tenant" or "<domain>/tenant", as Capsule and its like set it. */
static const struct member *tenant_of(const struct value *labels)
{
    MEMBER_EACH(label, labels)
        if (str_is(label->key, "tenant") || str_ends(label->key, STR("/tenant")))
            return label;
    return NULL;
}

/* The first namespace of another tenant that the peer lets in, also one that holds nothing yet; empty for none. */
static struct str foreign_namespace(const struct subject *subject, const struct member *own,
                                    const struct value *peer)
{
    const struct value *selector = value_key(peer, "namespaceSelector");
    const struct estate *estate = subject->estate;
    struct label_range range = labels_rarest(&estate->namespaces.index, value_key(selector, "matchLabels"),
                                             estate->namespaces.count);
    for (size_t i; selector != NULL && labels_next(&estate->namespaces.index, &range, &i);) {
        const struct namespace_labels *other = &estate->namespaces.items[i];
        const struct member *tenant = tenant_of(other->labels);
        if (tenant != NULL && str_eq(tenant->key, own->key) &&
            !str_eq(value_str(&tenant->value), value_str(&own->value)) &&
            selector_matches(selector, other->labels))
            return other->name;
    }
    return STR_NONE;
}

void check_tenants_apart(struct subject *subject)
{
    const struct value *spec = value_key(subject->resource->object, "spec");
    const struct member *own = tenant_of(estate_labels(subject->estate, subject->resource->namespace));
    size_t i = 0;
    if (own == NULL || !policy_governs_ingress(spec))
        return;
    VALUE_EACH(rule, value_key(spec, "ingress")) {
        size_t j = 0;
        VALUE_EACH(peer, value_key(rule, "from")) {
            struct str other = foreign_namespace(subject, own, peer);
            if (other.len != 0)
                found(subject, other, "spec.ingress[%zu].from[%zu]", i, j);
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
