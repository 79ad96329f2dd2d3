#include "overlays/patch_builder.h"

#include <string.h>

#include "core/kustomize/schema.h"

void patch_builder_init(struct patch_builder *patch, struct arena *arena, const struct resource *resource)
{
    *patch = (struct patch_builder){.arena = arena, .resource = resource};
    workload_of(resource, &patch->workload);
}

bool patch_is_empty(const struct patch_builder *patch)
{
    return patch->object == NULL && patch->pod == NULL && patch->containers.count == 0 &&
           patch->operations.count == 0 && !patch->left_out;
}

bool patch_can_change_pods(const struct patch_builder *patch)
{
    const struct resource *r = patch->resource;
    if (patch->workload.resource == NULL || resource_is(r, "batch", "Job") || resource_is(r, "", "Pod"))
        return false;
    return schema_shape(resource_group(r), resource_version(r), r->kind) != SHAPE_NONE;
}

void patch_reason(struct patch_builder *patch, struct str reason)
{
    if (!str_in(reason, patch->reasons.items, patch->reasons.count))
        *ARENA_PUSH(patch->arena, &patch->reasons) = reason;
}

void patch_object(struct patch_builder *patch, const char *const *path, const struct value *value)
{
    patch->object = value_with_in(patch->arena, patch->object, path, value);
}

void patch_pod(struct patch_builder *patch, const char *const *path, const struct value *value)
{
    patch->pod = value_with_in(patch->arena, patch->pod, path, value);
}

void patch_container(struct patch_builder *patch, const char *list, struct str name, const char *const *path,
                     const struct value *value)
{
    struct container_fields *found = NULL;
    for (size_t i = 0; i < patch->containers.count; i++)
        if (strcmp(patch->containers.items[i].list, list) == 0 &&
            str_eq(patch->containers.items[i].name, name))
            found = &patch->containers.items[i];
    if (found == NULL) {
        found = ARENA_PUSH(patch->arena, &patch->containers);
        *found = (struct container_fields){list, name, NULL};
    }
    found->fields = value_with_in(patch->arena, found->fields, path, value);
}

void patch_leave_out(struct patch_builder *patch, struct str reason)
{
    patch->left_out = true;
    patch->reasons.count = 0;
    patch_reason(patch, reason);
}

void patch_replace(struct patch_builder *patch, struct str pointer, const struct value *value)
{
    struct arena *arena = patch->arena;
    value_push(arena, &patch->operations,
               VALUE_MAP(arena, {"op", value_cstr(arena, "replace")}, {"path", value_string(arena, pointer)},
                         {"value", value}));
}

static const struct container_fields *fields_of(const struct patch_builder *patch, const char *list,
                                                struct str name)
{
    for (size_t i = 0; i < patch->containers.count; i++)
        if (strcmp(patch->containers.items[i].list, list) == 0 &&
            str_eq(patch->containers.items[i].name, name))
            return &patch->containers.items[i];
    return NULL;
}

/* In the base's order up to the last one that changes: kustomize puts the patch's containers first, and the first
 * container is the one that kubectl takes. */
static const struct value *container_list(const struct patch_builder *patch, const char *list)
{
    struct arena *arena = patch->arena;
    struct value_list_builder items = {0};
    size_t needed = 0;
    VALUE_EACH(container, value_key(patch->workload.pod_spec, list)) {
        const struct value *name = value_key(container, "name");
        if (name == NULL) /* nothing to merge by, and nothing an API server accepts */
            return NULL;
        const struct container_fields *fields = fields_of(patch, list, value_str(name));
        struct value_map_builder map = {0};
        value_put(arena, &map, STR("name"), name);
        MEMBER_EACH(member, fields ? fields->fields : NULL)
            value_put(arena, &map, member->key, &member->value);
        value_push(arena, &items, value_map_done(arena, &map));
        needed = fields ? items.count : needed;
    }
    items.count = needed;
    return needed ? value_list_done(arena, &items) : NULL;
}

static const struct value *pod_patch(const struct patch_builder *patch)
{
    static const char *const lists[] = {"initContainers", "containers"};
    const struct value *pod = patch->pod;
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        const struct value *list = container_list(patch, lists[i]);
        if (list != NULL)
            pod = value_with(patch->arena, pod, str_of(lists[i]), list);
    }
    return pod;
}

/* The pod spec hangs below the template path: {spec: {template: {spec: …}}}. */
static const struct value *with_pod(const struct patch_builder *patch, const struct value *object)
{
    const char *path[8];
    size_t depth = 0;
    const struct value *pod = pod_patch(patch);
    if (pod == NULL)
        return object;
    for (const char *const *key = workload_template_path(patch->resource); key && *key && depth < 6; key++)
        path[depth++] = *key;
    path[depth++] = "spec";
    path[depth] = NULL;
    return value_with_in(patch->arena, object, path, pod);
}

const struct value *patch_merge_document(const struct patch_builder *patch)
{
    struct arena *arena = patch->arena;
    const struct resource *resource = patch->resource;
    const struct value *fields = with_pod(patch, patch->object);
    if (patch->left_out)
        fields = VALUE_MAP(arena, {"$patch", value_cstr(arena, "delete")});
    if (fields == NULL)
        return NULL;
    const struct value *metadata =
        VALUE_MAP(arena, {"name", value_string(arena, resource->name)},
                  {"namespace", resource->namespace.len ? value_string(arena, resource->namespace) : NULL});
    MEMBER_EACH(member, value_key(fields, "metadata"))
        metadata = value_with(arena, metadata, member->key, &member->value);
    fields = value_without(arena, fields, STR("metadata"));
    struct value_map_builder document = {0};
    value_put(arena, &document, STR("apiVersion"), value_string(arena, resource->api_version));
    value_put(arena, &document, STR("kind"), value_string(arena, resource->kind));
    value_put(arena, &document, STR("metadata"), metadata);
    MEMBER_EACH(member, fields)
        value_put(arena, &document, member->key, &member->value);
    return value_map_done(arena, &document);
}

const struct value *patch_operations(const struct patch_builder *patch)
{
    return patch->operations.count && !patch->left_out ? value_list_done(patch->arena, &patch->operations)
                                                       : NULL;
}
