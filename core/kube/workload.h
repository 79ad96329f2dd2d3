/* workload.h — what runs pods, whatever its kind: where the pod template lies and what sort of work it does.
 *
 * Deployments, StatefulSets, DaemonSets, ReplicaSets, ReplicationControllers, Jobs, CronJobs, OpenShift's
 * DeploymentConfigs and Pods themselves all hold one pod spec at a place of their own. One table in workload.c knows
 * the places; a new kind is a new row. Everything returned is a view into the object. Nothing fails: a part that is
 * missing or of the wrong type is NULL.
 */
#pragma once
#include "core/kube/resource.h"

enum workload_traits {
    WORKLOAD_SCALES = 1 << 0,   /* has spec.replicas */
    WORKLOAD_SERVES = 1 << 1,   /* its pods are meant to run on and on */
    WORKLOAD_FINISHES = 1 << 2, /* its pods are meant to end */
    WORKLOAD_STATEFUL = 1 << 3, /* its pods have identities and claims of their own */
};

struct workload {
    const struct resource *resource;
    const struct value *pods;     /* the template; of a Pod the object itself */
    const struct value *pod_spec; /* pods.spec */
    const struct value *labels;   /* of the pods, not of the workload */
    const char *pods_path;        /* dotted, with its final dot: "spec.template."; "" for a Pod */
    unsigned traits;              /* enum workload_traits */
};

/* False when the resource runs no pods. */
bool workload_of(const struct resource *resource, struct workload *ret);
/* The same by kind alone. */
bool workload_is(struct str group, struct str kind);
/* Path of map keys from the object to its pod template, ended by NULL; empty for a Pod; NULL for no workload. */
const char *const *workload_template_path(const struct resource *resource);
/* spec.replicas, 1 where nothing is said, and 1 for what does not scale. */
int64_t workload_replicas(const struct workload *workload);
