/* drill.h — rehearses a disaster and measures it.
 *
 * A scenario is a list of steps (scenarios.def, drill.c); the runner times each, stops at the first that fails, and
 * writes the section "drill" of the report. The target is the sandbox, started for the drill and thrown away, or a
 * cluster named by the configuration; the cluster that was backed up is never one.
 * Recovery time is what it takes from the repository to a cluster that is ready (render, restore, wait); recovery
 * point is how old the snapshot is by then. Both are held against the objectives of the configuration.
 * Fails with USAGE (no such scenario or target), NOT_FOUND and INVALID (the repository), INCOMPLETE (objects missing,
 * different or not ready), FINDINGS (all well, but an objective is missed), and what restore.h and kube.h fail with.
 * The section is written in every case.
 */
#pragma once
#include "core/run.h"

struct drill_options {
    struct str scenario;     /* empty: "cluster-loss" */
    struct str repository;   /* a folder on disk; empty: run->files */
    struct str environment;  /* overlay to render; empty: the configuration's */
    struct str target;       /* "sandbox", "context:NAME", "kubeconfig:PATH"; empty: the configuration's */
    int64_t wait_timeout_ms; /* 0: that of restore.h */
    bool allow_not_empty;    /* the target may hold the declared namespaces already */
};

/* `snapshot` is what was backed up: its age is the age of the data, its Secrets fill in what the repository leaves
 * out, or holds in a form that needs a controller (core/secrets/open.h). */
bool drill_run(struct run *run, const struct bundle *snapshot, const struct drill_options *options,
               struct err *err) WARN_UNUSED;
/* The stage: drill_run with the configuration's settings over the files that the run has written. */
bool drill_stage(struct run *run, struct bundle *bundle, struct err *err) WARN_UNUSED;

struct drill_scenario {
    const char *id, *what;
};
size_t drill_count(void);
struct drill_scenario drill_scenario(size_t index);
