#include "tests/quality/fixture.h"

#include <criterion/criterion.h>

#include "core/base/json.h"

void fixture_init(struct fixture *fixture)
{
    *fixture = (struct fixture){.arena = arena_new(), .clock = {.fixed_ms = 1795230000000}};
    fixture->config = (struct config){
        .weight_schema = 30, .weight_security = 30, .weight_production = 25, .weight_resources = 15};
    fixture->run =
        (struct run){.arena = fixture->arena, .config = &fixture->config, .clock = &fixture->clock};
    bundle_init(&fixture->bundle, fixture->arena);
}

void fixture_done(struct fixture *fixture)
{
    arena_free(fixture->arena);
}

void fixture_read(struct fixture *fixture, const char *path)
{
    cr_assert(bundle_read_manifests(fixture->arena, path, &fixture->bundle, &fixture->err), "%s: %s", path,
              fixture->err.msg);
    for (size_t i = 0; i < fixture->bundle.problems.count; i++)
        cr_assert_fail("%s: %.*s", path, STR_ARG(fixture->bundle.problems.items[i]));
}

void fixture_text(struct fixture *fixture, const char *yaml)
{
    cr_assert(bundle_read_text(&fixture->bundle, str_of(yaml), STR("text"), &fixture->err), "%s",
              fixture->err.msg);
    bundle_sort(&fixture->bundle);
}

void fixture_openapi(struct fixture *fixture)
{
    struct str text;
    cr_assert(file_read(fixture->arena, "testdata/quality/openapi.json", 1 << 20, &text, &fixture->err) &&
                  json_parse(fixture->arena, text, NULL, &fixture->bundle.openapi, &fixture->err),
              "%s", fixture->err.msg);
}

const struct value *fixture_score(struct fixture *fixture)
{
    cr_assert(score_stage(&fixture->run, &fixture->bundle, &fixture->err), "%s", fixture->err.msg);
    return value_key(run_report(&fixture->run), "score");
}

int64_t fixture_number(const struct value *map, const char *const *path)
{
    int64_t number = -1;
    return value_i64(value_in(map, path), &number) ? number : -1;
}
