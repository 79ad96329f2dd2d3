/* json.h — JSON text to value tree and back (RFC 8259), without losing a byte that matters.
 *
 * Numbers keep their text: 0.1, 1e3 and 18446744073709551615 come out as they went in. Texts must be UTF-8; a
 * key that comes twice in one map, a lone surrogate and anything after the document are errors. Faults carry
 * line and column. Strings without escapes are views into the text, which must live as long as the tree.
 * Fails with INVALID (malformed) and LIMIT (beyond the limits).
 */
#pragma once
#include "core/base/value.h"

struct json_limits {
    size_t max_bytes; /* of the text */
    unsigned max_depth;
    size_t max_values; /* values in the whole tree: bounds memory before it is spent */
};
extern const struct json_limits JSON_DEFAULT_LIMITS; /* 512 MiB, 200 deep, 64 Mi values */

/* `limits` NULL means the defaults. */
bool json_parse(struct arena *arena, struct str text, const struct json_limits *limits,
                const struct value **ret_value, struct err *err) WARN_UNUSED;

void json_write(struct buf *buf, const struct value *value);        /* compact, one line */
void json_write_pretty(struct buf *buf, const struct value *value); /* two spaces, and a final newline */
void json_write_string(struct buf *buf, struct str text);           /* with its quotes */
/* Compact text in the arena, for messages and hashes. */
struct str json_text(struct arena *arena, const struct value *value);
/* Whether `text` is a JSON number from its first byte to its last. */
bool json_is_number(struct str text);
