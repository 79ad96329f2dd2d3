#include "core/base/progress.h"
#include "core/kube/storage.h"
#include "dr-scenarios/ready.h"
#include "dr-scenarios/restore_intern.h"

struct waiting {
    const struct resource *resource;
    struct resource_type type;
    enum readiness state;
    struct str why;
};

struct waitings {
    struct waiting *items;
    size_t count, cap;
};

/* Claims of a class that waits for a first pod are its pods' business. */
static bool binds_late(struct kube *target, struct arena *arena, const struct resource *claim)
{
    struct str wanted = value_str_in(claim->object, PATH("spec", "storageClassName"));
    struct kube_list list = {0};
    if (!resource_is(claim, "", "PersistentVolumeClaim") || !restore_list_classes(target, arena, &list))
        return false;
    for (size_t i = 0; i < list.count; i++) {
        const struct value *class = list.items[i];
        bool named = wanted.len ? str_eq(value_str_in(class, PATH("metadata", "name")), wanted)
                                : storage_is_default_class(class);
        if (named)
            return str_is(value_str(value_key(class, "volumeBindingMode")), "WaitForFirstConsumer");
    }
    return false;
}

static bool was_refused(const struct restore_result *result, const struct resource *resource)
{
    for (size_t i = 0; i < result->findings.count; i++) {
        const struct finding *finding = &result->findings.items[i];
        if (str_eq(finding->kind, resource->kind) && str_eq(finding->name, resource->name) &&
            str_eq(finding->namespace, resource->namespace) &&
            str_eq(finding->api_version, resource->api_version))
            return true;
    }
    return false;
}

static void collect_waitings(struct arena *arena, struct kube *target, const struct bundle *declared,
                             const struct restore_result *result, struct waitings *waitings)
{
    for (size_t i = 0; i < declared->count; i++) {
        const struct resource *resource = &declared->items[i];
        const struct resource_type *type =
            resource_type_find(&result->types, resource_group(resource), resource->kind);
        if (!ready_concerns(resource) || type == NULL || was_refused(result, resource) ||
            binds_late(target, arena, resource))
            continue;
        *ARENA_PUSH(arena, waitings) = (struct waiting){.resource = resource, .type = *type};
    }
}

/* Looks once at everything that is not settled; returns how many still are not. */
static bool look(struct run *run, struct kube *target, struct arena *scratch, struct waitings *waitings,
                 size_t *ret_left, struct err *err)
{
    *ret_left = 0;
    for (size_t i = 0; i < waitings->count; i++) {
        struct waiting *it = &waitings->items[i];
        const struct value *live;
        struct str why = STR("it is not there");
        struct str namespace = it->resource->namespace;
        if (it->state != READY_NOT_YET)
            continue;
        arena_reset(scratch);
        if (it->type.namespaced && namespace.len == 0)
        namespace = STR("default");
        if (kube_get(target, scratch, &it->type, namespace, it->resource->name, &live, err))
            it->state = ready_judge(scratch, it->resource, live, &why);
        else if (err->code != ERR_NOT_FOUND)
            return err_context(err, "wait until ready");
        if (it->state != READY_YES)
            it->why = str_dup(run->arena, why);
        *ret_left += it->state == READY_NOT_YET;
    }
    return true;
}

static void report_waiting(struct run *run, struct restore_result *result, const struct waitings *waitings)
{
    result->waited = waitings->count;
    for (size_t i = 0; i < waitings->count; i++) {
        const struct waiting *it = &waitings->items[i];
        result->ready += it->state == READY_YES;
        if (it->state != READY_YES)
            *ARENA_PUSH(run->arena, &result->findings) =
                finding_about(run->arena, it->resource, "restore.not-ready", SEVERITY_ERROR, it->why,
                              "see the events of its pods; what it names may be missing");
    }
}

bool restore_wait(struct run *run, struct kube *target, const struct bundle *declared,
                  const struct restore_options *options, struct restore_result *result, struct err *err)
{
    struct waitings waitings = {0};
    struct arena *scratch = arena_new();
    int64_t start = clock_monotonic_ms(), until = restore_deadline(options), pause = FIRST_PAUSE_MS;
    size_t left = 0;
    collect_waitings(run->arena, target, declared, result, &waitings);
    bool ok = look(run, target, scratch, &waitings, &left, err);
    while (ok && left > 0 && clock_monotonic_ms() + pause <= until) {
        progress_step(run->progress, "waiting", waitings.count - left, waitings.count, "objects", STR_NONE);
        clock_sleep_ms(pause);
        pause = pause * 3 / 2 < MOST_PAUSE_MS ? pause * 3 / 2 : MOST_PAUSE_MS;
        ok = look(run, target, scratch, &waitings, &left, err);
    }
    if (ok && waitings.count)
        progress_step(run->progress, "waiting", waitings.count, waitings.count, "objects", STR_NONE);
    report_waiting(run, result, &waitings);
    result->wait_ms = clock_monotonic_ms() - start;
    arena_free(scratch);
    return ok;
}
