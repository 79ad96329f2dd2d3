/* Large bodies go in parts: several at once, each with its own hash and its own attempts.
 *
 * S3 takes at most 10,000 parts of 5 MiB to 5 GiB, so the part grows with the body and objects reach 5 TiB. A part's
 * SHA-256 is checked where it arrives; of the whole S3 knows the hash of the parts' hashes, which is compared at the
 * end, and the true hash stands in the metadata. Completing can fail inside a reply of 200, and its reply can get lost:
 * then the object itself is looked at. Whatever does not complete is aborted, at once or, after a crash, by the next
 * backup a day later. Source: S3 API Reference, CreateMultipartUpload and its sisters.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "core/base/base64.h"
#include "core/base/clock.h"
#include "core/base/parallel.h"
#include "core/store/s3_intern.h"
#include "core/store/spool.h"
#include "core/store/xml.h"

enum {
    MAX_PARTS = 10000,
    CONNECTIONS = 4,
    ATTEMPTS = 5, /* to complete, where the store failed and may not the next time */
    MAX_ETAG = 128,
    MAX_ABORTED = 1000,
};
static const uint64_t MAX_OBJECT = (uint64_t)5 << 40;
static const int64_t STALE_MS = (int64_t)24 * 60 * 60 * 1000;

struct part {
    struct sha256 sha256;
    char etag[MAX_ETAG];
};

struct upload {
    struct s3 *s3;
    const struct store_write *write;
    struct str id, writer;
    uint64_t part_bytes;
    size_t count;
    struct part *parts;
};

static struct str base64_of(struct arena *arena, const struct sha256 *sha256)
{
    return base64_encode(arena, (struct str){(const char *)sha256->bytes, SHA256_BYTES}, BASE64_STANDARD);
}

/* The checksum that S3 gives an object in parts. */
static struct str sum_of_sums(struct arena *arena, const struct upload *u)
{
    struct sha256_stream *stream = sha256_begin();
    for (size_t i = 0; i < u->count; i++)
        sha256_add(stream, u->parts[i].sha256.bytes, SHA256_BYTES);
    struct sha256 sum = sha256_end(stream);
    return str_fmt(arena, "%.*s-%zu", STR_ARG(base64_of(arena, &sum)), u->count);
}

static struct str upload_query(struct arena *arena, const struct upload *u, size_t part)
{
    struct sigv4_pair pairs[] = {{STR("uploadId"), u->id},
                                 {STR("partNumber"), part ? str_fmt(arena, "%zu", part) : STR_NONE}};
    return sigv4_query(arena, pairs, part ? 2 : 1);
}

/* ---- who wrote it ---- */

bool s3_new_writer(struct arena *arena, struct str *ret_writer, struct err *err)
{
    uint64_t random[2];
    if (getrandom(random, sizeof random, 0) != sizeof random)
        return err_errno(err, "random bytes");
    *ret_writer =
        str_fmt(arena, "%016llx%016llx", (unsigned long long)random[0], (unsigned long long)random[1]);
    return true;
}

bool s3_wrote_it(struct s3 *s3, struct arena *arena, struct str key, struct str writer,
                 struct store_info *ret_info, struct http_reply *ret_reply, struct err *err)
{
    *ret_info = (struct store_info){.key = key};
    return s3_head_of(s3, arena, key, STR_NONE, ret_info, ret_reply, err) &&
           str_eq(http_header(&ret_reply->headers, STR(S3_WRITER_META)), writer);
}

/* ---- the steps ---- */

static bool begin(struct upload *u, struct arena *arena, struct err *err)
{
    struct s3_call call = s3_call_new(u->s3, arena, "POST", u->write->key);
    struct http_reply reply;
    call.query = sigv4_query(arena, &(struct sigv4_pair){STR("uploads"), STR_NONE}, 1);
    s3_call_header(arena, &call, "x-amz-checksum-algorithm", STR("SHA256"));
    s3_call_header(arena, &call, "Content-Type", STR("application/octet-stream"));
    s3_call_header(arena, &call, S3_SHA256_META, sha256_hex(arena, &u->write->sha256));
    s3_call_header(arena, &call, S3_WRITER_META, u->writer);
    if (!s3_perform(&call, arena, &reply, err))
        return false;
    if (!xml_text(arena, reply.body, "InitiateMultipartUploadResult/UploadId", &u->id, err))
        return false;
    return u->id.len != 0 || err_set(err, ERR_CORRUPT, "the store gives the upload no id");
}

static bool send_part(void *ctx, size_t index, struct err *err)
{
    struct upload *u = ctx;
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct s3_call call = s3_call_new(u->s3, arena, "PUT", u->write->key);
    struct part *part = &u->parts[index];
    struct http_reply reply;
    uint64_t from = index * u->part_bytes;
    struct str body = str_slice(u->write->body, from, from + u->part_bytes);
    part->sha256 = sha256_of(body);
    call.query = upload_query(arena, u, index + 1);
    s3_call_body(arena, &call, body, &part->sha256);
    s3_call_header(arena, &call, "x-amz-checksum-sha256", base64_of(arena, &part->sha256));
    if (!s3_perform(&call, arena, &reply, err))
        return err_context(err, "part %zu of %zu", index + 1, u->count);
    spool_rest(body);
    struct str etag = http_header(&reply.headers, STR("etag"));
    if (etag.len == 0 || etag.len >= MAX_ETAG)
        return err_set(err, ERR_CORRUPT, "part %zu of %zu: the store gives it no tag", index + 1, u->count);
    memcpy(part->etag, etag.ptr, etag.len);
    return true;
}

/* A tag goes into XML; the quotes around it do not. */
static struct str bare(const char *etag)
{
    struct str text = str_of(etag);
    bool quoted = text.len >= 2 && text.ptr[0] == '"' && text.ptr[text.len - 1] == '"';
    return quoted ? str_slice(text, 1, text.len - 1) : text;
}

static struct str complete_body(struct arena *arena, const struct upload *u)
{
    struct str *lines = ARENA_ARRAY(arena, struct str, u->count + 2);
    lines[0] = STR("<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    for (size_t i = 0; i < u->count; i++)
        lines[i + 1] = str_fmt(
            arena,
            "<Part><PartNumber>%zu</PartNumber><ETag>%.*s</ETag><ChecksumSHA256>%.*s</ChecksumSHA256></Part>",
            i + 1, STR_ARG(bare(u->parts[i].etag)), STR_ARG(base64_of(arena, &u->parts[i].sha256)));
    lines[u->count + 1] = STR("</CompleteMultipartUpload>");
    return str_join(arena, lines, u->count + 2, STR_NONE);
}

/* A reply of 200 comes before the store knows how it ends: the error then stands in the body. */
static bool completed(const struct upload *u, struct arena *arena, const struct http_reply *reply,
                      bool *ret_again, struct err *err)
{
    struct s3_fault fault = s3_fault_of(arena, reply);
    struct http_reply failed = {.status = 500};
    struct str etag = STR_NONE;
    *ret_again = true;
    if (fault.code.len != 0)
        return s3_explain(&fault, &failed, u->s3->place.bucket, err);
    return xml_text(arena, reply->body, "CompleteMultipartUploadResult/ETag", &etag, err);
}

static bool try_complete(struct upload *u, struct arena *arena, struct str body, bool *ret_again,
                         struct err *err)
{
    struct s3_call call = s3_call_new(u->s3, arena, "POST", u->write->key);
    struct sha256 sha256 = sha256_of(body);
    struct http_reply reply;
    call.query = upload_query(arena, u, 0);
    s3_call_body(arena, &call, body, &sha256);
    s3_call_header(arena, &call, "Content-Type", STR("application/xml"));
    if (u->write->create)
        s3_call_header(arena, &call, "If-None-Match", STR("*"));
    *ret_again = false;
    return s3_perform(&call, arena, &reply, err) && completed(u, arena, &reply, ret_again, err);
}

/* What counts is what is there afterwards; for whatever the store said, its words may be of an attempt before. */
static bool complete(struct upload *u, struct arena *arena, struct store_info *info, struct http_reply *reply,
                     struct err *err)
{
    struct str body = complete_body(arena, u);
    for (unsigned number = 1;; number++) {
        struct err why = {0};
        bool again = false, good = try_complete(u, arena, body, &again, err);
        if (s3_wrote_it(u->s3, arena, u->write->key, u->writer, info, reply, &why))
            return true;
        if (good) {
            if (why.code != ERR_NONE)
                *err = why;
            else
                err_set(err, ERR_CORRUPT, "the store said that it was complete, and holds another one");
            return false;
        }
        if (!again || number == ATTEMPTS)
            return false;
        retry_wait(&RETRY_DEFAULT, number, -1);
    }
}

static bool check_whole(const struct upload *u, struct arena *arena, const struct store_info *info,
                        const struct http_reply *reply, struct err *err)
{
    struct str sum = http_header(&reply->headers, STR("x-amz-checksum-sha256"));
    if (info->bytes != u->write->body.len)
        return err_set(err, ERR_CORRUPT, "the store holds %llu bytes of %zu", (unsigned long long)info->bytes,
                       u->write->body.len);
    return sum.len == 0 || str_eq(sum, sum_of_sums(arena, u)) ||
           err_set(err, ERR_CORRUPT, "the store holds other parts than it was sent");
}

static bool abort_upload(struct s3 *s3, struct arena *arena, struct str key, struct str id)
{
    struct s3_call call = s3_call_new(s3, arena, "DELETE", key);
    struct http_reply reply;
    struct err ignored = {0}; /* what stays is swept later */
    call.query = sigv4_query(arena, &(struct sigv4_pair){STR("uploadId"), id}, 1);
    return s3_perform(&call, arena, &reply, &ignored);
}

static uint64_t part_size(const struct s3 *s3, uint64_t bytes)
{
    enum { MIB = 1 << 20 };
    uint64_t least = (bytes + MAX_PARTS - 1) / MAX_PARTS;
    return least <= s3->part_bytes ? s3->part_bytes : (least + MIB - 1) / MIB * MIB;
}

bool s3_upload(struct s3 *s3, struct arena *arena, const struct store_write *write, struct store_info *info,
               struct err *err)
{
    struct upload u = {.s3 = s3, .write = write};
    if (write->body.len > MAX_OBJECT)
        return err_set(err, ERR_LIMIT, "%zu bytes; an object of S3 has at most 5 TiB", write->body.len);
    u.part_bytes = part_size(s3, write->body.len);
    u.count = (write->body.len + u.part_bytes - 1) / u.part_bytes;
    u.parts = ARENA_ARRAY(arena, struct part, u.count);
    if (!s3_new_writer(arena, &u.writer, err) || !begin(&u, arena, err))
        return false;
    struct store_info there = {0};
    struct http_reply reply = {0};
    bool sent =
        parallel_for(u.count, CONNECTIONS, send_part, &u, err) && complete(&u, arena, &there, &reply, err);
    if (!sent) {
        if (!abort_upload(s3, arena, write->key, u.id))
            err_next(err, "the next backup clears away what was sent");
        return false;
    }
    info->version = there.version;
    return check_whole(&u, arena, &there, &reply, err);
}

/* ---- what others left behind ---- */

struct stale {
    struct str key, id;
    int64_t began_ms;
};

struct uploads {
    struct arena *arena;
    struct stale current;
    struct {
        struct stale *items;
        size_t count, cap;
    } list;
    struct str next_key, next_id;
    bool more;
};

static bool take_upload(void *ctx, struct str path, struct str text, struct err *err)
{
    struct uploads *u = ctx;
    if (str_is(path, "ListMultipartUploadsResult/Upload/Key"))
        u->current.key = str_dup(u->arena, text);
    else if (str_is(path, "ListMultipartUploadsResult/Upload/UploadId"))
        u->current.id = str_dup(u->arena, text);
    else if (str_is(path, "ListMultipartUploadsResult/Upload/Initiated"))
        return clock_parse_rfc3339(text, &u->current.began_ms) || err_set(err, ERR_CORRUPT, "no time");
    else if (str_is(path, "ListMultipartUploadsResult/IsTruncated"))
        u->more = str_is(text, "true");
    else if (str_is(path, "ListMultipartUploadsResult/NextKeyMarker"))
        u->next_key = str_dup(u->arena, text);
    else if (str_is(path, "ListMultipartUploadsResult/NextUploadIdMarker"))
        u->next_id = str_dup(u->arena, text);
    else if (str_is(path, "ListMultipartUploadsResult/Upload")) {
        *ARENA_PUSH(u->arena, &u->list) = u->current;
        u->current = (struct stale){0};
    }
    return true;
}

/* Only what is large goes in parts, and those are the packs: in a bucket shared with others nothing else is touched. */
static bool list_uploads(struct s3 *s3, struct uploads *u, struct err *err)
{
    struct str prefix = str_fmt(u->arena, "%.*spacks/", STR_ARG(s3->place.prefix));
    do {
        struct s3_call call = s3_call_new(s3, u->arena, "GET", STR_NONE);
        struct sigv4_pair pairs[] = {{STR("uploads"), STR_NONE},
                                     {STR("prefix"), prefix},
                                     {STR("key-marker"), u->next_key},
                                     {STR("upload-id-marker"), u->next_id}};
        struct http_reply reply;
        call.query = sigv4_query(u->arena, pairs, u->more ? 4 : 2);
        u->more = false;
        if (!s3_perform(&call, u->arena, &reply, err) || !xml_read(reply.body, take_upload, u, err))
            return false;
    } while (u->more && u->list.count < MAX_ABORTED);
    return true;
}

bool s3_tidy(struct store *store, struct arena *arena, struct err *err)
{
    struct s3 *s3 = (struct s3 *)store;
    struct uploads uploads = {.arena = arena};
    if (!list_uploads(s3, &uploads, err))
        return err_context(err, "list unfinished uploads");
    for (size_t i = 0; i < uploads.list.count; i++) {
        const struct stale *stale = &uploads.list.items[i];
        if (stale->began_ms + STALE_MS < s3_now_ms(s3) && str_starts(stale->key, s3->place.prefix))
            abort_upload(s3, arena, str_from(stale->key, s3->place.prefix.len), stale->id);
    }
    return true;
}
