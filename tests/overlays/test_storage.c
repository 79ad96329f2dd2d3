/* A cluster with other storage classes: what an environment makes of those that are named. */
#include <criterion/criterion.h>

#include "core/base/json.h"
#include "core/base/pointer.h"
#include "tests/overlays/fixture.h"

#define CLASS(name)                                                                                          \
    "apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: " name                              \
    "}\nprovisioner: openebs.io/local\n---\n"
#define CLAIM(name, spec)                                                                                    \
    "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: " name                                    \
    ", namespace: shop}\nspec: {accessModes: [ReadWriteOnce]" spec "}\n---\n"

static const char estate[] = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n---\n" CLASS("slow")
    CLASS("ssd") CLASS("kept") CLAIM("a", ", storageClassName: ssd") CLAIM("b", ", storageClassName: slow")
        CLAIM("c", "") CLAIM("d", ", storageClassName: ''")
            CLAIM("e", ", storageClassName: kept") "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: "
                                                   "db, namespace: shop}\n"
                                                   "spec: {serviceName: db, selector: {matchLabels: {a: b}}, "
                                                   "template: {metadata: {labels: {a: b}}, spec: "
                                                   "{containers: [{name: a, image: a}]}}, "
                                                   "volumeClaimTemplates: [{metadata: {name: x}, spec: "
                                                   "{storageClassName: ssd}}, {metadata: {name: y}, spec: "
                                                   "{storageClassName: slow}}]}\n---\n"
                                                   "apiVersion: minio.min.io/v2\nkind: Tenant\nmetadata: "
                                                   "{name: t, namespace: shop}\n"
                                                   "spec: {pools: [{volumeClaimTemplate: {spec: "
                                                   "{storageClassName: ssd}}}]}\n";

static const struct value *object_of(struct bundle *bundle, const char *group, const char *kind,
                                     const char *namespace, const char *name)
{
    const struct resource *found =
        bundle_find(bundle, str_of(group), str_of(kind), str_of(namespace), str_of(name));
    return found ? found->object : NULL;
}

static void expect_class(struct bundle *bundle, const char *group, const char *kind, const char *name,
                         const char *pointer, const char *want)
{
    const struct value *object = object_of(bundle, group, kind, "shop", name);
    cr_assert_not_null(object, "%s/%s", kind, name);
    const struct value *class = pointer_get(object, str_of(pointer));
    if (want == NULL)
        cr_expect_null(class, "%s/%s", kind, name);
    else
        cr_expect(class != NULL && str_is(value_str(class), want), "%s/%s%s: %.*s", kind, name, pointer,
                  STR_ARG(value_str(class)));
}

static void map_classes(struct overlays_fixture *f, const char *map, const char *other)
{
    struct config_environment *dev = &f->config.environments.items[0];
    cr_assert(json_parse(f->arena, str_of(map), NULL, &dev->storage_class_map, &f->err), "%s", f->err.msg);
    dev->storage_class_default = str_of(other);
}

static void expect_verified(struct overlays_fixture *f, int64_t want)
{
    const struct value *steps;
    const char *list;
    int64_t explained = 0;
    cr_expect_eq(overlays_fixture_verify(f, &f->run.files, 0, &list, &steps), 0, "%s", list);
    value_i64(value_key(steps, "storage classes"), &explained);
    cr_expect_eq(explained, want, "%lld", (long long)explained);
}

Test(overlays_storage, a_mapped_class_is_named_wherever_it_was_and_left_out_itself)
{
    struct overlays_fixture f;
    struct bundle dev, prod;
    overlays_fixture_init(&f);
    map_classes(&f, "{\"ssd\": \"gp3\"}", "");
    overlays_fixture_stage(&f, estate);
    overlays_fixture_render(&f, "dev", &dev);
    overlays_fixture_render(&f, "prod", &prod);
    expect_class(&dev, "", "PersistentVolumeClaim", "a", "/spec/storageClassName", "gp3");
    expect_class(&dev, "", "PersistentVolumeClaim", "b", "/spec/storageClassName", "slow");
    expect_class(&dev, "apps", "StatefulSet", "db", "/spec/volumeClaimTemplates/0/spec/storageClassName",
                 "gp3");
    expect_class(&dev, "apps", "StatefulSet", "db", "/spec/volumeClaimTemplates/1/spec/storageClassName",
                 "slow");
    expect_class(&dev, "minio.min.io", "Tenant", "t",
                 "/spec/pools/0/volumeClaimTemplate/spec/storageClassName", "gp3");
    cr_expect_null(object_of(&dev, "storage.k8s.io", "StorageClass", "", "ssd"));
    cr_expect_not_null(object_of(&dev, "storage.k8s.io", "StorageClass", "", "slow"));
    expect_class(&prod, "", "PersistentVolumeClaim", "a", "/spec/storageClassName", "ssd");
    cr_expect_not_null(object_of(&prod, "storage.k8s.io", "StorageClass", "", "ssd"));
    expect_verified(&f, 4);
    overlays_fixture_done(&f);
}

Test(overlays_storage, the_default_is_for_every_class_that_is_not_mapped)
{
    struct overlays_fixture f;
    struct bundle dev;
    overlays_fixture_init(&f);
    map_classes(&f, "{\"ssd\": \"gp3\", \"kept\": \"kept\"}", "standard");
    overlays_fixture_stage(&f, estate);
    overlays_fixture_render(&f, "dev", &dev);
    expect_class(&dev, "", "PersistentVolumeClaim", "a", "/spec/storageClassName", "gp3");
    expect_class(&dev, "", "PersistentVolumeClaim", "b", "/spec/storageClassName", "standard");
    expect_class(&dev, "", "PersistentVolumeClaim", "c", "/spec/storageClassName", NULL);
    expect_class(&dev, "", "PersistentVolumeClaim", "d", "/spec/storageClassName", "");
    expect_class(&dev, "", "PersistentVolumeClaim", "e", "/spec/storageClassName", "kept");
    cr_expect_null(object_of(&dev, "storage.k8s.io", "StorageClass", "", "slow"));
    cr_expect_not_null(object_of(&dev, "storage.k8s.io", "StorageClass", "", "kept"));
    expect_verified(&f, 7);
    overlays_fixture_done(&f);
}
