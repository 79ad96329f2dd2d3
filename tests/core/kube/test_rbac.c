/* The least rights for a selection, as people read them: testdata/rbac/NAME.yaml. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/files.h"
#include "core/base/yaml.h"
#include "core/kube/rbac.h"

static struct resource_type type_rows[] = {
    {.group = STR_INIT("shop.example.com"),
     .version = STR_INIT("v1"),
     .plural = STR_INIT("orders"),
     .namespaced = true,
     .listable = true},
    {.group = STR_INIT("apps"),
     .version = STR_INIT("v1"),
     .plural = STR_INIT("statefulsets"),
     .namespaced = true,
     .listable = true},
    {.version = STR_INIT("v1"), .plural = STR_INIT("pods"), .namespaced = true, .listable = true},
    {.version = STR_INIT("v1"), .plural = STR_INIT("namespaces"), .listable = true},
    {.version = STR_INIT("v1"), .plural = STR_INIT("nodes"), .listable = true},
    {.version = STR_INIT("v1"), .plural = STR_INIT("events"), .namespaced = true, .listable = true},
    {.group = STR_INIT("apps"),
     .version = STR_INIT("v1"),
     .plural = STR_INIT("deployments"),
     .namespaced = true,
     .listable = true},
    {.group = STR_INIT("authorization.k8s.io"),
     .version = STR_INIT("v1"),
     .plural = STR_INIT("subjectaccessreviews")},
};
static const struct resource_types types = {type_rows, COUNT_OF(type_rows), COUNT_OF(type_rows)};

static struct str_list list_of(struct str *items, size_t count)
{
    return (struct str_list){items, count, count};
}

static void expect_golden(struct arena *arena, const char *name, const struct value *objects)
{
    struct buf text CLEANUP(buf_done);
    struct str want = STR_NONE;
    struct err err;
    buf_init(&text, 1 << 20);
    VALUE_EACH(object, objects) {
        buf_text(&text, "---\n");
        yaml_write(&text, object);
    }
    const char *path = str_c(arena, str_fmt(arena, "testdata/rbac/%s.yaml", name));
    if (getenv("UPDATE") != NULL)
        cr_assert(file_write(path, buf_view(&text), 0644, &err), "%s", err.msg);
    cr_assert(file_read(arena, path, 1 << 20, &want, &err), "%s", err.msg);
    cr_expect(str_eq(buf_view(&text), want), "%s differs:\n%.*s", path, STR_ARG(buf_view(&text)));
}

Test(rbac, the_least_rights_of_each_selection)
{
    static struct str events[] = {STR_INIT("events")}, spaces[] = {STR_INIT("shop"), STR_INIT("bank")},
                      globs[] = {STR_INIT("shop"), STR_INIT("team-*")}, shop[] = {STR_INIT("shop")};
    static const struct rbac_exec execs[] = {{STR_INIT("bank"), STR_INIT("db-0")},
                                             {STR_INIT("data"), STR_INIT("")},
                                             {STR_INIT("data"), STR_INIT("")}};
    struct {
        const char *name;
        struct kube_selection selection;
        bool wildcard;
        size_t execs;
    } cases[] = {
        {"everything", {.exclude_types = list_of(events, 1)}, false, 0},
        {"everything",
         {.exclude_types = list_of(events, 1), .include_namespaces = list_of(globs, 2)},
         false,
         0},
        {"wildcard", {.exclude_types = list_of(events, 1)}, true, 0},
        {"namespaces",
         {.exclude_types = list_of(events, 1), .include_namespaces = list_of(spaces, 2)},
         false,
         0},
        {"namespaces-wildcard",
         {.include_namespaces = list_of(spaces, 2), .exclude_namespaces = list_of(shop, 1)},
         true,
         0},
        {"hooks", {.exclude_types = list_of(events, 1), .include_namespaces = list_of(spaces, 2)}, false, 3},
    };
    struct arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct rbac_wish wish = {.types = &types,
                                       .selection = &cases[i].selection,
                                       .namespace = STR("gitops-pipe"),
                                       .account = STR("nightly"),
                                       .wildcard = cases[i].wildcard,
                                       .execs = execs,
                                       .exec_count = cases[i].execs};
        expect_golden(arena, cases[i].name, rbac_objects(arena, &wish));
    }
    arena_free(arena);
}

/* Nothing but list, and get on what has a name: whatever the server says that it serves. */
Test(rbac, no_rule_opens_more_than_a_backup_needs)
{
    struct arena *arena = arena_new();
    struct kube_selection all = {0};
    const struct rbac_wish wish = {
        .types = resource_builtin_types(), .selection = &all, .namespace = STR("a"), .account = STR("b")};
    size_t rules = 0;
    VALUE_EACH(object, rbac_objects(arena, &wish))
        VALUE_EACH(rule, value_key(object, "rules")) {
            const struct value *verbs = value_key(rule, "verbs"), *names = value_key(rule, "resourceNames");
            bool lists = value_count(verbs) == 1 && str_is(value_str(value_item(verbs, 0)), "list");
            cr_expect(lists || value_count(names) != 0);
            VALUE_EACH(resource, value_key(rule, "resources"))
                cr_expect(!str_contains(value_str(resource), STR("/")) &&
                              !str_contains(value_str(resource), STR("*")),
                          "%.*s", STR_ARG(value_str(resource)));
            rules++;
        }
    cr_expect(rules > 10, "%zu", rules);
    arena_free(arena);
}
