/* pod_security.h — the Pod Security Standards, control by control.
 *
 * The one place that knows them: the score asks of each control where a pod breaks it, a rebuild whether an API server
 * that enforces a level would let the pod in. A control of the level "restricted" tells what "baseline" leaves; only
 * together are they the level. Source: kubernetes.io/docs/concepts/security/pod-security-standards, as the admission
 * plugin of Kubernetes 1.36 checks it. Nothing fails; a part that makes no sense breaks what it would have to keep.
 */
#pragma once
#include "core/kube/workload.h"

enum pod_security { POD_SECURITY_PRIVILEGED, POD_SECURITY_BASELINE, POD_SECURITY_RESTRICTED };

enum pod_security_control {
    POD_SECURITY_HOST_NAMESPACES,
    POD_SECURITY_PRIVILEGED_CONTAINERS,
    POD_SECURITY_CAPABILITIES,
    POD_SECURITY_HOST_PATHS,
    POD_SECURITY_HOST_PORTS,
    POD_SECURITY_HOST_PROCESS,
    POD_SECURITY_APP_ARMOR,
    POD_SECURITY_SE_LINUX,
    POD_SECURITY_PROC_MOUNT,
    POD_SECURITY_SECCOMP,
    POD_SECURITY_SYSCTLS,
    POD_SECURITY_HOST_PROBES,
    POD_SECURITY_VOLUME_TYPES, /* from here on restricted */
    POD_SECURITY_PROC_MOUNT_ANYWHERE,
    POD_SECURITY_ESCALATION,
    POD_SECURITY_NON_ROOT,
    POD_SECURITY_USER,
    POD_SECURITY_DROPPED_CAPABILITIES,
    POD_SECURITY_SECCOMP_PROFILE,
    POD_SECURITY_CONTROLS
};

/* Where a control is broken; views, and gone when the call that told it returns. */
struct pod_security_fault {
    enum { POD_SECURITY_IN_TEMPLATE, POD_SECURITY_IN_POD, POD_SECURITY_IN_CONTAINER } where;
    const char *list; /* of a container: "initContainers", "containers", "ephemeralContainers" */
    size_t index;     /* in that list */
    struct str container;
    const char
        *path; /* below the template, the pod spec or the container, dotted: "securityContext.privileged" */
    struct str detail; /* what stands there; may be empty */
};

typedef void (*pod_security_fn)(void *ctx, const struct pod_security_fault *fault);
/* Tells every place where the pods of a workload break the control. */
void pod_security_look(enum pod_security_control control, const struct workload *workload,
                       pod_security_fn tell, void *ctx);

/* "privileged", "baseline", "restricted"; false for any other text. */
bool pod_security_level(struct str text, enum pod_security *ret_level);
/* Appends what of a level the pods of the workload break, each once: "hostNetwork", "capabilities.add", … */
void pod_security_faults(struct arena *arena, const struct workload *workload, enum pod_security level,
                         struct str_list *faults);
