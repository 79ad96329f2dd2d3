#include "tests/harness/wire.h"

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include "core/base/version.h"

struct exchange {
    struct str request; /* as in the script */
    struct str reply;   /* without its directives */
    long cut, stall_ms, chunk;
    bool reset, close, gzip, forever, used;
};

struct exchanges {
    struct exchange *items;
    size_t count, cap;
};

enum { MAX_CONNECTIONS = 64, MAX_REQUEST = 16 << 20 };

struct wire {
    struct arena *arena;
    struct exchanges exchanges;
    SSL_CTX *tls;
    int listener;
    uint16_t port;
    pthread_t acceptor, workers[MAX_CONNECTIONS];
    int sockets[MAX_CONNECTIONS];
    unsigned connections, requests;
    void (*before)(void *ctx, unsigned request);
    void *ctx;
    pthread_mutex_t lock;
    struct str_list heads; /* of the requests so far */
    char fault[2048];
};

struct connection {
    struct wire *wire;
    int fd, number;
    SSL *ssl;
};

/* ---- the script ---- */

static _Noreturn void give_up(const char *what, const char *which)
{
    fprintf(stderr, "wire: %s: %s\n", what, which);
    abort();
}

static struct str read_whole(struct arena *arena, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0)
        give_up("cannot read the script", path);
    long size = ftell(file);
    rewind(file);
    char *text = arena_alloc(arena, (size_t)size + 1);
    if (fread(text, 1, (size_t)size, file) != (size_t)size)
        give_up("cannot read the script", path);
    fclose(file);
    return (struct str){text, (size_t)size};
}

static struct str replace(struct arena *arena, struct str text, const char *what, struct str with)
{
    struct buf out;
    size_t len = strlen(what);
    buf_init(&out, (size_t)64 << 20);
    for (size_t i = 0; i < text.len;) {
        if (str_starts(str_from(text, i), str_of(what))) {
            buf_str(&out, with);
            i += len;
        } else {
            buf_char(&out, text.ptr[i++]);
        }
    }
    struct str result = str_dup(arena, buf_view(&out));
    buf_done(&out);
    return result;
}

static long number_behind(struct str line, const char *word)
{
    struct str rest = str_trim(str_from(line, strlen(word)));
    uint64_t number = 0;
    if (!str_to_u64(rest, &number))
        give_up("a directive needs a number", word);
    return (long)number;
}

static void read_directive(struct exchange *e, struct str line)
{
    if (str_starts(line, STR("!cut")))
        e->cut = number_behind(line, "!cut");
    else if (str_starts(line, STR("!stall")))
        e->stall_ms = number_behind(line, "!stall");
    else if (str_starts(line, STR("!chunked")))
        e->chunk = number_behind(line, "!chunked");
    else if (str_is(line, "!reset"))
        e->reset = true;
    else if (str_is(line, "!close"))
        e->close = true;
    else if (str_is(line, "!gzip"))
        e->gzip = true;
    else if (str_is(line, "!forever"))
        e->forever = true;
    else
        give_up("unknown directive", line.ptr);
}

/* Cuts `*rest` at the next "=== " line; the line break before it is not part of the section. */
static struct str cut_section(struct str *rest)
{
    struct str text = *rest;
    for (size_t i = 0; i < text.len; i++)
        if ((i == 0 || text.ptr[i - 1] == '\n') && str_starts(str_from(text, i), STR("=== "))) {
            *rest = str_from(text, i);
            return str_slice(text, 0, i ? i - 1 : 0);
        }
    *rest = STR_NONE;
    return str_ends(text, STR("\n")) ? str_slice(text, 0, text.len - 1) : text;
}

static void read_script(struct wire *w, const char *path)
{
    struct str text = read_whole(w->arena, path);
    text = replace(w->arena, text, "{port}", str_fmt(w->arena, "%u", w->port));
    text = replace(w->arena, text, "{version}", STR(GITOPS_PIPE_VERSION));
    cut_section(&text);
    while (text.len != 0) {
        struct exchange e = {.cut = -1};
        if (!str_is(str_cut(&text, '\n'), "=== request"))
            give_up("expected '=== request'", path);
        e.request = cut_section(&text);
        if (!str_is(str_cut(&text, '\n'), "=== reply"))
            give_up("expected '=== reply'", path);
        e.reply = cut_section(&text);
        while (e.reply.len != 0 && e.reply.ptr[0] == '!')
            read_directive(&e, str_cut(&e.reply, '\n'));
        *ARENA_PUSH(w->arena, &w->exchanges) = e;
    }
}

/* ---- bytes ---- */

static ssize_t receive(struct connection *c, char *at, size_t len)
{
    return c->ssl ? SSL_read(c->ssl, at, (int)len) : recv(c->fd, at, len, 0);
}

static void send_all(struct connection *c, struct str bytes)
{
    while (bytes.len != 0) {
        ssize_t sent = c->ssl ? SSL_write(c->ssl, bytes.ptr, (int)bytes.len)
                              : send(c->fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
        if (sent <= 0)
            return;
        bytes = str_from(bytes, (size_t)sent);
    }
}

static size_t head_end(struct str text)
{
    const char *at = text.len ? memmem(text.ptr, text.len, "\r\n\r\n", 4) : NULL;
    return at ? (size_t)(at - text.ptr) + 4 : 0;
}

static size_t content_length(struct str head)
{
    while (head.len != 0) {
        struct str value = str_trim(str_cut(&head, '\n'));
        struct str name = str_cut(&value, ':');
        uint64_t length;
        if (str_eq_nocase(name, STR("content-length")) && str_to_u64(str_trim(value), &length))
            return length;
    }
    return 0;
}

/* One whole request into `in`; false at the end of the connection. */
static bool read_request(struct connection *c, struct buf *in, size_t *ret_head)
{
    for (;;) {
        size_t head = head_end(buf_view(in));
        if (head != 0 && in->len - head >= content_length(str_slice(buf_view(in), 0, head))) {
            *ret_head = head;
            return true;
        }
        char *at = buf_reserve(in, 64 << 10);
        ssize_t got = at ? receive(c, at, 64 << 10) : -1;
        if (got <= 0)
            return false;
        in->len += (size_t)got;
    }
}

/* ---- one exchange ---- */

static void fault(struct wire *w, const char *what, struct str wanted, struct str got)
{
    if (w->fault[0] == '\0')
        snprintf(w->fault, sizeof w->fault, "%s\n--- wanted\n%.*s\n--- got\n%.*s\n---", what, STR_ARG(wanted),
                 STR_ARG(got));
}

static struct exchange *find_exchange(struct wire *w, struct str line)
{
    for (size_t i = 0; i < w->exchanges.count; i++) {
        struct exchange *e = &w->exchanges.items[i];
        struct str rest = e->request;
        if ((!e->used || e->forever) && str_eq(str_cut(&rest, '\n'), line))
            return e;
    }
    return NULL;
}

static struct exchange *match(struct wire *w, struct str raw, size_t head)
{
    struct str text = str_fmt(w->arena, "%.*s", STR_ARG(str_slice(raw, 0, head)));
    text = replace(w->arena, text, "\r\n", STR("\n"));
    struct str rest = text, line = str_cut(&rest, '\n');
    struct exchange *e = find_exchange(w, line);
    *ARENA_PUSH(w->arena, &w->heads) = text;

    if (e == NULL) {
        fault(w, "a request that the script does not expect", STR_NONE, text);
        return NULL;
    }
    e->used = true;
    w->requests++;
    if (str_find(e->request, '\n') == e->request.len)
        return e;
    struct str body = str_from(raw, head);
    struct str got = str_fmt(w->arena, "%.*s%.*s", STR_ARG(text), STR_ARG(body));
    if (!str_eq(got, e->request) && !(body.len == 0 && str_eq(str_trim(got), str_trim(e->request))))
        fault(w, "a request that differs from the script", e->request, got);
    return e;
}

static struct str gzipped(struct arena *arena, struct str text)
{
    z_stream z = {0};
    size_t cap = text.len + 1024;
    char *out = arena_alloc(arena, cap);
    if (deflateInit2(&z, Z_BEST_SPEED, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        give_up("zlib", "deflateInit2");
    z.next_in = (Bytef *)text.ptr;
    z.avail_in = (uInt)text.len;
    z.next_out = (Bytef *)out;
    z.avail_out = (uInt)cap;
    deflate(&z, Z_FINISH);
    deflateEnd(&z);
    return (struct str){out, z.total_out};
}

static struct str chunked(struct arena *arena, struct str text, size_t step)
{
    struct buf out;
    buf_init(&out, (size_t)64 << 20);
    for (size_t i = 0; i < text.len; i += step) {
        struct str piece = str_slice(text, i, i + step);
        buf_fmt(&out, "%zx\r\n", piece.len);
        buf_str(&out, piece);
        buf_text(&out, "\r\n");
    }
    buf_text(&out, "0\r\n\r\n");
    struct str result = str_dup(arena, buf_view(&out));
    buf_done(&out);
    return result;
}

/* The value of that header in the last request that had it. */
static struct str sent_value(const struct wire *w, struct str name)
{
    for (size_t i = w->heads.count; i-- > 0;)
        for (struct str rest = w->heads.items[i]; rest.len != 0;) {
            struct str line = str_cut(&rest, '\n');
            if (str_eq_nocase(str_cut(&line, ':'), name))
                return str_trim(line);
        }
    return STR_NONE;
}

static struct str fill_in_sent(const struct wire *w, struct arena *arena, struct str text)
{
    const char *found = memmem(text.ptr, text.len, "{sent ", 6);
    if (found == NULL)
        return text;
    struct str name = str_from(text, (size_t)(found - text.ptr) + 6);
    name = str_slice(name, 0, str_find(name, '}'));
    return replace(arena, text, str_fmt(arena, "{sent %.*s}", STR_ARG(name)).ptr, sent_value(w, name));
}

static struct str reply_bytes(const struct wire *w, struct arena *arena, const struct exchange *e)
{
    const char *blank = e->reply.len ? memmem(e->reply.ptr, e->reply.len, "\n\n", 2) : NULL;
    size_t end = blank ? (size_t)(blank - e->reply.ptr) : e->reply.len;
    struct str head = str_slice(e->reply, 0, end), body = str_from(e->reply, end + 2);

    if (e->reply.len == 0)
        return STR_NONE;
    if (e->gzip)
        body = gzipped(arena, body);
    head = fill_in_sent(w, arena, head);
    head = replace(arena, head, "{length}", str_fmt(arena, "%zu", body.len));
    head = replace(arena, head, "\n", STR("\r\n"));
    if (e->chunk > 0)
        body = chunked(arena, body, (size_t)e->chunk);
    struct buf out;
    buf_init(&out, (size_t)128 << 20);
    buf_str(&out, head);
    buf_text(&out, "\r\n\r\n");
    buf_str(&out, body);
    struct str bytes = str_dup(arena, buf_view(&out));
    buf_done(&out);
    return e->cut >= 0 ? str_slice(bytes, 0, (size_t)e->cut) : bytes;
}

/* False when the connection ends here. */
static bool answer(struct connection *c, struct str raw, size_t head)
{
    struct wire *w = c->wire;
    pthread_mutex_lock(&w->lock);
    struct exchange *e = match(w, raw, head);
    struct str bytes = e ? reply_bytes(w, w->arena, e) : STR_NONE;
    pthread_mutex_unlock(&w->lock);
    if (e == NULL) {
        send_all(c, STR("HTTP/1.1 418 Not In The Script\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"));
        return false;
    }
    if (w->before != NULL)
        w->before(w->ctx, w->requests);
    if (e->stall_ms != 0)
        usleep((useconds_t)e->stall_ms * 1000);
    send_all(c, bytes);
    if (e->reset)
        setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1}, sizeof(struct linger));
    return !e->reset && !e->close && e->cut < 0 && e->reply.len != 0;
}

/* Closing with bytes unread resets the connection, and the alert that says why is lost on the way. */
static bool shake_hands(struct connection *c)
{
    char rest[4096];
    if (c->ssl == NULL || SSL_accept(c->ssl) == 1)
        return true;
    shutdown(c->fd, SHUT_WR);
    while (recv(c->fd, rest, sizeof rest, 0) > 0)
        ;
    return false;
}

static void *serve(void *ctx)
{
    struct connection *c = ctx;
    struct buf in;
    size_t head;

    buf_init(&in, MAX_REQUEST);
    if (shake_hands(c))
        while (read_request(c, &in, &head)) {
            size_t whole = head + content_length(str_slice(buf_view(&in), 0, head));
            if (!answer(c, str_slice(buf_view(&in), 0, whole), head))
                break;
            memmove(in.ptr, in.ptr + whole, in.len - whole);
            in.len -= whole;
        }
    buf_done(&in);
    SSL_free(c->ssl);
    pthread_mutex_lock(&c->wire->lock);
    c->wire->sockets[c->number] = -1;
    close(c->fd);
    pthread_mutex_unlock(&c->wire->lock);
    free(c);
    return NULL;
}

static void *accept_all(void *ctx)
{
    struct wire *w = ctx;
    sigset_t pipe; /* clients that hang up in a handshake are part of the tests */
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, NULL);
    for (;;) {
        int fd = accept(w->listener, NULL, NULL);
        if (fd < 0)
            return NULL;
        struct connection *c = calloc(1, sizeof *c);
        if (c == NULL || w->connections == MAX_CONNECTIONS)
            give_up("too many connections", "accept");
        pthread_mutex_lock(&w->lock);
        *c = (struct connection){.wire = w, .fd = fd, .number = (int)w->connections++};
        w->sockets[c->number] = fd;
        pthread_mutex_unlock(&w->lock);
        if (w->tls != NULL) {
            c->ssl = SSL_new(w->tls);
            SSL_set_fd(c->ssl, fd);
        }
        pthread_create(&w->workers[c->number], NULL, serve, c);
    }
}

/* ---- start and stop ---- */

static BIO *bio_of(struct str pem)
{
    return BIO_new_mem_buf(pem.ptr, (int)pem.len);
}

SSL_CTX *wire_tls_context(const struct wire_tls *tls)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    BIO *cert_bio = bio_of(tls->cert_pem), *key_bio = bio_of(tls->key_pem);
    X509 *cert = PEM_read_bio_X509(cert_bio, NULL, NULL, NULL);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(key_bio, NULL, NULL, NULL);
    if (SSL_CTX_use_certificate(context, cert) != 1 || SSL_CTX_use_PrivateKey(context, key) != 1)
        give_up("TLS", "certificate and key");
    if (tls->client_ca_pem.len != 0) {
        BIO *ca_bio = bio_of(tls->client_ca_pem);
        X509 *ca = PEM_read_bio_X509(ca_bio, NULL, NULL, NULL);
        X509_STORE_add_cert(SSL_CTX_get_cert_store(context), ca);
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
        X509_free(ca);
        BIO_free(ca_bio);
    }
    X509_free(cert);
    EVP_PKEY_free(key);
    BIO_free(cert_bio);
    BIO_free(key_bio);
    return context;
}

struct wire *wire_start(const char *script, const struct wire_tls *tls)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    struct arena *arena = arena_new();
    struct wire *w = ARENA_NEW(arena, struct wire);

    w->arena = arena;
    w->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(w->listener, (struct sockaddr *)&address, len) != 0 || listen(w->listener, 16) != 0 ||
        getsockname(w->listener, (struct sockaddr *)&address, &len) != 0)
        give_up("no port", "bind");
    w->port = ntohs(address.sin_port);
    w->tls = tls ? wire_tls_context(tls) : NULL;
    pthread_mutex_init(&w->lock, NULL);
    read_script(w, script);
    pthread_create(&w->acceptor, NULL, accept_all, w);
    return w;
}

void wire_before_reply(struct wire *w, void (*before)(void *ctx, unsigned request), void *ctx)
{
    w->ctx = ctx;
    w->before = before;
}

uint16_t wire_port(const struct wire *w)
{
    return w->port;
}

struct str wire_url(const struct wire *w, struct arena *arena, const char *path)
{
    return str_fmt(arena, "%s://127.0.0.1:%u%s", w->tls ? "https" : "http", w->port, path);
}

unsigned wire_connections(const struct wire *w)
{
    return w->connections;
}

unsigned wire_requests(const struct wire *w)
{
    return w->requests;
}

const char *wire_stop(struct wire *w)
{
    shutdown(w->listener, SHUT_RDWR);
    close(w->listener);
    pthread_join(w->acceptor, NULL);
    for (unsigned i = 0; i < w->connections; i++) {
        pthread_mutex_lock(&w->lock);
        if (w->sockets[i] >= 0)
            shutdown(w->sockets[i], SHUT_RDWR);
        pthread_mutex_unlock(&w->lock);
        pthread_join(w->workers[i], NULL);
    }
    for (size_t i = 0; i < w->exchanges.count; i++)
        if (!w->exchanges.items[i].used && !w->exchanges.items[i].forever)
            fault(w, "an exchange that was never asked for", w->exchanges.items[i].request, STR_NONE);
    return w->fault[0] ? w->fault : NULL;
}

void wire_free(struct wire *w)
{
    SSL_CTX_free(w->tls);
    pthread_mutex_destroy(&w->lock);
    arena_free(w->arena);
}
