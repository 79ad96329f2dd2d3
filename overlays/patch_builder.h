/* patch_builder.h — collects what an environment changes in one object, and writes it as one readable patch.
 *
 * Fields go into a strategic merge patch (containers found by name, so a reordered list still matches; those before a
 * changed one are named as well, since merging puts the patch's items first); places inside
 * lists without a merge key, such as Ingress rules, into JSON 6902 operations. Reasons become a comment at the top.
 * Everything lives in the arena.
 */
#pragma once
#include "core/kube/workload.h"

struct container_fields {
    const char *list; /* "containers" | "initContainers" */
    struct str name;
    const struct value *fields;
};

struct patch_builder {
    struct arena *arena;
    const struct resource *resource;
    struct workload workload; /* resource NULL when it runs no pods */

    const struct value *object, *pod; /* merge patches of the object and of its pod spec; NULL: nothing yet */
    struct {
        struct container_fields *items;
        size_t count, cap;
    } containers;
    struct value_list_builder operations;
    bool left_out;
    struct str_list reasons;
};

void patch_builder_init(struct patch_builder *patch, struct arena *arena, const struct resource *resource);
bool patch_is_empty(const struct patch_builder *patch);
/* Whether pods may be changed by a merge patch: not those of Jobs and naked Pods, which are immutable once they exist,
 * and not those of kinds outside Kubernetes (DeploymentConfig), whose lists a merge patch replaces whole. */
bool patch_can_change_pods(const struct patch_builder *patch);
void patch_reason(struct patch_builder *patch, struct str reason); /* said once, however often it is given */
void patch_object(struct patch_builder *patch, const char *const *path, const struct value *value);
void patch_pod(struct patch_builder *patch, const char *const *path, const struct value *value);
void patch_container(struct patch_builder *patch, const char *list, struct str name, const char *const *path,
                     const struct value *value);
/* The environment does without the object; what else was to change in it no longer matters. */
void patch_leave_out(struct patch_builder *patch, struct str reason);
/* {op: replace, path, value} */
void patch_replace(struct patch_builder *patch, struct str pointer, const struct value *value);

/* The fields as a strategic merge patch, the operations as a list; NULL where there are none. */
const struct value *patch_merge_document(const struct patch_builder *patch);
const struct value *patch_operations(const struct patch_builder *patch);
