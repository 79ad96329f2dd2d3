/* server.h — backupd's HTTP face: starts, answers, stops without cutting anyone off.
 *
 * Plain HTTP on loopback, for a reverse proxy or a local client; another address takes an explicit yes, because
 * nothing here asks who is calling. Routes are a table in routes.c; every answer is JSON, a fault looks like
 * {"error": {"code": "NOT_FOUND", "message": "…"}} under the status that err.def gives its code. Requests are bounded:
 * 1 MiB of body, 30 s of silence, 64 connections.
 * A daemon owns its threads; daemon_stop waits until requests in flight are answered, at most `patience_ms`.
 * Fails with USAGE (the address), REFUSED (not loopback), IO (the port is taken).
 */
#pragma once
#include "core/base/base.h"

struct daemon;

struct daemon_options {
    const char *listen; /* "127.0.0.1:8080", "[::1]:8080"; port 0 takes a free one */
    bool allow_remote;  /* an address that is not loopback is fine */
};

bool daemon_start(const struct daemon_options *options, struct daemon **ret_daemon,
                  struct err *err) WARN_UNUSED;
const char *daemon_address(const struct daemon *daemon); /* "127.0.0.1:8080", with the port in use */
void daemon_stop(struct daemon *daemon, int64_t patience_ms);
