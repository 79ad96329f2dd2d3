#include "backupd/manifest.h"
#include "core/base/json.h"
#include "tests/fuzz/fuzz.h"

/* What was taken for good is written and taken for the same again. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct manifest manifest, again;
    struct err err = {0};
    if (!manifest_parse(arena, (struct str){(const char *)bytes, len}, &manifest, &err)) {
        fuzz_expect(err.code == ERR_CORRUPT || err.code == ERR_REFUSED || err.code == ERR_LIMIT,
                    "a refusal says why");
        return 0;
    }
    const struct value *written = manifest_value(arena, &manifest);
    fuzz_expect(manifest_parse(arena, json_text(arena, written), &again, &err), "what was written is read");
    fuzz_expect(value_equal(written, manifest_value(arena, &again)), "and it is the same");
    return 0;
}
