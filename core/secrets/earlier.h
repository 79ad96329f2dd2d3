/* earlier.h — the Secrets that the repository holds already, as they are written there: encrypted. */
#pragma once
#include "core/base/files_in.h"
#include "core/kube/resource.h"

struct earlier_secret {
    struct str environment;
    struct resource
        resource; /* a Secret that sops encrypted, a SealedSecret or an ExternalSecret; origin: its path */
};

struct earlier_secrets {
    struct earlier_secret *items; /* sorted by environment, kind, namespace, name */
    size_t count, cap;
};

/* overlays/<environment>/…/secrets/<file>.yaml */
bool earlier_is_path(struct str path);
/* Takes what is under such paths; what cannot be read is passed over, and so counts as not there. */
void earlier_gather(struct arena *arena, const struct files *files, struct earlier_secrets *ret_earlier);
/* The same of one environment and one namespace, as the cluster that is read calls it; nothing else is read. `files`
 * NULL: there are none. Fails with what reading files fails with. */
bool earlier_of_namespace(struct arena *arena, const struct files_in *files, struct str environment,
                          struct str namespace, struct earlier_secrets *ret_earlier,
                          struct err *err) WARN_UNUSED;
/* NULL when there is none. */
const struct earlier_secret *earlier_find(const struct earlier_secrets *earlier, struct str environment,
                                          struct str kind, struct str namespace, struct str name);
