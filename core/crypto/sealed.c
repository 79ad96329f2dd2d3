#include "core/crypto/sealed.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/base64.h"
#include "core/base/clock.h"
#include "core/crypto/gcm.h"
#include "core/crypto/pem.h"

enum { LENGTH_BYTES = 2, MIN_RSA_BITS = 2048 };

static const uint8_t zeros[12];
static const struct str ZERO_NONCE = {(const char *)zeros, sizeof zeros};

struct sealed_certificate {
    EVP_PKEY *key;
    int64_t end_ms;
    struct sha256 id;
};

static void ctx_cleanup(EVP_PKEY_CTX **ctx)
{
    EVP_PKEY_CTX_free(*ctx);
}

/* ---- the certificate ---- */

static bool end_of(const X509 *x509, int64_t *ret_ms)
{
    struct tm tm = {0};
    if (ASN1_TIME_to_tm(X509_get0_notAfter(x509), &tm) != 1)
        return false;
    *ret_ms = (int64_t)timegm(&tm) * 1000;
    return true;
}

static bool is_rsa(EVP_PKEY *key)
{
    return key != NULL && EVP_PKEY_is_a(key, "RSA") && EVP_PKEY_get_bits(key) >= MIN_RSA_BITS;
}

static void id_of(X509 *x509, struct sha256 *ret_id)
{
    unsigned char *der = NULL;
    int len = i2d_X509(x509, &der);
    *ret_id = sha256_of((struct str){(const char *)der, len > 0 ? (size_t)len : 0});
    OPENSSL_free(der);
}

bool sealed_certificate_open(struct str pem, int64_t now_ms, struct sealed_certificate **ret_certificate,
                             struct err *err)
{
    CLEANUP(pem_reader_cleanup) BIO *bio = pem_reader(pem);
    CLEANUP(pem_certificate_cleanup) X509 *x509 = pem_next_certificate(bio);
    int64_t end_ms;
    ERR_clear_error();
    if (x509 == NULL || !end_of(x509, &end_ms))
        return err_set(err, ERR_USAGE, "this is no PEM certificate");
    CLEANUP(pem_key_cleanup) EVP_PKEY *key = X509_get_pubkey(x509);
    if (!is_rsa(key))
        return err_set(err, ERR_USAGE, "the certificate is not of an RSA key of %d bits or more",
                       MIN_RSA_BITS);
    if (end_ms <= now_ms) {
        struct arena *arena CLEANUP(arena_cleanup) = arena_new();
        err_set(err, ERR_DENIED, "the certificate expired at %.*s", STR_ARG(clock_rfc3339(arena, end_ms)));
        return err_next(err, "fetch the controller's newest one: kubeseal --fetch-cert > FILE");
    }
    struct sealed_certificate *certificate = calloc(1, sizeof *certificate);
    if (certificate == NULL)
        abort();
    certificate->key = key;
    certificate->end_ms = end_ms;
    id_of(x509, &certificate->id);
    key = NULL;
    *ret_certificate = certificate;
    return true;
}

void sealed_certificate_free(struct sealed_certificate *certificate)
{
    if (certificate == NULL)
        return;
    EVP_PKEY_free(certificate->key);
    free(certificate);
}

int64_t sealed_certificate_end_ms(const struct sealed_certificate *certificate)
{
    return certificate->end_ms;
}

struct sha256 sealed_certificate_id(const struct sealed_certificate *certificate)
{
    return certificate->id;
}

/* ---- RSA-OAEP ---- */

static struct str label_of(struct arena *arena, enum sealed_scope scope, struct str namespace,
                           struct str name)
{
    if (scope == SEALED_CLUSTER_WIDE)
        return STR_NONE;
    if (scope == SEALED_NAMESPACE_WIDE)
        return namespace;
    return str_fmt(arena, "%.*s/%.*s", STR_ARG(namespace), STR_ARG(name));
}

/* OpenSSL takes the label over and frees it. */
static bool set_label(EVP_PKEY_CTX *ctx, struct str label)
{
    if (label.len == 0)
        return true;
    void *copy = label.len <= INT32_MAX ? OPENSSL_memdup(label.ptr, label.len) : NULL;
    if (copy == NULL || EVP_PKEY_CTX_set0_rsa_oaep_label(ctx, copy, (int)label.len) > 0)
        return copy != NULL;
    OPENSSL_free(copy);
    return false;
}

static bool set_oaep(EVP_PKEY_CTX *ctx, struct str label)
{
    return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) > 0 &&
           EVP_PKEY_CTX_set_rsa_oaep_md(ctx, EVP_sha256()) > 0 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_sha256()) > 0 && set_label(ctx, label);
}

/* The wrapped key goes to `out`, which has `*len` bytes of room. */
static bool wrap(EVP_PKEY *key, struct str label, const uint8_t *secret, uint8_t *out, size_t *len)
{
    CLEANUP(ctx_cleanup) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    return ctx != NULL && EVP_PKEY_encrypt_init(ctx) > 0 && set_oaep(ctx, label) &&
           EVP_PKEY_encrypt(ctx, out, len, secret, GCM_KEY_BYTES) > 0;
}

static bool unwrap(EVP_PKEY *key, struct str label, struct str wrapped, uint8_t secret[GCM_KEY_BYTES])
{
    CLEANUP(ctx_cleanup) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    uint8_t out[1024];
    size_t len = sizeof out;
    bool ok = ctx != NULL && (size_t)EVP_PKEY_get_size(key) <= sizeof out && EVP_PKEY_decrypt_init(ctx) > 0 &&
              set_oaep(ctx, label) &&
              EVP_PKEY_decrypt(ctx, out, &len, (const unsigned char *)wrapped.ptr, wrapped.len) > 0 &&
              len == GCM_KEY_BYTES;
    if (ok)
        memcpy(secret, out, GCM_KEY_BYTES);
    OPENSSL_cleanse(out, sizeof out);
    ERR_clear_error();
    return ok;
}

/* ---- values ---- */

bool sealed_seal(struct arena *arena, const struct sealed_certificate *certificate, enum sealed_scope scope,
                 struct str namespace, struct str name, struct str value, struct str *ret_text,
                 struct err *err)
{
    uint8_t secret[GCM_KEY_BYTES];
    size_t wrapped = (size_t)EVP_PKEY_get_size(certificate->key);
    uint8_t *out = arena_alloc(arena, LENGTH_BYTES + wrapped + value.len + GCM_TAG_BYTES);
    struct str label = label_of(arena, scope, namespace, name);
    bool ok = RAND_bytes(secret, sizeof secret) == 1 &&
              wrap(certificate->key, label, secret, out + LENGTH_BYTES, &wrapped);
    uint8_t *body = out + LENGTH_BYTES + wrapped;
    if (!ok)
        err_set(err, ERR_INTERNAL, "RSA-OAEP: OpenSSL cannot encrypt");
    ok = ok && gcm_seal(secret, ZERO_NONCE, STR_NONE, value, body, body + value.len, err);
    OPENSSL_cleanse(secret, sizeof secret);
    if (!ok)
        return false;
    out[0] = (uint8_t)(wrapped >> 8);
    out[1] = (uint8_t)wrapped;
    struct str sealed = {(const char *)out, LENGTH_BYTES + wrapped + value.len + GCM_TAG_BYTES};
    *ret_text = base64_encode(arena, sealed, BASE64_STANDARD);
    return true;
}

bool sealed_open(struct arena *arena, struct str key_pem, enum sealed_scope scope, struct str namespace,
                 struct str name, struct str text, struct str *ret_value, struct err *err)
{
    CLEANUP(pem_reader_cleanup) BIO *bio = pem_reader(key_pem);
    CLEANUP(pem_key_cleanup)
    EVP_PKEY *key = bio ? pem_next_private_key(bio) : NULL;
    struct str sealed;
    uint8_t secret[GCM_KEY_BYTES];
    ERR_clear_error();
    if (!is_rsa(key))
        return err_set(err, ERR_USAGE, "this is no RSA private key");
    if (!base64_decode(arena, text, BASE64_STANDARD, &sealed) || sealed.len < LENGTH_BYTES)
        return err_set(err, ERR_CORRUPT, "this is no sealed value");
    size_t wrapped = (size_t)((uint8_t)sealed.ptr[0] << 8 | (uint8_t)sealed.ptr[1]);
    if (sealed.len < LENGTH_BYTES + wrapped + GCM_TAG_BYTES)
        return err_set(err, ERR_CORRUPT, "this is no sealed value");
    size_t len = sealed.len - LENGTH_BYTES - wrapped - GCM_TAG_BYTES;
    const char *body = sealed.ptr + LENGTH_BYTES + wrapped;
    uint8_t *out = arena_alloc(arena, len + 1);
    bool ok = unwrap(key, label_of(arena, scope, namespace, name),
                     str_slice(sealed, LENGTH_BYTES, LENGTH_BYTES + wrapped), secret);
    if (!ok)
        err_set(err, ERR_CORRUPT, "sealed for another key, or for another place");
    ok = ok && gcm_open(secret, ZERO_NONCE, STR_NONE, (struct str){body, len}, (const uint8_t *)body + len,
                        out, err);
    OPENSSL_cleanse(secret, sizeof secret);
    if (!ok)
        return false;
    *ret_value = (struct str){(const char *)out, len};
    return true;
}
