/* The first line is a JSON document, the rest a patch: tried as JSON Patch, as Merge Patch, and compared. */
#include "core/base/diff.h"
#include "core/base/json.h"
#include "core/base/patch.h"
#include "core/base/pointer.h"
#include "tests/fuzz/fuzz.h"

static void check_diff(struct arena *arena, const struct value *before, const struct value *after)
{
    struct diff_list list = {0};
    diff_values(arena, before, after, &list);
    fuzz_expect((list.count == 0) == value_equal(before, after), "no difference means equal");
    for (size_t i = 0; i < list.count; i++) {
        const struct diff *d = &list.items[i];
        if (d->before != NULL)
            fuzz_expect(pointer_get(before, d->pointer) != NULL, "a difference has an address before");
        if (d->after != NULL)
            fuzz_expect(pointer_get(after, d->pointer) != NULL, "a difference has an address after");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct str patch_text = {(const char *)bytes, len}, document = str_cut(&patch_text, '\n');
    const struct value *root, *patch, *changed, *merged;
    struct err err;
    if (len > 64 * 1024 || !json_parse(arena, document, NULL, &root, &err) ||
        !json_parse(arena, patch_text, NULL, &patch, &err))
        return 0;
    struct str before = json_text(arena, root);
    if (patch_json(arena, root, patch, &changed, &err))
        check_diff(arena, root, changed);
    merged = patch_merge(arena, root, patch);
    fuzz_expect(value_equal(merged, patch_merge(arena, merged, patch)), "merging twice is merging once");
    check_diff(arena, root, merged);
    fuzz_expect(str_eq(before, json_text(arena, root)), "the old tree changed");
    return 0;
}
