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
    resource.origin = STR_NONE; /* as a list has it */
    cr_assert(stash_add(&f->stash->writers[writer], list, type, &resource, &f->err), "%s", f->err.msg);
}

/* "namespace/name …" in the order of the stash. */
static void expect_objects(struct fixture *f, const char *wants)
{
    struct buf out CLEANUP(buf_done);
    buf_init(&out, 4096);
    stash_drop_same_uids(f->stash);
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

/* ---- by hand ---- */

static void put(struct fixture *f, const char *api_version, const char *kind, const char *name,
                const char *origin)
{
    struct resource resource =
        parse(f, str_fmt(f->arena,
                         "{\"apiVersion\":\"%s\",\"kind\":\"%s\",\"metadata\":{\"name\":\"%s\","
                         "\"namespace\":\"n\",\"uid\":\"the same\"}}",
                         api_version, kind, name)
                     .ptr);
    resource.origin = str_of(origin);
    cr_assert(stash_put(f->stash, &resource, &f->err), "%s", f->err.msg);
}

Test(stash, what_is_put_in_comes_out_sorted_and_with_its_origin)
{
    static const char *const wants[][2] = {
        {"Gadget", "b.yaml:2"}, {"Widget", "/apis/example.com/v1/widget"}, {"Widget", "a.yaml:1"}};
    struct fixture f;
    open_empty(&f);
    put(&f, "example.com/v1", "Widget", "b", "a.yaml:1");
    put(&f, "example.com/v1", "Gadget", "z", "b.yaml:2");
    put(&f, "example.com/v1", "Widget", "a", NULL);
    cr_assert(stash_finish(f.stash, &f.err), "%s", f.err.msg);
    cr_assert_eq(stash_count(f.stash), 3, "uids do not matter");
    for (size_t i = 0; i < 3; i++) {
        struct resource resource;
        struct str origin;
        cr_assert(stash_resource(f.stash, f.arena, i, &resource, &f.err), "%s", f.err.msg);
        cr_assert(stash_origin(f.stash, f.arena, i, &origin, &f.err), "%s", f.err.msg);
        cr_expect(str_is(resource.kind, wants[i][0]));
        cr_expect(str_is(resource.origin, i == 1 ? "/apis/example.com/v1/widget" : wants[i][1]), "%.*s",
                  STR_ARG(resource.origin));
        cr_expect(str_eq(resource.origin, origin));
    }
    close_fixture(&f);
}

Test(stash, types_that_become_known_after_their_objects_count)
{
    struct fixture f;
    open_empty(&f);
    put(&f, "v1", "Thing", "t", "x");
    put(&f, "old/v1", "Thing", "t", "x");
    put(&f, "old/v2", "Thing", "u", "x");
    put(&f, "example.com/v1", "Widget", "w", "x");
    *ARENA_PUSH(f.arena, &f.stash->about.types) = (struct resource_type){
        .group = STR("example.com"), .version = STR("v1"), .kind = STR("Widget"), .plural = STR("widgetry")};
    cr_assert(stash_finish(f.stash, &f.err), "%s", f.err.msg);
    static const char *const plurals[] = {"things", "widgetry", "things", "things"};
    static const char *const versions[] = {"v1", "v1", "v1", "v2"};
    for (size_t i = 0; i < 4; i++) {
        cr_expect(str_is(stash_object(f.stash, i).type->plural, plurals[i]));
        cr_expect(str_is(stash_object(f.stash, i).type->version, versions[i]));
    }
    const struct resource_types *known = &stash_about(f.stash)->types;
    cr_assert_eq(known->count, 3, "a version that nobody told of stays inside");
    cr_expect_eq(known->items[0].count + known->items[1].count + known->items[2].count, 3);
    close_fixture(&f);
}

Test(stash, of_objects_that_come_twice_the_first_counts_in_whatever_version)
{
    struct fixture f;
    struct resource resource;
    open_empty(&f);
    put(&f, "old/v2", "Thing", "t", "first.yaml:1");
    put(&f, "v1", "Thing", "t", "core.yaml:9");
    put(&f, "old/v1", "Thing", "t", "second.yaml:7");
    put(&f, "old/v2", "Thing", "t", "third.yaml:8");
    cr_assert(stash_finish(f.stash, &f.err), "%s", f.err.msg);
    cr_assert_eq(stash_count(f.stash), 2);
    cr_assert(stash_resource(f.stash, f.arena, 1, &resource, &f.err));
    cr_expect(str_is(resource.api_version, "old/v2") && str_is(resource.origin, "first.yaml:1"));
    const struct str_list *problems = &stash_about(f.stash)->problems;
    cr_assert_eq(problems->count, 2);
    cr_expect(str_is(problems->items[0],
                     "second.yaml:7: n/Thing/t is there already (first.yaml:1); the first "
                     "one counts"),
              "%.*s", STR_ARG(problems->items[0]));
    cr_expect(str_starts(problems->items[1], STR("third.yaml:8: ")));
    close_fixture(&f);
}

Test(stash, takes_json_as_it_is)
{
    static const char json[] = "{\"apiVersion\":\"v1\", \"kind\":\"Thing\", \"metadata\":{\"name\":\"x\"}}";
    struct fixture f;
    struct buf text CLEANUP(buf_done);
    buf_init(&text, 1000);
    open_empty(&f);
    struct resource resource = parse(&f, json);
    resource.object = NULL;
    cr_assert(stash_put_text(f.stash, &resource, str_of(json), &f.err), "%s", f.err.msg);
    cr_assert(stash_put_document(f.stash, STR("api/v1"), STR("{ }"), &f.err), "%s", f.err.msg);
    cr_assert(stash_finish(f.stash, &f.err), "%s", f.err.msg);
    cr_assert(stash_read(f.stash, 0, &text, &f.err), "%s", f.err.msg);
    cr_expect(str_is(buf_view(&text), json));
    cr_assert(stash_read_document(f.stash, 0, &text, &f.err), "%s", f.err.msg);
    cr_expect(str_is(buf_view(&text), "{ }"));
    close_fixture(&f);
}
