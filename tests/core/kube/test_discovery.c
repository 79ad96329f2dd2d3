/* Which types a server has, in the three forms that servers say it. */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/harness/kube_fixture.h"

/* One line per type: group/version plural Kind, then what is true of it. */
static struct str lines(struct arena *arena, const struct resource_types *types)
{
    struct buf out;
    buf_init(&out, 1 << 20);
    for (size_t i = 0; i < types->count; i++) {
        const struct resource_type *t = &types->items[i];
        buf_fmt(&out, "%.*s/%.*s %.*s %.*s%s%s%s%s%.*s\n", STR_ARG(t->group), STR_ARG(t->version),
                STR_ARG(t->plural), STR_ARG(t->kind), t->namespaced ? " namespaced" : "",
                t->listable ? " list" : "", t->has_status ? " status" : "", t->missing.len ? " missing:" : "",
                STR_ARG(t->missing));
    }
    struct str text = str_dup(arena, buf_view(&out));
    buf_done(&out);
    return text;
}

static void expect_types(const char *script, const char *wants)
{
    struct kube_fixture f;
    struct resource_types types;
    kube_fixture_open(&f, script, NULL);
    cr_assert(kube_discover(f.kube, f.arena, &types, &f.err), "%s", f.err.msg);
    struct str got = lines(f.arena, &types);
    cr_expect(str_is(got, wants), "%.*s", STR_ARG(got));
    kube_fixture_close(&f);
}

Test(discovery, aggregated)
{
    expect_types("discovery-v2", "/v1 bindings Binding namespaced\n"
                                 "/v1 componentstatuses ComponentStatus\n"
                                 "/v1 events Event namespaced list\n"
                                 "/v1 pods Pod namespaced list status\n"
                                 "example.com/v2 widgets Widget namespaced list\n"
                                 "example.com/v1 gadgets Gadget list\n"
                                 "dead.example.com/v1 * * list missing:stale\n"
                                 "dying.example.com/v1 things Thing namespaced list missing:stale\n"
                                 "events.k8s.io/v1 events Event namespaced\n"
                                 "metrics.k8s.io/v1beta1 * *\n");
}

Test(discovery, plain_group_by_group)
{
    expect_types("discovery-plain", "/v1 pods Pod namespaced list status\n"
                                    "/v1 podtemplates PodTemplate namespaced list\n"
                                    "/v1 nodes Node list\n"
                                    "batch/v1 jobs Job namespaced list\n"
                                    "batch/v1beta1 cronjobs CronJob namespaced list\n"
                                    "dead.example.com/v1 * * list missing:HTTP 503\n");
}

Test(discovery, something_else_that_answers_is_no_api_server)
{
    struct kube_fixture f;
    struct resource_types types;
    kube_fixture_open(&f, "discovery-none", NULL);
    cr_expect_not(kube_discover(f.kube, f.arena, &types, &f.err));
    cr_expect_eq(f.err.code, ERR_CORRUPT);
    cr_expect(strstr(f.err.next, "Kubernetes API server"), "%s", f.err.next);
    kube_fixture_close(&f);
}
