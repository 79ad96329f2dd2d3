#include "core/base/yaml.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/round_trip.h"

enum { MAX_INPUT = 64 * 1024, MAX_WRITTEN = 1 << 16 };

/* Aliases make large trees of short texts; writing those out would only make the fuzzer slow. */
static size_t size_of(const struct value *value, size_t limit)
{
    size_t size = 1;
    VALUE_EACH(item, value)
        size += size < limit ? size_of(item, limit) : 0;
    MEMBER_EACH(member, value)
        size += size < limit ? size_of(&member->value, limit) : 0;
    return size;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct yaml_documents documents;
    struct err err;
    if (len > MAX_INPUT ||
        !yaml_parse(arena, (struct str){(const char *)bytes, len}, STR("in"), &documents, &err))
        return 0;
    for (size_t i = 0; i < documents.count; i++)
        if (size_of(documents.items[i].root, MAX_WRITTEN) < MAX_WRITTEN)
            fuzz_round_trip(arena, documents.items[i].root);
    return 0;
}
