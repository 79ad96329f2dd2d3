#include "core/kube/retired.h"

static const struct retired_api retired_apis[] = {
    {"extensions/v1beta1", "Ingress", 22, "networking.k8s.io/v1", false},
    {"extensions/v1beta1", "NetworkPolicy", 16, "networking.k8s.io/v1", false},
    {"extensions/v1beta1", "PodSecurityPolicy", 16, "Pod Security Admission", false},
    {"extensions/v1beta1", "", 16, "apps/v1", false},
    {"apps/v1beta1", "", 16, "apps/v1", false},
    {"apps/v1beta2", "", 16, "apps/v1", true},
    {"admissionregistration.k8s.io/v1beta1", "MutatingWebhookConfiguration", 22,
     "admissionregistration.k8s.io/v1", false},
    {"admissionregistration.k8s.io/v1beta1", "ValidatingWebhookConfiguration", 22,
     "admissionregistration.k8s.io/v1", false},
    {"apiextensions.k8s.io/v1beta1", "", 22, "apiextensions.k8s.io/v1", false},
    {"apiregistration.k8s.io/v1beta1", "", 22, "apiregistration.k8s.io/v1", false},
    {"certificates.k8s.io/v1beta1", "CertificateSigningRequest", 22, "certificates.k8s.io/v1", false},
    {"coordination.k8s.io/v1beta1", "Lease", 22, "coordination.k8s.io/v1", false},
    {"networking.k8s.io/v1beta1", "Ingress", 22, "networking.k8s.io/v1", false},
    {"networking.k8s.io/v1beta1", "IngressClass", 22, "networking.k8s.io/v1", true},
    {"rbac.authorization.k8s.io/v1alpha1", "", 22, "rbac.authorization.k8s.io/v1", false},
    {"rbac.authorization.k8s.io/v1beta1", "", 22, "rbac.authorization.k8s.io/v1", true},
    {"scheduling.k8s.io/v1beta1", "", 22, "scheduling.k8s.io/v1", true},
    {"storage.k8s.io/v1beta1", "StorageClass", 22, "storage.k8s.io/v1", true},
    {"storage.k8s.io/v1beta1", "CSIDriver", 22, "storage.k8s.io/v1", true},
    {"storage.k8s.io/v1beta1", "VolumeAttachment", 22, "storage.k8s.io/v1", false},
    {"storage.k8s.io/v1beta1", "CSIStorageCapacity", 27, "storage.k8s.io/v1", false},
    {"batch/v1beta1", "", 25, "batch/v1", true},
    {"discovery.k8s.io/v1beta1", "", 25, "discovery.k8s.io/v1", false},
    {"events.k8s.io/v1beta1", "", 25, "events.k8s.io/v1", false},
    {"autoscaling/v2beta1", "", 25, "autoscaling/v2", false},
    {"autoscaling/v2beta2", "", 26, "autoscaling/v2", true},
    {"policy/v1beta1", "PodSecurityPolicy", 25, "Pod Security Admission", false},
    {"policy/v1beta1", "", 25, "policy/v1", true},
    {"node.k8s.io/v1beta1", "", 25, "node.k8s.io/v1", true},
    {"flowcontrol.apiserver.k8s.io/v1beta1", "", 26, "flowcontrol.apiserver.k8s.io/v1", false},
    {"flowcontrol.apiserver.k8s.io/v1beta2", "", 29, "flowcontrol.apiserver.k8s.io/v1", false},
    {"flowcontrol.apiserver.k8s.io/v1beta3", "", 32, "flowcontrol.apiserver.k8s.io/v1", true},
    {"v1", "Endpoints", 0, "discovery.k8s.io/v1 EndpointSlice", false},
};

const struct retired_api *retired_api_of(const struct resource *resource)
{
    for (size_t i = 0; i < COUNT_OF(retired_apis); i++)
        if (str_is(resource->api_version, retired_apis[i].api_version) &&
            (retired_apis[i].kind[0] == '\0' || str_is(resource->kind, retired_apis[i].kind)))
            return &retired_apis[i];
    return NULL;
}

uint64_t kubernetes_minor(struct str version)
{
    uint64_t minor;
    str_cut(&version, '.');
    struct str digits = str_cut(&version, '.');
    if (str_ends(digits, STR("+")))
        digits.len--;
    return str_to_u64(digits, &minor) ? minor : UINT64_MAX;
}
