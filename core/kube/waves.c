#include "core/kube/waves.h"

static const struct {
    const char *name;
    int argocd;
} waves[WAVE_COUNT] = {
    [WAVE_NAMESPACES] = {"namespaces", -5}, [WAVE_DEFINITIONS] = {"definitions", -4},
    [WAVE_CLASSES] = {"classes", -3},       [WAVE_ACCESS] = {"access", -2},
    [WAVE_CONFIG] = {"config", -1},         [WAVE_CLAIMS] = {"claims", 0},
    [WAVE_WORKLOADS] = {"workloads", 0},    [WAVE_TRAFFIC] = {"traffic", 0},
    [WAVE_CUSTOM] = {"custom", 0},          [WAVE_GATES] = {"gates", 1},
};

/* Kinds outside Kubernetes stand here when others cannot start without them (OpenShift's constraints) or when they
 * play a built-in's part (DeploymentConfig, Route, ScaledObject). */
static const struct {
    enum wave wave;
    const char *group, *kind;
} kinds[] = {
    {WAVE_NAMESPACES, "", "Namespace"},
    {WAVE_DEFINITIONS, "apiextensions.k8s.io", "CustomResourceDefinition"},

    {WAVE_CLASSES, "storage.k8s.io", "StorageClass"},
    {WAVE_CLASSES, "storage.k8s.io", "CSIDriver"},
    {WAVE_CLASSES, "storage.k8s.io", "VolumeAttributesClass"},
    {WAVE_CLASSES, "snapshot.storage.k8s.io", "VolumeSnapshotClass"},
    {WAVE_CLASSES, "scheduling.k8s.io", "PriorityClass"},
    {WAVE_CLASSES, "networking.k8s.io", "IngressClass"},
    {WAVE_CLASSES, "gateway.networking.k8s.io", "GatewayClass"},
    {WAVE_CLASSES, "node.k8s.io", "RuntimeClass"},
    {WAVE_CLASSES, "resource.k8s.io", "DeviceClass"},
    {WAVE_CLASSES, "flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration"},
    {WAVE_CLASSES, "flowcontrol.apiserver.k8s.io", "FlowSchema"},
    {WAVE_CLASSES, "", "PersistentVolume"},

    {WAVE_ACCESS, "", "ServiceAccount"},
    {WAVE_ACCESS, "rbac.authorization.k8s.io", "ClusterRole"},
    {WAVE_ACCESS, "rbac.authorization.k8s.io", "ClusterRoleBinding"},
    {WAVE_ACCESS, "rbac.authorization.k8s.io", "Role"},
    {WAVE_ACCESS, "rbac.authorization.k8s.io", "RoleBinding"},
    {WAVE_ACCESS, "policy", "PodSecurityPolicy"},
    {WAVE_ACCESS, "security.openshift.io", "SecurityContextConstraints"},

    {WAVE_CONFIG, "", "ConfigMap"},
    {WAVE_CONFIG, "", "Secret"},
    {WAVE_CONFIG, "bitnami.com", "SealedSecret"},
    {WAVE_CONFIG, "external-secrets.io", "ExternalSecret"},
    {WAVE_CONFIG, "", "ResourceQuota"},
    {WAVE_CONFIG, "", "LimitRange"},
    {WAVE_CONFIG, "networking.k8s.io", "NetworkPolicy"},

    {WAVE_CLAIMS, "", "PersistentVolumeClaim"},

    {WAVE_WORKLOADS, "", "Service"},
    {WAVE_WORKLOADS, "", "Endpoints"},
    {WAVE_WORKLOADS, "discovery.k8s.io", "EndpointSlice"},
    {WAVE_WORKLOADS, "", "Pod"},
    {WAVE_WORKLOADS, "", "PodTemplate"},
    {WAVE_WORKLOADS, "", "ReplicationController"},
    {WAVE_WORKLOADS, "apps", "DaemonSet"},
    {WAVE_WORKLOADS, "apps", "Deployment"},
    {WAVE_WORKLOADS, "apps", "ReplicaSet"},
    {WAVE_WORKLOADS, "apps", "StatefulSet"},
    {WAVE_WORKLOADS, "apps.openshift.io", "DeploymentConfig"},
    {WAVE_WORKLOADS, "batch", "CronJob"},
    {WAVE_WORKLOADS, "batch", "Job"},

    {WAVE_TRAFFIC, "autoscaling", "HorizontalPodAutoscaler"},
    {WAVE_TRAFFIC, "autoscaling.k8s.io", "VerticalPodAutoscaler"},
    {WAVE_TRAFFIC, "keda.sh", "ScaledObject"},
    {WAVE_TRAFFIC, "policy", "PodDisruptionBudget"},
    {WAVE_TRAFFIC, "networking.k8s.io", "Ingress"},
    {WAVE_TRAFFIC, "route.openshift.io", "Route"},

    {WAVE_GATES, "admissionregistration.k8s.io", "MutatingAdmissionPolicy"},
    {WAVE_GATES, "admissionregistration.k8s.io", "MutatingAdmissionPolicyBinding"},
    {WAVE_GATES, "admissionregistration.k8s.io", "MutatingWebhookConfiguration"},
    {WAVE_GATES, "admissionregistration.k8s.io", "ValidatingAdmissionPolicy"},
    {WAVE_GATES, "admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"},
    {WAVE_GATES, "admissionregistration.k8s.io", "ValidatingWebhookConfiguration"},
    {WAVE_GATES, "apiregistration.k8s.io", "APIService"},
};

enum wave wave_of(const struct resource *resource)
{
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (resource_is(resource, kinds[i].group, kinds[i].kind))
            return kinds[i].wave;
    return WAVE_CUSTOM;
}

const char *wave_name(enum wave wave)
{
    return wave < WAVE_COUNT ? waves[wave].name : "?";
}

int wave_argocd(enum wave wave)
{
    return wave < WAVE_COUNT ? waves[wave].argocd : 0;
}
