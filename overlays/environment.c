#include "overlays/environment.h"

static bool wants_replicas(const struct config_environment *config)
{
    return config->replicas_rule != REPLICAS_KEEP;
}

static bool wants_debug(const struct config_environment *config)
{
    return config->debug;
}

static bool wants_harden(const struct config_environment *config)
{
    return config->harden;
}

static bool wants_hosts(const struct config_environment *config)
{
    return config->hosts_domain.len != 0;
}

/* In the order in which a patch reads best. */
static const struct step {
    bool (*wanted)(const struct config_environment *config);
    void (*apply)(const struct environment *environment, struct patch_builder *patch);
} steps[] = {
    {wants_replicas, step_replicas}, {wants_replicas, step_autoscaler}, {wants_replicas, step_disruption},
    {wants_debug, step_debug},       {wants_harden, step_harden},       {wants_hosts, step_hosts},
};

void environment_patch(const struct environment *environment, const struct resource *resource,
                       struct patch_builder *ret_patch)
{
    patch_builder_init(ret_patch, environment->arena, resource);
    for (size_t i = 0; i < COUNT_OF(steps); i++)
        if (steps[i].wanted(environment->config))
            steps[i].apply(environment, ret_patch);
}
