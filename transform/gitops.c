/* Marks by which a GitOps engine knows what it owns. */
#include "transform/rule.h"

static bool is_argocd_annotation(struct str key, struct str text)
{
    return str_is(key, "argocd.argoproj.io/tracking-id") || str_is(key, "argocd.argoproj.io/installation-id");
}

static bool is_argocd_label(struct str key, struct str text)
{
    return str_is(key, "argocd.argoproj.io/instance");
}

void rule_argocd(struct subject *subject)
{
    subject_remove_keys(subject, PATH("metadata", "annotations"), is_argocd_annotation);
    subject_remove_keys(subject, PATH("metadata", "labels"), is_argocd_label);
}

static bool is_flux_label(struct str key, struct str text)
{
    static const struct str labels[] = {
        STR_INIT("kustomize.toolkit.fluxcd.io/name"),
        STR_INIT("kustomize.toolkit.fluxcd.io/namespace"),
        STR_INIT("helm.toolkit.fluxcd.io/name"),
        STR_INIT("helm.toolkit.fluxcd.io/namespace"),
    };
    return str_in(key, labels, COUNT_OF(labels));
}

static bool is_flux_annotation(struct str key, struct str text)
{
    return str_is(key, "kustomize.toolkit.fluxcd.io/checksum") ||
           str_is(key, "reconcile.fluxcd.io/requestedAt");
}

void rule_flux(struct subject *subject)
{
    subject_remove_keys(subject, PATH("metadata", "labels"), is_flux_label);
    subject_remove_keys(subject, PATH("metadata", "annotations"), is_flux_annotation);
}
