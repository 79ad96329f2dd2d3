/* wire.h — a scripted HTTP/1.1 server on loopback, for tests that must see the very bytes.
 *
 * A script (testdata/wire/…/x.wire) is a readable file of exchanges:
 *
 *     # a comment, before the first exchange only
 *     === request
 *     GET /version HTTP/1.1
 *     Host: 127.0.0.1:{port}
 *
 *     === reply
 *     !stall 100
 *     HTTP/1.1 200 OK
 *     Content-Length: {length}
 *
 *     {"gitVersion": "v1.36.3"}
 *
 * An incoming request goes to the first exchange not yet used whose request line is the same; the rest of the head
 * and the body must then be equal, byte for byte. A request of one line alone checks that line only. Heads end their
 * lines in CRLF on the wire; one line break before the next "===" does not belong to the body. {port}, {version} and
 * (in replies) {length}, the bytes of the body, are filled in; once in the head of a reply also {sent NAME}, the value of
 * that header in the last request that had it.
 * A reply starts with any of: !cut N (close after N bytes of the whole reply), !reset (close with RST),
 * !close (after the reply), !stall MS (before it), !chunked N (send the body so), !gzip (and so), !forever (may be
 * used any number of times, also none). A reply without a head sends nothing.
 */
#pragma once
#include "core/base/base.h"

struct wire;

/* PEM texts; client_ca_pem demands a client certificate. */
struct wire_tls {
    struct str cert_pem, key_pem, client_ca_pem;
};
struct ssl_ctx_st; /* OpenSSL's SSL_CTX, for other servers of the harness; the caller frees it */
struct ssl_ctx_st *wire_tls_context(const struct wire_tls *tls);

/* Reads the script and serves it on a port of its own; aborts the test when the script is wrong. `tls` may be NULL. */
struct wire *wire_start(const char *script, const struct wire_tls *tls);
uint16_t wire_port(const struct wire *wire);
/* http(s)://127.0.0.1:port + path */
struct str wire_url(const struct wire *wire, struct arena *arena, const char *path);
/* Calls `before` in the server's thread between a request and its reply: for what happens in the meantime. */
void wire_before_reply(struct wire *wire, void (*before)(void *ctx, unsigned request), void *ctx);
unsigned wire_connections(const struct wire *wire); /* accepted so far */
unsigned wire_requests(const struct wire *wire);    /* answered so far */
/* Ends the server. NULL when every exchange was used and every request matched, else what differed (kept until
 * wire_free). */
const char *wire_stop(struct wire *wire);
void wire_free(struct wire *wire);
