#include "tests/backupd/backup_fixture.h"

#include <criterion/criterion.h>

#include "backupd/catalog.h"
#include "core/base/json.h"

static void add_type(struct backup_fixture *f, const char *group, const char *kind, const char *plural,
                     bool namespaced, const char *missing)
{
    *ARENA_PUSH(f->arena, &f->bundle.types) = (struct resource_type){
        .group = str_of(group),
        .version = STR("v1"),
        .kind = str_of(kind),
        .plural = str_of(plural),
        .singular = str_lower(f->arena, str_of(kind)),
        .namespaced = namespaced,
        .listable = true,
        .has_status = true,
        .resource_version = STR("4711"),
        .consistency = STR("exact"),
        .missing = str_of(missing),
    };
}

void backup_fixture_add(struct backup_fixture *f, const char *json)
{
    const struct value *object;
    struct resource resource;
    cr_assert(json_parse(f->arena, str_of(json), NULL, &object, &f->err), "%s", f->err.msg);
    cr_assert(resource_from(object, STR("test"), &resource, &f->err), "%s", f->err.msg);
    bundle_add(&f->bundle, &resource);
    bundle_sort(&f->bundle);
}

static void fill(struct backup_fixture *f)
{
    static const char *const objects[] = {
        "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"shop\"}}",
        "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"web\"}}",
        "{\"apiVersion\":\"apps/"
        "v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"api\",\"namespace\":\"shop\"},"
        "\"spec\":{\"replicas\":3,\"x\":[0.1,1e3,18446744073709551615,\"\\u0000\xC3\xA9\",null]}}",
        "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":\"db\",\"namespace\":\"shop\"},"
        "\"data\":"
        "{\"password\":\"c2VjcmV0\"}}",
        "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"a.b:c\",\"namespace\":"
        "\"shop\"}}",
        "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"one\",\"namespace\":\"web\"}"
        "}",
        "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"two\",\"namespace\":\"web\"}"
        "}",
    };
    struct bundle *b = &f->bundle;
    const char *openapi =
        "{\"api/v1\":{\"openapi\":\"3.0.0\",\"paths\":{}},\"apis/apps/v1\":{\"openapi\":\"3.0.0\"}}";
    add_type(f, "", "Namespace", "namespaces", false, "");
    add_type(f, "", "ConfigMap", "configmaps", true, "");
    add_type(f, "", "Secret", "secrets", true, "");
    add_type(f, "apps", "Deployment", "deployments", true, "");
    add_type(f, "metrics.k8s.io", "PodMetrics", "pods", true, "stale");
    for (size_t i = 0; i < COUNT_OF(objects); i++)
        backup_fixture_add(f, objects[i]);
    b->cluster = STR("prod/eu");
    b->cluster_uid = STR("7d2c0f6e");
    b->server_version = STR("v1.36.3");
    b->resource_version = STR("4711");
    b->taken_ms = 1795226400000;
    b->complete = false;
    cr_assert(json_parse(f->arena, str_of(openapi), NULL, &b->openapi, &f->err), "%s", f->err.msg);
}

void backup_fixture_init(struct backup_fixture *f)
{
    struct config_store config = {.url = STR("mem:")};
    *f = (struct backup_fixture){.arena = arena_new(), .clock = {.fixed_ms = 1795226400123}};
    cr_assert(store_open(f->arena, &config, &f->inner, &f->err), "%s", f->err.msg);
    backup_fixture_next_run(f);
    bundle_init(&f->bundle, f->arena);
    fill(f);
}

void backup_fixture_next_run(struct backup_fixture *f)
{
    f->run = (struct run){.arena = f->arena, .clock = &f->clock, .config = &f->config};
    f->run.store = fault_store(f->arena, f->inner, &f->plan);
    f->clock.fixed_ms += 1000;
}

void backup_fixture_done(struct backup_fixture *f)
{
    store_close(f->inner);
    arena_free(f->arena);
}

size_t backup_fixture_count(struct backup_fixture *f, const char *prefix)
{
    struct store_page page;
    cr_assert(store_list(f->inner, f->arena, str_of(prefix), STR_NONE, 1000, &page, &f->err), "%s",
              f->err.msg);
    return page.count;
}

const struct value *backup_fixture_in(struct backup_fixture *f, const char *const *path)
{
    return value_in(run_report(&f->run), path);
}

int64_t backup_fixture_number(struct backup_fixture *f, const char *const *path)
{
    int64_t number = -1;
    cr_expect(value_i64(backup_fixture_in(f, path), &number), "%s", path[0]);
    return number;
}

struct str backup_fixture_pack_key(struct backup_fixture *f, const char *namespace)
{
    struct catalog catalog;
    cr_assert(catalog_list(f->inner, f->arena, STR_NONE, &catalog, &f->err), "%s", f->err.msg);
    cr_assert(catalog_read(f->inner, f->arena, 1, &catalog, &f->err) && catalog.count == 1);
    const struct manifest_packs *packs = &catalog.items[0].manifest.packs;
    for (size_t i = 0; i < packs->count; i++)
        if (str_is(packs->items[i].namespace, namespace) && manifest_has_objects(&packs->items[i]))
            return manifest_pack_key(f->arena, &packs->items[i]);
    cr_assert(false, "no pack of \"%s\"", namespace);
    return STR_NONE;
}
