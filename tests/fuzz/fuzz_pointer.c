/* The first line is a pointer, the rest a JSON document. */
#include "core/base/json.h"
#include "core/base/pointer.h"
#include "tests/fuzz/fuzz.h"

static void check_edits(struct arena *arena, const struct value *root, struct str pointer)
{
    const struct value *there = pointer_get(root, pointer), *mark = value_cstr(arena, "mark"), *changed;
    struct str before = json_text(arena, root);
    struct err err;
    bool at_end = str_ends(pointer, STR("/-"));
    if (pointer_add(arena, root, pointer, mark, &changed, &err) && !at_end)
        fuzz_expect(value_equal(pointer_get(changed, pointer), mark), "what was added is not there");
    bool replaced = pointer_replace(arena, root, pointer, mark, &changed, &err);
    fuzz_expect(replaced == (there != NULL), "replace works exactly where something is");
    if (replaced)
        fuzz_expect(value_equal(pointer_get(changed, pointer), mark), "what was replaced is not there");
    fuzz_expect(pointer_remove(arena, root, pointer, &changed, &err) == (there != NULL),
                "remove works exactly where something is");
    fuzz_expect(str_eq(before, json_text(arena, root)), "the old tree changed");
    pointer_dotted(arena, pointer);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct str document = {(const char *)bytes, len}, pointer = str_cut(&document, '\n');
    const struct value *root;
    struct err err;
    if (len < 64 * 1024 && json_parse(arena, document, NULL, &root, &err))
        check_edits(arena, root, pointer);
    return 0;
}
