/* Objects against the schemas of testdata/quality/openapi.json: what passes, and how what does not is named. */
#include <criterion/criterion.h>

#include "core/base/json.h"
#include "quality/openapi.h"
#include "tests/quality/fixture.h"

#define DEPLOYMENT(spec)                                                                                     \
    "{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"web\"}," spec "}"
#define GOOD_SPEC                                                                                            \
    "\"spec\":{\"selector\":{},\"template\":{\"spec\":{\"containers\":[{\"name\":\"web\",\"image\":\"web:"   \
    "1\"}]}}}"
#define WIDGET(spec)                                                                                         \
    "{\"apiVersion\":\"example.com/v1\",\"kind\":\"Widget\",\"metadata\":{\"name\":\"w\"},\"spec\":" spec "}"

static const struct value *json(struct arena *arena, const char *text)
{
    struct err err;
    const struct value *value;
    cr_assert(json_parse(arena, str_of(text), NULL, &value, &err), "%s: %s", text, err.msg);
    return value;
}

static void validate(struct fixture *f, const char *text, struct openapi_faults *ret_faults)
{
    struct bundle bundle = f->bundle;
    struct resource resource;
    struct openapi *openapi;
    struct parts parts;
    bundle.items = NULL;
    bundle.count = bundle.cap = 0;
    cr_assert(resource_from(json(f->arena, text), STR("text"), &resource, &f->err), "%s", f->err.msg);
    bundle_add(&bundle, &resource);
    parts_of_bundle(f->arena, &bundle, &parts);
    cr_assert(openapi_open(f->arena, &parts, &openapi, &f->err), "%s", f->err.msg);
    openapi_validate(openapi, f->arena, &resource, ret_faults);
}

Test(openapi, what_the_server_would_take_passes)
{
    static const char *const texts[] = {
        DEPLOYMENT(GOOD_SPEC),
        DEPLOYMENT(GOOD_SPEC ",\"status\":{\"surprise\":[1]}"),
        "{\"apiVersion\":\"apps/"
        "v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"web\",\"creationTimestamp\":null,"
        "\"labels\":{\"a/b\":\"c\"},\"managedFields\":[{\"unknown\":{\"f:x\":{}}}]}," GOOD_SPEC "}",
        DEPLOYMENT(
            "\"spec\":{\"selector\":{},\"template\":{},\"strategy\":{\"type\":\"Recreate\",\"rollingUpdate\":"
            "{\"maxSurge\":\"25%\",\"maxUnavailable\":1}}}"),
        DEPLOYMENT(
            "\"spec\":{\"selector\":{},\"template\":{\"spec\":{\"containers\":[{\"name\":\"a\",\"resources\":"
            "{\"limits\":{\"cpu\":2,\"memory\":\"1Gi\"},\"requests\":{\"cpu\":0.5}}}]}}}"),
        WIDGET("{\"port\":\"http\"}"),
        WIDGET("{\"port\":80,\"ratio\":0.5}"),
        WIDGET("{\"ratio\":1,\"anything\":{\"goes\":[{}],\"known\":\"x\"}}"),
        WIDGET("{\"template\":{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"x\":1},\"spec\":{"
               "\"size\":1}}}"),
        WIDGET("{\"child\":{\"child\":{\"child\":{\"name\":\"deep\"}}}}"),
    };
    struct fixture f;
    fixture_init(&f);
    fixture_openapi(&f);
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct openapi_faults faults;
        validate(&f, texts[i], &faults);
        cr_expect(faults.known, "%s", texts[i]);
        cr_expect_eq(faults.count, 0, "%s: %.*s %.*s", texts[i], STR_ARG(faults.items[0].path),
                     STR_ARG(faults.items[0].detail));
    }
    fixture_done(&f);
}

Test(openapi, faults_say_where_and_what)
{
    static const struct {
        const char *text;
        enum openapi_fault_kind kind;
        const char *path, *detail;
    } cases[] = {
        {DEPLOYMENT("\"spec\":{\"selector\":{},\"template\":{},\"replica\":1}"), OPENAPI_UNKNOWN_FIELD,
         "spec.replica", "replica, perhaps replicas"},
        {DEPLOYMENT(GOOD_SPEC ",\"zzz\":1"), OPENAPI_UNKNOWN_FIELD, "zzz", "zzz"},
        {DEPLOYMENT("\"spec\":{\"selector\":{},\"template\":{},\"replicas\":\"3\"}"), OPENAPI_WRONG_TYPE,
         "spec.replicas", "a string where a whole number belongs"},
        {DEPLOYMENT("\"spec\":{\"selector\":{},\"template\":{},\"replicas\":1.5}"), OPENAPI_WRONG_TYPE,
         "spec.replicas", "a number where a whole number belongs"},
        {DEPLOYMENT("\"spec\":[]"), OPENAPI_WRONG_TYPE, "spec", "a list where a map belongs"},
        {DEPLOYMENT(
             "\"spec\":{\"selector\":{},\"template\":{\"spec\":{\"containers\":[{\"name\":\"a\"},{\"name\":"
             "\"b\",\"args\":[\"x\",1]}]}}}"),
         OPENAPI_WRONG_TYPE, "spec.template.spec.containers[1].args[1]", "a number where a string belongs"},
        {DEPLOYMENT("\"spec\":{\"selector\":{\"matchLabels\":{\"a\":true}},\"template\":{}}"),
         OPENAPI_WRONG_TYPE, "spec.selector.matchLabels.a", "a boolean where a string belongs"},
        {DEPLOYMENT("\"spec\":{\"template\":{}}"), OPENAPI_MISSING_FIELD, "spec.selector", "selector"},
        {DEPLOYMENT("\"spec\":{\"selector\":{},\"template\":{},\"strategy\":{\"type\":\"Rolling\"}}"),
         OPENAPI_BAD_VALUE, "spec.strategy.type", "not one of Recreate, RollingUpdate"},
        {WIDGET("{\"port\":true}"), OPENAPI_WRONG_TYPE, "spec.port",
         "a boolean where a whole number or a string belongs"},
        {WIDGET("{\"anything\":{\"known\":1}}"), OPENAPI_WRONG_TYPE, "spec.anything.known",
         "a number where a string belongs"},
        {WIDGET("{\"template\":{\"speck\":{}}}"), OPENAPI_UNKNOWN_FIELD, "spec.template.speck",
         "speck, perhaps spec"},
    };
    struct fixture f;
    fixture_init(&f);
    fixture_openapi(&f);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct openapi_faults faults;
        validate(&f, cases[i].text, &faults);
        cr_assert_eq(faults.count, 1, "%s: %zu faults", cases[i].text, faults.count);
        cr_expect_eq(faults.items[0].kind, cases[i].kind, "%s", cases[i].text);
        cr_expect(str_is(faults.items[0].path, cases[i].path), "%s: %.*s", cases[i].text,
                  STR_ARG(faults.items[0].path));
        cr_expect(str_is(faults.items[0].detail, cases[i].detail), "%s: %.*s", cases[i].text,
                  STR_ARG(faults.items[0].detail));
    }
    fixture_done(&f);
}

Test(openapi, kinds_without_a_schema_are_not_known)
{
    struct fixture f;
    struct openapi_faults faults;
    fixture_init(&f);
    validate(&f, DEPLOYMENT("\"spec\":1"), &faults);
    cr_expect_not(faults.known, "no documents at all");
    fixture_openapi(&f);
    validate(&f, "{\"apiVersion\":\"apps/v1\",\"kind\":\"Unheard\",\"metadata\":{\"name\":\"x\"},\"a\":1}",
             &faults);
    cr_expect(!faults.known && faults.count == 0);
    validate(&f, "{\"apiVersion\":\"other.io/v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"x\"}}",
             &faults);
    cr_expect_not(faults.known);
    fixture_done(&f);
}

/* A Deployment whose field `spec` leads back to the Deployment. */
#define CIRCLE(spec)                                                                                         \
    "{\"apis/apps/v1\":{\"components\":{\"schemas\":{\"D\":{\"properties\":{\"spec\":" spec                  \
    "},\"x-kubernetes-group-version-kind\":[{\"group\":\"apps\",\"kind\":\"Deployment\",\"version\":"        \
    "\"v1\"}]}}}}}"

/* Documents come from a server that may be broken, or no Kubernetes at all. */
Test(openapi, documents_that_are_none_do_no_harm)
{
    static const char *const documents[] = {
        "[]",
        "1",
        "{\"apis/apps/v1\":null}",
        "{\"apis/apps/v1\":{\"components\":{\"schemas\":[]}}}",
        "{\"apis/apps/v1\":{\"components\":{\"schemas\":{\"D\":{\"$ref\":\"#/components/schemas/D\","
        "\"x-kubernetes-group-version-kind\":[{\"group\":\"apps\",\"kind\":\"Deployment\",\"version\":\"v1\"}"
        "]}}}}}",
        CIRCLE("{\"allOf\":[{\"allOf\":[{\"$ref\":\"#/components/schemas/D\"}]}]}"),
        CIRCLE("{\"items\":{\"$ref\":\"#/components/schemas/D\"},\"allOf\":[{\"$ref\":\"D\"}]}"),
        CIRCLE("{\"additionalProperties\":{\"allOf\":[{\"$ref\":\"D\"}],\"type\":\"object\"}}"),
        "{\"apis/apps/"
        "v1\":{\"components\":{\"schemas\":{\"D\":{\"properties\":{\"spec\":{\"$ref\":\"nowhere\"},"
        "\"metadata\":7},\"required\":\"x\",\"enum\":{},\"x-kubernetes-group-version-kind\":[{\"group\":"
        "\"apps\","
        "\"kind\":\"Deployment\",\"version\":\"v1\"}]}}}}}",
    };
    struct fixture f;
    fixture_init(&f);
    for (size_t i = 0; i < COUNT_OF(documents); i++) {
        struct openapi_faults faults;
        f.bundle.openapi = json(f.arena, documents[i]);
        validate(&f, DEPLOYMENT(GOOD_SPEC), &faults);
        cr_expect_leq(faults.count, OPENAPI_MAX_FAULTS);
    }
    fixture_done(&f);
}

Test(openapi, faults_are_bounded)
{
    struct fixture f;
    struct openapi_faults faults;
    struct buf text;
    fixture_init(&f);
    fixture_openapi(&f);
    buf_init(&text, 1 << 20);
    buf_text(&text, "{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"web\"}");
    for (int i = 0; i < 1000; i++)
        buf_fmt(&text, ",\"field%d\":1", i);
    buf_char(&text, '}');
    validate(&f, str_c(f.arena, buf_view(&text)), &faults);
    cr_expect_eq(faults.count, OPENAPI_MAX_FAULTS);
    buf_done(&text);
    fixture_done(&f);
}
