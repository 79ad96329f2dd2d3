/* runtime_kinds.h — kinds that only say how a cluster is doing, as "Kind.group" separated by blanks. */
#pragma once

/* Nobody writes these to wish for something. */
#define RUNTIME_KINDS                                                                                        \
    "Event Event.events.k8s.io Lease.coordination.k8s.io LeaseCandidate.coordination.k8s.io Node Binding "   \
    "ComponentStatus CSINode.storage.k8s.io CSIStorageCapacity.storage.k8s.io "                              \
    "VolumeAttachment.storage.k8s.io ControllerRevision.apps IPAddress.networking.k8s.io "                   \
    "CertificateSigningRequest.certificates.k8s.io PodCertificateRequest.certificates.k8s.io "               \
    "ResourceSlice.resource.k8s.io NodeMetrics.metrics.k8s.io PodMetrics.metrics.k8s.io "                    \
    "StorageVersion.internal.apiserver.k8s.io StorageVersionMigration.storagemigration.k8s.io "              \
    "TokenReview.authentication.k8s.io SelfSubjectReview.authentication.k8s.io "                             \
    "SubjectAccessReview.authorization.k8s.io LocalSubjectAccessReview.authorization.k8s.io "                \
    "SelfSubjectAccessReview.authorization.k8s.io SelfSubjectRulesReview.authorization.k8s.io"
