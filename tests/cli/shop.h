/* shop.h — a small cluster with its configuration, repository and store in one folder, as a user of the program has it:
 * the cluster is the sandbox. */
#pragma once
#include "core/base/value.h"
#include "dr-scenarios/sandbox/sandbox.h"
#include "tests/harness/program.h"

struct shop {
    struct arena *arena;
    struct sandbox *sandbox;
    const char *dir; /* holds kubeconfig, gitops-pipe.yaml, repository.git, store */
};

struct shop open_shop(void);
/* The same with another cluster: a folder below testdata/estates. */
struct shop open_shop_of(const char *estate);
void close_shop(struct shop *shop);
const char *in_shop(struct shop *shop, const char *file);
void put_in_shop(struct shop *shop, const char *file, const char *text);

/* The program in the shop's folder. */
#define PIPE(shop, ...)                                                                                      \
    program_run((shop)->arena, "gitops-pipe", (shop)->dir, (const char *const[]){__VA_ARGS__, NULL}, STR_NONE)
/* What it printed, as a tree. */
const struct value *json_of(struct shop *shop, struct program_result result);
/* It ended with `status`, and said `says` on stderr. */
void expect_refused(struct program_result result, int status, const char *says);

/* git in a folder, with an author; its output is thrown away and failing fails the test. */
void run_git(const char *dir, const char *const *arguments);
#define GIT(dir, ...) run_git((dir), (const char *const[]){__VA_ARGS__, NULL})
