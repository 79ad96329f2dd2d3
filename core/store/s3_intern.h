/* s3_intern.h — what the files of the S3 driver share: s3_call.c (one signed request), s3.c (objects), s3_list.c (lists
 * of objects and versions), s3_upload.c (large bodies in parts). For nobody else but the driver's tests. */
#pragma once
#include <pthread.h>

#include "core/store/s3_error.h"
#include "core/store/s3_place.h"
#include "core/store/store_driver.h"

struct s3_client; /* an HTTP client in the pool: it belongs to one thread at a time */

struct s3 {
    struct store store;
    struct s3_settings settings;
    struct http_options options;
    struct s3_place place;
    uint64_t parts_from, part_bytes; /* bodies this large go in parts of at least that size */
    bool reached;                    /* it has answered one client: a new one is as patient */
    pthread_mutex_t lock;            /* of all below */
    struct s3_client *idle;
    int64_t skew_ms; /* how much the store's clock is ahead of ours */
    struct str region;
    char region_text[64]; /* where a store that knows better has named another one */
};

/* One request, signed anew at each attempt. */
struct s3_call {
    struct s3 *s3;
    const char *method;
    struct str path, query, body;
    struct str body_sha256; /* hexadecimal */
    struct http_headers headers;
    const struct store_sink *sink; /* for the body of a GET; NULL collects it */
    uint64_t received;
    struct str access_key; /* that the last attempt was signed with */
    struct s3_fault fault; /* of the last reply that was none of success */
};

/* Which attempt to write an object this is: random, and kept with it, so that a writer whose reply got lost recognises
 * its own work. */
#define S3_WRITER_META "x-amz-meta-writer"
#define S3_SHA256_META                                                                                       \
    "x-amz-meta-sha256" /* of an object in parts, for which S3 has no checksum of the whole */

bool s3_pool_open(struct s3 *s3, struct err *err);
void s3_pool_close(struct s3 *s3);

int64_t s3_now_ms(struct s3 *s3); /* as the store's clock has it */

/* Of one object; an empty key is the bucket itself. */
struct s3_call s3_call_new(struct s3 *s3, struct arena *arena, const char *method, struct str key);
void s3_call_header(struct arena *arena, struct s3_call *call, const char *name, struct str value);
void s3_call_body(struct arena *arena, struct s3_call *call, struct str body, const struct sha256 *sha256);
/* A status of 300 and up is an error; `ret_reply` tells more of it where there was one. */
bool s3_perform(struct s3_call *call, struct arena *arena, struct http_reply *ret_reply, struct err *err);
/* After a failure: it was the key that is missing, not the bucket. */
bool s3_is_missing_key(const struct s3_call *call, const struct http_reply *reply);

/* The metadata of a reply to HEAD. */
bool s3_head_of(struct s3 *s3, struct arena *arena, struct str key, struct str version,
                struct store_info *info, struct http_reply *ret_reply, struct err *err);

/* A body in parts, sent side by side; every way to fail ends with the upload aborted. */
bool s3_upload(struct s3 *s3, struct arena *arena, const struct store_write *write, struct store_info *info,
               struct err *err);
/* Aborts uploads that somebody left behind more than a day ago. */
bool s3_tidy(struct store *store, struct arena *arena, struct err *err);
/* After a refusal because the key is taken, or a lost reply: the object there was written with this `writer`. False
 * without an error where it is somebody else's. */
bool s3_wrote_it(struct s3 *s3, struct arena *arena, struct str key, struct str writer,
                 struct store_info *ret_info, struct http_reply *ret_reply, struct err *err);
bool s3_new_writer(struct arena *arena, struct str *ret_writer, struct err *err);

bool s3_list(struct store *store, struct arena *arena, struct str prefix, struct str after, size_t limit,
             struct store_page *page, struct err *err);
/* Every version of one key, delete markers too, newest first. */
bool s3_versions(struct s3 *s3, struct arena *arena, struct str key, struct str_list *ret_versions,
                 struct err *err);
