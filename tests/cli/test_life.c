/* The life of backups on the command line: compared, checked, thinned out. */
#include <criterion/criterion.h>

#include "tests/cli/shop.h"

Test(life, diff_says_what_changed_with_status_1_and_nothing_with_0)
{
    struct shop shop = open_shop();
    cr_assert_eq(PIPE(&shop, "backup", "-q").status, 0);
    struct program_result same = PIPE(&shop, "diff", "latest", "cluster", "-q");
    cr_expect_eq(same.status, 0, "%.*s%.*s", STR_ARG(same.out), STR_ARG(same.err));
    cr_expect(str_contains(same.out, STR("0 added · 0 removed · 0 changed")), "%.*s", STR_ARG(same.out));

    put_in_shop(&shop, "one.yaml",
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one, namespace: shop}\ndata: {a: b}\n");
    put_in_shop(
        &shop, "two.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one, namespace: shop}\ndata: {a: c, d: e}\n"
        "---\napiVersion: v1\nkind: Secret\nmetadata: {name: two, namespace: shop}\n"
        "stringData: {password: hunter2}\n");
    struct program_result differ = PIPE(&shop, "diff", "one.yaml", "two.yaml", "-q");
    cr_expect_eq(differ.status, 1);
    cr_expect_eq(differ.err.len, 0, "%.*s", STR_ARG(differ.err));
    cr_expect(str_contains(differ.out, STR("  ~ shop/ConfigMap/one\n      /data/a  b → c\n"
                                           "      /data/d  added: e\n  + shop/Secret/two\n")),
              "%.*s", STR_ARG(differ.out));
    cr_expect_not(str_contains(differ.out, STR("hunter2")), "%.*s", STR_ARG(differ.out));
    const struct value *json =
        json_of(&shop, PIPE(&shop, "diff", "one.yaml", "two.yaml", "-q", "-o", "json"));
    cr_expect(str_is(value_text(value_key(json, "added")), "1"));
    close_shop(&shop);
}

Test(life, diff_takes_the_overlay_of_a_repository)
{
    struct shop shop = open_shop();
    cr_assert_eq(PIPE(&shop, "backup", "-q").status, 0);
    cr_assert_eq(PIPE(&shop, "convert", "latest", "--out", "repo", "-q").status, 0);
    struct program_result result = PIPE(&shop, "diff", "repo", "repo/overlays/prod", "-q");
    cr_expect_eq(result.status, 0, "%.*s%.*s", STR_ARG(result.out), STR_ARG(result.err));
    result = PIPE(&shop, "diff", "repo", "repo", "-e", "nowhere", "-q");
    cr_expect_eq(result.status, 4, "%.*s%.*s", STR_ARG(result.out), STR_ARG(result.err));
    close_shop(&shop);
}
