#include "core/store/sigv4.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/base/sha256.h"

/* ---- canonical forms ---- */

static int pair_order(const void *a, const void *b)
{
    const struct sigv4_pair *x = a, *y = b;
    int order = str_cmp(x->name, y->name);
    return order ? order : str_cmp(x->value, y->value);
}

struct str sigv4_query(struct arena *arena, const struct sigv4_pair *pairs, size_t count)
{
    struct sigv4_pair *escaped = ARENA_ARRAY(arena, struct sigv4_pair, count);
    struct str *parts = ARENA_ARRAY(arena, struct str, count);
    for (size_t i = 0; i < count; i++)
        escaped[i] = (struct sigv4_pair){http_escape(arena, pairs[i].name, false),
                                         http_escape(arena, pairs[i].value, false)};
    if (count != 0)
        qsort(escaped, count, sizeof *escaped, pair_order);
    for (size_t i = 0; i < count; i++)
        parts[i] = str_fmt(arena, "%.*s=%.*s", STR_ARG(escaped[i].name), STR_ARG(escaped[i].value));
    return str_join(arena, parts, count, STR("&"));
}

static int header_order(const void *a, const void *b)
{
    return str_cmp(((const struct http_header *)a)->name, ((const struct http_header *)b)->name);
}

/* Trimmed, and runs of spaces made one. */
static struct str canonical_value(struct arena *arena, struct str value)
{
    value = str_trim(value);
    char *out = arena_alloc(arena, value.len + 1);
    size_t len = 0;
    for (size_t i = 0; i < value.len; i++)
        if (value.ptr[i] != ' ' || value.ptr[i - 1] != ' ')
            out[len++] = value.ptr[i];
    return (struct str){out, len};
}

/* "name:value\n"… and "name;name" of all headers, sorted. */
static void canonical_headers(struct arena *arena, const struct http_headers *headers, struct str *ret_lines,
                              struct str *ret_names)
{
    struct http_header *sorted = ARENA_ARRAY(arena, struct http_header, headers->count);
    struct str *lines = ARENA_ARRAY(arena, struct str, headers->count),
               *names = ARENA_ARRAY(arena, struct str, headers->count);
    for (size_t i = 0; i < headers->count; i++)
        sorted[i] = (struct http_header){str_lower(arena, headers->items[i].name),
                                         canonical_value(arena, headers->items[i].value)};
    qsort(sorted, headers->count, sizeof *sorted, header_order);
    for (size_t i = 0; i < headers->count; i++) {
        names[i] = sorted[i].name;
        lines[i] = str_fmt(arena, "%.*s:%.*s\n", STR_ARG(sorted[i].name), STR_ARG(sorted[i].value));
    }
    *ret_lines = str_join(arena, lines, headers->count, STR_NONE);
    *ret_names = str_join(arena, names, headers->count, STR(";"));
}

/* ---- the signature ---- */

static struct sha256 hmac(struct str key, struct str text)
{
    struct sha256 out;
    unsigned len = sizeof out.bytes;
    if (HMAC(EVP_sha256(), key.ptr, (int)key.len, (const unsigned char *)text.ptr, text.len, out.bytes,
             &len) == NULL) {
        fputs("OpenSSL cannot compute HMAC-SHA-256\n", stderr);
        abort();
    }
    return out;
}

static struct str view(const struct sha256 *sha256)
{
    return (struct str){(const char *)sha256->bytes, sizeof sha256->bytes};
}

static struct str signature(struct arena *arena, struct str secret_key, const struct sigv4_request *request,
                            struct str day, struct str text)
{
    struct sha256 key = hmac(str_fmt(arena, "AWS4%.*s", STR_ARG(secret_key)), day);
    key = hmac(view(&key), request->region);
    key = hmac(view(&key), request->service);
    key = hmac(view(&key), STR("aws4_request"));
    key = hmac(view(&key), text);
    return sha256_hex(arena, &key);
}

static struct str timestamp(struct arena *arena, int64_t time_ms)
{
    time_t seconds = (time_t)(time_ms / 1000);
    struct tm utc;
    char text[32];
    gmtime_r(&seconds, &utc);
    size_t len = strftime(text, sizeof text, "%Y%m%dT%H%M%SZ", &utc);
    return str_dup(arena, (struct str){text, len});
}

void sigv4_sign(struct arena *arena, const struct sigv4_keys *keys, const struct sigv4_request *r,
                struct http_headers *headers)
{
    struct str lines, names, time = timestamp(arena, r->time_ms), day = str_slice(time, 0, 8);
    http_add_header(arena, headers, STR("x-amz-date"), time);
    if (keys->session_token.len != 0)
        http_add_header(arena, headers, STR("x-amz-security-token"), keys->session_token);

    canonical_headers(arena, headers, &lines, &names);
    struct str canonical =
        str_fmt(arena, "%s\n%.*s\n%.*s\n%.*s\n%.*s\n%.*s", r->method, STR_ARG(r->path), STR_ARG(r->query),
                STR_ARG(lines), STR_ARG(names), STR_ARG(r->body_sha256));
    struct sha256 hash = sha256_of(canonical);
    struct str scope =
        str_fmt(arena, "%.*s/%.*s/%.*s/aws4_request", STR_ARG(day), STR_ARG(r->region), STR_ARG(r->service));
    struct str text = str_fmt(arena, "AWS4-HMAC-SHA256\n%.*s\n%.*s\n%.*s", STR_ARG(time), STR_ARG(scope),
                              STR_ARG(sha256_hex(arena, &hash)));
    struct str proof = signature(arena, keys->secret_key, r, day, text);
    struct str value =
        str_fmt(arena, "AWS4-HMAC-SHA256 Credential=%.*s/%.*s,SignedHeaders=%.*s,Signature=%.*s",
                STR_ARG(keys->access_key), STR_ARG(scope), STR_ARG(names), STR_ARG(proof));
    http_add_header(arena, headers, STR("Authorization"), value);
}
