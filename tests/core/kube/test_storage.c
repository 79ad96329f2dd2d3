/* Where objects name a storage class. */
#include <criterion/criterion.h>

#include "core/base/pointer.h"
#include "core/kube/storage.h"

struct seen {
    struct arena *arena;
    const struct resource *resource;
    struct str text; /* "pointer=class " for each */
};

static void note(void *ctx, struct str pointer, struct str name)
{
    struct seen *seen = ctx;
    seen->text = str_fmt(seen->arena, "%.*s%.*s=%.*s ", STR_ARG(seen->text), STR_ARG(pointer), STR_ARG(name));
    cr_expect(str_eq(value_str(pointer_get(seen->resource->object, pointer)), name), "%.*s leads elsewhere",
              STR_ARG(pointer));
}

#define OBJECT(api, kind, body)                                                                              \
    "apiVersion: " api "\nkind: " kind "\nmetadata: {name: x, namespace: shop}\n" body
#define TEMPLATE(name, class) "{metadata: {name: " name "}, spec: {storageClassName: " class "}}"

static const struct {
    const char *object, *want;
    bool open;
} cases[] = {
    {OBJECT("v1", "PersistentVolumeClaim", "spec: {storageClassName: fast}"), "/spec/storageClassName=fast ",
     false},
    {OBJECT("v1", "PersistentVolumeClaim", "spec: {storageClassName: ''}"), "", false},
    {OBJECT("v1", "PersistentVolumeClaim", "spec: {accessModes: [ReadWriteOnce]}"), "", true},
    {OBJECT("v1", "PersistentVolumeClaim", "spec: {volumeName: pv-1}"), "", false},
    {OBJECT("v1", "PersistentVolumeClaim", "spec: fast"), "", true},
    {"apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: x, annotations: "
     "{volume.beta.kubernetes.io/storage-class: old}}\nspec: {}\n",
     "/metadata/annotations/volume.beta.kubernetes.io~1storage-class=old ", false},
    {"apiVersion: v1\nkind: PersistentVolume\nmetadata: {name: x}\nspec: {storageClassName: nfs}\n",
     "/spec/storageClassName=nfs ", false},
    {OBJECT("apps/v1", "StatefulSet",
            "spec: {volumeClaimTemplates: [" TEMPLATE("a", "one") ", {spec: {}}, " TEMPLATE("b", "two") "]}"),
     "/spec/volumeClaimTemplates/0/spec/storageClassName=one "
     "/spec/volumeClaimTemplates/2/spec/storageClassName=two ",
     true},
    {OBJECT("apps/v1", "Deployment",
            "spec: {template: {spec: {volumes: [{name: a, emptyDir: {}}, {name: b, ephemeral: "
            "{volumeClaimTemplate: {spec: {storageClassName: scratch}}}}]}}}"),
     "/spec/template/spec/volumes/1/ephemeral/volumeClaimTemplate/spec/storageClassName=scratch ", false},
    {OBJECT("batch/v1", "CronJob",
            "spec: {jobTemplate: {spec: {template: {spec: {volumes: [{name: b, ephemeral: "
            "{volumeClaimTemplate: {spec: {storageClassName: scratch}}}}]}}}}}"),
     "/spec/jobTemplate/spec/template/spec/volumes/0/ephemeral/volumeClaimTemplate/spec/"
     "storageClassName=scratch ",
     false},
    {OBJECT("v1", "Pod",
            "spec: {volumes: [{name: b, ephemeral: {volumeClaimTemplate: {spec: {storageClassName: s}}}}]}"),
     "/spec/volumes/0/ephemeral/volumeClaimTemplate/spec/storageClassName=s ", false},
    {OBJECT("minio.min.io/v2", "Tenant",
            "spec: {pools: [{volumeClaimTemplate: {spec: {storageClassName: ssd}}}]}"),
     "/spec/pools/0/volumeClaimTemplate/spec/storageClassName=ssd ", false},
    {OBJECT("postgresql.cnpg.io/v1", "Cluster",
            "spec: {storage: {storageClass: a}, walStorage: {storageClass: b}}"),
     "/spec/storage/storageClass=a /spec/walStorage/storageClass=b ", false},
    {OBJECT("example.com/v1", "Tenant", "spec: {storageClassName: a}"), "", false},
    {OBJECT("v1", "ConfigMap", "data: {storageClassName: a}"), "", false},
};

Test(storage, places_that_name_a_class)
{
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct seen seen = {.arena = arena_new(), .text = STR("")};
        struct bundle bundle;
        struct err err;
        bundle_init(&bundle, seen.arena);
        cr_assert(bundle_read_text(&bundle, str_of(cases[i].object), STR("test"), &err), "%s", err.msg);
        seen.resource = &bundle.items[0];
        storage_each_class(seen.arena, seen.resource, note, &seen);
        cr_expect(str_is(seen.text, cases[i].want), "%s: %.*s", cases[i].object, STR_ARG(seen.text));

        cr_expect_eq(storage_leaves_class_open(seen.resource), cases[i].open, "%s", cases[i].object);
        arena_free(seen.arena);
    }
}
