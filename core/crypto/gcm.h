/* gcm.h — AES-256-GCM over OpenSSL, for values that fit into memory. Fails with CORRUPT (the tag does not hold) and
 * INTERNAL (OpenSSL). */
#pragma once
#include "core/base/base.h"

enum { GCM_KEY_BYTES = 32, GCM_TAG_BYTES = 16 };

/* `out` takes plain.len bytes. `nonce` may be of any length from 1 byte on. */
bool gcm_seal(const uint8_t key[GCM_KEY_BYTES], struct str nonce, struct str aad, struct str plain,
              uint8_t *out, uint8_t ret_tag[GCM_TAG_BYTES], struct err *err) WARN_UNUSED;
/* `out` takes cipher.len bytes; nothing in it counts unless this succeeds. */
bool gcm_open(const uint8_t key[GCM_KEY_BYTES], struct str nonce, struct str aad, struct str cipher,
              const uint8_t tag[GCM_TAG_BYTES], uint8_t *out, struct err *err) WARN_UNUSED;
