/* age_intern.h — the words of the format, for its writer and its reader. */
#pragma once
#include "core/crypto/age_primitives.h"

#define AGE_VERSION_LINE "age-encryption.org/v1"
#define AGE_X25519_INFO  "age-encryption.org/v1/X25519"
#define AGE_HEADER_INFO  "header"
#define AGE_PAYLOAD_INFO "payload"

enum { AGE_COLUMNS = 64, AGE_CHUNK_BYTES = 64 << 10, AGE_PAYLOAD_NONCE_BYTES = 16 };

/* The nonce of a chunk: its number in eleven bytes, and whether it is the last. */
static inline void age_chunk_nonce(uint64_t number, bool last, uint8_t ret_nonce[AGE_NONCE_BYTES])
{
    for (int i = 0; i < AGE_NONCE_BYTES - 1; i++)
        ret_nonce[i] = i < 3 ? 0 : (uint8_t)(number >> 8 * (AGE_NONCE_BYTES - 2 - i));
    ret_nonce[AGE_NONCE_BYTES - 1] = last;
}

/* The key that wraps the file key for one recipient, from both public keys and what they share. */
static inline bool age_wrap_key(const uint8_t shared[32], const uint8_t share[32],
                                const uint8_t recipient[32], uint8_t ret_key[32], struct err *err)
{
    uint8_t salt[64];
    for (int i = 0; i < 32; i++) {
        salt[i] = share[i];
        salt[32 + i] = recipient[i];
    }
    return age_hkdf(age_bytes(shared, 32), age_bytes(salt, sizeof salt), AGE_X25519_INFO, ret_key, err);
}
