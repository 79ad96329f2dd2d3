/* kinds.h — groups of kinds that rules.def names, as "Kind.group" separated by blanks. */
#pragma once
#include "core/kube/runtime_kinds.h" /* RUNTIME_KINDS */

#define POD_KINDS                                                                                            \
    "Pod PodTemplate ReplicationController Deployment.apps StatefulSet.apps DaemonSet.apps ReplicaSet.apps " \
    "Job.batch CronJob.batch DeploymentConfig.apps.openshift.io"

#define RBAC_KINDS                                                                                           \
    "ClusterRole.rbac.authorization.k8s.io ClusterRoleBinding.rbac.authorization.k8s.io "                    \
    "Role.rbac.authorization.k8s.io RoleBinding.rbac.authorization.k8s.io"

/* The control plane makes some of each at its start. */
#define SYSTEM_KINDS                                                                                         \
    "ConfigMap Service PriorityClass.scheduling.k8s.io FlowSchema.flowcontrol.apiserver.k8s.io "             \
    "PriorityLevelConfiguration.flowcontrol.apiserver.k8s.io ServiceCIDR.networking.k8s.io "                 \
    "ClusterTrustBundle.certificates.k8s.io " RBAC_KINDS
