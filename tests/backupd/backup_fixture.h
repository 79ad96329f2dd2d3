/* backup_fixture.h — a small cluster's snapshot, a run, and a store in memory behind a fault injector. */
#pragma once
#include "core/config/config.h"
#include "core/run.h"
#include "core/store/store.h"
#include "tests/harness/fault_store.h"

struct backup_fixture {
    struct arena *arena;
    struct config config;
    struct clock clock;
    struct run run; /* its store is the faulty one */
    struct store *inner;
    struct fault_plan plan;
    struct bundle
        bundle; /* 2 cluster-scoped objects, 3 in "shop", 2 in "web"; one type that could not be read */
    struct err err;
};

void backup_fixture_init(struct backup_fixture *f);
void backup_fixture_done(struct backup_fixture *f);
/* Forgets the run's results, as a new process would; the store stays. */
void backup_fixture_next_run(struct backup_fixture *f);
/* Adds an object written as JSON. */
void backup_fixture_add(struct backup_fixture *f, const char *json);
/* How many keys start with `prefix`. */
size_t backup_fixture_count(struct backup_fixture *f, const char *prefix);
/* A number or text of a section of the report: backup_fixture_in(f, PATH("backup", "packs", "new")). */
const struct value *backup_fixture_in(struct backup_fixture *f, const char *const *path);
int64_t backup_fixture_number(struct backup_fixture *f, const char *const *path);
/* The key of a pack of the newest backup; `namespace` empty: the cluster's. */
struct str backup_fixture_pack_key(struct backup_fixture *f, const char *namespace);
