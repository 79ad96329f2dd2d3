/* Frames as RFC 6455 draws them, in pieces of every size, and every way a peer may break the rules. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "core/net/websocket.h"

/* What came, as text: (begin)piece(end), ping:…, pong:…, close:… */
struct heard {
    struct buf text;
};

static bool on_data(void *ctx, struct str piece, bool begins, bool ends, struct err *err)
{
    struct heard *heard = ctx;
    buf_text(&heard->text, begins ? "(" : "");
    buf_str(&heard->text, piece);
    buf_text(&heard->text, ends ? ")" : "");
    return true;
}

static bool on_control(void *ctx, enum websocket_opcode opcode, struct str payload, struct err *err)
{
    struct heard *heard = ctx;
    static const char *const names[] = {"close", "ping", "pong"};
    buf_fmt(&heard->text, "[%s:%.*s]", names[opcode - WEBSOCKET_CLOSE], STR_ARG(payload));
    return true;
}

/* Feeds `bytes` in pieces of `step`. */
static bool feed(struct heard *heard, struct str bytes, size_t step, struct err *err)
{
    struct websocket reader = {0};
    const struct websocket_events events = {on_data, on_control, heard};
    for (size_t i = 0; i < bytes.len; i += step)
        if (!websocket_take(&reader, str_slice(bytes, i, i + step), &events, err))
            return false;
    return true;
}

Test(websocket, messages_come_out_whatever_the_pieces)
{
    static const struct {
        struct str bytes;
        const char *whole; /* heard when all comes at once */
    } cases[] = {
        {STR_INIT("\x81\x05Hello"), "(Hello)"},
        {STR_INIT("\x01\x03Hel\x80\x02lo"), "(Hello)"},
        {STR_INIT("\x02\x03Hel\x89\x02hi\x80\x02lo"), "(Hel[ping:hi]lo)"},
        {STR_INIT("\x82\x00"), "()"},
        {STR_INIT("\x02\x00\x00\x00\x80\x01x"), "(x)"},
        {STR_INIT("\x82\x01"
                  "a\x82\x01"
                  "b"),
         "(a)(b)"},
        {STR_INIT("\x8a\x00\x88\x02\x03\xe8"), "[pong:][close:\x03\xe8]"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        for (size_t step = 1; step <= cases[i].bytes.len; step++) {
            struct heard heard;
            struct err err = {0};
            buf_init(&heard.text, 1024);
            cr_expect(feed(&heard, cases[i].bytes, step, &err), "%zu: %s", i, err.msg);
            cr_expect(str_is(buf_view(&heard.text), cases[i].whole), "%zu by %zu: %.*s", i, step,
                      STR_ARG(buf_view(&heard.text)));
            buf_done(&heard.text);
        }
}

Test(websocket, lengths_of_two_and_of_eight_bytes)
{
    static char payload[70000];
    static const struct {
        struct str header;
        size_t len;
    } cases[] = {{STR_INIT("\x82\x7e\x00\x7e"), 126},
                 {STR_INIT("\x82\x7e\xff\xff"), 65535},
                 {STR_INIT("\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00"), 65536}};
    memset(payload, 'x', sizeof payload);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct heard heard;
        struct buf bytes;
        struct err err = {0};
        buf_init(&heard.text, 1 << 20);
        buf_init(&bytes, 1 << 20);
        buf_str(&bytes, cases[i].header);
        buf_append(&bytes, payload, cases[i].len);
        cr_expect(feed(&heard, buf_view(&bytes), 1000, &err), "%s", err.msg);
        cr_expect_eq(heard.text.len, cases[i].len + 2);
        buf_done(&heard.text);
        buf_done(&bytes);
    }
}

Test(websocket, a_peer_that_breaks_the_rules_is_told_from_one_that_does_not)
{
    static const struct {
        struct str bytes;
        enum err_code code;
        const char *says;
    } cases[] = {
        {STR_INIT("\xc2\x01"
                  "a"),
         ERR_CORRUPT, "reserved bits"},
        {STR_INIT("\x83\x01"
                  "a"),
         ERR_CORRUPT, "an opcode that nobody knows"},
        {STR_INIT("\x8b\x01"
                  "a"),
         ERR_CORRUPT, "an opcode that nobody knows"},
        {STR_INIT("\x82\x81\x01\x02\x03\x04"
                  "a"),
         ERR_CORRUPT, "masks"},
        {STR_INIT("\x09\x01"
                  "a"),
         ERR_CORRUPT, "a control frame that is too long or in pieces"},
        {STR_INIT("\x89\x7e\x00\x7e"), ERR_CORRUPT, "a control frame that is too long or in pieces"},
        {STR_INIT("\x80\x01"
                  "a"),
         ERR_CORRUPT, "a message without its beginning"},
        {STR_INIT("\x02\x01"
                  "a\x82\x01"
                  "b"),
         ERR_CORRUPT, "a message begins inside another"},
        {STR_INIT("\x82\x7e\x00\x05"), ERR_CORRUPT, "not in its shortest form"},
        {STR_INIT("\x82\x7f\x00\x00\x00\x00\x00\x00\xff\xff"), ERR_CORRUPT, "not in its shortest form"},
        {STR_INIT("\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff"), ERR_LIMIT, "at most"},
        {STR_INIT("\x88\x00\x82\x01"
                  "a"),
         ERR_CORRUPT, "goes on after it said goodbye"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        for (size_t step = 1; step <= cases[i].bytes.len; step += cases[i].bytes.len - 1) {
            struct heard heard;
            struct err err = {0};
            buf_init(&heard.text, 1024);
            cr_expect_not(feed(&heard, cases[i].bytes, step, &err), "case %zu", i);
            cr_expect_eq(err.code, cases[i].code, "%zu: %s", i, err.msg);
            cr_expect(strstr(err.msg, cases[i].says), "%zu: %s", i, err.msg);
            buf_done(&heard.text);
        }
}

/* The example of section 5.7, and lengths of every form. */
Test(websocket, what_we_send_is_masked)
{
    static const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};
    static char payload[65536];
    struct buf out;
    buf_init(&out, 1 << 20);
    websocket_write(&out, WEBSOCKET_TEXT, STR("Hello"), mask);
    cr_expect(str_eq(buf_view(&out), STR("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58")));
    buf_clear(&out);
    websocket_write(&out, WEBSOCKET_BINARY, (struct str){payload, 126}, mask);
    cr_expect(str_starts(buf_view(&out), STR("\x82\xfe\x00\x7e\x37\xfa\x21\x3d\x37\xfa")));
    cr_expect_eq(out.len, 8 + 126);
    buf_clear(&out);
    websocket_write(&out, WEBSOCKET_BINARY, (struct str){payload, 65536}, mask);
    cr_expect(str_starts(buf_view(&out), STR("\x82\xff\x00\x00\x00\x00\x00\x01\x00\x00\x37")));
    cr_expect_eq(out.len, 14 + 65536);
    buf_done(&out);
}

/* The example of section 1.3. */
Test(websocket, the_handshake)
{
    struct arena *arena = arena_new();
    struct str key = websocket_key(arena, (const uint8_t *)"the sample nonce");
    cr_expect(str_is(key, "dGhlIHNhbXBsZSBub25jZQ=="));
    cr_expect(str_is(websocket_accept(arena, key), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    arena_free(arena);
}
