/* store_fixture.h — an empty store of each kind in turn, for tests that ask the same of all drivers. */
#pragma once
#include "core/store/store.h"

struct store_fixture {
    const char *name; /* of the driver, for messages */
    struct arena *arena;
    struct store *store;
    struct config_store config;
    char dir[64];  /* the folder behind fs */
    bool mirrored; /* `config` is the second of two */
    int index;
};

/* Closes the last store, removes its traces and opens the next; false when all were there. */
bool store_fixture_next(struct store_fixture *fixture);
/* A folder under $TMPDIR that nothing else uses; remove_tree takes it away again. */
void make_temp_dir(char *ret_dir, size_t cap);
void remove_tree(const char *dir);
