/* SHA-256: the examples of FIPS 180-4, and what is no hash. */
#include <criterion/criterion.h>

#include "core/base/sha256.h"

Test(sha256, published_examples_whole_and_in_pieces)
{
    static const struct {
        const char *text, *hex;
    } rows[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    struct arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct str text = str_of(rows[i].text);
        struct sha256 whole = sha256_of(text);
        cr_expect(str_is(sha256_hex(arena, &whole), rows[i].hex), "%s", rows[i].text);

        struct sha256_stream *stream = sha256_begin();
        for (size_t k = 0; k < text.len; k++)
            sha256_add(stream, text.ptr + k, 1);
        struct sha256 pieces = sha256_end(stream), read;
        cr_expect(sha256_eq(&whole, &pieces));
        cr_expect(sha256_from_hex(str_of(rows[i].hex), &read) && sha256_eq(&whole, &read));
    }
    arena_free(arena);
}

Test(sha256, what_is_no_hash_is_refused)
{
    struct sha256 out;
    cr_expect_not(sha256_from_hex(STR(""), &out));
    cr_expect_not(
        sha256_from_hex(STR("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85"), &out));
    cr_expect_not(
        sha256_from_hex(STR("E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855"), &out));
    cr_expect_not(
        sha256_from_hex(STR("g3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"), &out));
}
