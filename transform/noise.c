/* What the API server and controllers write on any object. */
#include "transform/rule.h"

static bool is_server_key(struct str key, struct str text)
{
    static const struct str keys[] = {
        STR_INIT("uid"),          STR_INIT("resourceVersion"),
        STR_INIT("generation"),   STR_INIT("creationTimestamp"),
        STR_INIT("selfLink"),     STR_INIT("managedFields"),
        STR_INIT("generateName"), STR_INIT("deletionGracePeriodSeconds"),
    };
    return str_in(key, keys, COUNT_OF(keys));
}

void rule_server_metadata(struct subject *subject)
{
    subject_remove_keys(subject, PATH("metadata"), is_server_key);
}

/* A template's metadata that held nothing but the timestamp was never written by anybody. */
static void clean_template(struct subject *subject, const char *const *path, const char *const *metadata,
                           const char *const *timestamp)
{
    if (!value_is(value_in(subject->object, path), VALUE_MAP))
        return;
    subject_remove(subject, timestamp);
    const struct value *left = value_in(subject->object, metadata);
    if (subject->from_cluster && value_is(left, VALUE_MAP) && value_count(left) == 0)
        subject_remove(subject, metadata);
}

static const struct value *clean_claim_template(struct arena *arena, const struct value *template, void *ctx)
{
    template = value_without_in(arena, template, PATH("metadata", "creationTimestamp"));
    return value_without(arena, template, STR("status"));
}

void rule_template_metadata(struct subject *subject)
{
    clean_template(subject, PATH("spec", "template"), PATH("spec", "template", "metadata"),
                   PATH("spec", "template", "metadata", "creationTimestamp"));
    clean_template(subject, PATH("spec", "jobTemplate", "spec", "template"),
                   PATH("spec", "jobTemplate", "spec", "template", "metadata"),
                   PATH("spec", "jobTemplate", "spec", "template", "metadata", "creationTimestamp"));
    clean_template(subject, PATH("spec", "jobTemplate"), PATH("spec", "jobTemplate", "metadata"),
                   PATH("spec", "jobTemplate", "metadata", "creationTimestamp"));

    const char *const *claims = PATH("spec", "volumeClaimTemplates");
    const struct value *before = value_in(subject->object, claims);
    if (value_is(before, VALUE_LIST))
        subject_set(subject, claims, value_change_items(subject->arena, before, clean_claim_template, NULL));
}

/* A custom resource without a status subresource may use the word for something a person writes. */
static bool looks_observed(const struct value *status)
{
    static const char *const keys[] = {"conditions", "observedGeneration", "phase", "state", "replicas"};
    for (size_t i = 0; i < COUNT_OF(keys); i++)
        if (value_key(status, keys[i]) != NULL)
            return true;
    return value_count(status) == 0;
}

static bool is_status(const struct subject *subject)
{
    const struct value *status = value_key(subject->object, "status");
    const struct resource_type *type =
        resource_type_find(&subject->scene->about->types, resource_group(subject->live), subject->live->kind);
    if (type == NULL)
        type =
            resource_type_find(resource_builtin_types(), resource_group(subject->live), subject->live->kind);
    if (type != NULL && type->has_status)
        return true;
    return looks_observed(status) && subject_owner(subject, PATH("status")) != MANAGED_BY_APPLY;
}

void rule_status(struct subject *subject)
{
    if (value_key(subject->object, "status") != NULL && is_status(subject))
        subject_remove(subject, PATH("status"));
}

#define LAST_APPLIED "kubectl.kubernetes.io/last-applied-configuration"

void rule_last_applied(struct subject *subject)
{
    subject_remove_tidy(subject, PATH("metadata", "annotations", LAST_APPLIED));
}

/* Notes that controllers keep on objects, as globs. */
static const struct str NOTES[] = {
    STR_INIT("deployment.kubernetes.io/revision"),
    STR_INIT("deployment.kubernetes.io/revision-history"),
    STR_INIT("deployment.kubernetes.io/desired-replicas"),
    STR_INIT("deployment.kubernetes.io/max-replicas"),
    STR_INIT("deprecated.daemonset.template.generation"),
    STR_INIT("kubectl.kubernetes.io/restartedAt"),
    STR_INIT("kubectl.kubernetes.io/default-logs-container-*"),
    STR_INIT("control-plane.alpha.kubernetes.io/leader"),
    STR_INIT("vpaUpdates"),
    STR_INIT("vpaObservedContainers"),
    STR_INIT("autoscaling.alpha.kubernetes.io/conditions"),
    STR_INIT("autoscaling.alpha.kubernetes.io/current-metrics"),
    STR_INIT("batch.kubernetes.io/job-tracking"),
    STR_INIT("batch.kubernetes.io/cronjob-scheduled-timestamp"),
    STR_INIT("cronjob.kubernetes.io/instantiate"),
    STR_INIT("endpoints.kubernetes.io/last-change-trigger-time"),
    STR_INIT("endpoints.kubernetes.io/over-capacity"),
    STR_INIT("kubernetes.io/limit-ranger"),
    STR_INIT("kubernetes.io/psp"),
    STR_INIT("kubernetes.io/config.hash"),
    STR_INIT("kubernetes.io/config.seen"),
    STR_INIT("kubernetes.io/config.source"),
    STR_INIT("cni.projectcalico.org/*"),
    STR_INIT("k8s.v1.cni.cncf.io/network-status"),
    STR_INIT("k8s.v1.cni.cncf.io/networks-status"),
    STR_INIT("k8s.ovn.org/*"),
    STR_INIT("openshift.io/scc"),
    STR_INIT("openshift.io/sa.scc.*"),
    STR_INIT("openshift.io/generated-by"),
    STR_INIT("field.cattle.io/publicEndpoints"),
    STR_INIT("cattle.io/timestamp"),
    STR_INIT("k8slens-edit-resource-version"),
    STR_INIT("cluster-autoscaler.kubernetes.io/scale-down-*"),
};

static bool is_note(struct str key, struct str text)
{
    for (size_t i = 0; i < COUNT_OF(NOTES); i++)
        if (str_glob(NOTES[i], key))
            return true;
    return false;
}

static bool is_generated_label(struct str key, struct str text)
{
    static const struct str labels[] = {
        STR_INIT("pod-template-hash"),
        STR_INIT("controller-revision-hash"),
        STR_INIT("pod-template-generation"),
        STR_INIT("statefulset.kubernetes.io/pod-name"),
        STR_INIT("apps.kubernetes.io/pod-index"),
        STR_INIT("k8slens-edit-resource-version"),
    };
    return str_in(key, labels, COUNT_OF(labels));
}

void rule_noise_annotations(struct subject *subject)
{
    subject_remove_keys(subject, PATH("metadata", "annotations"), is_note);
    subject_remove_keys(subject, PATH("spec", "template", "metadata", "annotations"), is_note);
    subject_remove_keys(subject, PATH("spec", "jobTemplate", "metadata", "annotations"), is_note);
    subject_remove_keys(subject, PATH("spec", "jobTemplate", "spec", "template", "metadata", "annotations"),
                        is_note);
    if (resource_is(subject->live, "", "Pod"))
        subject_remove_keys(subject, PATH("metadata", "labels"), is_generated_label);
}
