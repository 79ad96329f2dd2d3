/* certs.h — certificates made at test time: an authority, and what it signs. PEM texts live in the arena. */
#pragma once
#include "core/base/base.h"

struct cert {
    struct str cert_pem, key_pem;
};

struct cert_wish {
    const char *common_name;
    const char *alt_names;      /* "IP:127.0.0.1,DNS:localhost"; NULL for none */
    const struct cert *issuer;  /* NULL: signs itself, as an authority */
    bool rsa;                   /* a key of 2048 bits instead of P-256 */
    int64_t from_days, to_days; /* validity, counted from now; both 0: from yesterday to tomorrow */
};

struct cert cert_make(struct arena *arena, const struct cert_wish *wish);
