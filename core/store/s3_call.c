/* One request to S3: an HTTP client from the pool, signed anew at each attempt, tried again where that helps. */
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/store/s3_intern.h"

enum {
    MAX_REPLY = 16 << 20,           /* of a list; 1000 keys of 1024 bytes, escaped */
    ATTEMPTS = 4,                   /* of what the status alone does not tell to be worth another try */
    TOO_SKEWED_MS = 10 * 60 * 1000, /* S3 refuses at 15 minutes */
};

/* ---- clients ---- */

struct s3_client {
    struct s3_client *next;
    struct arena *arena;
    struct http *http;
};

static bool new_client(struct s3 *s3, struct s3_client **ret_client, struct err *err)
{
    struct arena *arena = arena_new();
    struct s3_client *client = ARENA_NEW(arena, struct s3_client);
    client->arena = arena;
    struct http_options options = s3->options;
    options.known = __atomic_load_n(&s3->reached, __ATOMIC_RELAXED);
    if (!http_open(arena, &options, &client->http, err)) {
        arena_free(arena);
        return false;
    }
    *ret_client = client;
    return true;
}

static bool take_client(struct s3 *s3, struct s3_client **ret_client, struct err *err)
{
    pthread_mutex_lock(&s3->lock);
    struct s3_client *client = s3->idle;
    if (client != NULL)
        s3->idle = client->next;
    pthread_mutex_unlock(&s3->lock);
    *ret_client = client;
    return client != NULL || new_client(s3, ret_client, err);
}

static void give_back(struct s3 *s3, struct s3_client *client)
{
    pthread_mutex_lock(&s3->lock);
    client->next = s3->idle;
    s3->idle = client;
    pthread_mutex_unlock(&s3->lock);
}

bool s3_pool_open(struct s3 *s3, struct err *err)
{
    struct s3_client *client = NULL;
    if (!new_client(s3, &client, err))
        return false;
    s3->idle = client;
    s3->region = s3->settings.region;
    pthread_mutex_init(&s3->lock, NULL);
    return true;
}

void s3_pool_close(struct s3 *s3)
{
    for (struct s3_client *client = s3->idle, *next; client != NULL; client = next) {
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

int64_t s3_now_ms(struct s3 *s3)
{
    return clock_now_ms(NULL) + skew_of(s3);
}

static struct str region_of(struct s3 *s3, struct arena *arena)
{
    pthread_mutex_lock(&s3->lock);
    struct str region = str_dup(arena, s3->region);
    pthread_mutex_unlock(&s3->lock);
    return region;
}

static bool sign(void *ctx, struct arena *arena, struct http_request *request, struct err *err)
{
    struct s3_call *call = ctx;
    const struct s3 *s3 = call->s3;
    struct sigv4_keys keys;
    struct sigv4_request what = {
        .method = call->method,
        .path = call->path,
        .query = call->query,
        .body_sha256 = call->body_sha256,
        .region = region_of(call->s3, arena),
        .service = STR("s3"),
        .time_ms = s3_now_ms(call->s3),
    };
    if (!aws_keys_get(s3->settings.keys, arena, &keys, err))
        return false;
    call->access_key = keys.access_key;
    http_add_header(arena, &request->headers, STR("Host"), s3->place.host);
    http_add_header(arena, &request->headers, STR("x-amz-content-sha256"), call->body_sha256);
    sigv4_sign(arena, &keys, &what, &request->headers);
    return true;
}

static bool pass_on(void *ctx, struct str piece, struct err *err)
{
    struct s3_call *call = ctx;
    call->received += piece.len;
    return call->sink->piece(call->sink->ctx, piece, err);
}

struct s3_call s3_call_new(struct s3 *s3, struct arena *arena, const char *method, struct str key)
{
    static const struct str empty_sha256 =
        STR_INIT("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    struct str full = str_fmt(arena, "%.*s%.*s", STR_ARG(s3->place.prefix), STR_ARG(key));
    struct str escaped = key.len ? http_escape(arena, full, true) : STR_NONE;
    struct str path = str_fmt(arena, "%.*s/%.*s", STR_ARG(s3->place.root), STR_ARG(escaped));
    return (struct s3_call){.s3 = s3, .method = method, .path = path, .body_sha256 = empty_sha256};
}

void s3_call_header(struct arena *arena, struct s3_call *call, const char *name, struct str value)
{
    http_add_header(arena, &call->headers, str_of(name), value);
}

void s3_call_body(struct arena *arena, struct s3_call *call, struct str body, const struct sha256 *sha256)
{
    call->body = body;
    call->body_sha256 = sha256_hex(arena, sha256);
}

/* A HEAD has no body to say that it is the clock; the Date of the refusal shows it. */
static bool is_skewed(struct s3 *s3, const struct s3_fault *fault, const struct http_reply *reply)
{
    int64_t off = reply->date_ms - s3_now_ms(s3);
    if (reply->date_ms == 0)
        return false;
    return str_is(fault->code, "RequestTimeTooSkewed") ||
           (reply->status == 403 && fault->code.len == 0 && (off > TOO_SKEWED_MS || off < -TOO_SKEWED_MS));
}

static bool is_region(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
            return false;
    }
    return text.len != 0;
}

/* The store names the region that it signs for: followed at the same address, and only to another region. */
static bool learn_region(struct s3 *s3, const struct s3_fault *fault, const struct http_reply *reply)
{
    struct str region = http_header(&reply->headers, STR("x-amz-bucket-region"));
    bool wrong = str_is(fault->code, "AuthorizationHeaderMalformed") || str_is(fault->code, "InvalidRegion");
    if (fault->region.len != 0)
        region = fault->region;
    if (!wrong || !is_region(region) || region.len >= sizeof s3->region_text)
        return false;
    pthread_mutex_lock(&s3->lock);
    bool new = !str_eq(region, s3->region);
    if (new) {
        memcpy(s3->region_text, region.ptr, region.len);
        s3->region = (struct str){s3->region_text, region.len};
    }
    pthread_mutex_unlock(&s3->lock);
    return new;
}

/* What a status alone does not tell. A clock that is off is set right by what the store says. */
static bool worth_another(struct s3_call *call, const struct http_reply *reply)
{
    struct s3 *s3 = call->s3;
    const struct s3_fault *fault = &call->fault;
    static const struct str codes[] = {STR_INIT("RequestTimeout"), STR_INIT("ConditionalRequestConflict"),
                                       STR_INIT("OperationAborted"), STR_INIT("SlowDown")};
    if (str_is(fault->code, "ExpiredToken") || str_is(fault->code, "TokenRefreshRequired"))
        return aws_keys_renew(s3->settings.keys, call->access_key, true);
    bool silent = fault->code.len == 0 && (reply->status == 400 || reply->status == 403); /* a HEAD */
    if (!is_skewed(s3, fault, reply))
        return str_in(fault->code, codes, COUNT_OF(codes)) || learn_region(s3, fault, reply) ||
               (silent && aws_keys_renew(s3->settings.keys, call->access_key, false));
    pthread_mutex_lock(&s3->lock);
    s3->skew_ms = reply->date_ms - clock_now_ms(NULL);
    pthread_mutex_unlock(&s3->lock);
    return true;
}

static bool attempts(struct s3_call *call, struct arena *arena, struct http *http,
                     struct http_reply *ret_reply, struct err *err)
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
        __atomic_store_n(&s3->reached, true, __ATOMIC_RELAXED);
        *ret_reply = reply;
        if (reply.status / 100 == 2)
            return true;
        call->fault = s3_fault_of(arena, &reply);
        if (number == ATTEMPTS || !worth_another(call, &reply))
            return s3_explain(&call->fault, &reply, s3->place.bucket, err);
        retry_wait(&RETRY_DEFAULT, number, -1);
    }
}

/* A status of 300 and up is an error; `ret_reply` tells more of it where there was one. */
bool s3_perform(struct s3_call *call, struct arena *arena, struct http_reply *ret_reply, struct err *err)
{
    struct s3_client *client = NULL;
    *ret_reply = (struct http_reply){0};
    if (!take_client(call->s3, &client, err))
        return false;
    bool good = attempts(call, arena, client->http, ret_reply, err);
    give_back(call->s3, client);
    return good;
}

/* A HEAD has no body to say whether it is the key or the bucket. */
bool s3_is_missing_key(const struct s3_call *call, const struct http_reply *reply)
{
    return reply->status == 404 && (call->fault.code.len == 0 || str_is(call->fault.code, "NoSuchKey"));
}
