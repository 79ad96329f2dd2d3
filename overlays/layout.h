/* layout.h — which folder and file each object has.
 *
 * Objects are grouped by namespace; cluster-scoped ones stand in _crds (definitions), _gates (webhooks, admission
 * policies, APIServices: what may refuse other objects until its pods run) or _cluster. A Namespace stands in its own
 * folder, so that a folder is complete.
 */
#pragma once
#include "core/kube/parts.h"
#include "core/kube/waves.h"

struct layout_entry {
    const struct resource *resource;
    struct str file; /* "deployment-web.yaml" */
    enum wave wave;
};

struct layout_group {
    struct str name;              /* "_crds", "_cluster", a namespace, "_gates" */
    struct layout_entry *entries; /* in the order of kustomization.yaml: wave, then file */
    size_t count;
};

struct layout {
    struct layout_group *items; /* _crds, _cluster, namespaces by name, _gates */
    size_t count, cap;
};

/* `bundle` may be an outline. A namespace that has nothing but `secrets` is a group without entries. */
void layout_of(struct arena *arena, const struct bundle *bundle, const struct parts *secrets,
               struct layout *ret_layout);
/* File name of an object that stands alone in its folder: "secret-db.yaml". */
struct str layout_file(struct arena *arena, const struct resource *resource);
bool layout_is_cluster(const struct layout_group *group);      /* one of the groups that start with '_' */
bool layout_has(const struct layout *layout, struct str name); /* a group of that name */
