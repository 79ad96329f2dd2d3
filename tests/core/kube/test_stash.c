/* A cluster on disk: a bundle goes in and comes out, whole or part by part, and lists can be cut back. */
#include <criterion/criterion.h>
#include <string.h>

#include "core/base/json.h"
#include "core/kube/stash_intern.h"

struct fixture {
    struct arena *arena;
    struct bundle bundle;
    struct stash *stash;
    struct err err;
};

static struct resource parse(struct fixture *f, const char *json)
{
    const struct value *object;
    struct resource resource;
    cr_assert(json_parse(f->arena, str_of(json), NULL, &object, &f->err), "%s", f->err.msg);
    cr_assert(resource_from(object, STR("test"), &resource, &f->err), "%s", f->err.msg);
    return resource;
}

static void open_fixture(struct fixture *f)
{
    static const char *const objects[] = {
        "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"a\"}}",
        "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"x\",\"namespace\":\"b\"},"
        "\"n\":[0.1,1e3]}",
        "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"x\",\"namespace\":\"a\"}}",
        "{\"apiVersion\":\"example.com/"
        "v2\",\"kind\":\"Widget\",\"metadata\":{\"name\":\"w\",\"namespace\":\"a\"}}",
        "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"y\",\"namespace\":\"a\"}}",
    };
    *f = (struct fixture){.arena = arena_new()};
    bundle_init(&f->bundle, f->arena);
    for (size_t i = 0; i < COUNT_OF(objects); i++) {
        struct resource resource = parse(f, objects[i]);
        bundle_add(&f->bundle, &resource);
    }
    bundle_sort(&f->bundle);
    *ARENA_PUSH(f->arena, &f->bundle.types) =
        (struct resource_type){.version = STR("v1"), .kind = STR("ConfigMap"), .plural = STR("configmaps")};
    f->bundle.resource_version = STR("42");
    f->bundle.complete = true;
    cr_assert(
        json_parse(f->arena, STR("{\"api/v1\":{\"openapi\":\"3.0.0\"}}"), NULL, &f->bundle.openapi, &f->err));
    cr_assert(stash_from_bundle(f->arena, NULL, &f->bundle, &f->stash, &f->err), "%s", f->err.msg);
}

static void close_fixture(struct fixture *f)
{
    stash_close(f->stash);
    arena_free(f->arena);
}

static void expect_same(const struct bundle *got, const struct resource *wants, size_t count)
{
    cr_assert_eq(got->count, count);
    for (size_t i = 0; i < count; i++) {
        cr_expect_eq(resource_cmp(&got->items[i], &wants[i]), 0);
        cr_expect(value_equal(got->items[i].object, wants[i].object));
    }
    cr_expect(str_is(got->resource_version, "42") && got->complete);
}

Test(stash, gives_back_the_bundle_that_went_in)
{
    struct fixture f;
    struct bundle got;
    open_fixture(&f);
    cr_expect_eq(stash_count(f.stash), f.bundle.count);
    cr_assert(stash_bundle_all(f.stash, f.arena, &got, &f.err), "%s", f.err.msg);
    expect_same(&got, f.bundle.items, f.bundle.count);
    cr_expect(value_equal(got.openapi, f.bundle.openapi));
    cr_expect_eq(got.types.count, 1, "types that were made up stay inside");
    cr_expect_eq(got.types.items[0].count, 3);
    close_fixture(&f);
}

Test(stash, gives_one_part_at_a_time_in_an_arena_of_its_own)
{
    static const char *const namespaces[] = {"", "a", "b"};
    struct fixture f;
    open_fixture(&f);
    cr_assert_eq(stash_part_count(f.stash), 3);
    for (size_t i = 0, at = 0; i < 3; i++) {
        struct arena *arena = arena_new();
        struct stash_part part = stash_part(f.stash, i);
        struct bundle got;
        cr_expect(str_is(part.namespace, namespaces[i]));
        cr_assert(stash_bundle(f.stash, arena, i, &got, &f.err), "%s", f.err.msg);
        expect_same(&got, f.bundle.items + at, part.to - part.from);
        cr_expect_null(got.openapi);
        at += got.count;
        arena_free(arena);
    }
    close_fixture(&f);
}

Test(stash, knows_objects_without_their_trees)
{
    struct fixture f;
    struct buf text CLEANUP(buf_done);
    open_fixture(&f);
    struct stash_part part = stash_part(f.stash, 1);
    struct stash_object object = stash_object(f.stash, part.to - 1);
    cr_expect(str_is(object.namespace, "a") && str_is(object.name, "w"));
    cr_expect(str_is(object.type->plural, "widget") && str_is(object.type->version, "v2"));
    buf_init(&text, object.bytes);
    cr_assert(stash_read(f.stash, part.to - 1, &text, &f.err), "%s", f.err.msg);
    cr_expect(str_is(buf_view(&text), "{\"apiVersion\":\"example.com/v2\",\"kind\":\"Widget\",\"metadata\":{"
                                      "\"name\":\"w\",\"namespace\":\"a\"}}"));
    struct buf small CLEANUP(buf_done);
    buf_init(&small, object.bytes - 1);
    cr_expect_not(stash_read(f.stash, part.to - 1, &small, &f.err));
    cr_expect_eq(f.err.code, ERR_LIMIT);
    close_fixture(&f);
}

Test(stash, an_empty_bundle_has_no_parts)
{
    struct fixture f = {.arena = arena_new()};
    bundle_init(&f.bundle, f.arena);
    cr_assert(stash_from_bundle(f.arena, NULL, &f.bundle, &f.stash, &f.err), "%s", f.err.msg);
    cr_expect_eq(stash_count(f.stash) + stash_part_count(f.stash) + stash_document_count(f.stash), 0);
    close_fixture(&f);
}

/* ---- filling ---- */

static const struct resource_type THINGS[] = {
    {.version = STR_INIT("v1"), .kind = STR_INIT("Thing"), .plural = STR_INIT("things"), .namespaced = true},
    {.group = STR_INIT("old"),
     .version = STR_INIT("v1"),
     .kind = STR_INIT("Thing"),
     .plural = STR_INIT("things")},
};

static void open_empty(struct fixture *f)
{
    *f = (struct fixture){.arena = arena_new()};
    cr_assert(stash_new(f->arena, NULL, &f->stash, &f->err), "%s", f->err.msg);
    for (size_t i = 0; i < COUNT_OF(THINGS); i++)
        *ARENA_PUSH(f->arena, &f->stash->types) = THINGS[i];
    f->stash->about.types = f->stash->types;
}

static void add(struct fixture *f, int writer, struct stash_list *list, uint32_t type, const char *namespace,
                const char *name, const char *uid)
{
    const char *json = str_c(f->arena, str_fmt(f->arena,
                                               "{\"apiVersion\":\"v1\",\"kind\":\"Thing\",\"metadata\":{"
                                               "\"namespace\":\"%s\",\"name\":\"%s\",\"uid\":\"%s\"}}",
                                               namespace, name, uid));
    struct resource resource = parse(f, json);
    cr_assert(stash_add(&f->stash->writers[writer], list, type, &resource, &f->err), "%s", f->err.msg);
}

/* "namespace/name …" in the order of the stash. */
static void expect_objects(struct fixture *f, const char *wants)
{
    struct buf out CLEANUP(buf_done);
    buf_init(&out, 4096);
    cr_assert(stash_finish(f->stash, &f->err), "%s", f->err.msg);
    for (size_t i = 0; i < stash_count(f->stash); i++) {
        struct stash_object object = stash_object(f->stash, i);
        buf_fmt(&out, "%.*s/%.*s ", STR_ARG(object.namespace), STR_ARG(object.name));
    }
    cr_expect(str_is(buf_view(&out), wants), "%.*s", STR_ARG(buf_view(&out)));
}

Test(stash, a_list_is_cut_back_to_where_it_was_marked)
{
    struct fixture f;
    struct stash_list one = {0}, other = {0};
    open_empty(&f);
    add(&f, 0, &one, 0, "n", "kept", "");
    struct stash_mark mark = stash_marked(&f.stash->writers[0], &one);
    for (int i = 0; i < 200; i++)
        add(&f, 0, &one, 0, "elsewhere", "gone", "");
    add(&f, 1, &other, 1, "", "beside", "");
    stash_cut(&f.stash->writers[0], &one, mark);
    add(&f, 0, &one, 0, "n", "after", "");
    stash_take(f.stash, &one);
    stash_take(f.stash, &other);
    expect_objects(&f, "/beside n/after n/kept ");
    struct bundle bundle;
    cr_assert(stash_bundle_all(f.stash, f.arena, &bundle, &f.err), "%s", f.err.msg);
    cr_expect(str_is(bundle.items[2].name, "kept") && str_is(bundle.items[2].namespace, "n"));
    cr_expect_eq(f.stash->about.types.items[0].count, 2);
    close_fixture(&f);
}

Test(stash, of_one_uid_the_first_stays_and_of_one_name_too)
{
    static const char uuid[] = "0a1b2c3d-0000-4000-8000-00000000000f",
                      like[] = "0a1b2c3d-0000-4000-8000-0000000000F0";
    struct fixture f;
    struct stash_list first = {0}, second = {0};
    open_empty(&f);
    add(&f, 1, &second, 1, "n", "again", uuid);
    add(&f, 1, &second, 1, "n", "odd", "u1");
    add(&f, 1, &second, 1, "n", "upper", like);
    add(&f, 1, &second, 1, "n", "without", "");
    add(&f, 0, &first, 0, "n", "again", uuid);
    add(&f, 0, &first, 0, "n", "odder", "u1");
    add(&f, 0, &first, 0, "n", "none", "");
    add(&f, 0, &first, 0, "n", "twice", "");
    add(&f, 0, &first, 0, "n", "twice", "");
    stash_take(f.stash, &first);
    stash_take(f.stash, &second);
    expect_objects(&f, "n/again n/none n/odder n/twice n/upper n/without ");
    cr_expect_eq(stash_object(f.stash, 0).type->group.len, 0, "the list that was taken first wins");
    cr_expect_eq(f.stash->about.problems.count, 1);
    cr_expect(str_contains(f.stash->about.problems.items[0], STR("things: \"twice\"")));
    close_fixture(&f);
}
