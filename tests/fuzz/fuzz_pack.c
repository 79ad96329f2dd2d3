#include <string.h>

#include "core/store/pack.h"
#include "tests/fuzz/fuzz.h"

static const struct pack_limits limits = {
    .max_entries = 1000, .max_entry_bytes = 1 << 20, .max_bytes = 4 << 20, .max_ratio = 2000};

struct seen {
    uint64_t entries, bytes;
};

static bool see(void *ctx, struct str path, struct str body, struct err *err)
{
    struct seen *seen = ctx;
    fuzz_expect(path.len != 0 && path.ptr[0] != '/' && path.ptr[0] != '.' && !str_contains(path, STR("/.")),
                "no path leads out or hides");
    seen->entries++;
    seen->bytes += body.len;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct seen seen = {0};
    struct err err = {0};
    bool good = pack_read(arena, (struct str){(const char *)bytes, len}, &limits, see, &seen, &err);
    fuzz_expect(seen.entries <= limits.max_entries && seen.bytes <= limits.max_bytes, "bounds hold");
    fuzz_expect(good || err.code == ERR_CORRUPT || err.code == ERR_LIMIT, "a refusal is CORRUPT or LIMIT");
    return 0;
}
