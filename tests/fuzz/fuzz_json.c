#include "core/base/json.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/round_trip.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    /* As deep as YAML may be, so that the round trip through YAML has to succeed. */
    const struct json_limits limits = {.max_bytes = 1 << 20, .max_depth = 100, .max_values = 1 << 20};
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    const struct value *value;
    struct err err;
    if (json_parse(arena, (struct str){(const char *)bytes, len}, &limits, &value, &err))
        fuzz_round_trip(arena, value);
    return 0;
}
