/* Routes that Services ask for by label: what is written, and that it goes again. */
#include <criterion/criterion.h>

#include "core/base/json.h"
#include "core/base/pointer.h"
#include "tests/overlays/fixture.h"

#define NAMESPACE(name, labels)                                                                              \
    "apiVersion: v1\nkind: Namespace\nmetadata: {name: " name ", labels: {" labels "}}\n---\n"
#define SERVICE(namespace, name, labels, annotations, ports)                                                 \
    "apiVersion: v1\nkind: Service\nmetadata: {name: " name                                                  \
    ", namespace: " namespace ", labels: {" labels "}, annotations: {" annotations                           \
                              "}}\nspec: {ports: [" ports "]}\n---\n"
#define ENABLED "compliance.routing/enabled: 'true'"
#define HTTP    "{name: http, port: 8080}"
#define WRITTEN                                                                                              \
    "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: web, namespace: us}\n"       \
    "spec: {hosts: [web.us.svc.cluster.local]}\n---\n"

static void open_with(struct overlays_fixture *f, const char *domain, const char *region)
{
    overlays_fixture_init(f);
    struct config_environment *dev = &f->config.environments.items[0];
    *ARENA_PUSH(f->arena, &dev->routing_gateways) = STR("mesh-system/public");
    dev->routing_domain = str_of(domain);
    dev->routing_region = str_of(region);
}

static const struct value *route_of(struct overlays_fixture *f, const char *environment,
                                    const char *namespace, const char *name)
{
    struct bundle rendered;
    overlays_fixture_render(f, environment, &rendered);
    bundle_sort(&rendered);
    const struct resource *found = bundle_find(&rendered, STR("networking.istio.io"), STR("VirtualService"),
                                               str_of(namespace), str_of(name));
    return found ? found->object : NULL;
}

static struct str text_at(const struct value *object, const char *pointer)
{
    return value_text(pointer_get(object, str_of(pointer)));
}

static const struct {
    const char *what, *namespace, *service, *region, *host, *port;
} cases[] = {
    {"by its name", NAMESPACE("us", ""), SERVICE("us", "web", ENABLED, "", HTTP), "", "web.example.com",
     "8080"},
    {"by its annotation", NAMESPACE("us", ""),
     SERVICE("us", "web", ENABLED, "compliance.routing/host: app", HTTP), "", "app.example.com", "8080"},
    {"with the region of its namespace", NAMESPACE("us", "compliance.routing/region: us"),
     SERVICE("us", "web", ENABLED, "compliance.routing/host: app", HTTP), "eu", "us-app.example.com", "8080"},
    {"with its own region", NAMESPACE("us", "compliance.routing/region: us"),
     SERVICE("us", "web", ENABLED ", compliance.routing/region: ap", "", HTTP), "eu", "ap-web.example.com",
     "8080"},
    {"with the environment's region", NAMESPACE("us", ""), SERVICE("us", "web", ENABLED, "", HTTP), "eu",
     "eu-web.example.com", "8080"},
    {"the port that speaks http", NAMESPACE("us", ""),
     SERVICE("us", "web", ENABLED, "", "{name: metrics, port: 9102}, {name: http-web, port: 80}"), "",
     "web.example.com", "80"},
    {"the first where none says so", NAMESPACE("us", ""),
     SERVICE("us", "web", ENABLED, "", "{port: 9102}, {name: x, port: 80}"), "", "web.example.com", "9102"},
    {"the port of the annotation", NAMESPACE("us", ""),
     SERVICE("us", "web", ENABLED, "compliance.routing/port: metrics", HTTP ", {name: metrics, port: 9102}"),
     "", "web.example.com", "9102"},
    {"not without the label", NAMESPACE("us", ""), SERVICE("us", "web", "", "", HTTP), "", NULL, NULL},
    {"not with another value", NAMESPACE("us", ""),
     SERVICE("us", "web", "compliance.routing/enabled: 'false'", "", HTTP), "", NULL, NULL},
    {"not without a port", NAMESPACE("us", ""), SERVICE("us", "web", ENABLED, "", ""), "", NULL, NULL},
};

Test(routing, hosts_and_ports)
{
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct overlays_fixture f;
        open_with(&f, "example.com", cases[i].region);
        overlays_fixture_stage(
            &f, str_c(f.arena, str_fmt(f.arena, "%s%s", cases[i].namespace, cases[i].service)));
        const struct value *route = route_of(&f, "dev", "us", "web");
        cr_expect_eq(route != NULL, cases[i].host != NULL, "%s", cases[i].what);
        cr_expect_null(route_of(&f, "prod", "us", "web"), "%s: an environment without gateways has none",
                       cases[i].what);
        if (route != NULL) {
            cr_expect(str_is(text_at(route, "/spec/hosts/0"), cases[i].host), "%s: %.*s", cases[i].what,
                      STR_ARG(text_at(route, "/spec/hosts/0")));
            cr_expect(str_is(text_at(route, "/spec/http/0/route/0/destination/port/number"), cases[i].port),
                      "%s", cases[i].what);
            cr_expect(
                str_is(text_at(route, "/spec/http/0/route/0/destination/host"), "web.us.svc.cluster.local"));
            cr_expect(str_is(text_at(route, "/spec/gateways/0"), "mesh-system/public"));
        }
        overlays_fixture_done(&f);
    }
}

Test(routing, one_that_somebody_wrote_is_left_alone)
{
    struct overlays_fixture f;
    open_with(&f, "example.com", "");
    overlays_fixture_stage(&f, NAMESPACE("us", "") WRITTEN SERVICE("us", "web", ENABLED, "", HTTP));
    cr_expect(str_is(text_at(route_of(&f, "dev", "us", "web"), "/spec/hosts/0"), "web.us.svc.cluster.local"));
    const struct value *dev = value_item(value_in(run_report(&f.run), PATH("overlays", "environments")), 0);
    cr_expect(str_is(value_str(value_item(value_key(dev, "routesKept"), 0)), "us/web"));
    overlays_fixture_done(&f);
}

Test(routing, two_of_one_host_are_told_apart_by_their_namespace)
{
    struct overlays_fixture f;
    open_with(&f, "example.com", "");
    overlays_fixture_stage(&f, NAMESPACE("eu", "") NAMESPACE("us", "") SERVICE("us", "web", ENABLED, "", HTTP)
                                   SERVICE("eu", "web", ENABLED, "", HTTP));
    cr_expect(str_is(text_at(route_of(&f, "dev", "eu", "web"), "/spec/hosts/0"), "web.example.com"));
    cr_expect(str_is(text_at(route_of(&f, "dev", "us", "web"), "/spec/hosts/0"), "web-us.example.com"));
    overlays_fixture_done(&f);
}

Test(routing, verified_as_written_also_under_another_namespace)
{
    struct overlays_fixture f;
    const struct value *steps;
    const char *list;
    open_with(&f, "example.com", "");
    f.config.environments.items[0].namespace_suffix = STR("-dev");
    overlays_fixture_stage(&f, NAMESPACE("us", "") SERVICE("us", "web", ENABLED, "", HTTP));
    const struct value *route = route_of(&f, "dev", "us-dev", "web");
    cr_assert_not_null(route);
    cr_expect(
        str_is(text_at(route, "/spec/http/0/route/0/destination/host"), "web.us-dev.svc.cluster.local"));
    cr_expect_eq(overlays_fixture_verify(&f, &f.run.files, 0, &list, &steps), 0, "%s", list);
    cr_expect(str_is(value_text(value_key(steps, "routing")), "1"));
    overlays_fixture_done(&f);
}

Test(routing, gateways_without_a_domain_are_refused)
{
    struct overlays_fixture f;
    open_with(&f, "", "");
    f.config.environments.items[0].hosts_domain = STR_NONE;
    cr_assert(bundle_read_text(&f.bundle, STR(SERVICE("us", "web", ENABLED, "", HTTP)), STR("test"), &f.err));
    cr_expect_not(overlays_stage(&f.run, &f.bundle, &f.err));
    cr_expect_eq(f.err.code, ERR_USAGE);
    cr_expect(str_contains(str_of(f.err.msg), STR("environment dev has gateways and no domain")), "%s",
              f.err.msg);
    overlays_fixture_done(&f);
}
