/* Who needs whom: what is said, what is seen, and the order that follows. */
#include <criterion/criterion.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/kube/dependencies.h"
#include "core/kube/selector.h"
#include "core/kube/workload.h"

struct fixture {
    struct arena *arena;
    struct bundle bundle;
    struct dependencies found;
};

static void read_str(struct fixture *f, struct str objects)
{
    struct err err;
    f->arena = arena_new();
    bundle_init(&f->bundle, f->arena);
    cr_assert(bundle_read_text(&f->bundle, objects, STR("test"), &err), "%s", err.msg);
    cr_assert_eq(f->bundle.problems.count, 0, "%.*s", STR_ARG(f->bundle.problems.items[0]));
    bundle_sort(&f->bundle);
    dependencies_of(f->arena, &f->bundle, &f->found);
}

static void read_objects(struct fixture *f, const char *objects)
{
    read_str(f, str_of(objects));
}

static size_t index_of(const struct fixture *f, const char *label)
{
    for (size_t i = 0; i < f->bundle.count; i++)
        if (str_is(resource_label(f->arena, &f->bundle.items[i]), label))
            return i;
    cr_assert_fail("no %s", label);
    return 0;
}

/* "shop/Deployment/a > shop/Deployment/b" for each that is kept, one blank between them. */
static struct str kept(const struct fixture *f)
{
    struct str text = STR("");
    for (size_t i = 0; i < f->found.list.count; i++) {
        const struct dependency *d = &f->found.list.items[i];
        struct str from = f->bundle.items[d->from].name, to = f->bundle.items[d->to].name;
        if (!d->broken)
            text = str_fmt(f->arena, "%.*s%s%.*s>%.*s", STR_ARG(text), text.len ? " " : "", STR_ARG(from),
                           STR_ARG(to));
    }
    return text;
}

#define ON(what) ", annotations: {gitops-pipe.io/depends-on: '" what "'}"
#define DEPLOYMENT(name, more, pod)                                                                          \
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: " name ", namespace: shop" more                 \
    "}\nspec: {selector: {matchLabels: {app: " name "}}, template: {metadata: {labels: {app: " name          \
    "}}, spec: {" pod "}}}\n---\n"
#define RUNS(container) "containers: [{name: c, image: i, " container "}]"
#define PLAIN           RUNS("args: [x]")
#define SERVICE(name, ports)                                                                                 \
    "apiVersion: v1\nkind: Service\nmetadata: {name: " name                                                  \
    ", namespace: shop}\nspec: {selector: {app: " name "}, ports: [" ports "]}\n---\n"
#define DB SERVICE("db", "{port: 5432}") DEPLOYMENT("db", "", PLAIN)
#define CONFIG(key, value)                                                                                   \
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf, namespace: shop}\ndata: {" key ": " value       \
    "}\n---\n"
#define ENV(name, value) RUNS("env: [{name: " name ", value: '" value "'}]")
#define WAITS(words)                                                                                         \
    "initContainers: [{name: i, image: i, command: [sh, -c, '" words "']}], containers: [{name: c, image: "  \
    "i}]"

static const struct {
    const char *what, *objects, *want;
} seen[] = {
    {"an annotation", DB DEPLOYMENT("web", ON("Deployment/db"), PLAIN), "web>db"},
    {"an annotation with its namespace", DB DEPLOYMENT("web", ON("shop/Deployment/db"), PLAIN), "web>db"},
    {"a Service stands for its workloads", DB DEPLOYMENT("web", ON("Service/db"), PLAIN), "web>db"},
    {"several", DB DEPLOYMENT("a", "", PLAIN) DEPLOYMENT("web", ON("Deployment/db, Deployment/a"), PLAIN),
     "web>a web>db"},
    {"nothing on itself", DEPLOYMENT("web", ON("Deployment/web"), PLAIN), ""},
    {"a URL", DB DEPLOYMENT("web", "", ENV("X", "postgres://me@db/x")), "web>db"},
    {"scheme and name", DB DEPLOYMENT("web", "", ENV("X", "http://db/")), "web>db"},
    {"host and port", DB DEPLOYMENT("web", "", ENV("X", "db:5432")), "web>db"},
    {"not with another port", DB DEPLOYMENT("web", "", ENV("X", "db:1")), ""},
    {"not a common word", DB DEPLOYMENT("web", "", ENV("DATABASE_USER", "db")), ""},
    {"under the key of a host", DB DEPLOYMENT("web", "", ENV("DATABASE_HOST", "db")), "web>db"},
    {"with its namespace", DB DEPLOYMENT("web", "", ENV("X", "db.shop")), "web>db"},
    {"as a name of the cluster", DB DEPLOYMENT("web", "", ENV("X", "see db.shop.svc.cluster.local.")),
     "web>db"},
    {"a pod's name", DB DEPLOYMENT("web", "", ENV("X", "http://db-{0...3}.db.shop.svc/data")), "web>db"},
    {"a pod's whole name", DB DEPLOYMENT("web", "", ENV("X", "db-0.db.shop.svc")), "web>db"},
    {"not in another namespace", DB DEPLOYMENT("web", "", ENV("X", "db.other.svc")), ""},
    {"not as a part", DB DEPLOYMENT("web", "", ENV("X", "http://mydb-db/")), ""},
    {"a ConfigMap as environment",
     DB CONFIG("DATABASE_HOST", "db") DEPLOYMENT("web", "", RUNS("envFrom: [{configMapRef: {name: conf}}]")),
     "web>db"},
    {"one key of a ConfigMap",
     DB CONFIG("where", "db") DEPLOYMENT(
         "web", "", RUNS("env: [{name: DB_HOST, valueFrom: {configMapKeyRef: {name: conf, key: where}}}]")),
     "web>db"},
    {"a ConfigMap as files",
     DB CONFIG("app.yaml", "'url: jdbc:postgresql://db:5432/shop'")
         DEPLOYMENT("web", "", PLAIN ", volumes: [{name: v, configMap: {name: conf}}]"),
     "web>db"},
    {"a ConfigMap that nobody reads", DB CONFIG("DATABASE_HOST", "db") DEPLOYMENT("web", "", PLAIN), ""},
    {"what an init container waits for",
     DB DEPLOYMENT("web", "", WAITS("until pg_isready -h db; do sleep 2; done")), "web>db"},
    {"twice is once", DB DEPLOYMENT("web", ON("Deployment/db"), ENV("X", "http://db http://db")), "web>db"},
    {"values of the wrong type", DB DEPLOYMENT("web", ON("a/b/c/d"), "containers: db, volumes: {a: b}"), ""},
};

Test(dependencies, what_is_said_and_what_is_seen)
{
    for (size_t i = 0; i < COUNT_OF(seen); i++) {
        struct fixture f;
        read_objects(&f, seen[i].objects);
        cr_expect(str_is(kept(&f), seen[i].want), "%s: %.*s", seen[i].what, STR_ARG(kept(&f)));
        arena_free(f.arena);
    }
}

Test(dependencies, levels_stand_above_what_they_need)
{
    struct fixture f;
    read_objects(&f, DB DEPLOYMENT("api", "", ENV("DB_HOST", "db")) SERVICE("api", "{port: 80}") DEPLOYMENT(
                         "web", ON("Service/api"), PLAIN) DEPLOYMENT("job", ON("Deployment/web"), PLAIN));
    static const struct {
        const char *label;
        unsigned level, wanted;
    } want[] = {{"shop/Deployment/db", 0, 0},
                {"shop/Deployment/api", 1, 0},
                {"shop/Deployment/web", 2, 1},
                {"shop/Deployment/job", 3, 2},
                {"shop/Service/api", 0, 0}};
    for (size_t i = 0; i < COUNT_OF(want); i++) {
        size_t at = index_of(&f, want[i].label);
        cr_expect_eq(f.found.level[at], want[i].level, "%s: %u", want[i].label, f.found.level[at]);
        cr_expect_eq(f.found.wanted[at], want[i].wanted, "%s: %u", want[i].label, f.found.wanted[at]);
    }
    cr_expect_eq(f.found.most_wanted, 2);
    cr_expect_eq(f.found.cycles.count, 0);
    arena_free(f.arena);
}

Test(dependencies, a_cycle_is_named_and_opened_where_it_is_weakest)
{
    struct fixture f;
    read_objects(&f, DEPLOYMENT("a", ON("Deployment/b"), PLAIN) DEPLOYMENT("b", ON("Deployment/c"), PLAIN)
                         DEPLOYMENT("c", "", ENV("X", "http://a")) SERVICE("a", "{port: 80}")
                             DEPLOYMENT("above", ON("Deployment/a"), PLAIN));
    cr_assert_eq(f.found.cycles.count, 1);
    struct str text = dependency_cycle_text(f.arena, &f.bundle, &f.found.cycles.items[0]);
    cr_expect(str_is(text, "shop/Deployment/a → shop/Deployment/b → shop/Deployment/c → shop/Deployment/a"),
              "%.*s", STR_ARG(text));
    cr_expect(f.found.cycles.items[0].wanted);
    cr_expect_eq(f.found.cycles.items[0].from, index_of(&f, "shop/Deployment/c"));
    cr_expect_eq(f.found.level[index_of(&f, "shop/Deployment/c")], 0);
    cr_expect_eq(f.found.level[index_of(&f, "shop/Deployment/a")], 2);
    cr_expect_eq(f.found.level[index_of(&f, "shop/Deployment/above")], 3);
    arena_free(f.arena);
}

Test(dependencies, two_cycles_through_one_object_are_both_opened)
{
    struct fixture f;
    read_objects(&f, DEPLOYMENT("a", ON("Deployment/b,Deployment/c"), PLAIN) DEPLOYMENT(
                         "b", ON("Deployment/a"), PLAIN) DEPLOYMENT("c", ON("Deployment/a"), PLAIN));
    cr_expect_eq(f.found.cycles.count, 2);
    cr_expect(str_is(kept(&f), "b>a c>a"), "%.*s", STR_ARG(kept(&f)));
    arena_free(f.arena);
}

Test(dependencies, those_who_only_call_each_other_are_no_fault)
{
    struct fixture f;
    read_objects(&f, DEPLOYMENT("a", "", ENV("X", "http://b")) SERVICE("a", "{port: 80}")
                         SERVICE("b", "{port: 80}") DEPLOYMENT("b", "", ENV("X", "http://a")));
    cr_assert_eq(f.found.cycles.count, 1);
    cr_expect_not(f.found.cycles.items[0].wanted);
    cr_expect(str_is(kept(&f), "b>a"), "%.*s", STR_ARG(kept(&f)));
    arena_free(f.arena);
}

Test(dependencies, what_is_not_there_is_named)
{
    struct fixture f;
    read_objects(&f, DB DEPLOYMENT("web", ON("Deployment/gone, Deployment/db, x"), PLAIN));
    cr_assert_eq(f.found.unknown.count, 2);
    cr_expect(str_is(f.found.unknown.items[0].reference, "Deployment/gone"));
    cr_expect(str_is(f.found.unknown.items[1].reference, "x"));
    cr_expect(str_is(kept(&f), "web>db"));
    arena_free(f.arena);
}

/* A chain of thousands, and a ring of thousands: neither the stack nor time runs out. */
Test(dependencies, long_chains_and_rings, .timeout = 20)
{
    enum { MANY = 4000 };
    for (int ring = 0; ring < 2; ring++) {
        struct arena *arena = arena_new();
        struct bundle bundle;
        struct dependencies found;
        struct err err;
        bundle_init(&bundle, arena);
        for (int i = 0; i < MANY; i++) {
            int next = i + 1 < MANY ? i + 1 : ring ? 0 : i;
            const struct value *annotations =
                VALUE_MAP(arena, {DEPENDS_ON, value_string(arena, str_fmt(arena, "ConfigMap/m%05d", next))});
            const struct value *metadata =
                VALUE_MAP(arena, {"name", value_string(arena, str_fmt(arena, "m%05d", i))},
                          {"namespace", value_cstr(arena, "shop")}, {"annotations", annotations});
            struct resource resource;
            cr_assert(
                resource_from(VALUE_MAP(arena, {"apiVersion", value_cstr(arena, "v1")},
                                        {"kind", value_cstr(arena, "ConfigMap")}, {"metadata", metadata}),
                              STR("test"), &resource, &err));
            bundle_add(&bundle, &resource);
        }
        bundle_sort(&bundle);
        dependencies_of(arena, &bundle, &found);
        cr_expect_eq(found.cycles.count, (size_t)ring);
        cr_expect_eq(found.most_wanted, MANY - 1);
        arena_free(arena);
    }
}

/* Objects i of `many`: Services and Deployments in two namespaces, whose labels cross: some Services select one of
 * them, some several, some none. Each Deployment names every Service of its namespace. */
static void crossing(struct buf *text, unsigned many)
{
    for (unsigned i = 0; i < many; i++) {
        const char *namespace = i % 2 ? "shop" : "till";
        buf_fmt(text,
                "apiVersion: v1\nkind: Service\nmetadata: {name: s%u, namespace: %s}\nspec: {selector: {", i,
                namespace);
        if (i % 7 != 0)
            buf_fmt(text, "tier: t%u%s", i % 3, i % 5 ? ", " : "");
        if (i % 7 == 0 || i % 5 != 0)
            buf_fmt(text, "app: a%u", i % 11);
        buf_fmt(
            text,
            "}}\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d%u, namespace: %s}\nspec: "
            "{template: {metadata: {labels: {tier: t%u, app: a%u, count: %u}}, spec: {containers: [{name: c, "
            "env: [",
            i, namespace, i % 4, i % 13, i);
        for (unsigned j = i % 2; j < many; j += 2)
            buf_fmt(text, "%s{name: E%u, value: 'http://s%u/'}", j > 1 ? ", " : "", j, j);
        buf_text(text, "]}]}}}\n---\n");
    }
}

/* Found through an index, and the same as who looks at each pair. */
Test(dependencies, all_workloads_behind_a_service_and_no_others)
{
    struct fixture f;
    struct buf text CLEANUP(buf_done) = {0};
    size_t next = 0;
    buf_init(&text, 1 << 20);
    crossing(&text, 60);
    read_str(&f, buf_view(&text));
    for (size_t from = 0; from < f.bundle.count; from++)
        for (size_t to = 0; to < f.bundle.count; to++) {
            const struct resource *caller = &f.bundle.items[from], *behind = &f.bundle.items[to];
            struct workload workload;
            bool want = false;
            for (size_t i = 0; i < f.bundle.count && str_is(caller->kind, "Deployment") && from != to &&
                               workload_of(behind, &workload) && str_eq(caller->namespace, behind->namespace);
                 i++)
                want = want ||
                       (str_is(f.bundle.items[i].kind, "Service") &&
                        str_eq(f.bundle.items[i].namespace, caller->namespace) &&
                        selector_map_matches(value_in(f.bundle.items[i].object, PATH("spec", "selector")),
                                             workload.labels));
            bool have = next < f.found.list.count && f.found.list.items[next].from == from &&
                        f.found.list.items[next].to == to;
            cr_expect_eq(have, want, "%.*s to %.*s", STR_ARG(caller->name), STR_ARG(behind->name));
            next += have;
        }
    cr_expect_eq(next, f.found.list.count);
    cr_expect_gt(next, 100);
    arena_free(f.arena);
}

/* The group is not part of a reference: the first in order is meant, whatever order they came in. */
Test(dependencies, of_two_groups_with_one_kind_the_first_is_meant)
{
#define WIDGET(group) "apiVersion: " group "/v1\nkind: Widget\nmetadata: {name: w, namespace: shop}\n---\n"
    static const char *const orders[] = {WIDGET("b.example.com") WIDGET("a.example.com"),
                                         WIDGET("a.example.com") WIDGET("b.example.com")};
    for (size_t i = 0; i < COUNT_OF(orders); i++) {
        struct arena *arena = arena_new();
        struct fixture f;
        struct str text = str_fmt(arena, "%s%s", orders[i], DEPLOYMENT("web", ON("Widget/w"), PLAIN));
        read_str(&f, text);
        cr_assert_eq(f.found.list.count, 1);
        cr_expect(str_is(resource_group(&f.bundle.items[f.found.list.items[0].to]), "a.example.com"));
        arena_free(arena);
        arena_free(f.arena);
    }
}
