/* What the environments do to one object, step by step. */
#include "core/base/diff.h"
#include "core/base/pointer.h"
#include "overlays/environment.h"
#include "overlays/overlays.h"

struct explaining {
    struct run *run;
    struct arena *arena;
    struct environment environment;
    struct value_list_builder steps;
};

/* Texts are left out: a patch may repeat a whole ConfigMap. */
static const struct value *shown(struct arena *arena, const struct value *value)
{
    if (value_is(value, VALUE_NUMBER) || value_is(value, VALUE_BOOL))
        return value_string(arena, value_text(value));
    return NULL;
}

static void tell(struct explaining *e, const struct resource *resource, const char *step,
                 const struct diff *difference, struct str why)
{
    static const char *const words[] = {
        [DIFF_ADDED] = "added", [DIFF_REMOVED] = "removed", [DIFF_CHANGED] = "changed"};
    struct arena *arena = e->arena;
    struct str name = e->environment.config->name;
    struct str off =
        str_fmt(arena, "change environment %.*s, step %s (docs/repository.md)", STR_ARG(name), step);
    value_push(arena, &e->steps,
               VALUE_MAP(arena, {"resource", value_string(arena, resource_label(arena, resource))},
                         {"action", value_cstr(arena, words[difference->kind])},
                         {"path", value_string(arena, pointer_dotted(arena, difference->pointer))},
                         {"before", shown(arena, difference->before)},
                         {"after", shown(arena, difference->after)},
                         {"rule", value_string(arena, str_fmt(arena, "%.*s.%s", STR_ARG(name), step))},
                         {"why", value_string(arena, why)}, {"off", value_string(arena, off)}));
}

/* Reasons that the first `before` of the list did not give already. */
static struct str new_reasons(struct arena *arena, const struct patch_builder *patch, size_t before)
{
    return str_join(arena, patch->reasons.items + before, patch->reasons.count - before, STR("; "));
}

static bool explain_object(struct explaining *e, const struct resource *resource, struct err *err)
{
    const struct value *object = resource->object;
    size_t told = 0;
    for (size_t i = 0; i < environment_step_count(); i++) {
        const struct value *after = object;
        struct diff_list differences = {0};
        struct patch_builder patch;
        environment_patch_of(&e->environment, resource, i + 1, &patch);
        if (!environment_patched(&e->environment, resource, i + 1, &after, err))
            return false;
        diff_values(e->arena, object, after, &differences);
        struct str why = new_reasons(e->arena, &patch, told);
        for (size_t j = 0; j < differences.count; j++)
            tell(e, resource, environment_step_name(i), &differences.items[j], why);
        object = after;
        told = patch.reasons.count;
    }
    struct resource moved = renames_move(e->arena, e->environment.renames, resource);
    struct diff_list differences = {0};
    diff_values(e->arena, resource->object, moved.object, &differences);
    for (size_t j = 0; j < differences.count; j++)
        tell(e, resource, "namespaces", &differences.items[j], STR("the namespace is called otherwise here"));
    return true;
}

static bool is_meant(const struct resource *resource, const struct resource *wanted)
{
    return str_eq_nocase(resource->kind, wanted->kind) && str_eq(resource->name, wanted->name) &&
           (wanted->namespace.len == 0 || str_eq(resource->namespace, wanted->namespace));
}

/* Whoever is meant, in the part that he is in. */
static bool explain_meant(struct explaining *e, const struct declared *declared,
                          const struct resource *wanted, struct err *err)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    for (size_t i = 0; i < declared->outline.count; i++) {
        const struct resource *outline = &declared->outline.items[i];
        struct bundle part;
        if (!is_meant(outline, wanted))
            continue;
        arena_reset(arena);
        if (!parts_take(&declared->objects, parts_find(&declared->objects, outline->namespace), arena, &part,
                        err))
            return false;
        e->environment.part = &part;
        const struct resource *resource =
            bundle_find(&part, resource_group(outline), outline->kind, outline->namespace, outline->name);
        if (!explain_object(e, resource, err))
            return false;
    }
    return true;
}

bool overlays_explanation(struct run *run, const struct declared *declared, const struct resource *wanted,
                          const struct value **ret_steps, struct err *err)
{
    struct explaining e = {.run = run, .arena = run->arena};
    struct facts facts;
    struct layout layout;
    facts_gather(run->arena, &declared->outline, &facts);
    layout_of(run->arena, &declared->outline, &declared->secrets, &layout);
    for (size_t i = 0; i < run->config->environments.count; i++) {
        struct renames renames;
        const struct config_environment *config = &run->config->environments.items[i];
        if (!renames_of(run->arena, config, &layout, &renames, err))
            return false;
        e.environment = (struct environment){.arena = run->arena,
                                             .config = config,
                                             .whole = &declared->outline,
                                             .facts = &facts,
                                             .renames = &renames};
        if (!explain_meant(&e, declared, wanted, err))
            return false;
    }
    *ret_steps = value_list_done(run->arena, &e.steps);
    return true;
}
