#include "core/crypto/age_primitives.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <string.h>

static bool fault(struct err *err, const char *what)
{
    return err_set(err, ERR_INTERNAL, "OpenSSL: %s", what);
}

bool age_hmac(struct str key, struct str text, uint8_t ret_mac[32], struct err *err)
{
    static const char none[1];
    const void *bytes = key.len ? key.ptr : none;
    return HMAC(EVP_sha256(), bytes, (int)key.len, (const unsigned char *)(text.len ? text.ptr : none),
                text.len, ret_mac, NULL) != NULL ||
           fault(err, "HMAC");
}

/* One block of output is all that is asked for, so expanding is one more HMAC. */
bool age_hkdf(struct str secret, struct str salt, const char *info, uint8_t ret_key[32], struct err *err)
{
    uint8_t extracted[32], block[128];
    size_t len = strlen(info);
    if (len >= sizeof block)
        return fault(err, "HKDF");
    memcpy(block, info, len);
    block[len] = 1;
    bool good = age_hmac(salt, secret, extracted, err) &&
                age_hmac(age_bytes(extracted, sizeof extracted), age_bytes(block, len + 1), ret_key, err);
    OPENSSL_cleanse(extracted, sizeof extracted);
    return good;
}

bool age_x25519(const uint8_t secret[32], const uint8_t public[32], uint8_t ret_shared[32], struct err *err)
{
    size_t len = 32;
    EVP_PKEY *own = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, secret, 32);
    EVP_PKEY *peer = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, public, 32);
    EVP_PKEY_CTX *ctx = own ? EVP_PKEY_CTX_new(own, NULL) : NULL;
    bool ready = ctx != NULL && peer != NULL && EVP_PKEY_derive_init(ctx) == 1;
    /* OpenSSL refuses a public key of small order here, as RFC 7748 wants. */
    bool good = ready && EVP_PKEY_derive_set_peer(ctx, peer) == 1 &&
                EVP_PKEY_derive(ctx, ret_shared, &len) == 1 && len == 32;
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(peer);
    EVP_PKEY_free(own);
    if (good)
        return true;
    return ready ? err_set(err, ERR_CORRUPT, "a public key that shares no secret") : fault(err, "X25519");
}

bool age_x25519_public(const uint8_t secret[32], uint8_t ret_public[32], struct err *err)
{
    size_t len = 32;
    EVP_PKEY *own = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, secret, 32);
    bool good = own != NULL && EVP_PKEY_get_raw_public_key(own, ret_public, &len) == 1;
    EVP_PKEY_free(own);
    return good || fault(err, "X25519");
}

bool age_random(void *bytes, size_t len, struct err *err)
{
    return RAND_bytes(bytes, (int)len) == 1 || fault(err, "random bytes");
}

bool age_seal_chunk(const uint8_t key[32], const uint8_t nonce[AGE_NONCE_BYTES], struct str plain,
                    uint8_t *out, struct err *err)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int len = 0, last = 0;
    bool good = ctx != NULL && EVP_EncryptInit_ex(ctx, EVP_chacha20_poly1305(), NULL, key, nonce) == 1 &&
                EVP_EncryptUpdate(ctx, out, &len, (const unsigned char *)plain.ptr, (int)plain.len) == 1 &&
                EVP_EncryptFinal_ex(ctx, out + len, &last) == 1 &&
                EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, AGE_TAG_BYTES, out + plain.len) == 1;
    EVP_CIPHER_CTX_free(ctx);
    return good || fault(err, "ChaCha20-Poly1305");
}

bool age_open_chunk(const uint8_t key[32], const uint8_t nonce[AGE_NONCE_BYTES], struct str sealed,
                    uint8_t *out)
{
    if (sealed.len < AGE_TAG_BYTES)
        return false;
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    size_t plain = sealed.len - AGE_TAG_BYTES;
    uint8_t tag[AGE_TAG_BYTES];
    int len = 0, last = 0;
    memcpy(tag, sealed.ptr + plain, sizeof tag);
    bool good = ctx != NULL && EVP_DecryptInit_ex(ctx, EVP_chacha20_poly1305(), NULL, key, nonce) == 1 &&
                EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, AGE_TAG_BYTES, tag) == 1 &&
                EVP_DecryptUpdate(ctx, out, &len, (const unsigned char *)sealed.ptr, (int)plain) == 1 &&
                EVP_DecryptFinal_ex(ctx, out + len, &last) == 1;
    EVP_CIPHER_CTX_free(ctx);
    return good;
}
