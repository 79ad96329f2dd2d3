#include "core/kube/workload.h"

static const char *const in_spec[] = {"spec", "template", NULL};
static const char *const in_job_template[] = {"spec", "jobTemplate", "spec", "template", NULL};
static const char *const at_root[] = {NULL};

static const struct workload_kind {
    struct str group, kind;
    const char *const *path;
    const char *dotted;
    unsigned traits;
} kinds[] = {
    {STR_INIT("apps"), STR_INIT("Deployment"), in_spec, "spec.template.", WORKLOAD_SCALES | WORKLOAD_SERVES},
    {STR_INIT("apps"), STR_INIT("StatefulSet"), in_spec, "spec.template.",
     WORKLOAD_SCALES | WORKLOAD_SERVES | WORKLOAD_STATEFUL},
    {STR_INIT("apps"), STR_INIT("DaemonSet"), in_spec, "spec.template.", WORKLOAD_SERVES},
    {STR_INIT("apps"), STR_INIT("ReplicaSet"), in_spec, "spec.template.", WORKLOAD_SCALES | WORKLOAD_SERVES},
    {STR_INIT(""), STR_INIT("ReplicationController"), in_spec, "spec.template.",
     WORKLOAD_SCALES | WORKLOAD_SERVES},
    {STR_INIT("apps.openshift.io"), STR_INIT("DeploymentConfig"), in_spec, "spec.template.",
     WORKLOAD_SCALES | WORKLOAD_SERVES},
    {STR_INIT("batch"), STR_INIT("Job"), in_spec, "spec.template.", WORKLOAD_FINISHES},
    {STR_INIT("batch"), STR_INIT("CronJob"), in_job_template, "spec.jobTemplate.spec.template.",
     WORKLOAD_FINISHES},
    {STR_INIT(""), STR_INIT("Pod"), at_root, "", WORKLOAD_SERVES},
};

static const struct workload_kind *kind_called(struct str group, struct str kind)
{
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (str_eq(kind, kinds[i].kind) && str_eq(group, kinds[i].group))
            return &kinds[i];
    return NULL;
}

static const struct workload_kind *kind_of(const struct resource *resource)
{
    return kind_called(resource_group(resource), resource->kind);
}

bool workload_is(struct str group, struct str kind)
{
    return kind_called(group, kind) != NULL;
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
