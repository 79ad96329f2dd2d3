/* sops_leaf.h — one value of a sops document, encrypted; and the walk that finds them all. For sops*.c only. */
#pragma once
#include "core/base/value.h"
#include "core/crypto/gcm.h"

/* What stands for a value that is not encrypted itself in the MAC and under encryption; empty for null. */
struct str sops_leaf_text(const struct value *leaf);
/* `path` is the keys to the leaf, each with a ':' behind it. An empty text stays as it is. */
bool sops_leaf_encrypt(struct arena *arena, const uint8_t key[GCM_KEY_BYTES], struct str path,
                       const struct value *leaf, const struct value **ret_leaf, struct err *err) WARN_UNUSED;
bool sops_leaf_decrypt(struct arena *arena, const uint8_t key[GCM_KEY_BYTES], struct str path,
                       const struct value *leaf, const struct value **ret_leaf, struct err *err) WARN_UNUSED;
/* The same for a bare text bound to `aad`: the MAC. */
bool sops_text_encrypt(struct arena *arena, const uint8_t key[GCM_KEY_BYTES], struct str aad, struct str text,
                       struct str *ret_text, struct err *err) WARN_UNUSED;
bool sops_text_decrypt(struct arena *arena, const uint8_t key[GCM_KEY_BYTES], struct str aad, struct str text,
                       struct str *ret_text, struct err *err) WARN_UNUSED;

/* ENC[…] taken apart; false for anything that sops would not have written. */
struct sops_enc {
    struct str data, iv, tag, type; /* decoded; type is a word */
};
bool sops_enc_parse(struct arena *arena, struct str text, struct sops_enc *ret_enc);
