/* Parts: a bundle and a stash of it show the same cluster, piece by piece. */
#include <criterion/criterion.h>

#include "core/base/json.h"
#include "core/kube/parts.h"

struct fixture {
    struct arena *arena;
    struct bundle bundle;
    struct stash *stash;
    struct parts of[2]; /* the bundle, the stash */
    struct err err;
};

static void add(struct fixture *f, const char *api_version, const char *kind, const char *namespace,
                const char *name)
{
    struct resource resource;
    const struct value *object = VALUE_MAP(
        f->arena, {"apiVersion", value_cstr(f->arena, api_version)}, {"kind", value_cstr(f->arena, kind)},
        {"metadata", VALUE_MAP(f->arena, {"name", value_cstr(f->arena, name)},
                               {"namespace", namespace ? value_cstr(f->arena, namespace) : NULL})});
    cr_assert(resource_from(object, STR("test"), &resource, &f->err), "%s", f->err.msg);
    bundle_add(&f->bundle, &resource);
}

static void open_fixture(struct fixture *f)
{
    *f = (struct fixture){.arena = arena_new()};
    bundle_init(&f->bundle, f->arena);
    add(f, "v1", "ConfigMap", "shop", "b");
    add(f, "v1", "Namespace", NULL, "shop");
    add(f, "apps/v1", "Deployment", "shop", "web");
    add(f, "v1", "ConfigMap", "edge", "a");
    add(f, "v1", "ConfigMap", "shop", "a");
    f->bundle.resource_version = STR("42");
    cr_assert(json_parse(f->arena, STR("{\"apis/apps/v1\":{\"openapi\":\"3.0.0\"}}"), NULL,
                         &f->bundle.openapi, &f->err));
    bundle_sort(&f->bundle);
    cr_assert(stash_from_bundle(f->arena, NULL, &f->bundle, &f->stash, &f->err), "%s", f->err.msg);
    parts_of_bundle(f->arena, &f->bundle, &f->of[0]);
    parts_of_stash(f->arena, f->stash, &f->of[1]);
}

static void close_fixture(struct fixture *f)
{
    stash_close(f->stash);
    arena_free(f->arena);
}

Test(parts, come_cluster_scoped_first_and_then_by_namespace)
{
    static const char *const wants[] = {"", "edge", "shop"};
    static const size_t counts[] = {1, 1, 3};
    struct fixture f;
    open_fixture(&f);
    for (size_t source = 0; source < COUNT_OF(f.of); source++) {
        const struct parts *parts = &f.of[source];
        cr_assert_eq(parts->count, COUNT_OF(wants));
        cr_assert_eq(parts->objects, 5u);
        cr_assert(str_is(parts->about->resource_version, "42"));
        for (size_t i = 0; i < parts->count; i++) {
            struct bundle bundle;
            cr_assert(str_is(parts->items[i].namespace, wants[i]));
            cr_assert(parts_take(parts, i, f.arena, &bundle, &f.err), "%s", f.err.msg);
            cr_assert_eq(bundle.count, counts[i]);
            for (size_t j = 0; j < bundle.count; j++)
                cr_assert(str_is(bundle.items[j].namespace, wants[i]));
        }
    }
    close_fixture(&f);
}

Test(parts, are_found_by_their_namespace)
{
    struct fixture f;
    open_fixture(&f);
    for (size_t source = 0; source < COUNT_OF(f.of); source++) {
        cr_assert_eq(parts_find(&f.of[source], STR_NONE), 0u);
        cr_assert_eq(parts_find(&f.of[source], STR("shop")), 2u);
        cr_assert_eq(parts_find(&f.of[source], STR("nobody")), f.of[source].count);
    }
    close_fixture(&f);
}

Test(parts, list_every_kind_once)
{
    static const char *const wants[] = {"Deployment", "ConfigMap", "Namespace"};
    struct fixture f;
    open_fixture(&f);
    for (size_t source = 0; source < COUNT_OF(f.of); source++) {
        cr_assert_eq(f.of[source].kinds.count, COUNT_OF(wants));
        for (size_t i = 0; i < COUNT_OF(wants); i++)
            cr_assert(str_is(f.of[source].kinds.items[i].kind, wants[i]));
        cr_assert(str_is(f.of[source].kinds.items[0].api_version, "apps/v1"));
    }
    close_fixture(&f);
}

Test(parts, name_objects_without_parsing_them)
{
    static const char *const wants[] = {"||v1|Namespace|shop", "edge||v1|ConfigMap|a", "shop||v1|ConfigMap|a",
                                        "shop||v1|ConfigMap|b", "shop|apps|v1|Deployment|web"};
    struct fixture f;
    open_fixture(&f);
    for (size_t source = 0; source < COUNT_OF(f.of); source++) {
        const struct parts *parts = &f.of[source];
        for (size_t i = 0; i < parts->objects; i++) {
            struct parts_object o = parts_object(parts, i);
            struct str text = str_fmt(f.arena, "%.*s|%.*s|%.*s|%.*s|%.*s", STR_ARG(o.namespace),
                                      STR_ARG(o.group), STR_ARG(o.version), STR_ARG(o.kind), STR_ARG(o.name));
            cr_expect(str_is(text, wants[i]), "%.*s", STR_ARG(text));
        }
        for (size_t i = 0; i < parts->kinds.count; i++)
            cr_expect_eq(parts_kind(parts, parts->kinds.items[i].api_version, parts->kinds.items[i].kind), i);
        cr_expect_eq(parts_kind(parts, STR("apps/v2"), STR("Deployment")), parts->kinds.count);
    }
    close_fixture(&f);
}

struct seen {
    struct arena *arena;
    struct str text;
    size_t stop_at; /* 0: never */
};

static bool note(void *ctx, const struct resource *resource, struct err *err)
{
    struct seen *seen = ctx;
    struct str label = resource_label(seen->arena, resource);
    seen->text = str_fmt(seen->arena, "%.*s %.*s", STR_ARG(seen->text), STR_ARG(label));
    return --seen->stop_at != 0 || err_set(err, ERR_REFUSED, "enough");
}

Test(parts, each_visits_one_kind_or_all_until_somebody_fails)
{
    struct fixture f;
    open_fixture(&f);
    for (size_t source = 0; source < COUNT_OF(f.of); source++) {
        struct seen maps = {.arena = f.arena}, all = {.arena = f.arena}, some = {f.arena, STR_NONE, 2};
        cr_assert(parts_each(&f.of[source], "", "ConfigMap", note, &maps, &f.err));
        cr_assert(str_is(maps.text, " edge/ConfigMap/a shop/ConfigMap/a shop/ConfigMap/b"));
        cr_assert(parts_each(&f.of[source], NULL, NULL, note, &all, &f.err));
        cr_assert(str_starts(all.text, STR(" Namespace/shop edge/ConfigMap/a")));
        cr_assert_not(parts_each(&f.of[source], NULL, NULL, note, &some, &f.err));
        cr_assert_eq(f.err.code, ERR_REFUSED);
    }
    close_fixture(&f);
}

Test(parts, have_the_document_of_a_group_version)
{
    struct fixture f;
    open_fixture(&f);
    for (size_t source = 0; source < COUNT_OF(f.of); source++) {
        const struct value *document;
        cr_assert(parts_document(&f.of[source], f.arena, STR("apps/v1"), &document, &f.err));
        cr_assert(str_is(value_str(value_key(document, "openapi")), "3.0.0"));
        cr_assert(parts_document(&f.of[source], f.arena, STR("v1"), &document, &f.err));
        cr_assert_null(document);
    }
    close_fixture(&f);
}
