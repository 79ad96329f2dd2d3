/* A tree of files in one text: each starts with a line "=== path". The root is built, twice. */
#include "core/kustomize/kustomize.h"
#include "tests/fuzz/fuzz.h"

static bool read_tree(struct arena *arena, struct str text, struct files *files)
{
    struct err err;
    while (text.len != 0) {
        struct str head = str_cut(&text, '\n'), rest = text;
        size_t len = 0;
        if (!str_starts(head, STR("=== ")))
            return false;
        while (rest.len != 0 && !str_starts(rest, STR("=== ")))
            len += str_cut(&rest, '\n').len + 1;
        if (!files_add(arena, files, str_from(head, 4), str_slice(text, 0, len), &err))
            return false;
        text = str_from(text, len);
    }
    return files_sort(files, &err);
}

static bool render(struct arena *arena, const struct files *files, struct buf *out)
{
    struct bundle bundle;
    struct err err = {0};
    buf_init(out, 16 << 20);
    if (!kustomize_build(arena, files, STR(""), &bundle, &err)) {
        fuzz_expect(err.code != ERR_NONE && err.msg[0] != '\0', "a failure says what it is");
        return false;
    }
    kustomize_write(out, &bundle);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct files files = {0};
    struct buf first CLEANUP(buf_done) = {0}, second CLEANUP(buf_done) = {0};
    if (len > 64 * 1024 || !read_tree(arena, (struct str){(const char *)bytes, len}, &files))
        return 0;
    if (!render(arena, &files, &first))
        return 0;
    fuzz_expect(render(arena, &files, &second), "what was built once is built again");
    fuzz_expect(str_eq(buf_view(&first), buf_view(&second)), "and comes out the same");
    return 0;
}
