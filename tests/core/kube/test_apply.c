/* Server-side apply and delete as they go over the wire. */
#include <criterion/criterion.h>
#include <string.h>

#include "core/base/json.h"
#include "tests/harness/kube_fixture.h"

Test(apply, an_object_goes_out_as_it_is_and_conflicts_name_the_manager_and_the_field)
{
    struct kube_fixture f;
    const struct value *object, *made = NULL;
    struct resource resource;
    const struct resource_type type = {
        .group = STR("apps"), .version = STR("v1"), .plural = STR("deployments"), .namespaced = true};
    kube_fixture_open(&f, "apply", NULL);
    cr_assert(json_parse(f.arena,
                         STR("{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":"
                             "\"web\",\"namespace\":\"shop\"},\"spec\":{}}"),
                         NULL, &object, &f.err));
    cr_assert(resource_from(object, STR_NONE, &resource, &f.err));

    cr_expect(kube_apply(f.kube, f.arena, &type, &resource, &(struct kube_apply){0}, &made, &f.err), "%s",
              f.err.msg);
    cr_expect(str_is(value_str_in(made, PATH("metadata", "uid")), "1"));

    const struct kube_apply how = {.field_manager = "drill/1", .force = true, .dry_run = true};
    cr_expect_not(kube_apply(f.kube, f.arena, &type, &resource, &how, &made, &f.err));
    cr_expect_eq(f.err.code, ERR_CONFLICT);
    cr_expect_str_eq(f.err.msg, "apply shop/Deployment/web: HTTP 409: Apply failed with 1 conflict: conflict "
                                "with \"kubectl\" using apps/v1: .spec.replicas");
    cr_expect(kube_delete(f.kube, f.arena, &type, STR("shop"), STR("web"), &f.err), "%s", f.err.msg);
    kube_fixture_close(&f);
}
