/* workloads.c — what the workload controllers and a kubelet would make of a workload: ReplicaSets, revisions, claims
 * and pods with their owners, and a status that says how far they are.
 *
 * A pod becomes ready when everything it names is there: its account, priority class, claims, ConfigMaps and Secrets.
 * So a rebuild that forgets a Secret does not look well here either.
 */
#include <string.h>

#include "dr-scenarios/sandbox/intern.h"

/* A workload while it is brought up to date. */
struct work {
    struct sandbox *sandbox;
    struct arena *arena;
    const struct served *type;
    const struct value *object, *template;
    struct str namespace, name;
    bool due;       /* its pods have had the time to start */
    struct str why; /* why pods are not ready; empty when they are */
    bool admitted;  /* false: pods cannot even be made */
    int64_t wanted, ready;
};

static bool exists(const struct work *work, const char *group, const char *kind, struct str namespace,
                   struct str name)
{
    const struct served *type = types_kind(work->sandbox, group, kind);
    return type != NULL && state_get(type, namespace, name) != NULL;
}

/* Notes the first thing that is missing. */
static void need(struct work *work, const char *kind, const struct value *reference, const char *key)
{
    struct str name = value_str(value_key(reference, key));
    if (work->why.len || name.len == 0 || value_true(value_key(reference, "optional")) ||
        exists(work, "", kind, work->namespace, name))
        return;
    work->why = str_fmt(work->arena, "%s \"%.*s\" not found", kind, STR_ARG(name));
}

static void need_of_container(struct work *work, const struct value *container)
{
    VALUE_EACH(env, value_key(container, "env"))
    {
        need(work, "ConfigMap", value_in(env, PATH("valueFrom", "configMapKeyRef")), "name");
        need(work, "Secret", value_in(env, PATH("valueFrom", "secretKeyRef")), "name");
    }
    VALUE_EACH(from, value_key(container, "envFrom"))
    {
        need(work, "ConfigMap", value_key(from, "configMapRef"), "name");
        need(work, "Secret", value_key(from, "secretRef"), "name");
    }
}

static void need_of_volume(struct work *work, const struct value *volume)
{
    struct str claim = value_str_in(volume, PATH("persistentVolumeClaim", "claimName"));
    need(work, "ConfigMap", value_key(volume, "configMap"), "name");
    need(work, "Secret", value_key(volume, "secret"), "secretName");
    VALUE_EACH(source, value_in(volume, PATH("projected", "sources")))
    {
        need(work, "ConfigMap", value_key(source, "configMap"), "name");
        need(work, "Secret", value_key(source, "secret"), "name");
    }
    if (claim.len && !controllers_bind(work->sandbox, work->arena, work->namespace, claim, true) &&
        !work->why.len)
        work->why = str_fmt(work->arena, "persistentvolumeclaim \"%.*s\" is not bound", STR_ARG(claim));
}

/* Whether the pods of `spec` can be made, and whether they would start. */
static void look_at_needs(struct work *work, const struct value *spec)
{
    struct str account = value_str(value_key(spec, "serviceAccountName"));
    struct str class = value_str(value_key(spec, "priorityClassName"));
    const char *broken = work->sandbox->options.never_ready;
    account = account.len ? account : STR("default");
    work->admitted = false;
    if (!exists(work, "", "ServiceAccount", work->namespace, account))
        work->why = str_fmt(work->arena,
                            "error looking up service account %.*s/%.*s: serviceaccount \"%.*s\" not found",
                            STR_ARG(work->namespace), STR_ARG(account), STR_ARG(account));
    else if (class.len && !exists(work, "scheduling.k8s.io", "PriorityClass", STR_NONE, class))
        work->why = str_fmt(work->arena, "no PriorityClass with name %.*s was found", STR_ARG(class));
    else
        work->admitted = true;
    VALUE_EACH(container, value_key(spec, "containers"))
    {
        need_of_container(work, container);
    }
    VALUE_EACH(container, value_key(spec, "initContainers"))
    {
        need_of_container(work, container);
    }
    VALUE_EACH(volume, value_key(spec, "volumes"))
    {
        need_of_volume(work, volume);
    }
    struct str label = str_fmt(work->arena, "%.*s/%.*s", STR_ARG(work->namespace), STR_ARG(work->name));
    if (!work->why.len && broken != NULL && str_glob(str_of(broken), label))
        work->why = STR("CrashLoopBackOff");
    if (!work->why.len && !work->due)
        work->why = STR("ContainerCreating");
}

static uint64_t hash_text(struct str text, uint64_t seed)
{
    uint64_t hash = 1469598103934665603U ^ seed;
    for (size_t i = 0; i < text.len; i++)
        hash = (hash ^ (unsigned char)text.ptr[i]) * 1099511628211U;
    return hash ^ hash >> 29;
}

/* Letters as Kubernetes picks them, so that names do not read as words. */
static struct str letters(struct arena *arena, uint64_t number, size_t count)
{
    static const char safe[] = "bcdfghjklmnpqrstvwxz2456789";
    char *text = arena_alloc(arena, count + 1);
    for (size_t i = 0; i < count; i++, number /= 27)
        text[i] = safe[number % 27];
    return (struct str){text, count};
}

static struct str template_hash(const struct work *work)
{
    struct str text = json_text(work->arena, value_sorted(work->arena, work->template));
    return letters(work->arena, hash_text(text, 0), 10);
}

static const struct value *pod_status(const struct work *work, const struct value *spec, struct str pod,
                                      bool finished)
{
    struct arena *arena = work->arena;
    struct str now = state_now(arena);
    struct value_list_builder containers = {0}, conditions = {0};
    static const char *const types[] = {"Initialized", "Ready", "ContainersReady", "PodScheduled"};
    bool ready = work->why.len == 0;
    VALUE_EACH(container, value_key(spec, "containers"))
    {
        const struct value *state =
            !ready
                ? VALUE_MAP(arena, {"waiting", VALUE_MAP(arena, {"reason", value_string(arena, work->why)})})
            : finished
                ? state_literal(arena, "{\"terminated\":{\"exitCode\":0,\"reason\":\"Completed\"}}")
                : VALUE_MAP(arena, {"running", VALUE_MAP(arena, {"startedAt", value_string(arena, now)})});
        value_push(arena, &containers,
                   VALUE_MAP(arena, {"name", value_key(container, "name")},
                             {"image", value_key(container, "image")}, {"imageID", value_cstr(arena, "")},
                             {"ready", value_bool(arena, ready && !finished)},
                             {"restartCount", value_int(arena, 0)}, {"state", state}));
    }
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        bool holds = i == 0 || i == 3 || (ready && !finished);
        value_push(arena, &conditions,
                   VALUE_MAP(arena, {"type", value_cstr(arena, types[i])},
                             {"status", value_cstr(arena, holds ? "True" : "False")}));
    }
    uint64_t ip = hash_text(pod, hash_text(work->namespace, 1));
    struct str address = str_fmt(arena, "10.244.%u.%u", (unsigned)(ip >> 8 & 255), (unsigned)(ip & 255));
    return VALUE_MAP(arena,
                     {"phase", value_cstr(arena, !ready     ? "Pending"
                                                 : finished ? "Succeeded"
                                                            : "Running")},
                     {"conditions", value_list_done(arena, &conditions)},
                     {"podIP", ready && !finished ? value_string(arena, address) : NULL},
                     {"containerStatuses", value_list_done(arena, &containers)});
}

/* A pod of `owner` under `name`; labels are those of the template and `extra`. */
static void put_pod(struct work *work, const struct value *owner, struct str name, const struct value *extra,
                    const struct value *spec, bool finished)
{
    struct arena *arena = work->arena;
    const struct value *labels = value_in(work->template, PATH("metadata", "labels"));
    MEMBER_EACH(label, extra)
    {
        labels = value_with(arena, labels, label->key, &label->value);
    }
    struct str prefix = str_fmt(arena, "%.*s-", STR_ARG(value_str_in(owner, PATH("metadata", "name"))));
    const struct value *meta =
        VALUE_MAP(arena, {"name", value_string(arena, name)}, {"generateName", value_string(arena, prefix)},
                  {"namespace", value_string(arena, work->namespace)}, {"labels", labels},
                  {"annotations", value_in(work->template, PATH("metadata", "annotations"))},
                  {"ownerReferences", controllers_owner(arena, owner)});
    const struct value *pod =
        VALUE_MAP(arena, {"apiVersion", value_cstr(arena, "v1")}, {"kind", value_cstr(arena, "Pod")},
                  {"metadata", meta}, {"spec", spec}, {"status", pod_status(work, spec, name, finished)});
    controllers_put(work->sandbox, arena, pod, "kube-controller-manager");
}

static bool owned_by(const struct value *object, struct str uid)
{
    return str_eq(
        value_str(value_key(value_item(value_in(object, PATH("metadata", "ownerReferences")), 0), "uid")),
        uid);
}

/* Pods of `owner` that are too many. */
static void remove_pods_but(struct work *work, const struct value *owner, const struct str_list *names)
{
    const struct served *pods = types_kind(work->sandbox, "", "Pod");
    struct str uid = value_str_in(owner, PATH("metadata", "uid"));
    for (size_t i = 0; i < pods->storage->count; i++) {
        struct entry *entry = pods->storage->items[i];
        if (owned_by(state_at(entry, UINT64_MAX), uid) && !str_in(entry->name, names->items, names->count))
            state_remove(work->sandbox, pods, entry->namespace, entry->name);
    }
}

static int64_t replicas_of(const struct value *object)
{
    int64_t replicas = 1;
    value_i64(value_in(object, PATH("spec", "replicas")), &replicas);
    return replicas < 0 ? 0 : replicas > 500 ? 500 : replicas;
}

static void put_status(struct work *work, const struct value *status)
{
    const struct value *live = state_get(work->type, work->namespace, work->name);
    const struct value *conditions = value_in(live, PATH("status", "conditions"));
    int64_t generation = 1;
    value_i64(value_in(live, PATH("metadata", "generation")), &generation);
    if (value_in(status, PATH("conditions")) == NULL && conditions)
        status = value_with(work->arena, status, STR("conditions"), conditions);
    status = value_with(work->arena, status, STR("observedGeneration"), value_int(work->arena, generation));
    controllers_update(work->sandbox, work->arena, work->type, live,
                       value_with(work->arena, live, STR("status"), status), "kube-controller-manager");
}

static const struct value *condition(struct arena *arena, const char *type, bool holds, const char *reason,
                                     struct str message)
{
    struct str now = state_now(arena);
    return VALUE_MAP(
        arena, {"type", value_cstr(arena, type)}, {"status", value_cstr(arena, holds ? "True" : "False")},
        {"reason", value_cstr(arena, reason)}, {"message", value_string(arena, message)},
        {"lastUpdateTime", value_string(arena, now)}, {"lastTransitionTime", value_string(arena, now)});
}

/* `wanted` pods named after `owner` with letters behind. */
static void put_pods(struct work *work, const struct value *owner, const struct value *extra)
{
    struct str_list names = {0};
    struct str owner_name = value_str_in(owner, PATH("metadata", "name"));
    uint64_t seed = hash_text(value_str_in(owner, PATH("metadata", "uid")), 0);
    work->wanted = replicas_of(work->object);
    for (int64_t i = 0; i < work->wanted && work->admitted; i++) {
        struct str tail = letters(work->arena, hash_text(owner_name, seed + (uint64_t)i), 5);
        struct str name = str_fmt(work->arena, "%.*s-%.*s", STR_ARG(owner_name), STR_ARG(tail));
        *ARENA_PUSH(work->arena, &names) = name;
        put_pod(work, owner, name, extra, value_key(work->template, "spec"), false);
    }
    remove_pods_but(work, owner, &names);
    work->ready = work->why.len ? 0 : work->wanted;
}

static const struct value *replica_status(const struct work *work)
{
    struct arena *arena = work->arena;
    const struct value *all = value_int(arena, work->admitted ? work->wanted : 0);
    const struct value *ready = work->ready ? value_int(arena, work->ready) : NULL;
    return VALUE_MAP(arena, {"replicas", all}, {"readyReplicas", ready}, {"availableReplicas", ready});
}

static const struct value *replica_set(const struct work *work, struct str hash)
{
    struct arena *arena = work->arena;
    const struct value *label = value_string(arena, hash);
    struct str name = str_fmt(arena, "%.*s-%.*s", STR_ARG(work->name), STR_ARG(hash));
    const struct value *template =
        value_with_in(arena, work->template, PATH("metadata", "labels", "pod-template-hash"), label);
    const struct value *meta = VALUE_MAP(
        arena, {"name", value_string(arena, name)}, {"namespace", value_string(arena, work->namespace)},
        {"labels", value_in(template, PATH("metadata", "labels"))},
        {"annotations",
         VALUE_MAP(arena, {"deployment.kubernetes.io/revision", value_cstr(arena, "1")},
                   {"deployment.kubernetes.io/desired-replicas",
                    value_string(arena, str_fmt(arena, "%d", (int)replicas_of(work->object)))})},
        {"ownerReferences", controllers_owner(arena, work->object)});
    const struct value *spec =
        VALUE_MAP(arena, {"replicas", value_int(arena, replicas_of(work->object))},
                  {"selector", value_with_in(arena, value_in(work->object, PATH("spec", "selector")),
                                             PATH("matchLabels", "pod-template-hash"), label)},
                  {"template", template});
    return VALUE_MAP(arena, {"apiVersion", value_cstr(arena, "apps/v1")},
                     {"kind", value_cstr(arena, "ReplicaSet")}, {"metadata", meta}, {"spec", spec});
}

/* ReplicaSets of former templates keep existing, without pods. */
static void retire_others(struct work *work, struct str current)
{
    const struct served *sets = types_kind(work->sandbox, "apps", "ReplicaSet");
    struct str uid = value_str_in(work->object, PATH("metadata", "uid"));
    for (size_t i = 0; i < sets->storage->count; i++) {
        const struct entry *entry = sets->storage->items[i];
        const struct value *set = state_at(entry, UINT64_MAX);
        if (!owned_by(set, uid) || str_eq(entry->name, current))
            continue;
        remove_pods_but(work, set, &(struct str_list){0});
        const struct value *zero = value_int(work->arena, 0);
        const struct value *now = value_with_in(work->arena, set, PATH("spec", "replicas"), zero);
        now = value_with(work->arena, now, STR("status"), VALUE_MAP(work->arena, {"replicas", zero}));
        controllers_update(work->sandbox, work->arena, sets, set, now, "kube-controller-manager");
    }
}

static void reconcile_deployment(struct work *work)
{
    struct arena *arena = work->arena;
    struct str hash = template_hash(work);
    const struct value *label = VALUE_MAP(arena, {"pod-template-hash", value_string(arena, hash)});
    const struct value *set =
        controllers_put(work->sandbox, arena, replica_set(work, hash), "kube-controller-manager");
    if (set == NULL)
        return;
    retire_others(work, value_str_in(set, PATH("metadata", "name")));
    put_pods(work, set, label);
    controllers_put(work->sandbox, arena, value_with(arena, set, STR("status"), replica_status(work)),
                    "kube-controller-manager");
    bool available = work->why.len == 0;
    const struct value *live = state_get(work->type, work->namespace, work->name);
    controllers_update(work->sandbox, arena, work->type, live,
                       value_with_in(arena, live,
                                     PATH("metadata", "annotations", "deployment.kubernetes.io/revision"),
                                     value_cstr(arena, "1")),
                       "kube-controller-manager");
    const struct value *conditions = VALUE_LIST(
        arena,
        condition(arena, "Available", available,
                  available ? "MinimumReplicasAvailable" : "MinimumReplicasUnavailable", work->why),
        condition(arena, "Progressing", true, available ? "NewReplicaSetAvailable" : "ReplicaSetUpdated",
                  STR_NONE),
        work->admitted ? NULL : condition(arena, "ReplicaFailure", true, "FailedCreate", work->why));
    const struct value *status = value_with(arena, replica_status(work), STR("updatedReplicas"),
                                            value_int(arena, work->admitted ? work->wanted : 0));
    int64_t missing = work->wanted - work->ready;
    if (missing)
        status = value_with(arena, status, STR("unavailableReplicas"), value_int(arena, missing));
    /* Conditions change only with the state, or every look would be a new version. */
    if (value_in(live, PATH("status", "conditions")) == NULL ||
        available != (value_in(live, PATH("status", "readyReplicas")) != NULL))
        status = value_with(arena, status, STR("conditions"), conditions);
    put_status(work, status);
}

static void reconcile_replicas(struct work *work)
{
    put_pods(work, work->object, NULL);
    put_status(work, replica_status(work));
}

static struct str put_revision(struct work *work)
{
    struct arena *arena = work->arena;
    struct str name = str_fmt(arena, "%.*s-%.*s", STR_ARG(work->name), STR_ARG(template_hash(work)));
    const struct value *labels =
        value_with(arena, value_in(work->template, PATH("metadata", "labels")),
                   STR("controller.kubernetes.io/hash"), value_string(arena, template_hash(work)));
    const struct value *meta = VALUE_MAP(
        arena, {"name", value_string(arena, name)}, {"namespace", value_string(arena, work->namespace)},
        {"labels", labels}, {"ownerReferences", controllers_owner(arena, work->object)});
    const struct value *data = VALUE_MAP(arena, {"spec", VALUE_MAP(arena, {"template", work->template})});
    controllers_put(work->sandbox, arena,
                    VALUE_MAP(arena, {"apiVersion", value_cstr(arena, "apps/v1")},
                              {"kind", value_cstr(arena, "ControllerRevision")}, {"metadata", meta},
                              {"data", data}, {"revision", value_int(arena, 1)}),
                    "kube-controller-manager");
    return name;
}

static const struct value *claim_volume(struct work *work, const struct value *template, struct str pod)
{
    struct arena *arena = work->arena;
    struct str volume = value_str_in(template, PATH("metadata", "name"));
    struct str name = str_fmt(arena, "%.*s-%.*s", STR_ARG(volume), STR_ARG(pod));
    const struct value *meta =
        value_with(arena, value_key(template, "metadata"), STR("name"), value_string(arena, name));
    meta = value_with(arena, meta, STR("namespace"), value_string(arena, work->namespace));
    meta = value_with(arena, meta, STR("labels"),
                      value_in(work->object, PATH("spec", "selector", "matchLabels")));
    const struct value *claim = VALUE_MAP(arena, {"apiVersion", value_cstr(arena, "v1")},
                                          {"kind", value_cstr(arena, "PersistentVolumeClaim")},
                                          {"metadata", meta}, {"spec", value_key(template, "spec")},
                                          {"status", state_literal(arena, "{\"phase\":\"Pending\"}")});
    if (!exists(work, "", "PersistentVolumeClaim", work->namespace, name))
        controllers_put(work->sandbox, arena, claim, "kube-controller-manager");
    return VALUE_MAP(arena, {"name", value_string(arena, volume)},
                     {"persistentVolumeClaim", VALUE_MAP(arena, {"claimName", value_string(arena, name)})});
}

static void put_ordinal(struct work *work, int64_t ordinal, struct str revision, struct str_list *names)
{
    struct arena *arena = work->arena;
    struct str name = str_fmt(arena, "%.*s-%d", STR_ARG(work->name), (int)ordinal);
    const struct value *spec = value_key(work->template, "spec");
    struct value_list_builder volumes = {0};
    VALUE_EACH(template, value_in(work->object, PATH("spec", "volumeClaimTemplates")))
    {
        const struct value *volume = claim_volume(work, template, name);
        need_of_volume(work, volume);
        value_push(arena, &volumes, volume);
    }
    VALUE_EACH(volume, value_key(spec, "volumes"))
    {
        value_push(arena, &volumes, volume);
    }
    if (volumes.count)
        spec = value_with(arena, spec, STR("volumes"), value_list_done(arena, &volumes));
    spec = value_with(arena, spec, STR("hostname"), value_string(arena, name));
    if (value_in(work->object, PATH("spec", "serviceName")))
        spec = value_with(arena, spec, STR("subdomain"), value_in(work->object, PATH("spec", "serviceName")));
    const struct value *labels =
        VALUE_MAP(arena, {"statefulset.kubernetes.io/pod-name", value_string(arena, name)},
                  {"apps.kubernetes.io/pod-index", value_string(arena, str_fmt(arena, "%d", (int)ordinal))},
                  {"controller-revision-hash", value_string(arena, revision)});
    *ARENA_PUSH(arena, names) = name;
    put_pod(work, work->object, name, labels, spec, false);
}

static void reconcile_stateful(struct work *work)
{
    struct arena *arena = work->arena;
    struct str revision = put_revision(work);
    struct str_list names = {0};
    work->wanted = replicas_of(work->object);
    for (int64_t i = 0; i < work->wanted && work->admitted; i++)
        put_ordinal(work, i, revision, &names);
    remove_pods_but(work, work->object, &names);
    work->ready = work->why.len ? 0 : work->wanted;
    const struct value *status = replica_status(work), *wanted = value_key(status, "replicas");
    status = value_with(arena, status, STR("currentReplicas"), wanted);
    status = value_with(arena, status, STR("updatedReplicas"), wanted);
    status = value_with(arena, status, STR("currentRevision"), value_string(arena, revision));
    status = value_with(arena, status, STR("updateRevision"), value_string(arena, revision));
    put_status(work, value_with(arena, status, STR("collisionCount"), value_int(arena, 0)));
}

static void reconcile_daemon(struct work *work)
{
    struct arena *arena = work->arena;
    struct str revision = put_revision(work);
    const struct value *labels =
        VALUE_MAP(arena, {"controller-revision-hash", value_string(arena, revision)});
    work->object =
        value_with_in(arena, work->object, PATH("spec", "replicas"), value_int(arena, 1)); /* one node */
    put_pods(work, state_get(work->type, work->namespace, work->name), labels);
    const struct value *one = value_int(arena, 1), *ready = value_int(arena, work->ready);
    put_status(work,
               VALUE_MAP(arena, {"currentNumberScheduled", one}, {"desiredNumberScheduled", one},
                         {"numberMisscheduled", value_int(arena, 0)}, {"numberReady", ready},
                         {"numberAvailable", work->ready ? ready : NULL}, {"updatedNumberScheduled", one}));
}

static void reconcile_job(struct work *work)
{
    struct arena *arena = work->arena;
    struct str tail = letters(arena, hash_text(value_str_in(work->object, PATH("metadata", "uid")), 0), 5);
    struct str name = str_fmt(arena, "%.*s-%.*s", STR_ARG(work->name), STR_ARG(tail));
    if (value_true(value_in(work->object, PATH("spec", "suspend")))) {
        work->why = STR_NONE;
        return;
    }
    if (work->admitted)
        put_pod(work, work->object, name, NULL, value_key(work->template, "spec"), true);
    if (work->why.len || value_in(work->object, PATH("status", "completionTime")))
        return;
    struct str now = state_now(arena);
    const struct value *conditions =
        VALUE_LIST(arena,
                   condition(arena, "SuccessCriteriaMet", true, "CompletionsReached",
                             STR("Reached expected number of succeeded pods")),
                   condition(arena, "Complete", true, "CompletionsReached",
                             STR("Reached expected number of succeeded pods")));
    const struct value *live = state_get(work->type, work->namespace, work->name);
    const struct value *status =
        VALUE_MAP(arena, {"startTime", value_string(arena, now)},
                  {"completionTime", value_string(arena, now)}, {"succeeded", value_int(arena, 1)},
                  {"ready", value_int(arena, 0)}, {"terminating", value_int(arena, 0)},
                  {"uncountedTerminatedPods", value_map_of(arena, NULL, 0)}, {"conditions", conditions});
    controllers_update(work->sandbox, arena, work->type, live, value_with(arena, live, STR("status"), status),
                       "kube-controller-manager");
}

static void reconcile_pod(struct work *work)
{
    const struct value *spec = value_key(work->object, "spec");
    if (value_count(value_in(work->object, PATH("metadata", "ownerReferences"))))
        return; /* its owner looks after it */
    controllers_update(
        work->sandbox, work->arena, work->type, work->object,
        value_with(work->arena, work->object, STR("status"), pod_status(work, spec, work->name, false)),
        "kubelet");
}

bool workloads_reconcile(struct sandbox *sandbox, struct arena *arena, const struct served *type,
                         const struct value *object, bool due)
{
    static const struct {
        const char *kind;
        void (*reconcile)(struct work *work);
    } kinds[] = {{"Deployment", reconcile_deployment},
                 {"ReplicaSet", reconcile_replicas},
                 {"StatefulSet", reconcile_stateful},
                 {"DaemonSet", reconcile_daemon},
                 {"Job", reconcile_job},
                 {"Pod", reconcile_pod},
                 {"ReplicationController", reconcile_replicas}};
    struct work work = {
        .sandbox = sandbox,
        .arena = arena,
        .type = type,
        .object = object,
        .template = value_in(object, PATH("spec", "template")),
        .namespace = value_str_in(object, PATH("metadata", "namespace")),
        .name = value_str_in(object, PATH("metadata", "name")),
        .due = due,
    };
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        if (!str_is(type->type.kind, kinds[i].kind))
            continue;
        look_at_needs(&work, value_key(work.template ? work.template : object, "spec"));
        kinds[i].reconcile(&work);
        return work.why.len == 0;
    }
    return true;
}
