#include <string.h>

#include "core/store/aws_profile.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct aws_profile profile = {0};
    struct err err = {0};
    bool good = aws_profile_scan((struct str){(const char *)bytes, len}, "credentials", STR("default"),
                                 &profile, &err);
    fuzz_expect(good || (err.code == ERR_USAGE && strncmp(err.msg, "credentials:", 12) == 0),
                "a refusal names the line, and nothing of what stands there");
    fuzz_expect(profile.found || (profile.keys.secret_key.len == 0 && profile.role_arn.len == 0),
                "without the section nothing is taken");
    return 0;
}
