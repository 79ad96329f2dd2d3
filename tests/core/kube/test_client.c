/* One call of the API: who we say we are, and what an error status becomes. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/files.h"
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
