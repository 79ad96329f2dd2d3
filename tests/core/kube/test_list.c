/* Lists page by page: one moment or none, and apiVersion and kind put back. */
#include <criterion/criterion.h>
#include <string.h>

#include "core/base/json.h"
#include "tests/harness/kube_fixture.h"

static const struct resource_type PODS = {.version = STR_INIT("v1"),
                                          .plural = STR_INIT("pods"),
                                          .kind = STR_INIT("Pod"),
                                          .namespaced = true,
                                          .listable = true};

Test(list, pages_become_one_list_of_whole_objects)
{
    static const char *const wants[] = {
        "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"one\",\"namespace\":\"shop\"},"
        "\"spec\":{\"x\":1e3}}",
        "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"two\"}}",
        "{\"apiVersion\":\"v1\",\"kind\":\"Odd\",\"metadata\":{\"name\":\"three\"}}",
    };
    struct kube_fixture f;
    struct kube_list list;
    kube_fixture_open(&f, "list-pages", NULL);
    cr_assert(kube_list(f.kube, f.arena, &PODS, STR("shop"), STR("100"), &list, &f.err), "%s", f.err.msg);
    cr_assert_eq(list.count, COUNT_OF(wants));
    for (size_t i = 0; i < list.count; i++) {
        struct str got = json_text(f.arena, list.items[i]);
        cr_expect(str_is(got, wants[i]), "%.*s", STR_ARG(got));
    }
    cr_expect(str_is(list.resource_version, "100"));
    kube_fixture_close(&f);
}

Test(list, an_expired_token_starts_the_list_again)
{
    struct kube_fixture f;
    struct kube_list list;
    kube_fixture_open(&f, "list-expired", NULL);
    cr_assert(kube_list(f.kube, f.arena, &PODS, STR_NONE, STR_NONE, &list, &f.err), "%s", f.err.msg);
    cr_assert_eq(list.count, 2);
    cr_expect(str_is(value_str_in(list.items[0], PATH("metadata", "name")), "one"));
    cr_expect(str_is(list.resource_version, "200"));
    kube_fixture_close(&f);
}

Test(list, but_not_for_ever)
{
    struct kube_fixture f;
    struct kube_list list;
    kube_fixture_open(&f, "list-always-expired", NULL);
    cr_expect_not(kube_list(f.kube, f.arena, &PODS, STR_NONE, STR_NONE, &list, &f.err));
    cr_expect_eq(f.err.code, ERR_GONE);
    cr_expect_str_eq(f.err.msg, "list pods: HTTP 410: too old");
    cr_expect_eq(wire_requests(f.wire), 8, "four starts of two pages");
    kube_fixture_close(&f);
}

Test(list, pages_of_different_moments_are_read_again_and_what_is_no_list_is_refused)
{
    struct kube_fixture f;
    struct kube_list list;
    kube_fixture_open(&f, "list-strange", NULL);
    cr_assert(kube_list(f.kube, f.arena, &PODS, STR_NONE, STR_NONE, &list, &f.err), "%s", f.err.msg);
    cr_expect(str_is(list.resource_version, "102"));
    cr_expect_eq(list.count, 1);
    cr_expect(str_is(value_str_in(list.items[0], PATH("metadata", "name")), "two"));
    for (int i = 0; i < 2; i++) {
        cr_expect_not(kube_list(f.kube, f.arena, &PODS, STR_NONE, STR_NONE, &list, &f.err));
        cr_expect_eq(f.err.code, ERR_CORRUPT);
    }
    kube_fixture_close(&f);
}
