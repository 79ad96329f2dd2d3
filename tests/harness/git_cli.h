/* git_cli.h — the git that people use, to look at what we wrote with other eyes than our own. */
#pragma once
#include "core/base/base.h"

/* Runs `git -C dir ARGS…` (ended by NULL) and returns what it printed, without the last newline. With `ret_status`
 * NULL a status other than 0 aborts the test. */
struct str git_cli(struct arena *arena, const char *dir, int *ret_status, const char *const *args);
#define GIT(arena, dir, ...) git_cli((arena), (dir), NULL, (const char *const[]){__VA_ARGS__, NULL})

/* A folder of its own below /tmp, removed by temp_dir_remove. */
const char *temp_dir(struct arena *arena);
void temp_dir_remove(const char *dir);
