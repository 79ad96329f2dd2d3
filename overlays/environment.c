#include "overlays/environment.h"

#include "core/base/patch.h"
#include "core/kustomize/merge.h"

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

static bool wants_storage(const struct config_environment *config)
{
    return config->storage_class_default.len != 0 || value_count(config->storage_class_map) != 0;
}

static bool wants_namespaces(const struct config_environment *config)
{
    return config->namespace_prefix.len + config->namespace_suffix.len != 0 ||
           value_count(config->namespace_map) != 0;
}

/* In the order in which a patch reads best. */
static const struct step {
    const char *name;
    bool (*wanted)(const struct config_environment *config);
    void (*apply)(const struct environment *environment, struct patch_builder *patch);
} steps[] = {
    {"replicas", wants_replicas, step_replicas},
    {"autoscaler", wants_replicas, step_autoscaler},
    {"disruption", wants_replicas, step_disruption},
    {"debug", wants_debug, step_debug},
    {"harden", wants_harden, step_harden},
    {"storage classes", wants_storage, step_storage},
    {"hosts", wants_hosts, step_hosts},
    {"namespaces", wants_namespaces, step_namespaces},
};

size_t environment_step_count(void)
{
    return COUNT_OF(steps);
}

const char *environment_step_name(size_t index)
{
    return steps[index].name;
}

void environment_patch_of(const struct environment *environment, const struct resource *resource,
                          size_t count, struct patch_builder *ret_patch)
{
    patch_builder_init(ret_patch, environment->arena, resource);
    for (size_t i = 0; i < count; i++)
        if (steps[i].wanted(environment->config))
            steps[i].apply(environment, ret_patch);
}

void environment_patch(const struct environment *environment, const struct resource *resource,
                       struct patch_builder *ret_patch)
{
    environment_patch_of(environment, resource, COUNT_OF(steps), ret_patch);
}

bool environment_patched(const struct environment *environment, const struct resource *resource, size_t count,
                         const struct value **ret_object, struct err *err)
{
    struct arena *arena = environment->arena;
    struct patch_builder patch;
    environment_patch_of(environment, resource, count, &patch);
    const struct value *merge = patch_merge_document(&patch), *operations = patch_operations(&patch);
    const struct value *object = resource->object;
    enum shape shape = schema_shape(resource_group(resource), resource_version(resource), resource->kind);
    if ((operations != NULL && !patch_json(arena, object, operations, &object, err)) ||
        (merge != NULL && !merge_strategic(arena, shape, object, merge, &object, err))) {
        struct str label = resource_label(arena, resource);
        return err_context(err, "%.*s", STR_ARG(label));
    }
    *ret_object = object;
    return true;
}
