/* exec_server.h — a fake API server that knows one thing: how to answer an exec over WebSocket. What it sends is what
 * the test says, byte for byte; what the client sent is kept. Each connection plays the script anew. */
#pragma once
#include "core/base/base.h"
#include "tests/harness/wire.h"

struct exec_server;

struct exec_script {
    struct str refusal;   /* a whole HTTP reply instead of the upgrade; empty: 101 */
    const char *protocol; /* NULL: v5.channel.k8s.io */
    struct str frames;    /* what follows the upgrade */
    bool wrong_accept;
    enum { EXEC_CLOSE, EXEC_RESET, EXEC_WAIT } end; /* after the frames; EXEC_WAIT: until the client goes */
};

struct exec_server *exec_server_start(const struct exec_script *script, const struct wire_tls *tls);
uint16_t exec_server_port(const struct exec_server *server);
/* Ends it. What the last client sent: the head of its request, and the frames after it (unmasked: "pong hi"). Both are
 * kept until exec_server_free. */
void exec_server_stop(struct exec_server *server, struct str *ret_head, struct str *ret_frames);
void exec_server_free(struct exec_server *server);

/* Frames to send: a message on a channel, and the end of it all. */
void exec_message(struct buf *out, unsigned channel, struct str text);
void exec_success(struct buf *out); /* status and close */
