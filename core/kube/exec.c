#include "core/kube/exec.h"

#include <string.h>
#include <sys/random.h>

#include "core/base/clock.h"
#include "core/base/json.h"
#include "core/kube/kube_intern.h"
#include "core/net/websocket.h"

#define V5 "v5.channel.k8s.io"
#define V4 "v4.channel.k8s.io"

/* The first byte of a message says where the rest belongs. */
enum channel { CHANNEL_OUT = 1, CHANNEL_NOTES = 2, CHANNEL_STATUS = 3, CHANNEL_CLOSE = 255 };

enum { STATUS_MAX = 64 << 10, RECEIVE_BYTES = 32 << 10 };

struct session {
    struct kube *kube;
    struct arena *arena;
    const struct kube_exec *exec;
    int64_t deadline_ms;
    struct http_stream *stream;
    struct websocket reader;
    unsigned char channel; /* of the message that is coming in */
    bool named;            /* its first byte has come */
    struct buf status;     /* what came on the status channel */
    bool has_status, closed;
};

/* ---- the call ---- */

static struct str exec_path(struct arena *arena, const struct kube_exec *exec)
{
    const struct resource_type pods = {.version = STR("v1"), .plural = STR("pods"), .namespaced = true};
    struct str path = kube_path(arena, &pods, exec->namespace, exec->pod);
    path = str_fmt(arena, "%.*s/exec?stdout=true&stderr=true", STR_ARG(path));
    if (exec->container.len != 0) {
        struct str container = http_escape(arena, exec->container, false);
        path = str_fmt(arena, "%.*s&container=%.*s", STR_ARG(path), STR_ARG(container));
    }
    for (size_t i = 0; i < exec->command.count; i++) {
        struct str word = http_escape(arena, exec->command.items[i], false);
        path = str_fmt(arena, "%.*s&command=%.*s", STR_ARG(path), STR_ARG(word));
    }
    return path;
}

static bool authorize(void *ctx, struct arena *arena, struct http_request *request, struct err *err)
{
    return kube_authorize(ctx, arena, &request->headers, err);
}

static bool make_key(struct arena *arena, struct str *ret_key, struct err *err)
{
    uint8_t random[16];
    if (getrandom(random, sizeof random, 0) != sizeof random)
        return err_errno(err, "random bytes");
    *ret_key = websocket_key(arena, random);
    return true;
}

static bool upgrade(struct session *s, struct str key, struct http_reply *reply, struct err *err)
{
    struct kube *kube = s->kube;
    struct str path = exec_path(s->arena, s->exec);
    struct http_request call = {.method = "GET",
                                .url = str_fmt(s->arena, "%.*s%.*s", STR_ARG(kube->server), STR_ARG(path)),
                                .prepare = authorize,
                                .ctx = kube};
    http_add_header(s->arena, &call.headers, STR("Connection"), STR("Upgrade"));
    http_add_header(s->arena, &call.headers, STR("Upgrade"), STR("websocket"));
    http_add_header(s->arena, &call.headers, STR("Sec-WebSocket-Version"), STR("13"));
    http_add_header(s->arena, &call.headers, STR("Sec-WebSocket-Key"), key);
    http_add_header(s->arena, &call.headers, STR("Sec-WebSocket-Protocol"), STR(V5 ", " V4));
    bool changed = false;
    kube_reload_files(kube);
    if (!kube_exec_refresh(kube, false, err) ||
        !http_upgrade(kube->http, s->arena, &call, s->deadline_ms, &s->stream, reply, err))
        return false;
    if (reply->status != 401)
        return true;
    return kube_renew(kube, &changed, err) &&
           (!changed || http_upgrade(kube->http, s->arena, &call, s->deadline_ms, &s->stream, reply, err));
}

static bool refused(struct session *s, const struct http_reply *reply, struct err *err)
{
    struct kube_reply answer = {.status = reply->status, .body = reply->body};
    struct err ignored;
    if (!json_parse(s->arena, reply->body, NULL, &answer.object, &ignored))
        answer.object = NULL;
    if (reply->status / 100 == 2)
        return err_set(err, ERR_CORRUPT, "the server answers an exec with HTTP %d", reply->status);
    if (reply->status / 100 == 3)
        return kube_redirected(s->kube, s->arena, reply, err);
    kube_fail(s->kube, &answer, err);
    if (reply->status == 400)
        err->code = ERR_USAGE;
    if (reply->status == 403)
        return err_next(err, "grant get and create on pods/exec there; `gitops-pipe rbac` prints the role");
    return false;
}

static bool check_handshake(struct session *s, struct str key, const struct http_reply *reply,
                            struct err *err)
{
    struct str accept = http_header(&reply->headers, STR("sec-websocket-accept"));
    struct str protocol = http_header(&reply->headers, STR("sec-websocket-protocol"));
    if (!str_eq(accept, websocket_accept(s->arena, key)))
        return err_set(err, ERR_CORRUPT,
                       "the server's handshake does not answer ours: is a proxy in between?");
    if (str_is(protocol, V5) || str_is(protocol, V4))
        return true;
    return err_set(err, ERR_CORRUPT, "the server speaks neither " V5 " nor " V4);
}

static bool open_session(struct session *s, struct err *err)
{
    struct http_reply reply = {0};
    struct str key;
    if (!make_key(s->arena, &key, err) || !upgrade(s, key, &reply, err))
        return false;
    return reply.status == 101 ? check_handshake(s, key, &reply, err) : refused(s, &reply, err);
}

/* ---- messages ---- */

static bool on_data(void *ctx, struct str piece, bool begins, bool ends, struct err *err)
{
    struct session *s = ctx;
    if (begins)
        s->named = false;
    if (!s->named && piece.len != 0) {
        s->channel = (unsigned char)piece.ptr[0];
        s->named = true;
        piece = str_from(piece, 1);
    }
    if (!s->named)
        return !ends || err_set(err, ERR_CORRUPT, "a message that names no channel");
    switch (s->channel) {
    case CHANNEL_OUT: return piece.len == 0 || s->exec->out(s->exec->ctx, piece, err);
    case CHANNEL_NOTES: return piece.len == 0 || s->exec->notes(s->exec->ctx, piece, err);
    case CHANNEL_STATUS:
        buf_str(&s->status, piece);
        s->has_status = s->has_status || ends;
        return true;
    case CHANNEL_CLOSE: return true; /* v5: one of the streams is over */
    default: return err_set(err, ERR_CORRUPT, "a message on channel %u", s->channel);
    }
}

static bool send_control(struct session *s, enum websocket_opcode opcode, struct str payload, struct err *err)
{
    struct buf frame CLEANUP(buf_done);
    uint8_t mask[4];
    buf_init(&frame, WEBSOCKET_HEADER_MAX + WEBSOCKET_CONTROL_MAX);
    if (getrandom(mask, sizeof mask, 0) != sizeof mask)
        return err_errno(err, "random bytes");
    websocket_write(&frame, opcode, payload, mask);
    return http_stream_send(s->stream, buf_view(&frame), s->deadline_ms, err);
}

static bool on_control(void *ctx, enum websocket_opcode opcode, struct str payload, struct err *err)
{
    struct session *s = ctx;
    s->closed = opcode == WEBSOCKET_CLOSE;
    return opcode != WEBSOCKET_PING || send_control(s, WEBSOCKET_PONG, payload, err);
}

/* Until the server says goodbye: output may follow the status, which comes on a channel of its own. */
static bool listen(struct session *s, struct err *err)
{
    const struct websocket_events events = {on_data, on_control, s};
    char bytes[RECEIVE_BYTES];
    while (!s->closed) {
        size_t got = 0;
        if (!http_stream_receive(s->stream, bytes, sizeof bytes, s->deadline_ms, &got, err))
            return false;
        if (got == 0)
            break;
        if (!websocket_take(&s->reader, (struct str){bytes, got}, &events, err))
            return false;
    }
    return (s->has_status && !s->reader.in_message) ||
           err_set(err, ERR_UNREACHABLE,
                   "the connection ended before the command did: its output is not whole");
}

/* ---- the status ---- */

/* A metav1.Status; of a command that failed the causes hold ExitCode. */
static bool read_status(struct session *s, struct kube_exec_result *result, struct err *err)
{
    const struct value *status;
    struct err ignored;
    uint64_t code;
    struct str text = str_dup(s->arena, buf_view(&s->status));
    if (!buf_ok(&s->status) || !json_parse(s->arena, text, NULL, &status, &ignored))
        return err_set(err, ERR_CORRUPT, "the status of the command cannot be read");
    struct str word = value_str(value_key(status, "status"));
    result->ok = str_is(word, "Success");
    result->exit_code = result->ok ? 0 : -1;
    result->message = value_str(value_key(status, "message"));
    if (!result->ok && !str_is(word, "Failure"))
        return err_set(err, ERR_CORRUPT, "the status of the command is neither Success nor Failure");
    VALUE_EACH(cause, value_in(status, PATH("details", "causes")))
        if (str_is(value_str(value_key(cause, "reason")), "ExitCode") &&
            str_to_u64(value_str(value_key(cause, "message")), &code) && code <= 255)
            result->exit_code = (int)code;
    return true;
}

/* Politeness: everything has been said. */
static void say_goodbye(struct session *s)
{
    struct err ignored;
    bool heard = send_control(s, WEBSOCKET_CLOSE, STR("\x03\xe8"), &ignored);
    (void)heard;
}

static bool fail(const struct session *s, struct err *err)
{
    if (err->code == ERR_INTERRUPTED)
        err_set(err, ERR_INTERRUPTED, "no end within %lld s; in its container it may go on",
                (long long)(s->exec->timeout_ms / 1000));
    return err_context(err, "exec in pod %.*s/%.*s", STR_ARG(s->exec->namespace), STR_ARG(s->exec->pod));
}

bool kube_exec(struct kube *kube, struct arena *arena, const struct kube_exec *exec,
               struct kube_exec_result *ret_result, struct err *err)
{
    struct kube_exec_result result = {0};
    struct session s = {
        .kube = kube, .arena = arena, .exec = exec, .deadline_ms = clock_monotonic_ms() + exec->timeout_ms};
    buf_init(&s.status, STATUS_MAX);
    bool done = open_session(&s, err) && listen(&s, err) && read_status(&s, &result, err);
    if (done && s.closed)
        say_goodbye(&s);
    http_stream_close(s.stream);
    buf_done(&s.status);
    if (!done)
        return fail(&s, err);
    *ret_result = result;
    return true;
}
