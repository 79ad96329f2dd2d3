/* The store in an S3 bucket: AWS, MinIO and what speaks like them, over core/net with our own signature.
 *
 * Every request carries the real hash of its body; a put carries its SHA-256 as a checksum that the store keeps and
 * tells again on HEAD. Create-only is If-None-Match: *. Calls take an HTTP client from a pool, since a client belongs
 * to one thread at a time. Source: S3 API Reference 2006-03-01.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/base64.h"
#include "core/base/clock.h"
#include "core/base/files.h"
#include "core/store/s3_error.h"
#include "core/store/s3_place.h"
#include "core/store/store_driver.h"
#include "core/store/xml.h"

enum {
    MAX_REPLY = 16 << 20, /* of a list; 1000 keys of 1024 bytes, escaped */
    ATTEMPTS = 4,         /* of what the status alone does not tell to be worth another try */
    MAX_RESUMES = 8,
};
static const uint64_t MAX_PUT = (uint64_t)5 << 30;

struct client {
    struct client *next;
    struct arena *arena;
    struct http *http;
};

struct s3 {
    struct store store;
    struct s3_settings settings;
    struct http_options options;
    struct s3_place place;
    pthread_mutex_t lock;
    struct client *idle;
    int64_t skew_ms; /* how much the store's clock is ahead of ours */
};

/* One request, signed anew at each attempt. */
struct call {
    struct s3 *s3;
    const char *method;
    struct str path, query, body;
    struct str body_sha256; /* hexadecimal */
    struct http_headers headers;
    const struct store_sink *sink; /* for the body of a GET; NULL collects it */
    uint64_t received;
    struct s3_fault fault; /* of the last reply that was none of success */
};

/* ---- clients ---- */

static bool new_client(struct s3 *s3, struct client **ret_client, struct err *err)
{
    struct arena *arena = arena_new();
    struct client *client = ARENA_NEW(arena, struct client);
    client->arena = arena;
    if (!http_open(arena, &s3->options, &client->http, err)) {
        arena_free(arena);
        return false;
    }
    *ret_client = client;
    return true;
}

static bool take_client(struct s3 *s3, struct client **ret_client, struct err *err)
{
    pthread_mutex_lock(&s3->lock);
    struct client *client = s3->idle;
    if (client != NULL)
        s3->idle = client->next;
    pthread_mutex_unlock(&s3->lock);
    *ret_client = client;
    return client != NULL || new_client(s3, ret_client, err);
}

static void give_back(struct s3 *s3, struct client *client)
{
    pthread_mutex_lock(&s3->lock);
    client->next = s3->idle;
    s3->idle = client;
    pthread_mutex_unlock(&s3->lock);
}

static void s3_close(struct store *store)
{
    struct s3 *s3 = (struct s3 *)store;
    for (struct client *client = s3->idle, *next; client != NULL; client = next) {
        next = client->next;
        http_close(client->http);
        arena_free(client->arena);
    }
    s3->idle = NULL;
    pthread_mutex_destroy(&s3->lock);
}

/* ---- a call ---- */

static int64_t skew_of(struct s3 *s3)
{
    pthread_mutex_lock(&s3->lock);
    int64_t skew_ms = s3->skew_ms;
    pthread_mutex_unlock(&s3->lock);
    return skew_ms;
}

static bool sign(void *ctx, struct arena *arena, struct http_request *request, struct err *err)
{
    const struct call *call = ctx;
    const struct s3 *s3 = call->s3;
    struct sigv4_request what = {
        .method = call->method,
        .path = call->path,
        .query = call->query,
        .body_sha256 = call->body_sha256,
        .region = s3->settings.region,
        .service = STR("s3"),
        .time_ms = clock_now_ms(NULL) + skew_of(call->s3),
    };
    http_add_header(arena, &request->headers, STR("Host"), s3->place.host);
    http_add_header(arena, &request->headers, STR("x-amz-content-sha256"), call->body_sha256);
    sigv4_sign(arena, &s3->settings.keys, &what, &request->headers);
    return true;
}

static bool pass_on(void *ctx, struct str piece, struct err *err)
{
    struct call *call = ctx;
    call->received += piece.len;
    return call->sink->piece(call->sink->ctx, piece, err);
}

static struct call new_call(struct s3 *s3, struct arena *arena, const char *method, struct str key)
{
    static const struct str empty_sha256 =
        STR_INIT("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    struct str full = str_fmt(arena, "%.*s%.*s", STR_ARG(s3->place.prefix), STR_ARG(key));
    struct str path =
        str_fmt(arena, "%.*s/%.*s", STR_ARG(s3->place.root), STR_ARG(http_escape(arena, full, true)));
    return (struct call){.s3 = s3, .method = method, .path = path, .body_sha256 = empty_sha256};
}

static void add_header(struct arena *arena, struct call *call, const char *name, struct str value)
{
    http_add_header(arena, &call->headers, str_of(name), value);
}

/* What a status alone does not tell. A clock that is off is set right by what the store says. */
static bool worth_another(struct s3 *s3, const struct s3_fault *fault, const struct http_reply *reply)
{
    static const struct str codes[] = {STR_INIT("RequestTimeout"), STR_INIT("ConditionalRequestConflict"),
                                       STR_INIT("OperationAborted"), STR_INIT("SlowDown")};
    if (!str_is(fault->code, "RequestTimeTooSkewed"))
        return str_in(fault->code, codes, COUNT_OF(codes));
    pthread_mutex_lock(&s3->lock);
    if (reply->date_ms != 0)
        s3->skew_ms = reply->date_ms - clock_now_ms(NULL);
    pthread_mutex_unlock(&s3->lock);
    return reply->date_ms != 0;
}

static bool attempts(struct call *call, struct arena *arena, struct http *http, struct http_reply *ret_reply,
                     struct err *err)
{
    struct s3 *s3 = call->s3;
    struct str url = str_fmt(arena, "%.*s%.*s%s%.*s", STR_ARG(s3->place.origin), STR_ARG(call->path),
                             call->query.len ? "?" : "", STR_ARG(call->query));
    struct http_request request = {
        .method = call->method,
        .url = url,
        .headers = call->headers,
        .body = call->body,
        .max_body = call->sink != NULL ? 0 : MAX_REPLY,
        .on_body = call->sink != NULL ? pass_on : NULL,
        .prepare = sign,
        .ctx = call,
    };
    for (unsigned number = 1;; number++) {
        struct http_reply reply = {0};
        if (!http_call(http, arena, &request, &reply, err))
            return false;
        *ret_reply = reply;
        if (reply.status / 100 == 2)
            return true;
        call->fault = s3_fault_of(arena, &reply);
        if (number == ATTEMPTS || !worth_another(s3, &call->fault, &reply))
            return s3_explain(&call->fault, &reply, s3->place.bucket, err);
        retry_wait(&RETRY_DEFAULT, number, -1);
    }
}

/* A status of 300 and up is an error; `ret_reply` tells more of it where there was one. */
static bool perform(struct call *call, struct arena *arena, struct http_reply *ret_reply, struct err *err)
{
    struct client *client = NULL;
    *ret_reply = (struct http_reply){0};
    if (!take_client(call->s3, &client, err))
        return false;
    bool good = attempts(call, arena, client->http, ret_reply, err);
    give_back(call->s3, client);
    return good;
}

/* A HEAD has no body to say whether it is the key or the bucket. */
static bool is_missing_key(const struct call *call, const struct http_reply *reply)
{
    return reply->status == 404 && (call->fault.code.len == 0 || str_is(call->fault.code, "NoSuchKey"));
}

/* ---- the driver ---- */

static bool s3_write(struct store *store, struct arena *arena, const struct store_write *write,
                     struct store_info *info, struct err *err)
{
    struct call call = new_call((struct s3 *)store, arena, "PUT", write->key);
    struct str raw = {(const char *)write->sha256.bytes, SHA256_BYTES};
    struct http_reply reply;

    if (write->body.len > MAX_PUT)
        return err_set(err, ERR_LIMIT, "write %.*s: %zu bytes; S3 takes 5 GiB in one piece",
                       STR_ARG(write->key), write->body.len);
    call.body = write->body;
    call.body_sha256 = sha256_hex(arena, &write->sha256);
    add_header(arena, &call, "x-amz-checksum-sha256", base64_encode(arena, raw, BASE64_STANDARD));
    add_header(arena, &call, "Content-Type", STR("application/octet-stream"));
    if (write->create)
        add_header(arena, &call, "If-None-Match", STR("*"));
    if (!perform(&call, arena, &reply, err)) {
        if (err->code == ERR_EXISTS)
            return store_taken(write->key, err);
        return err_context(err, "write %.*s", STR_ARG(write->key));
    }
    info->version = http_header(&reply.headers, STR("x-amz-version-id"));
    return true;
}

static int64_t http_date_ms(struct arena *arena, struct str text)
{
    struct tm utc = {0};
    const char *end = strptime(str_c(arena, text), "%a, %d %b %Y %H:%M:%S GMT", &utc);
    return end != NULL && *end == '\0' ? (int64_t)timegm(&utc) * 1000 : 0;
}

static bool s3_head_etag(struct s3 *s3, struct arena *arena, struct str key, struct store_info *info,
                         struct str *ret_etag, struct err *err)
{
    struct call call = new_call(s3, arena, "HEAD", key);
    struct http_reply reply;
    struct str sum = STR_NONE;
    add_header(arena, &call, "x-amz-checksum-mode", STR("ENABLED"));
    if (!perform(&call, arena, &reply, err)) {
        if (is_missing_key(&call, &reply))
            return store_missing(key, err);
        return err_context(err, "look up %.*s", STR_ARG(key));
    }
    if (!str_to_u64(http_header(&reply.headers, STR("content-length")), &info->bytes))
        return err_set(err, ERR_CORRUPT, "look up %.*s: the store does not say its size", STR_ARG(key));
    info->modified_ms = http_date_ms(arena, http_header(&reply.headers, STR("last-modified")));
    info->version = http_header(&reply.headers, STR("x-amz-version-id"));
    if (base64_decode(arena, http_header(&reply.headers, STR("x-amz-checksum-sha256")), BASE64_STANDARD,
                      &sum) &&
        sum.len == SHA256_BYTES) {
        memcpy(info->sha256.bytes, sum.ptr, sum.len);
        info->has_sha256 = true;
    }
    *ret_etag = http_header(&reply.headers, STR("etag"));
    return true;
}

static bool s3_head(struct store *store, struct arena *arena, struct str key, struct store_info *info,
                    struct err *err)
{
    struct str etag;
    return s3_head_etag((struct s3 *)store, arena, key, info, &etag, err);
}

/* Goes on where a body was cut, as long as it is the same object, and comes out even. */
static bool resume(struct call *call, struct arena *arena, struct str key, struct err *err)
{
    struct store_info info = {0};
    struct str etag = STR_NONE;
    struct http_reply reply;
    if (!s3_head_etag(call->s3, arena, key, &info, &etag, err))
        return false;
    if (call->received > info.bytes)
        return err_set(err, ERR_CORRUPT, "it changed while it was read");
    if (call->received == info.bytes)
        return true;
    call->headers.count = 0;
    add_header(arena, call, "If-Match", etag);
    add_header(arena, call, "Range", str_fmt(arena, "bytes=%llu-", (unsigned long long)call->received));
    if (!perform(call, arena, &reply, err))
        return err->code == ERR_EXISTS ? err_set(err, ERR_CORRUPT, "it changed while it was read") : false;
    return call->received == info.bytes ||
           err_set(err, ERR_CORRUPT, "%llu bytes came of %llu", (unsigned long long)call->received,
                   (unsigned long long)info.bytes);
}

static bool s3_read(struct store *store, struct arena *arena, struct str key, const struct store_sink *sink,
                    struct err *err)
{
    struct call call = new_call((struct s3 *)store, arena, "GET", key);
    struct http_reply reply;
    call.sink = sink;
    bool good = perform(&call, arena, &reply, err);
    if (!good && is_missing_key(&call, &reply))
        return store_missing(key, err);
    for (int i = 0; !good && err->code == ERR_UNREACHABLE && call.received != 0 && i < MAX_RESUMES; i++)
        good = resume(&call, arena, key, err);
    return good || err_context(err, "read %.*s", STR_ARG(key));
}

static bool s3_remove(struct store *store, struct arena *arena, struct str key, struct err *err)
{
    struct call call = new_call((struct s3 *)store, arena, "DELETE", key);
    struct http_reply reply;
    return perform(&call, arena, &reply, err) || is_missing_key(&call, &reply) ||
           err_context(err, "delete %.*s", STR_ARG(key));
}

/* ---- listing ---- */

struct listing {
    const struct s3 *s3;
    struct arena *arena;
    struct store_page *page;
    struct store_info item;
    bool complete; /* IsTruncated was there */
};

static bool end_of_item(struct listing *l, struct err *err)
{
    struct str prefix = l->s3->place.prefix;
    if (!str_starts(l->item.key, prefix))
        return err_set(err, ERR_CORRUPT, "the store lists a key that was not asked for");
    l->item.key = str_from(l->item.key, prefix.len);
    *ARENA_PUSH(l->arena, l->page) = l->item;
    l->item = (struct store_info){0};
    return true;
}

static bool take_element(void *ctx, struct str path, struct str text, struct err *err)
{
    struct listing *l = ctx;
    if (str_is(path, "ListBucketResult/IsTruncated")) {
        l->complete = true;
        l->page->more = str_is(text, "true");
    } else if (str_is(path, "ListBucketResult/Contents/Key")) {
        l->item.key = str_dup(l->arena, text);
    } else if (str_is(path, "ListBucketResult/Contents/Size")) {
        return str_to_u64(text, &l->item.bytes) || err_set(err, ERR_CORRUPT, "a size that is no number");
    } else if (str_is(path, "ListBucketResult/Contents/LastModified")) {
        return clock_parse_rfc3339(text, &l->item.modified_ms) ||
               err_set(err, ERR_CORRUPT, "a time that is no time");
    } else if (str_is(path, "ListBucketResult/Contents")) {
        return end_of_item(l, err);
    }
    return true;
}

static bool s3_list(struct store *store, struct arena *arena, struct str prefix, struct str after,
                    size_t limit, struct store_page *page, struct err *err)
{
    struct s3 *s3 = (struct s3 *)store;
    struct call call = new_call(s3, arena, "GET", STR_NONE);
    struct listing listing = {.s3 = s3, .arena = arena, .page = page};
    struct http_reply reply;
    struct sigv4_pair pairs[] = {
        {STR("list-type"), STR("2")},
        {STR("max-keys"), str_fmt(arena, "%zu", limit)},
        {STR("prefix"), str_fmt(arena, "%.*s%.*s", STR_ARG(s3->place.prefix), STR_ARG(prefix))},
        {STR("start-after"), str_fmt(arena, "%.*s%.*s", STR_ARG(s3->place.prefix), STR_ARG(after))},
    };
    call.path = str_fmt(arena, "%.*s/", STR_ARG(s3->place.root));
    call.query = sigv4_query(arena, pairs, after.len ? 4 : 3);
    if (!perform(&call, arena, &reply, err))
        return err_context(err, "list %.*s", STR_ARG(prefix));
    if (!xml_read(reply.body, take_element, &listing, err))
        return err_context(err, "list %.*s", STR_ARG(prefix));
    return listing.complete || err_set(err, ERR_CORRUPT, "list %.*s: the reply is no list", STR_ARG(prefix));
}

static const struct store_driver driver = {
    .name = "s3",
    .write = s3_write,
    .read = s3_read,
    .head = s3_head,
    .list = s3_list,
    .remove = s3_remove,
    .close = s3_close,
};

/* ---- opening ---- */

static bool read_ca(struct arena *arena, struct str path, struct str *ret_pem, struct err *err)
{
    enum { MAX_CA_BYTES = 4 << 20 };
    return path.len == 0 || file_read(arena, str_c(arena, path), MAX_CA_BYTES, ret_pem, err) ||
           err_context(err, "ca_file");
}

bool store_s3_open(struct arena *arena, const struct config_store *config, struct store **ret_store,
                   struct err *err)
{
    struct s3 *s3 = ARENA_NEW(arena, struct s3);
    struct client *client = NULL;
    s3->store.driver = &driver;
    if (!s3_settings_read(arena, config, &s3->settings, err) ||
        !s3_place_of(arena, config, &s3->settings, &s3->place, err) ||
        !read_ca(arena, config->ca_file, &s3->options.ca_pem, err) || !new_client(s3, &client, err))
        return false;
    s3->idle = client;
    pthread_mutex_init(&s3->lock, NULL);
    *ret_store = &s3->store;
    return true;
}
