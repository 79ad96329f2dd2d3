/* What the pipeline relies on in an API server, asked of every server it is used with: the sandbox always, a real
 * kube-apiserver when GITOPS_PIPE_TEST_KUBECONFIG names a kubeconfig for one that may be written to. Both get the same
 * cases; where the sandbox would answer otherwise than Kubernetes, the sandbox is wrong. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/json.h"
#include "core/kube/kube.h"
#include "dr-scenarios/sandbox/sandbox.h"

struct server {
    struct arena *arena;
    struct sandbox *sandbox; /* NULL for a real one */
    struct kube *kube;
    char dir[64], config[96];
    struct str namespace; /* of this case alone */
    struct retry_policy policy;
    struct err err;
};

static const struct resource_type NAMESPACES = {
    .version = STR_INIT("v1"), .plural = STR_INIT("namespaces"), .kind = STR_INIT("Namespace")};
static const struct resource_type CONFIG_MAPS = {.version = STR_INIT("v1"),
                                                 .plural = STR_INIT("configmaps"),
                                                 .kind = STR_INIT("ConfigMap"),
                                                 .namespaced = true};
static const struct resource_type DEPLOYMENTS = {.group = STR_INIT("apps"),
                                                 .version = STR_INIT("v1"),
                                                 .plural = STR_INIT("deployments"),
                                                 .kind = STR_INIT("Deployment"),
                                                 .namespaced = true};
static const struct resource_type CRDS = {.group = STR_INIT("apiextensions.k8s.io"),
                                          .version = STR_INIT("v1"),
                                          .plural = STR_INIT("customresourcedefinitions"),
                                          .kind = STR_INIT("CustomResourceDefinition")};

/* ---- servers ---- */

static void open_client(struct server *s)
{
    s->policy = RETRY_DEFAULT;
    s->policy.attempts = 1;
    const struct kube_options options = {.kubeconfig = str_of(s->config), .retry = &s->policy};
    cr_assert(kube_open(s->arena, &options, &s->kube, &s->err), "%s", s->err.msg);
}

static void open_sandbox(struct server *s)
{
    *s = (struct server){.arena = arena_new(), .dir = "/tmp/contract-XXXXXX"};
    cr_assert(mkdtemp(s->dir) != NULL);
    snprintf(s->config, sizeof s->config, "%s/config", s->dir);
    cr_assert(sandbox_start(&(struct sandbox_options){0}, &s->sandbox, &s->err), "%s", s->err.msg);
    cr_assert(sandbox_write_kubeconfig(s->sandbox, s->config, &s->err), "%s", s->err.msg);
    open_client(s);
}

static bool open_real(struct server *s)
{
    const char *config = getenv("GITOPS_PIPE_TEST_KUBECONFIG");
    if (config == NULL || config[0] == '\0')
        return false;
    *s = (struct server){.arena = arena_new()};
    snprintf(s->config, sizeof s->config, "%s", config);
    open_client(s);
    return true;
}

static const struct value *apply(struct server *s, const struct resource_type *type, const char *text,
                                 const struct kube_apply *how)
{
    static const struct kube_apply plain;
    const struct value *object, *made;
    struct resource resource;
    struct str json = str_fmt(s->arena, "%s", text);
    cr_assert(json_parse(s->arena, json, NULL, &object, &s->err), "%s: %s", text, s->err.msg);
    if (type->namespaced)
        object = value_with_in(s->arena, object, PATH("metadata", "namespace"),
                               value_string(s->arena, s->namespace));
    cr_assert(resource_from(object, STR_NONE, &resource, &s->err), "%s", s->err.msg);
    if (!kube_apply(s->kube, s->arena, type, &resource, how ? how : &plain, &made, &s->err))
        return NULL;
    return made;
}

#define CONFIG_MAP(name, data)                                                                               \
    "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"" name "\"},\"data\":{" data "}" \
    "}"

static void open_namespace(struct server *s)
{
    s->namespace =
        str_fmt(s->arena, "contract-%d-%lld", (int)getpid(), (long long)clock_monotonic_ms() % 1000000);
    struct str text =
        str_fmt(s->arena, "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"%.*s\"}}",
                STR_ARG(s->namespace));
    cr_assert(apply(s, &NAMESPACES, str_c(s->arena, text), NULL) != NULL, "%s", s->err.msg);
}

static void close_server(struct server *s)
{
    if (!kube_delete(s->kube, s->arena, &NAMESPACES, STR_NONE, s->namespace, &s->err))
        cr_log_warn("namespace left behind: %s", s->err.msg);
    kube_close(s->kube);
    if (s->sandbox != NULL) {
        sandbox_stop(s->sandbox);
        remove(s->config);
        remove(s->dir);
    }
    arena_free(s->arena);
}

/* One Criterion test per case, run on the sandbox and, where there is one, on the real server. */
static void on_every_server(void (*run)(struct server *s))
{
    struct server s;
    open_sandbox(&s);
    open_namespace(&s);
    run(&s);
    close_server(&s);
    if (!open_real(&s)) {
        cr_log_info("no real kube-apiserver: GITOPS_PIPE_TEST_KUBECONFIG is not set");
        return;
    }
    open_namespace(&s);
    run(&s);
    close_server(&s);
}

#define CASE(name)                                                                                           \
    static void name(struct server *s);                                                                      \
    Test(kube_contract, name)                                                                                \
    {                                                                                                        \
        on_every_server(name);                                                                               \
    }                                                                                                        \
    static void name(struct server *s)

static struct str version_of(const struct value *object)
{
    return value_str_in(object, PATH("metadata", "resourceVersion"));
}

/* A list asked for by hand, so that pages can be small. */
static const struct value *list_page(struct server *s, const char *query)
{
    const struct value *page;
    struct str path = str_fmt(s->arena, "/api/v1/namespaces/%.*s/configmaps?labelSelector=page%%3Dyes&%s",
                              STR_ARG(s->namespace), query);
    return kube_call(s->kube, s->arena, "GET", path, NULL, STR_NONE, &page, &s->err) ? page : NULL;
}

static void make_pages(struct server *s, int from, int to)
{
    for (int i = from; i < to; i++) {
        struct str text =
            str_fmt(s->arena,
                    "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"p%d\","
                    "\"labels\":{\"page\":\"yes\"}},\"data\":{\"n\":\"%d\"}}",
                    i, i);
        cr_assert(apply(s, &CONFIG_MAPS, str_c(s->arena, text), NULL) != NULL, "%s", s->err.msg);
    }
}

/* ---- the cases ---- */

CASE(says_its_version_and_what_it_serves)
{
    struct str version;
    struct resource_types types;
    cr_assert(kube_version(s->kube, s->arena, &version, &s->err), "%s", s->err.msg);
    cr_expect(str_starts(version, STR("v1.")), "%.*s", STR_ARG(version));

    cr_assert(kube_discover(s->kube, s->arena, &types, &s->err), "%s", s->err.msg);
    const struct resource_type *pods = resource_type_find(&types, STR_NONE, STR("Pod"));
    cr_assert(pods != NULL);
    cr_expect(pods->namespaced && pods->listable && pods->has_status && str_is(pods->plural, "pods"));
    const struct resource_type *roles =
        resource_type_find(&types, STR("rbac.authorization.k8s.io"), STR("ClusterRole"));
    cr_expect(roles != NULL && !roles->namespaced && roles->listable && !roles->has_status);
    const struct resource_type *deployments = resource_type_find(&types, STR("apps"), STR("Deployment"));
    cr_expect(deployments != NULL && str_is(deployments->version, "v1") && deployments->has_status);
}

CASE(what_is_applied_can_be_read_back)
{
    const struct value *got;
    const struct value *made =
        apply(s, &CONFIG_MAPS, CONFIG_MAP("a", "\"k\":\"grüße\\n\\t\\\"€\",\"n\":\"1e3\""), NULL);
    cr_assert(made != NULL, "%s", s->err.msg);
    cr_expect_neq(value_str_in(made, PATH("metadata", "uid")).len, 0);
    cr_expect_neq(value_str_in(made, PATH("metadata", "creationTimestamp")).len, 0);
    cr_expect_neq(version_of(made).len, 0);
    cr_assert(kube_get(s->kube, s->arena, &CONFIG_MAPS, s->namespace, STR("a"), &got, &s->err), "%s",
              s->err.msg);
    cr_expect(value_equal(got, made));
    cr_expect(str_is(value_str_in(got, PATH("data", "k")), "grüße\n\t\"€"));
    const struct value *managed = value_item(value_in(got, PATH("metadata", "managedFields")), 0);
    cr_expect(str_is(value_str(value_key(managed, "manager")), "gitops-pipe"));
    cr_expect(str_is(value_str(value_key(managed, "operation")), "Apply"));
}

CASE(applying_the_same_again_changes_nothing)
{
    const struct value *first = apply(s, &CONFIG_MAPS, CONFIG_MAP("a", "\"k\":\"v\""), NULL);
    const struct value *second = apply(s, &CONFIG_MAPS, CONFIG_MAP("a", "\"k\":\"v\""), NULL);
    cr_assert(first != NULL && second != NULL, "%s", s->err.msg);
    cr_expect(str_eq(version_of(first), version_of(second)));
    const struct value *third = apply(s, &CONFIG_MAPS, CONFIG_MAP("a", "\"other\":\"v\""), NULL);
    cr_assert(third != NULL, "%s", s->err.msg);
    cr_expect_not(str_eq(version_of(first), version_of(third)));
    cr_expect(value_in(third, PATH("data", "k")) == NULL, "a field its owner no longer states goes away");
}

CASE(a_dry_run_leaves_nothing)
{
    const struct value *got;
    const struct kube_apply dry = {.dry_run = true};
    cr_expect(apply(s, &CONFIG_MAPS, CONFIG_MAP("a", ""), &dry) != NULL, "%s", s->err.msg);
    cr_expect_not(kube_get(s->kube, s->arena, &CONFIG_MAPS, s->namespace, STR("a"), &got, &s->err));
    cr_expect_eq(s->err.code, ERR_NOT_FOUND, "%s", s->err.msg);
}

CASE(a_field_of_another_manager_is_a_conflict_unless_forced)
{
    const struct kube_apply other = {.field_manager = "somebody"}, forced = {.force = true};
    cr_assert(apply(s, &CONFIG_MAPS, CONFIG_MAP("a", "\"k\":\"theirs\""), &other) != NULL, "%s", s->err.msg);
    cr_expect(apply(s, &CONFIG_MAPS, CONFIG_MAP("a", "\"k\":\"ours\""), NULL) == NULL);
    cr_expect_eq(s->err.code, ERR_CONFLICT, "%s", s->err.msg);
    cr_expect(strstr(s->err.msg, "somebody") && strstr(s->err.msg, ".data.k"), "%s", s->err.msg);
    const struct value *made = apply(s, &CONFIG_MAPS, CONFIG_MAP("a", "\"k\":\"ours\""), &forced);
    cr_assert(made != NULL, "%s", s->err.msg);
    cr_expect(str_is(value_str_in(made, PATH("data", "k")), "ours"));
}

CASE(an_invalid_object_is_refused_with_the_field)
{
    cr_expect(
        apply(s, &DEPLOYMENTS,
              "{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"d\"},\"spec\":{"
              "\"selector\":{\"matchLabels\":{\"a\":\"b\"}},\"template\":{\"metadata\":{\"labels\":{\"a\":"
              "\"c\"}},\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]}}}}",
              NULL) == NULL);
    cr_expect_eq(s->err.code, ERR_INVALID, "%s", s->err.msg);
    cr_expect(strstr(s->err.msg, "spec.template.metadata.labels"), "%s", s->err.msg);
}

CASE(what_is_deleted_is_gone)
{
    const struct value *got;
    cr_assert(apply(s, &CONFIG_MAPS, CONFIG_MAP("a", ""), NULL) != NULL, "%s", s->err.msg);
    cr_expect(kube_delete(s->kube, s->arena, &CONFIG_MAPS, s->namespace, STR("a"), &s->err), "%s",
              s->err.msg);
    cr_expect_not(kube_get(s->kube, s->arena, &CONFIG_MAPS, s->namespace, STR("a"), &got, &s->err));
    cr_expect_eq(s->err.code, ERR_NOT_FOUND, "%s", s->err.msg);
    cr_expect_not(kube_delete(s->kube, s->arena, &CONFIG_MAPS, s->namespace, STR("a"), &s->err));
    cr_expect_eq(s->err.code, ERR_NOT_FOUND, "%s", s->err.msg);
}

CASE(pages_are_of_the_moment_of_the_first)
{
    make_pages(s, 0, 5);
    const struct value *page = list_page(s, "limit=2");
    cr_assert(page != NULL, "%s", s->err.msg);
    struct str version = version_of(page);
    size_t count = value_count(value_key(page, "items"));
    cr_expect_eq(count, 2);
    make_pages(s, 5, 7);
    for (int i = 0; i < 4 && value_in(page, PATH("metadata", "continue")) != NULL; i++) {
        struct str token = http_escape(s->arena, value_str_in(page, PATH("metadata", "continue")), false);
        if (token.len == 0)
            break;
        struct str query = str_fmt(s->arena, "limit=2&continue=%.*s", STR_ARG(token));
        page = list_page(s, str_c(s->arena, query));
        cr_assert(page != NULL, "%s", s->err.msg);
        cr_expect(str_eq(version_of(page), version), "every page is of one moment");
        count += value_count(value_key(page, "items"));
    }
    cr_expect_eq(count, 5, "what came later is not in it: %zu", count);
}

CASE(a_list_of_an_exact_version_shows_that_moment)
{
    make_pages(s, 0, 3);
    const struct value *now = list_page(s, "limit=1");
    cr_assert(now != NULL, "%s", s->err.msg);
    struct str version = version_of(now);
    make_pages(s, 3, 5);
    cr_assert(kube_delete(s->kube, s->arena, &CONFIG_MAPS, s->namespace, STR("p0"), &s->err));
    struct str query = str_fmt(s->arena, "resourceVersion=%.*s&resourceVersionMatch=Exact", STR_ARG(version));
    const struct value *then = list_page(s, str_c(s->arena, query));
    cr_assert(then != NULL, "%s", s->err.msg);
    cr_expect(str_eq(version_of(then), version));
    cr_expect_eq(value_count(value_key(then, "items")), 3);
}

CASE(a_version_of_the_future_and_a_broken_token_are_refused)
{
    cr_expect(list_page(s, "resourceVersion=99999999999&resourceVersionMatch=Exact") == NULL);
    cr_expect_eq(s->err.code, ERR_UNREACHABLE, "504: %s", s->err.msg);
    cr_expect(strstr(s->err.msg, "Too large resource version"), "%s", s->err.msg);
    cr_expect(list_page(s, "limit=1&continue=rubbish") == NULL);
    cr_expect_eq(s->err.code, ERR_INVALID, "%s", s->err.msg);
}

/* Names of schemas are the server's own affair; readers find a type by x-kubernetes-group-version-kind. */
static bool describes(const struct value *document, const char *group, const char *kind)
{
    MEMBER_EACH(schema, value_in(document, PATH("components", "schemas")))
        VALUE_EACH(gvk, value_key(&schema->value, "x-kubernetes-group-version-kind"))
            if (str_is(value_str(value_key(gvk, "group")), group) &&
                str_is(value_str(value_key(gvk, "kind")), kind))
                return str_is(value_str(value_key(&schema->value, "type")), "object");
    return false;
}

CASE(openapi_describes_what_it_serves)
{
    const struct value *documents;
    cr_assert(kube_openapi(s->kube, s->arena, &documents, &s->err), "%s", s->err.msg);
    cr_expect(describes(value_key(documents, "apis/apps/v1"), "apps", "Deployment"));
    cr_expect(describes(value_key(documents, "api/v1"), "", "ConfigMap"));
}

CASE(a_custom_type_is_served_soon_after_its_definition)
{
    struct resource_types types;
    const struct resource_type *widgets = NULL;
    cr_assert(
        apply(
            s, &CRDS,
            "{\"apiVersion\":\"apiextensions.k8s.io/v1\",\"kind\":\"CustomResourceDefinition\","
            "\"metadata\":{\"name\":\"widgets.contract.example.com\"},\"spec\":{\"group\":"
            "\"contract.example.com\",\"scope\":\"Namespaced\",\"names\":{\"kind\":\"Widget\",\"plural\":"
            "\"widgets\",\"singular\":\"widget\",\"listKind\":\"WidgetList\"},\"versions\":[{\"name\":\"v1\","
            "\"served\":true,\"storage\":true,\"schema\":{\"openAPIV3Schema\":{\"type\":\"object\","
            "\"x-kubernetes-preserve-unknown-fields\":true}},\"subresources\":{\"status\":{}}}]}}",
            NULL) != NULL,
        "%s", s->err.msg);
    for (int i = 0; i < 100 && widgets == NULL; i++) {
        cr_assert(kube_discover(s->kube, s->arena, &types, &s->err), "%s", s->err.msg);
        widgets = resource_type_find(&types, STR("contract.example.com"), STR("Widget"));
        if (widgets == NULL)
            clock_sleep_ms(100);
    }
    cr_assert(widgets != NULL, "not served after ten seconds");
    cr_expect(widgets->namespaced && widgets->listable && widgets->has_status);
    const struct value *made = NULL;
    for (int i = 0; i < 100 && made == NULL; i++) { /* discovery may be ahead of the handler */
        made = apply(
            s, widgets,
            "{\"apiVersion\":\"contract.example.com/v1\",\"kind\":\"Widget\",\"metadata\":{\"name\":\"w\"},"
            "\"spec\":{\"price\":0.1}}",
            NULL);
        if (made == NULL)
            clock_sleep_ms(100);
    }
    cr_assert(made != NULL, "%s", s->err.msg);
    struct kube_list list;
    cr_assert(kube_list(s->kube, s->arena, widgets, s->namespace, STR_NONE, &list, &s->err), "%s",
              s->err.msg);
    cr_assert_eq(list.count, 1);
    cr_expect(str_is(value_str(value_key(list.items[0], "kind")), "Widget"));
    cr_expect(str_is(value_str(value_key(list.items[0], "apiVersion")), "contract.example.com/v1"));
    cr_expect(str_is(value_text(value_in(list.items[0], PATH("spec", "price"))), "0.1"));
    cr_expect(kube_delete(s->kube, s->arena, &CRDS, STR_NONE, STR("widgets.contract.example.com"), &s->err));
}

CASE(an_administrator_may_list_everything)
{
    bool allowed = false;
    cr_assert(kube_may(s->kube, s->arena, "list", NULL, STR_NONE, &allowed, &s->err), "%s", s->err.msg);
    cr_expect(allowed);
    cr_assert(kube_may(s->kube, s->arena, "get", &CONFIG_MAPS, s->namespace, &allowed, &s->err));
    cr_expect(allowed);
}

CASE(a_snapshot_is_of_one_moment_and_holds_what_get_shows)
{
    struct bundle bundle;
    const struct value *got;
    struct str spaces[] = {s->namespace};
    const struct kube_selection selection = {.include_namespaces = {spaces, 1, 1}};
    make_pages(s, 0, 3);
    cr_assert(kube_snapshot(s->kube, s->arena, &selection, NULL, &bundle, &s->err), "%s", s->err.msg);
    cr_expect(bundle.complete);
    cr_expect_eq(bundle.sandbox, s->sandbox != NULL);
    cr_expect_neq(bundle.cluster_uid.len, 0);
    for (size_t i = 0; i < bundle.types.count; i++) {
        const struct resource_type *type = &bundle.types.items[i];
        if (type->consistency.len == 0)
            continue;
        cr_expect(str_is(type->consistency, "exact"), "%.*s", STR_ARG(type->plural));
        cr_expect(str_eq(type->resource_version, bundle.resource_version), "%.*s", STR_ARG(type->plural));
    }
    for (int i = 0; i < 3; i++) {
        struct str name = str_fmt(s->arena, "p%d", i);
        const struct resource *found = bundle_find(&bundle, STR_NONE, STR("ConfigMap"), s->namespace, name);
        cr_assert(found != NULL, "p%d", i);
        cr_assert(kube_get(s->kube, s->arena, &CONFIG_MAPS, s->namespace, name, &got, &s->err));
        cr_expect(value_equal(found->object, got), "p%d", i);
    }
    cr_expect(bundle_find(&bundle, STR_NONE, STR("Namespace"), STR_NONE, s->namespace) != NULL);
    cr_expect(value_key(bundle.openapi, "api/v1") != NULL);
}
