/* Every estate the whole way: what a cluster holds becomes a backup, a score, a repository and a rebuilt cluster,
 * whatever the cluster is for. The scores are recorded, so that a change of a check shows what it does to each. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include "core/base/json.h"
#include "tests/cli/shop.h"

struct estate_case {
    char name[32];
    int overall, schema, security, production, resources;
    int declared, tokens,
        secrets; /* objects in the repository, Secrets among them, and those it leaves out */
};

/* clang-format off */
static struct estate_case cases[] = {
    {"production-simulation", 97,  99,  98,  98,  90,  86, 1,  6},
    {"enterprise-platform",   97, 100,  92,  98, 100, 187, 0, 13},
    {"multi-tenant-isp",      96, 100,  91,  98, 100, 235, 0, 20},
    {"mesh-benchmark",        99, 100, 100,  98, 100, 194, 0,  2},
    {"store-platform",        99, 100, 100,  98, 100, 123, 0, 10},
};
/* clang-format on */

ParameterizedTestParameters(estates, go_all_the_way)
{
    return cr_make_param_array(struct estate_case, cases, COUNT_OF(cases));
}

static void expect_number(const struct value *root, const char *const *path, int want, const char *estate)
{
    int64_t got = -1;
    value_i64(value_in(root, path), &got);
    cr_expect_eq(got, want, "%s: %s is %lld, not %d", estate, path[0], (long long)got, want);
}

/* What `render` prints of an overlay, counted; "kind" NULL counts all. */
static int rendered(struct shop *shop, const char *overlay, const char *kind)
{
    int count = 0;
    struct program_result result = PIPE(shop, "render", overlay, "-o", "json");
    cr_assert_eq(result.status, 0, "%s: %.*s", overlay, STR_ARG(result.err));
    VALUE_EACH(object, value_key(json_of(shop, result), "items"))
        count += kind == NULL || str_is(value_str(value_key(object, "kind")), kind);
    return count;
}

ParameterizedTest(struct estate_case *c, estates, go_all_the_way, .timeout = 600)
{
    struct shop shop = open_shop_of(c->name);
    struct program_result run = PIPE(&shop, "run", "-q", "-o", "json");
    cr_assert_eq(run.status, 0, "%s: %.*s", c->name, STR_ARG(run.err));
    const struct value *report = json_of(&shop, run), *drill = value_key(report, "drill");
    cr_expect(value_true(value_in(report, PATH("backup", "complete"))), "%s", c->name);
    cr_expect(value_true(value_in(report, PATH("verify", "clean"))), "%s", c->name);
    cr_expect(value_true(value_in(report, PATH("publish", "changed"))), "%s", c->name);
    cr_expect(value_true(value_key(drill, "ok")), "%s", c->name);
    expect_number(drill, PATH("objects", "missing"), 0, c->name);
    expect_number(drill, PATH("objects", "different"), 0, c->name);
    expect_number(drill, PATH("objects", "failed"), 0, c->name);

    const struct value *score = json_of(&shop, PIPE(&shop, "score", "latest", "-q", "-o", "json"));
    const struct value *dimensions = value_key(score, "dimensions");
    expect_number(score, PATH("overall"), c->overall, c->name);
    expect_number(dimensions, PATH("schema"), c->schema, c->name);
    expect_number(dimensions, PATH("security"), c->security, c->name);
    expect_number(dimensions, PATH("production"), c->production, c->name);
    expect_number(dimensions, PATH("resources"), c->resources, c->name);

    struct program_result converted = PIPE(&shop, "convert", "latest", "--out", "repo", "--verify", "-q");
    cr_expect_eq(converted.status, 0, "%s: %.*s%.*s", c->name, STR_ARG(converted.out),
                 STR_ARG(converted.err));
    int declared = rendered(&shop, "repo/overlays/prod", NULL);
    expect_number(drill, PATH("objects", "declared"), declared, c->name);
    cr_expect_eq(declared, c->declared, "%s: %d objects are declared", c->name, declared);
    cr_expect_eq(rendered(&shop, "repo/overlays/prod", "Secret"), c->tokens, "%s", c->name);
    size_t provided = value_count(value_in(drill, PATH("objects", "secretsProvided")));
    cr_expect_eq(provided, (size_t)c->secrets, "%s: %zu Secrets provided", c->name, provided);
    close_shop(&shop);
}
