/* What kubectl reads, read the same way; and faults that name the file, the entry and the key. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/files.h"
#include "core/kube/kubeconfig.h"

#define FULL "testdata/kubeconfig/full.yaml"

static struct kubeconfig must_read(struct arena *arena, const char *context)
{
    struct kubeconfig config;
    struct err err;
    cr_assert(kubeconfig_read(arena, STR(FULL), str_of(context), &config, &err), "%s", err.msg);
    return config;
}

Test(kubeconfig, files_are_found_beside_the_one_that_names_them)
{
    struct arena *arena = arena_new();
    struct kubeconfig c = must_read(arena, "");
    cr_expect(str_is(c.context, "certificate") && str_is(c.cluster, "home"));
    cr_expect(str_is(c.server, "https://127.0.0.1:6443"));
    cr_expect(str_is(c.namespace, "payments"));
    cr_expect(str_is(c.ca_pem, "the authority\n"));
    cr_expect(str_is(c.cert_pem, "the certificate\n"));
    cr_expect(str_is(c.key_pem, "the key\n"));
    cr_expect(str_is(c.tls_server_name, "kubernetes.default.svc"));
    cr_expect(str_is(c.proxy_url, "socks5://proxy.example.com:1080"));
    cr_expect_not(c.insecure_skip_tls_verify);
    cr_expect(str_is(c.origin, FULL));
    arena_free(arena);
}

Test(kubeconfig, what_is_inline_beats_the_file_beside_it)
{
    struct arena *arena = arena_new();
    struct kubeconfig c = must_read(arena, "inline");
    cr_expect(str_is(c.ca_pem, "inline-ca\n"));
    cr_expect(str_is(c.cert_pem, "inline-cert\n"));
    cr_expect(str_is(c.key_pem, "inline-key\n"));
    cr_expect(str_is(c.namespace, "default"));
    arena_free(arena);
}

Test(kubeconfig, every_kind_of_user)
{
    struct arena *arena = arena_new();
    struct kubeconfig c = must_read(arena, "token");
    cr_expect(str_is(c.token, "s3cret") && c.insecure_skip_tls_verify);
    c = must_read(arena, "token-file");
    cr_expect(str_is(c.token_file, "testdata/kubeconfig/pki/token"));
    c = must_read(arena, "basic");
    cr_expect(str_is(c.username, "admin") && str_is(c.password, "0123"));
    c = must_read(arena, "disguised");
    cr_expect(str_is(c.impersonate_user, "system:serviceaccount:a:b"));
    cr_expect(str_is(c.impersonate_uid, "42"));
    cr_expect_eq(c.impersonate_groups.count, 2);
    cr_expect_eq(value_count(c.impersonate_extra), 1);
    c = must_read(arena, "plugin");
    cr_expect(str_is(value_str(value_key(c.exec, "command")), "./bin/login"));
    cr_expect(str_is(c.exec_dir, "testdata/kubeconfig/."));
    c = must_read(arena, "nobody");
    cr_expect_eq(c.user.len, 0);
    arena_free(arena);
}

Test(kubeconfig, several_files_are_merged_and_the_first_wins)
{
    struct arena *arena = arena_new();
    struct kubeconfig c;
    struct str_list names;
    struct err err;
    setenv("KUBECONFIG", "/no/such/file:" FULL "::testdata/kubeconfig/second.yaml", 1);
    cr_assert(kubeconfig_read(arena, STR_NONE, STR_NONE, &c, &err), "%s", err.msg);
    cr_expect(str_is(c.context, "certificate") && str_is(c.server, "https://127.0.0.1:6443"));
    cr_assert(kubeconfig_read(arena, STR_NONE, STR("other"), &c, &err), "%s", err.msg);
    cr_expect(str_is(c.server, "https://away.example.com"));
    cr_expect(str_is(c.token, "s3cret"), "the user is the first file's");
    cr_expect(str_is(c.ca_pem, "the authority\n"));
    cr_assert(kubeconfig_contexts(arena, STR_NONE, &names, &err));
    cr_expect_eq(names.count, 9);
    arena_free(arena);
}

/* A path in a file is relative to that file, wherever the context stands; the context is the first's that names one. */
Test(kubeconfig, each_file_of_the_list_counts_its_paths_from_itself)
{
    static const char *const texts[] = {
        "clusters: [{name: k, cluster: {server: 'https://first', certificate-authority: ca.pem}}]\n",
        "current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\n"
        "clusters: [{name: k, cluster: {server: 'https://second', tls-server-name: ignored}}]\n"
        "users: [{name: u, user: {tokenFile: token, exec: {command: bin/login, "
        "apiVersion: client.authentication.k8s.io/v1beta1}}}]\n"};
    struct arena *arena = arena_new();
    struct kubeconfig c;
    struct err err;
    char dir[] = "/tmp/kubeconfig-XXXXXX";
    cr_assert(mkdtemp(dir) != NULL);
    for (int i = 0; i < 2; i++) {
        const char *folder = str_c(arena, str_fmt(arena, "%s/%d", dir, i));
        cr_assert(file_make_dirs(folder, &err));
        cr_assert(
            file_write(str_c(arena, str_fmt(arena, "%s/config", folder)), str_of(texts[i]), 0600, &err));
    }
    cr_assert(file_write(str_c(arena, str_fmt(arena, "%s/0/ca.pem", dir)), STR("ca"), 0600, &err));
    setenv("KUBECONFIG", str_c(arena, str_fmt(arena, "%s/0/config:%s/1/config", dir, dir)), 1);

    cr_assert(kubeconfig_read(arena, STR_NONE, STR_NONE, &c, &err), "%s", err.msg);
    cr_expect(str_is(c.server, "https://first") && str_is(c.ca_pem, "ca"));
    cr_expect_eq(c.tls_server_name.len, 0, "an entry is taken whole: nothing of a later one is mixed in");
    cr_expect(str_ends(c.ca_file, STR("/0/ca.pem")) && str_ends(c.token_file, STR("/1/token")));
    cr_expect(str_ends(c.exec_dir, STR("/1/.")), "%.*s", STR_ARG(c.exec_dir));
    cr_expect(str_ends(c.origin, STR("/1/config")), "%.*s", STR_ARG(c.origin));

    static const char *const names[] = {"0/config", "0/ca.pem", "1/config", "0", "1", ""};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        remove(str_c(arena, str_fmt(arena, "%s/%s", dir, names[i])));
    arena_free(arena);
}

Test(kubeconfig, home_is_looked_at_when_nothing_is_said)
{
    struct arena *arena = arena_new();
    struct kubeconfig c;
    struct err err;
    char home[] = "/tmp/kubeconfig-XXXXXX";
    cr_assert(mkdtemp(home) != NULL);
    unsetenv("KUBECONFIG");
    unsetenv("KUBERNETES_SERVICE_HOST");
    setenv("HOME", home, 1);
    cr_expect_not(kubeconfig_read(arena, STR_NONE, STR_NONE, &c, &err));
    cr_expect_eq(err.code, ERR_NOT_FOUND, "%s", err.msg);
    cr_expect(strstr(err.next, "--kubeconfig"), "%s", err.next);
    setenv("KUBECONFIG", "/no/such/file:/nor/this", 1);
    cr_expect_not(kubeconfig_read(arena, STR_NONE, STR_NONE, &c, &err),
                  "files that are all missing are none");
    cr_expect_eq(err.code, ERR_NOT_FOUND, "%s", err.msg);
    unsetenv("KUBECONFIG");

    const char *dir = str_c(arena, str_fmt(arena, "%s/.kube", home));
    const char *file = str_c(arena, str_fmt(arena, "%s/config", dir));
    cr_assert(file_make_dirs(dir, &err));
    cr_assert(file_write(file,
                         STR("current-context: c\ncontexts: [{name: c, context: {cluster: c}}]\n"
                             "clusters: [{name: c, cluster: {server: 'https://h'}}]\n"),
                         0600, &err));
    cr_expect(kubeconfig_read(arena, STR_NONE, STR_NONE, &c, &err), "%s", err.msg);
    cr_expect(str_is(c.server, "https://h"));
    remove(file);
    remove(dir);
    remove(home);
    arena_free(arena);
}

Test(kubeconfig, in_a_pod)
{
    struct arena *arena = arena_new();
    struct kubeconfig c;
    struct err err;
    char dir[] = "/tmp/serviceaccount-XXXXXX";
    cr_assert(mkdtemp(dir) != NULL);
    const char *names[] = {"token", "ca.crt", "namespace"}, *texts[] = {"t0ken\n", "ca\n", "backup"};
    unsetenv("KUBERNETES_SERVICE_HOST");
    cr_expect_not(kubeconfig_in_cluster(arena, dir, &c, &err));
    cr_expect_eq(err.code, ERR_NOT_FOUND);

    setenv("KUBERNETES_SERVICE_HOST", "fd00::1", 1);
    setenv("KUBERNETES_SERVICE_PORT", "443", 1);
    cr_expect_not(kubeconfig_in_cluster(arena, dir, &c, &err), "no token is there yet");
    for (size_t i = 0; i < COUNT_OF(names); i++)
        cr_assert(
            file_write(str_c(arena, str_fmt(arena, "%s/%s", dir, names[i])), str_of(texts[i]), 0600, &err));
    cr_assert(kubeconfig_in_cluster(arena, dir, &c, &err), "%s", err.msg);
    cr_expect(str_is(c.server, "https://[fd00::1]:443"));
    cr_expect(str_is(c.ca_pem, "ca\n") && str_is(c.namespace, "backup"));
    cr_expect(str_ends(c.token_file, STR("/token")) && c.token.len == 0, "the token is read at each call");
    for (size_t i = 0; i < COUNT_OF(names); i++)
        remove(str_c(arena, str_fmt(arena, "%s/%s", dir, names[i])));
    remove(dir);
    arena_free(arena);
}

/* Around one cluster entry and one user entry. */
static struct str config_text(struct arena *arena, const char *cluster, const char *user)
{
    return str_fmt(arena,
                   "current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\n"
                   "clusters: [{name: k, cluster: {%s}}]\nusers: [{name: u, user: {%s}}]\n",
                   cluster, user);
}

Test(kubeconfig, faults_name_the_entry_and_the_key)
{
    static const struct {
        const char *cluster, *user, *says;
    } cases[] = {
        {"", "", "cluster \"k\": server: the URL does not start with https://"},
        {"server: 6443", "", "cluster \"k\": server: a string is wanted, not a number"},
        {"server: 'https://h', certificate-authority-data: '!'", "",
         "certificate-authority-data: not base64"},
        {"server: 'https://h', certificate-authority: none.pem", "", "certificate-authority: /tmp/"},
        {"server: 'https://h', certificate-authority-data: YQ==, insecure-skip-tls-verify: true", "",
         "insecure-skip-tls-verify: contradicts certificate-authority"},
        {"server: 'https://h'", "client-certificate: none.pem", "user \"u\": client-certificate: "},
        {"server: 'https://h'", "token: [s3cret]", "user \"u\": token: a string is wanted, not a list"},
        {"server: 'https://h'", "auth-provider: {name: gcp}", "user \"u\": auth-provider: "},
        {"server: 'https://h', proxy-url: 'gopher://x'", "", "cluster \"k\": proxy-url: "},
        {"server: 'https://h'",
         "client-key-data: YQ==", "user \"u\": client-key: client-certificate is missing"},
        {"server: 'https://h'",
         "client-certificate-data: YQ==", "user \"u\": client-certificate: client-key is missing"},
        {"server: 'https://h'", "token: s3cret, username: a, password: b",
         "user \"u\": token: a password stands"},
        {"server: 'https://h'", "as-groups: [a]", "user \"u\": as: as-groups, as-uid or as-user-extra"},
        {"server: 'https://h'", "as-uid: a", "user \"u\": as: "},
        {"server: 'https://h'", "as-user-extra: {a: [b]}", "user \"u\": as: "},
        {"server: 'https://h'", "exec: {args: [a]}", "user \"u\": exec: the plugin names no command"},
        {"server: 'https://h'", "exec: {command: a}", "user \"u\": exec: the plugin names no apiVersion"},
        {"server: 'https://h'", "exec: {command: a, apiVersion: client.authentication.k8s.io/v1alpha1}",
         "exec: apiVersion is neither"},
        {"server: 'https://h'",
         "exec: {command: a, apiVersion: client.authentication.k8s.io/v1, env: [{value: s3cret}]}",
         "exec: one of the plugin's environment variables has no name"},
        {"server: 'https://h'",
         "exec: {command: a, apiVersion: client.authentication.k8s.io/v1, interactiveMode: Yes}",
         "exec: interactiveMode is none of"},
    };
    struct arena *arena = arena_new();
    char dir[] = "/tmp/kubeconfig-XXXXXX";
    cr_assert(mkdtemp(dir) != NULL);
    const char *file = str_c(arena, str_fmt(arena, "%s/config", dir));
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct kubeconfig c;
        struct err err = {0};
        struct str text = config_text(arena, cases[i].cluster, cases[i].user);
        cr_assert(file_write(file, text, 0600, &err));
        cr_expect_not(kubeconfig_read(arena, str_of(file), STR_NONE, &c, &err), "%s", cases[i].says);
        cr_expect_eq(err.code, ERR_USAGE, "%s", err.msg);
        cr_expect(strstr(err.msg, cases[i].says), "%s", err.msg);
        cr_expect(strstr(err.msg, file), "%s", err.msg);
        cr_expect_not(strstr(err.msg, "s3cret"), "%s", err.msg);
    }
    remove(file);
    remove(dir);
    arena_free(arena);
}

Test(kubeconfig, a_wrong_name_is_answered_with_the_right_ones)
{
    static const struct {
        const char *text, *context, *says, *next;
    } cases[] = {
        {"contexts: [{name: a, context: {cluster: k}}, {name: b, context: {}}]", "", "no context is chosen",
         "--context: a, b"},
        {"contexts: [{name: a, context: {cluster: k}}, {name: b, context: {}}]", "prod",
         "no context is named \"prod\"", "take one of: a, b"},
        {"contexts: [{name: a, context: {cluster: k}}]", "a", "no cluster is named \"k\"", "no clusters"},
        {"contexts: [{name: a, context: {cluster: k, user: u}}]\n"
         "clusters: [{name: k, cluster: {server: 'https://h'}}]\nusers: [{name: v}]",
         "a", "no user is named \"u\"", "take one of: v"},
        {"contexts: [{name: a, context: {cluster: k}}, {name: a, context: {cluster: l}}]", "a",
         "context \"a\" comes twice", "take one of the two out"},
        {"contexts: [{name: a, context: {cluster: k}}]\n"
         "clusters: [{name: k, cluster: {server: 'https://h'}}, {name: k}]",
         "a", "cluster \"k\" comes twice", ""},
        {"- a list", "", "is no kubeconfig", ""},
        {"a: 1\n---\nb: 1", "", "is no kubeconfig", ""},
        {"a: [", "", "", ""},
    };
    struct arena *arena = arena_new();
    char dir[] = "/tmp/kubeconfig-XXXXXX";
    cr_assert(mkdtemp(dir) != NULL);
    const char *file = str_c(arena, str_fmt(arena, "%s/config", dir));
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct kubeconfig c;
        struct err err = {0};
        cr_assert(file_write(file, str_of(cases[i].text), 0600, &err));
        cr_expect_not(kubeconfig_read(arena, str_of(file), str_of(cases[i].context), &c, &err));
        cr_expect_eq(err.code, ERR_USAGE, "%s", err.msg);
        cr_expect(strstr(err.msg, cases[i].says), "%s", err.msg);
        cr_expect(strstr(err.next, cases[i].next), "%s", err.next);
    }
    remove(file);
    remove(dir);
    arena_free(arena);
}
