/* The order of a rebuild: what is needed comes before what needs it. */
#include <criterion/criterion.h>

#include "core/kube/waves.h"

static enum wave of(const char *api_version, const char *kind)
{
    struct resource resource = {.api_version = str_of(api_version), .kind = str_of(kind)};
    return wave_of(&resource);
}

Test(waves, what_is_needed_comes_before_what_needs_it)
{
    static const struct {
        const char *needed_version, *needed, *by_version, *by;
    } pairs[] = {
        {"v1", "Namespace", "v1", "ServiceAccount"},
        {"v1", "Namespace", "apiextensions.k8s.io/v1", "CustomResourceDefinition"},
        {"apiextensions.k8s.io/v1", "CustomResourceDefinition", "security.openshift.io/v1",
         "SecurityContextConstraints"},
        {"scheduling.k8s.io/v1", "PriorityClass", "apps/v1", "Deployment"},
        {"storage.k8s.io/v1", "StorageClass", "v1", "PersistentVolumeClaim"},
        {"v1", "PersistentVolume", "v1", "PersistentVolumeClaim"},
        {"rbac.authorization.k8s.io/v1", "RoleBinding", "apps/v1", "DaemonSet"},
        {"v1", "ConfigMap", "apps/v1", "StatefulSet"},
        {"v1", "ResourceQuota", "batch/v1", "Job"},
        {"v1", "PersistentVolumeClaim", "apps/v1", "Deployment"},
        {"apps/v1", "Deployment", "autoscaling/v2", "HorizontalPodAutoscaler"},
        {"apps.openshift.io/v1", "DeploymentConfig", "route.openshift.io/v1", "Route"},
        {"apps/v1", "Deployment", "cert-manager.io/v1", "Certificate"},
        {"cert-manager.io/v1", "Certificate", "admissionregistration.k8s.io/v1",
         "ValidatingWebhookConfiguration"},
        {"apps/v1", "Deployment", "apiregistration.k8s.io/v1", "APIService"},
    };
    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        enum wave needed = of(pairs[i].needed_version, pairs[i].needed);
        enum wave by = of(pairs[i].by_version, pairs[i].by);
        cr_expect_lt(needed, by, "%s (%s) before %s (%s)", pairs[i].needed, wave_name(needed), pairs[i].by,
                     wave_name(by));
        cr_expect_leq(wave_argocd(needed), wave_argocd(by), "%s before %s in Argo CD", pairs[i].needed,
                      pairs[i].by);
    }
}

Test(waves, a_kind_of_the_same_name_in_another_group_is_a_custom_resource)
{
    cr_expect_eq(of("serving.knative.dev/v1", "Service"), WAVE_CUSTOM);
    cr_expect_eq(of("v1", "Service"), WAVE_WORKLOADS);
}

Test(waves, argo_cd_does_not_wait_for_a_claim_before_it_makes_the_pod_that_binds_it)
{
    cr_expect_eq(wave_argocd(WAVE_CLAIMS), wave_argocd(WAVE_WORKLOADS));
    cr_expect_eq(wave_argocd(WAVE_CUSTOM), wave_argocd(WAVE_WORKLOADS));
}
