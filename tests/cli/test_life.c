/* The life of backups on the command line: compared, checked, thinned out. */
#include <criterion/criterion.h>

#include "core/base/files.h"
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

Test(life, prune_removes_by_rules_and_says_why_each_one_stays)
{
    struct shop shop = open_shop();
    for (int i = 0; i < 3; i++)
        cr_assert_eq(PIPE(&shop, "backup", "-q").status, 0);
    expect_refused(PIPE(&shop, "prune", "-q"), 2, "nothing says which backups to keep");
    expect_refused(PIPE(&shop, "prune", "--keep-last", "-1", "-q"), 2, "--keep-last wants a number");
    expect_refused(PIPE(&shop, "prune", "--keep-within", "30", "-q"), 2, "--keep-within wants a duration");
    expect_refused(PIPE(&shop, "prune", "--keep-last", "1", "--cluster", "other", "-q"), 4,
                   "no backups of other");

    struct program_result dry = PIPE(&shop, "prune", "--keep-last", "1", "--dry-run", "-q");
    cr_expect_eq(dry.status, 0, "%.*s", STR_ARG(dry.err));
    cr_expect(str_contains(dry.out, STR("newest complete, last")), "%.*s", STR_ARG(dry.out));
    cr_expect(str_contains(dry.out, STR("no rule keeps it")), "%.*s", STR_ARG(dry.out));
    cr_expect(str_contains(dry.out, STR("shop  dry run, would remove 2 of 3 backups")), "%.*s",
              STR_ARG(dry.out));
    cr_expect_eq(value_count(json_of(&shop, PIPE(&shop, "list", "-o", "json", "-q"))), 3);

    struct program_result done =
        PIPE(&shop, "prune", "--keep-last", "1", "--grace", "0s", "-q", "-o", "json");
    cr_expect_eq(done.status, 0, "%.*s", STR_ARG(done.err));
    cr_expect(str_is(value_text(value_in(json_of(&shop, done), PATH("removed", "backups"))), "2"));
    cr_expect_eq(value_count(json_of(&shop, PIPE(&shop, "list", "-o", "json", "-q"))), 1);
    cr_expect_eq(PIPE(&shop, "verify", "latest", "-q").status, 0);
    close_shop(&shop);
}

Test(life, prune_takes_its_rules_from_the_configuration)
{
    struct shop shop = open_shop();
    struct err err;
    struct str config;
    cr_assert(file_read(shop.arena, in_shop(&shop, "gitops-pipe.yaml"), 65536, &config, &err), "%s", err.msg);
    put_in_shop(&shop, "gitops-pipe.yaml",
                str_c(shop.arena, str_fmt(shop.arena, "%.*skeep: {last: 2, grace: 0s}\n", STR_ARG(config))));
    for (int i = 0; i < 3; i++)
        cr_assert_eq(PIPE(&shop, "backup", "-q").status, 0);
    cr_expect_eq(PIPE(&shop, "prune", "-q").status, 0);
    cr_expect_eq(value_count(json_of(&shop, PIPE(&shop, "list", "-o", "json", "-q"))), 2);
    close_shop(&shop);
}

Test(life, verify_reads_hashes_and_deep_parses_every_object)
{
    struct shop shop = open_shop();
    cr_assert_eq(PIPE(&shop, "backup", "-q").status, 0);
    struct program_result hashes = PIPE(&shop, "verify", "latest", "-q");
    cr_expect_eq(hashes.status, 0, "%.*s", STR_ARG(hashes.err));
    cr_expect(str_contains(hashes.out, STR("clean · ")), "%.*s", STR_ARG(hashes.out));
    cr_expect_not(str_contains(hashes.out, STR("objects")), "%.*s", STR_ARG(hashes.out));
    const struct value *deep = json_of(&shop, PIPE(&shop, "verify", "latest", "--deep", "-q", "-o", "json"));
    const struct value *shown = json_of(&shop, PIPE(&shop, "show", "latest", "-q", "-o", "json"));
    cr_expect(str_eq(value_text(value_key(deep, "objects")), value_text(value_key(shown, "objects"))));
    cr_expect(value_true(value_key(deep, "clean")) && value_true(value_key(deep, "deep")));

    struct program_result text = PIPE(&shop, "show", "latest", "-q");
    cr_expect(str_contains(text.out, STR("(cluster-scoped)")), "%.*s", STR_ARG(text.out));
    cr_expect(str_contains(text.out, STR("  production-simulation  ")), "%.*s", STR_ARG(text.out));
    close_shop(&shop);
}
