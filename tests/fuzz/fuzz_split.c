/* A list cut in two ways must give the same, and what the splitter takes for a list the parser has to take as well,
 * unless an item itself is malformed, which is the taker's to find. */
#include "core/base/json.h"
#include "core/kube/split.h"
#include "tests/fuzz/fuzz.h"

struct taken {
    struct buf texts;
    size_t count;
    bool whole; /* every item is JSON */
};

static bool take(void *ctx, struct str text, struct err *err)
{
    struct taken *taken = ctx;
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    const struct value *ignored;
    struct err problem;
    taken->count++;
    taken->whole = taken->whole && json_parse(arena, text, NULL, &ignored, &problem);
    buf_str(&taken->texts, text);
    buf_char(&taken->texts, '\n');
    return true;
}

static bool split_in(struct arena *arena, struct str text, size_t size, struct taken *taken)
{
    struct split split CLEANUP(split_done);
    const struct value *metadata;
    struct err err;
    bool good = true;
    *taken = (struct taken){.whole = true};
    buf_init(&taken->texts, 1 << 22);
    split_init(&split, &(struct split_sink){take, taken}, 1 << 20);
    for (size_t at = 0; good && at < text.len; at += size)
        good = split_feed(&split, str_slice(text, at, at + size), &err);
    return good && split_end(&split, arena, &metadata, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct str text = {(const char *)bytes, len};
    struct taken one, other;
    const struct value *tree;
    struct err err;
    size_t size = len ? 1 + bytes[len / 2] % 13 : 1;
    bool good = split_in(arena, text, len + 1, &one), same = split_in(arena, text, size, &other);
    fuzz_expect(good == same, "a list depends on how it was cut");
    fuzz_expect(!good || str_eq(buf_view(&one.texts), buf_view(&other.texts)), "items depend on the cut");
    bool parsed = json_parse(arena, text, NULL, &tree, &err);
    const struct value *items = parsed ? value_key(tree, "items") : NULL;
    if (good && one.whole && parsed)
        fuzz_expect(value_count(items) == one.count, "the parser sees other items");
    if (parsed && value_is(items, VALUE_LIST) && good)
        fuzz_expect(one.whole, "an item of a JSON text is no JSON");
    buf_done(&one.texts);
    buf_done(&other.texts);
    return 0;
}
