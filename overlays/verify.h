/* verify.h — does an environment come to its base and what its steps say, and to nothing else?
 *
 * Both sides of the question are read from the files: what the base renders to, and what the environment renders to.
 * Each step is asked anew what it makes of an object of the base, and every difference between the two sides must be
 * one that a step made. Together with transform_verify, which holds the base against the snapshot, that explains the
 * whole way from a live object to a rendered one.
 * Files are read and rendered one folder at a time. That the root of an environment is the sum of its folders is held
 * against its kustomization, which may list them and nothing else.
 * A file that cannot be rendered is one unexplained difference, not an error. Fails with what a step's patch fails with,
 * and with what reading files and taking Secrets fails with.
 */
#pragma once
#include "core/base/files_in.h"
#include "core/config/config.h"
#include "core/kube/parts.h"
#include "core/run.h"

struct overlays_verification {
    struct value_map_builder steps; /* step → differences that it explains; only those that made any */
    struct value_list_builder unexplained; /* {resource, path, what}; no value of an object */
};

/* What base/<folder> comes to, sorted; nothing where there is no such folder. */
bool overlays_render_base(struct arena *arena, const struct files_in *files, struct str folder,
                          struct bundle *ret_base, struct value_list_builder *unexplained,
                          struct err *err) WARN_UNUSED;
/* What all of base/ comes to in outline, sorted; `unexplained` as above, of every folder. About `objects` are expected. */
bool overlays_outline_base(struct arena *arena, const struct files_in *files, size_t objects,
                           struct bundle *ret_outline, struct value_list_builder *unexplained,
                           struct err *err) WARN_UNUSED;

/* `base` as overlays_outline_base has it; `secrets` are those that were set aside. */
bool overlays_verify(struct run *run, const struct files_in *files, const struct bundle *base,
                     const struct parts *secrets, const struct config_environment *environment,
                     struct overlays_verification *ret_verification, struct err *err) WARN_UNUSED;
