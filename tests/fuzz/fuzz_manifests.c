#include "core/kube/bundle.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct bundle bundle;
    struct err err;
    bundle_init(&bundle, arena);
    if (len > 64 * 1024 || !bundle_read_text(&bundle, (struct str){(const char *)bytes, len}, STR("-"), &err))
        return 0;
    bundle_sort(&bundle);
    for (size_t i = 1; i < bundle.count; i++)
        fuzz_expect(resource_cmp(&bundle.items[i - 1], &bundle.items[i]) < 0, "sorted, and nothing twice");
    for (size_t i = 0; i < bundle.count; i++) {
        const struct resource *r = &bundle.items[i];
        fuzz_expect(bundle_find(&bundle, resource_group(r), r->kind, r->namespace, r->name) == r,
                    "found again");
    }
    return 0;
}
