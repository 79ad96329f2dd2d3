/* controllers.c — stand-ins for the controllers that leave objects behind: accounts and certificates of a namespace,
 * endpoints of a Service, volumes of a claim, the types of a CRD, and the deletion of what belonged to something
 * deleted. What runs pods is in workloads.c.
 *
 * A write starts them at once, in the same call; what is not done yet stays a chore and is looked at again with every
 * call that comes in, so that nothing happens while nobody asks.
 */
#include <string.h>

#include "core/base/base64.h"
#include "dr-scenarios/sandbox/intern.h"

const struct value *controllers_owner(struct arena *arena, const struct value *owner)
{
    return VALUE_LIST(arena, VALUE_MAP(arena, {"apiVersion", value_key(owner, "apiVersion")},
                                       {"kind", value_key(owner, "kind")},
                                       {"name", value_in(owner, PATH("metadata", "name"))},
                                       {"uid", value_in(owner, PATH("metadata", "uid"))},
                                       {"controller", value_bool(arena, true)},
                                       {"blockOwnerDeletion", value_bool(arena, true)}));
}

const struct value *controllers_update(struct sandbox *sandbox, struct arena *arena,
                                       const struct served *type, const struct value *live,
                                       const struct value *now, const char *manager)
{
    struct str namespace = value_str_in(live, PATH("metadata", "namespace"));
    if (value_equal(live, now))
        return live;
    const struct value *owned = managed_update(arena, type, live, now, manager, "");
    if (type->type.has_status) /* the entries of both, computed against what was there before */
        owned = managed_update(arena, type,
                               value_with_in(arena, live, PATH("metadata", "managedFields"),
                                             value_in(owned, PATH("metadata", "managedFields"))),
                               owned, manager, "status");
    return state_put(sandbox, type, namespace, value_str_in(live, PATH("metadata", "name")), owned);
}

const struct value *controllers_put(struct sandbox *sandbox, struct arena *arena, const struct value *object,
                                    const char *manager)
{
    static const char *const parts[] = {"spec", "status", "data", "subsets", "endpoints", "ports"};
    struct resource resource;
    struct err ignored;
    if (!resource_from(object, STR_NONE, &resource, &ignored))
        return NULL;
    const struct served *type = types_of(sandbox, &resource);
    if (type == NULL)
        return NULL;
    const struct value *live = state_get(type, resource.namespace, resource.name), *now = live;
    struct call call = {.sandbox = sandbox,
                        .arena = arena,
                        .type = type,
                        .namespace = resource.namespace,
                        .manager = manager,
                        .internal = true};
    if (live == NULL)
        return write_create(&call, object) ? state_get(type, resource.namespace, resource.name) : NULL;
    call.name = resource.name;
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        const struct value *part = value_key(object, parts[i]);
        bool fixed = str_is(resource.kind, "Pod") && i == 0; /* a pod's spec stays as admitted */
        if (part != NULL && !fixed)
            now = value_with(arena, now, str_of(parts[i]), part);
    }
    return controllers_update(sandbox, arena, type, live, defaults_fill(&call, now, live), manager);
}

static void on_namespace(struct sandbox *sandbox, struct arena *arena, const struct value *object)
{
    const struct value *name = value_in(object, PATH("metadata", "name"));
    const struct value *account = state_literal(
        arena, "{\"apiVersion\":\"v1\",\"kind\":\"ServiceAccount\",\"metadata\":{\"name\":\"default\"}}");
    const struct value *certificate = state_literal(
        arena, "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"kube-root-ca.crt\","
               "\"annotations\":{\"kubernetes.io/description\":\"Contains a CA bundle that can be used to "
               "verify the kube-apiserver when using internal endpoints such as the internal service IP or "
               "kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes "
               "clusters.\"}},\"data\":{\"ca.crt\":\"-----BEGIN CERTIFICATE-----\\nc2FuZGJveA==\\n"
               "-----END CERTIFICATE-----\\n\"}}");
    controllers_put(sandbox, arena, value_with_in(arena, account, PATH("metadata", "namespace"), name),
                    "kube-controller-manager");
    controllers_put(sandbox, arena, value_with_in(arena, certificate, PATH("metadata", "namespace"), name),
                    "kube-controller-manager");
}

static const struct value *condition(struct arena *arena, const char *type, const char *reason,
                                     const char *message)
{
    return VALUE_MAP(arena, {"type", value_cstr(arena, type)}, {"status", value_cstr(arena, "True")},
                     {"lastTransitionTime", value_string(arena, state_now(arena))},
                     {"reason", value_cstr(arena, reason)}, {"message", value_cstr(arena, message)});
}

static const struct value *definition_status(struct arena *arena, const struct value *object)
{
    struct value_list_builder stored = {0};
    VALUE_EACH(version, value_in(object, PATH("spec", "versions"))) {
        if (value_true(value_key(version, "storage")))
            value_push(arena, &stored, value_key(version, "name"));
    }
    const struct value *conditions = VALUE_LIST(
        arena, condition(arena, "NamesAccepted", "NoConflicts", "no conflicts found"),
        condition(arena, "Established", "InitialNamesAccepted", "the initial names have been accepted"));
    return VALUE_MAP(arena, {"conditions", conditions},
                     {"acceptedNames", value_in(object, PATH("spec", "names"))},
                     {"storedVersions", value_list_done(arena, &stored)});
}

static void on_definition(struct sandbox *sandbox, struct arena *arena, const struct served *type,
                          const struct value *object)
{
    if (value_in(object, PATH("status", "conditions")) == NULL)
        object = controllers_update(
            sandbox, arena, type, object,
            value_with(arena, object, STR("status"), definition_status(arena, object)), "kube-apiserver");
    if (object != NULL)
        types_define(sandbox, object);
}

/* A person's own Secret for a token of a ServiceAccount gets one. */
static void on_secret(struct sandbox *sandbox, struct arena *arena, const struct served *type,
                      const struct value *object)
{
    const char *named = "kubernetes.io/service-account.name", *marked = "kubernetes.io/service-account.uid";
    const struct served *accounts = types_kind(sandbox, "", "ServiceAccount");
    const struct value *namespace = value_in(object, PATH("metadata", "namespace"));
    const struct value *account = state_get(accounts, value_str(namespace),
                                            value_str_in(object, PATH("metadata", "annotations", named)));
    if (!str_is(value_str(value_key(object, "type")), "kubernetes.io/service-account-token") ||
        account == NULL || value_in(object, PATH("data", "token")))
        return;
    const struct value *now = value_with_in(arena, object, PATH("metadata", "annotations", marked),
                                            value_in(account, PATH("metadata", "uid")));
    const struct value *data = VALUE_MAP(
        arena, {"ca.crt", value_cstr(arena, "c2FuZGJveA==")},
        {"namespace", value_string(arena, base64_encode(arena, value_str(namespace), BASE64_STANDARD))},
        {"token", value_string(arena, base64_encode(arena, state_uid(arena), BASE64_STANDARD))});
    controllers_update(sandbox, arena, type, object, value_with(arena, now, STR("data"), data),
                       "kube-controller-manager");
}

static bool on_workload(struct sandbox *sandbox, struct arena *arena, const struct served *type,
                        const struct value *object, bool due);

static void add_chore(struct sandbox *sandbox, const struct served *type, const struct value *object,
                      int64_t after_ms)
{
    struct str namespace = value_str_in(object, PATH("metadata", "namespace"));
    struct str name = value_str_in(object, PATH("metadata", "name"));
    int64_t due = clock_monotonic_ms() + after_ms;
    for (size_t i = 0; i < sandbox->chores.count; i++) {
        struct chore *chore = &sandbox->chores.items[i];
        if (chore->type == type && str_eq(chore->namespace, namespace) && str_eq(chore->name, name))
            return;
    }
    *ARENA_PUSH(sandbox->arena, &sandbox->chores) =
        (struct chore){type, str_dup(sandbox->arena, namespace), str_dup(sandbox->arena, name), due};
}

/* An autoscaler brings its workload to minReplicas; there is no load to scale for. */
static bool on_autoscaler(struct sandbox *sandbox, struct arena *arena, const struct value *object, bool due)
{
    const struct value *target = value_in(object, PATH("spec", "scaleTargetRef"));
    struct resource resource = {.api_version = value_str(value_key(target, "apiVersion")),
                                .kind = value_str(value_key(target, "kind")),
                                .name = value_str(value_key(target, "name"))};
    const struct served *type = types_of(sandbox, &resource);
    struct str namespace = value_str_in(object, PATH("metadata", "namespace"));
    const struct value *live = type ? state_get(type, namespace, resource.name) : NULL;
    int64_t least = 1, replicas = 1, generation = 1;
    value_i64(value_in(object, PATH("spec", "minReplicas")), &least);
    value_i64(value_in(live, PATH("spec", "replicas")), &replicas);
    value_i64(value_in(live, PATH("metadata", "generation")), &generation);
    if (live == NULL)
        return false;
    if (replicas >= least)
        return true;
    const struct value *now = value_with_in(arena, live, PATH("spec", "replicas"), value_int(arena, least));
    now = value_with_in(arena, now, PATH("metadata", "generation"), value_int(arena, generation + 1));
    now = controllers_update(sandbox, arena, type, live, now, "kube-controller-manager");
    if (now == NULL)
        return false;
    /* The new pods take their time too; that the workload was ready before does not make them so. */
    if (!on_workload(sandbox, arena, type, now, due))
        add_chore(sandbox, type, now, sandbox->options.ready_after_ms);
    return true;
}

static const struct value *volume_for(struct arena *arena, const struct value *claim,
                                      const struct value *class)
{
    struct str uid = value_str_in(claim, PATH("metadata", "uid"));
    const struct value *spec = value_key(claim, "spec");
    struct str name = str_fmt(arena, "pvc-%.*s", STR_ARG(uid));
    const struct value *reference = VALUE_MAP(
        arena, {"kind", value_cstr(arena, "PersistentVolumeClaim")}, {"apiVersion", value_cstr(arena, "v1")},
        {"namespace", value_in(claim, PATH("metadata", "namespace"))},
        {"name", value_in(claim, PATH("metadata", "name"))},
        {"uid", value_in(claim, PATH("metadata", "uid"))},
        {"resourceVersion", value_in(claim, PATH("metadata", "resourceVersion"))});
    struct str path = str_fmt(arena, "/tmp/hostpath_pv/%.*s", STR_ARG(uid));
    const struct value *volume = VALUE_MAP(
        arena, {"capacity", value_in(spec, PATH("resources", "requests"))},
        {"accessModes", value_key(spec, "accessModes")}, {"claimRef", reference},
        {"persistentVolumeReclaimPolicy", value_key(class, "reclaimPolicy")},
        {"storageClassName", value_in(class, PATH("metadata", "name"))},
        {"volumeMode", value_key(spec, "volumeMode")},
        {"hostPath", VALUE_MAP(arena, {"path", value_string(arena, path)}, {"type", value_cstr(arena, "")})});
    const struct value *meta =
        VALUE_MAP(arena, {"name", value_string(arena, name)},
                  {"annotations",
                   VALUE_MAP(arena, {"pv.kubernetes.io/provisioned-by", value_key(class, "provisioner")})});
    return VALUE_MAP(arena, {"apiVersion", value_cstr(arena, "v1")},
                     {"kind", value_cstr(arena, "PersistentVolume")}, {"metadata", meta}, {"spec", volume},
                     {"status", state_literal(arena, "{\"phase\":\"Bound\"}")});
}

static const struct value *bound(struct arena *arena, const struct value *claim, const struct value *class,
                                 struct str volume)
{
    static const char *const marks[] = {"pv.kubernetes.io/bind-completed",
                                        "pv.kubernetes.io/bound-by-controller"};
    static const char *const provisioners[] = {"volume.kubernetes.io/storage-provisioner",
                                               "volume.beta.kubernetes.io/storage-provisioner"};
    for (size_t i = 0; i < COUNT_OF(marks); i++)
        claim =
            value_with_in(arena, claim, PATH("metadata", "annotations", marks[i]), value_cstr(arena, "yes"));
    if (class != NULL)
        for (size_t i = 0; i < COUNT_OF(provisioners); i++)
            claim = value_with_in(arena, claim, PATH("metadata", "annotations", provisioners[i]),
                                  value_key(class, "provisioner"));
    if (str_is(value_str(value_key(class, "volumeBindingMode")), "WaitForFirstConsumer"))
        claim =
            value_with_in(arena, claim, PATH("metadata", "annotations", "volume.kubernetes.io/selected-node"),
                          value_cstr(arena, "sandbox-node"));
    claim = value_with_in(arena, claim, PATH("spec", "volumeName"), value_string(arena, volume));
    const struct value *status =
        VALUE_MAP(arena, {"phase", value_cstr(arena, "Bound")},
                  {"accessModes", value_in(claim, PATH("spec", "accessModes"))},
                  {"capacity", value_in(claim, PATH("spec", "resources", "requests"))});
    return value_with(arena, claim, STR("status"), status);
}

bool controllers_bind(struct sandbox *sandbox, struct arena *arena, struct str namespace, struct str name,
                      bool consumed)
{
    const struct served *claims = types_kind(sandbox, "", "PersistentVolumeClaim");
    const struct served *classes = types_kind(sandbox, "storage.k8s.io", "StorageClass");
    const struct served *volumes = types_kind(sandbox, "", "PersistentVolume");
    const struct value *claim = claims ? state_get(claims, namespace, name) : NULL;
    if (claim == NULL || classes == NULL || volumes == NULL)
        return false;
    if (str_is(value_str_in(claim, PATH("status", "phase")), "Bound"))
        return true;
    struct str fixed = value_str_in(claim, PATH("spec", "volumeName"));
    const struct value *class =
        state_get(classes, STR_NONE, value_str_in(claim, PATH("spec", "storageClassName")));
    if (fixed.len) {
        if (state_get(volumes, STR_NONE, fixed) == NULL)
            return false;
    } else {
        bool waits = str_is(value_str(value_key(class, "volumeBindingMode")), "WaitForFirstConsumer");
        if (class == NULL || (waits && !consumed) ||
            str_is(value_str(value_key(class, "provisioner")), "kubernetes.io/no-provisioner"))
            return false;
        const struct value *volume = volume_for(arena, claim, class);
        fixed = value_str_in(volume, PATH("metadata", "name"));
        controllers_put(sandbox, arena, volume, "kube-controller-manager");
    }
    controllers_update(sandbox, arena, claims, claim, bound(arena, claim, class, fixed),
                       "kube-controller-manager");
    return true;
}

/* Pods that came or went are addresses of Services. */
static bool on_workload(struct sandbox *sandbox, struct arena *arena, const struct served *type,
                        const struct value *object, bool due)
{
    const struct served *services = types_kind(sandbox, "", "Service");
    struct str namespace = value_str_in(object, PATH("metadata", "namespace"));
    uint64_t before = sandbox->rv;
    bool done = workloads_reconcile(sandbox, arena, type, object, due);
    for (size_t i = 0; sandbox->rv != before && i < services->storage->count; i++) {
        const struct entry *entry = services->storage->items[i];
        const struct value *service = state_at(entry, UINT64_MAX);
        if (service != NULL && str_eq(entry->namespace, namespace))
            endpoints_of_service(sandbox, arena, service);
    }
    return done;
}

/* True when nothing is left to do. */
static bool react(struct sandbox *sandbox, struct arena *arena, const struct served *type,
                  const struct value *object, bool due)
{
    struct str kind = type->type.kind;
    if (type->crd.len)
        return true;
    if (str_is(kind, "Namespace"))
        on_namespace(sandbox, arena, object);
    else if (str_is(kind, "CustomResourceDefinition") && due)
        on_definition(sandbox, arena, type, object);
    else if (str_is(kind, "CustomResourceDefinition"))
        return false;
    else if (str_is(kind, "Service"))
        endpoints_of_service(sandbox, arena, object);
    else if (str_is(kind, "Endpoints"))
        endpoints_mirror(sandbox, arena, object);
    else if (str_is(kind, "Secret"))
        on_secret(sandbox, arena, type, object);
    else if (str_is(kind, "HorizontalPodAutoscaler"))
        return on_autoscaler(sandbox, arena, object, due);
    else if (str_is(kind, "PersistentVolumeClaim"))
        controllers_bind(sandbox, arena, value_str_in(object, PATH("metadata", "namespace")),
                         value_str_in(object, PATH("metadata", "name")), false);
    else
        return on_workload(sandbox, arena, type, object, due);
    return true;
}

void controllers_wrote(struct sandbox *sandbox, const struct served *type, const struct value *object)
{
    if (sandbox->working)
        return;
    bool definition = str_is(type->type.kind, "CustomResourceDefinition");
    int64_t after = definition ? sandbox->options.served_after_ms : sandbox->options.ready_after_ms;
    struct arena *arena = arena_new();
    sandbox->working = true;
    if (!react(sandbox, arena, type, object, after == 0))
        add_chore(sandbox, type, object, after);
    sandbox->working = false;
    arena_free(arena);
}

void controllers_tick(struct sandbox *sandbox, struct arena *arena)
{
    int64_t now = clock_monotonic_ms();
    size_t kept = 0;
    sandbox->working = true;
    for (size_t i = 0; i < sandbox->chores.count; i++) {
        struct chore chore = sandbox->chores.items[i];
        sandbox->chores.items[i] = (struct chore){0}; /* one that is done must not pass for one that waits */
        const struct value *object = state_get(chore.type, chore.namespace, chore.name);
        bool done =
            object == NULL || (chore.due_ms <= now && react(sandbox, arena, chore.type, object, true));
        if (!done)
            sandbox->chores.items[kept++] = chore;
    }
    sandbox->chores.count = kept;
    sandbox->working = false;
}

static bool belongs(const struct value *object, struct str uid)
{
    VALUE_EACH(owner, value_in(object, PATH("metadata", "ownerReferences"))) {
        if (str_eq(value_str(value_key(owner, "uid")), uid))
            return true;
    }
    return false;
}

/* Removes every object that `gone` says is to go, in all types. */
struct sweep {
    struct str uid, namespace, crd;
};

static bool swept(const struct sweep *sweep, const struct served *type, const struct entry *entry,
                  const struct value *object)
{
    return belongs(object, sweep->uid) ||
           (sweep->namespace.len && str_eq(entry->namespace, sweep->namespace)) ||
           (sweep->crd.len && str_eq(type->crd, sweep->crd));
}

void controllers_removed(struct sandbox *sandbox, const struct value *object)
{
    struct str kind = value_str(value_key(object, "kind")),
               name = value_str_in(object, PATH("metadata", "name"));
    struct sweep sweep = {.uid = value_str_in(object, PATH("metadata", "uid")),
                          .namespace = str_is(kind, "Namespace") ? name : STR_NONE,
                          .crd = str_is(kind, "CustomResourceDefinition") ? name : STR_NONE};
    for (size_t t = 0; t < sandbox->types.count; t++) {
        const struct served *type = sandbox->types.items[t];
        for (size_t i = 0; i < type->storage->count; i++) {
            const struct entry *entry = type->storage->items[i];
            const struct value *it = state_at(entry, UINT64_MAX);
            if (it == NULL || !swept(&sweep, type, entry, it))
                continue;
            state_remove(sandbox, type, entry->namespace, entry->name);
            controllers_removed(sandbox, it);
        }
    }
    if (sweep.crd.len)
        types_withdraw(sandbox, sweep.crd);
    const struct served *volumes = types_kind(sandbox, "", "PersistentVolume");
    if (str_is(kind, "PersistentVolumeClaim") && volumes != NULL) {
        struct str volume = value_str_in(object, PATH("spec", "volumeName"));
        const struct value *live = state_get(volumes, STR_NONE, volume);
        if (str_is(value_str_in(live, PATH("spec", "persistentVolumeReclaimPolicy")), "Delete"))
            state_remove(sandbox, volumes, STR_NONE, volume);
    }
}
