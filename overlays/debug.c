/* Debug: LOG_LEVEL=debug for every container, and for variables of that kind which are already there. */
#include "overlays/environment.h"

static bool is_log_level(struct str name)
{
    return str_is(name, "LOG_LEVEL") || str_is(name, "LOGLEVEL") || str_ends(name, STR("_LOG_LEVEL"));
}

/* A value that came from elsewhere must be taken away explicitly: both at once are refused by the API server. */
static const struct value *variable(struct arena *arena, struct str name, bool from_elsewhere)
{
    return VALUE_MAP(arena, {"name", value_string(arena, name)}, {"value", value_cstr(arena, "debug")},
                     {"valueFrom", from_elsewhere ? value_null(arena) : NULL});
}

static void debug_container(struct patch_builder *patch, const struct value *container)
{
    struct arena *arena = patch->arena;
    struct value_list_builder env = {0};
    bool has_level = false;
    VALUE_EACH(item, value_key(container, "env"))
    {
        struct str name = value_str(value_key(item, "name"));
        if (!is_log_level(name))
            continue;
        has_level = has_level || str_is(name, "LOG_LEVEL");
        if (!str_is(value_str(value_key(item, "value")), "debug"))
            value_push(arena, &env, variable(arena, name, value_key(item, "valueFrom") != NULL));
    }
    if (!has_level)
        value_push(arena, &env, variable(arena, STR("LOG_LEVEL"), false));
    if (env.count == 0)
        return;
    patch_container(patch, "containers", value_str(value_key(container, "name")), PATH("env"),
                    value_list_done(arena, &env));
    patch_reason(patch, STR("verbose logging"));
}

void step_debug(const struct environment *environment, struct patch_builder *patch)
{
    VALUE_EACH(container, value_key(patch->workload.pod_spec, "containers"))
    debug_container(patch, container);
}
