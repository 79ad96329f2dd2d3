/* websocket.h — the frames of WebSocket (RFC 6455), as a client reads and writes them. Knows no socket.
 *
 * Reading is by pieces of any size: what comes is handed on at once, so a message of any length costs no memory. A
 * server's frames are never masked; ours always are, as the standard demands. Held to: no reserved bits, known
 * opcodes, control frames of 125 bytes at most and never in pieces, lengths in their shortest form and below a bound,
 * nothing behind a close. Fails with CORRUPT (a peer that speaks something else) and LIMIT (a frame too long).
 */
#pragma once
#include "core/base/base.h"

enum websocket_opcode {
    WEBSOCKET_MORE = 0, /* goes on with the message before */
    WEBSOCKET_TEXT = 1,
    WEBSOCKET_BINARY = 2,
    WEBSOCKET_CLOSE = 8,
    WEBSOCKET_PING = 9,
    WEBSOCKET_PONG = 10,
};

enum {
    WEBSOCKET_HEADER_MAX = 14,
    WEBSOCKET_CONTROL_MAX = 125,
    WEBSOCKET_FRAME_MAX = 64 << 20, /* bytes of one frame from a server */
};

/* What a reader keeps between two pieces; zero it first. */
struct websocket {
    uint8_t header[WEBSOCKET_HEADER_MAX], control[WEBSOCKET_CONTROL_MAX];
    size_t have;         /* bytes of the header */
    uint64_t want, left; /* payload of the frame: in all, and what has not come yet */
    enum websocket_opcode opcode;
    bool in_frame, final, in_message, begun, closed;
};

struct websocket_events {
    /* A piece of a message, perhaps an empty one; `begins` and `ends` mark its first and its last. */
    bool (*data)(void *ctx, struct str piece, bool begins, bool ends, struct err *err);
    /* A whole ping, pong or close. */
    bool (*control)(void *ctx, enum websocket_opcode opcode, struct str payload, struct err *err);
    void *ctx;
};

bool websocket_take(struct websocket *reader, struct str bytes, const struct websocket_events *events,
                    struct err *err) WARN_UNUSED;
/* Appends a whole frame with `payload`, masked with `mask`. */
void websocket_write(struct buf *out, enum websocket_opcode opcode, struct str payload,
                     const uint8_t mask[4]);

/* Sec-WebSocket-Key from 16 random bytes, and the Sec-WebSocket-Accept that proves a server has understood it. */
struct str websocket_key(struct arena *arena, const uint8_t random[16]);
struct str websocket_accept(struct arena *arena, struct str key);
