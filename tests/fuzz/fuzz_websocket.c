/* The first byte says how large the pieces are; the messages must not depend on it. */
#include <stdlib.h>

#include "core/net/websocket.h"
#include "tests/fuzz/fuzz.h"

struct heard {
    uint64_t bytes, begun, ended, controls;
};

static bool on_data(void *ctx, struct str piece, bool begins, bool ends, struct err *err)
{
    struct heard *heard = ctx;
    heard->bytes += piece.len;
    heard->begun += begins;
    heard->ended += ends;
    if (heard->ended > heard->begun)
        abort();
    return true;
}

static bool on_control(void *ctx, enum websocket_opcode opcode, struct str payload, struct err *err)
{
    struct heard *heard = ctx;
    heard->controls += 1 + payload.len;
    if (payload.len > WEBSOCKET_CONTROL_MAX)
        abort();
    return true;
}

static bool read_by(struct str bytes, size_t step, struct heard *heard)
{
    struct websocket reader = {0};
    const struct websocket_events events = {on_data, on_control, heard};
    struct err err;
    for (size_t i = 0; i < bytes.len; i += step)
        if (!websocket_take(&reader, str_slice(bytes, i, i + step), &events, &err))
            return false;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct heard pieces = {0}, whole = {0};
    if (len < 2)
        return 0;
    struct str text = {(const char *)bytes + 1, len - 1};
    bool good = read_by(text, (size_t)bytes[0] + 1, &pieces);
    if (good != read_by(text, text.len, &whole) || pieces.begun != whole.begun ||
        pieces.ended != whole.ended || pieces.controls != whole.controls || pieces.bytes != whole.bytes)
        abort();
    return 0;
}
