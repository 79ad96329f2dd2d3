#include "core/kube/storage.h"

#include "core/base/pointer.h"
#include "core/kube/workload.h"

static const struct {
    const char *group, *kind, *path;
} fields[] = {
#define STORAGE_FIELD(group, kind, path) {group, kind, path},
#include "core/kube/storage.def"
#undef STORAGE_FIELD
    {"", "PersistentVolumeClaim", "spec/storageClassName"},
    {"", "PersistentVolume", "spec/storageClassName"},
    {"apps", "StatefulSet", "spec/volumeClaimTemplates/*/spec/storageClassName"},
};

/* Which Kubernetes still reads, before spec.storageClassName. */
#define OLD_ANNOTATION "volume.beta.kubernetes.io/storage-class"

struct walk {
    struct arena *arena;
    storage_fn visit;
    void *ctx;
};

/* Follows the rest of a path from `value` on. */
static void follow(struct walk *walk, const struct value *value, struct str pointer, struct str path)
{
    if (value == NULL)
        return;
    if (path.len == 0) {
        if (value_str(value).len != 0)
            walk->visit(walk->ctx, pointer, value_str(value));
        return;
    }
    struct str key = str_cut(&path, '/');
    if (!str_is(key, "*")) {
        follow(walk, value_get(value, key), pointer_child(walk->arena, pointer, key), path);
        return;
    }
    size_t index = 0;
    VALUE_EACH(item, value)
        follow(walk, item, pointer_index(walk->arena, pointer, index++), path);
}

static struct str pods_pointer(struct arena *arena, const struct resource *resource)
{
    struct str pointer = STR_NONE;
    for (const char *const *key = workload_template_path(resource); key && *key; key++)
        pointer = pointer_child(arena, pointer, str_of(*key));
    return pointer;
}

static void follow_pods(struct walk *walk, const struct resource *resource)
{
    struct workload workload;
    if (!workload_of(resource, &workload))
        return;
    struct str pods = pods_pointer(walk->arena, resource);
    follow(walk, workload.pod_spec, pointer_child(walk->arena, pods, STR("spec")),
           STR("volumes/*/ephemeral/volumeClaimTemplate/spec/storageClassName"));
}

void storage_each_class(struct arena *arena, const struct resource *resource, storage_fn visit, void *ctx)
{
    struct walk walk = {arena, visit, ctx};
    const struct value *old = value_in(resource->object, PATH("metadata", "annotations", OLD_ANNOTATION));
    for (size_t i = 0; i < COUNT_OF(fields); i++)
        if (resource_is(resource, fields[i].group, fields[i].kind))
            follow(&walk, resource->object, STR_NONE, str_of(fields[i].path));
    if (resource_is(resource, "", "PersistentVolumeClaim") || resource_is(resource, "", "PersistentVolume"))
        follow(&walk, old, pointer_child(arena, STR("/metadata/annotations"), STR(OLD_ANNOTATION)), STR_NONE);
    follow_pods(&walk, resource);
}

static bool is_open(const struct value *claim)
{
    return value_key(claim, "spec") != NULL && value_in(claim, PATH("spec", "storageClassName")) == NULL &&
           value_in(claim, PATH("metadata", "annotations", OLD_ANNOTATION)) == NULL;
}

bool storage_leaves_class_open(const struct resource *resource)
{
    if (resource_is(resource, "", "PersistentVolumeClaim"))
        return is_open(resource->object) && value_in(resource->object, PATH("spec", "volumeName")) == NULL;
    if (resource_is(resource, "apps", "StatefulSet"))
        VALUE_EACH(claim, value_in(resource->object, PATH("spec", "volumeClaimTemplates")))
            if (is_open(claim))
                return true;
    return false;
}

bool storage_is_class(const struct resource *resource)
{
    return resource_is(resource, "storage.k8s.io", "StorageClass");
}

bool storage_is_default_class(const struct value *storage_class)
{
    static const char *const marks[] = {"storageclass.kubernetes.io/is-default-class",
                                        "storageclass.beta.kubernetes.io/is-default-class"};
    for (size_t i = 0; i < COUNT_OF(marks); i++)
        if (str_is(value_str_in(storage_class, PATH("metadata", "annotations", marks[i])), "true"))
            return true;
    return false;
}
