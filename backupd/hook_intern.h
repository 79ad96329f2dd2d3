/* hook_intern.h — between the order of things (hooks.c), one hook (hook_run.c) and its last words (hook_words.c). */
#pragma once
#include <stdatomic.h>

#include "backupd/hooks.h"
#include "core/config/config.h"

enum { HOOK_NOTES_BYTES = 4096 };
/* One piece of output in a pack; what a piece takes is held in memory. */
enum { HOOK_PIECE_BYTES = 4 << 20 };

struct hook_result {
    const struct config_hook *hook;
    bool ran, ok;
    int exit_code; /* -1: none */
    int64_t ms;
    uint64_t bytes;             /* of output */
    struct sha256 sha256;       /* of output */
    struct str error;           /* why not ok */
    struct str notes;           /* the end of standard error */
    struct pack_writer *writer; /* of the output; NULL where none is kept */
    struct hook_output output;
};

struct hook_call {
    struct kube *kube; /* NULL where no hook runs in a pod */
    struct arena *arena;
    struct str cluster;
    const char *spool_dir;
    atomic_int *group;  /* of the program that runs on this machine, as in process.h */
    bool after_failure; /* the backup has failed, or may have: told to the command */
};

/* Runs one hook and fills the result; false and `err` when it failed. */
bool hook_run(const struct hook_call *call, struct hook_result *result, struct err *err) WARN_UNUSED;

/* `text` as a person may see it: no control characters, and in place of what looks like a secret "***". `secrets` are
 * texts to hide wherever they stand. */
struct str hook_words(struct arena *arena, struct str text, const struct str_list *secrets);
