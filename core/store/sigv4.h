/* sigv4.h — AWS Signature Version 4 for requests with headers ("AWS4-HMAC-SHA256").
 *
 * Source: "Signature Version 4 signing process" of the AWS General Reference and "Authenticating Requests" of the S3
 * API Reference; the examples published there are the tests. Own code, because libcurl 7.88 signs a query as it
 * stands and so gives wrong signatures. Keys are secrets: they never leave this module but as a signature.
 */
#pragma once
#include "core/net/http.h"

struct sigv4_keys {
    struct str access_key, secret_key;
    struct str session_token; /* empty without */
};

struct sigv4_request {
    const char *method;
    struct str path;        /* as it goes over the wire: escaped once (S3) */
    struct str query;       /* from sigv4_query */
    struct str body_sha256; /* hexadecimal */
    struct str region, service;
    int64_t time_ms;
};

/* One name=value of a query, not escaped. */
struct sigv4_pair {
    struct str name, value;
};

/* The canonical query: escaped and sorted. Sent exactly so, it is signed rightly. */
struct str sigv4_query(struct arena *arena, const struct sigv4_pair *pairs, size_t count);
/* Signs `headers`, which must hold Host, and appends Authorization to them. x-amz-date is set here; a session token
 * is added; the rest (x-amz-content-sha256 too) has to be there. Every header present is signed. */
void sigv4_sign(struct arena *arena, const struct sigv4_keys *keys, const struct sigv4_request *request,
                struct http_headers *headers);
