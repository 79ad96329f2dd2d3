/* Objects from outside may hold anything anywhere. Each value of each golden case is replaced by every kind of value in
 * turn: the stage must come through, and its result, transformed again, must stay as it is. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/json.h"
#include "tests/harness/hostile.h"
#include "tests/transform/fixture.h"

#define CASES "testdata/transform"

static struct str all_text(struct transform_fixture *fixture)
{
    struct value_list_builder list = {0};
    for (size_t i = 0; i < fixture->bundle.count; i++)
        value_push(fixture->arena, &list, fixture->bundle.items[i].object);
    return json_text(fixture->arena, value_list_done(fixture->arena, &list));
}

/* False once `at` is past the end of the object. */
static bool transform_with(const struct bundle *input, size_t index, size_t at, const struct value *with)
{
    struct transform_fixture fixture;
    transform_fixture_init(&fixture);
    bool inside = false;
    fixture.bundle.types = input->types;
    for (size_t i = 0; i < input->count; i++) {
        struct resource *added = bundle_add(&fixture.bundle, &input->items[i]);
        if (i == index)
            added->object = hostile_replace(fixture.arena, added->object, at, with, &inside);
    }

    cr_assert(transform_fixture_run(&fixture), "%s", fixture.err.msg);
    struct str once = all_text(&fixture);
    cr_assert(str_is_utf8(once));
    cr_assert(transform_fixture_run(&fixture), "%s", fixture.err.msg);
    struct str twice = all_text(&fixture);
    cr_expect(str_eq(once, twice), "value %zu of %.*s replaced by %.*s\n once:  %.*s\n twice: %.*s", at,
              STR_ARG(resource_label(fixture.arena, &input->items[index])),
              STR_ARG(json_text(fixture.arena, with)), STR_ARG(once), STR_ARG(twice));
    transform_fixture_done(&fixture);
    return inside;
}

static void torture(const char *path)
{
    struct transform_fixture fixture;
    transform_fixture_init(&fixture);
    cr_assert(transform_fixture_read(&fixture, path), "%s", fixture.err.msg);
    const struct value *values = hostile_values(fixture.arena);
    for (size_t i = 0; i < fixture.bundle.count; i++) {
        bool inside = true;
        for (size_t at = 0; inside; at++)
            VALUE_EACH(with, values)
                inside = transform_with(&fixture.bundle, i, at, with);
    }
    transform_fixture_done(&fixture);
}

Test(transform_hostile, any_value_at_any_place_is_survived)
{
    struct dirent **entries;
    int count = scandir(CASES, &entries, NULL, alphasort);
    size_t cases = 0;
    for (int i = 0; i < count; i++) {
        char path[512];
        snprintf(path, sizeof path, CASES "/%s/in.yaml", entries[i]->d_name);
        if (access(path, R_OK) == 0) {
            torture(path);
            cases++;
        }
        free(entries[i]);
    }
    free(entries);
    cr_expect_gt(cases, 20);
}

Test(transform_hostile, depth_is_no_danger)
{
    struct transform_fixture fixture;
    struct buf text;
    transform_fixture_init(&fixture);
    buf_init(&text, 1 << 20);
    buf_text(&text, "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: deep, uid: u}\nspec: ");
    buf_repeat(&text, '[', 60);
    buf_repeat(&text, ']', 60);
    cr_assert(transform_fixture_text(&fixture, str_c(fixture.arena, buf_view(&text))), "%s", fixture.err.msg);
    cr_expect(transform_fixture_run(&fixture), "%s", fixture.err.msg);
    cr_expect_eq(fixture.bundle.count, 1);
    buf_done(&text);
    transform_fixture_done(&fixture);
}
