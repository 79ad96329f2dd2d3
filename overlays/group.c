#include "overlays/group.h"

static struct str path_of(struct writer *writer, const char *top, struct str group, struct str file)
{
    return str_fmt(writer->arena, "%s/%.*s/%.*s", top, STR_ARG(group), STR_ARG(file));
}

/* What is only needed to write an object goes with it. */
static struct writer in_scratch(const struct writer *writer, struct arena *scratch)
{
    struct writer within = *writer;
    within.arena = scratch;
    return within;
}

struct group group_of(struct arena *arena, const struct layout_group *layout, const struct bundle *part)
{
    struct group group = {layout, part, ARENA_ARRAY(arena, const struct resource *, layout->count + 1)};
    for (size_t i = 0; i < layout->count; i++) {
        const struct resource *known = layout->entries[i].resource;
        const struct resource *found =
            bundle_find(part, resource_group(known), known->kind, known->namespace, known->name);
        group.objects[i] = found ? found : known;
    }
    return group;
}

/* Whatever transform was told to leave out: a value that can be read never gets into the base. */
static bool check_no_secret(const struct resource *resource, struct err *err)
{
    if (!resource_is(resource, "", "Secret") || (value_count(value_key(resource->object, "data")) == 0 &&
                                                 value_count(value_key(resource->object, "stringData")) == 0))
        return true;
    return err_set(err, ERR_REFUSED, "Secret %.*s/%.*s would be readable in the repository",
                   STR_ARG(resource->namespace), STR_ARG(resource->name));
}

bool group_write_base(struct writer *writer, const struct group *group)
{
    struct arena *arena = writer->arena, *scratch CLEANUP(arena_cleanup) = arena_new();
    struct writer within = in_scratch(writer, scratch);
    struct value_list_builder resources = {0};
    struct str name = group->layout->name;
    for (size_t i = 0; i < group->layout->count; i++) {
        const struct layout_entry *entry = &group->layout->entries[i];
        const struct resource *resource = group->objects[i];
        arena_reset(scratch);
        value_push(arena, &resources, value_string(arena, entry->file));
        if (!check_no_secret(resource, writer->err) ||
            !writer_document(&within, path_of(&within, "base", name, entry->file), STR_NONE,
                             writer_ordered(scratch, resource->object)))
            return false;
    }
    return writer_kustomization(writer, str_fmt(arena, "base/%.*s", STR_ARG(name)),
                                value_list_done(arena, &resources), NULL);
}

static const struct value *patch_target(struct arena *arena, const struct resource *resource)
{
    struct str group = resource_group(resource);
    return VALUE_MAP(
        arena, {"group", group.len ? value_string(arena, group) : NULL},
        {"version", value_string(arena, resource_version(resource))},
        {"kind", value_string(arena, resource->kind)},
        {"name", value_string(arena, writer_literal(arena, resource->name))},
        {"namespace", resource->namespace.len ? value_string(arena, resource->namespace) : NULL});
}

/* Writes up to two patch files of one object and adds them to the kustomization's list. */
static bool write_patch(struct writer *writer, struct str folder, const struct layout_entry *entry,
                        const struct patch_builder *patch, struct value_list_builder *patches)
{
    struct arena *arena = writer->arena;
    struct str stem = str_slice(entry->file, 0, entry->file.len - 5); /* without ".yaml" */
    struct str reason = str_join(arena, patch->reasons.items, patch->reasons.count, STR("; "));
    const struct value *merge = patch_merge_document(patch), *operations = patch_operations(patch);
    /* Operations first: their places are those of the base, and merging moves items of lists. */
    if (operations != NULL) {
        struct str file = str_fmt(arena, "patches/%.*s.json6902.yaml", STR_ARG(stem));
        value_push(arena, patches,
                   VALUE_MAP(arena, {"path", value_string(arena, file)},
                             {"target", patch_target(arena, patch->resource)}));
        if (!writer_document(writer, str_fmt(arena, "%.*s/%.*s", STR_ARG(folder), STR_ARG(file)), reason,
                             operations))
            return false;
    }
    if (merge != NULL) {
        struct str file = str_fmt(arena, "patches/%.*s.yaml", STR_ARG(stem));
        value_push(arena, patches, VALUE_MAP(arena, {"path", value_string(arena, file)}));
        if (!writer_document(writer, str_fmt(arena, "%.*s/%.*s", STR_ARG(folder), STR_ARG(file)), reason,
                             merge))
            return false;
    }
    return true;
}

static const struct value *move_patch(struct arena *arena, const struct value *target, const char *path,
                                      struct str to)
{
    struct str text = str_fmt(arena, "- {op: replace, path: %s, value: \"%.*s\"}\n", path, STR_ARG(to));
    return VALUE_MAP(arena, {"target", target}, {"patch", value_string(arena, text)});
}

/* The folder of a namespace with another name here: two patches move all that is in it. They come last, since the others
 * find their objects under the old name. The `namespace` field would do it too, and also move every account called
 * "default" that a binding names, whatever namespace that is in. */
static void add_moves(struct arena *arena, const struct environment *environment,
                      const struct layout_group *group, struct value_list_builder *patches)
{
    struct str to = renames_apply(environment->renames, group->name);
    bool namespaced = false, itself = false;
    if (layout_is_cluster(group) || str_eq(to, group->name))
        return;
    for (size_t i = 0; i < group->count; i++) {
        itself = itself || resource_is(group->entries[i].resource, "", "Namespace");
        namespaced = namespaced || group->entries[i].resource->namespace.len != 0;
    }
    const struct value *name = value_string(arena, group->name);
    if (namespaced)
        value_push(arena, patches,
                   move_patch(arena, VALUE_MAP(arena, {"namespace", name}), "/metadata/namespace", to));
    if (itself)
        value_push(arena, patches,
                   move_patch(arena,
                              VALUE_MAP(arena, {"version", value_cstr(arena, "v1")},
                                        {"kind", value_cstr(arena, "Namespace")}, {"name", name}),
                              "/metadata/name", to));
}

/* The routes to the Services of the group. */
static bool write_routes(struct writer *writer, const struct routes *routes, const struct layout_group *group,
                         struct str folder, struct value_list_builder *resources)
{
    struct arena *arena = writer->arena;
    for (size_t i = 0; i < routes->count; i++) {
        const struct route *route = &routes->items[i];
        if (!str_eq(route->object.namespace, group->name))
            continue;
        struct str label = resource_label(arena, route->service);
        struct str file = str_fmt(arena, "routing/%.*s", STR_ARG(layout_file(arena, &route->object)));
        value_push(arena, resources, value_string(arena, file));
        if (!writer_document(writer, str_fmt(arena, "%.*s/%.*s", STR_ARG(folder), STR_ARG(file)),
                             str_fmt(arena, "written for %.*s; goes when its label does", STR_ARG(label)),
                             route->object.object))
            return false;
    }
    return true;
}

/* The patches of the objects; the list of them outlives their texts. */
static bool write_patches(struct writer *writer, struct place *place, const struct group *group,
                          struct str folder, struct value_list_builder *patches)
{
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    struct writer within = in_scratch(writer, scratch);
    struct environment there = place->environment;
    there.arena = scratch;
    there.part = group->part;
    for (size_t i = 0; i < group->layout->count; i++) {
        const struct layout_entry *entry = &group->layout->entries[i];
        struct value_list_builder list = {0};
        struct patch_builder patch;
        arena_reset(scratch);
        environment_patch(&there, group->objects[i], &patch);
        if (patch_is_empty(&patch))
            continue;
        place->patched++;
        if (!write_patch(&within, folder, entry, &patch, &list))
            return false;
        for (size_t j = 0; j < list.count; j++)
            value_push(writer->arena, patches, value_copy(writer->arena, &list.items[j]));
    }
    return true;
}

bool group_write_overlay(struct writer *writer, struct place *place, const struct group *group,
                         const struct protected_secrets *secrets)
{
    struct arena *arena = writer->arena;
    const struct config_environment *config = place->environment.config;
    const struct layout_group *layout = group->layout;
    struct str folder = str_fmt(arena, "overlays/%.*s/%.*s", STR_ARG(config->name), STR_ARG(layout->name));
    struct str base = str_fmt(arena, "../../../base/%.*s", STR_ARG(layout->name));
    struct value_list_builder patches = {0}, resources = {0};
    if (layout->count != 0)
        value_push(arena, &resources, value_string(arena, base));
    if (!secrets_write(writer, config, secrets, folder, &resources) ||
        !write_routes(writer, &place->routes, layout, folder, &resources) ||
        !write_patches(writer, place, group, folder, &patches))
        return false;
    add_moves(arena, &place->environment, layout, &patches);
    return writer_kustomization(writer, folder, value_list_done(arena, &resources),
                                value_list_done(arena, &patches));
}
