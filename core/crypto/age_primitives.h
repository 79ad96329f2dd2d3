/* age_primitives.h — what age is built from, over OpenSSL. For core/crypto/age*.c only. Everything here fails only
 * when OpenSSL does, or as said. */
#pragma once
#include "core/crypto/age.h"

enum { AGE_TAG_BYTES = 16, AGE_NONCE_BYTES = 12, AGE_FILE_KEY_BYTES = 16 };

/* HKDF-SHA-256 (RFC 5869) to 32 bytes. */
bool age_hkdf(struct str secret, struct str salt, const char *info, uint8_t ret_key[32],
              struct err *err) WARN_UNUSED;
bool age_hmac(struct str key, struct str text, uint8_t ret_mac[32], struct err *err) WARN_UNUSED;
/* The shared secret of a private and a public key; false with CORRUPT where it would be all zero. */
bool age_x25519(const uint8_t secret[32], const uint8_t public[32], uint8_t ret_shared[32],
                struct err *err) WARN_UNUSED;
bool age_x25519_public(const uint8_t secret[32], uint8_t ret_public[32], struct err *err) WARN_UNUSED;
bool age_random(void *bytes, size_t len, struct err *err) WARN_UNUSED;
/* ChaCha20-Poly1305; `out` takes plain.len + 16 bytes. */
bool age_seal_chunk(const uint8_t key[32], const uint8_t nonce[AGE_NONCE_BYTES], struct str plain,
                    uint8_t *out, struct err *err) WARN_UNUSED;
/* `out` takes sealed.len - 16 bytes. False when it is not authentic, without a message. */
bool age_open_chunk(const uint8_t key[32], const uint8_t nonce[AGE_NONCE_BYTES], struct str sealed,
                    uint8_t *out);

static inline struct str age_bytes(const uint8_t *bytes, size_t len)
{
    return (struct str){(const char *)bytes, len};
}
