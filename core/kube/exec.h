/* exec.h — a command in a container, through the API server (pods/exec).
 *
 * Speaks remotecommand over WebSocket: v5.channel.k8s.io where the server knows it, else v4 (k8s.io/apiserver,
 * remotecommand). Authentication, TLS and proxy are those of every other call. Output is handed on as it comes and
 * never held. Only a status that the server sent counts as an end: a connection that breaks before it is a failure,
 * however much output came. Nothing is sent to the command.
 * Fails with DENIED (401, 403), NOT_FOUND (no such pod), USAGE (the server's 400: no such container, a pod that does
 * not run), UNREACHABLE (cut, no connection), INTERRUPTED (the time limit; the command may go on in its container, for
 * Kubernetes has no way to end it), CORRUPT (a peer that speaks something else), and what `out` and `notes` fail with.
 */
#pragma once
#include "core/kube/kube.h"

struct kube_exec {
    struct str namespace, pod, container; /* container empty: the pod's default one */
    struct str_list command;              /* a program and its arguments; no shell in between */
    int64_t timeout_ms;                   /* from the call to the last byte */
    /* Take what the command writes to standard output and to standard error; false ends the call. */
    bool (*out)(void *ctx, struct str piece, struct err *err);
    bool (*notes)(void *ctx, struct str piece, struct err *err);
    void *ctx;
};

struct kube_exec_result {
    bool ok;            /* it ended with 0 */
    int exit_code;      /* -1 where there is none: it was killed, or never started */
    struct str message; /* the server's words when not ok */
};

/* True when the command ended and the server said how. */
bool kube_exec(struct kube *kube, struct arena *arena, const struct kube_exec *exec,
               struct kube_exec_result *ret_result, struct err *err) WARN_UNUSED;
