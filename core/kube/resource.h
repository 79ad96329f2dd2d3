/* resource.h — one Kubernetes object and what identifies it. */
#pragma once
#include "core/base/value.h"

struct resource {
    struct str api_version, kind, namespace, name; /* namespace is empty for cluster-scoped objects */
    const struct value *object;                    /* the whole object, apiVersion and kind included */
    struct str origin; /* where it came from, for messages: "deploy.yaml:12", a pack entry, an API path */
};

/* What the API server says of a type; also read from CRDs and from a built-in table when no server is at hand. */
struct resource_type {
    struct str group, version, kind, plural, singular;
    bool namespaced;
    bool listable, has_status; /* has_status: status is a subresource */
    bool several_versions;     /* the server has it in others besides `version` */
    /* Filled by a snapshot. */
    struct str resource_version;
    struct str consistency; /* "exact" | "per-resource" */
    struct str why;         /* it is not exact */
    struct str missing; /* why it could not be read ("forbidden", "stale", "HTTP 503"); empty when it was */
    size_t count;
};

struct resource_types {
    struct resource_type *items;
    size_t count, cap;
};

/* Fills `ret` from an object; INVALID when apiVersion, kind or metadata.name is missing or of the wrong kind.
 * metadata.generateName without a name is INVALID too. */
bool resource_from(const struct value *object, struct str origin, struct resource *ret,
                   struct err *err) WARN_UNUSED;
struct str resource_group(const struct resource *resource);   /* "" for the core group */
struct str resource_version(const struct resource *resource); /* "v1" of "apps/v1" */
static inline bool resource_is(const struct resource *resource, const char *group, const char *kind)
{
    return str_is(resource->kind, kind) && str_is(resource_group(resource), group);
}
/* Order: namespace (cluster-scoped first), group, kind, name, version. */
int resource_cmp(const struct resource *a, const struct resource *b);
/* "payments/Deployment/web" or "ClusterRole/admin": how people name it in messages. */
struct str resource_label(struct arena *arena, const struct resource *resource);

/* The type of a resource; NULL when nothing is known of it. */
const struct resource_type *resource_type_find(const struct resource_types *types, struct str group,
                                               struct str kind);
const struct resource_type *resource_type_find_plural(const struct resource_types *types, struct str group,
                                                      struct str plural);
/* Adds the types that a CustomResourceDefinition declares, in its storage version; anything else adds nothing. Copies
 * what it needs of it. */
void resource_types_add_crd(struct arena *arena, struct resource_types *types, const struct value *crd);
/* Built-in types of Kubernetes (group, version, kind, plural, scope), for manifests without a server. */
const struct resource_types *resource_builtin_types(void);
