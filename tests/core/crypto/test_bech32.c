/* The vectors of BIP-173, and keys as age writes them. */
#include <criterion/criterion.h>

#include "core/crypto/bech32.h"

Test(bech32, keys_go_both_ways)
{
    static const struct {
        const char *prefix, *text;
    } cases[] = {
        {"age", "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"},
        {"AGE-SECRET-KEY-", "AGE-SECRET-KEY-1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2LM0"},
        {"abcdef", "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw"},
        {"split", "split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w"},
    };
    struct arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct str bytes, text = str_of(cases[i].text);
        cr_expect(bech32_decode(arena, str_of(cases[i].prefix), text, &bytes), "%s", cases[i].text);
        cr_expect(str_eq(bech32_encode(arena, str_of(cases[i].prefix), bytes), text), "%s", cases[i].text);
    }
    arena_free(arena);
}

Test(bech32, what_is_nearly_right_is_refused)
{
    static const struct {
        const char *prefix, *text;
    } cases[] = {
        {"age", ""},
        {"age", "age1"},
        {"age", "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwk"},   /* checksum */
        {"age", "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujw"},    /* short */
        {"age", "AGE1ZVKYG2LQZRAA2LNJVQEJ32NKUU0UES2S82HZRYE869XEEXVN73EQUNUJWJ"},   /* case */
        {"age", "age1Zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"},   /* mixed */
        {"age", "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj\n"}, /* more */
        {"ag", "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"},    /* prefix */
        {"age", "age1bvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"},   /* no digit */
        {"AGE-SECRET-KEY-", "age-secret-key-1egtzvffv20835nwyv6270lxyvk2vknx2mmdkwyklmgr48uawx40q2p2lm0"},
    };
    struct arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct str bytes;
        cr_expect_not(bech32_decode(arena, str_of(cases[i].prefix), str_of(cases[i].text), &bytes), "%s",
                      cases[i].text);
    }
    arena_free(arena);
}

Test(bech32, one_wrong_letter_is_found_wherever_it_stands)
{
    const char *right = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";
    struct arena *arena = arena_new();
    for (size_t i = 4; right[i]; i++) {
        char *wrong = (char *)str_c(arena, str_of(right));
        struct str bytes;
        wrong[i] = wrong[i] == 'q' ? 'p' : 'q';
        cr_expect_not(bech32_decode(arena, STR("age"), str_of(wrong), &bytes), "%s", wrong);
    }
    arena_free(arena);
}
