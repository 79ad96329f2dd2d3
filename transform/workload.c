/* What runs pods. */
#include "core/kube/workload.h"
#include "core/base/pointer.h"
#include "transform/rule.h"

static bool has_condition(const struct value *object, const char *type)
{
    VALUE_EACH(condition, value_in(object, PATH("status", "conditions"))) {
        if (str_is(value_str(value_key(condition, "type")), type) &&
            str_is(value_str(value_key(condition, "status")), "True"))
            return true;
    }
    return false;
}

static void drop_finished(struct subject *subject, bool succeeded)
{
    subject_finding(subject, "transform.finished", SEVERITY_INFO, "",
                    str_fmt(subject->arena, "has %s and is left out, so that it does not run again",
                            succeeded ? "completed" : "failed"),
                    "declare it yourself if every new cluster has to run it");
    subject_drop(subject);
}

void rule_finished_jobs(struct subject *subject)
{
    bool complete = has_condition(subject->live->object, "Complete");
    if (complete || has_condition(subject->live->object, "Failed"))
        drop_finished(subject, complete);
}

/* One with a controller is not asked: the controller decides whether its pod runs again. */
void rule_finished_pods(struct subject *subject)
{
    struct str phase = value_str_in(subject->live->object, PATH("status", "phase"));
    if (str_is(phase, "Succeeded") || str_is(phase, "Failed"))
        drop_finished(subject, str_is(phase, "Succeeded"));
}

static bool is_job_label(struct str key, struct str text)
{
    return str_is(key, "controller-uid") || str_is(key, "batch.kubernetes.io/controller-uid") ||
           str_is(key, "job-name") || str_is(key, "batch.kubernetes.io/job-name");
}

void rule_job_selector(struct subject *subject)
{
    if (value_true(value_in(subject->object, PATH("spec", "manualSelector"))))
        return;
    const struct value *labels = value_in(subject->object, PATH("spec", "selector", "matchLabels"));
    if (value_key(labels, "controller-uid") || value_key(labels, "batch.kubernetes.io/controller-uid"))
        subject_remove(subject, PATH("spec", "selector"));
    subject_remove_keys(subject, PATH("metadata", "labels"), is_job_label);
    subject_remove_keys(subject, PATH("spec", "template", "metadata", "labels"), is_job_label);
}

static const struct value *without_default_toleration(struct arena *arena, const struct value *toleration,
                                                      void *ctx)
{
    struct str key = value_str(value_key(toleration, "key"));
    int64_t seconds;
    bool injected =
        (str_is(key, "node.kubernetes.io/not-ready") || str_is(key, "node.kubernetes.io/unreachable")) &&
        value_i64(value_key(toleration, "tolerationSeconds"), &seconds) && seconds == 300;
    return injected ? NULL : toleration;
}

static void remove_injected(struct subject *subject, const char *key)
{
    if (!subject_meant(subject, PATH("spec", key)))
        subject_remove(subject, PATH("spec", key));
}

static bool is_place_label(struct str key, struct str text)
{
    return str_is(key, "topology.kubernetes.io/zone") || str_is(key, "topology.kubernetes.io/region");
}

/* What the scheduler and admission wrote belongs to no manager; a person's own nodeName does. */
void rule_pod_placement(struct subject *subject)
{
    if (!subject->from_cluster)
        return;
    remove_injected(subject, "nodeName");
    if (!subject_meant(subject, PATH("metadata", "labels", "topology.kubernetes.io/zone")))
        subject_remove_keys(subject, PATH("metadata", "labels"), is_place_label);
    remove_injected(subject, "hostUsers");
    const struct value *tolerations = value_in(subject->object, PATH("spec", "tolerations"));
    if (value_is(tolerations, VALUE_LIST)) {
        const struct value *left =
            value_change_items(subject->arena, tolerations, without_default_toleration, NULL);
        if (value_count(left) == 0)
            subject_remove(subject, PATH("spec", "tolerations"));
        else
            subject_set(subject, PATH("spec", "tolerations"), left);
    }
    remove_injected(subject, "priority");
    remove_injected(subject, "preemptionPolicy");
    if (str_is(value_str_in(subject->object, PATH("spec", "serviceAccountName")), "default"))
        remove_injected(subject, "serviceAccountName");
}

static bool is_token_volume(struct str name)
{
    return str_starts(name, STR("kube-api-access-"));
}

static const struct value *without_token_volume(struct arena *arena, const struct value *volume, void *ctx)
{
    return is_token_volume(value_str(value_key(volume, "name"))) ? NULL : volume;
}

static const struct value *without_empty(struct arena *arena, const struct value *map, struct str key,
                                         const struct value *list)
{
    return value_count(list) ? value_with(arena, map, key, list) : value_without(arena, map, key);
}

static const struct value *without_token_mount(struct arena *arena, const struct value *container, void *ctx)
{
    const struct value *mounts = value_key(container, "volumeMounts");
    if (!value_is(mounts, VALUE_LIST))
        return container;
    const struct value *left = value_change_items(arena, mounts, without_token_volume, NULL);
    return left == mounts ? container : without_empty(arena, container, STR("volumeMounts"), left);
}

void rule_pod_token(struct subject *subject)
{
    static const char *const lists[] = {"initContainers", "containers", "ephemeralContainers"};
    const struct value *volumes = value_in(subject->object, PATH("spec", "volumes"));
    if (!value_is(volumes, VALUE_LIST))
        return;
    const struct value *left = value_change_items(subject->arena, volumes, without_token_volume, NULL);
    if (left == volumes)
        return;
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        const struct value *containers = value_in(subject->object, PATH("spec", lists[i]));
        if (value_is(containers, VALUE_LIST))
            subject_set(subject, PATH("spec", lists[i]),
                        value_change_items(subject->arena, containers, without_token_mount, NULL));
    }
    if (value_count(left) == 0)
        subject_remove(subject, PATH("spec", "volumes"));
    else
        subject_set(subject, PATH("spec", "volumes"), left);
}

#define TEMPLATE_KEYS 8

void rule_service_account_alias(struct subject *subject)
{
    const char *const *template = workload_template_path(subject->live);
    const char *path[TEMPLATE_KEYS] = {NULL};
    size_t depth = 0;
    if (template == NULL || !subject->from_cluster)
        return;
    for (; depth < TEMPLATE_KEYS - 3 && template[depth]; depth++)
        path[depth] = template[depth];
    path[depth++] = "spec";
    const struct value *spec = value_in(subject->object, path);
    struct str alias = value_str(value_key(spec, "serviceAccount"));
    struct str name = value_str(value_key(spec, "serviceAccountName"));
    path[depth] = "serviceAccount";
    if (str_eq(alias, name) || name.len == 0)
        subject_remove(subject, path);
}

/* ".spec.replicas", of a custom resource wherever its CRD says. False for a path of more keys than fit. */
static bool split_path(struct arena *arena, struct str dotted, const char *path[TEMPLATE_KEYS])
{
    size_t depth = 0;
    struct str rest = str_from(dotted, str_starts(dotted, STR(".")));
    while (rest.len != 0 && depth + 1 < TEMPLATE_KEYS)
        path[depth++] = str_c(arena, str_cut(&rest, '.'));
    path[depth] = NULL;
    return rest.len == 0 && depth >= 2;
}

/* Scaled-out or -in counts are the autoscaler's; without the field its scale-up starts from what runs. */
void rule_scaled_replicas(struct subject *subject)
{
    const char *path[TEMPLATE_KEYS];
    struct str dotted = scene_replicas_path(subject->scene, subject->live);
    if (neighbours_scale(subject->neighbours, subject->live) && split_path(subject->arena, dotted, path))
        subject_remove(subject, path);
}
