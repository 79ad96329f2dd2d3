#include <string.h>

#include "core/store/xml.h"
#include "tests/fuzz/fuzz.h"

static bool see(void *ctx, struct str path, struct str text, struct err *err)
{
    size_t *bytes = ctx;
    fuzz_expect(path.len != 0 && path.ptr[0] != '/' && path.ptr[path.len - 1] != '/',
                "a path names every element");
    fuzz_expect(str_is_utf8(text), "text stays UTF-8");
    *bytes += text.len;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    size_t seen = 0;
    struct err err = {0};
    bool good = xml_read((struct str){(const char *)bytes, len}, see, &seen, &err);
    fuzz_expect(seen <= len, "references never grow: there are no entities");
    fuzz_expect(good || (err.code == ERR_CORRUPT && err.msg[0] != '\0'), "a refusal says why");
    return 0;
}
