/* kube_intern.h — what the files behind kube.h share. */
#pragma once
#include "core/kube/kube.h"
#include "core/kube/kubeconfig.h"

enum { KUBE_MAX_TOKEN = 1 << 20 };

/* Tells whether a file was replaced since it was last looked at. */
struct kube_stamp {
    uint64_t inode;
    int64_t bytes, modified_ns;
};

struct kube {
    struct kubeconfig config;
    struct str server; /* without a final '/' */
    struct http *http;
    struct arena *arena;              /* that kube lives in */
    const struct retry_policy *retry; /* NULL: the default */
    bool answered;                    /* the server did, at least once */

    /* What an exec plugin answered; the texts live in `credentials`, which is reset when it answers anew. */
    struct arena *credentials;
    struct str exec_token, exec_cert_pem, exec_key_pem; /* the certificate goes before the kubeconfig's */
    int64_t exec_expires_ms;                            /* Unix time; 0: it does not say */
    bool exec_ran;

    struct kube_stamp stamps[3]; /* of the files of CA, certificate and key */
    struct arena *reread;        /* their texts, once they changed; NULL until then */
    struct buf file_token;       /* what the token file held when it could last be read */
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
    /* As in http.h; the reply then has a body only where the status is no 2xx. */
    bool (*on_body)(void *ctx, struct str piece, struct err *err);
    void (*restart)(void *ctx);
    void *ctx;
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

/* The same for a 3xx, which is never followed. */
bool kube_redirected(const struct kube *kube, struct arena *arena, const struct http_reply *reply,
                     struct err *err);

/* Adds Authorization and impersonation to a request; called before every attempt. */
bool kube_authorize(struct kube *kube, struct arena *arena, struct http_headers *headers,
                    struct err *err) WARN_UNUSED;
/* Connects anew where the files of CA, client certificate or key hold something else than before, and says so. Files
 * that do not fit each other, as in the middle of a rotation, leave everything as it is. */
bool kube_reload_files(struct kube *kube);
/* After a 401: whether the credentials are others now, so that the call is worth a second try. Reads files again, runs
 * the exec plugin again. */
bool kube_renew(struct kube *kube, bool *ret_changed, struct err *err) WARN_UNUSED;
/* Whether credentials come from an exec plugin: a token that stands in the kubeconfig goes before it. */
bool kube_uses_plugin(const struct kube *kube);
/* Runs the exec plugin of the kubeconfig, where there is one and what it said last has expired or `anew` is set. */
bool kube_exec_refresh(struct kube *kube, bool anew, struct err *err) WARN_UNUSED;
/* Opens the HTTP client with the credentials of kube->config. */
bool kube_open_http(struct kube *kube, struct arena *arena, struct err *err) WARN_UNUSED;
/* The same in place of the client there is, which stays where that fails. */
bool kube_reconnect(struct kube *kube, struct err *err) WARN_UNUSED;

enum {
    KUBE_ITEM_MAX =
        64 << 20, /* bytes of one object: etcd's own limit is 1.5 MiB, other stores have other limits */
    KUBE_TOKEN_MAX = 64 << 10, /* of a continue token */
    KUBE_VERSION_MAX = 128
};

enum kube_extent { KUBE_PAGE, KUBE_LIST };

/* Who takes a list, item by item. What came since a `begin` can be taken back until that extent begins anew: a page
 * that was cut comes again, and so does a list that lost its moment. */
struct kube_list_sink {
    bool (*item)(void *ctx, struct str text,
                 struct err *err); /* as the server wrote it: see kube_list_item */
    void (*begin)(void *ctx, enum kube_extent extent);
    void (*back)(void *ctx, enum kube_extent extent);
    void *ctx;
};

struct kube_list_query {
    const struct resource_type *type;
    struct str namespace; /* empty: all */
    struct str exact;     /* resourceVersion; empty: whatever the server has now */
    struct str labels;    /* a label selector; empty: all */
};

struct kube_list_end {
    char resource_version[KUBE_VERSION_MAX]; /* that every page answered with */
    int status;                              /* of the last answer, also of one that failed; 0: none came */
    bool mixed;                              /* it failed because pages were of different moments */
};

/* Reads a list to its end, or takes all of it back and fails. Memory holds one item at a time. */
bool kube_list_each(struct kube *kube, const struct kube_list_query *query, const struct kube_list_sink *sink,
                    struct kube_list_end *ret_end, struct err *err) WARN_UNUSED;
/* One item as an object, apiVersion and kind put back; views into `text`. */
bool kube_list_item(struct arena *arena, const struct resource_type *type, struct str text,
                    const struct value **ret_item, struct err *err) WARN_UNUSED;
/* Custom types that are served in several versions get the one they are stored in. Types whose definition cannot be
 * seen stay as they are. */
bool kube_use_storage_versions(struct kube *kube, struct arena *arena, struct resource_types *types,
                               struct err *err) WARN_UNUSED;
/* The index of OpenAPI documents, a map from "api/v1" or "apis/apps/v1", and the document of one of its entries. */
bool kube_openapi_index(struct kube *kube, struct arena *arena, const struct value **ret_paths,
                        struct err *err) WARN_UNUSED;
bool kube_openapi_document(struct kube *kube, struct arena *arena, const struct member *entry,
                           const struct value **ret_document, struct err *err) WARN_UNUSED;
