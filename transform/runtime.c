/* What the cluster is doing right now: never declared. */
#include "transform/rule.h"

static bool is_being_deleted(const struct resource *resource)
{
    return resource && value_in(resource->object, PATH("metadata", "deletionTimestamp")) != NULL;
}

void rule_deleting(struct subject *subject)
{
    const struct resource *live = subject->live;
    if (is_being_deleted(live)) {
        subject_drop(subject);
        return;
    }
    if (live->namespace.len > 0 &&
        is_being_deleted(subject_find(subject, STR_NONE, STR("Namespace"), STR_NONE, live->namespace)))
        subject_drop(subject);
}

void rule_runtime_kinds(struct subject *subject)
{
    subject_drop(subject);
}

void rule_mirror_pods(struct subject *subject)
{
    if (subject_annotation(subject, "kubernetes.io/config.mirror").len > 0)
        subject_drop(subject);
}

/* The mark that overlays/routing.h puts on its routes. */
void rule_generated(struct subject *subject)
{
    if (value_in(subject->object, PATH("metadata", "labels", "gitops-pipe.io/generated")) != NULL)
        subject_drop(subject);
}

void rule_leader_election(struct subject *subject)
{
    if (subject_annotation(subject, "control-plane.alpha.kubernetes.io/leader").len > 0)
        subject_drop(subject);
}
