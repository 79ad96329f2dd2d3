/* http.h — the one HTTP client: libcurl behind a face that fits this product.
 *
 * A client keeps connections and TLS settings for one server (HTTP/2 where offered). TLS is verified (1.2 at
 * least), redirects are never followed, plain http is refused except to loopback (and, where asked for, a machine's metadata service). Bodies are bounded; a body cut
 * short, or one that does not say its length, is an error, never a short success. Calls that may be repeated go
 * through the retry policy (net/retry.h). Messages name method, server and path, never a header, a query or user
 * info. A client belongs to one thread at a time; make one per thread.
 * Fails with UNREACHABLE (no connection, TLS, timeouts, after the retries), LIMIT (body beyond max_body),
 * USAGE (bad URL, header or certificate), DENIED (the client certificate expired, or the server refuses it).
 * An HTTP status is no failure: the caller decides what 404 means.
 */
#pragma once
#include "core/net/retry.h"

struct http;

struct http_options {
    struct str ca_pem;             /* PEM of the authorities to trust; empty: the system's */
    struct str cert_pem, key_pem;  /* client certificate */
    struct str tls_server_name;    /* verify (and send SNI) against this name instead of the URL's */
    struct str proxy;              /* URL; empty: from the environment as usual */
    bool insecure_skip_tls_verify; /* only when the user's own configuration says so */
    int64_t connect_timeout_ms;    /* 0: 10 000 */
    int64_t idle_timeout_ms;       /* no byte for this long ends the call, in whole seconds; 0: 60 000 */
    bool metadata; /* plain http also to the addresses of metadata services (url_is_metadata) */
    bool known;    /* the server has answered before: be as patient with it as after that */
    bool compress; /* ask for gzip; bounds hold for what it expands to */
    const struct retry_policy *retry; /* NULL: RETRY_DEFAULT; must outlive the client */
};

struct http_header {
    struct str name, value;
};

struct http_headers {
    struct http_header *items;
    size_t count, cap;
};

struct http_request {
    const char *method;
    struct str url;
    struct http_headers headers;
    struct str body; /* sent when not empty, or when method is PUT, POST or PATCH */
    size_t max_body; /* of the reply; 0: 64 MiB, or no bound where on_body counts for itself */
    bool once;       /* the call is not idempotent: repeated only when nothing of it was sent */
    /* Called with each piece of the body of a 2xx reply instead of collecting it; false aborts. May be NULL. Once a
     * piece was handed out the call is not repeated: a cut then fails, and the caller goes on where it stopped.
     * Unless there is `restart`: it is told to forget all pieces so far, and the call is repeated like any other. */
    bool (*on_body)(void *ctx, struct str piece, struct err *err);
    void (*restart)(void *ctx);
    void *ctx;
    /* Called before every attempt, to sign anew (S3) or to refresh a token; may be NULL. */
    bool (*prepare)(void *ctx, struct arena *arena, struct http_request *request, struct err *err);
};

struct http_reply {
    int status;
    struct http_headers headers; /* names in lower case */
    struct str body;
    int64_t date_ms; /* of the Date header; 0 without one */
};

/* Checks certificates and keys, connects to nobody. The texts in `options` are copied into `arena`. */
bool http_open(struct arena *arena, const struct http_options *options, struct http **ret_http,
               struct err *err) WARN_UNUSED;
void http_close(struct http *http);
/* Everything in the reply lives in `arena`. */
bool http_call(struct http *http, struct arena *arena, const struct http_request *request,
               struct http_reply *ret_reply, struct err *err) WARN_UNUSED;
void http_add_header(struct arena *arena, struct http_headers *headers, struct str name, struct str value);
struct str http_header(const struct http_headers *headers, struct str name); /* any case; empty when absent */
/* Percent-encodes all but unreserved characters (RFC 3986); '/' is kept when `keep_slash`. */
struct str http_escape(struct arena *arena, struct str text, bool keep_slash);

/* A connection that has left HTTP behind: bytes both ways. Belongs to one thread; does not need its client. */
struct http_stream;

/* Asks for another protocol (RFC 9110, 7.8) over HTTP/1.1, with the TLS, proxy and bounds of the client; `request` holds
 * the Upgrade header and those that belong to it, and has no body. Tried once. With 101 there is a stream; any other
 * answer is no failure, and comes with its body (1 MiB at most) and no stream. `deadline_ms` is of clock_monotonic_ms. */
bool http_upgrade(struct http *http, struct arena *arena, const struct http_request *request,
                  int64_t deadline_ms, struct http_stream **ret_stream, struct http_reply *ret_reply,
                  struct err *err) WARN_UNUSED;
bool http_stream_send(struct http_stream *stream, struct str bytes, int64_t deadline_ms,
                      struct err *err) WARN_UNUSED;
/* Waits for at least one byte; none is the end. INTERRUPTED: the deadline has passed. */
bool http_stream_receive(struct http_stream *stream, char *at, size_t most, int64_t deadline_ms,
                         size_t *ret_got, struct err *err) WARN_UNUSED;
void http_stream_close(struct http_stream *stream); /* NULL is fine */
