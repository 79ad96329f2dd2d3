/* What is declared comes back part by part, from disk as from memory, and the Secrets apart from the rest. */
#include <criterion/criterion.h>

#include "core/kube/declared.h"

static const char objects[] = "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n---\n"
                              "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, namespace: a}\n---\n"
                              "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: z, namespace: b}\n";
static const char secrets[] =
    "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: c}\ndata: {k: dg==}\n";

struct fixture {
    struct arena *arena;
    struct bundle objects, secrets;
    struct declared of[2]; /* bundles, disk */
    struct err err;
};

/* Part after part, as transform hands them in. */
static void fill(struct fixture *f, struct declared *declared)
{
    struct bundle nothing;
    struct parts parts;
    bundle_init(&nothing, f->arena);
    parts_of_bundle(f->arena, &f->objects, &parts);
    for (size_t i = 0; i < parts.count; i++) {
        struct bundle part;
        cr_assert(parts_take(&parts, i, f->arena, &part, &f->err));
        cr_assert(declared_add(declared, &part, &nothing, &f->err), "%s", f->err.msg);
    }
    cr_assert(declared_add(declared, &nothing, &f->secrets, &f->err), "%s", f->err.msg);
    cr_assert(declared_finish(declared, &f->err), "%s", f->err.msg);
}

static void open_fixture(struct fixture *f)
{
    *f = (struct fixture){.arena = arena_new()};
    bundle_init(&f->objects, f->arena);
    bundle_init(&f->secrets, f->arena);
    cr_assert(bundle_read_text(&f->objects, str_of(objects), STR("in.yaml"), &f->err));
    cr_assert(bundle_read_text(&f->secrets, str_of(secrets), STR("in.yaml"), &f->err));
    bundle_sort(&f->objects);
    f->objects.backup_id = STR("id");
    declared_of_bundles(f->arena, &f->objects, &f->secrets, &f->of[0]);
    struct parts live;
    parts_of_bundle(f->arena, &f->objects, &live);
    cr_assert(declared_open(f->arena, NULL, &live, &f->of[1], &f->err), "%s", f->err.msg);
    fill(f, &f->of[1]);
}

Test(declared, is_the_same_from_disk_as_from_memory)
{
    struct fixture f;
    open_fixture(&f);
    for (size_t i = 0; i < COUNT_OF(f.of); i++) {
        const struct declared *declared = &f.of[i];
        struct bundle part;
        cr_expect_eq(declared->objects.count, 3u); /* the cluster, a, b */
        cr_expect_eq(declared->secrets.count, 1u);
        cr_expect_eq(parts_find(&declared->objects, STR("c")), declared->objects.count);
        cr_assert(
            parts_take(&declared->secrets, parts_find(&declared->secrets, STR("c")), f.arena, &part, &f.err));
        cr_assert_eq(part.count, 1u);
        cr_expect(str_is(value_str_in(part.items[0].object, PATH("data", "k")), "dg=="));
        cr_expect(str_is(declared->outline.backup_id, "id"));
        cr_assert_eq(declared->outline.count, 3u);
        for (size_t j = 0; j < declared->outline.count; j++)
            cr_expect_eq(resource_cmp(&declared->outline.items[j], &f.objects.items[j]), 0);
    }
    declared_close(&f.of[0]);
    declared_close(&f.of[1]);
    arena_free(f.arena);
}
