/* The Pod Security Standards, which core/kube/pod_security.h knows, and what goes beyond them. */
#include "core/kube/pod_security.h"

#include "quality/check.h"

static void tell(void *ctx, const struct pod_security_fault *fault)
{
    struct subject *subject = ctx;
    struct container container = {.name = fault->container, .list = fault->list, .index = fault->index};
    switch (fault->where) {
    case POD_SECURITY_IN_TEMPLATE:
        found(subject, fault->detail, "%s%s", subject->workload.pods_path, fault->path);
        break;
    case POD_SECURITY_IN_POD: found_in_pod(subject, fault->detail, "%s", fault->path); break;
    case POD_SECURITY_IN_CONTAINER:
        found_in_container(subject, &container, fault->detail, "%s", fault->path);
        break;
    }
}

#define STANDARD(check, control)                                                                             \
    void check(struct subject *subject)                                                                      \
    {                                                                                                        \
        pod_security_look(control, &subject->workload, tell, subject);                                       \
    }

STANDARD(check_host_namespaces, POD_SECURITY_HOST_NAMESPACES)
STANDARD(check_privileged, POD_SECURITY_PRIVILEGED_CONTAINERS)
STANDARD(check_added_capabilities, POD_SECURITY_CAPABILITIES)
STANDARD(check_host_path, POD_SECURITY_HOST_PATHS)
STANDARD(check_host_ports, POD_SECURITY_HOST_PORTS)
STANDARD(check_host_process, POD_SECURITY_HOST_PROCESS)
STANDARD(check_app_armor, POD_SECURITY_APP_ARMOR)
STANDARD(check_se_linux, POD_SECURITY_SE_LINUX)
STANDARD(check_seccomp_unconfined, POD_SECURITY_SECCOMP)
STANDARD(check_sysctls, POD_SECURITY_SYSCTLS)
STANDARD(check_host_probes, POD_SECURITY_HOST_PROBES)
STANDARD(check_volume_types, POD_SECURITY_VOLUME_TYPES)
STANDARD(check_privilege_escalation, POD_SECURITY_ESCALATION)
STANDARD(check_run_as_non_root, POD_SECURITY_NON_ROOT)
STANDARD(check_run_as_user, POD_SECURITY_USER)
STANDARD(check_seccomp_profile, POD_SECURITY_SECCOMP_PROFILE)
STANDARD(check_dropped_capabilities, POD_SECURITY_DROPPED_CAPABILITIES)

/* One check for both levels: what is unmasked in a user namespace is below restricted only. */
void check_proc_mount(struct subject *subject)
{
    pod_security_look(POD_SECURITY_PROC_MOUNT, &subject->workload, tell, subject);
    pod_security_look(POD_SECURITY_PROC_MOUNT_ANYWHERE, &subject->workload, tell, subject);
}

void check_read_only_root(struct subject *subject)
{
    EACH_CONTAINER(c, subject)
        if (!value_true(value_key(c->security, "readOnlyRootFilesystem")))
            found_in_container(subject, c, STR_NONE, "securityContext.readOnlyRootFilesystem");
}

/* The pod decides first, then its account; the default is to mount. */
void check_token_without_need(struct subject *subject)
{
    struct str name = value_str(value_key(subject->pod, "serviceAccountName"));
    struct str namespace = subject->resource->namespace;
    if (name.len == 0)
        name = STR("default");

    const struct resource *account = estate_find(subject->estate, "", "ServiceAccount", name);
    const struct value *mount = value_key(subject->pod, "automountServiceAccountToken");
    if (!value_is(mount, VALUE_BOOL) && account != NULL)
        mount = value_key(account->object, "automountServiceAccountToken");
    if (value_is(mount, VALUE_BOOL) && !value_true(mount))
        return;
    if (!estate_account_is_bound(subject->estate, namespace, name))
        found_in_pod(subject, detail(subject, "account %.*s", STR_ARG(name)), "automountServiceAccountToken");
}

void check_pod_security_label(struct subject *subject)
{
    struct str level = value_str_in(subject->resource->object,
                                    PATH("metadata", "labels", "pod-security.kubernetes.io/enforce"));
    if (subject->facts->runs_pods && !str_is(level, "baseline") && !str_is(level, "restricted"))
        found(subject, level, "metadata.labels");
}
