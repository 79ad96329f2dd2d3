/* base64.h — base64 of RFC 4648, strict: no white space, no characters of the other alphabet, padding exactly where
 * it belongs, no bits left over behind the end. What decodes was encoded by this very alphabet. */
#pragma once
#include "core/base/base.h"

enum base64_alphabet {
    BASE64_STANDARD, /* '+' and '/', padded: Secrets, kubeconfig */
    BASE64_URL,      /* '-' and '_', never padded: JWT, tokens */
    BASE64_UNPADDED, /* '+' and '/', never padded: age */
};

struct str base64_encode(struct arena *arena, struct str bytes, enum base64_alphabet alphabet);
/* False when `text` is not exactly what base64_encode would have written. */
bool base64_decode(struct arena *arena, struct str text, enum base64_alphabet alphabet,
                   struct str *ret_bytes);
