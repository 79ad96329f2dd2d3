#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "core/base/clock.h"
#include "core/net/http_intern.h"
#include "core/net/tls.h"

enum {
    MAX_HEADERS = 256,
    MAX_HEADER_BYTES = 1 << 20,
    KEEP_BODY_BYTES = 8 << 20, /* a larger buffer is given back after the call */
};
static const size_t DEFAULT_MAX_BODY = (size_t)64 << 20;

static void global_init(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

static struct http_options copy_options(struct arena *arena, const struct http_options *from)
{
    struct http_options options = *from;
    options.ca_pem = str_dup(arena, from->ca_pem);
    options.cert_pem = str_dup(arena, from->cert_pem);
    options.key_pem = str_dup(arena, from->key_pem);
    options.tls_server_name = str_dup(arena, from->tls_server_name);
    options.proxy = str_dup(arena, from->proxy);
    if (options.connect_timeout_ms == 0)
        options.connect_timeout_ms = 10 * 1000;
    if (options.idle_timeout_ms == 0)
        options.idle_timeout_ms = 60 * 1000;
    if (options.retry == NULL)
        options.retry = &RETRY_DEFAULT;
    return options;
}

static bool check_options(struct arena *arena, const struct http_options *options, struct err *err)
{
    struct url proxy;
    if (options->ca_pem.len != 0 && !tls_check_ca(options->ca_pem, err))
        return false;
    if (options->cert_pem.len + options->key_pem.len != 0 &&
        !tls_check_client(options->cert_pem, options->key_pem, clock_now_ms(NULL), err))
        return false;
    if (options->proxy.len != 0 && !url_parse(arena, options->proxy, &proxy, err))
        return err_context(err, "proxy");
    return true;
}

bool http_open(struct arena *arena, const struct http_options *options, struct http **ret_http,
               struct err *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, global_init);

    if (!check_options(arena, options, err))
        return false;
    struct http *http = ARENA_NEW(arena, struct http);
    http->options = copy_options(arena, options);
    http->reached = options->known;
    http->easy = curl_easy_init();
    if (http->easy == NULL)
        return err_set(err, ERR_INTERNAL, "libcurl did not start");
    buf_init(&http->body, 0);
    *ret_http = http;
    return true;
}

struct http_pipe_guard http_pipe_hold(void)
{
    struct http_pipe_guard guard;
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, &guard.before);
    sigpending(&pipe);
    guard.was_pending = sigismember(&pipe, SIGPIPE);
    return guard;
}

void http_pipe_release(const struct http_pipe_guard *guard)
{
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    if (!guard->was_pending)
        sigtimedwait(&pipe, NULL, &(struct timespec){0});
    pthread_sigmask(SIG_SETMASK, &guard->before, NULL);
}

void http_close(struct http *http)
{
    if (http == NULL)
        return;
    struct http_pipe_guard guard = http_pipe_hold(); /* TLS says goodbye, perhaps to nobody */
    curl_easy_cleanup(http->easy);
    http_pipe_release(&guard);
    http->easy = NULL;
    buf_done(&http->body);
}

/* ---- headers ---- */

void http_add_header(struct arena *arena, struct http_headers *headers, struct str name, struct str value)
{
    *ARENA_PUSH(arena, headers) = (struct http_header){name, value};
}

struct str http_header(const struct http_headers *headers, struct str name)
{
    for (size_t i = 0; i < headers->count; i++)
        if (str_eq_nocase(headers->items[i].name, name))
            return headers->items[i].value;
    return STR_NONE;
}

/* ---- what libcurl calls back ---- */

static size_t stop(struct transfer *t)
{
    t->stopped = true;
    return CURL_WRITEFUNC_ERROR;
}

size_t http_on_header(char *ptr, size_t size, size_t count, void *ctx)
{
    struct transfer *t = ctx;
    struct str line = {ptr, size * count};

    t->header_bytes += line.len;
    if (t->header_bytes > MAX_HEADER_BYTES || t->reply.headers.count == MAX_HEADERS) {
        err_set(t->err, ERR_LIMIT, "the headers of the reply are beyond all measure");
        t->stopped = true;
        return 0;
    }
    if (str_starts(line, STR("HTTP/"))) { /* an interim reply came before: forget its headers */
        t->reply.headers.count = 0;
        return size * count;
    }
    if (str_find(line, ':') == line.len)
        return size * count;
    struct str value = line;
    struct str name = str_cut(&value, ':');
    http_add_header(t->arena, &t->reply.headers, str_lower(t->arena, str_trim(name)),
                    str_dup(t->arena, str_trim(value)));
    return size * count;
}

static int status_of(CURL *easy)
{
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    return (int)status;
}

static bool has_length(const struct transfer *t)
{
    long version = 0;
    curl_easy_getinfo(t->http->easy, CURLINFO_HTTP_VERSION, &version);
    return version >= CURL_HTTP_VERSION_2_0 ||
           http_header(&t->reply.headers, STR("content-length")).len != 0 ||
           str_eq_nocase(http_header(&t->reply.headers, STR("transfer-encoding")), STR("chunked"));
}

size_t http_on_body(char *ptr, size_t size, size_t count, void *ctx)
{
    struct transfer *t = ctx;
    struct str piece = {ptr, size * count};
    bool good = status_of(t->http->easy) / 100 == 2;
    bool stream = t->request.on_body != NULL && good;

    if (t->received == 0 && good && !has_length(t)) {
        err_set(t->err, ERR_UNREACHABLE, "the reply does not say how long it is, so a cut would go unseen");
        err_next(t->err, "look at the proxies in between: HTTP/1.1 with Content-Length or chunks is needed");
        return stop(t);
    }
    t->received += piece.len;
    if (t->received > (stream && t->request.max_body == 0 ? SIZE_MAX : t->http->body.max)) {
        err_set(t->err, ERR_LIMIT, "the reply is larger than %zu bytes", t->http->body.max);
        return stop(t);
    }
    if (stream) {
        t->streamed = true;
        return t->request.on_body(t->request.ctx, piece, t->err) ? piece.len : stop(t);
    }
    buf_append(&t->http->body, piece.ptr, piece.len);
    return piece.len;
}

/* ---- one attempt ---- */

bool http_check_url(struct transfer *t)
{
    if (!url_parse(t->arena, t->request.url, &t->url, t->err))
        return false;
    if (t->url.user_info.len != 0)
        return err_set(t->err, ERR_USAGE, "the URL holds user info; credentials go into the configuration");
    bool local = url_is_loopback(&t->url) || (t->http->options.metadata && url_is_metadata(&t->url));
    if (url_is_tls(&t->url) || (str_is(t->url.scheme, "http") && local))
        return true;
    err_set(t->err, ERR_USAGE, "%.*s:// is refused: only https, and http to this machine itself",
            STR_ARG(t->url.scheme));
    return err_next(t->err, "use https://");
}

bool http_prepare(struct transfer *t, const struct http_request *request)
{
    t->request = *request;
    t->request.headers = (struct http_headers){0};
    for (size_t i = 0; i < request->headers.count; i++)
        *ARENA_PUSH(t->arena, &t->request.headers) = request->headers.items[i];
    return request->prepare == NULL || request->prepare(request->ctx, t->arena, &t->request, t->err);
}

/* Returns libcurl's verdict; t->stopped says that the fault is ours and stands in t->err. */
static CURLcode attempt(struct transfer *t)
{
    struct curl_slist *headers = NULL, *connect_to = NULL;

    t->http->detail[0] = '\0';
    t->http->body.max = t->request.max_body ? t->request.max_body : DEFAULT_MAX_BODY;
    buf_clear(&t->http->body);
    CURLcode code = http_setup(t, &headers, &connect_to);
    struct http_pipe_guard guard = http_pipe_hold();
    if (code == CURLE_OK)
        code = curl_easy_perform(t->http->easy);
    http_pipe_release(&guard);
    curl_slist_free_all(headers);
    curl_slist_free_all(connect_to);
    return code;
}

static void finish_reply(struct transfer *t)
{
    struct http *http = t->http;
    struct str date = http_header(&t->reply.headers, STR("date"));
    time_t at = date.len ? curl_getdate(str_c(t->arena, date), NULL) : -1;

    t->reply.status = status_of(http->easy);
    t->reply.date_ms = at > 0 ? (int64_t)at * 1000 : 0;
    t->reply.body = str_dup(t->arena, buf_view(&http->body));
    if (http->body.cap > KEEP_BODY_BYTES)
        buf_done(&http->body);
}

/* ---- the call ---- */

static bool nothing_sent(CURL *easy)
{
    long bytes = 0;
    return curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &bytes) == CURLE_OK && bytes == 0;
}

bool http_fail(const struct transfer *t, unsigned attempts)
{
    struct str origin = t->url.host.len ? url_origin(t->arena, &t->url) : STR_NONE;
    if (attempts > 1)
        err_context(t->err, "after %u attempts", attempts);
    return err_context(t->err, "%s %.*s%.*s", t->request.method, STR_ARG(origin), STR_ARG(t->url.path));
}

/* Whether the transfer is worth another attempt after `number` of them; where it failed t->err says why. */
static bool again(struct transfer *t, CURLcode code, unsigned number, bool *ret_failed)
{
    const struct retry_policy *policy = t->http->options.retry;
    unsigned most = t->http->reached ? policy->attempts : policy->attempts_unknown;

    *ret_failed = code != CURLE_OK;
    if (code == CURLE_OK)
        return retry_status(t->reply.status) && !t->request.once && number < policy->attempts;
    if (t->stopped)
        return false;
    enum again verdict = http_explain(t, code, t->err);
    if (verdict == AGAIN_FEW && most > policy->attempts_unknown)
        most = policy->attempts_unknown;
    bool again_from_start = !t->streamed || t->request.restart != NULL;
    bool repeatable = again_from_start && (!t->request.once || nothing_sent(t->http->easy));
    return verdict != AGAIN_NEVER && repeatable && number < most;
}

bool http_call(struct http *http, struct arena *arena, const struct http_request *request,
               struct http_reply *ret_reply, struct err *err)
{
    for (unsigned number = 1;; number++) {
        struct transfer t = {.http = http, .arena = arena, .err = err};
        bool failed;

        if (!http_prepare(&t, request))
            return false;
        if (!http_check_url(&t))
            return err_context(err, "%s", request->method);
        CURLcode code = attempt(&t);
        if (code == CURLE_OK) {
            http->reached = true;
            finish_reply(&t);
        }
        if (!again(&t, code, number, &failed)) {
            if (failed)
                return http_fail(&t, number);
            *ret_reply = t.reply;
            return true;
        }
        if (t.streamed)
            t.request.restart(t.request.ctx);
        struct str after = http_header(&t.reply.headers, STR("retry-after"));
        retry_wait(http->options.retry, number, retry_after_ms(after, clock_now_ms(NULL)));
    }
}

struct str http_escape(struct arena *arena, struct str text, bool keep_slash)
{
    static const char hex[] = "0123456789ABCDEF";
    char *out = arena_array(arena, text.len + 1, 3);
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (letter || (c != '\0' && strchr("-._~", c) != NULL) || (keep_slash && c == '/')) {
            out[len++] = (char)c;
            continue;
        }
        out[len++] = '%';
        out[len++] = hex[c >> 4];
        out[len++] = hex[c & 15];
    }
    return (struct str){out, len};
}
