/* admission.c — what the API server's admission plugins put into an object: ServiceAccount and Priority into pods,
 * DefaultStorageClass and StorageObjectInUseProtection into claims and volumes. */
#include "dr-scenarios/sandbox/intern.h"

static const struct value *mount_token(struct arena *arena, const struct value *container, void *ctx)
{
    const struct str *volume = ctx;
    const struct value *mount =
        VALUE_MAP(arena, {"name", value_string(arena, *volume)}, {"readOnly", value_bool(arena, true)},
                  {"mountPath", value_cstr(arena, "/var/run/secrets/kubernetes.io/serviceaccount")});
    struct value_list_builder mounts = {0};
    VALUE_EACH(it, value_key(container, "volumeMounts")) {
        value_push(arena, &mounts, it);
    }
    value_push(arena, &mounts, mount);
    return value_with(arena, container, STR("volumeMounts"), value_list_done(arena, &mounts));
}

/* The volume that admission gives every pod whose account does not opt out. */
static const struct value *inject_token(struct sandbox *sandbox, struct arena *arena,
                                        const struct value *spec)
{
    struct str name =
        str_fmt(arena, "kube-api-access-%05llx", (unsigned long long)(++sandbox->names * 7919 & 0xfffff));
    const struct value *volume = state_literal(
        arena, "{\"projected\":{\"sources\":[{\"serviceAccountToken\":{\"expirationSeconds\":3607,\"path\":"
               "\"token\"}},"
               "{\"configMap\":{\"name\":\"kube-root-ca.crt\",\"items\":[{\"key\":\"ca.crt\",\"path\":\"ca."
               "crt\"}]}},"
               "{\"downwardAPI\":{\"items\":[{\"path\":\"namespace\",\"fieldRef\":{\"apiVersion\":\"v1\","
               "\"fieldPath\":\"metadata.namespace\"}}]}}],\"defaultMode\":420}}");
    struct value_list_builder volumes = {0};
    VALUE_EACH(it, value_key(spec, "volumes")) {
        value_push(arena, &volumes, it);
    }
    value_push(arena, &volumes, value_with(arena, volume, STR("name"), value_string(arena, name)));
    spec = value_with(arena, spec, STR("volumes"), value_list_done(arena, &volumes));
    const struct value *containers =
        value_change_items(arena, value_key(spec, "containers"), mount_token, &name);
    return value_with(arena, spec, STR("containers"), containers);
}

static const struct value *account_of(struct sandbox *sandbox, const struct value *pod)
{
    const struct served *type = types_kind(sandbox, "", "ServiceAccount");
    struct str name = value_str_in(pod, PATH("spec", "serviceAccountName"));
    return type ? state_get(type, value_str_in(pod, PATH("metadata", "namespace")), name) : NULL;
}

static const struct value *with_priority(struct sandbox *sandbox, struct arena *arena,
                                         const struct value *spec)
{
    const struct served *classes = types_kind(sandbox, "scheduling.k8s.io", "PriorityClass");
    struct str class = value_str(value_key(spec, "priorityClassName"));
    const struct value *rank = classes ? state_get(classes, STR_NONE, class) : NULL;
    return rank ? value_with(arena, spec, STR("priority"), value_key(rank, "value")) : spec;
}

const struct value *admission_pod(struct sandbox *sandbox, struct arena *arena, const struct value *pod)
{
    const struct value *account = account_of(sandbox, pod);
    const struct value *spec = with_priority(sandbox, arena, value_key(pod, "spec"));
    const struct value *secrets = value_key(account, "imagePullSecrets");
    if (secrets && value_count(value_key(spec, "imagePullSecrets")) == 0)
        spec = value_with(arena, spec, STR("imagePullSecrets"), secrets);
    const struct value *own = value_key(spec, "automountServiceAccountToken");
    const struct value *theirs = value_key(account, "automountServiceAccountToken");
    if (own ? value_true(own) : theirs == NULL || value_true(theirs))
        spec = inject_token(sandbox, arena, spec);
    return value_with(arena, pod, STR("spec"), spec);
}

const struct value *admission_protect(struct arena *arena, const struct value *object, const char *name)
{
    const struct value *list = value_in(object, PATH("metadata", "finalizers"));
    VALUE_EACH(it, list) {
        if (str_is(value_str(it), name))
            return object;
    }
    struct value_list_builder all = {0};
    VALUE_EACH(it, list) {
        value_push(arena, &all, it);
    }
    value_push(arena, &all, value_cstr(arena, name));
    return value_with_in(arena, object, PATH("metadata", "finalizers"), value_list_done(arena, &all));
}

const struct value *admission_claim(struct sandbox *sandbox, struct arena *arena, const struct value *object)
{
    const struct served *type = types_kind(sandbox, "storage.k8s.io", "StorageClass");
    object = admission_protect(arena, object, "kubernetes.io/pvc-protection");
    if (type == NULL || value_in(object, PATH("spec", "storageClassName")))
        return object;
    for (size_t i = 0; i < type->storage->count; i++) {
        const struct value *class = state_at(type->storage->items[i], UINT64_MAX);
        const char *mark = "storageclass.kubernetes.io/is-default-class";
        if (str_is(value_str_in(class, PATH("metadata", "annotations", mark)), "true"))
            return value_with_in(arena, object, PATH("spec", "storageClassName"),
                                 value_in(class, PATH("metadata", "name")));
    }
    return object;
}
