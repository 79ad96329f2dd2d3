/* kube_intern.h — what the files behind kube.h share. */
#pragma once
#include "core/kube/kube.h"
#include "core/kube/kubeconfig.h"

struct kube {
    struct kubeconfig config;
    struct str server; /* without a final '/' */
    struct http *http;
    struct arena *arena;              /* that kube lives in */
    const struct retry_policy *retry; /* NULL: the default */
    bool answered;                    /* the server did, at least once */

    /* What an exec plugin answered; the texts live in `credentials`, which is reset when it answers anew. */
    struct arena *credentials;
    struct str exec_token;
    int64_t exec_expires_ms; /* Unix time; 0: it does not say */
    bool exec_ran;
};

struct kube_request {
    const char *method;
    struct str path;          /* with its query */
    const char *content_type; /* NULL without a body */
    const char *accept;       /* NULL: application/json */
    struct str body;
    size_t max_body; /* 0: as in http.h */
    bool repeatable; /* a POST that changes nothing */
    bool plain_text; /* the reply is not JSON */
};

struct kube_reply {
    int status;
    const struct value *object; /* NULL where the body is no JSON and the status is 400 or more */
    struct str body;
};

/* One call, whatever its status. JSON of a 2xx that cannot be read is CORRUPT. */
bool kube_exchange(struct kube *kube, struct arena *arena, const struct kube_request *request,
                   struct kube_reply *ret_reply, struct err *err) WARN_UNUSED;
/* Turns a reply of 400 and up into an err: "HTTP 403: pods is forbidden: …". Always false. */
bool kube_fail(const struct kube *kube, const struct kube_reply *reply, struct err *err);

/* Adds Authorization and impersonation to a request; called before every attempt. */
bool kube_authorize(struct kube *kube, struct arena *arena, struct http_headers *headers,
                    struct err *err) WARN_UNUSED;
/* Runs the exec plugin of the kubeconfig, where there is one and what it said last has expired or `anew` is set. */
bool kube_exec_refresh(struct kube *kube, bool anew, struct err *err) WARN_UNUSED;
/* (Re-)opens the HTTP client with the credentials of kube->config. */
bool kube_open_http(struct kube *kube, struct arena *arena, struct err *err) WARN_UNUSED;

/* kube_list that also tells the HTTP status it ended with (0: no answer came), whether it worked or not. */
bool kube_list_status(struct kube *kube, struct arena *arena, const struct resource_type *type,
                      struct str namespace, struct str resource_version, int *status,
                      struct kube_list *ret_list, struct err *err) WARN_UNUSED;
/* The index of OpenAPI documents, a map from "api/v1" or "apis/apps/v1", and the document of one of its entries. */
bool kube_openapi_index(struct kube *kube, struct arena *arena, const struct value **ret_paths,
                        struct err *err) WARN_UNUSED;
bool kube_openapi_document(struct kube *kube, struct arena *arena, const struct member *entry,
                           const struct value **ret_document, struct err *err) WARN_UNUSED;
