/* fixture.h — a run of the transform stage over manifests, for the tests of this folder. */
#pragma once
#include "core/config/config.h"
#include "transform/transform.h"

struct transform_fixture {
    struct arena *arena;
    struct config config;
    struct run run;
    struct bundle bundle;
    struct transform_log log;
    struct err err;
};

/* Secrets are omitted unless the test sets another mode. */
void transform_fixture_init(struct transform_fixture *fixture);
void transform_fixture_done(struct transform_fixture *fixture);
/* Reads manifests, from a path or a text, over whatever was read before. */
bool transform_fixture_read(struct transform_fixture *fixture, const char *path);
bool transform_fixture_text(struct transform_fixture *fixture, const char *yaml);
bool transform_fixture_run(struct transform_fixture *fixture);
/* The transformed object as YAML; "" when it was left out. */
const char *transform_fixture_yaml(struct transform_fixture *fixture, const char *kind, const char *name);
/* All objects as one YAML stream. */
const char *transform_fixture_all(struct transform_fixture *fixture);
/* Findings, one line each: "check kind/name: message". */
const char *transform_fixture_findings(struct transform_fixture *fixture);
