#include "overlays/verify.h"

#include "core/base/diff.h"
#include "core/base/pointer.h"
#include "core/kustomize/kustomize.h"
#include "core/secrets/open.h"
#include "overlays/environment.h"
#include "overlays/routing.h"

struct verifying {
    struct arena *arena;
    struct environment environment;
    size_t *explained; /* per step */
    size_t routes;     /* to Services that ask for one */
    size_t secrets;    /* that are what was set aside, in the form chosen */
    struct value_list_builder *unexplained;
};

static void unexplained(struct arena *arena, struct value_list_builder *list, struct str resource,
                        struct str pointer, struct str what)
{
    value_push(arena, list,
               VALUE_MAP(arena, {"resource", value_string(arena, resource)},
                         {"path", value_string(arena, pointer_dotted(arena, pointer))},
                         {"what", value_string(arena, what)}));
}

static bool is_base_folder(struct str path, struct str *ret_folder)
{
    struct str tail = STR("/kustomization.yaml");
    if (!str_starts(path, STR("base/")) || !str_ends(path, tail))
        return false;
    *ret_folder = str_slice(path, 0, path.len - tail.len);
    return true;
}

void overlays_render_base(struct arena *arena, const struct files *files, struct bundle *ret_base,
                          struct value_list_builder *problems)
{
    bundle_init(ret_base, arena);
    for (size_t i = 0; i < files->count; i++) {
        struct bundle part;
        struct str folder;
        struct err err;
        if (!is_base_folder(files->items[i].path, &folder))
            continue;
        if (!kustomize_build(arena, files, folder, &part, &err)) {
            unexplained(arena, problems, folder, STR_NONE, str_fmt(arena, "cannot be rendered: %s", err.msg));
            continue;
        }
        for (size_t j = 0; j < part.count; j++)
            bundle_add(ret_base, &part.items[j]);
    }
    bundle_sort(ret_base);
    for (size_t i = 0; i < ret_base->problems.count; i++)
        unexplained(arena, problems, STR("base"), STR_NONE, ret_base->problems.items[i]);
}

/* What the environment should make of the object, and which step makes how much of the difference. */
static bool expected_object(struct verifying *v, const struct resource *resource,
                            const struct value **ret_object, struct err *err)
{
    const struct value *object = resource->object;
    struct patch_builder all;
    environment_patch_of(&v->environment, resource, environment_step_count(), &all);
    for (size_t i = 0; i < environment_step_count() && !patch_is_empty(&all); i++) {
        const struct value *after = object;
        struct diff_list differences = {0};
        if (!environment_patched(&v->environment, resource, i + 1, &after, err))
            return false;
        diff_values(v->arena, object, after, &differences);
        v->explained[i] += differences.count;
        object = after;
    }
    *ret_object = object;
    return true;
}

/* Whether a step leaves the object out of the environment; counts it. */
static bool is_left_out(struct verifying *v, const struct resource *resource)
{
    for (size_t i = 0; i < environment_step_count(); i++) {
        struct patch_builder patch;
        environment_patch_of(&v->environment, resource, i + 1, &patch);
        if (patch.left_out) {
            v->explained[i]++;
            return true;
        }
    }
    return false;
}

static void compare(struct verifying *v, const struct resource *resource, const struct value *expected,
                    const struct value *rendered)
{
    static const char *const words[] = {
        [DIFF_ADDED] = "no step of the environment added it",
        [DIFF_REMOVED] = "no step of the environment removed it",
        [DIFF_CHANGED] = "no step of the environment gave it this value",
    };
    struct diff_list differences = {0};
    diff_values(v->arena, expected, rendered, &differences);
    for (size_t i = 0; i < differences.count; i++)
        unexplained(v->arena, v->unexplained, resource_label(v->arena, resource),
                    differences.items[i].pointer, str_of(words[differences.items[i].kind]));
}

static const struct resource *same_object(const struct bundle *bundle, const struct resource *resource)
{
    return bundle_find(bundle, resource_group(resource), resource->kind, resource->namespace, resource->name);
}

/* What stands in no base: the environment's Secrets, each in the form that its mode gives it. */
static bool verify_secrets(struct verifying *v, struct run *run, const struct bundle *base,
                           const struct bundle *rendered, struct err *err)
{
    struct secrets_check *check;
    const struct config_environment *environment = v->environment.config;
    if (!secrets_check_open(run, run->arena, environment, &run->secrets, &check, err))
        return false;
    for (size_t i = 0; i < rendered->count; i++) {
        const struct resource *resource = &rendered->items[i];
        if (same_object(base, resource) != NULL)
            continue;
        const char *why = secrets_check_one(check, resource);
        v->secrets += why == NULL;
        if (why != NULL)
            unexplained(v->arena, v->unexplained, resource_label(v->arena, resource), STR_NONE, str_of(why));
    }
    const struct resource *missing;
    while ((missing = secrets_check_missing(check)) != NULL)
        unexplained(v->arena, v->unexplained, resource_label(v->arena, missing), STR_NONE,
                    STR("is to be written and is not in the environment"));
    return true;
}

/* What stands in no base either: the routes that Services ask for. */
static bool verify_routes(struct verifying *v, struct bundle *expected, const struct bundle *rendered,
                          struct err *err)
{
    struct routes routes;
    if (!routing_generate(&v->environment, &routes, err))
        return false;
    for (size_t i = 0; i < routes.count; i++) {
        const struct resource route = renames_move(v->arena, v->environment.renames, &routes.items[i].object);
        const struct resource *found = same_object(rendered, &route);
        bundle_add(expected, &route);
        if (found == NULL)
            unexplained(v->arena, v->unexplained, resource_label(v->arena, &route), STR_NONE,
                        STR("is to be written and is not in the environment"));
        else
            compare(v, &route, route.object, found->object);
    }
    v->routes = routes.count;
    return true;
}

static bool verify_objects(struct verifying *v, struct run *run, const struct bundle *base,
                           const struct bundle *rendered, struct err *err)
{
    struct bundle moved_base;
    bundle_init(&moved_base, v->arena);
    for (size_t i = 0; i < base->count; i++) {
        const struct resource *resource = &base->items[i];
        const struct value *expected = NULL;
        if (is_left_out(v, resource))
            continue;
        if (!expected_object(v, resource, &expected, err))
            return false;
        struct resource changed = *resource;
        changed.object = expected;
        const struct resource moved = renames_move(v->arena, v->environment.renames, &changed);
        const struct resource *found = same_object(rendered, &moved);
        expected = moved.object;
        bundle_add(&moved_base, &moved);
        if (found == NULL)
            unexplained(v->arena, v->unexplained, resource_label(v->arena, resource), STR_NONE,
                        STR("is in the base and not in the environment"));
        else
            compare(v, resource, expected, found->object);
    }
    if (!verify_routes(v, &moved_base, rendered, err))
        return false;
    bundle_sort(&moved_base);
    return verify_secrets(v, run, &moved_base, rendered, err);
}

static bool verify_environment(struct run *run, struct arena *arena, const struct files *files,
                               const struct bundle *base, const struct config_environment *environment,
                               struct overlays_verification *ret_verification, struct err *err)
{
    struct overlays_verification result = {0};
    struct str folder = str_fmt(arena, "overlays/%.*s", STR_ARG(environment->name));
    struct bundle rendered;
    struct facts facts;
    struct layout layout;
    struct renames renames;
    struct err fault;
    *ret_verification = result;
    if (!kustomize_build(arena, files, folder, &rendered, &fault)) {
        unexplained(arena, &result.unexplained, folder, STR_NONE,
                    str_fmt(arena, "cannot be rendered: %s", fault.msg));
        *ret_verification = result;
        return true;
    }
    bundle_sort(&rendered);
    facts_gather(arena, base, &facts);
    layout_of(arena, base, &run->secrets, &layout);
    if (!renames_of(arena, environment, &layout, &renames, err))
        return false;
    struct verifying v = {.arena = arena,
                          .environment = {arena, environment, base, &facts, &renames},
                          .explained = ARENA_ARRAY(arena, size_t, environment_step_count()),
                          .unexplained = &result.unexplained};
    if (!verify_objects(&v, run, base, &rendered, err))
        return err_context(err, "%.*s", STR_ARG(folder));
    for (size_t i = 0; i < environment_step_count(); i++)
        if (v.explained[i] != 0)
            value_put(arena, &result.steps, str_of(environment_step_name(i)),
                      value_int(arena, (int64_t)v.explained[i]));
    if (v.routes != 0)
        value_put(arena, &result.steps, STR("routing"), value_int(arena, (int64_t)v.routes));
    if (v.secrets != 0)
        value_put(arena, &result.steps, STR("secrets"), value_int(arena, (int64_t)v.secrets));
    *ret_verification = result;
    return true;
}

/* Of a rendered environment nothing stays but what was found. */
bool overlays_verify(struct run *run, const struct files *files, const struct bundle *base,
                     const struct config_environment *environment,
                     struct overlays_verification *ret_verification, struct err *err)
{
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    struct overlays_verification found = {0}, result = {0};
    bool ok = verify_environment(run, scratch, files, base, environment, &found, err);
    for (size_t i = 0; i < found.steps.count; i++)
        value_put(run->arena, &result.steps, str_dup(run->arena, found.steps.items[i].key),
                  value_copy(run->arena, &found.steps.items[i].value));
    for (size_t i = 0; i < found.unexplained.count; i++)
        value_push(run->arena, &result.unexplained, value_copy(run->arena, &found.unexplained.items[i]));
    *ret_verification = result;
    return ok;
}
