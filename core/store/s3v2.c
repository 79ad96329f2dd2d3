/* The store in a bucket of an old server that knows Signature Version 2 only, through libs3. Never the default.
 *
 * libs3 2.0 has no region, no session token, no CA of its own and no conditional writes: a create looks and then
 * writes, so two writers of one key at the same moment both believe that they won (store_creates_atomically says so).
 * Backups stay safe all the same, for every id holds random bits and packs are named by their content. A body goes
 * with its MD5, which the server checks, and with its SHA-256 as metadata, which HEAD tells again.
 */
#include <libs3.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <string.h>

#include "core/base/base64.h"
#include "core/base/version.h"
#include "core/store/s3_error.h"
#include "core/store/s3_place.h"
#include "core/store/store_driver.h"

#define SHA256_META "sha256"

struct s3v2 {
    struct store store;
    struct s3_place place;
    S3BucketContext bucket;
};

/* One request: what its callbacks need, and how it ended. */
struct op {
    struct s3v2 *s3;
    struct arena *arena;
    struct err *err;
    S3Status status;
    struct str message;            /* of the server */
    struct str body;               /* what is left to send */
    const struct store_sink *sink; /* for a get */
    struct store_info *info;       /* for a head */
    struct store_page *page;       /* for a list */
    bool answered;                 /* something was handed out: no second try */
    bool failed;                   /* a callback of ours failed; `err` says why */
};

/* ---- callbacks ---- */

static void on_complete(S3Status status, const S3ErrorDetails *details, void *ctx)
{
    struct op *op = ctx;
    op->status = status;
    op->message = str_dup(op->arena, str_of(details != NULL ? details->message : NULL));
}

static S3Status on_properties(const S3ResponseProperties *properties, void *ctx)
{
    struct op *op = ctx;
    if (op->info == NULL)
        return S3StatusOK;
    op->info->bytes = properties->contentLength;
    op->info->modified_ms = properties->lastModified < 0 ? 0 : properties->lastModified * 1000;
    for (int i = 0; i < properties->metaDataCount; i++)
        if (strcmp(properties->metaData[i].name, SHA256_META) == 0)
            op->info->has_sha256 = sha256_from_hex(str_of(properties->metaData[i].value), &op->info->sha256);
    return S3StatusOK;
}

static int on_send(int room, char *buffer, void *ctx)
{
    struct op *op = ctx;
    size_t len = op->body.len < (size_t)room ? op->body.len : (size_t)room;
    if (len != 0)
        memcpy(buffer, op->body.ptr, len);
    op->body = str_from(op->body, len);
    return (int)len;
}

static S3Status on_receive(int len, const char *bytes, void *ctx)
{
    struct op *op = ctx;
    op->answered = true;
    if (op->sink->piece(op->sink->ctx, (struct str){bytes, (size_t)len}, op->err))
        return S3StatusOK;
    op->failed = true;
    return S3StatusAbortedByCallback;
}

static S3Status on_list(int truncated, const char *next, int count, const S3ListBucketContent *items,
                        int prefix_count, const char **prefixes, void *ctx)
{
    struct op *op = ctx;
    struct str prefix = op->s3->place.prefix;
    op->answered = true;
    op->page->more = truncated != 0;
    for (int i = 0; i < count; i++) {
        struct str key = str_of(items[i].key);
        if (!str_starts(key, prefix)) {
            op->failed = !err_set(op->err, ERR_CORRUPT, "the store lists a key that was not asked for");
            return S3StatusAbortedByCallback;
        }
        *ARENA_PUSH(op->arena, op->page) = (struct store_info){
            .key = str_dup(op->arena, str_from(key, prefix.len)),
            .bytes = items[i].size,
            .modified_ms = items[i].lastModified * 1000,
        };
    }
    return S3StatusOK;
}

static const S3ResponseHandler handler = {on_properties, on_complete};

/* ---- how it ended ---- */

/* libs3's statuses as the codes of S3 or of HTTP, so that both drivers speak with one voice. */
static bool explain(const struct op *op)
{
    static const struct {
        S3Status status;
        int http;
    } rows[] = {
        {S3StatusHttpErrorMovedTemporarily, 301},
        {S3StatusHttpErrorForbidden, 403},
        {S3StatusHttpErrorNotFound, 404},
        {S3StatusHttpErrorConflict, 409},
    };
    const char *name = S3_get_status_name(op->status);
    struct http_reply reply = {.status = 400};
    struct s3_fault fault = {.message = op->message};
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (op->status == rows[i].status) {
            reply.status = rows[i].http;
            return s3_explain(&fault, &reply, op->s3->place.bucket, op->err);
        }
    if (strncmp(name, "Error", 5) == 0) {
        fault.code = str_of(name + 5);
        return s3_explain(&fault, &reply, op->s3->place.bucket, op->err);
    }
    err_set(op->err, ERR_UNREACHABLE, "%.*s: %s", STR_ARG(op->s3->place.origin), name);
    return err_next(op->err, "check endpoint and network, and that the server runs");
}

static bool is_missing(const struct op *op)
{
    return op->status == S3StatusHttpErrorNotFound || op->status == S3StatusErrorNoSuchKey;
}

/* Whether to go round again; at the end of it `err` is filled where it failed. */
static bool again(struct op *op, unsigned number)
{
    bool worth = S3_status_is_retryable(op->status) && !op->failed && !op->answered;
    if (op->status == S3StatusOK || !worth || number >= RETRY_DEFAULT.attempts_unknown)
        return false;
    retry_wait(&RETRY_DEFAULT, number, -1);
    return true;
}

static bool ended_well(const struct op *op)
{
    if (op->status == S3StatusOK)
        return true;
    return op->failed ? false : explain(op);
}

static struct op new_op(struct store *store, struct arena *arena, struct err *err)
{
    return (struct op){.s3 = (struct s3v2 *)store, .arena = arena, .err = err};
}

static const char *full_key(const struct op *op, struct str key)
{
    return str_fmt(op->arena, "%.*s%.*s", STR_ARG(op->s3->place.prefix), STR_ARG(key)).ptr;
}

/* ---- the driver ---- */

static bool v2_head(struct store *store, struct arena *arena, struct str key, struct store_info *info,
                    struct err *err)
{
    struct op op = new_op(store, arena, err);
    op.info = info;
    for (unsigned number = 1; number == 1 || again(&op, number - 1); number++)
        S3_head_object(&op.s3->bucket, full_key(&op, key), NULL, &handler, &op);
    if (is_missing(&op))
        return store_missing(key, err);
    return ended_well(&op) || err_context(err, "look up %.*s", STR_ARG(key));
}

static bool is_free(struct store *store, struct arena *arena, struct str key, struct err *err)
{
    struct store_info info = {0};
    if (v2_head(store, arena, key, &info, err))
        return store_taken(key, err);
    return err->code == ERR_NOT_FOUND;
}

static const char *md5_of(struct arena *arena, struct str body)
{
    unsigned char md5[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    if (EVP_Digest(body.ptr, body.len, md5, &len, EVP_md5(), NULL) != 1)
        return NULL; /* a system that forbids MD5: the transport is trusted, and HEAD is asked afterwards */
    return str_c(arena, base64_encode(arena, (struct str){(const char *)md5, len}, BASE64_STANDARD));
}

static bool v2_write(struct store *store, struct arena *arena, const struct store_write *write,
                     struct store_info *info, struct err *err)
{
    static const S3PutObjectHandler put = {{on_properties, on_complete}, on_send};
    struct op op = new_op(store, arena, err);
    S3NameValue meta = {SHA256_META, str_c(arena, sha256_hex(arena, &write->sha256))};
    S3PutProperties properties = {.contentType = "application/octet-stream",
                                  .md5 = md5_of(arena, write->body),
                                  .expires = -1,
                                  .metaDataCount = 1,
                                  .metaData = &meta};
    if (write->create && !is_free(store, arena, write->key, err))
        return false;
    for (unsigned number = 1; number == 1 || again(&op, number - 1); number++) {
        op.body = write->body;
        S3_put_object(&op.s3->bucket, full_key(&op, write->key), write->body.len, &properties, NULL, &put,
                      &op);
    }
    return ended_well(&op) || err_context(err, "write %.*s", STR_ARG(write->key));
}

static bool v2_read(struct store *store, struct arena *arena, struct str key, const struct store_sink *sink,
                    struct err *err)
{
    static const S3GetObjectHandler get = {{on_properties, on_complete}, on_receive};
    struct op op = new_op(store, arena, err);
    op.sink = sink;
    for (unsigned number = 1; number == 1 || again(&op, number - 1); number++)
        S3_get_object(&op.s3->bucket, full_key(&op, key), NULL, 0, 0, NULL, &get, &op);
    if (is_missing(&op))
        return store_missing(key, err);
    return ended_well(&op) || err_context(err, "read %.*s", STR_ARG(key));
}

static bool v2_list(struct store *store, struct arena *arena, struct str prefix, struct str after,
                    size_t limit, struct store_page *page, struct err *err)
{
    static const S3ListBucketHandler list = {{on_properties, on_complete}, on_list};
    struct op op = new_op(store, arena, err);
    op.page = page;
    for (unsigned number = 1; number == 1 || again(&op, number - 1); number++)
        S3_list_bucket(&op.s3->bucket, full_key(&op, prefix), after.len ? full_key(&op, after) : NULL, NULL,
                       (int)limit, NULL, &list, &op);
    return ended_well(&op) || err_context(err, "list %.*s", STR_ARG(prefix));
}

static bool v2_remove(struct store *store, struct arena *arena, struct str key, struct err *err)
{
    struct op op = new_op(store, arena, err);
    for (unsigned number = 1; number == 1 || again(&op, number - 1); number++)
        S3_delete_object(&op.s3->bucket, full_key(&op, key), NULL, &handler, &op);
    return is_missing(&op) || ended_well(&op) || err_context(err, "delete %.*s", STR_ARG(key));
}

static void v2_close(struct store *store)
{
}

static const struct store_driver driver = {
    .name = "s3v2",
    .write = v2_write,
    .read = v2_read,
    .head = v2_head,
    .list = v2_list,
    .remove = v2_remove,
    .close = v2_close,
    .create_is_a_race = true,
};

/* ---- opening ---- */

static S3Status initialized;

static void initialize(void)
{
    initialized = S3_initialize("gitops-pipe/" GITOPS_PIPE_VERSION, S3_INIT_ALL, NULL);
}

/* What libs3 cannot do is said, not left out in silence. */
static bool check(const struct s3_place *place, struct err *err)
{
    if (!place->tls && !place->loopback)
        return err_set(err, ERR_USAGE, "endpoint: only https, and http to this machine itself");
    if (str_find(place->prefix, ' ') < place->prefix.len) /* libs3 sends it as '+', which is another key */
        return err_set(err, ERR_USAGE, "s3v2 takes no prefix with a space");
    return initialized == S3StatusOK || err_set(err, ERR_INTERNAL, "libs3 did not start");
}

bool store_s3v2_open(struct arena *arena, const struct config_store *config, struct store **ret_store,
                     struct err *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct config_store path_style = *config;
    struct s3v2 *s3 = ARENA_NEW(arena, struct s3v2);
    struct s3_settings settings;
    struct sigv4_keys keys = {0};
    pthread_once(&once, initialize);
    path_style.path_style = true;
    if (config->ca_file.len != 0)
        return err_set(err, ERR_USAGE, "caFile: s3v2 trusts the system's authorities only");
    if (!s3_settings_read(arena, config, &settings, err))
        return false;
    bool lasting = aws_keys_static(settings.keys, &keys);
    aws_keys_close(settings.keys);
    if (!lasting)
        return err_set(err, ERR_USAGE, "temporary credentials need Signature V4: use s3://");
    if (!s3_place_of(arena, &path_style, &settings, &s3->place, err) || !check(&s3->place, err))
        return false;
    s3->store.driver = &driver;
    s3->bucket = (S3BucketContext){
        .hostName = str_c(arena, s3->place.host),
        .bucketName = str_c(arena, s3->place.bucket),
        .protocol = s3->place.tls ? S3ProtocolHTTPS : S3ProtocolHTTP,
        .uriStyle = S3UriStylePath,
        .accessKeyId = str_c(arena, keys.access_key),
        .secretAccessKey = str_c(arena, keys.secret_key),
    };
    *ret_store = &s3->store;
    return true;
}
