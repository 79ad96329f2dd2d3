/* backup_intern.h — between backup.c (making it) and backup_report.c (the section of the report). */
#pragma once
#include <pthread.h>

#include "backupd/backup.h"
#include "backupd/guard.h"
#include "backupd/joint.h"
#include "backupd/part.h"
#include "backupd/seal.h"

struct tally {
    uint64_t packs, bytes;
};

struct backup {
    struct run *run;
    struct stash *stash;
    const struct joint *joint; /* NULL: the whole backup is ours */
    struct joint_state state;
    bool dry;
    struct packings parts;
    size_t from; /* of the parts that are being published */
    struct manifest manifest;
    struct guard guard;
    struct tally tallies[STORE_HOLDS + 1]; /* by what the store held before */
    pthread_mutex_t lock;                  /* of tallies, manifest.packs, progress and run->arena */
    size_t stored;
    struct value_list_builder notes;
    struct age_recipients recipients; /* none: packs are not encrypted */
    struct seal_index sealed;         /* what earlier backups hold for the same recipients */
    const char *spool_dir;            /* NULL: $TMPDIR */
    int64_t began_ms;
};

/* Adds the section "backup" (backup.h). */
void backup_report(struct backup *backup);
