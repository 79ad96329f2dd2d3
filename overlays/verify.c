#include "overlays/verify.h"

#include "core/base/diff.h"
#include "core/base/pointer.h"
#include "core/base/yaml.h"
#include "core/kube/outline.h"
#include "core/kustomize/kustomize.h"
#include "core/secrets/open.h"
#include "overlays/environment.h"
#include "overlays/routing.h"

/* One environment; `arena` is of the folder at hand. */
struct verifying {
    struct run *run;
    struct arena *arena;
    struct environment environment;
    struct routes routes;
    struct str_list listed;                 /* folders, in the root */
    size_t *explained;                      /* per step */
    size_t routed;                          /* routes to Services that ask for one */
    size_t secrets;                         /* that are what was set aside, in the form chosen */
    struct value_list_builder *unexplained; /* in the run's arena */
};

static void blame(struct arena *arena, struct value_list_builder *list, struct str resource,
                  struct str pointer, struct str what)
{
    const struct value *item = VALUE_MAP(arena, {"resource", value_string(arena, resource)},
                                         {"path", value_string(arena, pointer_dotted(arena, pointer))},
                                         {"what", value_string(arena, what)});
    value_push(arena, list, value_copy(arena, item));
}

static void unexplained(struct verifying *v, struct str resource, struct str pointer, struct str what)
{
    blame(v->run->arena, v->unexplained, resource, pointer, what);
}

static void unexplained_of(struct verifying *v, const struct resource *resource, struct str pointer,
                           const char *what)
{
    unexplained(v, resource_label(v->arena, resource), pointer, str_of(what));
}

/* ---- the base ---- */

bool overlays_render_base(struct arena *arena, const struct files_in *files, struct str folder,
                          struct bundle *ret_base, struct value_list_builder *problems, struct err *err)
{
    struct str path = str_fmt(arena, "base/%.*s", STR_ARG(folder));
    struct files read = {0};
    struct err fault;
    bundle_init(ret_base, arena);
    if (!files_in_read(files, arena, path, &read, err) || !files_sort(&read, err))
        return false;
    if (read.count == 0)
        return true;
    if (!kustomize_build(arena, &read, path, ret_base, &fault)) {
        bundle_init(ret_base, arena);
        blame(arena, problems, path, STR_NONE, str_fmt(arena, "cannot be rendered: %s", fault.msg));
        return true;
    }
    bundle_sort(ret_base);
    for (size_t i = 0; i < ret_base->problems.count; i++)
        blame(arena, problems, path, STR_NONE, ret_base->problems.items[i]);
    return true;
}

static void append(struct arena *arena, struct value_list_builder *to, const struct value_list_builder *from)
{
    for (size_t i = 0; i < from->count; i++)
        value_push(arena, to, value_copy(arena, &from->items[i]));
}

bool overlays_outline_base(struct arena *arena, const struct files_in *files, size_t objects,
                           struct bundle *ret_outline, struct value_list_builder *problems, struct err *err)
{
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    struct str_list folders;
    bundle_init(ret_outline, arena);
    outline_reserve(ret_outline, objects);
    if (!files_in_folders(files, arena, STR("base"), &folders, err))
        return false;
    for (size_t i = 0; i < folders.count; i++) {
        struct value_list_builder found = {0};
        struct bundle base;
        arena_reset(scratch);
        if (!overlays_render_base(scratch, files, folders.items[i], &base, &found, err))
            return false;
        append(arena, problems, &found);
        for (size_t j = 0; j < base.count; j++)
            outline_add(ret_outline, &base.items[j]);
    }
    bundle_sort(ret_outline);
    for (size_t i = 0; i < ret_outline->problems.count; i++)
        blame(arena, problems, STR("base"), STR_NONE, ret_outline->problems.items[i]);
    return true;
}

/* ---- an environment ---- */

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
        unexplained_of(v, resource, differences.items[i].pointer, words[differences.items[i].kind]);
}

static const struct resource *same_object(const struct bundle *bundle, const struct resource *resource)
{
    return bundle_find(bundle, resource_group(resource), resource->kind, resource->namespace, resource->name);
}

/* What stands in no base: the environment's Secrets, each in the form that its mode gives it. */
static bool verify_secrets(struct verifying *v, const struct bundle *secrets, const struct bundle *base,
                           const struct bundle *rendered, struct err *err)
{
    struct secrets_check *check;
    if (!secrets_check_open(v->run, v->arena, v->environment.config, secrets, &check, err))
        return false;
    for (size_t i = 0; i < rendered->count; i++) {
        const struct resource *resource = &rendered->items[i];
        if (same_object(base, resource) != NULL)
            continue;
        const char *why = secrets_check_one(check, resource);
        v->secrets += why == NULL;
        if (why != NULL)
            unexplained_of(v, resource, STR_NONE, why);
    }
    const struct resource *missing;
    while ((missing = secrets_check_missing(check)) != NULL)
        unexplained_of(v, missing, STR_NONE, "is to be written and is not in the environment");
    return true;
}

/* What stands in no base either: the routes that Services ask for. */
static void verify_routes(struct verifying *v, struct str folder, struct bundle *expected,
                          const struct bundle *rendered)
{
    for (size_t i = 0; i < v->routes.count; i++) {
        const struct resource *object = &v->routes.items[i].object;
        if (!str_eq(object->namespace, folder))
            continue;
        const struct resource route = renames_move(v->arena, v->environment.renames, object);
        const struct resource *found = same_object(rendered, &route);
        bundle_add(expected, &route);
        v->routed++;
        if (found == NULL)
            unexplained_of(v, &route, STR_NONE, "is to be written and is not in the environment");
        else
            compare(v, &route, route.object, found->object);
    }
}

/* The objects of the base as the environment should have them. */
static bool verify_objects(struct verifying *v, const struct bundle *base, const struct bundle *rendered,
                           struct bundle *moved_base, struct err *err)
{
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
        bundle_add(moved_base, &moved);
        if (found == NULL)
            unexplained_of(v, resource, STR_NONE, "is in the base and not in the environment");
        else
            compare(v, resource, moved.object, found->object);
    }
    return true;
}

/* `rendered` is sorted. */
static bool verify_rendered(struct verifying *v, struct str folder, const struct bundle *base,
                            const struct bundle *secrets, const struct bundle *rendered, struct err *err)
{
    struct bundle expected;
    bundle_init(&expected, v->arena);
    v->environment.arena = v->arena;
    v->environment.part = base;
    if (!verify_objects(v, base, rendered, &expected, err))
        return false;
    verify_routes(v, folder, &expected, rendered);
    bundle_sort(&expected);
    return verify_secrets(v, secrets, &expected, rendered, err);
}

static bool take_secrets(const struct parts *secrets, struct arena *arena, struct str namespace,
                         struct bundle *ret_secrets, struct err *err)
{
    size_t index = parts_find(secrets, namespace);
    bundle_init(ret_secrets, arena);
    return index == secrets->count || parts_take(secrets, index, arena, ret_secrets, err);
}

/* A folder that is not there, or that the root does not list, comes to nothing. */
static bool render(struct verifying *v, const struct files_in *files, struct str folder,
                   struct bundle *ret_rendered, struct err *err)
{
    struct arena *arena = v->arena;
    struct str environment = v->environment.config->name;
    struct str path = str_fmt(arena, "overlays/%.*s/%.*s", STR_ARG(environment), STR_ARG(folder));
    struct files read = {0};
    struct err fault;
    bundle_init(ret_rendered, arena);
    if (!str_in(folder, v->listed.items, v->listed.count))
        return true;
    if (!files_in_read(files, arena, path, &read, err))
        return false;
    if (read.count == 0)
        return true;
    if (!files_in_read(files, arena, str_fmt(arena, "base/%.*s", STR_ARG(folder)), &read, err) ||
        !files_sort(&read, err))
        return false;
    if (!kustomize_build(arena, &read, path, ret_rendered, &fault)) {
        bundle_init(ret_rendered, arena);
        unexplained(v, path, STR_NONE, str_fmt(arena, "cannot be rendered: %s", fault.msg));
    }
    bundle_sort(ret_rendered);
    return true;
}

static bool verify_folder(struct verifying *v, const struct files_in *files, const struct parts *all_secrets,
                          struct str folder, struct err *err)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct value_list_builder told_before = {0};
    struct bundle base, secrets, rendered;
    v->arena = arena;
    return (overlays_render_base(arena, files, folder, &base, &told_before, err) &&
            take_secrets(all_secrets, arena, folder, &secrets, err) &&
            render(v, files, folder, &rendered, err) &&
            verify_rendered(v, folder, &base, &secrets, &rendered, err)) ||
           err_context(err, "overlays/%.*s/%.*s", STR_ARG(v->environment.config->name), STR_ARG(folder));
}

/* The root lists folders: each once, those of this environment, and does nothing else. */
static bool read_root(struct verifying *v, const struct files_in *files, struct arena *arena, struct err *err)
{
    struct str path =
        str_fmt(arena, "overlays/%.*s/kustomization.yaml", STR_ARG(v->environment.config->name));
    struct yaml_documents documents;
    struct files read = {0};
    struct err fault;
    if (!files_in_read(files, arena, path, &read, err))
        return false;
    if (read.count == 0 || !yaml_parse(arena, read.items[0].bytes, path, &documents, &fault) ||
        documents.count != 1) {
        unexplained(v, path, STR_NONE, STR("cannot be read as the list of the environment's folders"));
        return true;
    }
    MEMBER_EACH(member, documents.items[0].root) {
        if (str_is(member->key, "resources"))
            VALUE_EACH(name, &member->value)
                *ARENA_PUSH(arena, &v->listed) = value_str(name);
        else if (!str_is(member->key, "apiVersion") && !str_is(member->key, "kind"))
            unexplained(v, path, pointer_child(arena, STR_NONE, member->key),
                        STR("the root does more than list folders"));
    }
    return true;
}

static void check_listed(struct verifying *v, const struct str_list *folders)
{
    const struct str_list *listed = &v->listed;
    struct str where = str_fmt(v->run->arena, "overlays/%.*s", STR_ARG(v->environment.config->name));
    for (size_t i = 0; i < listed->count; i++)
        if (!str_in(listed->items[i], folders->items, folders->count) ||
            str_in(listed->items[i], listed->items, i))
            unexplained(v, where, STR_NONE,
                        str_fmt(v->run->arena, "lists %.*s, which is no folder of it or is listed already",
                                STR_ARG(listed->items[i])));
    for (size_t i = 0; i < folders->count; i++)
        if (!str_in(folders->items[i], listed->items, listed->count))
            unexplained(v, where, STR_NONE,
                        str_fmt(v->run->arena, "does not list its folder %.*s", STR_ARG(folders->items[i])));
}

static bool verify_environment(struct verifying *v, const struct files_in *files, const struct layout *layout,
                               const struct parts *secrets, struct err *err)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct str_list folders;
    struct str path = str_fmt(arena, "overlays/%.*s", STR_ARG(v->environment.config->name));
    if (!read_root(v, files, arena, err) || !files_in_folders(files, arena, path, &folders, err))
        return false;
    check_listed(v, &folders);
    for (size_t i = 0; i < layout->count; i++)
        if (!verify_folder(v, files, secrets, layout->items[i].name, err))
            return false;
    for (size_t i = 0; i < folders.count; i++)
        if (!layout_has(layout, folders.items[i]) && !verify_folder(v, files, secrets, folders.items[i], err))
            return false;
    return true;
}

static void put_steps(const struct verifying *v, struct value_map_builder *steps)
{
    struct arena *arena = v->run->arena;
    for (size_t i = 0; i < environment_step_count(); i++)
        if (v->explained[i] != 0)
            value_put(arena, steps, str_of(environment_step_name(i)),
                      value_int(arena, (int64_t)v->explained[i]));
    if (v->routed != 0)
        value_put(arena, steps, STR("routing"), value_int(arena, (int64_t)v->routed));
    if (v->secrets != 0)
        value_put(arena, steps, STR("secrets"), value_int(arena, (int64_t)v->secrets));
}

bool overlays_verify(struct run *run, const struct files_in *files, const struct bundle *base,
                     const struct parts *secrets, const struct config_environment *environment,
                     struct overlays_verification *ret_verification, struct err *err)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct overlays_verification result = {0};
    struct facts facts;
    struct layout layout;
    struct renames renames;
    struct verifying v = {.run = run, .arena = arena, .unexplained = &result.unexplained};
    facts_gather(arena, base, &facts);
    layout_of(arena, base, secrets, &layout);
    v.explained = ARENA_ARRAY(arena, size_t, environment_step_count());
    v.environment = (struct environment){
        .arena = arena, .config = environment, .whole = base, .facts = &facts, .renames = &renames};
    if (!renames_of(arena, environment, &layout, &renames, err) ||
        !routing_generate(&v.environment, &v.routes, err) ||
        !verify_environment(&v, files, &layout, secrets, err))
        return false;
    put_steps(&v, &result.steps);
    *ret_verification = result;
    return true;
}
