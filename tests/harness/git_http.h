/* git_http.h — the real git http-backend behind a small CGI server on loopback, for pushes and fetches over HTTP.
 * It serves the bare repositories below one folder; what goes wrong on the way is asked for by the test. */
#pragma once
#include "core/base/base.h"

struct git_http;

struct git_http_faults {
    const char *user, *password; /* wanted by basic authentication; NULL: nobody is asked */
    size_t cut_request_after;    /* bytes of a push's body after which the connection is closed; 0: never */
    int status;                  /* answered to everything; 0: the backend answers */
    void (*before_push)(void *ctx); /* called once when a push's pack arrives: somebody else is faster */
    void *ctx;
};

/* Aborts the test where it cannot start. */
struct git_http *git_http_start(const char *folder, struct git_http_faults faults);
struct str git_http_url(struct git_http *server, struct arena *arena, const char *repository);
unsigned git_http_requests(struct git_http *server);
void git_http_stop(struct git_http *server);
