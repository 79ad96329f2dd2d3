/* verify.h — does an environment come to its base and what its steps say, and to nothing else?
 *
 * Both sides of the question are read from the files: what the base renders to, and what the environment renders to.
 * Each step is asked anew what it makes of an object of the base, and every difference between the two sides must be
 * one that a step made. Together with transform_verify, which holds the base against the snapshot, that explains the
 * whole way from a live object to a rendered one.
 * A file that cannot be rendered is one unexplained difference, not an error. Fails with what a step's patch fails with.
 */
#pragma once
#include "core/config/config.h"
#include "core/run.h"

struct overlays_verification {
    struct value_map_builder steps; /* step → differences that it explains; only those that made any */
    struct value_list_builder unexplained; /* {resource, path, what}; no value of an object */
};

/* What the folders of base/ come to, sorted: one object once, whatever the number of folders. */
void overlays_render_base(struct arena *arena, const struct files *files, struct bundle *ret_base,
                          struct value_list_builder *unexplained);
/* `base` as overlays_render_base has it. */
bool overlays_verify(struct run *run, const struct files *files, const struct bundle *base,
                     const struct config_environment *environment,
                     struct overlays_verification *ret_verification, struct err *err) WARN_UNUSED;
