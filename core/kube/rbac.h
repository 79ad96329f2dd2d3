/* rbac.h — the least rights that a selection needs, as objects of rbac.authorization.k8s.io/v1.
 *
 * A backup lists types, and gets a few namespaces by name: kube-system, whose uid says which cluster this is, and those
 * that the selection names. So there is a rule per API group with the verb list. Where the selection names namespaces without a glob, what is namespaced
 * goes into a Role in each of them. A hook that runs in a pod needs pods/exec there, and to list pods where it looks
 * for one. Everything comes sorted, so that the same types give the same text. Nothing here fails.
 */
#pragma once
#include "core/kube/kube.h"

/* A hook's command in a pod. `pod` empty: it is looked for by its labels. */
struct rbac_exec {
    struct str namespace, pod;
};

struct rbac_wish {
    const struct resource_types *types;
    const struct kube_selection *selection;
    struct str namespace, account; /* of the ServiceAccount that gets the rights */
    bool wildcard;                 /* every type instead of those there are: also those that come later */
    const struct rbac_exec *execs;
    size_t exec_count;
};

#define RBAC_NAME "gitops-pipe-reader" /* of the roles and their bindings */

/* Namespace, ServiceAccount, ClusterRole, ClusterRoleBinding, Roles and RoleBindings: a list in the order to apply. */
const struct value *rbac_objects(struct arena *arena, const struct rbac_wish *wish);
