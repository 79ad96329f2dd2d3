/* Replicas: only of what may be scaled, and what follows from it for autoscalers and disruption budgets. */
#include <inttypes.h>

#include "core/kube/selector.h"
#include "overlays/environment.h"

/* Both kinds of autoscaler name their target the same way; KEDA's kind defaults to Deployment. */
static bool targets(const struct resource *autoscaler, const struct resource *workload)
{
    const struct value *target = value_in(autoscaler->object, PATH("spec", "scaleTargetRef"));
    struct str kind = value_str(value_key(target, "kind"));
    if (kind.len == 0 && resource_is(autoscaler, "keda.sh", "ScaledObject"))
        kind = STR("Deployment");
    return str_eq(kind, workload->kind) && str_eq(value_str(value_key(target, "name")), workload->name);
}

const struct resource *autoscaler_of(const struct bundle *bundle, const struct resource *workload)
{
    size_t from, to;
    bundle_namespace(bundle, workload->namespace, &from, &to);
    for (size_t i = from; i < to; i++) {
        const struct resource *other = &bundle->items[i];
        if ((resource_is(other, "autoscaling", "HorizontalPodAutoscaler") ||
             resource_is(other, "keda.sh", "ScaledObject")) &&
            targets(other, workload))
            return other;
    }
    return NULL;
}

/* A claim that only one node may mount holds its pods together; so does one that nothing is known of. */
static bool claim_can_be_shared(const struct bundle *bundle, struct str namespace, struct str name)
{
    const struct resource *claim =
        bundle_find(bundle, STR(""), STR("PersistentVolumeClaim"), namespace, name);
    if (claim == NULL)
        return false;
    VALUE_EACH(mode, value_in(claim->object, PATH("spec", "accessModes")))
    if (str_is(value_str(mode), "ReadWriteMany") || str_is(value_str(mode), "ReadOnlyMany"))
        return true;
    return false;
}

static bool volumes_can_be_shared(const struct bundle *bundle, const struct workload *workload)
{
    VALUE_EACH(volume, value_key(workload->pod_spec, "volumes"))
    {
        const struct value *claim = value_key(volume, "persistentVolumeClaim");
        if (claim != NULL && !claim_can_be_shared(bundle, workload->resource->namespace,
                                                  value_str(value_key(claim, "claimName"))))
            return false;
    }
    return true;
}

static bool may_be_scaled(const struct environment *environment, const struct workload *workload)
{
    return workload->resource != NULL && (workload->traits & WORKLOAD_SCALES) &&
           !(workload->traits & WORKLOAD_STATEFUL) &&
           autoscaler_of(environment->bundle, workload->resource) == NULL &&
           volumes_can_be_shared(environment->bundle, workload);
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

int64_t environment_replicas(const struct environment *environment, const struct workload *workload)
{
    int64_t now = workload_replicas(workload);
    return may_be_scaled(environment, workload) ? wished(environment->config, now) : now;
}

void step_replicas(const struct environment *environment, struct patch_builder *patch)
{
    struct arena *arena = patch->arena;
    if (patch->workload.resource == NULL)
        return;
    int64_t now = workload_replicas(&patch->workload),
            wish = environment_replicas(environment, &patch->workload);
    if (now == wish)
        return;
    patch_object(patch, PATH("spec", "replicas"), value_int(arena, wish));
    patch_reason(
        patch, str_fmt(arena, "%" PRId64 " replica%s instead of %" PRId64, wish, wish == 1 ? "" : "s", now));
}

/* The autoscaler goes on deciding; the environment only moves the bound that contradicts its wish: at least N raises the
 * lower one, fixed N lowers it. */
void step_autoscaler(const struct environment *environment, struct patch_builder *patch)
{
    struct arena *arena = patch->arena;
    const struct value *spec = value_key(patch->resource->object, "spec");
    const struct config_environment *config = environment->config;
    int64_t least = 1, most;
    if (!resource_is(patch->resource, "autoscaling", "HorizontalPodAutoscaler") ||
        !value_i64(value_key(spec, "maxReplicas"), &most))
        return;
    value_i64(value_key(spec, "minReplicas"), &least);
    bool raise = config->replicas_rule == REPLICAS_AT_LEAST && least < config->replicas;
    bool lower = config->replicas_rule == REPLICAS_FIXED && least > config->replicas && config->replicas > 0;
    if (!raise && !lower)
        return;
    patch_object(patch, PATH("spec", "minReplicas"), value_int(arena, config->replicas));
    if (most < config->replicas)
        patch_object(patch, PATH("spec", "maxReplicas"), value_int(arena, config->replicas));
    patch_reason(patch, str_fmt(arena, "scales from %" PRId64 " on", config->replicas));
}

/* Pods that a budget selects, before and after the environment's change. */
static void selected_replicas(const struct environment *environment, const struct resource *budget,
                              int64_t *ret_before, int64_t *ret_after)
{
    size_t from, to;
    const struct value *selector = value_in(budget->object, PATH("spec", "selector"));
    bundle_namespace(environment->bundle, budget->namespace, &from, &to);
    *ret_before = *ret_after = 0;
    for (size_t i = from; i < to; i++) {
        struct workload workload;
        if (!workload_of(&environment->bundle->items[i], &workload) ||
            !selector_matches(selector, workload.labels))
            continue;
        *ret_before += workload_replicas(&workload);
        *ret_after += environment_replicas(environment, &workload);
    }
}

/* A budget that would allow no eviction at all blocks every node drain, for good. */
void step_disruption(const struct environment *environment, struct patch_builder *patch)
{
    int64_t least, before, after;
    if (!resource_is(patch->resource, "policy", "PodDisruptionBudget") ||
        !value_i64(value_in(patch->resource->object, PATH("spec", "minAvailable")), &least))
        return;
    selected_replicas(environment, patch->resource, &before, &after);
    if (after >= before || after > least)
        return;
    patch_object(patch, PATH("spec", "minAvailable"), value_null(patch->arena));
    patch_object(patch, PATH("spec", "maxUnavailable"), value_int(patch->arena, 1));
    patch_reason(patch, STR("fewer replicas: the old budget would block every node drain"));
}
