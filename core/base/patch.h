/* patch.h — changing a tree by a document: JSON Patch (RFC 6902) and JSON Merge Patch (RFC 7386).
 * Fails with INVALID (malformed patch, failed "test") and NOT_FOUND (an address that leads nowhere).
 */
#pragma once
#include "core/base/value.h"

bool patch_json(struct arena *arena, const struct value *root, const struct value *operations,
                const struct value **ret_root, struct err *err) WARN_UNUSED;
const struct value *patch_merge(struct arena *arena, const struct value *root, const struct value *patch);
