/* Who we say we are while a long run goes on: tokens and certificates that change on disk, a server by another name,
 * behind a proxy. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/base64.h"
#include "core/base/files.h"
#include "tests/harness/certs.h"
#include "tests/harness/kube_fixture.h"
#include "tests/harness/tunnel.h"

static bool get(struct kube *kube, struct arena *arena, const char *path, struct err *err)
{
    const struct value *ignored;
    return kube_call(kube, arena, "GET", str_of(path), NULL, STR_NONE, &ignored, err);
}

static void write_text(struct arena *arena, const char *dir, const char *name, struct str text)
{
    struct err err;
    const char *path = str_c(arena, str_fmt(arena, "%s/%s", dir, name));
    cr_assert(file_write(path, text, 0600, &err), "%s", err.msg);
}

static void remove_all(struct arena *arena, const char *dir, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        remove(str_c(arena, str_fmt(arena, "%s/%s", dir, names[i])));
    remove(dir);
}

/* ---- tokens ---- */

static void rotate(void *ctx, unsigned request)
{
    struct kube_fixture *f = ctx;
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    if (request == 1)
        write_text(arena, f->dir, "token", STR("second"));
}

/* The rotation falls between the reading of the file and the server's answer. */
Test(kube_credential, a_401_reads_the_token_file_once_more)
{
    struct kube_fixture f;
    kube_fixture_open(&f, "token-rotated", "tokenFile: token");
    write_text(f.arena, f.dir, "token", STR("first"));
    wire_before_reply(f.wire, rotate, &f);
    cr_expect(get(f.kube, f.arena, "/a", &f.err), "%s", f.err.msg);
    cr_expect_not(get(f.kube, f.arena, "/refused", &f.err), "the file holds the same token as before");
    cr_expect_eq(f.err.code, ERR_DENIED, "%s", f.err.msg);
    remove(str_c(f.arena, str_fmt(f.arena, "%s/token", f.dir)));
    kube_fixture_close(&f);
}

Test(kube_credential, a_token_file_that_cannot_be_read_leaves_the_token_it_held)
{
    struct kube_fixture f;
    kube_fixture_open(&f, "token-kept", "tokenFile: token");
    write_text(f.arena, f.dir, "token", STR("first"));
    cr_expect(get(f.kube, f.arena, "/a", &f.err), "%s", f.err.msg);
    write_text(f.arena, f.dir, "token", STR(""));
    cr_expect(get(f.kube, f.arena, "/a", &f.err), "%s", f.err.msg);
    remove(str_c(f.arena, str_fmt(f.arena, "%s/token", f.dir)));
    cr_expect(get(f.kube, f.arena, "/a", &f.err), "%s", f.err.msg);
    kube_fixture_close(&f);
}

Test(kube_credential, a_token_beside_a_file_that_is_not_there_is_used)
{
    struct kube_fixture f;
    kube_fixture_open(&f, "token-kept", "token: first, tokenFile: no-such-file");
    for (int i = 0; i < 3; i++)
        cr_expect(get(f.kube, f.arena, "/a", &f.err), "%s", f.err.msg);
    kube_fixture_close(&f);
}

Test(kube_credential, redirects_are_not_followed)
{
    static const struct {
        const char *path, *says;
    } cases[] = {
        {"/moved", "HTTP 301: the server points to https://login.example.com, and redirects"},
        {"/found", "HTTP 302: the server points to another place, and redirects"},
    };
    struct kube_fixture f;
    kube_fixture_open(&f, "redirects", NULL);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        cr_expect_not(get(f.kube, f.arena, cases[i].path, &f.err));
        cr_expect_eq(f.err.code, ERR_UNREACHABLE, "%s", f.err.msg);
        cr_expect(strstr(f.err.msg, cases[i].says), "%s", f.err.msg);
        cr_expect_not(strstr(f.err.msg, "s3cret"), "%s", f.err.msg);
        cr_expect(strstr(f.err.next, "cluster \"wire\""), "%s", f.err.next);
    }
    kube_fixture_close(&f);
}

Test(kube_credential, only_https_except_to_this_machine)
{
    struct arena *arena = arena_new();
    char dir[] = "/tmp/credential-XXXXXX";
    static const char *const names[] = {"config"};
    struct err err;
    struct kube *kube;
    cr_assert(mkdtemp(dir) != NULL);
    write_text(arena, dir, "config",
               STR("current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\n"
                   "clusters: [{name: k, cluster: {server: 'http://api.example.com'}}]\n"
                   "users: [{name: u, user: {token: s3cret}}]\n"));
    struct kube_options options = {.kubeconfig = str_fmt(arena, "%s/config", dir)};
    cr_assert(kube_open(arena, &options, &kube, &err), "%s", err.msg);
    cr_expect_not(get(kube, arena, "/a", &err));
    cr_expect_eq(err.code, ERR_USAGE);
    cr_expect(strstr(err.msg, "http:// is refused"), "%s", err.msg);
    kube_close(kube);
    remove_all(arena, dir, names, COUNT_OF(names));
    arena_free(arena);
}

/* ---- TLS ---- */

/* A server that demands a client certificate, and a kubeconfig of files beside it. */
struct tls_fixture {
    struct arena *arena;
    struct cert ca;
    struct wire *wire;
    struct kube *kube;
    struct retry_policy policy;
    char dir[64];
    struct err err;
};

static void no_wait(void *ctx, int64_t ms)
{
}

static void write_cert(struct tls_fixture *f, const char *cert_name, const char *key_name, const char *who)
{
    struct cert client = cert_make(f->arena, &(struct cert_wish){.common_name = who, .issuer = &f->ca});
    write_text(f->arena, f->dir, cert_name, client.cert_pem);
    write_text(f->arena, f->dir, key_name, client.key_pem);
}

static void tls_open(struct tls_fixture *f, const char *script, const char *server_name, const char *cluster)
{
    *f = (struct tls_fixture){.arena = arena_new(), .policy = RETRY_DEFAULT, .dir = "/tmp/credential-XXXXXX"};
    cr_assert(mkdtemp(f->dir) != NULL);
    f->policy.sleep = no_wait;
    f->ca = cert_make(f->arena, &(struct cert_wish){.common_name = "authority"});
    struct cert server = cert_make(
        f->arena, &(struct cert_wish){.common_name = "server", .alt_names = server_name, .issuer = &f->ca});
    const struct wire_tls tls = {server.cert_pem, server.key_pem, f->ca.cert_pem};
    f->wire = wire_start(str_c(f->arena, str_fmt(f->arena, "testdata/wire/kube/%s.wire", script)), &tls);
    write_text(f->arena, f->dir, "ca.pem", f->ca.cert_pem);
    write_cert(f, "client.pem", "client.key", "first");
    struct str url = wire_url(f->wire, f->arena, "");
    struct str text =
        str_fmt(f->arena,
                "current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\n"
                "clusters: [{name: k, cluster: {server: '%.*s', certificate-authority: ca.pem%s}}]\n"
                "users: [{name: u, user: {client-certificate: client.pem, client-key: client.key}}]\n",
                STR_ARG(url), cluster);
    write_text(f->arena, f->dir, "config", text);
    struct kube_options options = {.kubeconfig = str_fmt(f->arena, "%s/config", f->dir), .retry = &f->policy};
    cr_assert(kube_open(f->arena, &options, &f->kube, &f->err), "%s", f->err.msg);
}

static void tls_close(struct tls_fixture *f)
{
    static const char *const names[] = {"ca.pem", "client.pem", "client.key", "config"};
    kube_close(f->kube);
    const char *fault = wire_stop(f->wire);
    cr_expect(fault == NULL, "%s", fault);
    wire_free(f->wire);
    remove_all(f->arena, f->dir, names, COUNT_OF(names));
    arena_free(f->arena);
}

static void must_get(struct tls_fixture *f, unsigned connections)
{
    cr_expect(get(f->kube, f->arena, "/a", &f->err), "%s", f->err.msg);
    cr_expect_eq(wire_connections(f->wire), connections, "%u connections", wire_connections(f->wire));
}

Test(kube_credential, a_certificate_that_was_renewed_on_disk_opens_a_new_connection)
{
    struct tls_fixture f;
    tls_open(&f, "again", "IP:127.0.0.1", "");
    must_get(&f, 1);
    must_get(&f, 1);
    struct str same = STR_NONE;
    const char *path = str_c(f.arena, str_fmt(f.arena, "%s/client.pem", f.dir));
    cr_assert(file_read(f.arena, path, 1 << 20, &same, &f.err));
    write_text(f.arena, f.dir, "client.pem", same);
    must_get(&f, 1); /* touched, and the same */

    struct cert next = cert_make(f.arena, &(struct cert_wish){.common_name = "second", .issuer = &f.ca});
    write_text(f.arena, f.dir, "client.pem", next.cert_pem);
    must_get(&f, 1); /* the key does not fit yet: the old pair goes on */
    write_text(f.arena, f.dir, "client.key", next.key_pem);
    must_get(&f, 2);
    must_get(&f, 2);
    tls_close(&f);
}

Test(kube_credential, a_second_client_lives_on_when_the_first_one_renews)
{
    struct tls_fixture f;
    struct kube *other;
    tls_open(&f, "again", "IP:127.0.0.1", "");
    must_get(&f, 1);
    write_cert(&f, "client.pem", "client.key", "second");
    must_get(&f, 2);
    cr_assert(kube_open_another(f.kube, f.arena, &other, &f.err), "%s", f.err.msg);
    write_cert(&f, "client.pem", "client.key", "third");
    must_get(&f, 3);
    cr_expect(get(other, f.arena, "/a", &f.err), "%s", f.err.msg);
    kube_close(other);
    tls_close(&f);
}

Test(kube_credential, an_authority_that_was_replaced_on_disk_is_the_one_that_counts)
{
    struct tls_fixture f;
    tls_open(&f, "again", "IP:127.0.0.1", "");
    must_get(&f, 1);
    struct cert other = cert_make(f.arena, &(struct cert_wish){.common_name = "another authority"});
    write_text(f.arena, f.dir, "ca.pem", other.cert_pem);
    cr_expect_not(get(f.kube, f.arena, "/a", &f.err));
    cr_expect(strstr(f.err.msg, "not trusted"), "%s", f.err.msg);
    write_text(f.arena, f.dir, "ca.pem", f.ca.cert_pem);
    cr_expect(get(f.kube, f.arena, "/a", &f.err), "%s", f.err.msg);
    tls_close(&f);
}

Test(kube_credential, a_server_is_verified_by_the_name_that_tls_server_name_says)
{
    static const struct {
        const char *cluster, *says;
    } cases[] = {
        {"", "the server's certificate is for another name"},
        {", tls-server-name: api.example.com", NULL},
        {", tls-server-name: api.example.org", "the server's certificate is for another name"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct tls_fixture f;
        tls_open(&f, "again", "DNS:api.example.com", cases[i].cluster);
        bool good = get(f.kube, f.arena, "/a", &f.err);
        cr_expect_eq(good, cases[i].says == NULL, "%s: %s", cases[i].cluster, f.err.msg);
        cr_expect(good || strstr(f.err.msg, cases[i].says), "%s", f.err.msg);
        tls_close(&f);
    }
}

/* Whatever NO_PROXY says; the tunnel sees a name and no token; with tls-server-name the way stays the same. */
Test(kube_credential, proxy_url_leads_through_a_tunnel)
{
    static const char *const names[] = {"", ", tls-server-name: localhost"};
    setenv("NO_PROXY", "*", 1);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct tls_fixture f;
        char port[16];
        tls_open(&f, "again", "IP:127.0.0.1,DNS:localhost", names[i]);
        struct tunnel *tunnel = tunnel_start(wire_port(f.wire));
        const char *path = str_c(f.arena, str_fmt(f.arena, "%s/config", f.dir));
        struct str config = STR_NONE;
        cr_assert(file_read(f.arena, path, 1 << 20, &config, &f.err));
        size_t at =
            (size_t)((const char *)memmem(config.ptr, config.len, "certificate-auth", 16) - config.ptr);
        write_text(f.arena, f.dir, "config",
                   str_fmt(f.arena, "%.*sproxy-url: 'http://me:s3cret@127.0.0.1:%u', %.*s",
                           STR_ARG(str_slice(config, 0, at)), tunnel_port(tunnel),
                           STR_ARG(str_from(config, at))));
        kube_close(f.kube);
        struct kube_options options = {.kubeconfig = str_of(path), .retry = &f.policy};
        cr_assert(kube_open(f.arena, &options, &f.kube, &f.err), "%s", f.err.msg);
        must_get(&f, 1);
        const char *asked = tunnel_stop(tunnel);
        snprintf(port, sizeof port, ":%u ", wire_port(f.wire));
        cr_expect(strstr(asked, "CONNECT 127.0.0.1:") == asked && strstr(asked, port), "%s", asked);
        cr_expect(strstr(asked, "Proxy-Authorization: Basic "), "%s", asked);
        tunnel_free(tunnel);
        tls_close(&f);
    }
}
