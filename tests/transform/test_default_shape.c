/* Where defaults come from: the cluster's documents, its CRDs, and the table where those are silent. */
#include <criterion/criterion.h>
#include <string.h>

#include "core/base/json.h"
#include "tests/transform/fixture.h"

/* A document as an API server publishes it, of a version whose defaults are not those of the table. */
static const char DOCUMENTS[] =
    "{\"api/v1\": {\"components\": {\"schemas\": {"
    "\"k8s.Pod\": {\"properties\": {\"spec\": {\"default\": {}, \"allOf\": [{\"$ref\": "
    "\"#/components/schemas/k8s.PodSpec\"}]}},"
    "  \"x-kubernetes-group-version-kind\": [{\"group\": \"\", \"version\": \"v1\", \"kind\": \"Pod\"}]},"
    "\"k8s.PodSpec\": {\"properties\": {"
    "  \"dnsPolicy\": {\"type\": \"string\", \"default\": \"Default\"},"
    "  \"future\": {\"type\": \"string\", \"default\": \"now\"},"
    "  \"hostNetwork\": {\"type\": \"boolean\", \"default\": false},"
    "  \"containers\": {\"type\": \"array\", \"items\": {\"allOf\": [{\"$ref\": "
    "\"#/components/schemas/k8s.Container\"}]}},"
    "  \"parent\": {\"$ref\": \"#/components/schemas/k8s.PodSpec\"}}},"
    "\"k8s.Container\": {\"properties\": {"
    "  \"imagePullPolicy\": {\"type\": \"string\", \"default\": \"Never\"},"
    "  \"ports\": {\"type\": \"array\", \"items\": {\"properties\": {\"protocol\": {\"default\": "
    "\"SCTP\"}}}}}},"
    "\"k8s.RC\": {\"properties\": {\"spec\": {\"properties\": {\"replicas\": {\"type\": \"integer\", "
    "\"default\": 1}}}},"
    "  \"x-kubernetes-group-version-kind\": [{\"group\": \"\", \"version\": \"v1\", \"kind\": "
    "\"ReplicationController\"}]}"
    "}}}}";

static const struct {
    const char *name, *kind, *spec, *left;
    bool without_documents;
} cases[] = {
    {"the document tells what no table knows", "Pod", "{future: now}", "{}", false},
    {"and nothing is taken without it", "Pod", "{future: now}", "{\"future\":\"now\"}", true},
    {"another value stays", "Pod", "{future: then}", "{\"future\":\"then\"}", false},
    {"the document goes before the table", "Pod", "{dnsPolicy: Default}", "{}", false},
    {"so the table's value is one that was chosen", "Pod", "{dnsPolicy: ClusterFirst}",
     "{\"dnsPolicy\":\"ClusterFirst\"}", false},
    {"the table alone tells its own", "Pod", "{dnsPolicy: ClusterFirst}", "{}", true},
    {"the table goes on where the document is silent", "Pod", "{schedulerName: default-scheduler}", "{}",
     false},
    {"a zero value says how a field is encoded", "Pod", "{hostNetwork: false}", "{\"hostNetwork\":false}",
     false},
    {"a type that holds itself", "Pod", "{parent: {parent: {future: now, a: 1}}}",
     "{\"parent\":{\"parent\":{\"a\":1}}}", false},
    {"items of a list", "Pod", "{containers: [{name: a, ports: [{protocol: SCTP, a: 1}, {protocol: TCP}]}]}",
     "{\"containers\":[{\"name\":\"a\",\"ports\":[{\"a\":1},{\"protocol\":\"TCP\"}]}]}", false},
    {"a condition of the table stands", "Pod", "{containers: [{image: 'a:1', imagePullPolicy: Never}]}",
     "{\"containers\":[{\"image\":\"a:1\",\"imagePullPolicy\":\"Never\"}]}", false},
    {"and holds", "Pod", "{containers: [{image: 'a:1', imagePullPolicy: IfNotPresent}]}",
     "{\"containers\":[{\"image\":\"a:1\"}]}", false},
    {"what the table keeps stays", "ReplicationController", "{replicas: 1}", "{\"replicas\":1}", false},
};

Test(default_shape, documents_first_then_the_table)
{
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct transform_fixture f;
        transform_fixture_init(&f);
        struct str yaml = str_fmt(
            f.arena, "apiVersion: v1\nkind: %s\nmetadata: {name: a, namespace: b, uid: u}\nspec: %s\n",
            cases[i].kind, cases[i].spec);
        cr_assert(transform_fixture_text(&f, str_c(f.arena, yaml)), "%s", f.err.msg);
        if (!cases[i].without_documents)
            cr_assert(json_parse(f.arena, str_of(DOCUMENTS), NULL, &f.bundle.openapi, &f.err), "%s",
                      f.err.msg);
        cr_assert(transform_fixture_run(&f), "%s", f.err.msg);
        struct str left = json_text(f.arena, value_key(f.bundle.items[0].object, "spec"));
        cr_expect(str_is(left, cases[i].left), "%s: %.*s", cases[i].name, STR_ARG(left));
        transform_fixture_done(&f);
    }
}

/* Documents come from a server, and a server can send anything. */
Test(default_shape, documents_that_are_none_tell_nothing)
{
    static const char *const documents[] = {
        "null",
        "7",
        "[]",
        "{}",
        "{\"api/v1\": 7}",
        "{\"api/v1\": {\"components\": {\"schemas\": []}}}",
        "{\"api/v1\": {\"components\": {\"schemas\": {\"a\": {\"$ref\": \"#/components/schemas/a\","
        " \"x-kubernetes-group-version-kind\": [{\"group\": \"\", \"version\": \"v1\", \"kind\": "
        "\"Pod\"}]}}}}}",
        "{\"api/v1\": {\"components\": {\"schemas\": {\"a\": {\"items\": {\"$ref\": "
        "\"#/components/schemas/a\"},"
        " \"x-kubernetes-group-version-kind\": [{\"group\": \"\", \"version\": \"v1\", \"kind\": "
        "\"Pod\"}]}}}}}",
        "{\"api/v1\": {\"components\": {\"schemas\": {\"a\": {\"properties\": {\"spec\": {\"$ref\": "
        "\"nowhere\"}},"
        " \"x-kubernetes-group-version-kind\": [7, {\"kind\": \"Pod\", \"version\": \"v1\"}]}}}}}",
    };
    for (size_t i = 0; i < COUNT_OF(documents); i++) {
        struct transform_fixture f;
        transform_fixture_init(&f);
        cr_assert(transform_fixture_text(&f, "apiVersion: v1\nkind: Pod\nmetadata: {name: a, uid: u}\n"
                                             "spec: {future: now, dnsPolicy: ClusterFirst}\n"));
        cr_assert(json_parse(f.arena, str_of(documents[i]), NULL, &f.bundle.openapi, &f.err), "%s",
                  f.err.msg);
        cr_assert(transform_fixture_run(&f), "%s", f.err.msg);
        struct str left = json_text(f.arena, value_key(f.bundle.items[0].object, "spec"));
        cr_expect(str_is(left, "{\"future\":\"now\"}"), "%s: %.*s", documents[i], STR_ARG(left));
        transform_fixture_done(&f);
    }
}
