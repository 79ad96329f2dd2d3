/* fixture.h — a run with default settings and a bundle out of manifests, for the tests of scoring and reports. */
#pragma once
#include "core/config/config.h"
#include "core/run.h"
#include "quality/score.h"

struct fixture {
    struct arena *arena;
    struct config config;
    struct clock clock;
    struct run run;
    struct bundle bundle;
    struct err err;
};

void fixture_init(struct fixture *fixture);
void fixture_done(struct fixture *fixture);
/* Reads a file or folder of manifests into the bundle, which must come out without problems, and sorts it. */
void fixture_read(struct fixture *fixture, const char *path);
/* Adds manifests from a text. */
void fixture_text(struct fixture *fixture, const char *yaml);
/* Gives the bundle the schemas of testdata/quality/openapi.json. */
void fixture_openapi(struct fixture *fixture);
/* Runs the score stage, which must not fail, and returns its section. */
const struct value *fixture_score(struct fixture *fixture);
int64_t fixture_number(const struct value *map, const char *const *path);
