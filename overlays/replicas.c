/* Replicas: only of what may be scaled, and what follows from it for autoscalers and disruption budgets. */
#include <inttypes.h>

#include "core/kube/selector.h"
#include "overlays/environment.h"

/* A claim that only one node may mount holds its pods together; so does one that nothing is known of. */
static bool volumes_can_be_shared(const struct facts *facts, const struct workload *workload)
{
    VALUE_EACH(volume, value_key(workload->pod_spec, "volumes")) {
        const struct value *claim = value_key(volume, "persistentVolumeClaim");
        if (claim != NULL && !facts_claim_can_be_shared(facts, workload->resource->namespace,
                                                        value_str(value_key(claim, "claimName"))))
            return false;
    }
    return true;
}

/* What may run as one pod or as many, whoever decides how many. */
static bool is_scalable(const struct facts *facts, const struct workload *workload)
{
    return workload->resource != NULL && (workload->traits & WORKLOAD_SCALES) &&
           !(workload->traits & WORKLOAD_STATEFUL) &&
           value_in(workload->resource->object, PATH("metadata", "ownerReferences")) == NULL &&
           volumes_can_be_shared(facts, workload);
}

/* Somebody who set 0 stopped it on purpose; an environment does not start it again. */
static int64_t wished(const struct config_environment *config, int64_t now)
{
    if (now == 0 || config->replicas_rule == REPLICAS_KEEP)
        return now;
    if (config->replicas_rule == REPLICAS_FIXED)
        return config->replicas;
    return now < config->replicas ? config->replicas : now;
}

/* What an autoscaler moves between. */
struct bounds {
    const char *least_key, *most_key;
    int64_t least, most;
};

static struct bounds bounds_of(const struct resource *autoscaler)
{
    bool keda = str_is(autoscaler->kind, "ScaledObject");
    const struct value *spec = value_key(autoscaler->object, "spec");
    struct bounds bounds = {keda ? "minReplicaCount" : "minReplicas",
                            keda ? "maxReplicaCount" : "maxReplicas", keda ? 0 : 1, keda ? 100 : 1};
    value_i64(value_key(spec, bounds.least_key), &bounds.least);
    value_i64(value_key(spec, bounds.most_key), &bounds.most);
    return bounds;
}

/* The autoscaler goes on deciding; the environment only moves the bound that contradicts its wish: at least N raises
 * the lower one, fixed N lowers it. One that scales to nothing does so on purpose. */
static struct bounds wished_bounds(const struct config_environment *config, struct bounds now)
{
    bool raise = config->replicas_rule == REPLICAS_AT_LEAST && now.least < config->replicas;
    bool lower = config->replicas_rule == REPLICAS_FIXED && now.least > config->replicas;
    if (now.least > 0 && config->replicas > 0 && (raise || lower))
        now.least = config->replicas;
    now.most = now.most < now.least ? now.least : now.most;
    return now;
}

static int64_t replicas_in(const struct config_environment *config, const struct facts *facts,
                           const struct workload *workload)
{
    const struct resource *autoscaler = facts_autoscaler(facts, workload->resource);
    bool scalable = is_scalable(facts, workload);
    if (autoscaler != NULL) {
        struct bounds bounds = bounds_of(autoscaler);
        return scalable ? wished_bounds(config, bounds).least : bounds.least;
    }
    int64_t now = workload_replicas(workload);
    return scalable ? wished(config, now) : now;
}

int64_t environment_replicas(const struct environment *environment, const struct workload *workload)
{
    return replicas_in(environment->config, environment->facts, workload);
}

/* The same where no environment wishes for anything. */
static int64_t base_replicas(const struct environment *environment, const struct workload *workload)
{
    static const struct config_environment keep = {.replicas_rule = REPLICAS_KEEP};
    return replicas_in(&keep, environment->facts, workload);
}

void step_replicas(const struct environment *environment, struct patch_builder *patch)
{
    struct arena *arena = patch->arena;
    const struct workload *workload = &patch->workload;
    if (workload->resource == NULL || facts_autoscaler(environment->facts, workload->resource) != NULL)
        return;
    int64_t now = workload_replicas(workload), wish = environment_replicas(environment, workload);
    if (now == wish)
        return;
    patch_object(patch, PATH("spec", "replicas"), value_int(arena, wish));
    patch_reason(
        patch, str_fmt(arena, "%" PRId64 " replica%s instead of %" PRId64, wish, wish == 1 ? "" : "s", now));
}

/* An autoscaler of something that must not be scaled, or of something unknown, stays as it is. */
static bool moves_scalable(const struct environment *environment, const struct resource *autoscaler)
{
    const struct value *target = value_in(autoscaler->object, PATH("spec", "scaleTargetRef"));
    struct str version = value_str(value_key(target, "apiVersion")),
               kind = value_str(value_key(target, "kind"));
    struct workload workload;
    const struct resource *resource = bundle_find(
        environment->part, version.len ? str_slice(version, 0, str_find(version, '/')) : STR("apps"),
        kind.len ? kind : STR("Deployment"), autoscaler->namespace, value_str(value_key(target, "name")));
    return resource != NULL && workload_of(resource, &workload) && is_scalable(environment->facts, &workload);
}

void step_autoscaler(const struct environment *environment, struct patch_builder *patch)
{
    struct arena *arena = patch->arena;
    if ((!resource_is(patch->resource, "autoscaling", "HorizontalPodAutoscaler") &&
         !resource_is(patch->resource, "keda.sh", "ScaledObject")) ||
        !moves_scalable(environment, patch->resource))
        return;
    struct bounds now = bounds_of(patch->resource), wish = wished_bounds(environment->config, now);
    if (wish.least != now.least)
        patch_object(patch, PATH("spec", wish.least_key), value_int(arena, wish.least));
    if (wish.most != now.most)
        patch_object(patch, PATH("spec", wish.most_key), value_int(arena, wish.most));
    if (wish.least != now.least || wish.most != now.most)
        patch_reason(patch, str_fmt(arena, "scales from %" PRId64 " on", wish.least));
}

/* Pods that a budget selects, before and after the environment's change. */
static void selected_replicas(const struct environment *environment, const struct resource *budget,
                              int64_t *ret_before, int64_t *ret_after)
{
    size_t from, to;
    const struct value *selector = value_in(budget->object, PATH("spec", "selector"));
    bundle_namespace(environment->part, budget->namespace, &from, &to);
    *ret_before = *ret_after = 0;
    for (size_t i = from; i < to; i++) {
        struct workload workload;
        if (!workload_of(&environment->part->items[i], &workload) ||
            !selector_matches(selector, workload.labels))
            continue;
        *ret_before += base_replicas(environment, &workload);
        *ret_after += environment_replicas(environment, &workload);
    }
}

/* How many of `pods` minAvailable asks for; a share is rounded up, as the disruption controller does. */
static bool asked_for(const struct value *least, int64_t pods, int64_t *ret_asked)
{
    uint64_t share;
    struct str text = value_str(least);
    if (value_i64(least, ret_asked))
        return true;
    if (!str_ends(text, STR("%")) || !str_to_u64(str_slice(text, 0, text.len - 1), &share) || share > 100)
        return false;
    *ret_asked = (pods * (int64_t)share + 99) / 100;
    return true;
}

/* A budget that would allow no eviction at all blocks every node drain, for good. One that does so already was meant
 * to. */
void step_disruption(const struct environment *environment, struct patch_builder *patch)
{
    const struct value *least = value_in(patch->resource->object, PATH("spec", "minAvailable"));
    int64_t before, after, asked_before, asked_after;
    if (least == NULL || !resource_is(patch->resource, "policy", "PodDisruptionBudget"))
        return;
    selected_replicas(environment, patch->resource, &before, &after);
    if (!asked_for(least, before, &asked_before) || !asked_for(least, after, &asked_after) ||
        after >= before || asked_before >= before || asked_after < after)
        return;
    patch_object(patch, PATH("spec", "minAvailable"), value_null(patch->arena));
    patch_object(patch, PATH("spec", "maxUnavailable"), value_int(patch->arena, 1));
    patch_reason(patch, STR("fewer replicas: the old budget would block every node drain"));
}
