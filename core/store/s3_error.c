#include "core/store/s3_error.h"

#include "core/store/xml.h"

#define PERMISSIONS                                                                                          \
    "give the key s3:ListBucket on the bucket and s3:GetObject, s3:PutObject and s3:DeleteObject below it"

static const struct row {
    const char *s3_code;
    int status; /* 0: any; a row without s3_code is for a reply without a body */
    enum err_code code;
    const char *says, *next;
} rows[] = {
    {"AccessDenied", 0, ERR_DENIED, "access denied", PERMISSIONS},
    {"AllAccessDisabled", 0, ERR_DENIED, "access to the bucket is disabled", "ask the owner of the bucket"},
    {"InvalidAccessKeyId", 0, ERR_DENIED, "the store does not know this access key",
     "check AWS_ACCESS_KEY_ID or the profile, and whether the key was deleted"},
    {"SignatureDoesNotMatch", 0, ERR_DENIED, "the secret key does not belong to the access key",
     "check AWS_SECRET_ACCESS_KEY or the profile, also for a missing or doubled character"},
    {"ExpiredToken", 0, ERR_DENIED, "the temporary credentials have expired",
     "fetch new ones and run it again"},
    {"InvalidToken", 0, ERR_DENIED, "the session token is not valid",
     "set AWS_SESSION_TOKEN with the keys that it came with, or unset it"},
    {"InvalidTokenId", 0, ERR_DENIED, "the session token is not valid",
     "set AWS_SESSION_TOKEN with the keys that it came with, or unset it"},
    {"RequestTimeTooSkewed", 0, ERR_DENIED, "the clock of this machine is too far from the store's",
     "set the clock (NTP)"},
    {"NoSuchBucket", 0, ERR_NOT_FOUND, "the bucket does not exist",
     "create it, or check name, region and endpoint"},
    {"InvalidBucketName", 0, ERR_USAGE, "this is no name that a bucket can have",
     "check the URL of the store"},
    {"NoSuchKey", 0, ERR_NOT_FOUND, "no such object", NULL},
    {"NoSuchUpload", 0, ERR_CONFLICT, "the unfinished upload is gone: somebody aborted it",
     "run it again; a rule of the bucket that aborts uploads should leave them a day"},
    {"PreconditionFailed", 0, ERR_EXISTS, "it is in the store already", NULL},
    {"ConditionalRequestConflict", 0, ERR_EXISTS, "another writer is at it", NULL},
    {"PermanentRedirect", 0, ERR_USAGE, "the bucket is in another region or at another endpoint",
     "set region and endpoint to those of the bucket"},
    {"TemporaryRedirect", 0, ERR_UNREACHABLE, "the bucket is being moved", "run it again later"},
    {"AuthorizationHeaderMalformed", 0, ERR_USAGE, "the store expects another region",
     "set region to that of the bucket"},
    {"InvalidRegion", 0, ERR_USAGE, "the store expects another region", "set region to that of the bucket"},
    {"EntityTooLarge", 0, ERR_LIMIT, "the object is larger than the store takes in one piece", NULL},
    {"BadDigest", 0, ERR_CORRUPT, "what arrived is not what was sent", "look at the proxies in between"},
    {"XAmzContentSHA256Mismatch", 0, ERR_CORRUPT, "what arrived is not what was sent",
     "look at the proxies in between"},
    {"NotImplemented", 0, ERR_REFUSED, "the store does not know a feature that safe backups need",
     "use a store with conditional writes (If-None-Match)"},
    {"XMinioStorageFull", 0, ERR_IO, "the store is full", "free space there, or prune old backups"},
    {"QuotaExceeded", 0, ERR_IO, "the quota of the bucket is used up", "raise it, or prune old backups"},
    {"XMinioAdminBucketQuotaExceeded", 0, ERR_IO, "the quota of the bucket is used up",
     "raise it, or prune old backups"},
    {"InvalidObjectState", 0, ERR_UNREACHABLE, "the object is in cold storage",
     "restore it from the archive tier first"},
    {NULL, 301, ERR_USAGE, "the bucket is in another region or at another endpoint",
     "set region and endpoint to those of the bucket"},
    {NULL, 401, ERR_DENIED, "the store does not accept the credentials", "check access key and secret key"},
    {NULL, 403, ERR_DENIED, "access denied", PERMISSIONS},
    {NULL, 404, ERR_NOT_FOUND, "no such object or bucket", NULL},
    {NULL, 409, ERR_EXISTS, "another writer is at it", NULL},
    {NULL, 412, ERR_EXISTS, "it is in the store already", NULL},
    {NULL, 501, ERR_REFUSED, "the store does not know a feature that safe backups need",
     "use a store with conditional writes (If-None-Match)"},
    {NULL, 507, ERR_IO, "the store is full", "free space there, or prune old backups"},
};

struct reading {
    struct arena *arena;
    struct s3_fault fault;
};

/* It ends up on a terminal. */
static struct str printable(struct arena *arena, struct str text)
{
    text = str_dup(arena, str_slice(text, 0, 300));
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] < 0x20 || text.ptr[i] == 0x7f)
            ((char *)text.ptr)[i] = ' ';
    return text;
}

static bool take(void *ctx, struct str path, struct str text, struct err *err)
{
    struct reading *reading = ctx;
    if (str_is(path, "Error/Code"))
        reading->fault.code = printable(reading->arena, text);
    if (str_is(path, "Error/Message"))
        reading->fault.message = printable(reading->arena, text);
    if (str_is(path, "Error/Region"))
        reading->fault.region = printable(reading->arena, text);
    return true;
}

struct s3_fault s3_fault_of(struct arena *arena, const struct http_reply *reply)
{
    struct reading reading = {.arena = arena};
    struct err ignored = {0};
    if (!xml_read(reply->body, take, &reading, &ignored))
        return (struct s3_fault){0};
    return reading.fault;
}

static bool fits(const struct row *row, const struct s3_fault *fault, int status)
{
    if (row->s3_code != NULL)
        return str_is(fault->code, row->s3_code);
    return row->status == status;
}

/* A code that no row knows: the store's own words, the status decides what it means. */
static bool unknown(const struct s3_fault *fault, int status, struct err *err)
{
    enum err_code code = status >= 500 || status == 429 ? ERR_UNREACHABLE
                         : status < 400                 ? ERR_USAGE
                                                        : ERR_REFUSED;
    if (fault->code.len == 0)
        return err_set(err, code, "HTTP %d", status);
    return err_set(err, code, "HTTP %d, %.*s: %.*s", status, STR_ARG(fault->code), STR_ARG(fault->message));
}

bool s3_explain(const struct s3_fault *fault, const struct http_reply *reply, struct str bucket,
                struct err *err)
{
    struct str region = http_header(&reply->headers, STR("x-amz-bucket-region"));
    if (region.len == 0)
        region = fault->region;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct row *row = &rows[i];
        if (!fits(row, fault, reply->status))
            continue;
        err_set(err, row->code, "bucket %.*s: %s", STR_ARG(bucket), row->says);
        if (row->code == ERR_USAGE && region.len != 0)
            err_next(err, "set region: %.*s", STR_ARG(region));
        if (row->next != NULL)
            err_next(err, "%s", row->next);
        return false;
    }
    unknown(fault, reply->status, err);
    return err_context(err, "bucket %.*s", STR_ARG(bucket));
}
