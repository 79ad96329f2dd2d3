#include "core/kube/workload.h"

static const char *const in_spec[] = {"spec", "template", NULL};
static const char *const in_job_template[] = {"spec", "jobTemplate", "spec", "template", NULL};
static const char *const at_root[] = {NULL};

static const struct workload_kind {
    const char *group, *kind;
    const char *const *path;
    const char *dotted;
    unsigned traits;
} kinds[] = {
    {"apps", "Deployment", in_spec, "spec.template.", WORKLOAD_SCALES | WORKLOAD_SERVES},
    {"apps", "StatefulSet", in_spec, "spec.template.", WORKLOAD_SCALES | WORKLOAD_SERVES | WORKLOAD_STATEFUL},
    {"apps", "DaemonSet", in_spec, "spec.template.", WORKLOAD_SERVES},
    {"apps", "ReplicaSet", in_spec, "spec.template.", WORKLOAD_SCALES | WORKLOAD_SERVES},
    {"", "ReplicationController", in_spec, "spec.template.", WORKLOAD_SCALES | WORKLOAD_SERVES},
    {"apps.openshift.io", "DeploymentConfig", in_spec, "spec.template.", WORKLOAD_SCALES | WORKLOAD_SERVES},
    {"batch", "Job", in_spec, "spec.template.", WORKLOAD_FINISHES},
    {"batch", "CronJob", in_job_template, "spec.jobTemplate.spec.template.", WORKLOAD_FINISHES},
    {"", "Pod", at_root, "", WORKLOAD_SERVES},
};

static const struct workload_kind *kind_of(const struct resource *resource)
{
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (resource_is(resource, kinds[i].group, kinds[i].kind))
            return &kinds[i];
    return NULL;
}

/* A Pod that is not restarted when it ends is a task, not a service. */
static unsigned pod_traits(const struct value *pod_spec)
{
    struct str policy = value_str(value_key(pod_spec, "restartPolicy"));
    bool ends = str_is(policy, "Never") || str_is(policy, "OnFailure");
    return ends ? WORKLOAD_FINISHES : WORKLOAD_SERVES;
}

bool workload_of(const struct resource *resource, struct workload *ret)
{
    const struct workload_kind *kind = kind_of(resource);
    if (kind == NULL)
        return false;

    const struct value *pods = value_in(resource->object, kind->path);
    const struct value *pod_spec = value_key(pods, "spec");
    *ret = (struct workload){
        .resource = resource,
        .pods = pods,
        .pod_spec = pod_spec,
        .labels = value_in(pods, PATH("metadata", "labels")),
        .pods_path = kind->dotted,
        .traits = kind->path == at_root ? pod_traits(pod_spec) : kind->traits,
    };
    return true;
}

const char *const *workload_template_path(const struct resource *resource)
{
    const struct workload_kind *kind = kind_of(resource);
    return kind ? kind->path : NULL;
}

int64_t workload_replicas(const struct workload *workload)
{
    int64_t replicas;
    if (!(workload->traits & WORKLOAD_SCALES) ||
        !value_i64(value_in(workload->resource->object, PATH("spec", "replicas")), &replicas))
        return 1;
    return replicas;
}
