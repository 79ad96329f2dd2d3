/* Resources and bundles: identity, order, types without a server. */
#include "core/kube/bundle.h"

#include <criterion/criterion.h>
#include <string.h>

#include "core/base/json.h"

static const struct value *parse(struct arena *arena, const char *text)
{
    const struct value *value;
    struct err err;
    cr_assert(json_parse(arena, str_of(text), NULL, &value, &err), "%s: %s", text, err.msg);
    return value;
}

Test(resource, says_what_is_missing)
{
    static const struct {
        const char *json, *message; /* NULL: it is a resource */
    } cases[] = {
        {"{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"p\",\"namespace\":\"n\"}}", NULL},
        {"{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"p\",\"namespace\":null}}", NULL},
        {"[]", "f:1: not a Kubernetes object: a map with apiVersion, kind and metadata"},
        {"{\"kind\":\"Pod\"}", "f:1: apiVersion is missing or not a string"},
        {"{\"apiVersion\":1,\"kind\":\"Pod\"}", "f:1: apiVersion is missing or not a string"},
        {"{\"apiVersion\":\"v1\"}", "f:1: kind is missing or not a string"},
        {"{\"apiVersion\":\"v1\",\"kind\":\"Pod\"}", "f:1: metadata.name is missing or not a string"},
        {"{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":1}}",
         "f:1: metadata.name is missing or not a string"},
        {"{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"generateName\":\"p-\"}}",
         "f:1: metadata.name is missing (generateName makes a new object every time)"},
        {"{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"p\",\"namespace\":1}}",
         "f:1: metadata.namespace is not a string"},
    };
    struct arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct resource resource;
        struct err err;
        bool ok = resource_from(parse(arena, cases[i].json), STR("f:1"), &resource, &err);
        cr_expect_eq(ok, cases[i].message == NULL, "%s", cases[i].json);
        cr_expect(ok || strcmp(err.msg, cases[i].message) == 0, "%s", err.msg);
    }
    arena_free(arena);
}

static struct resource make(const char *api_version, const char *kind, const char *namespace,
                            const char *name)
{
    return (struct resource){.api_version = str_of(api_version),
                             .kind = str_of(kind),
                             .namespace = str_of(namespace),
                             .name = str_of(name),
                             .origin = str_of(api_version)};
}

Test(resource, names_and_groups)
{
    struct arena *arena = arena_new();
    struct resource web = make("apps/v1", "Deployment", "shop", "web"),
                    role = make("v1", "Namespace", "", "shop");
    cr_expect(str_is(resource_group(&web), "apps") && str_is(resource_version(&web), "v1"));
    cr_expect(str_is(resource_group(&role), "") && str_is(resource_version(&role), "v1"));
    cr_expect(resource_is(&web, "apps", "Deployment") && !resource_is(&web, "", "Deployment"));
    cr_expect(str_is(resource_label(arena, &web), "shop/Deployment/web"));
    cr_expect(str_is(resource_label(arena, &role), "Namespace/shop"));
    arena_free(arena);
}

Test(resource, built_in_types_are_known)
{
    const struct resource_types *types = resource_builtin_types();
    const struct resource_type *type = resource_type_find(types, STR("apps"), STR("Deployment"));
    cr_assert_not_null(type);
    cr_expect(str_is(type->plural, "deployments") && str_is(type->singular, "deployment") &&
              type->namespaced && type->has_status);
    type = resource_type_find_plural(types, STR("rbac.authorization.k8s.io"), STR("clusterroles"));
    cr_expect(type != NULL && !type->namespaced && str_is(type->kind, "ClusterRole"));
    cr_expect_null(resource_type_find(types, STR(""), STR("Deployment")));
    cr_expect_null(resource_type_find_plural(types, STR("apps"), STR("pods")));
    for (size_t i = 0; i < types->count; i++)
        for (size_t j = 0; j < i; j++)
            cr_expect_not(str_eq(types->items[i].kind, types->items[j].kind) &&
                          str_eq(types->items[i].group, types->items[j].group));
}

Test(resource, crds_declare_types)
{
    static const char *const crd = "{\"kind\":\"CustomResourceDefinition\",\"spec\":{\"group\":\"x.io\","
                                   "\"scope\":\"%s\",\"names\":{\"kind\":\"Widget\","
                                   "\"plural\":\"widgets\"},\"versions\":[{\"name\":\"v1\",\"served\":true},{"
                                   "\"name\":\"v2\",\"storage\":true,"
                                   "\"subresources\":{\"status\":{}}}]}}";
    struct arena *arena = arena_new();
    struct resource_types types = {0};
    struct buf text CLEANUP(buf_done);
    buf_init(&text, 1000);
    for (size_t i = 0; crd[i] != '\0'; i++)
        if (crd[i] == '%')
            buf_text(&text, "Cluster");
        else if (i == 0 || crd[i - 1] != '%')
            buf_char(&text, crd[i]);
    buf_char(&text, '\0');
    resource_types_add_crd(arena, &types, parse(arena, text.ptr));
    resource_types_add_crd(arena, &types, parse(arena, text.ptr)); /* twice is once */
    resource_types_add_crd(arena, &types, parse(arena, "{\"kind\":\"Pod\"}"));
    resource_types_add_crd(arena, &types, parse(arena, "{\"kind\":\"CustomResourceDefinition\"}"));
    cr_assert_eq(types.count, 1);
    cr_expect(str_is(types.items[0].version, "v2") && str_is(types.items[0].singular, "widget"));
    cr_expect(!types.items[0].namespaced && types.items[0].has_status && types.items[0].listable);
    arena_free(arena);
}

Test(bundle, is_sorted_found_and_without_doubles)
{
    struct arena *arena = arena_new();
    struct bundle bundle;
    size_t from, to;
    bundle_init(&bundle, arena);
    bundle_sort(&bundle);
    const struct resource in[] = {
        make("apps/v1", "Deployment", "b", "z"),
        make("v1", "Service", "b", "a"),
        make("v1", "Namespace", "", "b"),
        make("apps/v1", "Deployment", "b", "a"),
        make("v1", "Pod", "a", "p"),
        make("apps/v1beta1", "Deployment", "b", "z"),
    };
    for (size_t i = 0; i < COUNT_OF(in); i++)
        bundle_add(&bundle, &in[i]);
    bundle_sort(&bundle);
    struct buf order CLEANUP(buf_done);
    buf_init(&order, 1000);
    for (size_t i = 0; i < bundle.count; i++)
        buf_fmt(&order, "%.*s;", STR_ARG(resource_label(arena, &bundle.items[i])));
    cr_expect(str_is(buf_view(&order), "Namespace/b;a/Pod/p;b/Service/a;b/Deployment/a;b/Deployment/z;"),
              "%.*s", STR_ARG(buf_view(&order)));
    cr_assert_eq(bundle.problems.count, 1);
    cr_expect(str_is(bundle.problems.items[0],
                     "apps/v1beta1: b/Deployment/z is there already (apps/v1); the first one counts"));
    const struct resource *found = bundle_find(&bundle, STR("apps"), STR("Deployment"), STR("b"), STR("z"));
    cr_expect(found != NULL && str_is(found->api_version, "apps/v1"));
    cr_expect_null(bundle_find(&bundle, STR(""), STR("Deployment"), STR("b"), STR("z")));
    bundle_namespace(&bundle, STR("b"), &from, &to);
    cr_expect(from == 2 && to == 5);
    bundle_namespace(&bundle, STR("aa"), &from, &to);
    cr_expect(from == to);
    for (size_t i = 1; i < bundle.count; i++)
        cr_expect_lt(resource_cmp(&bundle.items[i - 1], &bundle.items[i]), 0);
    arena_free(arena);
}
