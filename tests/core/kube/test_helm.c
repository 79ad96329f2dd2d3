/* Release records: what names and labels say, and payloads that are none. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "core/base/files.h"
#include "core/base/json.h"
#include "core/kube/helm.h"

#define CORPUS "tests/fuzz/corpus/helm/"

static struct resource record(struct arena *arena, const char *json)
{
    struct resource resource;
    const struct value *object;
    struct err err;
    cr_assert(json_parse(arena, str_of(json), NULL, &object, &err), "%s", err.msg);
    cr_assert(resource_from(object, STR("test"), &resource, &err), "%s", err.msg);
    return resource;
}

#define SECRET(name, more)                                                                                   \
    "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":\"" name                              \
    "\",\"namespace\":\"shop\"},\"type\":\"helm.sh/release.v1\"" more "}"

Test(helm, the_name_of_a_record_says_release_and_revision)
{
    static const struct {
        const char *json, *name;
        uint64_t revision;
    } cases[] = {
        {SECRET("sh.helm.release.v1.shop.v3", ""), "shop", 3},
        {SECRET("sh.helm.release.v1.a.v2.b.v12", ""), "a.v2.b", 12},
        {SECRET("sh.helm.release.v1.shop", ""), NULL, 0},
        {SECRET("sh.helm.release.v1.shop.vx", ""), NULL, 0},
        {SECRET("sh.helm.release.v1.shop.3", ""), NULL, 0},
        {SECRET("shop.v3", ""), NULL, 0},
        {"{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":\"sh.helm.release.v1.shop.v3\"}}",
         NULL, 0},
    };
    struct arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct helm_release release = {0};
        struct resource resource = record(arena, cases[i].json);
        cr_expect_eq(helm_release_of(&resource, &release), cases[i].name != NULL, "%s", cases[i].json);
        if (cases[i].name != NULL) {
            cr_expect(str_is(release.name, cases[i].name), "%s", cases[i].json);
            cr_expect_eq(release.revision, cases[i].revision);
        }
    }
    arena_free(arena);
}

Test(helm, tillers_and_everybodys_records_are_records)
{
    struct arena *arena = arena_new();
    struct resource tiller =
        record(arena, "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":"
                      "\"shop.v1\",\"labels\":{\"OWNER\":\"TILLER\"}}}");
    struct resource other =
        record(arena, "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":"
                      "\"shop.v1\",\"labels\":{\"owner\":\"helm\"}}}");
    cr_expect(helm_is_record(&tiller));
    cr_expect_not(helm_is_record(&other));
    arena_free(arena);
}

Test(helm, a_payload_says_the_chart_and_anything_else_says_nothing)
{
    static const struct {
        const char *file, *chart;
        bool good;
    } cases[] = {
        {CORPUS "release", "shop", true}, {CORPUS "truncated", "", false}, {CORPUS "plain", "", false},
        {CORPUS "no-json", "", false},    {CORPUS "bomb", "", false},      {CORPUS "wrong-shape", "", true},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct arena *arena = arena_new();
        struct helm_release release = {0};
        struct str bytes;
        struct err err;
        cr_assert(file_read(arena, cases[i].file, 1 << 20, &bytes, &err), "%s", err.msg);
        cr_expect_eq(helm_read_payload(arena, bytes, &release), cases[i].good, "%s", cases[i].file);
        cr_expect(str_is(release.chart, cases[i].chart), "%s", cases[i].file);
        arena_free(arena);
    }
}
