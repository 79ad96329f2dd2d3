#include "core/kube/pod_security.h"

bool pod_security_level(struct str text, enum pod_security *ret_level)
{
    static const char *const names[] = {"privileged", "baseline", "restricted"};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (str_is(text, names[i])) {
            *ret_level = (enum pod_security)i;
            return true;
        }
    return false;
}

/* One pod, or one of its containers: then `context` is the container's own securityContext and `pod` the pod's. */
struct judging {
    struct arena *arena;
    struct str_list *faults;
    const struct value *pod;
};

static void fault(const struct judging *j, bool broken, const char *control)
{
    if (broken && !str_in(str_of(control), j->faults->items, j->faults->count))
        *ARENA_PUSH(j->arena, j->faults) = str_of(control);
}

static bool holds_other_than(const struct value *list, const char *const *allowed)
{
    VALUE_EACH(item, list) {
        const char *const *name = allowed;
        while (*name && !str_is(value_str(item), *name))
            name++;
        if (*name == NULL)
            return true;
    }
    return false;
}

static bool is_unconfined(const struct value *context, const char *profile)
{
    return str_is(value_str_in(context, PATH(profile, "type")), "Unconfined");
}

static bool has_other_se_linux(const struct value *context)
{
    const struct value *options = value_key(context, "seLinuxOptions");
    struct str type = value_str(value_key(options, "type"));
    bool known = type.len == 0 || str_is(type, "container_t") || str_is(type, "container_init_t") ||
                 str_is(type, "container_kvm_t") || str_is(type, "container_engine_t");
    return !known || value_str(value_key(options, "user")).len != 0 ||
           value_str(value_key(options, "role")).len != 0;
}

/* What holds for a pod's own context and for a container's. */
static void judge_context(const struct judging *j, const struct value *context)
{
    fault(j, value_true(value_in(context, PATH("windowsOptions", "hostProcess"))), "hostProcess");
    fault(j, is_unconfined(context, "seccompProfile"), "seccompProfile");
    fault(j, is_unconfined(context, "appArmorProfile"), "appArmorProfile");
    fault(j, has_other_se_linux(context), "seLinuxOptions");
}

static void judge_sysctls(const struct judging *j, const struct value *context)
{
    static const char *const safe[] = {"kernel.shm_rmid_forced",
                                       "net.ipv4.ip_local_port_range",
                                       "net.ipv4.ip_unprivileged_port_start",
                                       "net.ipv4.tcp_syncookies",
                                       "net.ipv4.ping_group_range",
                                       "net.ipv4.ip_local_reserved_ports",
                                       "net.ipv4.tcp_keepalive_time",
                                       "net.ipv4.tcp_fin_timeout",
                                       "net.ipv4.tcp_keepalive_intvl",
                                       "net.ipv4.tcp_keepalive_probes",
                                       "net.ipv4.tcp_rmem",
                                       "net.ipv4.tcp_wmem",
                                       NULL};
    VALUE_EACH(sysctl, value_key(context, "sysctls")) {
        const struct value *name = value_key(sysctl, "name");
        const struct value *one = name ? VALUE_LIST(j->arena, name) : NULL;
        fault(j, holds_other_than(one, safe), "sysctls");
    }
}

static void judge_container(const struct judging *j, const struct value *container, enum pod_security level)
{
    static const char *const baseline[] = {
        "AUDIT_WRITE", "CHOWN",  "DAC_OVERRIDE", "FOWNER",           "FSETID", "KILL",       "MKNOD",
        "SETFCAP",     "SETGID", "SETPCAP",      "NET_BIND_SERVICE", "SETUID", "SYS_CHROOT", NULL};
    static const char *const restricted[] = {"NET_BIND_SERVICE", NULL};
    const struct value *context = value_key(container, "securityContext");
    const struct value *added = value_in(context, PATH("capabilities", "add"));
    struct str mount = value_str(value_key(context, "procMount"));
    int64_t user = -1;
    judge_context(j, context);
    fault(j, value_true(value_key(context, "privileged")), "privileged");
    fault(j, holds_other_than(added, level == POD_SECURITY_RESTRICTED ? restricted : baseline),
          "capabilities.add");
    fault(j, mount.len != 0 && !str_is(mount, "Default"), "procMount");
    VALUE_EACH(port, value_key(container, "ports")) {
        int64_t host = 0;
        fault(j, value_i64(value_key(port, "hostPort"), &host) && host != 0, "hostPort");
    }
    if (level != POD_SECURITY_RESTRICTED)
        return;
    const struct value *escalates = value_key(context, "allowPrivilegeEscalation");
    const struct value *non_root = value_key(context, "runAsNonRoot");
    const struct value *pod_context = value_key(j->pod, "securityContext");
    bool drops = false;
    VALUE_EACH(dropped, value_in(context, PATH("capabilities", "drop")))
        drops = drops || str_is(value_str(dropped), "ALL");
    bool seccomp = value_key(context, "seccompProfile") || value_key(pod_context, "seccompProfile");
    fault(j, !value_is(escalates, VALUE_BOOL) || value_true(escalates), "allowPrivilegeEscalation");
    fault(j, !value_true(non_root ? non_root : value_key(pod_context, "runAsNonRoot")), "runAsNonRoot");
    fault(j, value_i64(value_key(context, "runAsUser"), &user) && user == 0, "runAsUser");
    fault(j, !drops, "capabilities.drop");
    fault(j, !seccomp, "seccompProfile");
}

static void judge_volumes(const struct judging *j, enum pod_security level)
{
    static const char *const allowed[] = {"configMap", "csi",       "downwardAPI", "emptyDir",
                                          "ephemeral", "projected", "secret",      "persistentVolumeClaim",
                                          "image",     "name",      NULL};
    VALUE_EACH(volume, value_key(j->pod, "volumes")) {
        fault(j, value_key(volume, "hostPath") != NULL, "hostPath");
        MEMBER_EACH(source, volume) {
            const struct value *name = value_string(j->arena, source->key);
            fault(j,
                  level == POD_SECURITY_RESTRICTED && holds_other_than(VALUE_LIST(j->arena, name), allowed),
                  "volumes");
        }
    }
}

void pod_security_faults(struct arena *arena, const struct workload *workload, enum pod_security level,
                         struct str_list *faults)
{
    static const char *const lists[] = {"initContainers", "containers", "ephemeralContainers"};
    static const char *const host[] = {"hostNetwork", "hostPID", "hostIPC"};
    const struct judging j = {arena, faults, workload->pod_spec};
    const struct value *context = value_key(workload->pod_spec, "securityContext");
    int64_t user = -1;
    if (level == POD_SECURITY_PRIVILEGED)
        return;
    for (size_t i = 0; i < COUNT_OF(host); i++)
        fault(&j, value_true(value_key(workload->pod_spec, host[i])), host[i]);
    judge_context(&j, context);
    judge_sysctls(&j, context);
    judge_volumes(&j, level);
    if (level == POD_SECURITY_RESTRICTED)
        fault(&j, value_i64(value_key(context, "runAsUser"), &user) && user == 0, "runAsUser");
    for (size_t i = 0; i < COUNT_OF(lists); i++)
        VALUE_EACH(container, value_key(workload->pod_spec, lists[i]))
            judge_container(&j, container, level);
}
