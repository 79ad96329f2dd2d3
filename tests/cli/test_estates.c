/* Every estate the whole way: what a cluster holds becomes a backup, a score, a repository and a rebuilt cluster,
 * whatever the cluster is for. The scores are recorded, so that a change of a check shows what it does to each. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdlib.h>

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
    {"multi-tenant-isp",      96, 100,  90,  98, 100, 235, 0, 20},
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

/* ---- one tenant alone ---- */

static const char *backup_of(struct shop *shop, const char *namespace, const char *option)
{
    struct program_result made = PIPE(shop, "backup", "-q", "-o", "json", "--namespace", namespace, option);
    cr_assert_eq(made.status, 0, "%.*s", STR_ARG(made.err));
    return str_c(shop->arena, value_str(value_key(json_of(shop, made), "id")));
}

static void expect_well(struct program_result result, const char *what)
{
    cr_expect_eq(result.status, 0, "%s: %.*s%.*s", what, STR_ARG(result.out), STR_ARG(result.err));
}

Test(estates, one_tenant_is_backed_up_converted_and_drilled_alone, .timeout = 120)
{
    struct shop shop = open_shop_of("multi-tenant-isp");
    const char *id = backup_of(&shop, "tenant-isp2", NULL);
    expect_well(PIPE(&shop, "verify", id, "-q"), "verify");
    expect_well(PIPE(&shop, "convert", id, "--out", "tenant", "--verify", "-q"), "convert");
    size_t declared = 0;
    const struct value *rendered =
        json_of(&shop, PIPE(&shop, "render", "tenant/overlays/prod", "-o", "json"));
    VALUE_EACH(object, value_key(rendered, "items")) {
        struct str namespace = value_str_in(object, PATH("metadata", "namespace"));
        cr_expect(namespace.len == 0 || str_is(namespace, "tenant-isp2"), "%.*s", STR_ARG(namespace));
        declared += namespace.len != 0;
    }
    cr_expect_gt(declared, 50);
    expect_well(PIPE(&shop, "drill", "cluster-loss", "--repository", "tenant", "--timeout", "60s", "-q"),
                "drill");
    close_shop(&shop);
}

/* Into a cluster with a life of its own, which has the classes that the tenant asks for. Whatever changed there is the
 * tenant's, and the volumes that its claims got. */
Test(estates, one_tenant_is_restored_without_touching_the_others, .timeout = 120)
{
    struct shop shop = open_shop_of("multi-tenant-isp"), other = open_shop_of("production-simulation");
    const char *target =
        str_c(shop.arena, str_fmt(shop.arena, "kubeconfig:%s", in_shop(&other, "kubeconfig")));
    char classes[4096];
    cr_assert_not_null(realpath("testdata/estates/multi-tenant-isp/10-cluster.yaml", classes));
    expect_well(PIPE(&shop, "restore", classes, "--target", target, "--timeout", "60s", "-q"), "classes");
    const char *before = backup_of(&other, "*", NULL);
    const char *id = backup_of(&shop, "tenant-isp2", "--no-cluster-scoped");
    expect_well(PIPE(&shop, "restore", id, "--target", target, "--timeout", "60s", "-q"), "restore");
    const char *after = backup_of(&other, "*", NULL);
    const struct value *difference =
        json_of(&other, PIPE(&other, "diff", before, after, "--all", "-q", "-o", "json"));
    size_t of_tenant = 0;
    VALUE_EACH(object, value_key(difference, "objects")) {
        struct str kind = value_str(value_key(object, "kind")), name = value_str(value_key(object, "name"));
        bool its_own = str_is(value_str(value_key(object, "namespace")), "tenant-isp2") ||
                       (str_is(kind, "Namespace") && str_is(name, "tenant-isp2"));
        bool volume = str_is(kind, "PersistentVolume") && str_starts(name, STR("pvc-"));
        of_tenant += its_own;
        cr_expect(its_own || volume, "%.*s", STR_ARG(json_text(other.arena, object)));
    }
    cr_expect_gt(of_tenant, 50);
    close_shop(&other);
    close_shop(&shop);
}
