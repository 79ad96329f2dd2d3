/* fixture.h — runs the overlays stage over a few objects and renders what it wrote. */
#pragma once
#include "core/config/config.h"
#include "core/kustomize/kustomize.h"
#include "overlays/overlays.h"

struct overlays_fixture {
    struct arena *arena;
    struct config config;
    struct run run;
    struct bundle bundle;
    struct err err;
};

/* Default environments: dev, staging, prod. */
void overlays_fixture_init(struct overlays_fixture *f);
void overlays_fixture_done(struct overlays_fixture *f);
/* Reads objects (YAML) and runs the stage; asserts that both work. */
void overlays_fixture_stage(struct overlays_fixture *f, const char *objects);
/* Sets Secrets aside (YAML), as transform does; before the stage. */
void overlays_fixture_secrets(struct overlays_fixture *f, const char *secrets);
/* Renders overlays/<name>; asserts that it works. */
void overlays_fixture_render(struct overlays_fixture *f, const char *name, struct bundle *ret_bundle);
/* Holds base and environment against what was meant: how much is not explained, the list of it, and {step: differences
 * that it explains}. */
size_t overlays_fixture_verify(struct overlays_fixture *f, const struct files *files, size_t environment,
                               const char **ret_list, const struct value **ret_steps);
/* The text of a file of the tree; empty when there is none. */
struct str overlays_fixture_file(const struct overlays_fixture *f, const char *path);
