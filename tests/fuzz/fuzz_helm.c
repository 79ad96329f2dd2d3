#include "core/kube/helm.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct arena *arena = arena_new();
    struct helm_release release = {0};
    bool good = helm_read_payload(arena, (struct str){(const char *)bytes, len}, &release);
    fuzz_expect(good || (release.chart.len == 0 && release.status.len == 0), "a refusal says nothing");
    fuzz_expect(str_is_utf8(release.chart) && str_is_utf8(release.chart_version), "text stays UTF-8");
    arena_free(arena);
    return 0;
}
