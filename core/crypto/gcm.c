#include "core/crypto/gcm.h"

#include <limits.h>
#include <openssl/evp.h>

static void ctx_cleanup(EVP_CIPHER_CTX **ctx)
{
    EVP_CIPHER_CTX_free(*ctx);
}

static bool fits(struct str text)
{
    return text.len <= INT_MAX;
}

static const unsigned char *bytes(struct str text)
{
    return (const unsigned char *)(text.ptr ? text.ptr : "");
}

static bool begin(EVP_CIPHER_CTX *ctx, int encrypt, const uint8_t *key, struct str nonce, struct str aad)
{
    int len;
    return ctx != NULL && EVP_CipherInit_ex(ctx, EVP_aes_256_gcm(), NULL, NULL, NULL, encrypt) == 1 &&
           EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_IVLEN, (int)nonce.len, NULL) == 1 &&
           EVP_CipherInit_ex(ctx, NULL, NULL, key, bytes(nonce), encrypt) == 1 &&
           (aad.len == 0 || EVP_CipherUpdate(ctx, NULL, &len, bytes(aad), (int)aad.len) == 1);
}

bool gcm_seal(const uint8_t key[GCM_KEY_BYTES], struct str nonce, struct str aad, struct str plain,
              uint8_t *out, uint8_t ret_tag[GCM_TAG_BYTES], struct err *err)
{
    CLEANUP(ctx_cleanup) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int len = 0, rest = 0;
    unsigned char none[16];
    if (fits(plain) && fits(nonce) && fits(aad) && begin(ctx, 1, key, nonce, aad) &&
        (plain.len == 0 || EVP_CipherUpdate(ctx, out, &len, bytes(plain), (int)plain.len) == 1) &&
        EVP_CipherFinal_ex(ctx, none, &rest) == 1 && (size_t)len == plain.len &&
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, GCM_TAG_BYTES, ret_tag) == 1)
        return true;
    return err_set(err, ERR_INTERNAL, "AES-256-GCM: OpenSSL cannot encrypt");
}

bool gcm_open(const uint8_t key[GCM_KEY_BYTES], struct str nonce, struct str aad, struct str cipher,
              const uint8_t tag[GCM_TAG_BYTES], uint8_t *out, struct err *err)
{
    CLEANUP(ctx_cleanup) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int len = 0, rest = 0;
    unsigned char none[16];
    if (!fits(cipher) || !fits(nonce) || !fits(aad) || nonce.len == 0 || !begin(ctx, 0, key, nonce, aad))
        return err_set(err, ERR_INTERNAL, "AES-256-GCM: OpenSSL cannot decrypt");
    if ((cipher.len == 0 || EVP_CipherUpdate(ctx, out, &len, bytes(cipher), (int)cipher.len) == 1) &&
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, GCM_TAG_BYTES, (void *)tag) == 1 &&
        EVP_CipherFinal_ex(ctx, none, &rest) == 1)
        return true;
    return err_set(err, ERR_CORRUPT, "the value was changed, or is not for this key and place");
}
