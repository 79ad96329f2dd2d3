/* workloads.c — what the workload controllers leave behind: ReplicaSets, revisions, claims and pods with their owners,
 * and a status that says how far they are. */
#include "dr-scenarios/sandbox/pods.h"

static struct str template_hash(const struct work *work)
{
    struct str text = json_text(work->arena, value_sorted(work->arena, work->template));
    return pods_letters(work->arena, text, 0, 10);
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
                    value_string(arena, str_fmt(arena, "%d", (int)pods_wanted(work->object)))})},
        {"ownerReferences", controllers_owner(arena, work->object)});
    const struct value *spec =
        VALUE_MAP(arena, {"replicas", value_int(arena, pods_wanted(work->object))},
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
        if (!pods_owned_by(set, uid) || str_eq(entry->name, current))
            continue;
        pods_keep_only(work, set, &(struct str_list){0});
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
    pods_put_all(work, set, label);
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
    pods_put_all(work, work->object, NULL);
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
    if (!pods_exists(work, "", "PersistentVolumeClaim", work->namespace, name))
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
    VALUE_EACH(template, value_in(work->object, PATH("spec", "volumeClaimTemplates"))) {
        const struct value *volume = claim_volume(work, template, name);
        pods_need_volume(work, volume);
        value_push(arena, &volumes, volume);
    }
    VALUE_EACH(volume, value_key(spec, "volumes")) {
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
    pods_put(work, work->object, name, labels, spec, false);
}

static void reconcile_stateful(struct work *work)
{
    struct arena *arena = work->arena;
    struct str revision = put_revision(work);
    struct str_list names = {0};
    work->wanted = pods_wanted(work->object);
    for (int64_t i = 0; i < work->wanted && work->admitted; i++)
        put_ordinal(work, i, revision, &names);
    pods_keep_only(work, work->object, &names);
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
    pods_put_all(work, state_get(work->type, work->namespace, work->name), labels);
    const struct value *one = value_int(arena, 1), *ready = value_int(arena, work->ready);
    put_status(work,
               VALUE_MAP(arena, {"currentNumberScheduled", one}, {"desiredNumberScheduled", one},
                         {"numberMisscheduled", value_int(arena, 0)}, {"numberReady", ready},
                         {"numberAvailable", work->ready ? ready : NULL}, {"updatedNumberScheduled", one}));
}

static void reconcile_job(struct work *work)
{
    struct arena *arena = work->arena;
    struct str tail = pods_letters(arena, value_str_in(work->object, PATH("metadata", "uid")), 0, 5);
    struct str name = str_fmt(arena, "%.*s-%.*s", STR_ARG(work->name), STR_ARG(tail));
    if (value_true(value_in(work->object, PATH("spec", "suspend")))) {
        work->why = STR_NONE;
        return;
    }
    if (work->admitted)
        pods_put(work, work->object, name, NULL, value_key(work->template, "spec"), true);
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
        value_with(work->arena, work->object, STR("status"), pods_status(work, spec, work->name, false)),
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
        pods_look(&work, value_key(work.template ? work.template : object, "spec"));
        kinds[i].reconcile(&work);
        return work.why.len == 0;
    }
    return true;
}
