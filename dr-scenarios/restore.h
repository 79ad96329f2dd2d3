/* restore.h — builds a cluster up again from declared objects, by server-side apply in waves.
 *
 * The order is that of core/kube/waves.h. After the definitions it waits until they are Established and asks the
 * target again what it serves. An object whose need is not there yet (its namespace, its type, an account, a webhook's
 * pods) is tried again; one that is refused is named and the rest goes on. Fields that cannot be changed on an object
 * that is there already are reported as "replace or keep", and replaced only where that was asked for and no data hangs on
 * the object. Field conflicts are settled for what is
 * declared. Then it waits until what was applied is ready.
 * Secrets that the repository leaves out come from a bundle of the backup when one is given; their values go to the
 * target and nowhere else.
 * Fails with REFUSED (the target is the cluster of the backup, or not empty of the declared namespaces), INCOMPLETE
 * (objects not restored or not ready: the result names them all), UNREACHABLE and DENIED (the target as a whole).
 * Run again, it goes on: what is there already is applied once more without effect.
 */
#pragma once
#include "core/kube/kube.h"
#include "core/run.h"

struct restore_options {
    bool dry_run;            /* server-side, nothing is kept and nothing waited for */
    bool allow_not_empty;    /* declared namespaces may exist already */
    bool allow_same_cluster; /* the target may be the very cluster of the backup */
    bool any_storage_class;  /* the target binds claims of whatever class, as the sandbox does */
    bool replace; /* what differs in an immutable field is deleted and made again, unless it holds data */
    struct str source_uid;                 /* of that cluster (its kube-system); empty: unknown */
    const struct bundle *provided_secrets; /* a bundle that holds Secrets; NULL: none */
    const struct config_environment
        *environment;        /* that is rebuilt: what it calls namespaces; NULL: nothing else */
    int64_t wait_timeout_ms; /* for retries and readiness together; 0: 5 minutes */
};

struct restore_result {
    size_t declared, applied, failed,
        unrehearsed;             /* unrehearsed: a dry run cannot try them before the real one */
    size_t waited, ready;        /* objects that have a readiness, and those that got there */
    size_t replaced;             /* deleted and made again */
    struct str_list secrets;     /* provided from the backup: "namespace/name" */
    struct findings findings;    /* one per object that was refused or is not ready */
    struct findings warnings;    /* what preflight.h found in what was declared */
    struct resource_types types; /* as the target serves them at the end */
    int64_t apply_ms, wait_ms;
};

/* Opens the cluster that "context:NAME" (of the configured kubeconfig) or "kubeconfig:FILE" names. USAGE for others. */
bool restore_open(struct run *run, struct str target, struct kube **ret_target, struct err *err) WARN_UNUSED;

/* restore_apply, then restore_wait unless it is a dry run. `ret_result` is filled as far as it got also on INCOMPLETE. */
bool restore_run(struct run *run, struct kube *target, const struct bundle *declared,
                 const struct restore_options *options, struct restore_result *ret_result,
                 struct err *err) WARN_UNUSED;

/* The two halves, for who wants to time them. Neither counts single objects as an error: see the result. */
bool restore_apply(struct run *run, struct kube *target, const struct bundle *declared,
                   const struct restore_options *options, struct restore_result *result,
                   struct err *err) WARN_UNUSED;
bool restore_wait(struct run *run, struct kube *target, const struct bundle *declared,
                  const struct restore_options *options, struct restore_result *result,
                  struct err *err) WARN_UNUSED;
/* INCOMPLETE, with the counts and the first name, when not everything was restored and ready; else true. */
bool restore_verdict(const struct restore_result *result, struct err *err) WARN_UNUSED;
/* {declared, applied, failed, unrehearsed (of a dry run, when there are any), ready, waited, secretsProvided[], applyMs, waitMs} for reports. */
const struct value *restore_section(struct arena *arena, const struct restore_result *result);
