/* The order that somebody wants, in the entry points of Argo CD and Flux. */
#include <criterion/criterion.h>

#include "core/base/yaml.h"
#include "tests/overlays/fixture.h"

#define ON(what) ", annotations: {gitops-pipe.io/depends-on: '" what "'}"
#define DEPLOYMENT(namespace, name, more)                                                                    \
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: " name ", namespace: " namespace more           \
        "}\nspec: {selector: {matchLabels: {app: " name "}}, template: {metadata: {labels: {app: " name      \
        "}}, spec: {containers: [{name: c, image: i}]}}}\n---\n"
#define WEBHOOK                                                                                              \
    "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingWebhookConfiguration\nmetadata: {name: "   \
    "gate}\n---\n"

static const struct finding *finding_of(const struct overlays_fixture *f, const char *check)
{
    for (size_t i = 0; i < f->run.findings.count; i++)
        if (str_is(f->run.findings.items[i].check, check))
            return &f->run.findings.items[i];
    return NULL;
}

Test(overlays_order, argo_cd_gets_waves_for_what_is_wanted_and_the_gates_stay_last)
{
    struct overlays_fixture f;
    overlays_fixture_init(&f);
    overlays_fixture_stage(&f, DEPLOYMENT("shop", "db", "") DEPLOYMENT("shop", "api", ON("Deployment/db"))
                                   DEPLOYMENT("shop", "web.v2", ON("Deployment/api")) WEBHOOK);
    struct str text = overlays_fixture_file(&f, "argocd/dev.yaml");
    static const char *const parts[] = {
        "name: api\n",      "sync-wave: \"1\"", "name: web\\.v2\n",
        "sync-wave: \"2\"", "sync-wave: \"3\"", /* the webhook: 1 and the highest of them */
    };
    for (size_t i = 0; i < COUNT_OF(parts); i++)
        cr_expect(str_contains(text, str_of(parts[i])), "%s is not in\n%.*s", parts[i], STR_ARG(text));
    cr_expect_not(str_contains(text, STR("name: db\n")));
    cr_expect_eq(f.run.findings.count, 0);
    overlays_fixture_done(&f);
}

Test(overlays_order, flux_waits_for_the_namespace_that_is_needed_and_never_in_a_ring)
{
    struct overlays_fixture f;
    overlays_fixture_init(&f);
    overlays_fixture_stage(&f, DEPLOYMENT("one", "a", ON("two/Deployment/b")) DEPLOYMENT("two", "b", "")
                                   DEPLOYMENT("two", "c", ON("one/Deployment/d")) DEPLOYMENT("one", "d", ""));
    cr_expect(
        str_contains(overlays_fixture_file(&f, "flux/dev/30-one.yaml"), STR("dependsOn:\n  - name: dev-two")),
        "%.*s", STR_ARG(overlays_fixture_file(&f, "flux/dev/30-one.yaml")));
    cr_expect_not(str_contains(overlays_fixture_file(&f, "flux/dev/30-two.yaml"), STR("dependsOn")));
    overlays_fixture_done(&f);
}

Test(overlays_order, a_cycle_and_a_wrong_name_are_findings)
{
    struct overlays_fixture f;
    overlays_fixture_init(&f);
    overlays_fixture_stage(&f, DEPLOYMENT("shop", "a", ON("Deployment/b"))
                                   DEPLOYMENT("shop", "b", ON("Deployment/a, Deployment/gone")));
    const struct finding *cycle = finding_of(&f, "dependencies.cycle");
    const struct finding *unknown = finding_of(&f, "dependencies.unknown");
    cr_assert(cycle != NULL && unknown != NULL);
    cr_expect(
        str_is(cycle->message,
               "nothing can come first in shop/Deployment/a → shop/Deployment/b → shop/Deployment/a; that "
               "shop/Deployment/a needs shop/Deployment/b is not kept"),
        "%.*s", STR_ARG(cycle->message));
    cr_expect(str_is(unknown->message, "depends on Deployment/gone, which is not there"));
    overlays_fixture_done(&f);
}
