/* Credentials from a program: what it is told, what is made of its answer, and every way it may fail. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/base64.h"
#include "core/base/files.h"
#include "core/base/json.h"
#include "tests/harness/certs.h"
#include "tests/harness/kube_fixture.h"

static bool get(struct kube_fixture *f, const char *path)
{
    const struct value *ignored;
    return kube_call(f->kube, f->arena, "GET", str_of(path), NULL, STR_NONE, &ignored, &f->err);
}

/* A plugin that counts its runs in a file and puts the number into its answer. */
static const char PLUGIN[] =
    "#!/bin/sh\n"
    "cd \"$(dirname \"$0\")\"\n"
    "echo run >>runs\n"
    "printf '%s' \"$KUBERNETES_EXEC_INFO\" >info\n"
    "[ \"$MODE\" = fail ] && { echo 'please log in' >&2; exit 3; }\n"
    "STATUS='\"token\":\"token-'$(wc -l <runs | tr -d ' ')'\"'\n"
    "VERSION=${ANSWER:-client.authentication.k8s.io/v1}\n"
    "[ \"$MODE\" = steer ] && { printf 'log\\033[2J in' >&2; exit 3; }\n"
    "[ \"$MODE\" = half ] && STATUS='\"clientKeyData\":\"s3cret\"'\n"
    "[ \"$MODE\" = rubbish ] && { echo 's3cret{'; exit 0; }\n"
    "[ \"$MODE\" = empty ] && { echo '{\"kind\":\"ExecCredential\",\"apiVersion\":\"'$VERSION'\"}'; exit 0; "
    "}\n"
    "cat <<END\n"
    "{\"kind\":\"ExecCredential\",\"apiVersion\":\"$VERSION\",\n"
    " \"status\":{$STATUS$EXPIRES}}\n"
    "END\n";

static void plugin_open(struct kube_fixture *f, const char *script, const char *env)
{
    char user[512];
    snprintf(user, sizeof user,
             "exec: {apiVersion: client.authentication.k8s.io/v1, command: ./login, args: [a], "
             "installHint: ask the platform team, provideClusterInfo: true, env: [%s]}",
             env);
    kube_fixture_open(f, script, user);
    const char *file = str_c(f->arena, str_fmt(f->arena, "%s/login", f->dir));
    cr_assert(file_write(file, str_of(PLUGIN), 0700, &f->err));
    cr_assert_eq(chmod(file, 0700), 0);
}

static struct str plugin_file(struct kube_fixture *f, const char *name)
{
    struct str bytes = STR_NONE;
    const char *file = str_c(f->arena, str_fmt(f->arena, "%s/%s", f->dir, name));
    if (!file_read(f->arena, file, 1 << 20, &bytes, &f->err))
        return STR_NONE;
    return bytes;
}

static void plugin_close(struct kube_fixture *f)
{
    static const char *const names[] = {"login", "runs", "info"};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        remove(str_c(f->arena, str_fmt(f->arena, "%s/%s", f->dir, names[i])));
    kube_fixture_close(f);
}

Test(kube_exec_plugin, an_exec_plugin_is_asked_once_and_again_after_a_401)
{
    struct kube_fixture f;
    plugin_open(&f, "plugin", "");
    cr_expect(get(&f, "/a"), "%s", f.err.msg);
    cr_expect(get(&f, "/b"), "%s", f.err.msg);
    cr_expect(str_is(plugin_file(&f, "runs"), "run\nrun\n"));
    struct str info = plugin_file(&f, "info");
    cr_expect(str_contains(info, STR("\"apiVersion\":\"client.authentication.k8s.io/v1\"")), "%.*s",
              STR_ARG(info));
    cr_expect(str_contains(info, STR("\"cluster\":{\"server\":\"http://127.0.0.1:")), "%.*s", STR_ARG(info));
    plugin_close(&f);
}

Test(kube_exec_plugin, an_exec_plugin_is_asked_again_when_its_answer_expires)
{
    struct kube_fixture f;
    plugin_open(&f, "plugin-expiring",
                "{name: EXPIRES, value: ',\"expirationTimestamp\":\"2020-01-01T00:00:00Z\"'}");
    cr_expect(get(&f, "/a"), "%s", f.err.msg);
    cr_expect(get(&f, "/a"), "%s", f.err.msg);
    plugin_close(&f);
}

Test(kube_exec_plugin, an_exec_plugin_that_fails_is_named_with_its_user)
{
    static const struct {
        const char *env, *says;
    } cases[] = {
        {"{name: MODE, value: fail}", "it failed with status 3: please log in"},
        {"{name: MODE, value: steer}", "it failed with status 3: log [2J in"},
        {"{name: MODE, value: rubbish}", "its answer is no JSON"},
        {"{name: MODE, value: empty}", "neither a token nor a certificate"},
        {"{name: MODE, value: half}", "a key without a certificate"},
        {"{name: ANSWER, value: client.authentication.k8s.io/v1beta1}", "of another apiVersion"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct kube_fixture f;
        plugin_open(&f, "silent", cases[i].env);
        cr_expect_not(get(&f, "/never"));
        cr_expect_eq(f.err.code, ERR_DENIED);
        cr_expect(strstr(f.err.msg, "user \"tester\": credential plugin /tmp/"), "%s", f.err.msg);
        cr_expect(strstr(f.err.msg, cases[i].says), "%s", f.err.msg);
        cr_expect_str_eq(f.err.next, "ask the platform team");
        cr_expect_not(strstr(f.err.msg, "s3cret"), "%s", f.err.msg);
        plugin_close(&f);
    }
    struct kube_fixture f;
    kube_fixture_open(&f, "silent",
                      "exec: {apiVersion: client.authentication.k8s.io/v1, command: /no/such/plugin}");
    cr_expect_not(get(&f, "/never"));
    cr_expect_eq(f.err.code, ERR_USAGE);
    cr_expect(strstr(f.err.msg, "it does not start"), "%s", f.err.msg);
    kube_fixture_close(&f);
    kube_fixture_open(
        &f, "silent",
        "exec: {apiVersion: client.authentication.k8s.io/v1, command: x, interactiveMode: Always}");
    cr_expect_not(get(&f, "/never"));
    cr_expect(strstr(f.err.msg, "wants a terminal"), "%s", f.err.msg);
    kube_fixture_close(&f);
}

/* Opens the cluster again with more in its entry, and a plugin of the version before. */
static void reopen(struct kube_fixture *f)
{
    const char *path = str_c(f->arena, str_fmt(f->arena, "%s/config", f->dir));
    struct str url = wire_url(f->wire, f->arena, "");
    struct str text = str_fmt(
        f->arena,
        "current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\n"
        "clusters: [{name: k, cluster: {server: '%.*s', disable-compression: true, extensions: [{name: "
        "client.authentication.k8s.io/exec, extension: {audience: a}}, {name: other, extension: b}]}}]\n"
        "users: [{name: u, user: {exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: ./login, "
        "provideClusterInfo: true, env: [{name: ANSWER, value: client.authentication.k8s.io/v1beta1}]}}}]\n",
        STR_ARG(url));
    cr_assert(file_write(path, text, 0600, &f->err), "%s", f->err.msg);
    kube_close(f->kube);
    struct kube_options options = {.kubeconfig = str_of(path), .retry = &f->policy};
    cr_assert(kube_open(f->arena, &options, &f->kube, &f->err), "%s", f->err.msg);
}

Test(kube_exec_plugin, a_plugin_of_v1beta1_is_told_of_the_cluster_what_its_entry_says)
{
    struct kube_fixture f;
    plugin_open(&f, "plugin", "");
    reopen(&f);
    cr_expect(get(&f, "/a"), "%s", f.err.msg);
    struct str info = plugin_file(&f, "info");
    cr_expect(str_contains(info, STR("\"apiVersion\":\"client.authentication.k8s.io/v1beta1\"")), "%.*s",
              STR_ARG(info));
    cr_expect(str_contains(info, STR("\"config\":{\"audience\":\"a\"}")), "%.*s", STR_ARG(info));
    cr_expect(str_contains(info, STR("\"disable-compression\":true")), "%.*s", STR_ARG(info));
    cr_expect(str_contains(info, STR("\"interactive\":false")), "%.*s", STR_ARG(info));
    cr_expect(get(&f, "/b"), "%s", f.err.msg);
    plugin_close(&f);
}

/* A plugin that answers with a certificate, and a server that demands one. */
Test(kube_exec_plugin, a_certificate_from_a_plugin_opens_the_connection)
{
    struct arena *arena = arena_new();
    char dir[] = "/tmp/plugin-XXXXXX";
    struct err err;
    struct kube *kube;
    struct str version;
    cr_assert(mkdtemp(dir) != NULL);
    struct cert ca = cert_make(arena, &(struct cert_wish){.common_name = "authority"});
    struct cert server = cert_make(
        arena, &(struct cert_wish){.common_name = "server", .alt_names = "IP:127.0.0.1", .issuer = &ca});
    struct cert client = cert_make(arena, &(struct cert_wish){.common_name = "operator", .issuer = &ca});
    const struct wire_tls tls = {server.cert_pem, server.key_pem, ca.cert_pem};
    struct wire *wire = wire_start("testdata/wire/kube/version-by-certificate.wire", &tls);

    const struct value *status =
        VALUE_MAP(arena, {"clientCertificateData", value_string(arena, client.cert_pem)},
                  {"clientKeyData", value_string(arena, client.key_pem)});
    const struct value *answer =
        VALUE_MAP(arena, {"kind", value_cstr(arena, "ExecCredential")},
                  {"apiVersion", value_cstr(arena, "client.authentication.k8s.io/v1")}, {"status", status});
    const char *answer_file = str_c(arena, str_fmt(arena, "%s/answer", dir));
    const char *config_file = str_c(arena, str_fmt(arena, "%s/config", dir));
    struct str url = wire_url(wire, arena, ""), ca_data = base64_encode(arena, ca.cert_pem, BASE64_STANDARD);
    struct str config =
        str_fmt(arena,
                "current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\n"
                "clusters: [{name: k, cluster: {server: '%.*s', certificate-authority-data: %.*s}}]\n"
                "users: [{name: u, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: cat, "
                "args: ['%s']}}}]\n",
                STR_ARG(url), STR_ARG(ca_data), answer_file);
    cr_assert(file_write(answer_file, json_text(arena, answer), 0600, &err));
    cr_assert(file_write(config_file, config, 0600, &err));
    cr_assert(kube_open(arena, &(struct kube_options){.kubeconfig = str_of(config_file)}, &kube, &err), "%s",
              err.msg);
    cr_expect(kube_version(kube, arena, &version, &err), "%s", err.msg);
    kube_close(kube);
    const char *fault = wire_stop(wire);
    cr_expect(fault == NULL, "%s", fault);
    wire_free(wire);
    remove(answer_file);
    remove(config_file);
    remove(dir);
    arena_free(arena);
}
