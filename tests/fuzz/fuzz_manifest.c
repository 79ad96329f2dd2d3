#include "backupd/manifest.h"
#include "core/base/json.h"
#include "tests/fuzz/fuzz.h"

/* What was taken for good is written and taken for the same again. */
static void take(struct arena *arena, struct str text)
{
    struct manifest manifest, again;
    struct err err = {0};
    if (!manifest_parse(arena, text, &manifest, &err)) {
        fuzz_expect(err.code == ERR_CORRUPT || err.code == ERR_REFUSED || err.code == ERR_LIMIT,
                    "a refusal says why");
        return;
    }
    const struct value *written = manifest_value(arena, &manifest);
    fuzz_expect(manifest_parse(arena, json_text(arena, written), &again, &err), "what was written is read");
    fuzz_expect(value_equal(written, manifest_value(arena, &again)), "and it is the same");
}

/* No fuzzer guesses a digest, so what is JSON comes once more with the right one. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct str text = {(const char *)bytes, len};
    const struct value *root = NULL;
    struct err err;
    take(arena, text);
    if (json_parse(arena, text, NULL, &root, &err) && value_is(root, VALUE_MAP))
        take(arena, json_text(arena, manifest_seal(arena, root)));
    return 0;
}
