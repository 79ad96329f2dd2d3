/* convert --verify as people run it: it passes on what it wrote, and fails on what it did not. */
#include <criterion/criterion.h>
#include <sys/stat.h>

#include "tests/cli/shop.h"

Test(round_trip, convert_verifies_what_it_wrote)
{
    struct shop shop = open_shop();
    cr_assert_eq(PIPE(&shop, "backup", "-q").status, 0);
    struct program_result clean = PIPE(&shop, "convert", "latest", "--out", "repo", "--verify", "-q");
    cr_expect_eq(clean.status, 0, "%.*s", STR_ARG(clean.err));
    cr_expect(str_contains(clean.out, STR("round trip: 0 unexplained differences;")), "%.*s",
              STR_ARG(clean.out));

    /* Somebody put an object of their own among the files. */
    cr_assert_eq(mkdir(in_shop(&shop, "repo/base/extra"), 0755), 0);
    put_in_shop(&shop, "repo/base/extra/kustomization.yaml", "resources: [map.yaml]\n");
    put_in_shop(&shop, "repo/base/extra/map.yaml",
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: extra, namespace: extra}\n");
    struct program_result foreign = PIPE(&shop, "convert", "latest", "--out", "repo", "--verify", "-q");
    expect_refused(foreign, 1, "unexplained difference");
    cr_expect(
        str_contains(foreign.out, STR("extra/ConfigMap/extra: is written, and the snapshot has no such")),
        "%.*s", STR_ARG(foreign.out));
    const struct value *json =
        json_of(&shop, PIPE(&shop, "convert", "latest", "--out", "repo", "--verify", "-q", "-o", "json"));
    cr_expect_gt(value_count(value_in(json, PATH("roundTrip", "unexplained"))), 0);
    close_shop(&shop);
}
