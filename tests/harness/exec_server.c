#include "tests/harness/exec_server.h"

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/net/websocket.h"

struct exec_server {
    struct exec_script script;
    struct arena *arena;
    int listener, client;
    uint16_t port;
    SSL_CTX *tls;
    SSL *ssl;
    pthread_t thread;
    pthread_mutex_t lock;
    struct buf head, frames;
};

static ssize_t receive(struct exec_server *s, char *at, size_t len)
{
    return s->ssl ? SSL_read(s->ssl, at, (int)len) : recv(s->client, at, len, 0);
}

static void send_all(struct exec_server *s, struct str bytes)
{
    while (bytes.len != 0) {
        ssize_t sent = s->ssl ? SSL_write(s->ssl, bytes.ptr, (int)bytes.len)
                              : send(s->client, bytes.ptr, bytes.len, MSG_NOSIGNAL);
        if (sent <= 0)
            return;
        bytes = str_from(bytes, (size_t)sent);
    }
}

static bool read_head(struct exec_server *s)
{
    char c;
    buf_clear(&s->head);
    buf_clear(&s->frames);
    while (!str_ends(buf_view(&s->head), STR("\r\n\r\n"))) {
        if (receive(s, &c, 1) <= 0)
            return false;
        buf_char(&s->head, c);
    }
    return true;
}

static struct str header(struct str head, const char *name)
{
    while (head.len != 0) {
        struct str value = str_cut(&head, '\n'), key = str_cut(&value, ':');
        if (str_eq_nocase(key, str_of(name)))
            return str_trim(value);
    }
    return STR_NONE;
}

static void shake_hands(struct exec_server *s)
{
    struct str key = header(buf_view(&s->head), "Sec-WebSocket-Key");
    struct str accept = s->script.wrong_accept ? STR("wrong") : websocket_accept(s->arena, key);
    send_all(s, str_fmt(s->arena,
                        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        "Sec-WebSocket-Accept: %.*s\r\nSec-WebSocket-Protocol: %s\r\n\r\n",
                        STR_ARG(accept), s->script.protocol ? s->script.protocol : "v5.channel.k8s.io"));
}

static bool read_exactly(struct exec_server *s, char *at, size_t len)
{
    while (len != 0) {
        ssize_t got = receive(s, at, len);
        if (got <= 0)
            return false;
        at += got;
        len -= (size_t)got;
    }
    return true;
}

/* Control frames of a client, all that it ever sends. */
static void read_frames(struct exec_server *s)
{
    char frame[2 + 4 + 125];
    while (read_exactly(s, frame, 6)) {
        size_t len = (unsigned char)frame[1] & 0x7f;
        if (len > 125 || !read_exactly(s, frame + 6, len))
            return;
        for (size_t i = 0; i < len; i++)
            frame[6 + i] ^= frame[2 + i % 4];
        int opcode = frame[0] & 0x0f;
        buf_fmt(&s->frames, "%s%s %.*s;", (frame[1] & 0x80) ? "" : "UNMASKED ",
                opcode == WEBSOCKET_PONG    ? "pong"
                : opcode == WEBSOCKET_CLOSE ? "close"
                                            : "other",
                opcode == WEBSOCKET_PONG ? (int)len : 0, frame + 6);
    }
}

static void play(struct exec_server *s)
{
    if ((s->ssl != NULL && SSL_accept(s->ssl) != 1) || !read_head(s))
        return;
    if (s->script.refusal.len != 0) {
        send_all(s, s->script.refusal);
        return;
    }
    shake_hands(s);
    send_all(s, s->script.frames);
    if (s->script.end == EXEC_RESET)
        setsockopt(s->client, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1}, sizeof(struct linger));
    else if (s->script.end == EXEC_WAIT)
        read_frames(s);
}

static void *serve(void *ctx)
{
    struct exec_server *s = ctx;
    sigset_t pipe; /* clients that hang up in a handshake are part of the tests */
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, NULL);
    for (;;) {
        int fd = accept(s->listener, NULL, NULL);
        if (fd < 0)
            return NULL;
        pthread_mutex_lock(&s->lock);
        s->client = fd;
        pthread_mutex_unlock(&s->lock);
        s->ssl = s->tls ? SSL_new(s->tls) : NULL;
        if (s->ssl != NULL)
            SSL_set_fd(s->ssl, fd);
        play(s);
        SSL_free(s->ssl);
        pthread_mutex_lock(&s->lock);
        s->client = -1;
        close(fd);
        pthread_mutex_unlock(&s->lock);
    }
}

struct exec_server *exec_server_start(const struct exec_script *script, const struct wire_tls *tls)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    struct exec_server *s = calloc(1, sizeof *s);
    if (s == NULL)
        abort();
    s->script = *script;
    s->arena = arena_new();
    s->client = -1;
    s->tls = tls ? wire_tls_context(tls) : NULL;
    pthread_mutex_init(&s->lock, NULL);
    buf_init(&s->head, 1 << 20);
    buf_init(&s->frames, 1 << 20);
    s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(s->listener, (struct sockaddr *)&address, len) != 0 || listen(s->listener, 16) != 0 ||
        getsockname(s->listener, (struct sockaddr *)&address, &len) != 0)
        abort();
    s->port = ntohs(address.sin_port);
    pthread_create(&s->thread, NULL, serve, s);
    return s;
}

uint16_t exec_server_port(const struct exec_server *s)
{
    return s->port;
}

void exec_server_stop(struct exec_server *s, struct str *ret_head, struct str *ret_frames)
{
    shutdown(s->listener, SHUT_RDWR);
    close(s->listener);
    pthread_mutex_lock(&s->lock);
    if (s->client >= 0)
        shutdown(s->client, SHUT_RDWR);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->thread, NULL);
    if (ret_head != NULL)
        *ret_head = buf_view(&s->head);
    if (ret_frames != NULL)
        *ret_frames = buf_view(&s->frames);
}

void exec_server_free(struct exec_server *s)
{
    SSL_CTX_free(s->tls);
    buf_done(&s->head);
    buf_done(&s->frames);
    arena_free(s->arena);
    free(s);
}

/* ---- frames ---- */

static void server_frame(struct buf *out, unsigned first, struct str payload)
{
    buf_char(out, (char)first);
    if (payload.len < 126) {
        buf_char(out, (char)payload.len);
    } else {
        buf_char(out, 126);
        buf_char(out, (char)(payload.len >> 8));
        buf_char(out, (char)payload.len);
    }
    buf_str(out, payload);
}

void exec_message(struct buf *out, unsigned channel, struct str text)
{
    struct buf payload CLEANUP(buf_done);
    buf_init(&payload, UINT16_MAX);
    buf_char(&payload, (char)channel);
    buf_str(&payload, text);
    server_frame(out, 0x80 | WEBSOCKET_BINARY, buf_view(&payload));
}

void exec_success(struct buf *out)
{
    exec_message(out, 3, STR("{\"metadata\":{},\"status\":\"Success\"}"));
    server_frame(out, 0x80 | WEBSOCKET_CLOSE, STR("\x03\xe8"));
}
