/* environment.h — what an environment changes, as a table of steps (environment.c): each step is one function that looks
 * at one object and adds to its patch. A step only changes what it can change without breaking a workload; where it
 * cannot tell, it leaves the object alone. */
#pragma once
#include "core/config/config.h"
#include "core/kube/bundle.h"
#include "overlays/facts.h"
#include "overlays/layout.h"
#include "overlays/patch_builder.h"

/* A namespace that an environment calls otherwise. */
struct rename {
    struct str from, to;
};

struct renames {
    struct rename *items;
    size_t count, cap;
};

struct environment {
    struct arena *arena;
    const struct config_environment *config;
    const struct bundle *part;  /* the declared objects around the one at hand: its namespace's; sorted */
    const struct bundle *whole; /* all declared objects in outline; sorted */
    const struct facts *facts;  /* of the whole */
    const struct renames *renames;
};

/* Namespaces (renames.c). Of the namespaces that have a folder, those that the environment calls otherwise. USAGE when two
 * would have one name, or a name is none. */
bool renames_of(struct arena *arena, const struct config_environment *config, const struct layout *layout,
                struct renames *ret_renames, struct err *err) WARN_UNUSED;
struct str renames_apply(const struct renames *renames, struct str namespace);
/* The object where the environment has it: a Namespace under its new name, others in it. What the object names inside is
 * step_namespaces' part. */
struct resource renames_move(struct arena *arena, const struct renames *renames,
                             const struct resource *resource);

/* What one object becomes; patch_is_empty when nothing changes. */
void environment_patch(const struct environment *environment, const struct resource *resource,
                       struct patch_builder *ret_patch);

/* The steps by name, as docs/repository.md and reports call them, in the order of the table. */
size_t environment_step_count(void);
const char *environment_step_name(size_t index);
/* The same patch with the first `count` steps only: to tell which step did what. */
void environment_patch_of(const struct environment *environment, const struct resource *resource,
                          size_t count, struct patch_builder *ret_patch);

/* The object with that patch. Fails with what a patch fails with, which a step's own never should. */
bool environment_patched(const struct environment *environment, const struct resource *resource, size_t count,
                         const struct value **ret_object, struct err *err) WARN_UNUSED;

/* Replicas (replicas.c). */
/* The least number of pods that a workload has in this environment. */
int64_t environment_replicas(const struct environment *environment, const struct workload *workload);

/* The steps. */
void step_replicas(const struct environment *environment, struct patch_builder *patch);
void step_autoscaler(const struct environment *environment, struct patch_builder *patch);
void step_disruption(const struct environment *environment, struct patch_builder *patch);
void step_debug(const struct environment *environment, struct patch_builder *patch);
void step_harden(const struct environment *environment, struct patch_builder *patch);
void step_namespaces(const struct environment *environment, struct patch_builder *patch);
void step_storage(const struct environment *environment, struct patch_builder *patch);
void step_hosts(const struct environment *environment, struct patch_builder *patch);
