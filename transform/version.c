/* In which API version an object is written. */
#include "core/kube/retired.h"
#include "transform/rule.h"

/* The minor release that the repository is for: what the configuration says, else that of the backup; manifests are for
 * whatever is newest. */
static uint64_t target_minor(const struct subject *subject)
{
    struct str configured = subject->run->config->target_version;
    return kubernetes_minor(configured.len ? configured : subject->scene->about->server_version);
}

/* An empty selector selected nothing in policy/v1beta1, and selects every pod since. */
static bool changes_its_meaning(const struct subject *subject)
{
    return resource_is(subject->live, "policy", "PodDisruptionBudget") &&
           value_count(value_in(subject->object, PATH("spec", "selector"))) == 0;
}

void rule_successor_version(struct subject *subject)
{
    const struct retired_api *api = retired_api_of(subject->live);
    if (api != NULL && api->same_shape && api->removed != 0 && target_minor(subject) >= api->removed &&
        !changes_its_meaning(subject))
        subject_set(subject, PATH("apiVersion"), value_cstr(subject->arena, api->successor));
}

void rule_removed_apis(struct subject *subject)
{
    const struct retired_api *api = retired_api_of(subject->live);
    if (api == NULL || api->removed == 0 ||
        !str_eq(value_str(value_key(subject->object, "apiVersion")), subject->live->api_version))
        return;
    bool gone = target_minor(subject) >= api->removed;
    subject_finding(subject, "transform.removed-api", gone ? SEVERITY_WARNING : SEVERITY_INFO, "apiVersion",
                    str_fmt(subject->arena,
                            gone ? "%s is not served since Kubernetes 1.%u"
                                 : "%s will not be served from Kubernetes 1.%u on",
                            api->api_version, api->removed),
                    str_c(subject->arena, str_fmt(subject->arena, "write it as %s", api->successor)));
}
