/* What a new cluster has by itself. */
#include "transform/rule.h"

/* Nobody but the control plane ever wrote it; where managedFields are hidden, the names that Kubernetes reserves. */
static bool is_reserved(const struct subject *subject)
{
    const struct resource *live = subject->live;
    if (str_is(live->kind, "PriorityClass"))
        return str_starts(live->name, STR("system-"));
    if (str_is(live->kind, "ServiceCIDR"))
        return str_is(live->name, "kubernetes");
    return str_is(subject_annotation(subject, "apf.kubernetes.io/autoupdate-spec"), "true");
}

/* Only manifests that no server ever took have such. */
void rule_impossible_namespace(struct subject *subject)
{
    const struct resource *live = subject->live;
    bool namespace = resource_is(live, "", "Namespace");
    struct str name = namespace ? live->name : live->namespace;
    if (str_is_dns_label(name) || (name.len == 0 && !namespace))
        return;
    subject_finding(
        subject, "transform.impossible-namespace", SEVERITY_WARNING,
        namespace ? "metadata.name" : "metadata.namespace",
        str_fmt(subject->arena, "%.*s: left out, no namespace can be called so", STR_ARG(live->origin)),
        "use 63 lower-case letters, digits and inner dashes at most");
    subject->log->impossible++;
    subject_drop(subject);
}

void rule_bootstrapped(struct subject *subject)
{
    bool changed = subject->managed.user || !subject->from_cluster;
    if (subject->managed.control_plane || (!changed && is_reserved(subject)))
        subject_drop(subject);
}

void rule_system_rbac(struct subject *subject)
{
    bool reconciled =
        !str_is(subject_annotation(subject, "rbac.authorization.kubernetes.io/autoupdate"), "false");
    bool bootstrapped = subject_label(subject, "kubernetes.io/bootstrapping").len > 0 && reconciled;
    bool reserved = str_starts(subject->live->name, STR("system:")) && reconciled;
    if (subject->from_cluster && !subject->managed.user && (bootstrapped || reserved))
        subject_drop(subject);
}

void rule_system_config_maps(struct subject *subject)
{
    static const struct {
        const char *namespace, *name;
    } maps[] = {
        {"*", "kube-root-ca.crt"},
        {"*", "openshift-service-ca.crt"},
        {"*", "istio-ca-root-cert"},
        {"kube-system", "extension-apiserver-authentication"},
        {"kube-system", "kube-apiserver-legacy-service-account-token-tracking"},
        {"kube-system", "kubeadm-config"},
        {"kube-system", "kubelet-config"},
        {"kube-public", "cluster-info"},
    };
    for (size_t i = 0; i < COUNT_OF(maps); i++)
        if (str_is(subject->live->name, maps[i].name) &&
            str_glob(str_of(maps[i].namespace), subject->live->namespace)) {
            subject_drop(subject);
            return;
        }
}

void rule_system_services(struct subject *subject)
{
    if (str_is(subject->live->namespace, "default") && str_is(subject->live->name, "kubernetes"))
        subject_drop(subject);
}

void rule_api_services(struct subject *subject)
{
    if (subject_label(subject, "kube-aggregator.kubernetes.io/automanaged").len > 0)
        subject_drop(subject);
}

static const struct value *without_kubernetes(struct arena *arena, const struct value *finalizer, void *ctx)
{
    return str_is(value_str(finalizer), "kubernetes") ? NULL : finalizer;
}

static bool is_name_label(struct str key, struct str text)
{
    return str_is(key, "kubernetes.io/metadata.name");
}

void rule_namespace_fields(struct subject *subject)
{
    const char *const *path = PATH("spec", "finalizers");
    const struct value *finalizers = value_in(subject->object, path);
    subject_remove_keys(subject, PATH("metadata", "labels"), is_name_label);
    if (!value_is(finalizers, VALUE_LIST))
        return;
    const struct value *left = value_change_items(subject->arena, finalizers, without_kubernetes, NULL);
    if (value_count(left) == 0)
        subject_remove_tidy(subject, path);
    else
        subject_set(subject, path, left);
}

/* Apart from its identity nothing is left of the object. */
static bool is_bare(const struct subject *subject)
{
    MEMBER_EACH(member, subject->object) {
        if (!str_is(member->key, "apiVersion") && !str_is(member->key, "kind") &&
            !str_is(member->key, "metadata"))
            return false;
    }
    MEMBER_EACH(member, value_key(subject->object, "metadata")) {
        if (!str_is(member->key, "name") && !str_is(member->key, "namespace"))
            return false;
    }
    return true;
}

void rule_system_namespaces(struct subject *subject)
{
    static const struct str names[] = {
        STR_INIT("default"),
        STR_INIT("kube-system"),
        STR_INIT("kube-public"),
        STR_INIT("kube-node-lease"),
    };
    if (str_in(subject->live->name, names, COUNT_OF(names)) && is_bare(subject))
        subject_drop(subject);
}

/* With credentials per controller, the controller manager keeps a ServiceAccount for each in kube-system. */
void rule_default_service_accounts(struct subject *subject)
{
    bool by_default = str_is(subject->live->name, "default");
    bool controllers = str_is(subject->live->namespace, "kube-system") && subject->from_cluster &&
                       !subject->managed.user && str_ends(subject->live->name, STR("-controller"));
    if ((by_default || controllers) && is_bare(subject))
        subject_drop(subject);
}
