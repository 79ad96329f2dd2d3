/* A list taken apart while it comes in: the same items wherever the pieces are cut, and nothing but lists. */
#include <criterion/criterion.h>
#include <string.h>

#include "core/kube/split.h"

/* Items, each on a line of its own. */
static bool take(void *ctx, struct str text, struct err *err)
{
    struct buf *out = ctx;
    buf_str(out, text);
    buf_char(out, '\n');
    return buf_ok(out) || err_set(err, ERR_LIMIT, "too much");
}

/* Feeds `text` in pieces of `size` bytes. */
static bool split_in(struct arena *arena, struct str text, size_t size, size_t max_item, struct buf *out,
                     struct str *ret_version, struct err *err)
{
    struct split split CLEANUP(split_done);
    const struct value *metadata;
    split_init(&split, &(struct split_sink){take, out}, max_item);
    for (size_t at = 0; at < text.len; at += size)
        if (!split_feed(&split, str_slice(text, at, at + size), err))
            return false;
    if (!split_end(&split, arena, &metadata, err))
        return false;
    *ret_version = value_str(value_key(metadata, "resourceVersion"));
    return true;
}

static const struct {
    const char *text, *items, *version;
} lists[] = {
    {"{\"items\":[]}", "", ""},
    {"{\"items\":null}", "", ""},
    {" {\n\"items\" : [ ]\t, \"metadata\" : { \"resourceVersion\" : \"7\" } } \n", "", "7"},
    {"{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":\"12\"},\"items\":[{"
     "\"a\":1},"
     "{\"b\":{\"c\":[{},[]]}}]}",
     "{\"a\":1}\n{\"b\":{\"c\":[{},[]]}}\n", "12"},
    {"{\"items\":[{\"a\":\"]}\"},{\"q\":\"\\\"}\"},{\"b\":\"\\\\\"} ,{\"\\\\\\\"\":0}\n],\"metadata\":{}}",
     "{\"a\":\"]}\"}\n{\"q\":\"\\\"}\"}\n{\"b\":\"\\\\\"}\n{\"\\\\\\\"\":0}\n", ""},
    {"{\"items\":[1, true ,null,\"x,]\",[2],\"\\\\\",-1e9]}", "1\ntrue\nnull\n\"x,]\"\n[2]\n\"\\\\\"\n-1e9\n",
     ""},
    {"{\"n\":1,\"t\":true,\"s\":\"}\",\"l\":[\"]\",{}],\"items\":[{}],\"z\":null}", "{}\n", ""},
    {"{\"items\":[{\"metadata\":{\"resourceVersion\":\"no\"},\"items\":[1]}],\"metadata\":{"
     "\"resourceVersion\":"
     "\"yes\"}}",
     "{\"metadata\":{\"resourceVersion\":\"no\"},\"items\":[1]}\n", "yes"},
};

Test(split, gives_the_same_items_wherever_the_pieces_are_cut)
{
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        struct str text = str_of(lists[i].text);
        for (size_t size = 1; size <= text.len; size++) {
            struct arena *arena CLEANUP(arena_cleanup) = arena_new();
            struct buf out CLEANUP(buf_done);
            struct str version;
            struct err err;
            buf_init(&out, 4096);
            cr_assert(split_in(arena, text, size, 1024, &out, &version, &err), "%s in %zu: %s", text.ptr,
                      size, err.msg);
            struct str got = buf_view(&out);
            cr_expect(str_is(got, lists[i].items), "%s in %zu: %.*s", text.ptr, size, STR_ARG(got));
            cr_expect(str_is(version, lists[i].version), "%s in %zu", text.ptr, size);
        }
    }
}

Test(split, a_list_that_is_cut_anywhere_is_no_list)
{
    struct str text = str_of(lists[4].text);
    for (size_t len = 0; len < text.len; len++) {
        struct arena *arena CLEANUP(arena_cleanup) = arena_new();
        struct buf out CLEANUP(buf_done);
        struct str version;
        struct err err;
        buf_init(&out, 4096);
        cr_expect_not(split_in(arena, str_slice(text, 0, len), 5, 1024, &out, &version, &err), "%zu", len);
        cr_expect_eq(err.code, ERR_CORRUPT, "%zu: %s", len, err.msg);
    }
}

Test(split, what_is_no_list_is_refused)
{
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"", "empty"},
        {"  ", "empty"},
        {"[]", "does not start"},
        {"<html>", "does not start"},
        {"{}", "has no items"},
        {"{\"metadata\":{}}", "has no items"},
        {"{\"items\":{}}", "no list"},
        {"{\"items\":\"null\"}", "no list"},
        {"{\"items\":nul}", "no list"},
        {"{\"items\":[],\"items\":[]}", "comes twice"},
        {"{\"metadata\":{},\"items\":[],\"metadata\":{}}", "comes twice"},
        {"{\"\\u0069tems\":[]}", "escapes"},
        {"{\"items\":[]}x", "after its end"},
        {"{\"items\":[]}{\"items\":[]}", "after its end"},
        {"{\"items\":[1,]}", "missing"},
        {"{\"items\":[,1]}", "missing"},
        {"{\"items\":[1 2]}", "not JSON"},
        {"{\"items\":[1}", "not JSON"},
        {"{\"items\" []}", "not JSON"},
        {"{\"items\":}", "missing"},
        {"{items:[]}", "not JSON"},
        {"{\"items\":[],}", "not JSON"},
        {"{\"items\":[],\"metadata\":[]}", "no map"},
        {"{\"items\":[],\"metadata\":{\"a\":}}", "metadata of the list"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct arena *arena CLEANUP(arena_cleanup) = arena_new();
        struct buf out CLEANUP(buf_done);
        struct str version;
        struct err err;
        buf_init(&out, 4096);
        for (size_t size = 1; size < 4; size++) {
            cr_expect_not(split_in(arena, str_of(cases[i].text), size, 1024, &out, &version, &err), "%s",
                          cases[i].text);
            cr_expect_eq(err.code, ERR_CORRUPT, "%s", cases[i].text);
            cr_expect(strstr(err.msg, cases[i].says) != NULL, "%s: %s", cases[i].text, err.msg);
        }
    }
}

Test(split, an_item_beyond_the_bound_ends_the_reading)
{
    struct str text = STR("{\"items\":[{\"a\":\"0123456789\"}]}");
    for (size_t size = 1; size <= text.len; size++) {
        struct arena *arena CLEANUP(arena_cleanup) = arena_new();
        struct buf out CLEANUP(buf_done);
        struct str version;
        struct err err;
        buf_init(&out, 4096);
        cr_expect(split_in(arena, text, size, 18, &out, &version, &err), "%s", err.msg);
        cr_expect_not(split_in(arena, text, size, 17, &out, &version, &err));
        cr_expect_eq(err.code, ERR_LIMIT, "in %zu: %s", size, err.msg);
    }
}

Test(split, what_the_taker_says_counts)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct buf out CLEANUP(buf_done);
    struct str version;
    struct err err;
    buf_init(&out, 4);
    cr_expect_not(split_in(arena, STR("{\"items\":[1,2,3]}"), 100, 1024, &out, &version, &err));
    cr_expect_str_eq(err.msg, "too much");
}

Test(split, starts_again_without_a_trace)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct buf out CLEANUP(buf_done);
    struct split split CLEANUP(split_done);
    const struct value *metadata;
    struct err err;
    struct str text = str_of(lists[3].text);
    buf_init(&out, 4096);
    split_init(&split, &(struct split_sink){take, &out}, 1024);
    for (size_t len = 0; len <= text.len; len++) {
        cr_assert(split_feed(&split, str_slice(text, 0, len), &err), "%s", err.msg);
        split_again(&split);
        buf_clear(&out);
        cr_assert(split_feed(&split, text, &err) && split_end(&split, arena, &metadata, &err), "%s", err.msg);
        cr_expect(str_is(buf_view(&out), lists[3].items));
        split_again(&split);
        buf_clear(&out);
    }
}
