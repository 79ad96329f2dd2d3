/* Objects from outside may hold anything anywhere. No check may stumble: each field of real manifests is replaced by
 * every kind of value in turn, and the stage must come through with scores in range. */
#include <criterion/criterion.h>

#include "core/base/json.h"
#include "tests/harness/hostile.h"
#include "tests/quality/fixture.h"

/* Scores the bundle with one value of one object replaced; false once `at` is past the end of the object. */
static bool score_with(struct bundle *bundle, size_t index, size_t at, const struct value *with)
{
    struct fixture f;
    fixture_init(&f);
    f.bundle = *bundle;
    bool inside;
    const struct value *before = bundle->items[index].object;
    bundle->items[index].object = hostile_replace(f.arena, before, at, with, &inside);
    const struct value *score = fixture_score(&f);
    bundle->items[index].object = before;

    int64_t overall = fixture_number(score, PATH("overall"));
    cr_assert(overall >= 0 && overall <= 100, "overall %lld", (long long)overall);
    struct str json = json_text(f.arena, score);
    cr_assert(str_is_utf8(json));
    fixture_done(&f);
    return inside;
}

static void torture(const char *path)
{
    struct fixture f;
    fixture_init(&f);
    fixture_read(&f, path);
    fixture_openapi(&f);
    const struct value *values = hostile_values(f.arena);
    for (size_t i = 0; i < f.bundle.count; i++) {
        bool inside = true;
        for (size_t at = 0; inside; at++)
            VALUE_EACH(with, values)
                inside = score_with(&f.bundle, i, at, with);
    }
    fixture_done(&f);
}

Test(hostile, any_value_at_any_place_is_survived)
{
    torture("testdata/quality/bad-stack");
}

Test(hostile, relations_survive_it_too)
{
    static const char *const ids[] = {"production.ingress-backend",
                                      "production.autoscaler-requests",
                                      "production.budget-blocks",
                                      "production.missing-secret",
                                      "production.service-target-port",
                                      "network.ingress-tls",
                                      "network.default-deny",
                                      "resources.limit-range",
                                      "resources.unused-claim",
                                      "pod.token-without-need",
                                      "rbac.secrets-access",
                                      "secrets.env-in-clear"};
    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        struct arena *arena CLEANUP(arena_cleanup) = arena_new();
        torture(str_c(arena, str_fmt(arena, "testdata/quality/%s/good.yaml", ids[i])));
    }
}

Test(hostile, depth_is_no_danger)
{
    struct fixture f;
    struct buf text;
    fixture_init(&f);
    fixture_openapi(&f);
    buf_init(&text, 1 << 20);
    buf_text(&text,
             "{\"apiVersion\":\"example.com/v1\",\"kind\":\"Widget\",\"metadata\":{\"name\":\"w\"},\"spec\":"
             "{\"child\":");
    for (int i = 0; i < 90; i++)
        buf_text(&text, "{\"child\":");
    buf_text(&text, "{}");
    buf_repeat(&text, '}', 90);
    buf_text(&text, "}}\n");
    fixture_text(&f, str_c(f.arena, buf_view(&text)));
    cr_expect_eq(fixture_number(fixture_score(&f), PATH("dimensions", "schema")), 100);
    buf_done(&text);
    fixture_done(&f);
}
