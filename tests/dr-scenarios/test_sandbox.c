/* The stand-in cluster, over its own HTTP face: what a client sees. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/json.h"
#include "core/net/http.h"
#include "dr-scenarios/sandbox/sandbox.h"

struct fixture {
    struct arena *arena;
    struct sandbox *sandbox;
    struct http *http;
    struct err err;
    int status;
    const struct value *body;
};

static void start_with(struct fixture *f, const struct sandbox_options *options)
{
    *f = (struct fixture){.arena = arena_new()};
    cr_assert(sandbox_start(options, &f->sandbox, &f->err), "%s", f->err.msg);
    cr_assert(http_open(f->arena, &(struct http_options){0}, &f->http, &f->err), "%s", f->err.msg);
}

static void start(struct fixture *f)
{
    start_with(f, &(struct sandbox_options){0});
}

static void stop(struct fixture *f)
{
    http_close(f->http);
    sandbox_stop(f->sandbox);
    arena_free(f->arena);
}

static bool try_call(struct fixture *f, const char *method, const char *path, const char *type,
                     const char *body, const char *token)
{
    struct http_request request = {.method = method, .body = str_of(body), .once = true};
    struct http_reply reply;
    request.url = str_fmt(f->arena, "%.*s%s", STR_ARG(sandbox_url(f->sandbox)), path);
    http_add_header(f->arena, &request.headers, STR("Authorization"), str_fmt(f->arena, "Bearer %s", token));
    if (type != NULL)
        http_add_header(f->arena, &request.headers, STR("Content-Type"), str_of(type));
    if (!http_call(f->http, f->arena, &request, &reply, &f->err))
        return false;
    f->status = reply.status;
    struct err ignored;
    if (!json_parse(f->arena, reply.body, NULL, &f->body, &ignored))
        f->body = value_string(f->arena, reply.body);
    return true;
}

static const struct value *call(struct fixture *f, const char *method, const char *path, const char *type,
                                const char *body)
{
    const char *token = str_c(f->arena, sandbox_token(f->sandbox));
    cr_assert(try_call(f, method, path, type, body, token), "%s %s: %s", method, path, f->err.msg);
    return f->body;
}

static const struct value *get(struct fixture *f, const char *path)
{
    return call(f, "GET", path, NULL, NULL);
}

static const struct value *apply(struct fixture *f, const char *path, const char *manager, const char *yaml)
{
    char url[512];
    snprintf(url, sizeof url, "%s%cfieldManager=%s", path, strchr(path, '?') ? '&' : '?', manager);
    return call(f, "PATCH", url, "application/apply-patch+yaml", yaml);
}

static const struct value *post(struct fixture *f, const char *path, const char *json)
{
    return call(f, "POST", path, "application/json", json);
}

static const char *reason(struct fixture *f)
{
    return str_c(f->arena, value_str(value_key(f->body, "reason")));
}

static const char *text_at(struct fixture *f, const struct value *object, const char *pointer)
{
    struct str rest = str_of(pointer);
    while (rest.len && object != NULL) {
        struct str key = str_cut(&rest, '/');
        uint64_t index;
        object = value_is(object, VALUE_LIST) && str_to_u64(key, &index) ? value_item(object, index)
                                                                         : value_get(object, key);
    }
    return str_c(f->arena, value_is(object, VALUE_LIST) || value_is(object, VALUE_MAP)
                               ? json_text(f->arena, object)
                               : value_text(object));
}

#define expect_text(f, object, pointer, want) cr_expect_str_eq(text_at(f, object, pointer), want)
#define expect_status(f, want)                                                                               \
    cr_expect_eq((f)->status, want, "HTTP %d: %s", (f)->status, text_at(f, (f)->body, "message"))

static void make_namespace(struct fixture *f, const char *name)
{
    char body[256];
    snprintf(body, sizeof body,
             "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"%s\"}}", name);
    post(f, "/api/v1/namespaces", body);
    expect_status(f, 201);
}

static void make_map(struct fixture *f, const char *name, const char *value)
{
    char path[256], body[512];
    snprintf(path, sizeof path, "/api/v1/namespaces/default/configmaps/%s", name);
    snprintf(body, sizeof body, "{apiVersion: v1, kind: ConfigMap, metadata: {name: %s}, data: {k: %s}}",
             name, value);
    apply(f, path, "maker", body);
    cr_assert(f->status < 300, "%s", text_at(f, f->body, "message"));
}

#define WEB "/apis/apps/v1/namespaces/default/deployments/web"
#define WEB_YAML(replicas, image)                                                                            \
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, labels: {app: web}}\nspec:\n" replicas     \
    "  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n"               \
    "    spec:\n      containers:\n        - {name: main, image: " image ", ports: [{containerPort: 80}]}\n"

Test(sandbox, says_that_it_is_a_stand_in)
{
    struct fixture f;
    start(&f);
    expect_text(&f, get(&f, "/version"), "gitVersion", "v1.36.0-sandbox");
    expect_text(&f, get(&f, "/readyz"), "", "ok");
    stop(&f);
}

Test(sandbox, writes_a_private_kubeconfig_with_the_context_sandbox)
{
    struct fixture f;
    char path[] = "/tmp/sandbox-test-XXXXXX", text[1024] = {0};
    start(&f);
    close(mkstemp(path));
    cr_assert(sandbox_write_kubeconfig(f.sandbox, path, &f.err), "%s", f.err.msg);
    FILE *file = fopen(path, "r");
    cr_expect_gt(fread(text, 1, sizeof text - 1, file), 0);
    fclose(file);
    cr_expect(strstr(text, "current-context: sandbox"));
    cr_expect(strstr(text, str_c(f.arena, sandbox_token(f.sandbox))));
    unlink(path);
    stop(&f);
}

Test(sandbox, tells_a_bad_token_from_none)
{
    struct fixture f;
    start(&f);
    cr_assert(try_call(&f, "GET", "/api/v1/pods", NULL, NULL, "wrong"));
    expect_status(&f, 401);
    cr_expect_str_eq(reason(&f), "Unauthorized");
    stop(&f);
}

Test(sandbox, a_new_cluster_holds_what_kubernetes_makes_itself)
{
    struct fixture f;
    start(&f);
    expect_text(&f, get(&f, "/api/v1/namespaces/kube-system"), "metadata/labels/kubernetes.io~1metadata.name",
                "");
    expect_status(&f, 200);
    get(&f, "/api/v1/namespaces/default/serviceaccounts/default");
    expect_status(&f, 200);
    get(&f, "/api/v1/namespaces/default/configmaps/kube-root-ca.crt");
    expect_status(&f, 200);
    get(&f, "/apis/rbac.authorization.k8s.io/v1/clusterroles/cluster-admin");
    expect_status(&f, 200);
    stop(&f);
}

Test(sandbox, serves_both_kinds_of_discovery)
{
    struct fixture f;
    start(&f);
    const struct value *plain = get(&f, "/apis/apps/v1");
    expect_text(&f, plain, "kind", "APIResourceList");
    cr_expect(strstr(text_at(&f, plain, "resources"), "\"deployments/status\""));
    expect_text(&f, get(&f, "/apis/apps"), "preferredVersion/groupVersion", "apps/v1");
    get(&f, "/apis/nothing.example.com/v1");
    expect_status(&f, 404);
    stop(&f);
}

Test(sandbox, lists_page_by_page_at_one_version)
{
    struct fixture f;
    start(&f);
    make_map(&f, "a", "one");
    make_map(&f, "b", "one");
    make_map(&f, "c", "one");
    const char *list =
        "/api/v1/namespaces/default/configmaps?limit=2&fieldSelector=metadata.namespace%3Ddefault";
    const struct value *first = get(&f, list);
    const char *version = text_at(&f, first, "metadata/resourceVersion");
    make_map(&f, "bb", "later");
    char next[1024];
    snprintf(next, sizeof next, "%s&continue=%s", list, text_at(&f, first, "metadata/continue"));
    const struct value *second = get(&f, next);

    expect_text(&f, first, "items/0/metadata/name", "a");
    expect_text(&f, first, "items/0/kind", ""); /* built-in items carry none */
    expect_text(&f, second, "metadata/resourceVersion", version);
    expect_text(&f, second, "items/0/metadata/name", "c");
    expect_text(&f, second, "metadata/continue", "");
    stop(&f);
}

Test(sandbox, an_exact_version_shows_what_was)
{
    struct fixture f;
    char path[256];
    start(&f);
    make_map(&f, "a", "one");
    const char *then = text_at(&f, get(&f, "/api/v1/configmaps?limit=1"), "metadata/resourceVersion");
    make_map(&f, "a", "two");
    make_map(&f, "b", "two");
    call(&f, "DELETE", "/api/v1/namespaces/default/configmaps/a", NULL, NULL);
    snprintf(path, sizeof path,
             "/api/v1/namespaces/default/configmaps?resourceVersion=%s&resourceVersionMatch=Exact", then);

    const struct value *list = get(&f, path);
    expect_text(&f, list, "items/0/data/k", "one");
    cr_expect_eq(value_count(value_key(list, "items")), 2); /* with kube-root-ca.crt */
    sandbox_compact(f.sandbox);
    get(&f, path);
    expect_status(&f, 410);
    cr_expect_str_eq(reason(&f), "Expired");
    get(&f, "/api/v1/configmaps?resourceVersion=99999999&resourceVersionMatch=Exact");
    expect_status(&f, 504);
    expect_text(&f, f.body, "details/causes/0/reason", "ResourceVersionTooLarge");
    stop(&f);
}

Test(sandbox, a_stale_continue_token_comes_with_one_that_goes_on)
{
    struct fixture f;
    char path[1024];
    start(&f);
    make_map(&f, "a", "one");
    make_map(&f, "b", "one");
    const struct value *first = get(&f, "/api/v1/namespaces/default/configmaps?limit=1");
    snprintf(path, sizeof path, "/api/v1/namespaces/default/configmaps?limit=1&continue=%s",
             text_at(&f, first, "metadata/continue"));
    sandbox_compact(f.sandbox);

    get(&f, path);
    expect_status(&f, 410);
    snprintf(path, sizeof path, "/api/v1/namespaces/default/configmaps?continue=%s",
             text_at(&f, f.body, "metadata/continue"));
    expect_text(&f, get(&f, path), "items/0/metadata/name", "b");
    get(&f, "/api/v1/configmaps?continue=nonsense");
    expect_status(&f, 400);
    stop(&f);
}

Test(sandbox, apply_creates_then_merges_and_forgets_what_is_no_longer_applied)
{
    struct fixture f;
    start(&f);
    apply(&f, WEB, "one", WEB_YAML("  replicas: 2\n", "web:1"));
    expect_status(&f, 201);
    expect_text(&f, f.body, "spec/strategy/type", "RollingUpdate"); /* defaulted */
    expect_text(&f, f.body, "status/readyReplicas", "2");
    apply(&f, WEB, "one", WEB_YAML("", "web:2"));
    expect_status(&f, 200);
    expect_text(&f, f.body, "spec/replicas", "1"); /* given up by its only owner, so the default is back */
    expect_text(&f, f.body, "spec/template/spec/containers/0/image", "web:2");
    expect_text(&f, f.body, "metadata/generation", "2");
    const char *version = text_at(&f, f.body, "metadata/resourceVersion");
    apply(&f, WEB, "one", WEB_YAML("", "web:2"));
    expect_text(&f, f.body, "metadata/resourceVersion", version); /* nothing new, nothing written */
    stop(&f);
}

Test(sandbox, apply_by_two_managers_conflicts_unless_forced)
{
    struct fixture f;
    start(&f);
    apply(&f, WEB, "one", WEB_YAML("  replicas: 2\n", "web:1"));
    apply(&f, WEB, "two", WEB_YAML("  replicas: 5\n", "web:1"));
    expect_status(&f, 409);
    cr_expect_str_eq(reason(&f), "Conflict");
    expect_text(&f, f.body, "details/causes/0/field", ".spec.replicas");
    expect_text(&f, f.body, "details/causes/0/message", "conflict with \"one\"");
    apply(&f, WEB "?force=true", "two", WEB_YAML("  replicas: 5\n", "web:1"));
    expect_status(&f, 200);
    expect_text(&f, f.body, "spec/replicas", "5");
    stop(&f);
}

Test(sandbox, lists_with_keys_are_merged_by_them)
{
    struct fixture f;
    start(&f);
    apply(&f, WEB, "one", WEB_YAML("", "web:1"));
    apply(&f, WEB, "mesh",
          "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  template:\n    spec:\n"
          "      containers:\n        - {name: sidecar, image: mesh:1}\n");
    expect_status(&f, 200);
    expect_text(&f, f.body, "spec/template/spec/containers/0/name", "main");
    expect_text(&f, f.body, "spec/template/spec/containers/1/name", "sidecar");
    apply(&f, WEB, "mesh", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n");
    expect_text(&f, f.body, "spec/template/spec/containers/1/name", "");
    expect_text(&f, f.body, "spec/template/spec/containers/0/name", "main");
    stop(&f);
}

Test(sandbox, a_dry_run_answers_and_keeps_nothing)
{
    struct fixture f;
    start(&f);
    apply(&f, WEB "?dryRun=All", "one", WEB_YAML("", "web:1"));
    expect_status(&f, 201);
    get(&f, WEB);
    expect_status(&f, 404);
    stop(&f);
}

Test(sandbox, refuses_with_the_servers_own_words)
{
    static const struct {
        const char *path, *body;
        int status;
        const char *reason, *message;
    } cases[] = {
        {"/api/v1/namespaces/none/configmaps/a", "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}",
         404, "NotFound", "namespaces \"none\" not found"},
        {"/api/v1/namespaces/default/configmaps/a",
         "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: other}}", 400, "BadRequest",
         "the namespace of the provided object does not match"},
        {"/api/v1/namespaces/default/configmaps/a", "{apiVersion: v1, kind: ConfigMap, metadata: {name: b}}",
         400, "BadRequest", "the name of the object (b) does not match the name on the URL (a)"},
        {"/api/v1/namespaces/default/configmaps/A", "{apiVersion: v1, kind: ConfigMap, metadata: {name: A}}",
         422, "Invalid", "ConfigMap \"A\" is invalid: metadata.name: Invalid value"},
        {"/api/v1/namespaces/default/configmaps/a", "[1", 400, "BadRequest", "the body of the request"},
        {WEB,
         "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {selector: {matchLabels: {a: "
         "b}}, "
         "template: {metadata: {labels: {a: c}}, spec: {containers: [{name: x, image: y}]}}}}",
         422, "Invalid", "`selector` does not match template `labels`"},
        {WEB, "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {}}", 422, "Invalid",
         "Deployment.apps \"web\" is invalid: [spec.selector: Required value, "
         "spec.template.spec.containers: "},
        {"/api/v1/namespaces/default/configmaps/a",
         "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {k: 1}}", 500, "",
         ".data.k: expected string, got &value.valueUnstructured{Value:1}"},
        {"/api/v1/namespaces/default/configmaps/a", "{apiVersion: v1, kind: Secret, metadata: {name: a}}",
         400, "BadRequest", "invalid object type: /v1, Kind=Secret"},
        {"/api/v1/namespaces/default/pods/p",
         "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {serviceAccountName: none, containers: "
         "[{name: x, "
         "image: z}]}}",
         403, "Forbidden",
         "error looking up service account default/none: serviceaccount \"none\" not found"},
        {"/apis/apps/v1/namespaces/default/nothings/x", "{}", 404, "NotFound",
         "could not find the requested resource"},
        {"/apis/example.com/v1/namespaces/default/things/x", "{}", 404, "", ""},
    };
    struct fixture f;
    start(&f);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        apply(&f, cases[i].path, "one", cases[i].body);
        cr_expect_eq(f.status, cases[i].status, "case %zu: HTTP %d", i, f.status);
        cr_expect_str_eq(reason(&f), cases[i].reason, "case %zu", i);
        cr_expect(strstr(text_at(&f, f.body, "message"), cases[i].message), "case %zu: %s", i,
                  text_at(&f, f.body, "message"));
    }
    stop(&f);
}

Test(sandbox, immutable_fields_stay)
{
    struct fixture f;
    start(&f);
    apply(&f, WEB, "one", WEB_YAML("", "web:1"));
    apply(&f, WEB "?force=true", "one",
          "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {selector: {matchLabels: {x: "
          "y}}, "
          "template: {metadata: {labels: {x: y}}, spec: {containers: [{name: main, image: a}]}}}}");
    expect_status(&f, 422);
    expect_text(&f, f.body, "details/causes/0/field", "spec.selector");
    cr_expect(strstr(text_at(&f, f.body, "message"), "field is immutable"));
    stop(&f);
}

static const char crd[] =
    "{\"apiVersion\":\"apiextensions.k8s.io/"
    "v1\",\"kind\":\"CustomResourceDefinition\",\"metadata\":{\"name\":"
    "\"things.example.com\"},\"spec\":{\"group\":\"example.com\",\"scope\":\"Namespaced\",\"names\":{"
    "\"plural\":"
    "\"things\",\"kind\":\"Thing\",\"singular\":\"thing\"},\"versions\":[{\"name\":\"v1\",\"served\":true,"
    "\"storage\":"
    "true,\"subresources\":{\"status\":{}},\"schema\":{\"openAPIV3Schema\":{\"type\":\"object\","
    "\"properties\":{"
    "\"status\":{\"type\":\"object\",\"x-kubernetes-preserve-unknown-fields\":true},\"spec\":"
    "{\"type\":\"object\",\"required\":[\"size\"],\"properties\":{\"size\":{\"type\":\"integer\"},\"mode\":{"
    "\"type\":"
    "\"string\",\"enum\":[\"a\",\"b\"],\"default\":\"a\"}}}}}}}]}}";

Test(sandbox, a_definition_makes_a_type)
{
    struct fixture f;
    const char *thing = "/apis/example.com/v1/namespaces/default/things/t";
    start(&f);
    post(&f, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", crd);
    expect_status(&f, 201);
    expect_text(&f, f.body, "status/conditions/1/type", "Established");
    apply(&f, thing, "one",
          "{apiVersion: example.com/v1, kind: Thing, metadata: {name: t}, spec: {size: 1, junk: 2}}");
    expect_status(&f, 201);
    expect_text(&f, f.body, "spec", "{\"size\":1,\"mode\":\"a\"}"); /* pruned and defaulted */
    apply(&f, thing, "one",
          "{apiVersion: example.com/v1, kind: Thing, metadata: {name: t}, spec: {size: big}}");
    expect_status(&f, 422);
    const struct value *list = get(&f, "/apis/example.com/v1/things");
    expect_text(&f, list, "items/0/kind", "Thing"); /* custom items carry theirs */
    cr_expect(strstr(text_at(&f, get(&f, "/openapi/v3/apis/example.com/v1"), "components"),
                     "com.example.v1.Thing"));
    call(&f, "DELETE", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.example.com", NULL,
         NULL);
    get(&f, thing);
    expect_status(&f, 404);
    stop(&f);
}

Test(sandbox, a_definition_is_served_only_after_a_while_when_asked_so)
{
    struct fixture f;
    start_with(&f, &(struct sandbox_options){.served_after_ms = 150});
    post(&f, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", crd);
    get(&f, "/apis/example.com/v1/things");
    expect_status(&f, 404);
    usleep(200000);
    get(&f, "/apis/example.com/v1/things");
    expect_status(&f, 200);
    stop(&f);
}

Test(sandbox, controllers_leave_children_behind)
{
    struct fixture f;
    start_with(&f, &(struct sandbox_options){.folder = "testdata/estates/production-simulation"});
    const struct str_list *problems = sandbox_problems(f.sandbox);
    cr_expect_eq(problems->count, 0, "%.*s", STR_ARG(problems->count ? problems->items[0] : STR_NONE));
    const struct value *sets = get(&f, "/apis/apps/v1/namespaces/production-simulation/replicasets");
    cr_expect_gt(value_count(value_key(sets, "items")), 3);
    expect_text(&f, sets, "items/0/metadata/ownerReferences/0/kind", "Deployment");
    expect_text(&f, get(&f, "/api/v1/namespaces/production-simulation/pods/postgres-0"), "status/phase",
                "Running");
    const struct value *claim =
        get(&f, "/api/v1/namespaces/production-simulation/persistentvolumeclaims/data-postgres-0");
    expect_text(&f, claim, "status/phase", "Bound");
    char volume[256];
    snprintf(volume, sizeof volume, "/api/v1/persistentvolumes/%s", text_at(&f, claim, "spec/volumeName"));
    expect_text(&f, get(&f, volume), "spec/claimRef/name", "data-postgres-0");
    expect_text(&f, get(&f, "/api/v1/namespaces/production-simulation/endpoints/postgres"),
                "subsets/0/ports/0/port", "5432");
    stop(&f);
}

/* What differed from a real kube-apiserver 1.36 with its controllers when this very estate was applied to both. */
Test(sandbox, details_of_a_real_cluster_are_there)
{
    static const struct {
        const char *path, *pointer, *want;
    } cases[] = {
        {"/apis/apps/v1/namespaces/production-simulation/deployments/frontend", "spec/replicas",
         "3"}, /* its HPA */
        {"/apis/batch/v1/namespaces/production-simulation/cronjobs/database-backup",
         "spec/jobTemplate/metadata", "{}"},
        {"/api/v1/namespaces/production-simulation/pods/postgres-0", "spec/priority", "100000"},
        {"/api/v1/namespaces/production-simulation/pods/postgres-0", "spec/imagePullSecrets/0/name",
         "registry-pull"},
        {"/api/v1/namespaces/production-simulation/services/payments", "status/loadBalancer", "{}"},
        {"/api/v1/namespaces/production-simulation/endpoints/frontend", "subsets/0/ports/0/port", "8080"},
        {"/apis/autoscaling/v2/namespaces/production-simulation/horizontalpodautoscalers/frontend",
         "spec/behavior/scaleUp/selectPolicy", "Max"},
    };
    struct fixture f;
    start_with(&f, &(struct sandbox_options){.folder = "testdata/estates/production-simulation"});
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *have = text_at(&f, get(&f, cases[i].path), cases[i].pointer);
        cr_expect_str_eq(have, cases[i].want, "%s %s: %s", cases[i].path, cases[i].pointer, have);
    }
    const char *token = "/api/v1/namespaces/production-simulation/secrets/ci-deployer-token";
    cr_expect_neq(strlen(text_at(&f, get(&f, token), "data/token")), 0);
    stop(&f);
}

Test(sandbox, a_workload_whose_secret_is_missing_does_not_get_ready)
{
    struct fixture f;
    start(&f);
    apply(&f, WEB, "one",
          "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {selector: {matchLabels: {a: "
          "b}}, "
          "template: {metadata: {labels: {a: b}}, spec: {containers: [{name: x, image: y, envFrom: "
          "[{secretRef: "
          "{name: key}}]}]}}}}");
    expect_text(&f, f.body, "status/readyReplicas", "");
    post(&f, "/api/v1/namespaces/default/secrets",
         "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":\"key\"},\"stringData\":{\"a\":"
         "\"b\"}}");
    expect_text(&f, f.body, "data/a", "Yg==");
    expect_text(&f, get(&f, WEB), "status/readyReplicas", "1");
    stop(&f);
}

static bool is_ready(struct fixture *f, const char *path, const char *replicas)
{
    for (int i = 0; i < 1000; i++) {
        if (strcmp(text_at(f, get(f, path), "status/readyReplicas"), replicas) == 0)
            return true;
        usleep(10 * 1000);
    }
    return false;
}

Test(sandbox, a_workload_that_was_ready_gets_ready_again_when_it_is_scaled)
{
    struct fixture f;
    start_with(&f, &(struct sandbox_options){.ready_after_ms = 20});
    make_namespace(&f, "shop");
    const char *path = "/apis/apps/v1/namespaces/shop/deployments/web";
    apply(&f, path, "test",
          "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: shop}, spec: {selector: "
          "{matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: "
          "c, image: i}]}}}}");
    expect_status(&f, 201);
    cr_assert(is_ready(&f, path, "1"));
    apply(&f, "/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers/web", "test",
          "{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: web, namespace: "
          "shop}, spec: {minReplicas: 3, maxReplicas: 5, scaleTargetRef: {apiVersion: apps/v1, kind: "
          "Deployment, name: web}}}");
    expect_status(&f, 201);
    cr_expect(is_ready(&f, path, "3"), "%s", text_at(&f, f.body, "status"));
    stop(&f);
}

Test(sandbox, what_is_deleted_takes_its_children_along)
{
    struct fixture f;
    start(&f);
    make_namespace(&f, "gone");
    apply(&f, "/apis/apps/v1/namespaces/gone/deployments/web", "one", WEB_YAML("", "web:1"));
    call(&f, "DELETE", "/apis/apps/v1/namespaces/gone/deployments/web", NULL, NULL);
    expect_text(&f, get(&f, "/api/v1/namespaces/gone/pods"), "items", "[]");
    expect_text(&f, get(&f, "/apis/apps/v1/namespaces/gone/replicasets"), "items", "[]");
    call(&f, "DELETE", "/api/v1/namespaces/gone", NULL, NULL);
    get(&f, "/api/v1/namespaces/gone/serviceaccounts/default");
    expect_status(&f, 404);
    stop(&f);
}

Test(sandbox, faults_strike_as_often_as_asked)
{
    struct fixture f;
    start(&f);
    sandbox_fault(f.sandbox, &(struct sandbox_fault){
                                 .kind = SANDBOX_THROTTLE, .match = "/api/v1/pods", .times = 1, .value = 7});
    get(&f, "/api/v1/pods");
    expect_status(&f, 429);
    expect_text(&f, f.body, "details/retryAfterSeconds", "7");
    get(&f, "/api/v1/pods");
    expect_status(&f, 200);
    sandbox_fault(f.sandbox, &(struct sandbox_fault){.kind = SANDBOX_FORBID, .match = "*/secrets"});
    get(&f, "/api/v1/secrets");
    expect_status(&f, 403);
    expect_text(
        &f, f.body, "message",
        "secrets is forbidden: User \"sandbox\" cannot list resource \"secrets\" in API group \"\" at the "
        "cluster scope");
    sandbox_heal(f.sandbox);
    get(&f, "/api/v1/secrets");
    expect_status(&f, 200);
    stop(&f);
}

Test(sandbox, a_cut_body_is_no_short_answer)
{
    static const enum sandbox_fault_kind kinds[] = {SANDBOX_CUT, SANDBOX_CLOSE};
    struct fixture f;
    start(&f);
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        sandbox_fault(f.sandbox, &(struct sandbox_fault){.kind = kinds[i]});
        cr_expect_not(
            try_call(&f, "GET", "/api/v1/pods", NULL, NULL, str_c(f.arena, sandbox_token(f.sandbox))));
        cr_expect_eq(f.err.code, ERR_UNREACHABLE);
        sandbox_heal(f.sandbox);
    }
    stop(&f);
}

Test(sandbox, a_body_beyond_the_bound_is_refused)
{
    struct fixture f;
    start(&f);
    size_t len = 4 << 20;
    char *body = malloc(len + 1);
    memset(body, ' ', len);
    body[len] = 0;
    post(&f, "/api/v1/namespaces", body);
    expect_status(&f, 413);
    free(body);
    stop(&f);
}
