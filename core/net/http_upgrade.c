/* From HTTP to a stream of bytes. libcurl connects (proxy, TLS, verification as for every call) and then leaves the
 * connection to us (CURLOPT_CONNECT_ONLY): what libcurl 7.88 as Debian builds it has for WebSocket is nothing. */
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/version.h"
#include "core/net/http_intern.h"

enum { MAX_HEAD = 64 << 10, MAX_REFUSAL = 1 << 20, STEP = 16 << 10 };

struct http_stream {
    struct http http; /* with a handle of its own */
    struct buf early; /* what came behind the head */
    size_t taken;     /* of early */
};

/* ---- bytes ---- */

static bool timed_out(struct err *err)
{
    return err_set(err, ERR_INTERRUPTED, "the time for it is over");
}

/* Waits until the socket is ready for `events`; a signal, or news that TLS keeps for itself, only asks again. */
static bool wait_ready(struct http_stream *s, short events, int64_t deadline_ms, struct err *err)
{
    curl_socket_t fd = CURL_SOCKET_BAD;
    int64_t left = deadline_ms - clock_monotonic_ms();
    if (left <= 0)
        return timed_out(err);
    curl_easy_getinfo(s->http.easy, CURLINFO_ACTIVESOCKET, &fd);
    struct pollfd poll_fd = {fd, events, 0};
    poll(&poll_fd, 1, left > INT32_MAX ? INT32_MAX : (int)left);
    return true;
}

static bool broken(struct http_stream *s, CURLcode code, struct err *err)
{
    err_set(err, ERR_UNREACHABLE, "the connection broke: %s",
            s->http.detail[0] ? s->http.detail : curl_easy_strerror(code));
    return err_next(err, "run it again; if it stays, look at the proxies and load balancers in between");
}

bool http_stream_send(struct http_stream *s, struct str bytes, int64_t deadline_ms, struct err *err)
{
    while (bytes.len != 0) {
        size_t sent = 0;
        struct http_pipe_guard guard = http_pipe_hold();
        CURLcode code = curl_easy_send(s->http.easy, bytes.ptr, bytes.len, &sent);
        http_pipe_release(&guard);
        if (code != CURLE_OK && code != CURLE_AGAIN)
            return broken(s, code, err);
        bytes = str_from(bytes, sent);
        if (code == CURLE_AGAIN && !wait_ready(s, POLLOUT, deadline_ms, err))
            return false;
    }
    return true;
}

bool http_stream_receive(struct http_stream *s, char *at, size_t most, int64_t deadline_ms, size_t *ret_got,
                         struct err *err)
{
    struct str early = str_slice(buf_view(&s->early), s->taken, s->taken + most);
    if (early.len != 0) {
        memcpy(at, early.ptr, early.len);
        s->taken += early.len;
        *ret_got = early.len;
        return true;
    }
    for (;;) {
        struct http_pipe_guard guard = http_pipe_hold();
        CURLcode code = curl_easy_recv(s->http.easy, at, most, ret_got);
        http_pipe_release(&guard);
        if (code == CURLE_OK)
            return true;
        if (code != CURLE_AGAIN)
            return broken(s, code, err);
        if (!wait_ready(s, POLLIN, deadline_ms, err))
            return false;
    }
}

void http_stream_close(struct http_stream *s)
{
    if (s == NULL)
        return;
    struct http_pipe_guard guard = http_pipe_hold();
    curl_easy_cleanup(s->http.easy);
    http_pipe_release(&guard);
    buf_done(&s->http.body);
    buf_done(&s->early);
    free(s);
}

/* ---- the request and its answer ---- */

static bool write_head(struct transfer *t, struct buf *out)
{
    struct str authority = url_authority(t->arena, &t->url);
    buf_fmt(out, "%s %.*s%s%.*s HTTP/1.1\r\n", t->request.method, STR_ARG(t->url.path),
            t->url.query.len ? "?" : "", STR_ARG(t->url.query));
    buf_fmt(out, "Host: %.*s\r\nUser-Agent: gitops-pipe/" GITOPS_PIPE_VERSION "\r\n", STR_ARG(authority));
    for (size_t i = 0; i < t->request.headers.count; i++) {
        const struct http_header *h = &t->request.headers.items[i];
        if (!http_is_header_safe(h))
            return err_set(t->err, ERR_USAGE, "a request header holds a character that no header may hold");
        buf_fmt(out, "%.*s: %.*s\r\n", STR_ARG(h->name), STR_ARG(h->value));
    }
    buf_text(out, "\r\n");
    return buf_ok(out) ||
           err_set(t->err, ERR_LIMIT, "the request's headers are larger than %d bytes", MAX_HEAD);
}

static size_t head_end(const struct buf *in)
{
    const char *at = in->len ? memmem(in->ptr, in->len, "\r\n\r\n", 4) : NULL;
    return at ? (size_t)(at - in->ptr) + 4 : 0;
}

/* Receives into early until there is `more` of it. */
static bool receive_some(struct http_stream *s, size_t most, int64_t deadline_ms, size_t *ret_got,
                         struct err *err)
{
    char *at = buf_reserve(&s->early, STEP);
    if (at == NULL || s->early.len > most)
        return err_set(err, ERR_LIMIT, "the reply is beyond all measure");
    s->taken = s->early.len; /* nothing is handed out yet: read from the socket */
    if (!http_stream_receive(s, at, STEP, deadline_ms, ret_got, err))
        return false;
    s->early.len += *ret_got;
    return true;
}

static bool read_head(struct http_stream *s, struct transfer *t, int64_t deadline_ms, size_t *ret_end)
{
    size_t got;
    while ((*ret_end = head_end(&s->early)) == 0) {
        if (!receive_some(s, MAX_HEAD, deadline_ms, &got, t->err))
            return false;
        if (got == 0)
            return err_set(t->err, ERR_UNREACHABLE, "the connection was closed before the reply");
    }
    return true;
}

static bool parse_head(struct transfer *t, struct str head)
{
    struct str line = str_cut(&head, '\n');
    uint64_t status = 0;
    if (!str_starts(line, STR("HTTP/1.")) || !str_to_u64(str_slice(line, 9, 12), &status) || status < 100)
        return err_set(t->err, ERR_CORRUPT, "the reply is no HTTP/1.1");
    t->reply.status = (int)status;
    while (head.len != 0) {
        line = str_cut(&head, '\n');
        if (http_on_header((char *)line.ptr, 1, line.len, t) != line.len)
            return false;
    }
    return true;
}

/* The words of a refusal: until its length, or the end of the connection. What is cut is only a message. */
static void read_refusal(struct http_stream *s, struct transfer *t, size_t head, int64_t deadline_ms)
{
    uint64_t length = MAX_REFUSAL;
    size_t got = 1;
    struct err ignored;
    str_to_u64(http_header(&t->reply.headers, STR("content-length")), &length);
    while (s->early.len - head < length && got != 0 &&
           receive_some(s, MAX_REFUSAL, deadline_ms, &got, &ignored))
        ;
    t->reply.body = str_dup(t->arena, str_from(buf_view(&s->early), head));
}

static bool exchange(struct http_stream *s, struct transfer *t, int64_t deadline_ms)
{
    struct buf head CLEANUP(buf_done);
    size_t end;
    buf_init(&head, MAX_HEAD);
    if (!write_head(t, &head) || !http_stream_send(s, buf_view(&head), deadline_ms, t->err) ||
        !read_head(s, t, deadline_ms, &end) || !parse_head(t, str_slice(buf_view(&s->early), 0, end)))
        return false;
    if (t->reply.status == 101)
        s->taken = end;
    else
        read_refusal(s, t, end, deadline_ms);
    return true;
}

/* ---- connecting ---- */

static bool connect_only(struct http_stream *s, struct transfer *t, int64_t deadline_ms)
{
    struct curl_slist *headers = NULL, *connect_to = NULL;
    int64_t left = deadline_ms - clock_monotonic_ms();
    if (left <= 0)
        return timed_out(t->err);
    CURLcode code = http_setup(t, &headers, &connect_to);
    curl_easy_setopt(s->http.easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(s->http.easy, CURLOPT_HTTPPROXYTUNNEL,
                     1L); /* also for http: a proxy knows no upgrades */
    curl_easy_setopt(s->http.easy, CURLOPT_CONNECT_ONLY, 1L);
    if (left < s->http.options.connect_timeout_ms)
        curl_easy_setopt(s->http.easy, CURLOPT_CONNECTTIMEOUT_MS, (long)left);
    struct http_pipe_guard guard = http_pipe_hold();
    if (code == CURLE_OK)
        code = curl_easy_perform(s->http.easy);
    http_pipe_release(&guard);
    curl_easy_setopt(s->http.easy, CURLOPT_HTTPHEADER, NULL);
    curl_easy_setopt(s->http.easy, CURLOPT_CONNECT_TO, NULL);
    curl_slist_free_all(headers);
    curl_slist_free_all(connect_to);
    if (code != CURLE_OK && !t->stopped)
        http_explain(t, code, t->err);
    return code == CURLE_OK;
}

static struct http_stream *new_stream(const struct http *http)
{
    struct http_stream *s = calloc(1, sizeof *s);
    if (s == NULL || (s->http.easy = curl_easy_init()) == NULL)
        abort();
    s->http.options = http->options;
    buf_init(&s->http.body, 0);
    buf_init(&s->early, MAX_REFUSAL + STEP);
    return s;
}

bool http_upgrade(struct http *http, struct arena *arena, const struct http_request *request,
                  int64_t deadline_ms, struct http_stream **ret_stream, struct http_reply *ret_reply,
                  struct err *err)
{
    struct http_stream *stream = new_stream(http);
    struct transfer t = {.http = &stream->http, .arena = arena, .err = err};
    if (!http_prepare(&t, request)) {
        http_stream_close(stream);
        return false;
    }
    bool done =
        http_check_url(&t) && connect_only(stream, &t, deadline_ms) && exchange(stream, &t, deadline_ms);
    if (!done || t.reply.status != 101) {
        http_stream_close(stream);
        stream = NULL;
    }
    if (!done)
        return http_fail(&t, 1);
    *ret_stream = stream;
    *ret_reply = t.reply;
    return true;
}
