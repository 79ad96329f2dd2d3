/* sops.h — documents whose values only the holders of certain age keys can read, as the program `sops` writes them.
 *
 * Keys stay readable, values become ENC[AES256_GCM,data:…,iv:…,tag:…,type:…], and a map "sops" at the top says who can
 * decrypt: the data key is in it once per recipient, as an armoured age file. Every value is bound to its path. The MAC
 * over the encrypted values, in their order, tells when one was taken away, added or moved; it is bound to the time of
 * the last change. Written here: age recipients only, encrypted_regex ^(data|stringData)$, mac_only_encrypted, so that
 * labels may change without the key (docs/decisions/024). Read here: that, what `sops` itself writes with age, and its
 * other ways to pick values (suffixes, regexes).
 * Source: https://getsops.io/docs/ and github.com/getsops/sops (sops.go, aes/cipher.go, stores/stores.go).
 *
 * A data key is random and new for every document, unless `earlier` says that the document was there already: what did
 * not change then keeps its ciphertext, and a document in which nothing changed comes out byte for byte.
 * Messages hold paths, never values. Fails with USAGE (no recipients, a text that is no key), DENIED (none of the
 * identities fits), CORRUPT (a tag or the MAC does not hold, or the format does not), INVALID (a way of sops that is
 * not spoken here), INTERNAL.
 */
#pragma once
#include "core/base/value.h"
#include "core/crypto/age.h"

struct sops_how {
    struct str_list recipients; /* age1… */
    int64_t now_ms;             /* Unix time */
    /* The document as it was, encrypted by us for the same recipients, and what decrypts it; NULL: start afresh. Trust
     * in it is the caller's: whoever made it may know its data key. */
    const struct value *earlier;
    const struct age_identities *identities;
};

bool sops_is_encrypted(const struct value *document);
/* `document` with its values encrypted, and "sops" as its last key. */
bool sops_encrypt(struct arena *arena, const struct value *document, const struct sops_how *how,
                  const struct value **ret_document, struct err *err) WARN_UNUSED;
/* The document without "sops". Verifies every tag and the MAC. */
bool sops_decrypt(struct arena *arena, const struct value *document, const struct age_identities *identities,
                  const struct value **ret_document, struct err *err) WARN_UNUSED;
/* Whether a document is encrypted the way sops_encrypt does it, for exactly these recipients in whatever order. */
bool sops_is_for(const struct value *document, const struct str_list *recipients);
