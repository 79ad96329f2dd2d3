/* snapshot_intern.h — between snapshot.c (what to read, and the result) and snapshot_read.c (reading it). */
#pragma once
#include <pthread.h>

#include "core/base/progress.h"
#include "core/kube/kube_intern.h"
#include "core/kube/stash_intern.h"

enum {
    MAX_LITERAL = 16, /* namespaces read one by one; with more, reading all and filtering is cheaper */
    MAX_PROBLEMS = 50 /* told of one type */
};

/* One type to read. Written by the one worker that took it. */
struct job {
    struct resource_type *type;
    struct stash_list found;
    struct str_list problems;
    int status; /* of the answer that ended it */
};

/* The OpenAPI document of one group version. */
struct document {
    const struct member *entry; /* of the index */
    bool wanted, taken;
    bool read;
    struct stash_document stashed; /* when it was read */
    struct str problem;
};

struct snapshot {
    struct kube *kube;
    struct arena *arena;
    const struct kube_selection *selection;
    struct progress *progress;
    struct stash *stash;
    struct bundle *bundle; /* of the stash: what is known of the whole */
    struct str moment;     /* X; empty where nobody would tell */
    bool literal;          /* the selection names its namespaces */
    bool namespaces_forbidden;

    struct job *jobs;
    size_t job_count;
    struct document *documents;
    size_t document_count;

    pthread_mutex_t lock; /* over what follows, and over wanted and taken */
    pthread_cond_t changed;
    size_t next, done;
    bool stop;
    struct err fault; /* why, when stop is set */
};

/* Reads every job, and the documents of types that have objects. Fails only when the server itself is out of reach or no longer takes our credentials. */
bool snapshot_read(struct snapshot *s, struct err *err) WARN_UNUSED;
/* Second try for types that may not be listed everywhere. */
bool snapshot_read_by_namespace(struct snapshot *s, struct err *err) WARN_UNUSED;
