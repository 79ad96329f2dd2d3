/* retired.h — API versions that Kubernetes gave up, and what took their place.
 * Source: "Deprecated API Migration Guide" of Kubernetes. Nothing fails. */
#pragma once
#include "core/kube/resource.h"

struct retired_api {
    const char *api_version, *kind; /* kind "": every kind of the version */
    unsigned removed;      /* minor release of Kubernetes 1 that serves it no more; 0: all still do */
    const char *successor; /* an apiVersion, or words where nothing of the kind followed */
    bool same_shape;       /* what is written in it means the same under the successor */
};

/* NULL when the version is not given up. */
const struct retired_api *retired_api_of(const struct resource *resource);
/* The minor release in "v1.36.3" or "1.36+"; UINT64_MAX, newer than any, where it is not known. */
uint64_t kubernetes_minor(struct str version);
