/* Finalizers. */
#include "transform/rule.h"

/* Finalizers of the cluster's own parts, as globs: their controllers put them back, so nobody need hear of them. */
static const struct str BUILT_IN[] = {
    STR_INIT("kubernetes"),
    STR_INIT("kubernetes.io/*"),
    STR_INIT("foregroundDeletion"),
    STR_INIT("orphan"),
    STR_INIT("batch.kubernetes.io/job-tracking"),
    STR_INIT("service.kubernetes.io/load-balancer-cleanup"),
    STR_INIT("networking.k8s.io/service-cidr-finalizer"),
    STR_INIT("external-provisioner.volume.kubernetes.io/finalizer"),
    STR_INIT("external-attacher/*"),
    STR_INIT("snapshot.storage.kubernetes.io/*"),
    STR_INIT("resource.kubernetes.io/delete-protection"),
    STR_INIT("customresourcecleanup.apiextensions.k8s.io"),
    STR_INIT("openshift.io/origin"),
};

static bool is_built_in(struct str finalizer)
{
    for (size_t i = 0; i < COUNT_OF(BUILT_IN); i++)
        if (str_glob(BUILT_IN[i], finalizer))
            return true;
    return false;
}

static bool is_controllers(struct subject *subject, const struct value *finalizer, size_t index)
{
    struct managed_at at = subject->managed.top;
    managed_member(&at, STR("metadata"), &at);
    managed_member(&at, STR("finalizers"), &at);
    managed_item(subject->scratch, &at, finalizer, index, &at);
    return managed_who(&at) == MANAGED_BY_CONTROLLER;
}

static void report(struct subject *subject, struct str finalizer)
{
    subject_finding(subject, "transform.finalizer", SEVERITY_INFO, "metadata.finalizers",
                    str_fmt(subject->arena,
                            "the finalizer %.*s belongs to a controller and is left out; the controller "
                            "adds it again",
                            STR_ARG(finalizer)),
                    "see that its controller is installed before this object is deleted");
}

void rule_finalizers(struct subject *subject)
{
    const char *const *path = PATH("metadata", "finalizers");
    const struct value *finalizers = value_in(subject->object, path);
    struct value_list_builder kept = {0};
    if (!value_is(finalizers, VALUE_LIST))
        return;
    for (size_t i = 0; i < value_count(finalizers); i++) {
        const struct value *finalizer = value_item(finalizers, i);
        bool built_in = is_built_in(value_str(finalizer));
        if (!built_in && !is_controllers(subject, finalizer, i))
            value_push(subject->arena, &kept, finalizer);
        else if (!built_in)
            report(subject, value_str(finalizer));
    }
    if (kept.count == 0 && value_count(finalizers) != 0)
        subject_remove(subject, path);
    else if (kept.count < value_count(finalizers))
        subject_set(subject, path, value_list_done(subject->arena, &kept));
}
