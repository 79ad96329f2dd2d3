/* intern.h — what the parts of core/kustomize share: one build, and the kustomization it is at. */
#pragma once
#include "core/base/files.h"
#include "core/kustomize/layer.h"

struct build {
    struct arena *arena;
    const struct files *files;
    struct err *err;
    struct str_list open; /* folders being built, outermost first: for loops */
    bool moved;           /* some kustomization set a namespace */
};

struct kustomization {
    struct build *build;
    struct str dir, path; /* of the folder and of its file */
    struct str text;
    const struct value *root;
    struct layer layer;
};

/* One field of a kustomization: `setting` is its value. */
typedef bool (*kustomize_field_fn)(struct kustomization *k, const struct value *setting);

bool kustomize_patches(struct kustomization *k, const struct value *setting);
bool kustomize_namespace(struct kustomization *k, const struct value *setting);
bool kustomize_labels(struct kustomization *k, const struct value *setting);
bool kustomize_common_labels(struct kustomization *k, const struct value *setting);
bool kustomize_annotations(struct kustomization *k, const struct value *setting);
bool kustomize_replicas(struct kustomization *k, const struct value *setting);
bool kustomize_images(struct kustomization *k, const struct value *setting);

/* Subjects and webhooks' services follow the objects that were moved; at the end, over everything. */
void kustomize_follow_references(struct layer *layer);

/* Fails with INVALID and "file:line: " in front; `field` is a key of the kustomization, for its line. */
bool kustomize_fault(struct kustomization *k, const char *field, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Puts "file:line: " in front of the error that is there. */
bool kustomize_context(struct kustomization *k, const char *field);
/* Every key of `map` is among `known`, which a NULL ends. */
bool kustomize_known(struct kustomization *k, const char *field, const struct value *map,
                     const char *const *known);
/* `path` from `k`'s folder, as a path of the tree; INVALID when it leads outside. */
bool kustomize_resolve(struct kustomization *k, const char *field, struct str path, struct str *ret_path);
/* The file at `path`, which must lie in `k`'s folder or below. */
bool kustomize_file(struct kustomization *k, const char *field, struct str path,
                    const struct file **ret_file);
