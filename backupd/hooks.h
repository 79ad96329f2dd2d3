/* hooks.h — commands around a backup: freeze, dump a database into the backup, thaw.
 *
 * `before` hooks run before the cluster is read, in their order, and the first that fails for good ends the backup.
 * Once one was begun, every `after` hook runs, whatever became of the backup, and each but once: after the packs, before
 * the manifest, which notes how every hook went. A hook is a program on this machine, with an environment that is
 * listed, or a command in a pod (core/kube/exec.h). What it writes to standard output may be kept: it goes straight
 * into a pack of its own, in pieces, and only a command that ended with 0 leaves one. Of standard error a few lines stay,
 * without what looks like a secret.
 * Section "hooks" of manifest and report: [{name, when, ok, onFailure, exitCode?, ms, bytes?, sha256?, error?, notes?}],
 * where sha256 is of the output itself.
 * Fails with REFUSED (a hook failed, or met its time limit), INTERRUPTED (hooks_interrupt), and what exec.h, process.h
 * and pack.h fail with. One thread at a time, but for hooks_interrupt.
 */
#pragma once
#include "core/run.h"
#include "core/store/pack.h"

struct hooks;

/* What a hook has left for the backup; lives until hooks_close. */
struct hook_output {
    struct str name;
    struct pack pack;
};

/* Those of run->config. Needs run->kube where one of them runs in a pod; spools in `spool_dir` (NULL: $TMPDIR). */
bool hooks_open(struct run *run, const char *spool_dir, struct hooks **ret_hooks,
                struct err *err) WARN_UNUSED;
void hooks_close(struct hooks *hooks); /* NULL is fine */

bool hooks_before(struct hooks *hooks, struct err *err) WARN_UNUSED;
/* Runs what is due, once; a hook that fails is no failure here but a line of hooks_value. INTERRUPTED: somebody else
 * interrupted the backup, and there must be none. */
bool hooks_after(struct hooks *hooks, struct err *err) WARN_UNUSED;
/* All packs are in the store: what the commands of after hooks are told. Call before hooks_after. */
void hooks_stored(struct hooks *hooks);
/* From another thread, while the backup goes on: it will fail; returns when the after hooks have run. */
void hooks_interrupt(struct hooks *hooks);

/* How the hooks went that have run so far. */
const struct value *hooks_value(const struct hooks *hooks, struct arena *arena);
/* The first hook that failed and must not; empty when there is none: what is without it is not whole. */
struct str hooks_failed(const struct hooks *hooks);
size_t hooks_output_count(const struct hooks *hooks);
const struct hook_output *hooks_output(const struct hooks *hooks, size_t index);

/* Where the pack of a hook keeps its output: "hooks/<name>/00000000" and on, to be put together in order. */
#define HOOK_FOLDER "hooks/"
