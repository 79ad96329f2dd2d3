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

/* A folder with its objects whole, in the order of the layout. */
struct group {
    const struct layout_group *layout;
    const struct bundle *part; /* the declared objects of its namespace */
    const struct resource **objects;
};

/* What `part` does not have is whole in the layout: Namespaces, whose own part is another. */
struct group group_of(struct arena *arena, const struct layout_group *layout, const struct bundle *part);
bool group_write_base(struct writer *writer, const struct group *group);
/* `secrets` are those of the group, of all environments. */
bool group_write_overlay(struct writer *writer, struct place *place, const struct group *group,
                         const struct protected_secrets *secrets);
