/* An outline has everybody, and of each what others ask about. */
#include <criterion/criterion.h>

#include "core/base/json.h"
#include "core/kube/outline.h"

static const char objects[] =
    "apiVersion: v1\n"
    "kind: Namespace\n"
    "metadata: {name: shop, labels: {team: a}}\n"
    "---\n"
    "apiVersion: v1\n"
    "kind: ConfigMap\n"
    "metadata: {name: settings, namespace: shop, labels: {app: web}}\n"
    "data: {key: value}\n"
    "---\n"
    "apiVersion: v1\n"
    "kind: Service\n"
    "metadata: {name: web, namespace: shop, labels: {a: b}}\n"
    "spec: {selector: {app: web}, ports: [{port: 80}], type: NodePort}\n"
    "---\n"
    "apiVersion: apps/v1\n"
    "kind: Deployment\n"
    "metadata: {name: web, namespace: shop}\n"
    "spec: {replicas: 2, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c}]}}}\n";

static const struct {
    const char *name, *kind, *left; /* NULL: only the identity */
} wants[] = {
    {"shop", "Namespace",
     "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"shop\",\"labels\":{"
     "\"team\":\"a\"}}}"},
    {"settings", "ConfigMap", NULL},
    {"web", "Service", "{\"metadata\":{\"labels\":{\"a\":\"b\"}},\"spec\":{\"ports\":[{\"port\":80}]}}"},
    {"web", "Deployment", NULL},
};

Test(outline, keeps_identities_and_the_fields_of_its_table_alone)
{
    struct arena *arena = arena_new(), *passing = arena_new();
    struct bundle bundle, outline;
    struct err err;
    bundle_init(&bundle, passing);
    bundle_init(&outline, arena);
    cr_assert(bundle_read_text(&bundle, str_of(objects), STR("in.yaml"), &err), "%s", err.msg);
    bundle_sort(&bundle);
    for (size_t i = 0; i < bundle.count; i++)
        outline_add(&outline, &bundle.items[i]);
    arena_free(passing); /* an outline needs nothing of what it was made from */
    cr_assert_eq(outline.count, COUNT_OF(wants));
    for (size_t i = 0; i < COUNT_OF(wants); i++) {
        const struct resource *found = NULL;
        for (size_t j = 0; j < outline.count; j++)
            if (str_is(outline.items[j].name, wants[i].name) && str_is(outline.items[j].kind, wants[i].kind))
                found = &outline.items[j];
        cr_assert_not_null(found, "%s", wants[i].name);
        if (wants[i].left == NULL)
            cr_expect_null(found->object, "%s", wants[i].name);
        else
            cr_expect(str_is(json_text(arena, found->object), wants[i].left), "%s: %.*s", wants[i].name,
                      STR_ARG(json_text(arena, found->object)));
    }
    arena_free(arena);
}
