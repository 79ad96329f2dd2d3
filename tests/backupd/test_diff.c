/* What changed between two backups: every field of it, no Secret's value, and nothing that is only unknown. */
#include <criterion/criterion.h>
#include <string.h>

#include "backupd/backup.h"
#include "backupd/diff.h"
#include "core/base/json.h"
#include "tests/backupd/backup_fixture.h"

static void back_up(struct backup_fixture *f)
{
    backup_fixture_next_run(f);
    cr_assert(backup_stage(&f->run, &f->bundle, &f->err), "%s", f->err.msg);
}

/* In place of the object of that kind and name, or as a new one; NULL removes it. */
static void replace(struct backup_fixture *f, const char *kind, const char *name, const char *json)
{
    for (size_t i = 0; i < f->bundle.count; i++)
        if (str_is(f->bundle.items[i].kind, kind) && str_is(f->bundle.items[i].name, name)) {
            f->bundle.items[i] = f->bundle.items[f->bundle.count - 1];
            f->bundle.count--;
            bundle_sort(&f->bundle);
            break;
        }
    if (json != NULL)
        backup_fixture_add(f, json);
}

static const struct value *compare_sides(struct backup_fixture *f, const struct diff_side *from,
                                         const struct diff_side *to, const struct diff_options *options)
{
    bool same = false;
    backup_fixture_next_run(f);
    cr_assert(backup_diff(&f->run, from, to, options, &same, &f->err), "%s", f->err.msg);
    const struct value *section = backup_fixture_in(f, PATH("diff"));
    cr_expect_eq(same, value_true(value_key(section, "same")));
    cr_expect_eq(same, value_count(value_key(section, "objects")) == 0);
    return section;
}

static const struct value *compare(struct backup_fixture *f, struct str from, struct str to,
                                   const struct diff_options *options)
{
    static const struct diff_options none;
    struct diff_side sides[] = {{.which = from}, {.which = to}};
    return compare_sides(f, &sides[0], &sides[1], options ? options : &none);
}

/* "~ shop/Deployment/api /spec/replicas=3>5 ; + web/ConfigMap/new" */
static struct str told(struct backup_fixture *f, const struct value *section)
{
    struct buf out CLEANUP(buf_done);
    buf_init(&out, 1 << 20);
    VALUE_EACH(object, value_key(section, "objects")) {
        struct str change = value_str(value_key(object, "change"));
        buf_fmt(&out, "%s%c %.*s/%.*s/%.*s", out.len ? " ; " : "",
                str_is(change, "added")     ? '+'
                : str_is(change, "removed") ? '-'
                                            : '~',
                STR_ARG(value_str(value_key(object, "namespace"))),
                STR_ARG(value_str(value_key(object, "kind"))), STR_ARG(value_str(value_key(object, "name"))));
        VALUE_EACH(field, value_key(object, "fields")) {
            const struct value *old = value_key(field, "old"), *new = value_key(field, "new");
            buf_fmt(&out, " %.*s=", STR_ARG(value_str(value_key(field, "path"))));
            if (value_true(value_key(field, "hidden")))
                buf_fmt(&out, "(%.*s)", STR_ARG(value_str(value_key(field, "change"))));
            else
                buf_fmt(&out, "%.*s>%.*s", STR_ARG(old ? json_text(f->arena, old) : STR("")),
                        STR_ARG(new ? json_text(f->arena, new) : STR("")));
        }
    }
    return str_dup(f->arena, buf_view(&out));
}

static void expect_told(struct backup_fixture *f, const struct value *section, const char *want)
{
    struct str got = told(f, section);
    cr_expect(str_is(got, want), "got      %.*s\nexpected %s", STR_ARG(got), want);
}

static int64_t number(const struct value *section, const char *key)
{
    int64_t out = -1;
    cr_expect(value_i64(value_key(section, key), &out), "%s", key);
    return out;
}

#define CONFIG_MAP(name, rest)                                                                               \
    "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"" name                           \
    "\",\"namespace\":\"web\"}" rest "}"
#define DEPLOYMENT(version, metadata, rest)                                                                  \
    "{\"apiVersion\":\"" version "\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"api\",\"namespace\":"  \
    "\"shop\"" metadata "},\"spec\":{" rest "}}"

Test(backup_diff, names_every_object_and_field)
{
    struct backup_fixture f;
    backup_fixture_init(&f);
    replace(&f, "Deployment", "api",
            DEPLOYMENT("apps/v1", "", "\"replicas\":3,\"paused\":true,\"list\":[1,2],\"a/b\":{\"x\":1}"));
    back_up(&f);
    struct str first = f.bundle.backup_id;
    replace(&f, "Deployment", "api",
            DEPLOYMENT("apps/v1", "", "\"replicas\":5,\"list\":[1,3,4],\"a/b\":{\"x\":1,\"y\":null}"));
    replace(&f, "ConfigMap", "one", NULL);
    replace(&f, "ConfigMap", "three", CONFIG_MAP("three", ""));
    back_up(&f);

    const struct value *section = compare(&f, first, f.bundle.backup_id, NULL);
    expect_told(
        &f, section,
        "~ shop/Deployment/api /spec/replicas=3>5 /spec/paused=true> /spec/list/1=2>3 /spec/list/2=>4 "
        "/spec/a~1b/y=>null ; - web/ConfigMap/one ; + web/ConfigMap/three");
    cr_expect_eq(number(section, "added"), 1);
    cr_expect_eq(number(section, "removed"), 1);
    cr_expect_eq(number(section, "changed"), 1);
    cr_expect_eq(number(section, "unchanged"), 5);
    cr_expect_eq(number(section, "packsSkipped"), 1, "the cluster-scoped objects are in one shared pack");

    expect_told(
        &f, compare(&f, f.bundle.backup_id, first, NULL),
        "~ shop/Deployment/api /spec/replicas=5>3 /spec/list/1=3>2 /spec/list/2=4> /spec/a~1b/y=null> "
        "/spec/paused=>true ; + web/ConfigMap/one ; - web/ConfigMap/three");
    backup_fixture_done(&f);
}

/* Counting from the moment both manifests are read, nothing is fetched. */
Test(backup_diff, packs_that_are_shared_are_not_read)
{
    struct backup_fixture f;
    backup_fixture_init(&f);
    back_up(&f);
    struct str first = f.bundle.backup_id;
    back_up(&f);
    f.plan.operations = 0;
    const struct value *section = compare(&f, first, f.bundle.backup_id, NULL);
    cr_expect(value_true(value_key(section, "same")));
    cr_expect_eq(f.plan.operations, 4, "two lists and two manifests, not %u", f.plan.operations);
    cr_expect_eq(number(section, "unchanged"), 7);
    cr_expect_eq(number(section, "packsSkipped"), 3);
    backup_fixture_done(&f);
}

Test(backup_diff, what_a_cluster_writes_by_itself_is_left_out_unless_asked_for)
{
    static const struct diff_options all = {.all = true};
    struct backup_fixture f;
    backup_fixture_init(&f);
    replace(&f, "Deployment", "api", DEPLOYMENT("apps/v1", "", "\"replicas\":3"));
    back_up(&f);
    struct str first = f.bundle.backup_id;
    replace(
        &f, "Deployment", "api",
        "{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"api\",\"namespace\":"
        "\"shop\",\"uid\":\"u\",\"resourceVersion\":\"7\",\"generation\":2,\"creationTimestamp\":\"t\","
        "\"managedFields\":[],\"selfLink\":\"s\",\"annotations\":{\"kubectl.kubernetes.io/"
        "last-applied-configuration\":\"{}\"}},\"spec\":{\"replicas\":3},\"status\":{\"replicas\":3}}");
    back_up(&f);
    expect_told(&f, compare(&f, first, f.bundle.backup_id, NULL), "");
    const struct value *section = compare(&f, first, f.bundle.backup_id, &all);
    const struct value *fields = value_key(value_item(value_key(section, "objects"), 0), "fields");
    cr_expect_eq(value_count(fields), 8);
    backup_fixture_done(&f);
}

Test(backup_diff, values_of_secrets_are_never_handed_out)
{
    static const char *const secrets[] = {
        "\"data\":{\"password\":\"aHVudGVyMg==\",\"added\":\"aHVudGVyMg==\"}",
        "\"stringData\":{\"password\":\"hunter2\"}",
        "\"hunter2\":\"hunter2\"",
    };
    static const struct diff_options all = {.all = true};
    for (size_t i = 0; i < COUNT_OF(secrets); i++)
        for (int with_annotation = 0; with_annotation < 2; with_annotation++) {
            struct backup_fixture f;
            backup_fixture_init(&f);
            back_up(&f);
            struct str first = f.bundle.backup_id;
            const char *annotation =
                with_annotation ? ",\"annotations\":{\"kubectl.kubernetes.io/last-applied-configuration\":"
                                  "\"hunter2 aHVudGVyMg==\"}"
                                : "";
            struct str json =
                str_fmt(f.arena,
                        "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"type\":\"Opaque\",\"metadata\":"
                        "{\"name\":\"db\",\"namespace\":\"shop\"%s},%s}",
                        annotation, secrets[i]);
            replace(&f, "Secret", "db", json.ptr);
            back_up(&f);
            for (int back = 0; back < 2; back++) {
                struct str text = json_text(f.arena, back ? compare(&f, f.bundle.backup_id, first, &all)
                                                          : compare(&f, first, f.bundle.backup_id, &all));
                cr_expect(str_contains(text, STR("\"hidden\":true")), "%.*s", STR_ARG(text));
                cr_expect(str_contains(text, STR("Opaque")), "the type may be shown: %.*s", STR_ARG(text));
                cr_expect_not(str_contains(text, STR("aHVudGVyMg")), "%.*s", STR_ARG(text));
                cr_expect_not(str_contains(text, STR("c2VjcmV0")), "%.*s", STR_ARG(text));
                cr_expect_not(str_contains(text, STR("\"hunter2")), "%.*s", STR_ARG(text));
            }
            backup_fixture_done(&f);
        }
}

Test(backup_diff, a_type_that_one_side_could_not_read_is_unknown_and_not_gone)
{
    struct backup_fixture f;
    backup_fixture_init(&f);
    back_up(&f);
    struct str first = f.bundle.backup_id;
    replace(&f, "Secret", "db", NULL);
    for (size_t i = 0; i < f.bundle.types.count; i++)
        if (str_is(f.bundle.types.items[i].kind, "Secret"))
            f.bundle.types.items[i].missing = STR("forbidden");
    back_up(&f);
    const struct value *section = compare(&f, first, f.bundle.backup_id, NULL);
    expect_told(&f, section, "");
    struct str text = json_text(f.arena, value_key(section, "notCompared"));
    cr_expect(str_contains(text, STR("\"type\":\"secrets\"")), "%.*s", STR_ARG(text));
    cr_expect(str_contains(text, STR("\"reason\":\"forbidden\"")), "%.*s", STR_ARG(text));
    backup_fixture_done(&f);
}

/* A backup of one namespace beside one of everything: the rest is not gone. */
Test(backup_diff, what_a_side_was_not_to_hold_is_no_difference)
{
    static const struct {
        const char *selection, *want;
        int64_t outside;
    } rows[] = {
        {"{\"include\":{\"namespaces\":[\"shop\"]},\"narrowed\":true}", "- shop/Secret/db", 3},
        {"{\"exclude\":{\"types\":[\"secrets\"]}}",
         "- /Namespace/web ; - web/ConfigMap/one ; - web/ConfigMap/two", 1},
        {"{\"include\":{\"names\":[\"o*\"]},\"clusterScoped\":false}",
         "- /Namespace/web ; - web/ConfigMap/one", 2},
        {"{\"include\":{\"labels\":\"a=b\"}}", "", 4},
        {NULL, "- /Namespace/web ; - shop/Secret/db ; - web/ConfigMap/one ; - web/ConfigMap/two", -1},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct backup_fixture f;
        backup_fixture_init(&f);
        back_up(&f);
        struct str first = f.bundle.backup_id;
        replace(&f, "Secret", "db", NULL);
        replace(&f, "Namespace", "web", NULL);
        replace(&f, "ConfigMap", "one", NULL);
        replace(&f, "ConfigMap", "two", NULL);
        if (rows[i].selection != NULL)
            cr_assert(json_parse(f.arena, str_of(rows[i].selection), NULL, &f.bundle.selection, &f.err));
        back_up(&f);
        const struct value *section = compare(&f, first, f.bundle.backup_id, NULL);
        expect_told(&f, section, rows[i].want);
        if (rows[i].outside >= 0)
            cr_expect_eq(number(section, "outsideSelection"), rows[i].outside, "%s", rows[i].selection);
        else
            cr_expect_null(value_key(section, "outsideSelection"));
        backup_fixture_done(&f);
    }
}

Test(backup_diff, selections_narrow_it)
{
    static const struct {
        const char *namespace, *type, *want;
    } rows[] = {
        {"shop", "", "+ shop/ConfigMap/new"},
        {"w*", "", "~ web/ConfigMap/one /data=>{\"k\":\"v\"}"},
        {"nobody", "", ""},
        {"", "namespaces", "- /Namespace/web"},
        {"", "configmaps", "+ shop/ConfigMap/new ; ~ web/ConfigMap/one /data=>{\"k\":\"v\"}"},
        {"", "*.apps", ""},
    };
    struct backup_fixture f;
    backup_fixture_init(&f);
    back_up(&f);
    struct str first = f.bundle.backup_id;
    replace(&f, "ConfigMap", "new",
            "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"new\",\"namespace\":"
            "\"shop\"}}");
    replace(&f, "ConfigMap", "one", CONFIG_MAP("one", ",\"data\":{\"k\":\"v\"}"));
    replace(&f, "Namespace", "web", NULL);
    back_up(&f);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct str namespace = str_of(rows[i].namespace), type = str_of(rows[i].type);
        struct diff_options options = {.namespaces = {&namespace, namespace.len != 0, 1},
                                       .types = {&type, type.len != 0, 1}};
        expect_told(&f, compare(&f, first, f.bundle.backup_id, &options), rows[i].want);
    }
    backup_fixture_done(&f);
}

Test(backup_diff, an_object_in_another_version_of_its_api_is_the_same_object)
{
    struct backup_fixture f;
    backup_fixture_init(&f);
    replace(&f, "Deployment", "api", DEPLOYMENT("apps/v1beta1", "", "\"replicas\":3"));
    back_up(&f);
    struct str first = f.bundle.backup_id;
    replace(&f, "Deployment", "api", DEPLOYMENT("apps/v1", "", "\"replicas\":3"));
    back_up(&f);
    expect_told(&f, compare(&f, first, f.bundle.backup_id, NULL),
                "~ shop/Deployment/api /apiVersion=\"apps/v1beta1\">\"apps/v1\"");
    backup_fixture_done(&f);
}

Test(backup_diff, a_bundle_may_stand_on_either_side)
{
    struct backup_fixture f;
    backup_fixture_init(&f);
    back_up(&f);
    struct diff_options none = {0};
    struct diff_side backup = {.which = STR("latest")}, live = {.name = STR("live"), .bundle = &f.bundle};
    expect_told(&f, compare_sides(&f, &backup, &live, &none), "");
    replace(&f, "ConfigMap", "two", NULL);
    expect_told(&f, compare_sides(&f, &backup, &live, &none), "- web/ConfigMap/two");
    expect_told(&f, compare_sides(&f, &live, &backup, &none), "+ web/ConfigMap/two");
    cr_expect(str_is(value_str(backup_fixture_in(&f, PATH("diff", "from"))), "live"));
    backup_fixture_done(&f);
}

Test(backup_diff, a_damaged_pack_is_named)
{
    struct backup_fixture f;
    bool same = false;
    backup_fixture_init(&f);
    back_up(&f);
    struct str first = f.bundle.backup_id;
    replace(&f, "ConfigMap", "two", NULL);
    back_up(&f);
    cr_assert(store_put(f.inner, f.arena, backup_fixture_pack_key(&f, "web"), STR("rotten"), NULL, &f.err));
    struct diff_side from = {.which = first}, to = {.which = f.bundle.backup_id};
    struct diff_options none = {0};
    cr_expect_not(backup_diff(&f.run, &from, &to, &none, &same, &f.err));
    cr_expect_eq(f.err.code, ERR_CORRUPT, "%s", f.err.msg);
    cr_expect(strstr(f.err.msg, "namespace web") != NULL, "%s", f.err.msg);
    cr_expect(strstr(f.err.msg, str_c(f.arena, f.bundle.backup_id)) != NULL, "%s", f.err.msg);
    backup_fixture_done(&f);
}
