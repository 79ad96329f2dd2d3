/* program.h — runs one of our programs as a user would, and keeps what it said. */
#pragma once
#include "core/base/base.h"

struct program_result {
    int status; /* exit status, or 128 + signal */
    struct str out, err;
};

/* Runs build/<name> of the variant under test in `dir` (NULL: here) with `input` on stdin. `arguments` ends in NULL and
 * does not hold the program's own name. Fails the test when it cannot be started or takes longer than four minutes. */
struct program_result program_run(struct arena *arena, const char *name, const char *dir,
                                  const char *const *arguments, struct str input);
/* Path of a program of the variant under test. */
const char *program_path(struct arena *arena, const char *name);
/* A new folder below /tmp, removed by temp_remove with all it holds. */
const char *temp_folder(struct arena *arena);
void temp_remove(const char *folder);
