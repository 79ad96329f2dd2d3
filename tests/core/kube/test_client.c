/* One call of the API: who we say we are, and what an error status becomes. */
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

Test(kube_client, the_version)
{
    struct kube_fixture f;
    struct str version;
    kube_fixture_open(&f, "call", NULL);
    cr_expect(kube_version(f.kube, f.arena, &version, &f.err), "%s", f.err.msg);
    cr_expect(str_is(version, "v1.36.3"));
    cr_expect(str_is(kube_context(f.kube), "wire"));
    kube_fixture_close(&f);
}

Test(kube_client, an_error_status_becomes_an_err_in_the_servers_words)
{
    static const struct {
        const char *path;
        enum err_code code;
        const char *says;
    } cases[] = {
        {"/unauthorized", ERR_DENIED, "HTTP 401: the credentials of user \"tester\" (/tmp/kube-"},
        {"/forbidden", ERR_DENIED, "HTTP 403: pods is forbidden: User \"tester\" cannot list"},
        {"/missing", ERR_NOT_FOUND, "HTTP 404: 404 page not found"},
        {"/exists", ERR_EXISTS, "HTTP 409: namespaces \"a\" already exists"},
        {"/conflict", ERR_CONFLICT, "HTTP 409: the object has been modified"},
        {"/gone", ERR_GONE, "HTTP 410: Expired"},
        {"/invalid", ERR_INVALID,
         "is invalid; spec.selector: Required value; spec.replicas: must be at least 0"},
        {"/large", ERR_LIMIT, "HTTP 413: no reason given"},
        {"/broken", ERR_UNREACHABLE, "HTTP 500: etcdserver: request timed out"},
        {"/nonsense", ERR_CORRUPT, "GET /nonsense: HTTP 200: JSON: line 1"},
    };
    struct kube_fixture f;
    kube_fixture_open(&f, "errors", NULL);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        cr_expect_not(get(&f, cases[i].path), "%s", cases[i].path);
        cr_expect_eq(f.err.code, cases[i].code, "%s: %s", err_name(f.err.code), f.err.msg);
        cr_expect(strstr(f.err.msg, cases[i].says), "%s", f.err.msg);
        cr_expect(strstr(f.err.msg, cases[i].path), "the path is named: %s", f.err.msg);
        cr_expect_not(strstr(f.err.msg, "t0ken"));
    }
    kube_fixture_close(&f);
}

Test(kube_client, a_token_file_is_read_at_every_call)
{
    struct kube_fixture f;
    kube_fixture_open(&f, "token-file", "tokenFile: token");
    const char *file = str_c(f.arena, str_fmt(f.arena, "%s/token", f.dir));
    cr_expect_not(get(&f, "/a"));
    cr_expect(strstr(f.err.msg, "token of user \"tester\""), "%s", f.err.msg);
    cr_assert(file_write(file, STR("  \n"), 0600, &f.err));
    cr_expect_not(get(&f, "/a"));
    cr_expect(strstr(f.err.msg, "is empty"), "%s", f.err.msg);
    cr_assert(file_write(file, STR("first\n"), 0600, &f.err));
    cr_expect(get(&f, "/a"), "%s", f.err.msg);
    cr_assert(file_write(file, STR("second\n"), 0600, &f.err));
    cr_expect(get(&f, "/a"), "%s", f.err.msg);
    remove(file);
    kube_fixture_close(&f);
}

Test(kube_client, passwords_and_impersonation)
{
    struct kube_fixture f;
    kube_fixture_open(&f, "identity",
                      "username: admin, password: '0123', as: 'system:serviceaccount:a:b', as-uid: '42', "
                      "as-groups: [one, two], as-user-extra: {example.com/reason: [audit]}");
    cr_expect(get(&f, "/a"), "%s", f.err.msg);
    kube_fixture_close(&f);
}

/* ---- exec plugins ---- */

/* A plugin that counts its runs in a file and puts the number into its answer. */
static const char PLUGIN[] =
    "#!/bin/sh\n"
    "cd \"$(dirname \"$0\")\"\n"
    "echo run >>runs\n"
    "printf '%s' \"$KUBERNETES_EXEC_INFO\" >info\n"
    "[ \"$MODE\" = fail ] && { echo 'please log in' >&2; exit 3; }\n"
    "[ \"$MODE\" = rubbish ] && { echo 's3cret{'; exit 0; }\n"
    "[ \"$MODE\" = empty ] && { echo '{\"kind\":\"ExecCredential\"}'; exit 0; }\n"
    "cat <<END\n"
    "{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1\",\n"
    " \"status\":{\"token\":\"token-$(wc -l <runs | tr -d ' ')\"$EXPIRES}}\n"
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

Test(kube_client, an_exec_plugin_is_asked_once_and_again_after_a_401)
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

Test(kube_client, an_exec_plugin_is_asked_again_when_its_answer_expires)
{
    struct kube_fixture f;
    plugin_open(&f, "plugin-expiring",
                "{name: EXPIRES, value: ',\"expirationTimestamp\":\"2020-01-01T00:00:00Z\"'}");
    cr_expect(get(&f, "/a"), "%s", f.err.msg);
    cr_expect(get(&f, "/a"), "%s", f.err.msg);
    plugin_close(&f);
}

Test(kube_client, an_exec_plugin_that_fails_is_named_with_its_user)
{
    static const struct {
        const char *mode, *says;
    } cases[] = {
        {"fail", "it failed with status 3: please log in"},
        {"rubbish", "its answer is no JSON"},
        {"empty", "neither a token nor a certificate"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct kube_fixture f;
        char env[64];
        snprintf(env, sizeof env, "{name: MODE, value: %s}", cases[i].mode);
        plugin_open(&f, "silent", env);
        cr_expect_not(get(&f, "/never"));
        cr_expect_eq(f.err.code, ERR_DENIED);
        cr_expect(strstr(f.err.msg, "user \"tester\": credential plugin /tmp/"), "%s", f.err.msg);
        cr_expect(strstr(f.err.msg, cases[i].says), "%s", f.err.msg);
        cr_expect_str_eq(f.err.next, "ask the platform team");
        cr_expect_not(strstr(f.err.msg, "s3cret"), "%s", f.err.msg);
        plugin_close(&f);
    }
    struct kube_fixture f;
    kube_fixture_open(&f, "silent", "exec: {command: /no/such/plugin}");
    cr_expect_not(get(&f, "/never"));
    cr_expect_eq(f.err.code, ERR_USAGE);
    cr_expect(strstr(f.err.msg, "it does not start"), "%s", f.err.msg);
    kube_fixture_close(&f);
    kube_fixture_open(&f, "silent", "exec: {command: x, interactiveMode: Always}");
    cr_expect_not(get(&f, "/never"));
    cr_expect(strstr(f.err.msg, "wants a terminal"), "%s", f.err.msg);
    kube_fixture_close(&f);
}

/* A plugin that answers with a certificate, and a server that demands one. */
Test(kube_client, a_certificate_from_a_plugin_opens_the_connection)
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
        VALUE_MAP(arena, {"kind", value_cstr(arena, "ExecCredential")}, {"status", status});
    const char *answer_file = str_c(arena, str_fmt(arena, "%s/answer", dir));
    const char *config_file = str_c(arena, str_fmt(arena, "%s/config", dir));
    struct str url = wire_url(wire, arena, ""), ca_data = base64_encode(arena, ca.cert_pem, BASE64_STANDARD);
    struct str config =
        str_fmt(arena,
                "current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\n"
                "clusters: [{name: k, cluster: {server: '%.*s', certificate-authority-data: %.*s}}]\n"
                "users: [{name: u, user: {exec: {command: cat, args: ['%s']}}}]\n",
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

/* ---- verbs ---- */

Test(kube_client, paths)
{
    static const struct {
        struct resource_type type;
        const char *namespace, *name, *wants;
    } cases[] = {
        {{.version = STR_INIT("v1"), .plural = STR_INIT("pods"), .namespaced = true}, "", "", "/api/v1/pods"},
        {{.version = STR_INIT("v1"), .plural = STR_INIT("pods"), .namespaced = true},
         "a",
         "b",
         "/api/v1/namespaces/a/pods/b"},
        {{.version = STR_INIT("v1"), .plural = STR_INIT("nodes")}, "ignored", "n", "/api/v1/nodes/n"},
        {{.group = STR_INIT("rbac.authorization.k8s.io"),
          .version = STR_INIT("v1"),
          .plural = STR_INIT("clusterroles")},
         "",
         "system:a/../b",
         "/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Aa%2F..%2Fb"},
    };
    struct arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct str path = kube_path(arena, &cases[i].type, str_of(cases[i].namespace), str_of(cases[i].name));
        cr_expect(str_is(path, cases[i].wants), "%.*s", STR_ARG(path));
    }
    arena_free(arena);
}

Test(kube_client, an_access_review_may_be_asked_twice)
{
    struct kube_fixture f;
    bool allowed = false;
    kube_fixture_open(&f, "review", NULL);
    cr_expect(kube_may(f.kube, f.arena, "list", NULL, STR_NONE, &allowed, &f.err), "%s", f.err.msg);
    cr_expect(allowed);
    kube_fixture_close(&f);
}
