/* pods.c — what the scheduler and a kubelet would make of pods: whether one can be made, whether it would start, what
 * its status says. */
#include "dr-scenarios/sandbox/pods.h"

bool pods_exists(const struct work *work, const char *group, const char *kind, struct str namespace,
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
        pods_exists(work, "", kind, work->namespace, name))
        return;
    work->why = str_fmt(work->arena, "%s \"%.*s\" not found", kind, STR_ARG(name));
}

static void need_of_container(struct work *work, const struct value *container)
{
    VALUE_EACH(env, value_key(container, "env")) {
        need(work, "ConfigMap", value_in(env, PATH("valueFrom", "configMapKeyRef")), "name");
        need(work, "Secret", value_in(env, PATH("valueFrom", "secretKeyRef")), "name");
    }
    VALUE_EACH(from, value_key(container, "envFrom")) {
        need(work, "ConfigMap", value_key(from, "configMapRef"), "name");
        need(work, "Secret", value_key(from, "secretRef"), "name");
    }
}

void pods_need_volume(struct work *work, const struct value *volume)
{
    struct str claim = value_str_in(volume, PATH("persistentVolumeClaim", "claimName"));
    need(work, "ConfigMap", value_key(volume, "configMap"), "name");
    need(work, "Secret", value_key(volume, "secret"), "secretName");
    VALUE_EACH(source, value_in(volume, PATH("projected", "sources"))) {
        need(work, "ConfigMap", value_key(source, "configMap"), "name");
        need(work, "Secret", value_key(source, "secret"), "name");
    }
    if (claim.len && !controllers_bind(work->sandbox, work->arena, work->namespace, claim, true) &&
        !work->why.len)
        work->why = str_fmt(work->arena, "persistentvolumeclaim \"%.*s\" is not bound", STR_ARG(claim));
}

void pods_look(struct work *work, const struct value *spec)
{
    struct str account = value_str(value_key(spec, "serviceAccountName"));
    struct str class = value_str(value_key(spec, "priorityClassName"));
    const char *broken = work->sandbox->options.never_ready;
    account = account.len ? account : STR("default");
    work->admitted = false;
    if (!pods_exists(work, "", "ServiceAccount", work->namespace, account))
        work->why = str_fmt(work->arena,
                            "error looking up service account %.*s/%.*s: serviceaccount \"%.*s\" not found",
                            STR_ARG(work->namespace), STR_ARG(account), STR_ARG(account));
    else if (class.len && !pods_exists(work, "scheduling.k8s.io", "PriorityClass", STR_NONE, class))
        work->why = str_fmt(work->arena, "no PriorityClass with name %.*s was found", STR_ARG(class));
    else
        work->admitted = true;
    VALUE_EACH(container, value_key(spec, "containers")) {
        need_of_container(work, container);
    }
    VALUE_EACH(container, value_key(spec, "initContainers")) {
        need_of_container(work, container);
    }
    VALUE_EACH(volume, value_key(spec, "volumes")) {
        pods_need_volume(work, volume);
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

struct str pods_letters(struct arena *arena, struct str text, uint64_t seed, size_t count)
{
    static const char safe[] = "bcdfghjklmnpqrstvwxz2456789";
    uint64_t number = hash_text(text, seed);
    char *letters = arena_alloc(arena, count + 1);
    for (size_t i = 0; i < count; i++, number /= 27)
        letters[i] = safe[number % 27];
    return (struct str){letters, count};
}

const struct value *pods_status(const struct work *work, const struct value *spec, struct str pod,
                                bool finished)
{
    struct arena *arena = work->arena;
    struct str now = state_now(arena);
    struct value_list_builder containers = {0}, conditions = {0};
    static const char *const types[] = {"Initialized", "Ready", "ContainersReady", "PodScheduled"};
    bool ready = work->why.len == 0;
    VALUE_EACH(container, value_key(spec, "containers")) {
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

void pods_put(struct work *work, const struct value *owner, struct str name, const struct value *extra,
              const struct value *spec, bool finished)
{
    struct arena *arena = work->arena;
    const struct value *labels = value_in(work->template, PATH("metadata", "labels"));
    MEMBER_EACH(label, extra) {
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
                  {"metadata", meta}, {"spec", spec}, {"status", pods_status(work, spec, name, finished)});
    controllers_put(work->sandbox, arena, pod, "kube-controller-manager");
}

bool pods_owned_by(const struct value *object, struct str uid)
{
    return str_eq(
        value_str(value_key(value_item(value_in(object, PATH("metadata", "ownerReferences")), 0), "uid")),
        uid);
}

void pods_keep_only(struct work *work, const struct value *owner, const struct str_list *names)
{
    const struct served *pods = types_kind(work->sandbox, "", "Pod");
    struct str uid = value_str_in(owner, PATH("metadata", "uid"));
    for (size_t i = 0; i < pods->storage->count; i++) {
        struct entry *entry = pods->storage->items[i];
        if (pods_owned_by(state_at(entry, UINT64_MAX), uid) &&
            !str_in(entry->name, names->items, names->count))
            state_remove(work->sandbox, pods, entry->namespace, entry->name);
    }
}

int64_t pods_wanted(const struct value *object)
{
    int64_t replicas = 1;
    value_i64(value_in(object, PATH("spec", "replicas")), &replicas);
    return replicas < 0 ? 0 : replicas > 500 ? 500 : replicas;
}

void pods_put_all(struct work *work, const struct value *owner, const struct value *extra)
{
    struct str_list names = {0};
    struct str owner_name = value_str_in(owner, PATH("metadata", "name"));
    uint64_t seed = hash_text(value_str_in(owner, PATH("metadata", "uid")), 0);
    work->wanted = pods_wanted(work->object);
    for (int64_t i = 0; i < work->wanted && work->admitted; i++) {
        struct str tail = pods_letters(work->arena, owner_name, seed + (uint64_t)i, 5);
        struct str name = str_fmt(work->arena, "%.*s-%.*s", STR_ARG(owner_name), STR_ARG(tail));
        *ARENA_PUSH(work->arena, &names) = name;
        pods_put(work, owner, name, extra, value_key(work->template, "spec"), false);
    }
    pods_keep_only(work, owner, &names);
    work->ready = work->why.len ? 0 : work->wanted;
}
