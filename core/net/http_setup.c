/* Every option of libcurl that this product sets, in one place. */
#include <string.h>

#include "core/base/version.h"
#include "core/net/http_intern.h"

enum { RECEIVE_BYTES = 256 << 10 };

/* A line break in a header would start another one. */
bool http_is_header_safe(const struct http_header *header)
{
    for (size_t i = 0; i < header->name.len; i++)
        if (header->name.ptr[i] <= ' ' || header->name.ptr[i] == ':' || header->name.ptr[i] == 0x7f)
            return false;
    for (size_t i = 0; i < header->value.len; i++)
        if (((unsigned char)header->value.ptr[i] < ' ' && header->value.ptr[i] != '\t') ||
            header->value.ptr[i] == 0x7f)
            return false;
    return header->name.len != 0;
}

static void add_line(struct curl_slist **lines, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*lines, line);
    if (longer != NULL)
        *lines = longer;
}

/* libcurl takes "Name: value", "Name;" for an empty one, and "Name:" to leave out one of its own. */
static bool header_lines(struct transfer *t, struct curl_slist **ret_lines)
{
    const struct http_headers *headers = &t->request.headers;
    for (size_t i = 0; i < headers->count; i++) {
        const struct http_header *h = &headers->items[i];
        if (!http_is_header_safe(h))
            return err_set(t->err, ERR_USAGE, "a request header holds a character that no header may hold");
        struct str line = h->value.len ? str_fmt(t->arena, "%.*s: %.*s", STR_ARG(h->name), STR_ARG(h->value))
                                       : str_fmt(t->arena, "%.*s;", STR_ARG(h->name));
        add_line(ret_lines, str_c(t->arena, line));
    }
    add_line(ret_lines, "Expect:");
    if (http_header(headers, STR("Content-Type")).len == 0)
        add_line(ret_lines, "Content-Type:");
    if (t->http->options.tls_server_name.len != 0 && http_header(headers, STR("Host")).len == 0) {
        struct str authority = url_authority(t->arena, &t->url);
        add_line(ret_lines, str_c(t->arena, str_fmt(t->arena, "Host: %.*s", STR_ARG(authority))));
    }
    return true;
}

static struct curl_blob blob_of(struct str text)
{
    return (struct curl_blob){.data = (void *)text.ptr, .len = text.len, .flags = CURL_BLOB_NOCOPY};
}

static CURLcode set_tls(CURL *easy, const struct http_options *options)
{
    struct curl_blob ca = blob_of(options->ca_pem), cert = blob_of(options->cert_pem),
                     key = blob_of(options->key_pem);
    CURLcode code = curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (code == CURLE_OK && ca.len != 0) {
        code = curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &ca);
        /* libcurl keeps trusting the system's folder beside a blob; whoever names a CA means that one alone. */
        curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    }
    if (code == CURLE_OK && cert.len != 0)
        code = curl_easy_setopt(easy, CURLOPT_SSLCERT_BLOB, &cert);
    if (code == CURLE_OK && cert.len != 0)
        code = curl_easy_setopt(easy, CURLOPT_SSLKEY_BLOB, &key);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, options->insecure_skip_tls_verify ? 0L : 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, options->insecure_skip_tls_verify ? 0L : 2L);
    return code;
}

/* Where the certificate goes by another name the URL gets that name, and CONNECT_TO leads back to the server. */
static CURLcode set_target(struct transfer *t, struct curl_slist **ret_connect_to)
{
    CURL *easy = t->http->easy;
    struct url named = t->url;
    if (t->http->options.tls_server_name.len != 0 && url_is_tls(&t->url)) {
        bool v6 = str_find(t->url.host, ':') < t->url.host.len;
        named.host = t->http->options.tls_server_name;
        struct str to =
            str_fmt(t->arena, v6 ? "::[%.*s]:%u" : "::%.*s:%u", STR_ARG(t->url.host), t->url.port);
        add_line(ret_connect_to, str_c(t->arena, to));
        curl_easy_setopt(easy, CURLOPT_CONNECT_TO, *ret_connect_to);
    }
    struct str origin = url_origin(t->arena, &named);
    struct str url = str_fmt(t->arena, "%.*s%.*s%s%.*s", STR_ARG(origin), STR_ARG(t->url.path),
                             t->url.query.len ? "?" : "", STR_ARG(t->url.query));
    return curl_easy_setopt(easy, CURLOPT_URL, str_c(t->arena, url));
}

/* Like Go's clients: a proxy that is named counts for every server, whatever NO_PROXY says; and what the environment
 * says of proxies is not meant for this machine itself. */
static void set_proxy(struct transfer *t)
{
    if (t->http->options.proxy.len != 0) {
        curl_easy_setopt(t->http->easy, CURLOPT_PROXY, str_c(t->arena, t->http->options.proxy));
        curl_easy_setopt(t->http->easy, CURLOPT_NOPROXY, "");
    } else if (url_is_loopback(&t->url) || t->http->options.metadata) {
        curl_easy_setopt(t->http->easy, CURLOPT_PROXY, "");
    }
    curl_easy_setopt(t->http->easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
}

static void set_method(struct transfer *t)
{
    CURL *easy = t->http->easy;
    const char *method = t->request.method;
    bool writes = !strcmp(method, "PUT") || !strcmp(method, "POST") || !strcmp(method, "PATCH");

    if (!strcmp(method, "HEAD")) {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
        return;
    }
    if (writes || t->request.body.len != 0) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, t->request.body.len ? t->request.body.ptr : "");
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)t->request.body.len);
    }
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
}

static void set_behaviour(struct transfer *t)
{
    CURL *easy = t->http->easy;
    const struct http_options *options = &t->http->options;

    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->http->detail);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    /* The API server pretty-prints for a User-Agent of curl: half as many bytes again. */
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "gitops-pipe/" GITOPS_PIPE_VERSION);
    if (options->compress)
        curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)options->connect_timeout_ms);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (long)((options->idle_timeout_ms + 999) / 1000));
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)RECEIVE_BYTES);
    /* On a kept connection that turns out dead libcurl sends the request again by itself. */
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, t->request.once ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, http_on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, t);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, http_on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, t);
}

CURLcode http_setup(struct transfer *t, struct curl_slist **ret_headers, struct curl_slist **ret_connect_to)
{
    curl_easy_reset(t->http->easy); /* keeps connections and TLS sessions */
    set_behaviour(t);
    set_method(t);
    set_proxy(t);
    CURLcode code = set_tls(t->http->easy, &t->http->options);
    if (code == CURLE_OK)
        code = set_target(t, ret_connect_to);
    if (code == CURLE_OK && !header_lines(t, ret_headers)) {
        t->stopped = true;
        code = CURLE_ABORTED_BY_CALLBACK;
    }
    curl_easy_setopt(t->http->easy, CURLOPT_HTTPHEADER, *ret_headers);
    return code;
}
