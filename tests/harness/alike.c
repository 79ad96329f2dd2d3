#include "tests/harness/alike.h"

#include <criterion/criterion.h>

static void expect_objects(const struct bundle *got, const struct bundle *want)
{
    cr_assert_eq(got->count, want->count);
    for (size_t i = 0; i < got->count; i++) {
        cr_assert_eq(resource_cmp(&got->items[i], &want->items[i]), 0, "%zu", i);
        cr_assert(value_equal(got->items[i].object, want->items[i].object), "%.*s",
                  STR_ARG(got->items[i].name));
        cr_assert(str_eq(got->items[i].origin, want->items[i].origin), "%.*s, not %.*s",
                  STR_ARG(got->items[i].origin), STR_ARG(want->items[i].origin));
    }
    cr_assert(value_equal(got->openapi, want->openapi));
}

static void expect_types(const struct resource_types *got, const struct resource_types *want)
{
    cr_assert_eq(got->count, want->count);
    for (size_t i = 0; i < got->count; i++) {
        const struct resource_type *x = &got->items[i], *y = &want->items[i];
        cr_assert(str_eq(x->group, y->group) && str_eq(x->version, y->version) && str_eq(x->kind, y->kind) &&
                  str_eq(x->plural, y->plural) && str_eq(x->singular, y->singular) &&
                  str_eq(x->resource_version, y->resource_version) && str_eq(x->missing, y->missing) &&
                  x->namespaced == y->namespaced);
    }
}

static void expect_about(const struct bundle *got, const struct bundle *want)
{
    cr_assert(str_eq(got->backup_id, want->backup_id) && str_eq(got->cluster, want->cluster) &&
              str_eq(got->cluster_uid, want->cluster_uid) &&
              str_eq(got->server_version, want->server_version) &&
              str_eq(got->resource_version, want->resource_version));
    cr_assert(got->taken_ms == want->taken_ms && got->complete == want->complete &&
              got->narrowed == want->narrowed && got->sandbox == want->sandbox);
    cr_assert(value_equal(got->selection, want->selection));
    cr_assert_eq(got->problems.count, want->problems.count);
    for (size_t i = 0; i < got->problems.count; i++)
        cr_assert(str_eq(got->problems.items[i], want->problems.items[i]), "%.*s, not %.*s",
                  STR_ARG(got->problems.items[i]), STR_ARG(want->problems.items[i]));
}

void expect_alike(struct stash *stash, const struct bundle *bundle)
{
    struct arena *arena = arena_new();
    struct bundle got;
    struct err err;
    cr_assert(stash_bundle_all(stash, arena, &got, &err), "%s", err.msg);
    expect_objects(&got, bundle);
    expect_types(&got.types, &bundle->types);
    expect_about(&got, bundle);
    arena_free(arena);
}
