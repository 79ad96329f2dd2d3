#include "core/kube/pod_security.h"

#include <stdarg.h>
#include <stdio.h>

enum { MAX_PATH_TEXT = 1024 };

/* One pod while one control looks at it. */
struct looking {
    const struct workload *workload;
    const struct value *pod, *context; /* its spec; the securityContext of that */
    pod_security_fn tell;
    void *ctx;
};

/* One of its containers, of whatever list. */
struct spot {
    size_t list, index;
    bool begun;
    const struct value *value, *context; /* the container; its securityContext */
};

static const char *const lists[] = {"initContainers", "containers", "ephemeralContainers"};

static bool next_container(const struct looking *l, struct spot *spot)
{
    spot->index += spot->begun;
    spot->begun = true;
    for (; spot->list < COUNT_OF(lists); spot->list++, spot->index = 0) {
        spot->value = value_item(value_key(l->pod, lists[spot->list]), spot->index);
        spot->context = value_key(spot->value, "securityContext");
        if (spot->value != NULL)
            return true;
    }
    return false;
}

#define EACH_CONTAINER(c, looking) for (struct spot c = {.list = 0}; next_container(looking, &(c));)

PRINTF_LIKE(3, 0)
static void tell(const struct looking *l, struct pod_security_fault fault, const char *fmt, va_list args)
{
    char path[MAX_PATH_TEXT];
    vsnprintf(path, sizeof path, fmt, args);
    fault.path = path;
    l->tell(l->ctx, &fault);
}

PRINTF_LIKE(3, 4)
static void in_pod(const struct looking *l, struct str detail, const char *path, ...)
{
    va_list args;
    va_start(args, path);
    tell(l, (struct pod_security_fault){.where = POD_SECURITY_IN_POD, .detail = detail}, path, args);
    va_end(args);
}

PRINTF_LIKE(4, 5)
static void in_container(const struct looking *l, const struct spot *spot, struct str detail,
                         const char *path, ...)
{
    struct pod_security_fault fault = {.where = POD_SECURITY_IN_CONTAINER,
                                       .list = lists[spot->list],
                                       .index = spot->index,
                                       .container = value_str(value_key(spot->value, "name")),
                                       .detail = detail};
    va_list args;
    va_start(args, path);
    tell(l, fault, path, args);
    va_end(args);
}

static bool is_among(struct str text, const char *const *set, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (str_is(text, set[i]))
            return true;
    return false;
}

#define IS_AMONG(text, set) is_among((text), (set), COUNT_OF(set))

/* Where a Windows pod says so, what only Linux has is not asked of it. */
static bool is_windows(const struct looking *l)
{
    return str_is(value_str_in(l->pod, PATH("os", "name")), "windows");
}

/* Root of a user namespace is nobody on the node; since 1.35 the standards make use of that. */
static bool has_user_namespace(const struct looking *l)
{
    const struct value *host_users = value_key(l->pod, "hostUsers");
    return value_is(host_users, VALUE_BOOL) && !value_true(host_users);
}

/* ---- baseline ---- */

static void look_host_namespaces(const struct looking *l)
{
    static const char *const fields[] = {"hostNetwork", "hostPID", "hostIPC"};
    for (size_t i = 0; i < COUNT_OF(fields); i++)
        if (value_true(value_key(l->pod, fields[i])))
            in_pod(l, STR_NONE, "%s", fields[i]);
}

static void look_privileged(const struct looking *l)
{
    EACH_CONTAINER(c, l)
        if (value_true(value_key(c.context, "privileged")))
            in_container(l, &c, STR_NONE, "securityContext.privileged");
}

static bool is_default_capability(struct str name)
{
    static const char *const allowed[] = {"AUDIT_WRITE", "CHOWN",  "DAC_OVERRIDE",     "FOWNER",  "FSETID",
                                          "KILL",        "MKNOD",  "NET_BIND_SERVICE", "SETFCAP", "SETGID",
                                          "SETPCAP",     "SETUID", "SYS_CHROOT"};
    return IS_AMONG(name, allowed);
}

static void look_capabilities(const struct looking *l)
{
    EACH_CONTAINER(c, l) {
        size_t i = 0;
        VALUE_EACH(capability, value_in(c.context, PATH("capabilities", "add"))) {
            struct str name = value_str(capability);
            if (!is_default_capability(name))
                in_container(l, &c, name, "securityContext.capabilities.add[%zu]", i);
            i++;
        }
    }
}

static void look_host_paths(const struct looking *l)
{
    size_t i = 0;
    VALUE_EACH(volume, value_key(l->pod, "volumes")) {
        const struct value *host_path = value_key(volume, "hostPath");
        if (host_path != NULL)
            in_pod(l, value_str(value_key(host_path, "path")), "volumes[%zu].hostPath", i);
        i++;
    }
}

static void look_host_ports(const struct looking *l)
{
    EACH_CONTAINER(c, l) {
        size_t i = 0;
        VALUE_EACH(port, value_key(c.value, "ports")) {
            int64_t number = 0;
            if (value_i64(value_key(port, "hostPort"), &number) && number != 0)
                in_container(l, &c, value_text(value_key(port, "hostPort")), "ports[%zu].hostPort", i);
            i++;
        }
    }
}

static void look_host_process(const struct looking *l)
{
    const char *const *field = PATH("windowsOptions", "hostProcess");
    if (value_true(value_in(l->context, field)))
        in_pod(l, STR_NONE, "securityContext.windowsOptions.hostProcess");
    EACH_CONTAINER(c, l)
        if (value_true(value_in(c.context, field)))
            in_container(l, &c, STR_NONE, "securityContext.windowsOptions.hostProcess");
}

/* Whether a profile of seccomp or AppArmor, where there is one, limits anything. */
static bool is_unconfined(const struct value *context, const char *profile)
{
    static const char *const allowed[] = {"", "RuntimeDefault", "Localhost"};
    return !IS_AMONG(value_str_in(context, PATH(profile, "type")), allowed);
}

/* Since 1.30 a field, before that an annotation per container; both still count. */
static void look_app_armor(const struct looking *l)
{
    static const char *const allowed[] = {"", "runtime/default"};
    if (is_unconfined(l->context, "appArmorProfile"))
        in_pod(l, STR_NONE, "securityContext.appArmorProfile.type");
    EACH_CONTAINER(c, l)
        if (is_unconfined(c.context, "appArmorProfile"))
            in_container(l, &c, STR_NONE, "securityContext.appArmorProfile.type");
    MEMBER_EACH(annotation, value_in(l->workload->pods, PATH("metadata", "annotations"))) {
        struct str profile = value_str(&annotation->value);
        if (str_starts(annotation->key, STR("container.apparmor.security.beta.kubernetes.io/")) &&
            !IS_AMONG(profile, allowed) && !str_starts(profile, STR("localhost/")))
            l->tell(l->ctx, &(struct pod_security_fault){.where = POD_SECURITY_IN_TEMPLATE,
                                                         .path = "metadata.annotations"});
    }
}

static bool has_other_se_linux(const struct value *context)
{
    static const char *const types[] = {"", "container_t", "container_init_t", "container_kvm_t",
                                        "container_engine_t"};
    const struct value *options = value_key(context, "seLinuxOptions");
    return !IS_AMONG(value_str(value_key(options, "type")), types) ||
           value_str(value_key(options, "user")).len != 0 || value_str(value_key(options, "role")).len != 0;
}

static void look_se_linux(const struct looking *l)
{
    if (has_other_se_linux(l->context))
        in_pod(l, STR_NONE, "securityContext.seLinuxOptions");
    EACH_CONTAINER(c, l)
        if (has_other_se_linux(c.context))
            in_container(l, &c, STR_NONE, "securityContext.seLinuxOptions");
}

static void look_proc_mounts(const struct looking *l)
{
    EACH_CONTAINER(c, l) {
        struct str mount = value_str(value_key(c.context, "procMount"));
        if (mount.len != 0 && !str_is(mount, "Default"))
            in_container(l, &c, STR_NONE, "securityContext.procMount");
    }
}

static void look_proc_mount(const struct looking *l)
{
    if (!has_user_namespace(l))
        look_proc_mounts(l);
}

static void look_seccomp(const struct looking *l)
{
    if (is_unconfined(l->context, "seccompProfile"))
        in_pod(l, STR_NONE, "securityContext.seccompProfile.type");
    EACH_CONTAINER(c, l)
        if (is_unconfined(c.context, "seccompProfile"))
            in_container(l, &c, STR_NONE, "securityContext.seccompProfile.type");
}

static void look_sysctls(const struct looking *l)
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
                                       "net.ipv4.tcp_wmem"};
    size_t i = 0;
    VALUE_EACH(sysctl, value_key(l->context, "sysctls")) {
        struct str name = value_str(value_key(sysctl, "name"));
        if (!IS_AMONG(name, safe))
            in_pod(l, name, "securityContext.sysctls[%zu]", i);
        i++;
    }
}

/* A handler is {httpGet: {host}} or {tcpSocket: {host}}. */
static void look_handler(const struct looking *l, const struct spot *c, const char *where,
                         const struct value *handler)
{
    static const char *const actions[] = {"httpGet", "tcpSocket"};
    for (size_t i = 0; i < COUNT_OF(actions); i++) {
        struct str host = value_str_in(handler, PATH(actions[i], "host"));
        if (host.len != 0)
            in_container(l, c, host, "%s.%s.host", where, actions[i]);
    }
}

static void look_host_probes(const struct looking *l)
{
    static const char *const probes[] = {"livenessProbe", "readinessProbe", "startupProbe"};
    EACH_CONTAINER(c, l) {
        for (size_t i = 0; i < COUNT_OF(probes); i++)
            look_handler(l, &c, probes[i], value_key(c.value, probes[i]));
        look_handler(l, &c, "lifecycle.postStart", value_in(c.value, PATH("lifecycle", "postStart")));
        look_handler(l, &c, "lifecycle.preStop", value_in(c.value, PATH("lifecycle", "preStop")));
    }
}

/* ---- restricted ---- */

/* hostPath is below baseline already. */
static void look_volume_types(const struct looking *l)
{
    static const char *const allowed[] = {
        "name",  "configMap", "csi",    "downwardAPI",          "emptyDir", "ephemeral", "hostPath",
        "image", "projected", "secret", "persistentVolumeClaim"};
    size_t i = 0;
    VALUE_EACH(volume, value_key(l->pod, "volumes")) {
        MEMBER_EACH(source, volume)
            if (!IS_AMONG(source->key, allowed))
                in_pod(l, source->key, "volumes[%zu].%.*s", i, STR_ARG(source->key));
        i++;
    }
}

static void look_proc_mount_anywhere(const struct looking *l)
{
    if (has_user_namespace(l))
        look_proc_mounts(l);
}

static void look_escalation(const struct looking *l)
{
    EACH_CONTAINER(c, l) {
        const struct value *allowed = value_key(c.context, "allowPrivilegeEscalation");
        if (!is_windows(l) && (!value_is(allowed, VALUE_BOOL) || value_true(allowed)))
            in_container(l, &c, STR_NONE, "securityContext.allowPrivilegeEscalation");
    }
}

/* What the pod says holds for containers that say nothing; to say `false` is a fault wherever it stands. */
static void look_non_root(const struct looking *l)
{
    const struct value *of_pod = value_key(l->context, "runAsNonRoot");
    if (has_user_namespace(l))
        return;
    if (of_pod != NULL && !value_true(of_pod))
        in_pod(l, STR_NONE, "securityContext.runAsNonRoot");
    EACH_CONTAINER(c, l) {
        const struct value *own = value_key(c.context, "runAsNonRoot");
        if (own ? !value_true(own) : of_pod == NULL)
            in_container(l, &c, STR_NONE, "securityContext.runAsNonRoot");
    }
}

static bool is_root(const struct value *context)
{
    int64_t user;
    return value_i64(value_key(context, "runAsUser"), &user) && user == 0;
}

/* Root for the pod is refused even where every container has a user of its own. */
static void look_user(const struct looking *l)
{
    if (has_user_namespace(l))
        return;
    if (is_root(l->context))
        in_pod(l, STR_NONE, "securityContext.runAsUser");
    EACH_CONTAINER(c, l)
        if (is_root(c.context))
            in_container(l, &c, STR_NONE, "securityContext.runAsUser");
}

/* Unconfined is below baseline already. */
static void look_seccomp_profile(const struct looking *l)
{
    const char *const *type = PATH("seccompProfile", "type");
    EACH_CONTAINER(c, l)
        if (!is_windows(l) && value_str_in(c.context, type).len == 0 &&
            value_str_in(l->context, type).len == 0)
            in_container(l, &c, STR_NONE, "securityContext.seccompProfile");
}

static bool drops_all(const struct value *context)
{
    VALUE_EACH(capability, value_in(context, PATH("capabilities", "drop")))
        if (str_is(value_str(capability), "ALL"))
            return true;
    return false;
}

/* What is no default capability is below baseline already. */
static void look_dropped_capabilities(const struct looking *l)
{
    EACH_CONTAINER(c, l) {
        size_t i = 0;
        if (is_windows(l))
            continue;
        if (!drops_all(c.context))
            in_container(l, &c, STR_NONE, "securityContext.capabilities.drop");
        VALUE_EACH(capability, value_in(c.context, PATH("capabilities", "add"))) {
            struct str name = value_str(capability);
            if (is_default_capability(name) && !str_is(name, "NET_BIND_SERVICE"))
                in_container(l, &c, name, "securityContext.capabilities.add[%zu]", i);
            i++;
        }
    }
}

static const struct {
    enum pod_security level;
    const char *name; /* what an admission calls it; NULL: the path of the fault */
    void (*look)(const struct looking *l);
} controls[POD_SECURITY_CONTROLS] = {
    [POD_SECURITY_HOST_NAMESPACES] = {POD_SECURITY_BASELINE, NULL, look_host_namespaces},
    [POD_SECURITY_PRIVILEGED_CONTAINERS] = {POD_SECURITY_BASELINE, "privileged", look_privileged},
    [POD_SECURITY_CAPABILITIES] = {POD_SECURITY_BASELINE, "capabilities.add", look_capabilities},
    [POD_SECURITY_HOST_PATHS] = {POD_SECURITY_BASELINE, "hostPath", look_host_paths},
    [POD_SECURITY_HOST_PORTS] = {POD_SECURITY_BASELINE, "hostPort", look_host_ports},
    [POD_SECURITY_HOST_PROCESS] = {POD_SECURITY_BASELINE, "hostProcess", look_host_process},
    [POD_SECURITY_APP_ARMOR] = {POD_SECURITY_BASELINE, "appArmorProfile", look_app_armor},
    [POD_SECURITY_SE_LINUX] = {POD_SECURITY_BASELINE, "seLinuxOptions", look_se_linux},
    [POD_SECURITY_PROC_MOUNT] = {POD_SECURITY_BASELINE, "procMount", look_proc_mount},
    [POD_SECURITY_SECCOMP] = {POD_SECURITY_BASELINE, "seccompProfile", look_seccomp},
    [POD_SECURITY_SYSCTLS] = {POD_SECURITY_BASELINE, "sysctls", look_sysctls},
    [POD_SECURITY_HOST_PROBES] = {POD_SECURITY_BASELINE, "host of a probe or hook", look_host_probes},
    [POD_SECURITY_VOLUME_TYPES] = {POD_SECURITY_RESTRICTED, "volumes", look_volume_types},
    [POD_SECURITY_PROC_MOUNT_ANYWHERE] = {POD_SECURITY_RESTRICTED, "procMount", look_proc_mount_anywhere},
    [POD_SECURITY_ESCALATION] = {POD_SECURITY_RESTRICTED, "allowPrivilegeEscalation", look_escalation},
    [POD_SECURITY_NON_ROOT] = {POD_SECURITY_RESTRICTED, "runAsNonRoot", look_non_root},
    [POD_SECURITY_USER] = {POD_SECURITY_RESTRICTED, "runAsUser", look_user},
    [POD_SECURITY_SECCOMP_PROFILE] = {POD_SECURITY_RESTRICTED, "seccompProfile", look_seccomp_profile},
    [POD_SECURITY_DROPPED_CAPABILITIES] = {POD_SECURITY_RESTRICTED, "capabilities.drop",
                                           look_dropped_capabilities},
};

void pod_security_look(enum pod_security_control control, const struct workload *workload,
                       pod_security_fn tell_fn, void *ctx)
{
    const struct looking looking = {workload, workload->pod_spec,
                                    value_key(workload->pod_spec, "securityContext"), tell_fn, ctx};
    controls[control].look(&looking);
}

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

struct listing {
    struct arena *arena;
    struct str_list *faults;
    const char *name;
};

static void list_fault(void *ctx, const struct pod_security_fault *fault)
{
    struct listing *listing = ctx;
    struct str name = str_of(listing->name ? listing->name : fault->path);
    if (!str_in(name, listing->faults->items, listing->faults->count))
        *ARENA_PUSH(listing->arena, listing->faults) = str_dup(listing->arena, name);
}

void pod_security_faults(struct arena *arena, const struct workload *workload, enum pod_security level,
                         struct str_list *faults)
{
    for (int i = 0; i < POD_SECURITY_CONTROLS; i++) {
        struct listing listing = {arena, faults, controls[i].name};
        if (controls[i].level <= level)
            pod_security_look((enum pod_security_control)i, workload, list_fault, &listing);
    }
}
