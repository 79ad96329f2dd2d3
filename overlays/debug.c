/* Debug: LOG_LEVEL=debug for every container, and for variables of that kind which are already there. The annotation
 * gitops-pipe.io/debug on the workload says that it was done. */
#include "overlays/environment.h"

static bool is_log_level(struct str name)
{
    return str_is(name, "LOG_LEVEL") || str_is(name, "LOGLEVEL") || str_ends(name, STR("_LOG_LEVEL"));
}

static bool all_digits(struct str text)
{
    uint64_t number;
    return str_to_u64(text, &number);
}

/* Written as the old level was: some loggers know only "DEBUG". */
static const char *debug_like(struct str old)
{
    return old.len != 0 && old.ptr[0] >= 'A' && old.ptr[0] <= 'Z' && old.ptr[old.len - 1] <= 'Z' ? "DEBUG"
                                                                                                 : "debug";
}

/* A value that came from elsewhere must be taken away explicitly: both at once are refused by the API server. */
static const struct value *variable(struct arena *arena, struct str name, const char *level,
                                    bool from_elsewhere)
{
    return VALUE_MAP(arena, {"name", value_string(arena, name)}, {"value", value_cstr(arena, level)},
                     {"valueFrom", from_elsewhere ? value_null(arena) : NULL});
}

static void debug_container(struct patch_builder *patch, const struct value *container)
{
    struct arena *arena = patch->arena;
    struct value_list_builder env = {0};
    bool has_level = false;
    VALUE_EACH(item, value_key(container, "env")) {
        struct str name = value_str(value_key(item, "name")), old = value_str(value_key(item, "value"));
        if (!is_log_level(name))
            continue;
        has_level = has_level || str_is(name, "LOG_LEVEL");
        if (!str_is(old, debug_like(old)) && !all_digits(old)) /* a number's scale is not known */
            value_push(arena, &env,
                       variable(arena, name, debug_like(old), value_key(item, "valueFrom") != NULL));
    }
    if (!has_level)
        value_push(arena, &env, variable(arena, STR("LOG_LEVEL"), "debug", false));
    if (env.count == 0)
        return;
    patch_container(patch, "containers", value_str(value_key(container, "name")), PATH("env"),
                    value_list_done(arena, &env));
    patch_object(patch, PATH("metadata", "annotations", "gitops-pipe.io/debug"),
                 value_cstr(arena, "LOG_LEVEL"));
    patch_reason(patch, STR("verbose logging"));
}

void step_debug(const struct environment *environment, struct patch_builder *patch)
{
    if (!patch_can_change_pods(patch))
        return;
    VALUE_EACH(container, value_key(patch->workload.pod_spec, "containers"))
        debug_container(patch, container);
}
