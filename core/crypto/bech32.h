/* bech32.h — text for keys that people copy: a readable prefix, "1", 32 letters and digits, six of them a checksum.
 * Source: BIP-173, of which age lifts the bound on length. Nothing of a text that fails goes into a message: it may
 * be a key. */
#pragma once
#include "core/base/base.h"

enum { BECH32_MAX = 1023 };

/* `prefix` in the case that is wanted; the rest follows it. */
struct str bech32_encode(struct arena *arena, struct str prefix, struct str bytes);
/* False unless `text` is the encoding of some bytes behind exactly `prefix`, all in its case. */
bool bech32_decode(struct arena *arena, struct str prefix, struct str text, struct str *ret_bytes);
