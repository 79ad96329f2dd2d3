/* kube.h — talking to a Kubernetes API server.
 *
 * kube_open reads a kubeconfig (or the in-cluster files) and makes a client; the rest are the few verbs the pipeline
 * needs. Paths, verbs and media types are those of the Kubernetes API conventions. Replies live in the arena passed
 * to the call. One client per thread.
 * Fails with UNREACHABLE (also 429 and 5xx, after the retries), DENIED (401, 403: the message names verb, type and
 * user), NOT_FOUND, EXISTS and CONFLICT (409), INVALID (422: the server's own causes), GONE (410), USAGE (a
 * kubeconfig fault, with file and key), CORRUPT (a reply that is no JSON).
 */
#pragma once
#include "core/kube/selection.h"
#include "core/kube/stash.h"
#include "core/net/http.h"

struct kube;

struct kube_options {
    struct str kubeconfig;            /* path; empty: $KUBECONFIG, ~/.kube/config, then in-cluster */
    struct str context;               /* empty: the current one */
    const struct retry_policy *retry; /* NULL: RETRY_DEFAULT */
};

bool kube_open(struct arena *arena, const struct kube_options *options, struct kube **ret_kube,
               struct err *err) WARN_UNUSED;
/* A second client to the same cluster with the same credentials, for another thread. */
bool kube_open_another(struct kube *kube, struct arena *arena, struct kube **ret_kube,
                       struct err *err) WARN_UNUSED;
void kube_close(struct kube *kube);
struct str kube_server(const struct kube *kube);    /* URL */
struct str kube_context(const struct kube *kube);   /* name of the context in use */
struct str kube_namespace(const struct kube *kube); /* that the context names, else "default" */

/* A call of the API: `path` starts with '/'. A status of 400 and up becomes an err with the server's message. */
bool kube_call(struct kube *kube, struct arena *arena, const char *method, struct str path,
               const char *content_type, struct str body, const struct value **ret_object,
               struct err *err) WARN_UNUSED;

/* What a Service answers to GET `path`, through the API server's proxy, at its first port; at most 1 MiB. */
bool kube_service_text(struct kube *kube, struct arena *arena, struct str namespace, struct str name,
                       struct str path, struct str *ret_text, struct err *err) WARN_UNUSED;

bool kube_version(struct kube *kube, struct arena *arena, struct str *ret_git_version,
                  struct err *err) WARN_UNUSED;
/* Every type served, preferred versions only, from aggregated discovery (falls back to the plain one). A group that
 * is stale or does not answer keeps its types with `missing` filled. */
bool kube_discover(struct kube *kube, struct arena *arena, struct resource_types *ret_types,
                   struct err *err) WARN_UNUSED;
/* OpenAPI v3 documents of every group version, as bundle.openapi holds them. */
bool kube_openapi(struct kube *kube, struct arena *arena, const struct value **ret_documents,
                  struct err *err) WARN_UNUSED;

/* API path of a type or, with a name, of one object: /apis/apps/v1/namespaces/n/deployments/web */
struct str kube_path(struct arena *arena, const struct resource_type *type, struct str namespace,
                     struct str name);

bool kube_get(struct kube *kube, struct arena *arena, const struct resource_type *type, struct str namespace,
              struct str name, const struct value **ret_object, struct err *err) WARN_UNUSED;

/* One type, page by page. `resource_version` empty: whatever the server has now; else that version exactly, and the
 * caller compares: servers behind the aggregation layer may answer with a version of their own. CONFLICT: the pages
 * are of different moments, again and again. */
struct kube_list {
    struct str resource_version; /* that every page answered with */
    const struct value **items;  /* apiVersion and kind put back */
    size_t count, cap;
};
bool kube_list(struct kube *kube, struct arena *arena, const struct resource_type *type, struct str namespace,
               struct str resource_version, struct kube_list *ret_list, struct err *err) WARN_UNUSED;

struct kube_apply {
    const char *field_manager; /* NULL: "gitops-pipe" */
    bool dry_run, force;
};
/* Server-side apply of one object; returns what the server made of it. */
bool kube_apply(struct kube *kube, struct arena *arena, const struct resource_type *type,
                const struct resource *resource, const struct kube_apply *how,
                const struct value **ret_object, struct err *err) WARN_UNUSED;
bool kube_delete(struct kube *kube, struct arena *arena, const struct resource_type *type,
                 struct str namespace, struct str name, struct err *err) WARN_UNUSED;

/* Whether this user may `verb` the objects of a type in `namespace` (empty: everywhere; type NULL: every type). */
bool kube_may(struct kube *kube, struct arena *arena, const char *verb, const struct resource_type *type,
              struct str namespace, bool *ret_allowed, struct err *err) WARN_UNUSED;

struct progress;
/* Reads every selected, list-able type at one resourceVersion (docs/decisions/005) into a stash in `dir`, item by
 * item: memory does not grow with the cluster but for some 100 bytes an object. A type that could not be read is
 * recorded in types[].missing of stash_about and makes its `complete` false; that is no failure. A user who may not
 * list a type everywhere gets it namespace by namespace. Of objects that several groups serve (one uid) one stays.
 * Uses a second connection in a thread of its own; the result does not depend on it.
 * NOT_FOUND: a namespace that is named without a glob does not exist. IO: the disk is full. */
bool kube_stash(struct kube *kube, struct arena *arena, const struct kube_selection *selection,
                const char *dir, struct progress *progress, struct stash **ret_stash,
                struct err *err) WARN_UNUSED;
/* The resourceVersion of the whole store right now; empty where the user may list nothing that tells it. */
bool kube_moment(struct kube *kube, struct arena *arena, const struct kube_selection *selection,
                 struct str *ret_moment, struct err *err) WARN_UNUSED;
/* The same as one bundle in memory, for clusters and stages that allow it. */
bool kube_snapshot(struct kube *kube, struct arena *arena, const struct kube_selection *selection,
                   struct progress *progress, struct bundle *ret_bundle, struct err *err) WARN_UNUSED;
