/* sandbox.h — a stand-in for a Kubernetes cluster: an API server on loopback, inside this process.
 *
 * It makes the demo, the drills and most tests run where there is no cluster. It serves what this product's client
 * uses of kube-apiserver 1.36: discovery, paged lists (also of an old resourceVersion), get, create, server-side
 * apply with field ownership, dry run, update, delete; defaults, validation of the commonest faults; CRDs; and stand-ins
 * for the controllers that leave children behind (Deployment, StatefulSet, DaemonSet, Job, Service, PVC, Namespace).
 * It runs no container, serves no watches, and admits what a quota would refuse. It says what it is: /version answers
 * v1.36.0-sandbox, and the kubeconfig's context is `sandbox`. The contract suite (tests/contract/test_kube.c) runs
 * the same cases here and against a real kube-apiserver.
 *
 * A sandbox owns its threads and all its memory, which grows with every write until sandbox_stop: it is made for
 * runs, not for months. All functions may be called from any thread.
 * Fails with IO (no socket), NOT_FOUND and INVALID (the folder), LIMIT (more objects than allowed).
 */
#pragma once
#include <stdatomic.h>

#include "core/kube/bundle.h"

struct sandbox;

/* What can be made to go wrong. `value` is what the row says. */
enum sandbox_fault_kind {
    SANDBOX_FORBID,      /* 403 */
    SANDBOX_UNAUTHORIZE, /* 401: the token has expired */
    SANDBOX_THROTTLE,    /* 429, Retry-After: value seconds */
    SANDBOX_ERROR,       /* HTTP status `value` (500 when 0) */
    SANDBOX_SLOW,        /* answers after value milliseconds */
    SANDBOX_CUT,         /* the connection ends in the middle of the body */
    SANDBOX_CLOSE,       /* the connection ends before any answer, as after a GOAWAY */
    SANDBOX_STALE,       /* aggregated discovery calls the group `match` stale */
    SANDBOX_COMPACT,     /* history is compacted just before the call is served */
};

struct sandbox_fault {
    enum sandbox_fault_kind kind;
    const char *method; /* NULL: any */
    const char *match;  /* glob over the path without query; NULL: any */
    unsigned skip;      /* so many matching calls pass unharmed first */
    unsigned times;     /* then so many are harmed; 0: all */
    int value;
};

struct sandbox_options {
    uint16_t port;           /* 0: any free one */
    struct str token;        /* bearer token; empty: a random one */
    const char *folder;      /* manifests to start with; NULL: an empty cluster */
    unsigned max_page;       /* the server's own bound on a page of a list; 0: none, as kube-apiserver */
    size_t max_objects;      /* 0: 200 000 */
    int64_t ready_after_ms;  /* how long a workload takes until its pods are ready */
    int64_t served_after_ms; /* how long a CRD takes until its type is served */
    const char *never_ready; /* glob over "namespace/name" of workloads whose pods stay broken; NULL: none */
};

bool sandbox_start(const struct sandbox_options *options, struct sandbox **ret_sandbox,
                   struct err *err) WARN_UNUSED;
void sandbox_stop(struct sandbox *sandbox); /* NULL is fine */

struct str sandbox_url(const struct sandbox *sandbox); /* http://127.0.0.1:PORT */
struct str sandbox_token(const struct sandbox *sandbox);
/* Manifests of the folder that could not be had, and why; one line each. */
const struct str_list *sandbox_problems(const struct sandbox *sandbox);
size_t sandbox_objects(struct sandbox *sandbox);
/* Writes a kubeconfig (mode 0600) whose one context is `sandbox`. */
bool sandbox_write_kubeconfig(const struct sandbox *sandbox, const char *path, struct err *err) WARN_UNUSED;

/* Adds a fault; `match` and `method` are copied. */
void sandbox_fault(struct sandbox *sandbox, const struct sandbox_fault *fault);
void sandbox_heal(struct sandbox *sandbox);    /* no faults any more */
void sandbox_compact(struct sandbox *sandbox); /* forgets every version but the newest */

/* Starts, writes `kubeconfig` when it is not NULL, calls `ready` once, and serves until `*stop` is set (looked at
 * four times a second). */
bool sandbox_serve(const struct sandbox_options *options, const char *kubeconfig,
                   void (*ready)(const struct sandbox *sandbox, void *ctx), void *ctx,
                   const atomic_bool *stop, struct err *err) WARN_UNUSED;
