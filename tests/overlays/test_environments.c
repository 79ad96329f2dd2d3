/* What an environment makes of an object, seen where it counts: in the rendered overlay. */
#include <criterion/criterion.h>

#include "core/base/json.h"
#include "core/base/pointer.h"
#include "tests/overlays/fixture.h"

#define NAMED(kind, name) "kind: " kind "\nmetadata: {name: " name ", namespace: shop}\n"
#define DEPLOYMENT(name, spec)                                                                               \
    "apiVersion: apps/v1\n" NAMED("Deployment", name) "spec: {selector: {matchLabels: {app: " name           \
                                                      "}}, " spec "}\n---\n"
#define PODS(spec)    "template: {metadata: {labels: {app: web}}, spec: {" spec "}}"
#define PLAIN         PODS("containers: [{name: a, image: a}]")
#define WEB(replicas) DEPLOYMENT("web", "replicas: " replicas ", " PLAIN)
#define CLAIM(name, mode)                                                                                    \
    "apiVersion: v1\n" NAMED("PersistentVolumeClaim", name) "spec: {accessModes: [" mode "]}\n---\n"
#define ON_CLAIM(name)                                                                                       \
    DEPLOYMENT("web", "replicas: 2, " PODS("containers: [{name: a}], volumes: [{name: v, "                   \
                                           "persistentVolumeClaim: {claimName: " name "}}]"))
#define SCALER(bounds)                                                                                       \
    "apiVersion: autoscaling/v2\n" NAMED(                                                                    \
        "HorizontalPodAutoscaler", "web") "spec: {scaleTargetRef: "                                          \
                                          "{apiVersion: apps/v1, kind: Deployment, name: web}, " bounds      \
                                          "}\n---\n"
#define KEDA(bounds)                                                                                         \
    "apiVersion: keda.sh/v1alpha1\n" NAMED("ScaledObject",                                                   \
                                           "web") "spec: {scaleTargetRef: {name: web}, " bounds "}\n---\n"
#define BUDGET(rule)                                                                                         \
    "apiVersion: policy/v1\n" NAMED("PodDisruptionBudget", "web") "spec: {selector: {matchLabels: {app: "    \
                                                                  "web}}, " rule "}\n---\n"

static const struct {
    const char *what, *objects, *environment, *kind, *name, *pointer;
    const char *json; /* NULL: nothing is there */
} cases[] = {
    {"dev runs one", WEB("4"), "dev", "Deployment", "web", "/spec/replicas", "1"},
    {"staging runs two", WEB("4"), "staging", "Deployment", "web", "/spec/replicas", "2"},
    {"prod runs three at least", WEB("1"), "prod", "Deployment", "web", "/spec/replicas", "3"},
    {"prod keeps more", WEB("7"), "prod", "Deployment", "web", "/spec/replicas", "7"},
    {"replicas left out are one", DEPLOYMENT("web", PLAIN), "prod", "Deployment", "web", "/spec/replicas",
     "3"},
    {"what is switched off stays off", WEB("0"), "prod", "Deployment", "web", "/spec/replicas", "0"},
    {"a stateful set keeps its number",
     "apiVersion: apps/v1\n" NAMED("StatefulSet", "db") "spec: {replicas: 2, " PLAIN "}\n", "prod",
     "StatefulSet", "db", "/spec/replicas", "2"},
    {"one node's volume keeps one pod", CLAIM("c", "ReadWriteOnce") ON_CLAIM("c"), "prod", "Deployment",
     "web", "/spec/replicas", "2"},
    {"one pod's volume too", CLAIM("c", "ReadWriteOncePod") ON_CLAIM("c"), "prod", "Deployment", "web",
     "/spec/replicas", "2"},
    {"a shared volume does not", CLAIM("c", "ReadWriteMany") ON_CLAIM("c"), "prod", "Deployment", "web",
     "/spec/replicas", "3"},
    {"a volume that is not known does", ON_CLAIM("gone"), "prod", "Deployment", "web", "/spec/replicas", "2"},
    {"an autoscaler decides", DEPLOYMENT("web", PLAIN) SCALER("minReplicas: 2, maxReplicas: 9"), "prod",
     "Deployment", "web", "/spec/replicas", NULL},
    {"from at least three on", DEPLOYMENT("web", PLAIN) SCALER("minReplicas: 2, maxReplicas: 9"), "prod",
     "HorizontalPodAutoscaler", "web", "/spec/minReplicas", "3"},
    {"and may reach that", DEPLOYMENT("web", PLAIN) SCALER("minReplicas: 1, maxReplicas: 2"), "prod",
     "HorizontalPodAutoscaler", "web", "/spec/maxReplicas", "3"},
    {"in dev from one on", DEPLOYMENT("web", PLAIN) SCALER("minReplicas: 2, maxReplicas: 9"), "dev",
     "HorizontalPodAutoscaler", "web", "/spec/minReplicas", "1"},
    {"an autoscaler of nothing known stays", SCALER("minReplicas: 2, maxReplicas: 9"), "dev",
     "HorizontalPodAutoscaler", "web", "/spec/minReplicas", "2"},
    {"an autoscaler of what must not be scaled stays",
     CLAIM("c", "ReadWriteOnce") ON_CLAIM("c") SCALER("minReplicas: 1, maxReplicas: 9"), "prod",
     "HorizontalPodAutoscaler", "web", "/spec/minReplicas", "1"},
    {"KEDA's bounds move too", DEPLOYMENT("web", PLAIN) KEDA("minReplicaCount: 2"), "prod", "ScaledObject",
     "web", "/spec/minReplicaCount", "3"},
    {"KEDA's nothing is kept", DEPLOYMENT("web", PLAIN) KEDA("minReplicaCount: 0"), "prod", "ScaledObject",
     "web", "/spec/minReplicaCount", "0"},
    {"KEDA decides as well", WEB("2") KEDA("minReplicaCount: 2"), "prod", "Deployment", "web",
     "/spec/replicas", "2"},

    {"a budget that would block dev", WEB("3") BUDGET("minAvailable: 2"), "dev", "PodDisruptionBudget", "web",
     "/spec", "{\"maxUnavailable\":1,\"selector\":{\"matchLabels\":{\"app\":\"web\"}}}"},
    {"as a share", WEB("3") BUDGET("minAvailable: 50%"), "dev", "PodDisruptionBudget", "web",
     "/spec/maxUnavailable", "1"},
    {"under an autoscaler",
     DEPLOYMENT("web", PLAIN) SCALER("minReplicas: 3, maxReplicas: 9") BUDGET("minAvailable: 2"), "dev",
     "PodDisruptionBudget", "web", "/spec/maxUnavailable", "1"},
    {"a budget that blocks on purpose", WEB("3") BUDGET("minAvailable: 100%"), "dev", "PodDisruptionBudget",
     "web", "/spec/minAvailable", "\"100%\""},
    {"a budget that does not block", WEB("5") BUDGET("minAvailable: 1"), "staging", "PodDisruptionBudget",
     "web", "/spec/minAvailable", "1"},

    {"debug in dev", WEB("1"), "dev", "Deployment", "web", "/spec/template/spec/containers/0/env",
     "[{\"name\":\"LOG_LEVEL\",\"value\":\"debug\"}]"},
    {"is marked", WEB("1"), "dev", "Deployment", "web", "/metadata/annotations/gitops-pipe.io~1debug",
     "\"LOG_LEVEL\""},
    {"is for dev alone", WEB("2"), "staging", "Deployment", "web", "/spec/template/spec/containers/0/env",
     NULL},
    {"a level from elsewhere is replaced",
     DEPLOYMENT(
         "web",
         PODS("containers: [{name: a, env: [{name: LOG_LEVEL, valueFrom: {configMapKeyRef: {name: c, key: "
              "k}}}]}]")),
     "dev", "Deployment", "web", "/spec/template/spec/containers/0/env",
     "[{\"name\":\"LOG_LEVEL\",\"value\":\"debug\"}]"},
    {"the case of the old level is kept",
     DEPLOYMENT("web", PODS("containers: [{name: a, env: [{name: LOG_LEVEL, value: WARN}]}]")), "dev",
     "Deployment", "web", "/spec/template/spec/containers/0/env/0/value", "\"DEBUG\""},
    {"a number is nobody's guess",
     DEPLOYMENT("web", PODS("containers: [{name: a, env: [{name: LOG_LEVEL, value: '2'}]}]")), "dev",
     "Deployment", "web", "/spec/template/spec/containers/0/env/0/value", "\"2\""},
    {"containers keep their order",
     DEPLOYMENT("web", PODS("containers: [{name: a, env: [{name: LOG_LEVEL, value: debug}]}, {name: b}]")),
     "dev", "Deployment", "web", "/spec/template/spec/containers/0/name", "\"a\""},
    {"the rest of a container stays", WEB("1"), "dev", "Deployment", "web",
     "/spec/template/spec/containers/0/image", "\"a\""},
    {"a Job's pods are immutable", "apiVersion: batch/v1\n" NAMED("Job", "j") "spec: {" PLAIN "}\n", "dev",
     "Job", "j", "/spec/template/spec/containers/0/env", NULL},
    {"so they are not hardened", "apiVersion: batch/v1\n" NAMED("Job", "j") "spec: {" PLAIN "}\n", "prod",
     "Job", "j", "/spec/template/spec/securityContext", NULL},
    {"a container without a name cannot be patched", DEPLOYMENT("web", PODS("containers: [{image: a}]")),
     "dev", "Deployment", "web", "/spec/template/spec/containers", "[{\"image\":\"a\"}]"},
    {"a kind without merge keys loses no container",
     "apiVersion: apps.openshift.io/v1\n" NAMED("DeploymentConfig", "dc") "spec: {replicas: 2, " PLAIN "}\n",
     "dev", "DeploymentConfig", "dc", "/spec/template/spec/containers", "[{\"name\":\"a\",\"image\":\"a\"}]"},

    {"prod sets a seccomp profile", WEB("3"), "prod", "Deployment", "web",
     "/spec/template/spec/securityContext/seccompProfile/type", "\"RuntimeDefault\""},
    {"and forbids escalation", WEB("3"), "prod", "Deployment", "web",
     "/spec/template/spec/containers/0/securityContext", "{\"allowPrivilegeEscalation\":false}"},
    {"drops capabilities of who is not root",
     DEPLOYMENT("web", PODS("securityContext: {runAsUser: 1000}, containers: [{name: a}]")), "prod",
     "Deployment", "web", "/spec/template/spec/containers/0/securityContext",
     "{\"allowPrivilegeEscalation\":false,\"capabilities\":{\"drop\":[\"ALL\"]},\"runAsNonRoot\":true}"},
    {"leaves a choice alone",
     DEPLOYMENT("web", PODS("containers: [{name: a, securityContext: {allowPrivilegeEscalation: true}}]")),
     "prod", "Deployment", "web", "/spec/template/spec/containers/0/securityContext",
     "{\"allowPrivilegeEscalation\":true}"},
    {"leaves the privileged alone",
     DEPLOYMENT("web", PODS("containers: [{name: a, securityContext: {privileged: true}}]")), "prod",
     "Deployment", "web", "/spec/template/spec/containers/0/securityContext", "{\"privileged\":true}"},
    {"leaves low ports of others than root alone",
     DEPLOYMENT("web",
                PODS("containers: [{name: a, ports: [{containerPort: 80}], securityContext: {runAsUser: 7, "
                     "runAsNonRoot: true}}]")),
     "prod", "Deployment", "web", "/spec/template/spec/containers/0/securityContext",
     "{\"runAsUser\":7,\"runAsNonRoot\":true}"},
    {"takes the token of an account without rights", WEB("3"), "prod", "Deployment", "web",
     "/spec/template/spec/automountServiceAccountToken", "false"},
    {"leaves it to one with rights",
     WEB("3") "apiVersion: rbac.authorization.k8s.io/v1\n" NAMED(
         "RoleBinding", "r") "roleRef: {kind: Role, name: r}\n"
                             "subjects: [{kind: ServiceAccount, name: default}]\n",
     "prod", "Deployment", "web", "/spec/template/spec/automountServiceAccountToken", NULL},
    {"leaves it where all accounts of the namespace have rights",
     WEB("3") "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: r}\n"
              "subjects: [{kind: Group, name: 'system:serviceaccounts:shop'}]\n",
     "prod", "Deployment", "web", "/spec/template/spec/automountServiceAccountToken", NULL},
    {"leaves it where sidecars are injected",
     WEB("3") "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, annotations: {linkerd.io/inject: "
              "enabled}}\n",
     "prod", "Deployment", "web", "/spec/template/spec/automountServiceAccountToken", NULL},
    {"leaves Windows alone", DEPLOYMENT("web", PODS("os: {name: windows}, containers: [{name: a}]")), "prod",
     "Deployment", "web", "/spec/template/spec/securityContext", NULL},
};

Test(environments, change_what_they_should_and_nothing_else)
{
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct overlays_fixture f;
        struct bundle rendered;
        overlays_fixture_init(&f);
        overlays_fixture_stage(&f, cases[i].objects);
        overlays_fixture_render(&f, cases[i].environment, &rendered);
        cr_expect_eq(rendered.count, f.bundle.count, "%s: objects", cases[i].what);
        const struct resource *found = NULL;
        for (size_t r = 0; r < rendered.count; r++)
            if (str_is(rendered.items[r].kind, cases[i].kind) &&
                str_is(rendered.items[r].name, cases[i].name))
                found = &rendered.items[r];
        cr_assert_not_null(found, "%s", cases[i].what);
        const struct value *value = pointer_get(found->object, str_of(cases[i].pointer)), *want = NULL;
        if (cases[i].json != NULL)
            cr_assert(json_parse(f.arena, str_of(cases[i].json), NULL, &want, &f.err), "%s", f.err.msg);
        cr_expect(value_equal(value, want), "%s: %s is %s, not %s", cases[i].what, cases[i].pointer,
                  value ? str_c(f.arena, json_text(f.arena, value)) : "absent",
                  cases[i].json ? cases[i].json : "absent");
        overlays_fixture_done(&f);
    }
}

Test(environments, hosts_move_below_the_environments_domain)
{
    static const char objects[] = "apiVersion: networking.k8s.io/v1\n" NAMED(
        "Ingress", "i") "spec: {rules: [{host: shop.example.com}, {host: "
                        "'*.example.com'}, {}], tls: [{hosts: [shop.example.com]}]}\n---\n"
                        "apiVersion: route.openshift.io/v1\n" NAMED(
                            "Route", "r") "spec: {host: shop.apps.example.com}\n---\n"
                                          "apiVersion: gateway.networking.k8s.io/v1\n" NAMED(
                                              "HTTPRoute", "h") "spec: {hostnames: [web.example.com]}\n";
    static const struct {
        const char *kind, *pointer, *host;
    } moved[] = {
        {"Ingress", "/spec/rules/0/host", "shop.dev.example.org"},
        {"Ingress", "/spec/rules/1/host", "*.dev.example.org"},
        {"Ingress", "/spec/tls/0/hosts/0", "shop.dev.example.org"},
        {"Route", "/spec/host", "shop-apps.dev.example.org"},
        {"HTTPRoute", "/spec/hostnames/0", "web.dev.example.org"},
    };
    struct overlays_fixture f;
    struct bundle rendered;
    overlays_fixture_init(&f);
    f.config.environments.items[0].hosts_domain = STR("dev.example.org");
    overlays_fixture_stage(&f, objects);
    overlays_fixture_render(&f, "dev", &rendered);
    for (size_t i = 0; i < COUNT_OF(moved); i++)
        for (size_t r = 0; r < rendered.count; r++)
            if (str_is(rendered.items[r].kind, moved[i].kind))
                cr_expect(str_is(value_str(pointer_get(rendered.items[r].object, str_of(moved[i].pointer))),
                                 moved[i].host),
                          "%s %s is not %s", moved[i].kind, moved[i].pointer, moved[i].host);
    overlays_fixture_done(&f);
}
