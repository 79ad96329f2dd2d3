/* A whole estate, as a real cluster of 1.36 returned it after its controllers had run: what is declared must be what
 * was written, whichever way it was brought in. */
#include <criterion/criterion.h>
#include <string.h>

#include "core/base/diff.h"
#include "core/base/json.h"
#include "tests/transform/fixture.h"

#define ESTATE "testdata/estates/production-simulation"

/* What is rightly not declared: work that has ended, Secrets, and the token of a kept one. */
static bool is_left_out(const struct resource *written)
{
    bool token = str_is(value_str(value_key(written->object, "type")), "kubernetes.io/service-account-token");
    return (resource_is(written, "", "Secret") && !token) || resource_is(written, "batch", "Job");
}

/* Fields that a person wrote and that nothing in the cluster tells from the server's own. */
typedef bool (*lost_fn)(const struct diff *difference);

static bool nothing_is_lost(const struct diff *difference)
{
    return false;
}

/* Created or replaced as a whole, the defaults that were written are the server's, by all that it keeps. */
static bool written_defaults_are_lost(const struct diff *difference)
{
    static const char *const defaults[] = {
        "*/imagePullPolicy", "*/periodSeconds", "*/listKind", "*/singular",   "/reclaimPolicy",
        "/spec/strategy/*",  "/spec/strategy",  "*/maxSurge", "*/targetPort", "/spec/ports/0/targetPort",
    };
    for (size_t i = 0; i < COUNT_OF(defaults); i++)
        if (difference->kind == DIFF_REMOVED && str_glob(str_of(defaults[i]), difference->pointer))
            return true;
    return false;
}

static void expect_same_object(struct arena *arena, const struct resource *written,
                               const struct resource *declared, lost_fn is_lost)
{
    struct diff_list differences = {0};
    diff_values(arena, written->object, declared->object, &differences);
    for (size_t i = 0; i < differences.count; i++) {
        const struct diff *difference = &differences.items[i];
        struct str label = resource_label(arena, written);
        struct str before = json_text(arena, difference->before ? difference->before : value_null(arena));
        struct str after = json_text(arena, difference->after ? difference->after : value_null(arena));
        cr_expect(is_lost(difference), "%.*s %.*s: written %.*s, declared %.*s", STR_ARG(label),
                  STR_ARG(difference->pointer), STR_ARG(before), STR_ARG(after));
    }
}

static void expect_estate(const char *dump, lost_fn is_lost)
{
    struct transform_fixture live, written;
    transform_fixture_init(&live);
    transform_fixture_init(&written);
    cr_assert(transform_fixture_read(&live, dump), "%s", live.err.msg);
    cr_assert(transform_fixture_read(&written, ESTATE), "%s", written.err.msg);
    bundle_sort(&written.bundle);

    cr_assert(transform_fixture_run(&live), "%s", live.err.msg);

    size_t found = 0;
    for (size_t i = 0; i < written.bundle.count; i++) {
        const struct resource *wish = &written.bundle.items[i];
        const struct resource *declared =
            bundle_find(&live.bundle, resource_group(wish), wish->kind, wish->namespace, wish->name);
        cr_expect_eq(declared == NULL, is_left_out(wish), "%.*s", STR_ARG(resource_label(live.arena, wish)));
        found += declared != NULL;
        if (declared != NULL)
            expect_same_object(live.arena, wish, declared, is_lost);
    }
    cr_expect_eq(found, live.bundle.count, "%zu objects are declared that nobody wrote",
                 live.bundle.count - found);
    transform_fixture_done(&live);
    transform_fixture_done(&written);
}

Test(transform_estate, applied_by_the_server)
{
    expect_estate("testdata/transform-estates/server-side-apply.json", nothing_is_lost);
}

Test(transform_estate, applied_by_kubectl)
{
    expect_estate("testdata/transform-estates/client-side-apply.json", nothing_is_lost);
}

Test(transform_estate, created)
{
    expect_estate("testdata/transform-estates/create.json", written_defaults_are_lost);
}
