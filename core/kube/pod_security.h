/* pod_security.h — would an API server that enforces a level of the Pod Security Standards admit a pod?
 *
 * Source: kubernetes.io/docs/concepts/security/pod-security-standards, as the admission plugin of Kubernetes 1.36 checks it.
 * The score's checks say where each fault stands and what to do; this is the yes or no of admission, by control.
 */
#pragma once
#include "core/kube/workload.h"

enum pod_security { POD_SECURITY_PRIVILEGED, POD_SECURITY_BASELINE, POD_SECURITY_RESTRICTED };

/* "privileged", "baseline", "restricted"; false for any other text. */
bool pod_security_level(struct str text, enum pod_security *ret_level);
/* Appends the controls that the pods of the workload break, each once: "hostNetwork", "capabilities.add", … */
void pod_security_faults(struct arena *arena, const struct workload *workload, enum pod_security level,
                         struct str_list *faults);
