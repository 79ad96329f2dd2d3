/* The store in an S3 bucket: AWS, MinIO and what speaks like them, over core/net with our own signature.
 *
 * Every request carries the real hash of its body; a put carries its SHA-256 as a checksum that the store keeps and
 * tells again on HEAD. Create-only is If-None-Match: *. Calls take an HTTP client from a pool, since a client belongs
 * to one thread at a time. Source: S3 API Reference 2006-03-01.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/base64.h"
#include "core/base/clock.h"
#include "core/store/s3_intern.h"
#include "core/store/spool.h"

enum { MAX_RESUMES = 8 }; /* one after the other that bring nothing */
/* A part is large enough for a line of high latency, and small enough to be sent again for little. */
static const uint64_t PARTS_FROM = (uint64_t)64 << 20, PART_BYTES = (uint64_t)16 << 20;

/* ---- the driver ---- */

static bool put_whole(struct s3 *s3, struct arena *arena, const struct store_write *write,
                      struct store_info *info, struct err *err)
{
    struct s3_call call = s3_call_new(s3, arena, "PUT", write->key);
    struct str raw = {(const char *)write->sha256.bytes, SHA256_BYTES}, writer = STR_NONE;
    struct store_info there;
    struct http_reply reply;

    s3_call_body(arena, &call, write->body, &write->sha256);
    s3_call_header(arena, &call, "x-amz-checksum-sha256", base64_encode(arena, raw, BASE64_STANDARD));
    s3_call_header(arena, &call, "Content-Type", STR("application/octet-stream"));
    if (write->create) {
        if (!s3_new_writer(arena, &writer, err))
            return false;
        s3_call_header(arena, &call, "If-None-Match", STR("*"));
        s3_call_header(arena, &call, S3_WRITER_META, writer);
    }
    if (s3_perform(&call, arena, &reply, err)) {
        info->version = http_header(&reply.headers, STR("x-amz-version-id"));
        spool_rest(write->body);
        return true;
    }
    struct err why = {0};
    if (err->code != ERR_EXISTS || !s3_wrote_it(s3, arena, write->key, writer, &there, &reply, &why))
        return false;
    info->version = there.version; /* an attempt before had got through, and its reply got lost */
    return true;
}

static bool s3_write(struct store *store, struct arena *arena, const struct store_write *write,
                     struct store_info *info, struct err *err)
{
    struct s3 *s3 = (struct s3 *)store;
    bool in_parts = write->body.len >= s3->parts_from;
    if ((in_parts ? s3_upload : put_whole)(s3, arena, write, info, err))
        return true;
    return err->code == ERR_EXISTS ? store_taken(write->key, err)
                                   : err_context(err, "write %.*s", STR_ARG(write->key));
}

static int64_t http_date_ms(struct arena *arena, struct str text)
{
    struct tm utc = {0};
    const char *end = strptime(str_c(arena, text), "%a, %d %b %Y %H:%M:%S GMT", &utc);
    return end != NULL && *end == '\0' ? (int64_t)timegm(&utc) * 1000 : 0;
}

/* What object lock says of it; a store tells only those who may ask (s3:GetObjectRetention, s3:GetObjectLegalHold). */
static bool read_lock(const struct http_headers *headers, struct store_info *info, struct err *err)
{
    struct str until = http_header(headers, STR("x-amz-object-lock-retain-until-date"));
    info->legal_hold = str_is(http_header(headers, STR("x-amz-object-lock-legal-hold")), "ON");
    return until.len == 0 || clock_parse_rfc3339(until, &info->retained_until_ms) ||
           err_set(err, ERR_CORRUPT, "a retention until a time that is no time");
}

static void read_sha256(struct arena *arena, const struct http_headers *headers, struct store_info *info)
{
    struct str sum = STR_NONE, text = http_header(headers, STR("x-amz-checksum-sha256"));
    if (str_find(text, '-') <
        text.len) { /* of the parts' sums, which the store checked: the whole's is ours */
        info->has_sha256 = sha256_from_hex(http_header(headers, STR(S3_SHA256_META)), &info->sha256);
        return;
    }
    if (!base64_decode(arena, text, BASE64_STANDARD, &sum) || sum.len != SHA256_BYTES)
        return;
    memcpy(info->sha256.bytes, sum.ptr, sum.len);
    info->has_sha256 = true;
}

bool s3_head_of(struct s3 *s3, struct arena *arena, struct str key, struct str version,
                struct store_info *info, struct http_reply *ret_reply, struct err *err)
{
    struct s3_call call = s3_call_new(s3, arena, "HEAD", key);
    struct http_reply reply;
    s3_call_header(arena, &call, "x-amz-checksum-mode", STR("ENABLED"));
    if (version.len != 0)
        call.query = sigv4_query(arena, &(struct sigv4_pair){STR("versionId"), version}, 1);
    bool there = s3_perform(&call, arena, &reply, err);
    *ret_reply = reply;
    if (!there && s3_is_missing_key(&call, &reply))
        return store_missing(key, err);
    if (!there)
        return err_context(err, "look up %.*s", STR_ARG(key));
    if (!str_to_u64(http_header(&reply.headers, STR("content-length")), &info->bytes))
        return err_set(err, ERR_CORRUPT, "look up %.*s: the store does not say its size", STR_ARG(key));
    info->modified_ms = http_date_ms(arena, http_header(&reply.headers, STR("last-modified")));
    info->version = http_header(&reply.headers, STR("x-amz-version-id"));
    read_sha256(arena, &reply.headers, info);
    return read_lock(&reply.headers, info, err) || err_context(err, "look up %.*s", STR_ARG(key));
}

static bool s3_head(struct store *store, struct arena *arena, struct str key, struct store_info *info,
                    struct err *err)
{
    struct http_reply reply;
    return s3_head_of((struct s3 *)store, arena, key, STR_NONE, info, &reply, err);
}

/* Goes on where a body was cut, as long as it is the same object, and comes out even. */
static bool resume(struct s3_call *call, struct arena *arena, struct str key, struct err *err)
{
    struct store_info info = {0};
    struct http_reply reply;
    if (!s3_head_of(call->s3, arena, key, STR_NONE, &info, &reply, err))
        return false;
    if (call->received > info.bytes)
        return err_set(err, ERR_CORRUPT, "it changed while it was read");
    if (call->received == info.bytes)
        return true;
    call->headers.count = 0;
    s3_call_header(arena, call, "If-Match", http_header(&reply.headers, STR("etag")));
    s3_call_header(arena, call, "Range", str_fmt(arena, "bytes=%llu-", (unsigned long long)call->received));
    if (!s3_perform(call, arena, &reply, err))
        return err->code == ERR_EXISTS ? err_set(err, ERR_CORRUPT, "it changed while it was read") : false;
    return call->received == info.bytes ||
           err_set(err, ERR_CORRUPT, "%llu bytes came of %llu", (unsigned long long)call->received,
                   (unsigned long long)info.bytes);
}

static bool s3_read(struct store *store, struct arena *arena, struct str key, const struct store_sink *sink,
                    struct err *err)
{
    struct s3_call call = s3_call_new((struct s3 *)store, arena, "GET", key);
    struct http_reply reply;
    call.sink = sink;
    bool good = s3_perform(&call, arena, &reply, err);
    if (!good && s3_is_missing_key(&call, &reply))
        return store_missing(key, err);
    for (int idle = 0; !good && err->code == ERR_UNREACHABLE && call.received != 0 && idle < MAX_RESUMES;) {
        uint64_t before = call.received;
        good = resume(&call, arena, key, err);
        idle = call.received == before ? idle + 1 : 0;
    }
    return good || err_context(err, "read %.*s", STR_ARG(key));
}

static bool s3_remove(struct store *store, struct arena *arena, struct str key, struct err *err)
{
    struct s3_call call = s3_call_new((struct s3 *)store, arena, "DELETE", key);
    struct http_reply reply;
    return s3_perform(&call, arena, &reply, err) || s3_is_missing_key(&call, &reply) ||
           err_context(err, "delete %.*s", STR_ARG(key));
}

/* ---- erasing ---- */

static bool retained(struct arena *arena, const struct store_info *info, struct str key, struct err *err)
{
    if (info->legal_hold)
        err_set(err, ERR_REFUSED, "%.*s is under legal hold", STR_ARG(key));
    else
        err_set(err, ERR_REFUSED, "%.*s is retained until %.*s", STR_ARG(key),
                STR_ARG(clock_rfc3339(arena, info->retained_until_ms)));
    return err_next(err, "object lock keeps it; nothing was removed that readers see");
}

static bool is_retained(struct s3 *s3, const struct store_info *info)
{
    return info->legal_hold || info->retained_until_ms > s3_now_ms(s3);
}

static bool erase_version(struct s3 *s3, struct arena *arena, struct str key, struct str version,
                          struct err *err)
{
    struct s3_call call = s3_call_new(s3, arena, "DELETE", key);
    struct store_info info = {0};
    struct http_reply reply;
    struct err why = {0};
    call.query = sigv4_query(arena, &(struct sigv4_pair){STR("versionId"), version}, 1);
    if (s3_perform(&call, arena, &reply, err) || s3_is_missing_key(&call, &reply))
        return true;
    /* Stores word it differently when a version is locked; what HEAD says of it is the same everywhere. */
    if (s3_head_of(s3, arena, key, version, &info, &reply, &why) && is_retained(s3, &info))
        return retained(arena, &info, key, err);
    return err_context(err, "erase %.*s", STR_ARG(key));
}

/* The oldest version first: until the last step readers see what they saw, and a lock found on the way leaves it so. */
static bool s3_erase(struct store *store, struct arena *arena, struct str key, struct err *err)
{
    struct s3 *s3 = (struct s3 *)store;
    struct store_info info = {0};
    struct http_reply reply;
    struct str_list versions = {0};
    bool there = s3_head_of(s3, arena, key, STR_NONE, &info, &reply, err);
    bool marked = http_header(&reply.headers, STR("x-amz-delete-marker")).len != 0;
    if (!there && (err->code != ERR_NOT_FOUND || !marked))
        return err->code == ERR_NOT_FOUND;
    if (is_retained(s3, &info))
        return retained(arena, &info, key, err);
    if (info.version.len == 0 && !marked)
        return s3_remove(store, arena, key, err);
    if (!s3_versions(s3, arena, key, &versions, err))
        return false;
    for (size_t i = versions.count; i-- > 0;)
        if (!erase_version(s3, arena, key, versions.items[i], err))
            return false;
    return true;
}

static void s3_close(struct store *store)
{
    s3_pool_close((struct s3 *)store);
    aws_keys_close(((struct s3 *)store)->settings.keys);
}

static const struct store_driver driver = {
    .name = "s3",
    .write = s3_write,
    .read = s3_read,
    .head = s3_head,
    .list = s3_list,
    .remove = s3_remove,
    .erase = s3_erase,
    .tidy = s3_tidy,
    .close = s3_close,
};

/* ---- opening ---- */

bool store_s3_open(struct arena *arena, const struct config_store *config, struct store **ret_store,
                   struct err *err)
{
    struct s3 *s3 = ARENA_NEW(arena, struct s3);
    s3->store.driver = &driver;
    s3->parts_from = PARTS_FROM;
    s3->part_bytes = PART_BYTES;
    if (!s3_settings_read(arena, config, &s3->settings, err))
        return false;
    s3->options.ca_pem = s3->settings.ca_pem;
    if (!s3_place_of(arena, config, &s3->settings, &s3->place, err) || !s3_pool_open(s3, err)) {
        aws_keys_close(s3->settings.keys);
        return false;
    }
    *ret_store = &s3->store;
    return true;
}
