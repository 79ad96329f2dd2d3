/* A URL that passes is plain, has a host, and its origin reads back as the same place. */
#include "core/net/url.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct url url, again;
    struct err err;
    if (!url_parse(arena, (struct str){(const char *)bytes, len}, &url, &err)) {
        fuzz_expect(err.code == ERR_USAGE && err.msg[0], "a reason");
        return 0;
    }
    fuzz_expect(url.host.len != 0 && url.port != 0 && url.path.ptr[0] == '/', "host, port and path");
    struct str origin = url_origin(arena, &url);
    fuzz_expect(str_find(origin, '@') == origin.len, "no user info in the origin");
    fuzz_expect(url_parse(arena, origin, &again, &err), "the origin is a URL");
    fuzz_expect(str_eq(again.host, url.host) && again.port == url.port && str_eq(again.scheme, url.scheme) &&
                    url_is_loopback(&again) == url_is_loopback(&url),
                "and the same place");
    return 0;
}
