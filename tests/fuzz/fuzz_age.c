/* A file, armored or not, either opens or says what is wrong with it; what armors reads back. */
#include "core/crypto/age.h"
#include "tests/fuzz/fuzz.h"

/* The identity that the published vectors are for. */
#define IDENTITY STR("AGE-SECRET-KEY-1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2LM0")

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct str input = {(const char *)bytes, len}, file = input, plain = STR_NONE, again = STR_NONE;
    struct age_identities identities;
    struct err err;
    fuzz_expect(age_identities_parse(arena, IDENTITY, STR("identity"), &identities, &err), "the key is one");
    if (age_dearmor(arena, input, &file, &err))
        fuzz_expect(age_dearmor(arena, age_armor(arena, file), &again, &err) && str_eq(again, file),
                    "what was dearmored armors");
    else
        fuzz_expect(err.code == ERR_CORRUPT && err.msg[0], "a reason");
    if (!age_open(arena, &identities, file, &plain, &err))
        fuzz_expect((err.code == ERR_CORRUPT || err.code == ERR_DENIED) && err.msg[0], "a reason");
    struct age_identities parsed;
    if (!age_identities_parse(arena, input, STR("identity"), &parsed, &err))
        fuzz_expect(err.code == ERR_USAGE, "a reason");
    return 0;
}
