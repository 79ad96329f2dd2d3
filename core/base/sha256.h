/* sha256.h — SHA-256 (FIPS 180-4) over OpenSSL, whole or piece by piece. Nothing here fails: OpenSSL without SHA-256
 * is no OpenSSL, and running out of memory aborts as everywhere. */
#pragma once
#include "core/base/base.h"

enum { SHA256_BYTES = 32, SHA256_HEX = 64 };

struct sha256 {
    uint8_t bytes[SHA256_BYTES];
};

struct sha256 sha256_of(struct str text);
bool sha256_eq(const struct sha256 *a, const struct sha256 *b);
struct str sha256_hex(struct arena *arena, const struct sha256 *sha256);
/* Reads 64 lower-case hexadecimal digits; false for anything else. */
bool sha256_from_hex(struct str hex, struct sha256 *ret_sha256);

/* Piece by piece. */
struct sha256_stream;
struct sha256_stream *sha256_begin(void);
void sha256_add(struct sha256_stream *stream, const void *bytes, size_t len);
struct sha256 sha256_end(struct sha256_stream *stream); /* frees the stream */
void sha256_drop(struct sha256_stream *stream);         /* without a result; NULL is fine */
