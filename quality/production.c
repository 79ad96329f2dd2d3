/* Does it stay up: through a drain, an update, a hang, a restart? */
#include "quality/check.h"

static const struct value *spec_of(const struct subject *subject)
{
    return value_key(subject->resource->object, "spec");
}

static bool is_tied(const struct subject *subject)
{
    return (subject->workload.traits & WORKLOAD_STATEFUL) ||
           estate_is_tied_to_a_node(subject->estate, &subject->workload);
}

/* The fewest replicas that are meant to run. */
static int64_t fewest_replicas(const struct subject *subject)
{
    const struct resource *autoscaler = place_autoscaler(subject->place, subject->resource);
    int64_t fewest = 1;
    if (autoscaler == NULL)
        return workload_replicas(&subject->workload);
    return value_i64(value_in(autoscaler->object, PATH("spec", "minReplicas")), &fewest) ? fewest : 1;
}

static void missing_probe(struct subject *subject, const char *probe)
{
    EACH_CONTAINER(c, subject)
        if (container_is_main(c) && value_count(value_key(c->value, probe)) == 0)
            found_in_container(subject, c, STR_NONE, "%s", probe);
}

void check_readiness_probe(struct subject *subject)
{
    missing_probe(subject, "readinessProbe");
}

void check_liveness_probe(struct subject *subject)
{
    missing_probe(subject, "livenessProbe");
}

void check_replicas(struct subject *subject)
{
    if (fewest_replicas(subject) == 1 && !is_tied(subject))
        found(subject, STR_NONE, "spec.replicas");
}

void check_single_copy(struct subject *subject)
{
    if (fewest_replicas(subject) == 1 && is_tied(subject))
        found(subject, STR_NONE, "spec.replicas");
}

void check_disruption_budget(struct subject *subject)
{
    if (fewest_replicas(subject) > 1 && !place_has_budget_for(subject->place, &subject->workload))
        found(subject, STR_NONE, "%s", "");
}

void check_spread(struct subject *subject)
{
    if (fewest_replicas(subject) > 1 &&
        value_count(value_key(subject->pod, "topologySpreadConstraints")) == 0 &&
        value_count(value_in(subject->pod, PATH("affinity", "podAntiAffinity"))) == 0)
        found_in_pod(subject, STR_NONE, "topologySpreadConstraints");
}

static bool stops_all(const struct value *max_unavailable, int64_t replicas)
{
    int64_t number;
    if (value_i64(max_unavailable, &number))
        return number >= replicas;
    return str_is(value_str(max_unavailable), "100%");
}

void check_rollout(struct subject *subject)
{
    const struct value *strategy = value_key(spec_of(subject), "strategy");
    int64_t replicas = fewest_replicas(subject);
    if (replicas < 2)
        return;
    if (str_is(value_str(value_key(strategy, "type")), "Recreate"))
        found(subject, STR_NONE, "spec.strategy.type");
    else if (stops_all(value_in(strategy, PATH("rollingUpdate", "maxUnavailable")), replicas))
        found(subject, STR_NONE, "spec.strategy.rollingUpdate.maxUnavailable");
}

void check_graceful_shutdown(struct subject *subject)
{
    int64_t grace = 30, sleep = 0;
    (void)!value_i64(value_key(subject->pod, "terminationGracePeriodSeconds"), &grace);
    if (grace == 0)
        found_in_pod(subject, STR_NONE, "terminationGracePeriodSeconds");
    EACH_CONTAINER(c, subject)
        if (grace > 0 &&
            value_i64(value_in(c->value, PATH("lifecycle", "preStop", "sleep", "seconds")), &sleep) &&
            sleep >= grace)
            found_in_container(subject, c, STR_NONE, "lifecycle.preStop.sleep.seconds");
}

/* name[:tag][@digest], where a ':' before the last '/' belongs to a registry's port. */
static void image_parts(struct str image, struct str *ret_tag, struct str *ret_digest)
{
    size_t at = str_find(image, '@');
    struct str name = str_slice(image, 0, at);
    *ret_digest = str_from(image, at < image.len ? at + 1 : at);

    size_t slash = str_rfind(name, '/');
    struct str last = slash < name.len ? str_from(name, slash + 1) : name;
    size_t colon = str_find(last, ':');
    *ret_tag = colon < last.len ? str_from(last, colon + 1) : STR_NONE;
}

/* OpenShift's image triggers fill in a blank image; there is nothing to pin then. */
static struct str image_of(const struct container *c)
{
    return str_trim(value_str(value_key(c->value, "image")));
}

static bool is_moving(struct str image)
{
    struct str tag, digest;
    image_parts(image, &tag, &digest);
    return digest.len == 0 && (tag.len == 0 || str_is(tag, "latest"));
}

void check_image_tag(struct subject *subject)
{
    EACH_CONTAINER(c, subject) {
        struct str image = image_of(c);
        if (image.len != 0 && is_moving(image))
            found_in_container(subject, c, image, "image");
    }
}

void check_image_digest(struct subject *subject)
{
    EACH_CONTAINER(c, subject) {
        struct str tag, digest, image = image_of(c);
        image_parts(image, &tag, &digest);
        if (image.len != 0 && !is_moving(image) && digest.len == 0)
            found_in_container(subject, c, image, "image");
    }
}

void check_pull_policy(struct subject *subject)
{
    EACH_CONTAINER(c, subject) {
        struct str policy = value_str(value_key(c->value, "imagePullPolicy")), image = image_of(c);
        if (str_is(policy, "Never") || (str_is(policy, "IfNotPresent") && image.len != 0 && is_moving(image)))
            found_in_container(subject, c, policy, "imagePullPolicy");
    }
}

void check_naked_pod(struct subject *subject)
{
    if (subject->workload.traits & WORKLOAD_SERVES)
        found(subject, STR_NONE, "%s", "");
}

void check_stateful_service(struct subject *subject)
{
    struct str service = value_str(value_key(spec_of(subject), "serviceName"));
    if (service.len != 0 && estate_find(subject->estate, "", "Service", service) == NULL)
        found(subject, service, "spec.serviceName");
}

void check_cron_job_overlap(struct subject *subject)
{
    struct str policy = value_str(value_key(spec_of(subject), "concurrencyPolicy"));
    if (!str_is(policy, "Forbid") && !str_is(policy, "Replace"))
        found(subject, STR_NONE, "spec.concurrencyPolicy");
}

void check_job_deadline(struct subject *subject)
{
    const struct value *spec = spec_of(subject), *job = value_in(spec, PATH("jobTemplate", "spec"));
    if (value_key(subject->pod, "activeDeadlineSeconds") == NULL &&
        value_key(spec, "activeDeadlineSeconds") == NULL && value_key(job, "activeDeadlineSeconds") == NULL)
        found(subject, STR_NONE, "%s",
              subject->applies & CRON_JOBS ? "spec.jobTemplate.spec.activeDeadlineSeconds"
                                           : "spec.activeDeadlineSeconds");
}
