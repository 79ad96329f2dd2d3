/* What it asks of the nodes, and what bounds it. */
#include "core/kube/quantity.h"
#include "quality/check.h"

static const struct value *amount(const struct container *c, const char *side, const char *resource)
{
    return value_in(c->value, PATH("resources", side, resource));
}

/* A limit without a request is the request, too. A LimitRange of the namespace fills in what is missing. */
static void missing_request(struct subject *subject, const char *resource)
{
    if (place_has_default(subject->place, "defaultRequest", str_of(resource)) ||
        place_has_default(subject->place, "default", str_of(resource)))
        return;
    EACH_CONTAINER(c, subject)
        if (container_has_resources(c) && amount(c, "requests", resource) == NULL &&
            amount(c, "limits", resource) == NULL)
            found_in_container(subject, c, STR_NONE, "resources.requests.%s", resource);
}

static void missing_limit(struct subject *subject, const char *resource)
{
    if (place_has_default(subject->place, "default", str_of(resource)))
        return;
    EACH_CONTAINER(c, subject)
        if (container_has_resources(c) && amount(c, "limits", resource) == NULL)
            found_in_container(subject, c, STR_NONE, "resources.limits.%s", resource);
}

void check_cpu_requests(struct subject *subject)
{
    missing_request(subject, "cpu");
}

void check_memory_requests(struct subject *subject)
{
    missing_request(subject, "memory");
}

void check_cpu_limits(struct subject *subject)
{
    missing_limit(subject, "cpu");
}

void check_memory_limits(struct subject *subject)
{
    missing_limit(subject, "memory");
}

/* limit / request; 0 when one of them is missing or nothing. */
static double ratio_of(const struct container *c, const char *resource)
{
    double request, limit;
    if (!quantity_of(amount(c, "requests", resource), &request) ||
        !quantity_of(amount(c, "limits", resource), &limit) || request <= 0)
        return 0;
    return limit / request;
}

void check_limit_below_request(struct subject *subject)
{
    static const char *const resources[] = {"cpu", "memory", "ephemeral-storage"};
    EACH_CONTAINER(c, subject) {
        for (size_t i = 0; i < COUNT_OF(resources); i++) {
            double request, limit;
            if (quantity_of(amount(c, "requests", resources[i]), &request) &&
                quantity_of(amount(c, "limits", resources[i]), &limit) && limit < request)
                found_in_container(subject, c, STR_NONE, "resources.limits.%s", resources[i]);
        }
    }
}

static void beyond_ratio(struct subject *subject, const char *resource, double most)
{
    EACH_CONTAINER(c, subject) {
        double ratio = ratio_of(c, resource);
        if (ratio > most)
            found_in_container(subject, c, detail(subject, "%.1f times in %.*s", ratio, STR_ARG(c->name)),
                               "resources.limits.%s", resource);
    }
}

void check_cpu_ratio(struct subject *subject)
{
    beyond_ratio(subject, "cpu", 10);
}

void check_memory_ratio(struct subject *subject)
{
    beyond_ratio(subject, "memory", 2);
}

/* What containers write and what emptyDirs hold count against the containers' limits, if all of them have one. */
static bool is_storage_bounded(const struct subject *subject)
{
    EACH_CONTAINER(c, subject)
        if (container_is_main(c) && amount(c, "limits", "ephemeral-storage") == NULL)
            return false;
    return subject->container_count != 0;
}

void check_empty_dir_limit(struct subject *subject)
{
    if (is_storage_bounded(subject))
        return;
    size_t i = 0;
    VALUE_EACH(volume, value_key(subject->pod, "volumes")) {
        const struct value *empty_dir = value_key(volume, "emptyDir");
        if (empty_dir != NULL && value_key(empty_dir, "sizeLimit") == NULL)
            found_in_pod(subject, value_str(value_key(volume, "name")), "volumes[%zu].emptyDir.sizeLimit", i);
        i++;
    }
}

void check_ephemeral_storage(struct subject *subject)
{
    if (place_has_default(subject->place, "default", STR("ephemeral-storage")))
        return;
    EACH_CONTAINER(c, subject)
        if (container_is_main(c) && amount(c, "limits", "ephemeral-storage") == NULL)
            found_in_container(subject, c, STR_NONE, "resources.limits.ephemeral-storage");
}

void check_quota(struct subject *subject)
{
    if (subject->facts->runs_pods && !subject->facts->has_quota)
        found(subject, STR_NONE, "%s", "");
}

void check_limit_range(struct subject *subject)
{
    if (subject->facts->runs_pods && !subject->facts->has_limit_range)
        found(subject, STR_NONE, "%s", "");
}

void check_unused_claim(struct subject *subject)
{
    if (!place_mounts(subject->place, subject->resource->name))
        found(subject, STR_NONE, "%s", "");
}
