/* s3_error.h — what S3 says when it refuses, in words for the person who has to do something about it.
 * Rows of code, meaning and next step (s3_error.c); the codes are those of the S3 API Reference, "Error responses". */
#pragma once
#include "core/net/http.h"

struct s3_fault {
    struct str code, message; /* of the XML; empty where there was none (HEAD) */
    struct str region;        /* that the store expects, where it says so */
};

/* Reads the body of a reply of status 300 and up; whatever is no S3 error gives an empty fault. */
struct s3_fault s3_fault_of(struct arena *arena, const struct http_reply *reply);
/* Fills `err`; returns false. */
bool s3_explain(const struct s3_fault *fault, const struct http_reply *reply, struct str bucket,
                struct err *err);
