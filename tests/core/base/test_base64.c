/* The vectors of RFC 4648, and everything that is nearly base64. */
#include <criterion/criterion.h>

#include "core/base/base64.h"

Test(base64, vectors_go_both_ways)
{
    static const struct {
        const char *plain, *standard, *url;
    } cases[] = {
        {"", "", ""},
        {"f", "Zg==", "Zg"},
        {"fo", "Zm8=", "Zm8"},
        {"foo", "Zm9v", "Zm9v"},
        {"foob", "Zm9vYg==", "Zm9vYg"},
        {"fooba", "Zm9vYmE=", "Zm9vYmE"},
        {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
        {"\xfb\xff\xfe", "+//+", "-__-"},
    };
    struct arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct str plain = str_of(cases[i].plain), back;
        cr_expect(str_is(base64_encode(arena, plain, BASE64_STANDARD), cases[i].standard));
        cr_expect(str_is(base64_encode(arena, plain, BASE64_URL), cases[i].url));
        cr_expect(base64_decode(arena, str_of(cases[i].standard), BASE64_STANDARD, &back));
        cr_expect(str_eq(back, plain), "%s", cases[i].standard);
        cr_expect(base64_decode(arena, str_of(cases[i].url), BASE64_URL, &back));
        cr_expect(str_eq(back, plain), "%s", cases[i].url);
        struct str bare = base64_encode(arena, plain, BASE64_UNPADDED);
        cr_expect(str_starts(str_of(cases[i].standard), bare) && !str_ends(bare, STR("=")));
        cr_expect(base64_decode(arena, bare, BASE64_UNPADDED, &back) && str_eq(back, plain));
    }
    arena_free(arena);
}

Test(base64, bytes_of_every_value_survive)
{
    struct arena *arena = arena_new();
    char bytes[256];
    struct str back;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)i;
    for (size_t len = 0; len <= sizeof bytes; len++) {
        struct str text = base64_encode(arena, (struct str){bytes, len}, BASE64_STANDARD);
        cr_expect(base64_decode(arena, text, BASE64_STANDARD, &back));
        cr_expect(str_eq(back, (struct str){bytes, len}), "%zu", len);
    }
    arena_free(arena);
}

Test(base64, what_is_nearly_base64_is_refused)
{
    static const char *const standard[] = {"Z",        "Zg", "Zg=",  "Zh==", "Zm9=",   "Zm9v\n", " Zm9v",
                                           "Zg==Zg==", "=",  "====", "Z===", "Zg==\n", "-__-",   "Zm9v!A=="};
    static const char *const url[] = {"Z", "Zg==", "Zh", "+//+", "Zm9vY"};
    struct arena *arena = arena_new();
    struct str back;
    for (size_t i = 0; i < COUNT_OF(standard); i++)
        cr_expect_not(base64_decode(arena, str_of(standard[i]), BASE64_STANDARD, &back), "%s", standard[i]);
    for (size_t i = 0; i < COUNT_OF(url); i++)
        cr_expect_not(base64_decode(arena, str_of(url[i]), BASE64_URL, &back), "%s", url[i]);
    cr_expect_not(base64_decode(arena, STR("Zg=="), BASE64_UNPADDED, &back));
    cr_expect_not(base64_decode(arena, STR("-__-"), BASE64_UNPADDED, &back));
    arena_free(arena);
}
