/* group.h — one folder of the repository at a time: its objects in the base, and what an environment makes of them. */
#pragma once
#include "overlays/environment.h"
#include "overlays/routing.h"
#include "overlays/writer.h"

/* An environment on its way. */
struct place {
    struct environment environment;
    struct renames renames;
    struct routes routes;
    size_t patched; /* objects so far */
};

/* `part` has the group's objects whole; those that it has not are whole in the layout (Namespaces). */
bool group_write_base(struct writer *writer, const struct layout_group *group, const struct bundle *part);
/* `secrets` are those of the group, of all environments. */
bool group_write_overlay(struct writer *writer, struct place *place, const struct layout_group *group,
                         const struct bundle *part, const struct protected_secrets *secrets);
