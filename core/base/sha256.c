#include "core/base/sha256.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sha256_stream {
    EVP_MD_CTX *digest;
};

static void must(bool worked)
{
    if (worked)
        return;
    fputs("OpenSSL cannot compute SHA-256\n", stderr);
    abort();
}

struct sha256 sha256_of(struct str text)
{
    struct sha256 out;
    must(EVP_Digest(text.ptr, text.len, out.bytes, NULL, EVP_sha256(), NULL) == 1);
    return out;
}

bool sha256_eq(const struct sha256 *a, const struct sha256 *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

struct str sha256_hex(struct arena *arena, const struct sha256 *sha256)
{
    static const char digits[] = "0123456789abcdef";
    char *hex = arena_alloc(arena, SHA256_HEX);
    for (size_t i = 0; i < SHA256_BYTES; i++) {
        hex[2 * i] = digits[sha256->bytes[i] >> 4];
        hex[2 * i + 1] = digits[sha256->bytes[i] & 15];
    }
    return (struct str){hex, SHA256_HEX};
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool sha256_from_hex(struct str hex, struct sha256 *ret_sha256)
{
    struct sha256 out;
    if (hex.len != SHA256_HEX)
        return false;
    for (size_t i = 0; i < SHA256_BYTES; i++) {
        int high = hex_digit(hex.ptr[2 * i]), low = hex_digit(hex.ptr[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        out.bytes[i] = (uint8_t)(16 * high + low);
    }
    *ret_sha256 = out;
    return true;
}

struct sha256_stream *sha256_begin(void)
{
    struct sha256_stream *stream = malloc(sizeof *stream);
    must(stream != NULL);
    stream->digest = EVP_MD_CTX_new();
    must(stream->digest != NULL && EVP_DigestInit_ex(stream->digest, EVP_sha256(), NULL) == 1);
    return stream;
}

void sha256_add(struct sha256_stream *stream, const void *bytes, size_t len)
{
    must(EVP_DigestUpdate(stream->digest, bytes, len) == 1);
}

struct sha256 sha256_end(struct sha256_stream *stream)
{
    struct sha256 out;
    must(EVP_DigestFinal_ex(stream->digest, out.bytes, NULL) == 1);
    sha256_drop(stream);
    return out;
}

void sha256_drop(struct sha256_stream *stream)
{
    if (stream == NULL)
        return;
    EVP_MD_CTX_free(stream->digest);
    free(stream);
}
