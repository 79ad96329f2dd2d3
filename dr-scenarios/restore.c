#include "dr-scenarios/restore.h"

#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/progress.h"
#include "core/config/config.h"
#include "core/kube/dependencies.h"
#include "core/kube/waves.h"
#include "core/secrets/select.h"
#include "dr-scenarios/preflight.h"
#include "dr-scenarios/ready.h"
#include "dr-scenarios/restore_intern.h"

enum { MOST_ROUNDS = 12 };

enum object_state { TO_APPLY, APPLIED, REFUSED, UNREHEARSED };

/* One object on its way. */
struct item {
    struct resource resource;
    enum wave wave;
    unsigned level; /* within the wave: above what it needs */
    size_t index;   /* as they came */
    enum object_state state;
    struct err why; /* of the last attempt */
};

struct restore {
    struct run *run;
    struct kube *target;
    const struct restore_options *options;
    struct restore_result *result;
    struct arena *scratch;
    struct {
        struct item *items;
        size_t count, cap;
    } objects;
    struct str_list namespaces; /* that declared objects are in */
    size_t settled;
    int64_t until_ms; /* monotonic */
};

/* Whether the target as a whole is gone. One object that makes the server stumble is that object's fault. */
static bool is_lost(struct restore *restore, const struct err *err)
{
    struct str version;
    struct err ignored;
    return err->code == ERR_UNREACHABLE &&
           !kube_version(restore->target, restore->scratch, &version, &ignored);
}

/* ---- what is to be restored ---- */

static void add(struct restore *restore, const struct resource *resource, unsigned level)
{
    struct item *item = ARENA_PUSH(restore->run->arena, &restore->objects);
    *item = (struct item){
        .resource = *resource, .wave = wave_of(resource), .level = level, .index = restore->objects.count};
    struct str namespace = resource->namespace;
    if (namespace.len && !str_in(namespace, restore->namespaces.items, restore->namespaces.count))
        *ARENA_PUSH(restore->run->arena, &restore->namespaces) = namespace;
}

/* In the order in which they need each other, as far as that is known. */
static void add_declared(struct restore *restore, const struct bundle *declared)
{
    struct dependencies dependencies;
    dependencies_of(restore->run->arena, declared, &dependencies);
    for (size_t i = 0; i < declared->count; i++)
        add(restore, &declared->items[i], dependencies.level[i]);
}

static int item_order(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    if (x->wave != y->wave)
        return (int)x->wave - (int)y->wave;
    if (x->level != y->level)
        return x->level < y->level ? -1 : 1;
    return x->index < y->index ? -1 : 1;
}

static void sort_objects(struct restore *restore)
{
    if (restore->objects.count != 0)
        qsort(restore->objects.items, restore->objects.count, sizeof *restore->objects.items, item_order);
}

/* The Secret as its author would write it. */
static const struct value *bare_secret(struct arena *arena, const struct resource *secret)
{
    const struct value *object = secret->object, *meta = value_key(object, "metadata");
    const struct value *annotations = value_without(arena, value_key(meta, "annotations"),
                                                    STR("kubectl.kubernetes.io/last-applied-configuration"));
    return VALUE_MAP(arena, {"apiVersion", value_cstr(arena, "v1")}, {"kind", value_cstr(arena, "Secret")},
                     {"metadata", VALUE_MAP(arena, {"name", value_key(meta, "name")},
                                            {"namespace", value_key(meta, "namespace")},
                                            {"labels", value_key(meta, "labels")},
                                            {"annotations", value_count(annotations) ? annotations : NULL})},
                     {"type", value_key(object, "type")}, {"data", value_key(object, "data")},
                     {"stringData", value_key(object, "stringData")},
                     {"immutable", value_key(object, "immutable")});
}

static const struct item *find(const struct restore *restore, const char *kind, const struct resource *like)
{
    for (size_t i = 0; i < restore->objects.count; i++) {
        const struct resource *it = &restore->objects.items[i].resource;
        if (resource_is(it, "", kind) && str_eq(it->name, like->name) &&
            str_eq(it->namespace, like->namespace))
            return &restore->objects.items[i];
    }
    return NULL;
}

static void add_secrets(struct restore *restore)
{
    const struct bundle *provided = restore->options->provided_secrets;
    struct arena *arena = restore->run->arena;
    for (size_t i = 0; provided != NULL && i < provided->count; i++) {
        struct resource secret = provided->items[i];
        if (restore->options->environment != NULL)
            secret.namespace = config_namespace(arena, restore->options->environment, secret.namespace);
        if (!resource_is(&secret, "", "Secret") || secrets_is_controller_made(&secret) ||
            !str_in(secret.namespace, restore->namespaces.items, restore->namespaces.count) ||
            find(restore, "Secret", &secret))
            continue;
        secret.object = value_with_in(arena, bare_secret(arena, &secret), PATH("metadata", "namespace"),
                                      value_string(arena, secret.namespace));
        add(restore, &secret, 0);
        *ARENA_PUSH(arena, &restore->result->secrets) =
            str_fmt(arena, "%.*s/%.*s", STR_ARG(secret.namespace), STR_ARG(secret.name));
    }
}

/* ---- applying ---- */

static bool discover(struct restore *restore, struct err *err)
{
    struct resource_types types = {0};
    if (!kube_discover(restore->target, restore->run->arena, &types, err))
        return err_context(err, "target");
    restore->result->types = types;
    return true;
}

/* The type under the version that the object is written in. */
static bool type_of(const struct restore *restore, const struct resource *resource,
                    struct resource_type *ret_type, struct err *err)
{
    const struct resource_type *served =
        resource_type_find(&restore->result->types, resource_group(resource), resource->kind);
    if (served == NULL)
        return err_set(err, ERR_NOT_FOUND, "the target serves no %.*s of %.*s", STR_ARG(resource->kind),
                       STR_ARG(resource->api_version));
    *ret_type = *served;
    ret_type->version = resource_version(resource);
    return true;
}

static bool is_immutable_fault(const struct err *err)
{
    static const char *const signs[] = {"field is immutable",
                                        "is immutable after creation",
                                        "may not change once set",
                                        "updates to statefulset spec",
                                        "cannot change roleRef",
                                        "are forbidden",
                                        "may not be changed in an update"};
    for (size_t i = 0; err->code == ERR_INVALID && i < COUNT_OF(signs); i++)
        if (str_contains(str_of(err->msg), str_of(signs[i])))
            return true;
    return false;
}

/* What it needs may come yet. */
static bool is_worth_waiting(const struct err *err)
{
    struct str text = str_of(err->msg);
    return err->code == ERR_NOT_FOUND || err->code == ERR_CONFLICT || err->code == ERR_UNREACHABLE ||
           (err->code == ERR_DENIED && str_contains(text, STR("not found")));
}

/* A dry run leaves no namespace behind for what goes into it: such objects are tried in `default`. */
static void rehearse_elsewhere(struct restore *restore, struct resource *resource)
{
    struct resource space = {.name = resource->namespace};
    if (!restore->options->dry_run || resource->namespace.len == 0 || !find(restore, "Namespace", &space))
        return;
    resource->namespace = STR("default");
    resource->object = value_with_in(restore->scratch, resource->object, PATH("metadata", "namespace"),
                                     value_cstr(restore->scratch, "default"));
}

/* A path that is not there says nothing of what is wrong: an apiVersion that this Kubernetes has not, or no more. */
static void name_version(const struct restore *restore, const struct resource *resource, struct err *why)
{
    const struct resource_type *served =
        resource_type_find(&restore->result->types, resource_group(resource), resource->kind);
    if (why->code != ERR_NOT_FOUND || !str_contains(str_of(why->msg), STR("page not found")) ||
        served == NULL || str_eq(served->version, resource_version(resource)))
        return;
    err_set(why, ERR_NOT_FOUND, "the target serves no %.*s of %.*s, only of version %.*s",
            STR_ARG(resource->kind), STR_ARG(resource->api_version), STR_ARG(served->version));
}

static bool apply_one(struct restore *restore, struct item *item)
{
    const struct kube_apply how = {.dry_run = restore->options->dry_run, .force = true};
    struct resource_type type;
    const struct value *made;
    arena_reset(restore->scratch);
    struct resource resource = item->resource;
    if (!type_of(restore, &resource, &type, &item->why))
        return false;
    if (type.namespaced && resource.namespace.len == 0)
        resource.namespace = STR("default");
    rehearse_elsewhere(restore, &resource);
    if (kube_apply(restore->target, restore->scratch, &type, &resource, &how, &made, &item->why))
        return true;
    name_version(restore, &resource, &item->why);
    return false;
}

/* Deleting one of these deletes no data: a StatefulSet's claims stay, and so do the volumes of a class. */
static bool may_be_replaced(const struct resource *resource)
{
    static const char *const kinds[] = {
        "Deployment",   "StatefulSet", "DaemonSet",    "ReplicaSet",         "Job",          "Service",
        "StorageClass", "RoleBinding", "IngressClass", "ClusterRoleBinding", "PriorityClass"};
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (str_is(resource->kind, kinds[i]))
            return resource_type_find(resource_builtin_types(), resource_group(resource), resource->kind) !=
                   NULL;
    return false;
}

static bool replace_one(struct restore *restore, struct item *item)
{
    struct resource_type type;
    struct err err;
    if (!restore->options->replace || restore->options->dry_run || !is_immutable_fault(&item->why) ||
        !may_be_replaced(&item->resource) || !type_of(restore, &item->resource, &type, &err))
        return false;
    if (!kube_delete(restore->target, restore->scratch, &type, item->resource.namespace, item->resource.name,
                     &err))
        return false;
    restore->result->replaced++;
    return apply_one(restore, item);
}

static void settle(struct restore *restore, struct item *item, enum object_state state)
{
    item->state = state;
    restore->settled++;
    progress_step(restore->run->progress, "restoring", restore->settled, restore->objects.count, "objects",
                  str_of(wave_name(item->wave)));
}

static void attempt(struct restore *restore, struct item *item, bool last)
{
    if (apply_one(restore, item) || replace_one(restore, item)) {
        settle(restore, item, APPLIED);
    } else if (restore->options->dry_run && item->why.code == ERR_NOT_FOUND) {
        settle(restore, item, UNREHEARSED);
    } else if (last || !is_worth_waiting(&item->why)) {
        settle(restore, item, REFUSED);
    }
}

/* Applies what is left of a wave; returns how many objects have to be tried again. */
static bool round_of(struct restore *restore, enum wave wave, bool last, size_t *ret_left, struct err *err)
{
    *ret_left = 0;
    for (size_t i = 0; i < restore->objects.count; i++) {
        struct item *item = &restore->objects.items[i];
        if (item->wave != wave || item->state != TO_APPLY)
            continue;
        attempt(restore, item, last);
        if (item->state != APPLIED && is_lost(restore, &item->why)) {
            *err = item->why;
            return err_context(err, "target");
        }
        *ret_left += item->state == TO_APPLY;
    }
    return true;
}

static bool apply_wave(struct restore *restore, enum wave wave, struct err *err)
{
    int64_t pause = FIRST_PAUSE_MS;
    for (int round = 0;; round++) {
        bool last = round >= MOST_ROUNDS || clock_monotonic_ms() + pause > restore->until_ms;
        size_t left;
        if (!round_of(restore, wave, last, &left, err))
            return false;
        if (left == 0)
            return true;
        clock_sleep_ms(pause);
        pause = pause * 2 < MOST_PAUSE_MS ? pause * 2 : MOST_PAUSE_MS;
        if (!discover(restore, err))
            return false;
    }
}

static bool is_established(struct restore *restore, const struct resource *crd)
{
    struct resource_type type;
    const struct value *live;
    struct str why;
    struct err ignored;
    return type_of(restore, crd, &type, &ignored) &&
           kube_get(restore->target, restore->scratch, &type, STR_NONE, crd->name, &live, &ignored) &&
           ready_judge(restore->scratch, crd, live, &why) == READY_YES;
}

/* Custom resources come later, so their types have to be served by then. */
static bool await_definitions(struct restore *restore, struct err *err)
{
    bool any = false, all = false;
    for (int64_t pause = FIRST_PAUSE_MS; !all;
         pause = pause * 2 < MOST_PAUSE_MS ? pause * 2 : MOST_PAUSE_MS) {
        all = true;
        arena_reset(restore->scratch);
        for (size_t i = 0; all && i < restore->objects.count; i++) {
            const struct item *item = &restore->objects.items[i];
            bool definition = item->wave == WAVE_DEFINITIONS && item->state == APPLIED;
            any = any || definition;
            all = !definition || is_established(restore, &item->resource);
        }
        if (!all && clock_monotonic_ms() + pause > restore->until_ms)
            break; /* what depends on it says so by name */
        if (!all)
            clock_sleep_ms(pause);
    }
    return !any || discover(restore, err);
}

static void report_refused(struct restore *restore, const struct item *item)
{
    struct arena *arena = restore->run->arena;
    struct str message = str_dup(arena, str_of(item->why.msg));
    *ARENA_PUSH(arena, &restore->result->findings) =
        is_immutable_fault(&item->why)
            ? finding_about(
                  arena, &item->resource, "restore.replace-or-keep", SEVERITY_ERROR, message,
                  "a field that cannot be changed differs: keep the object, or restore --replace, which "
                  "makes what holds no data anew")
            : finding_about(arena, &item->resource, "restore.refused", SEVERITY_ERROR, message,
                            "mend what the message names and restore again");
}

static void count(struct restore *restore)
{
    struct restore_result *result = restore->result;
    for (size_t i = 0; i < restore->objects.count; i++) {
        const struct item *item = &restore->objects.items[i];
        result->applied += item->state == APPLIED;
        result->failed += item->state == REFUSED;
        result->unrehearsed += item->state == UNREHEARSED;
        if (item->state == REFUSED)
            report_refused(restore, item);
    }
}

static bool apply_all(struct restore *restore, const struct bundle *declared, struct err *err)
{
    if (!restore_guard(restore->target, restore->scratch, restore->options, &restore->namespaces, err) ||
        !discover(restore, err))
        return false;
    restore_check_storage(restore->run, restore->target, declared, restore->options, restore->result);
    for (int wave = 0; wave < WAVE_COUNT; wave++) {
        if (!apply_wave(restore, (enum wave)wave, err))
            return false;
        if (wave == WAVE_DEFINITIONS && !restore->options->dry_run && !await_definitions(restore, err))
            return false;
    }
    return true;
}

bool restore_apply(struct run *run, struct kube *target, const struct bundle *declared,
                   const struct restore_options *options, struct restore_result *result, struct err *err)
{
    struct restore restore = {
        .run = run, .target = target, .options = options, .result = result, .scratch = arena_new()};
    int64_t start = clock_monotonic_ms();
    *result = (struct restore_result){.declared = declared->count};
    restore.until_ms = restore_deadline(options);
    add_declared(&restore, declared);
    preflight_check(run->arena, declared, &result->warnings);
    add_secrets(&restore);
    sort_objects(&restore);
    bool ok = apply_all(&restore, declared, err);
    count(&restore);
    result->apply_ms = clock_monotonic_ms() - start;
    arena_free(restore.scratch);
    return ok || err_context(err, "restore");
}

bool restore_run(struct run *run, struct kube *target, const struct bundle *declared,
                 const struct restore_options *options, struct restore_result *ret_result, struct err *err)
{
    if (!restore_apply(run, target, declared, options, ret_result, err))
        return false;
    if (!options->dry_run && !restore_wait(run, target, declared, options, ret_result, err))
        return false;
    return restore_verdict(ret_result, err);
}

bool restore_open(struct run *run, struct str target, struct kube **ret_target, struct err *err)
{
    struct kube_options options = {.kubeconfig = run->config->cluster_kubeconfig};
    if (str_starts(target, STR("context:"))) {
        options.context = str_from(target, 8);
    } else if (str_starts(target, STR("kubeconfig:"))) {
        options.kubeconfig = str_from(target, 11);
    } else {
        err_set(err, ERR_USAGE, "no such target: \"%.*s\"", STR_ARG(target));
        return err_next(err, "use context:NAME or kubeconfig:FILE; a drill may also use sandbox");
    }
    return kube_open(run->arena, &options, ret_target, err);
}
