/* The Pod Security Standards, control by control; source: kubernetes.io/docs/concepts/security/pod-security-standards.
 * A field of the container stands above the same field of the pod. */
#include "quality/check.h"

static bool is_among(struct str text, const char *const *set, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (str_is(text, set[i]))
            return true;
    return false;
}

#define IS_AMONG(text, set) is_among((text), (set), COUNT_OF(set))

/* A field of securityContext as it holds for a container, and whose it is. */
static const struct value *effective(struct subject *subject, const struct container *c,
                                     const char *const *path)
{
    const struct value *own = value_in(c->security, path);
    return own ? own : value_in(value_key(subject->pod, "securityContext"), path);
}

void check_host_namespaces(struct subject *subject)
{
    static const char *const fields[] = {"hostNetwork", "hostPID", "hostIPC"};
    for (size_t i = 0; i < COUNT_OF(fields); i++)
        if (value_true(value_key(subject->pod, fields[i])))
            found_in_pod(subject, STR_NONE, "%s", fields[i]);
}

void check_privileged(struct subject *subject)
{
    EACH_CONTAINER(c, subject)
        if (value_true(value_key(c->security, "privileged")))
            found_in_container(subject, c, STR_NONE, "securityContext.privileged");
}

void check_added_capabilities(struct subject *subject)
{
    static const char *const allowed[] = {"AUDIT_WRITE", "CHOWN",  "DAC_OVERRIDE",     "FOWNER",  "FSETID",
                                          "KILL",        "MKNOD",  "NET_BIND_SERVICE", "SETFCAP", "SETGID",
                                          "SETPCAP",     "SETUID", "SYS_CHROOT"};
    EACH_CONTAINER(c, subject) {
        size_t i = 0;
        VALUE_EACH(capability, value_in(c->security, PATH("capabilities", "add"))) {
            struct str name = value_str(capability);
            if (!IS_AMONG(name, allowed))
                found_in_container(subject, c, name, "securityContext.capabilities.add[%zu]", i);
            i++;
        }
    }
}

void check_host_path(struct subject *subject)
{
    size_t i = 0;
    VALUE_EACH(volume, value_key(subject->pod, "volumes")) {
        const struct value *host_path = value_key(volume, "hostPath");
        if (host_path != NULL)
            found_in_pod(subject, value_str(value_key(host_path, "path")), "volumes[%zu].hostPath", i);
        i++;
    }
}

void check_host_ports(struct subject *subject)
{
    EACH_CONTAINER(c, subject) {
        size_t i = 0;
        VALUE_EACH(port, value_key(c->value, "ports")) {
            int64_t number = 0;
            if (value_i64(value_key(port, "hostPort"), &number) && number != 0)
                found_in_container(subject, c, detail(subject, "%lld", (long long)number),
                                   "ports[%zu].hostPort", i);
            i++;
        }
    }
}

void check_host_process(struct subject *subject)
{
    const char *const *field = PATH("windowsOptions", "hostProcess");
    if (value_true(value_in(value_key(subject->pod, "securityContext"), field)))
        found_in_pod(subject, STR_NONE, "securityContext.windowsOptions.hostProcess");
    EACH_CONTAINER(c, subject)
        if (value_true(value_in(c->security, field)))
            found_in_container(subject, c, STR_NONE, "securityContext.windowsOptions.hostProcess");
}

/* Since 1.30 a field, before that an annotation per container; both still count. */
void check_app_armor(struct subject *subject)
{
    const struct value *pod = value_key(subject->pod, "securityContext");
    const char *const *type = PATH("appArmorProfile", "type");
    if (str_is(value_str_in(pod, type), "Unconfined"))
        found_in_pod(subject, STR_NONE, "securityContext.appArmorProfile.type");
    EACH_CONTAINER(c, subject)
        if (str_is(value_str_in(c->security, type), "Unconfined"))
            found_in_container(subject, c, STR_NONE, "securityContext.appArmorProfile.type");

    MEMBER_EACH(annotation, value_in(subject->workload.pods, PATH("metadata", "annotations")))
        if (str_starts(annotation->key, STR("container.apparmor.security.beta.kubernetes.io/")) &&
            str_is(value_str(&annotation->value), "unconfined"))
            found(subject, STR_NONE, "%smetadata.annotations", subject->workload.pods_path);
}

static bool is_allowed_se_linux(const struct value *options)
{
    static const char *const types[] = {"", "container_t", "container_init_t", "container_kvm_t",
                                        "container_engine_t"};
    return IS_AMONG(value_str(value_key(options, "type")), types) &&
           value_str(value_key(options, "user")).len == 0 && value_str(value_key(options, "role")).len == 0;
}

void check_se_linux(struct subject *subject)
{
    const char *const *field = PATH("securityContext", "seLinuxOptions");
    if (!is_allowed_se_linux(value_in(subject->pod, field)))
        found_in_pod(subject, STR_NONE, "securityContext.seLinuxOptions");
    EACH_CONTAINER(c, subject)
        if (!is_allowed_se_linux(value_in(c->value, field)))
            found_in_container(subject, c, STR_NONE, "securityContext.seLinuxOptions");
}

void check_proc_mount(struct subject *subject)
{
    EACH_CONTAINER(c, subject) {
        struct str mount = value_str(value_key(c->security, "procMount"));
        if (mount.len != 0 && !str_is(mount, "Default"))
            found_in_container(subject, c, STR_NONE, "securityContext.procMount");
    }
}

void check_seccomp_unconfined(struct subject *subject)
{
    const char *const *type = PATH("seccompProfile", "type");
    if (str_is(value_str_in(value_key(subject->pod, "securityContext"), type), "Unconfined"))
        found_in_pod(subject, STR_NONE, "securityContext.seccompProfile.type");
    EACH_CONTAINER(c, subject)
        if (str_is(value_str_in(c->security, type), "Unconfined"))
            found_in_container(subject, c, STR_NONE, "securityContext.seccompProfile.type");
}

void check_sysctls(struct subject *subject)
{
    static const char *const safe[] = {
        "kernel.shm_rmid_forced",       "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.tcp_syncookies",      "net.ipv4.ping_group_range",    "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.tcp_keepalive_time",  "net.ipv4.tcp_fin_timeout",     "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes"};
    size_t i = 0;
    VALUE_EACH(sysctl, value_in(subject->pod, PATH("securityContext", "sysctls"))) {
        struct str name = value_str(value_key(sysctl, "name"));
        if (!IS_AMONG(name, safe))
            found_in_pod(subject, name, "securityContext.sysctls[%zu]", i);
        i++;
    }
}

/* A handler is {httpGet: {host}} or {tcpSocket: {host}}. */
static void host_in_handler(struct subject *subject, const struct container *c, const char *where,
                            const struct value *handler)
{
    static const char *const actions[] = {"httpGet", "tcpSocket"};
    for (size_t i = 0; i < COUNT_OF(actions); i++) {
        struct str host = value_str_in(handler, PATH(actions[i], "host"));
        if (host.len != 0)
            found_in_container(subject, c, host, "%s.%s.host", where, actions[i]);
    }
}

void check_host_probes(struct subject *subject)
{
    static const char *const probes[] = {"livenessProbe", "readinessProbe", "startupProbe"};
    EACH_CONTAINER(c, subject) {
        for (size_t i = 0; i < COUNT_OF(probes); i++)
            host_in_handler(subject, c, probes[i], value_key(c->value, probes[i]));
        host_in_handler(subject, c, "lifecycle.postStart",
                        value_in(c->value, PATH("lifecycle", "postStart")));
        host_in_handler(subject, c, "lifecycle.preStop", value_in(c->value, PATH("lifecycle", "preStop")));
    }
}

/* hostPath has a check of its own. */
void check_volume_types(struct subject *subject)
{
    static const char *const allowed[] = {
        "name",  "configMap", "csi",    "downwardAPI",          "emptyDir", "ephemeral", "hostPath",
        "image", "projected", "secret", "persistentVolumeClaim"};
    size_t i = 0;
    VALUE_EACH(volume, value_key(subject->pod, "volumes")) {
        MEMBER_EACH(source, volume)
            if (!IS_AMONG(source->key, allowed))
                found_in_pod(subject, source->key, "volumes[%zu].%.*s", i, STR_ARG(source->key));
        i++;
    }
}

void check_privilege_escalation(struct subject *subject)
{
    EACH_CONTAINER(c, subject) {
        const struct value *allowed = value_key(c->security, "allowPrivilegeEscalation");
        if (!value_is(allowed, VALUE_BOOL) || value_true(allowed))
            found_in_container(subject, c, STR_NONE, "securityContext.allowPrivilegeEscalation");
    }
}

void check_run_as_non_root(struct subject *subject)
{
    EACH_CONTAINER(c, subject)
        if (!value_true(effective(subject, c, PATH("runAsNonRoot"))))
            found_in_container(subject, c, STR_NONE, "securityContext.runAsNonRoot");
}

void check_run_as_user(struct subject *subject)
{
    EACH_CONTAINER(c, subject) {
        int64_t user = -1;
        if (value_i64(effective(subject, c, PATH("runAsUser")), &user) && user == 0)
            found_in_container(subject, c, STR_NONE, "securityContext.runAsUser");
    }
}

void check_seccomp_profile(struct subject *subject)
{
    static const char *const allowed[] = {"RuntimeDefault", "Localhost", "Unconfined"};
    EACH_CONTAINER(c, subject) {
        /* Unconfined has a check of its own. */
        struct str type = value_str(effective(subject, c, PATH("seccompProfile", "type")));
        if (!IS_AMONG(type, allowed))
            found_in_container(subject, c, STR_NONE, "securityContext.seccompProfile");
    }
}

static bool drops_all(const struct container *c)
{
    VALUE_EACH(capability, value_in(c->security, PATH("capabilities", "drop")))
        if (str_eq_nocase(value_str(capability), STR("ALL")))
            return true;
    return false;
}

void check_dropped_capabilities(struct subject *subject)
{
    EACH_CONTAINER(c, subject)
        if (!drops_all(c))
            found_in_container(subject, c, STR_NONE, "securityContext.capabilities.drop");
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
