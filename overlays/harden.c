/* Hardening: fills what a workload leaves open, one row a field, each only where it cannot break a program. What is set,
 * to whatever value, is somebody's decision and stays. */
#include "overlays/environment.h"

struct subject {
    const struct environment *environment;
    struct patch_builder *patch;
    const struct value *pod_context; /* pod.securityContext */
    const struct value *container, *context;
};

/* The container's own setting, else the pod's. */
static const struct value *setting(const struct subject *subject, const char *key)
{
    const struct value *own = value_key(subject->context, key);
    return own ? own : value_key(subject->pod_context, key);
}

static bool runs_as_other_than_root(const struct subject *subject)
{
    int64_t user = 0;
    return value_true(setting(subject, "runAsNonRoot")) ||
           (value_i64(setting(subject, "runAsUser"), &user) && user > 0);
}

/* The API server refuses allowPrivilegeEscalation: false beside these. */
static bool needs_privileges(const struct subject *subject)
{
    if (value_true(value_key(subject->context, "privileged")))
        return true;
    VALUE_EACH(added, value_in(subject->context, PATH("capabilities", "add")))
        if (str_is(value_str(added), "SYS_ADMIN") || str_is(value_str(added), "CAP_SYS_ADMIN") ||
            str_is(value_str(added), "ALL"))
            return true;
    return false;
}

/* Somebody other than root who listens below port 1024 may owe that to a capability of the file, which both
 * no-new-privileges and an empty bounding set take away. */
static bool may_need_file_capability(const struct subject *subject)
{
    int64_t port;
    VALUE_EACH(item, value_key(subject->container, "ports"))
        if (value_i64(value_key(item, "containerPort"), &port) && port < 1024)
            return runs_as_other_than_root(subject);
    return false;
}

static bool may_forbid_escalation(const struct subject *subject)
{
    return !needs_privileges(subject) && !may_need_file_capability(subject);
}

/* A process that is root by intent may need its capabilities to become somebody else. */
static bool may_drop_capabilities(const struct subject *subject)
{
    return runs_as_other_than_root(subject) && may_forbid_escalation(subject);
}

static bool may_require_non_root(const struct subject *subject)
{
    int64_t user = 0;
    return setting(subject, "runAsNonRoot") == NULL && value_i64(setting(subject, "runAsUser"), &user) &&
           user > 0;
}

static const struct value *no(struct arena *arena)
{
    return value_bool(arena, false);
}

static const struct value *yes(struct arena *arena)
{
    return value_bool(arena, true);
}

static const struct value *all(struct arena *arena)
{
    return VALUE_LIST(arena, value_cstr(arena, "ALL"));
}

/* What every row sets, as {key: value} below the container's securityContext. */
static const struct harden_row {
    const char *key, *inner; /* inner: one level deeper, or NULL */
    bool (*allowed)(const struct subject *subject);
    const struct value *(*value)(struct arena *arena);
} rows[] = {
    {"allowPrivilegeEscalation", NULL, may_forbid_escalation, no},
    {"capabilities", "drop", may_drop_capabilities, all},
    {"runAsNonRoot", NULL, may_require_non_root, yes},
};

static void harden_container(struct subject *subject, const char *list)
{
    struct str name = value_str(value_key(subject->container, "name"));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (value_in(subject->context, PATH(rows[i].key, rows[i].inner)) != NULL || !rows[i].allowed(subject))
            continue;
        patch_container(subject->patch, list, name, PATH("securityContext", rows[i].key, rows[i].inner),
                        rows[i].value(subject->patch->arena));
        patch_reason(subject->patch, STR("hardened where it was left open"));
    }
}

static void harden_containers(struct subject *subject, const char *list)
{
    VALUE_EACH(container, value_key(subject->patch->workload.pod_spec, list)) {
        subject->container = container;
        subject->context = value_key(container, "securityContext");
        harden_container(subject, list);
    }
}

static void harden_seccomp(const struct subject *subject)
{
    struct arena *arena = subject->patch->arena;
    if (value_key(subject->pod_context, "seccompProfile") != NULL)
        return;
    patch_pod(subject->patch, PATH("securityContext", "seccompProfile", "type"),
              value_cstr(arena, "RuntimeDefault"));
    patch_reason(subject->patch, STR("hardened where it was left open"));
}

/* Sidecar injectors (Linkerd, Vault, …) put containers into the pod that want its token; annotations ask for them. */
static bool asks_for_sidecars(const struct value *metadata)
{
    const struct value *maps[] = {value_key(metadata, "annotations"), value_key(metadata, "labels")};
    for (size_t i = 0; i < COUNT_OF(maps); i++)
        MEMBER_EACH(member, maps[i])
            if (str_contains(member->key, STR("inject")))
                return true;
    return false;
}

/* A pod under the default account, to which nobody gave any right, has no use for a token. */
static void harden_token(const struct subject *subject)
{
    const struct workload *workload = &subject->patch->workload;
    const struct environment *environment = subject->environment;
    struct str account = value_str(value_key(workload->pod_spec, "serviceAccountName"));
    struct str namespace = workload->resource->namespace;
    const struct resource *home =
        bundle_find(environment->whole, STR(""), STR("Namespace"), STR(""), namespace);
    if (value_key(workload->pod_spec, "automountServiceAccountToken") != NULL ||
        (account.len != 0 && !str_is(account, "default")) ||
        facts_account_has_rights(environment->facts, namespace, STR("default")) ||
        asks_for_sidecars(value_key(workload->pods, "metadata")) ||
        asks_for_sidecars(value_key(home ? home->object : NULL, "metadata")))
        return;
    patch_pod(subject->patch, PATH("automountServiceAccountToken"), value_bool(subject->patch->arena, false));
    patch_reason(subject->patch, STR("hardened where it was left open"));
}

void step_harden(const struct environment *environment, struct patch_builder *patch)
{
    const struct value *pod = patch->workload.pod_spec;
    struct subject subject = {environment, patch, value_key(pod, "securityContext"), NULL, NULL};
    if (!patch_can_change_pods(patch) || str_is(value_str_in(pod, PATH("os", "name")), "windows"))
        return;
    harden_seccomp(&subject);
    harden_token(&subject);
    harden_containers(&subject, "initContainers");
    harden_containers(&subject, "containers");
}
