#include "core/net/websocket.h"

#include <openssl/evp.h>
#include <string.h>

#include "core/base/base64.h"

enum {
    FINAL = 0x80,
    RESERVED = 0x70,
    OPCODE = 0x0f,
    MASKED = 0x80,
    LENGTH = 0x7f,
    LENGTH_16 = 126,
    LENGTH_64 = 127
};

/* ---- reading ---- */

static bool corrupt(struct err *err, const char *what)
{
    return err_set(err, ERR_CORRUPT, "WebSocket: %s", what);
}

static bool is_control(enum websocket_opcode opcode)
{
    return opcode >= WEBSOCKET_CLOSE;
}

static bool is_known(unsigned opcode)
{
    return opcode <= WEBSOCKET_BINARY || (opcode >= WEBSOCKET_CLOSE && opcode <= WEBSOCKET_PONG);
}

/* Bytes of the header that starts with these two. */
static size_t header_size(const uint8_t *header)
{
    unsigned length = header[1] & LENGTH;
    return 2 + (length == LENGTH_16 ? 2 : length == LENGTH_64 ? 8 : 0);
}

static bool read_length(struct websocket *w, struct err *err)
{
    unsigned length = w->header[1] & LENGTH;
    size_t size = header_size(w->header);
    uint64_t number = 0;
    for (size_t i = 2; i < size; i++)
        number = number << 8 | w->header[i];
    w->want = length < LENGTH_16 ? length : number;
    if ((length == LENGTH_16 && number < LENGTH_16) || (length == LENGTH_64 && number <= UINT16_MAX))
        return corrupt(err, "a length that is not in its shortest form");
    if (w->want > WEBSOCKET_FRAME_MAX)
        return err_set(err, ERR_LIMIT, "WebSocket: a frame of %llu bytes; at most %d are taken",
                       (unsigned long long)w->want, WEBSOCKET_FRAME_MAX);
    return true;
}

static bool check_header(const struct websocket *w, struct err *err)
{
    if (w->header[0] & RESERVED)
        return corrupt(err, "reserved bits are set");
    if (!is_known(w->header[0] & OPCODE))
        return corrupt(err, "an opcode that nobody knows");
    if (w->header[1] & MASKED)
        return corrupt(err, "the server masks its frames");
    if (is_control(w->opcode) && (w->want > WEBSOCKET_CONTROL_MAX || !w->final))
        return corrupt(err, "a control frame that is too long or in pieces");
    if (!is_control(w->opcode) && (w->opcode == WEBSOCKET_MORE) != w->in_message)
        return corrupt(err,
                       w->in_message ? "a message begins inside another" : "a message without its beginning");
    return true;
}

static bool begin_frame(struct websocket *w, struct err *err)
{
    w->final = w->header[0] & FINAL;
    w->opcode = w->header[0] & OPCODE;
    if (!read_length(w, err) || !check_header(w, err))
        return false;
    w->left = w->want;
    w->have = 0;
    w->in_frame = true;
    w->begun = w->opcode == WEBSOCKET_MORE;
    if (!is_control(w->opcode))
        w->in_message = true;
    return true;
}

/* Takes bytes of the header from the front of `rest`; false when the header is a bad one. */
static bool take_header(struct websocket *w, struct str *rest, struct err *err)
{
    while (rest->len != 0 && (w->have < 2 || w->have < header_size(w->header))) {
        w->header[w->have++] = (uint8_t)rest->ptr[0];
        *rest = str_from(*rest, 1);
    }
    return w->have < 2 || w->have < header_size(w->header) || begin_frame(w, err);
}

static bool end_control(struct websocket *w, const struct websocket_events *events, struct err *err)
{
    struct str payload = {(const char *)w->control, w->want};
    w->in_frame = false;
    w->closed = w->opcode == WEBSOCKET_CLOSE;
    return events->control(events->ctx, w->opcode, payload, err);
}

static bool take_payload(struct websocket *w, struct str *rest, const struct websocket_events *events,
                         struct err *err)
{
    struct str piece = str_slice(*rest, 0, w->left);
    if (is_control(w->opcode)) {
        if (piece.len != 0)
            memcpy(w->control + (w->want - w->left), piece.ptr, piece.len);
        *rest = str_from(*rest, piece.len);
        w->left -= piece.len;
        return w->left != 0 || end_control(w, events, err);
    }
    bool begins = !w->begun;
    *rest = str_from(*rest, piece.len);
    w->left -= piece.len;
    w->begun = true;
    w->in_frame = w->left != 0;
    bool ends = !w->in_frame && w->final;
    w->in_message = !ends;
    return events->data(events->ctx, piece, begins, ends, err);
}

bool websocket_take(struct websocket *w, struct str bytes, const struct websocket_events *events,
                    struct err *err)
{
    while (bytes.len != 0 || (w->in_frame && w->left == 0)) {
        if (w->closed)
            return corrupt(err, "the server goes on after it said goodbye");
        if (!(w->in_frame ? take_payload(w, &bytes, events, err) : take_header(w, &bytes, err)))
            return false;
    }
    return true;
}

/* ---- writing ---- */

void websocket_write(struct buf *out, enum websocket_opcode opcode, struct str payload, const uint8_t mask[4])
{
    buf_char(out, (char)(FINAL | opcode));
    if (payload.len < LENGTH_16) {
        buf_char(out, (char)(MASKED | payload.len));
    } else {
        int bytes = payload.len <= UINT16_MAX ? 2 : 8;
        buf_char(out, (char)(MASKED | (bytes == 2 ? LENGTH_16 : LENGTH_64)));
        for (int i = bytes - 1; i >= 0; i--)
            buf_char(out, (char)((uint64_t)payload.len >> (8 * i)));
    }
    buf_append(out, mask, 4);
    char *at = buf_reserve(out, payload.len);
    if (at == NULL)
        return;
    for (size_t i = 0; i < payload.len; i++)
        at[i] = (char)(payload.ptr[i] ^ mask[i % 4]);
    out->len += payload.len;
}

/* ---- the handshake ---- */

struct str websocket_key(struct arena *arena, const uint8_t random[16])
{
    return base64_encode(arena, (struct str){(const char *)random, 16}, BASE64_STANDARD);
}

struct str websocket_accept(struct arena *arena, struct str key)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    struct str text = str_fmt(arena, "%.*s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", STR_ARG(key));
    EVP_Digest(text.ptr, text.len, hash, &len, EVP_sha1(), NULL);
    return base64_encode(arena, (struct str){(const char *)hash, len}, BASE64_STANDARD);
}
