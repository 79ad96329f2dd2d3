/* run.h — one run of the pipeline: what every stage is handed, never global, and what the stages leave behind.
 *
 * Every stage has the same shape (stage_fn). It reads its settings from run->config, works on the bundle, and leaves
 * its results here: findings, one section of the report, the file tree. A bad resource is a finding; an error is what
 * stops the stage. Scoring, transforming and writing also work on a cluster that is not in memory, a part at a time
 * (core/kube/parts.h); their stage_fn is that over the parts of the bundle.
 */
#pragma once
#include "core/base/clock.h"
#include "core/base/files_in.h"
#include "core/base/progress.h"
#include "core/finding.h"
#include "core/kube/bundle.h"

struct config;
struct store;
struct kube;
struct secrets_memory;
struct age_identities;
struct hooks;

struct run {
    struct arena *arena; /* lives as long as the run */
    const struct config *config;
    const struct clock *clock;
    struct progress *progress; /* may be NULL */
    struct store *store;       /* NULL until a stage needs it */
    struct kube *kube;         /* the cluster that is backed up; NULL until a stage needs it */

    /* Secrets, as they are declared and with their values: transform sets them aside, and nothing but core/secrets
     * writes them anywhere. */
    struct bundle secrets;
    size_t readable; /* places in the declared objects where the value of a Secret can be read */
    /* The repository as it was, to be read folder by folder; NULL: there was none, or nobody knows. */
    const struct files_in *previous;
    struct secrets_memory *memory;     /* what was written last time (core/secrets/memory.h) */
    struct age_identities *identities; /* that decrypt (core/keys.h); NULL until a stage needs them */
    struct hooks *hooks;               /* commands around the backup (backupd/hooks.h); NULL without */

    struct findings findings;
    struct files files;                /* what overlays wrote: the repository's content, sorted */
    struct value_map_builder sections; /* of the report: "backup", "score", "convert", "publish", "drill" */
};

typedef bool (*stage_fn)(struct run *run, struct bundle *bundle, struct err *err);

/* Adds `section` to the report under `name`. The report is this value tree; writers only lay it out. */
void run_section(struct run *run, const char *name, const struct value *section);
const struct value *run_report(struct run *run); /* the sections so far as one map */
