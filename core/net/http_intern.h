/* http_intern.h — what http.c (the call), http_setup.c (the options) and http_error.c (the words) share. */
#pragma once
#include <curl/curl.h>
#include <signal.h>

#include "core/net/http.h"
#include "core/net/url.h"

struct http {
    CURL *easy;
    struct http_options options;
    struct buf body;              /* kept between calls for its memory */
    bool reached;                 /* the server answered at least once */
    char detail[CURL_ERROR_SIZE]; /* libcurl's words on the last failure */
};

/* One attempt: what was asked, what came back so far. */
struct transfer {
    struct http *http;
    struct arena *arena;
    struct http_request request; /* a copy: `prepare` may change it */
    struct url url;
    struct http_reply reply;
    size_t received, header_bytes;
    bool streamed; /* a piece was handed to on_body */
    bool stopped;  /* by us: `err` says why */
    struct err *err;
};

enum again { AGAIN_NEVER, AGAIN_FEW, AGAIN_MANY };

/* Says in `err` what libcurl's `code` means for the user, and returns how often it is worth trying again. */
enum again http_explain(const struct transfer *transfer, CURLcode code, struct err *err);
/* Sets up the easy handle for one attempt; the lists are the caller's to free afterwards. */
CURLcode http_setup(struct transfer *transfer, struct curl_slist **ret_headers,
                    struct curl_slist **ret_connect_to);
/* What libcurl calls with each line of the header and each piece of the body. */
size_t http_on_header(char *ptr, size_t size, size_t count, void *transfer);
size_t http_on_body(char *ptr, size_t size, size_t count, void *transfer);

/* Fails with USAGE unless the URL may be called: https, or http to this machine itself. Fills transfer->url. */
bool http_check_url(struct transfer *transfer);
bool http_is_header_safe(const struct http_header *header);
/* Copies the request and lets `prepare` change the copy. */
bool http_prepare(struct transfer *transfer, const struct http_request *request);
/* Puts method and URL in front of what transfer->err says. Always false. */
bool http_fail(const struct transfer *transfer, unsigned attempts);

/* TLS libraries write to sockets without MSG_NOSIGNAL. A host program's SIGPIPE handling is not ours to change, so
 * the signal is held back in this thread for the time of a call, and taken away if it came. */
struct http_pipe_guard {
    sigset_t before;
    bool was_pending;
};
struct http_pipe_guard http_pipe_hold(void);
void http_pipe_release(const struct http_pipe_guard *guard);
