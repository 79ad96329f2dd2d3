/* The client against a scripted server: the bytes it sends, and what it makes of every way to answer. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/net/http.h"
#include "tests/harness/certs.h"
#include "tests/harness/wire.h"

struct fixture {
    struct arena *arena;
    struct wire *wire;
    struct http *http;
    int64_t waited[16];
    unsigned waits;
    struct retry_policy policy;
    struct err err;
};

static void count_wait(void *ctx, int64_t ms)
{
    struct fixture *f = ctx;
    if (f->waits < COUNT_OF(f->waited))
        f->waited[f->waits++] = ms;
}

static void fixture_open(struct fixture *f, const char *script, const struct wire_tls *tls,
                         struct http_options options)
{
    char path[256];
    *f = (struct fixture){.arena = arena_new(), .policy = RETRY_DEFAULT};
    f->policy.sleep = count_wait;
    f->policy.ctx = f;
    options.retry = &f->policy;
    snprintf(path, sizeof path, "testdata/wire/http/%s.wire", script);
    f->wire = wire_start(path, tls);
    cr_assert(http_open(f->arena, &options, &f->http, &f->err), "%s", f->err.msg);
}

static void fixture_close(struct fixture *f)
{
    http_close(f->http);
    const char *fault = wire_stop(f->wire);
    cr_expect(fault == NULL, "%s", fault);
    wire_free(f->wire);
    arena_free(f->arena);
}

static struct http_request request_of(struct fixture *f, const char *method, const char *path)
{
    return (struct http_request){.method = method, .url = wire_url(f->wire, f->arena, path)};
}

static bool get(struct fixture *f, const char *path, struct http_reply *reply)
{
    struct http_request request = request_of(f, "GET", path);
    return http_call(f->http, f->arena, &request, reply, &f->err);
}

Test(http, a_request_is_exactly_these_bytes)
{
    struct fixture f;
    struct http_reply reply;
    fixture_open(&f, "get", NULL, (struct http_options){0});
    struct http_request request = request_of(&f, "GET", "/version?a=b%20c");
    http_add_header(f.arena, &request.headers, STR("Accept"), STR("application/json"));
    http_add_header(f.arena, &request.headers, STR("X-Empty"), STR_NONE);

    cr_assert(http_call(f.http, f.arena, &request, &reply, &f.err), "%s", f.err.msg);
    cr_expect_eq(reply.status, 200);
    cr_expect(str_is(reply.body, "{\"gitVersion\": \"v1.36.3\"}"));
    cr_expect(str_is(http_header(&reply.headers, STR("x-kubernetes-THING")), "spaced"));
    cr_expect_eq(reply.date_ms, 1795226400000);

    cr_assert(get(&f, "/missing", &reply), "%s", f.err.msg);
    cr_expect_eq(reply.status, 404);
    cr_expect_eq(reply.date_ms, 0);
    cr_assert(get(&f, "/moved", &reply), "%s", f.err.msg);
    cr_expect_eq(reply.status, 302, "a redirect is an answer, not an order");
    cr_expect_eq(wire_connections(f.wire), 1, "the connection is kept");
    fixture_close(&f);
}

Test(http, bodies_go_out_as_they_are)
{
    static const struct {
        const char *method, *path, *type, *body, *answer;
    } cases[] = {
        {"PUT", "/a", NULL, "hello", ""},
        {"PATCH", "/b", "application/apply-patch+yaml", "{}", "{\"kind\":\"Status\"}"},
        {"DELETE", "/c", NULL, "{}", "gone"},
        {"POST", "/d", NULL, "", ""},
        {"HEAD", "/e", NULL, "", ""},
    };
    struct fixture f;
    fixture_open(&f, "bodies", NULL, (struct http_options){0});
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct http_reply reply = {0};
        struct http_request request = request_of(&f, cases[i].method, cases[i].path);
        request.body = str_of(cases[i].body);
        if (cases[i].type != NULL)
            http_add_header(f.arena, &request.headers, STR("Content-Type"), str_of(cases[i].type));
        cr_assert(http_call(f.http, f.arena, &request, &reply, &f.err), "%s", f.err.msg);
        cr_expect(str_is(reply.body, cases[i].answer), "%s: %.*s", cases[i].method, STR_ARG(reply.body));
    }
    fixture_close(&f);
}

Test(http, what_may_pass_is_tried_again)
{
    struct fixture f;
    struct http_reply reply;
    fixture_open(&f, "retried", NULL, (struct http_options){0});
    cr_assert(get(&f, "/a", &reply), "%s", f.err.msg);
    cr_expect_eq(reply.status, 200);
    cr_expect(str_is(reply.body, "{\"items\": [\"whole\"]}"), "%.*s", STR_ARG(reply.body));
    cr_expect_eq(f.waits, 4, "the reset of the kept connection costs no wait: libcurl goes to a fresh one");
    cr_expect_geq(f.waited[0], 7000, "Retry-After is honoured");
    cr_expect_leq(f.waited[0], 7200);
    cr_expect_leq(f.waited[1], 400);
    fixture_close(&f);
}

Test(http, a_server_error_that_stays_is_handed_to_the_caller)
{
    struct fixture f;
    struct http_reply reply;
    fixture_open(&f, "always-503", NULL, (struct http_options){0});
    cr_assert(get(&f, "/a", &reply), "%s", f.err.msg);
    cr_expect_eq(reply.status, 503);
    cr_expect(str_is(reply.body, "etcdserver: leader changed"));
    cr_expect_eq(wire_requests(f.wire), RETRY_DEFAULT.attempts);
    fixture_close(&f);
}

Test(http, a_body_cut_short_is_never_a_success)
{
    struct fixture f;
    struct http_reply reply;
    fixture_open(&f, "cut-always", NULL, (struct http_options){0});
    cr_expect_not(get(&f, "/a", &reply));
    cr_expect_eq(f.err.code, ERR_UNREACHABLE);
    cr_expect(strstr(f.err.msg, "cut short") && strstr(f.err.msg, "attempts"), "%s", f.err.msg);
    fixture_close(&f);
}

Test(http, a_body_of_unknown_length_is_refused)
{
    struct fixture f;
    struct http_reply reply;
    fixture_open(&f, "no-length", NULL, (struct http_options){0});
    cr_expect_not(get(&f, "/a", &reply));
    cr_expect(strstr(f.err.msg, "does not say how long"), "%s", f.err.msg);
    fixture_close(&f);
}

Test(http, what_must_not_be_repeated_is_not)
{
    struct fixture f;
    struct http_reply reply;
    fixture_open(&f, "once", NULL, (struct http_options){0});
    cr_assert(get(&f, "/warm", &reply), "%s", f.err.msg);
    struct http_request request = request_of(&f, "POST", "/create");
    request.once = true;
    cr_expect_not(http_call(f.http, f.arena, &request, &reply, &f.err));
    cr_expect_eq(f.err.code, ERR_UNREACHABLE);
    request = request_of(&f, "POST", "/refused");
    request.once = true;
    cr_assert(http_call(f.http, f.arena, &request, &reply, &f.err), "%s", f.err.msg);
    cr_expect_eq(reply.status, 503);
    cr_expect_eq(f.waits, 0);
    fixture_close(&f);
}

Test(http, bodies_are_bounded_also_when_they_expand)
{
    struct fixture f;
    struct http_reply reply;
    fixture_open(&f, "large", NULL, (struct http_options){.compress = true});
    struct http_request request = request_of(&f, "GET", "/a");
    request.max_body = 31;
    cr_expect_not(http_call(f.http, f.arena, &request, &reply, &f.err));
    cr_expect_eq(f.err.code, ERR_LIMIT);
    request.max_body = 32;
    cr_assert(http_call(f.http, f.arena, &request, &reply, &f.err), "%s", f.err.msg);
    cr_expect_eq(reply.body.len, 32);

    request = request_of(&f, "GET", "/zipped");
    request.max_body = 100;
    cr_expect_not(http_call(f.http, f.arena, &request, &reply, &f.err));
    cr_expect_eq(f.err.code, ERR_LIMIT);
    request.max_body = 0;
    cr_assert(http_call(f.http, f.arena, &request, &reply, &f.err), "%s", f.err.msg);
    cr_expect_eq(reply.body.len, 122);
    fixture_close(&f);
}

Test(http, a_silent_server_ends_the_call)
{
    struct fixture f;
    struct http_reply reply;
    fixture_open(&f, "stalled", NULL, (struct http_options){.idle_timeout_ms = 1000});
    f.policy.attempts_unknown = 1;
    cr_expect_not(get(&f, "/a", &reply));
    cr_expect_eq(f.err.code, ERR_UNREACHABLE);
    cr_expect(strstr(f.err.msg, "no byte came for 1000 ms"), "%s", f.err.msg);
    fixture_close(&f);
}

static bool collect(void *ctx, struct str piece, struct err *err)
{
    struct buf *buf = ctx;
    buf_str(buf, piece);
    return buf_ok(buf) || err_set(err, ERR_LIMIT, "enough");
}

Test(http, a_stream_is_not_repeated_once_it_began)
{
    struct fixture f;
    struct http_reply reply;
    struct buf got;
    buf_init(&got, 100);
    fixture_open(&f, "streamed", NULL, (struct http_options){0});
    struct http_request request = request_of(&f, "GET", "/whole");
    request.on_body = collect;
    request.ctx = &got;
    cr_assert(http_call(f.http, f.arena, &request, &reply, &f.err), "%s", f.err.msg);
    cr_expect(str_is(buf_view(&got), "one two three"));
    cr_expect_eq(reply.body.len, 0);

    buf_clear(&got);
    request.url = wire_url(f.wire, f.arena, "/cut");
    cr_expect_not(http_call(f.http, f.arena, &request, &reply, &f.err));
    cr_expect(str_starts(STR("one two three four five"), buf_view(&got)));
    cr_expect_neq(got.len, 0);
    cr_expect_eq(f.waits, 0);

    buf_clear(&got);
    request.url = wire_url(f.wire, f.arena, "/error");
    cr_assert(http_call(f.http, f.arena, &request, &reply, &f.err), "%s", f.err.msg);
    cr_expect(str_is(reply.body, "NoSuchKey"), "an error's body is for the caller, not for the stream");
    cr_expect_eq(got.len, 0);
    buf_done(&got);
    fixture_close(&f);
}

static bool sign(void *ctx, struct arena *arena, struct http_request *request, struct err *err)
{
    unsigned *attempts = ctx;
    http_add_header(arena, &request->headers, STR("X-Attempt"), str_fmt(arena, "%u", ++*attempts));
    return true;
}

Test(http, every_attempt_is_signed_anew)
{
    struct fixture f;
    struct http_reply reply;
    unsigned attempts = 0;
    fixture_open(&f, "signed", NULL, (struct http_options){0});
    struct http_request request = request_of(&f, "GET", "/a");
    request.prepare = sign;
    request.ctx = &attempts;
    cr_assert(http_call(f.http, f.arena, &request, &reply, &f.err), "%s", f.err.msg);
    fixture_close(&f);
}

Test(http, bad_requests_are_refused_before_anything_is_sent)
{
    static const struct {
        const char *url, *header, *says;
    } cases[] = {
        {"http://example.com/a", "x", "http:// is refused"},
        {"http://127.0.0.1.example.com/a", "x", "http:// is refused"},
        {"socks5://127.0.0.1/a", "x", "socks5:// is refused"},
        {"https://admin:hunter2@127.0.0.1/a", "x", "user info"},
        {"ftp://127.0.0.1/a", "x", "does not start with https://"},
        {"https://127.0.0.1/a b", "x", "must be escaped"},
        {"http://127.0.0.1:1/a", "x\r\nX-Smuggled: 1", "no header may hold"},
    };
    struct arena *arena = arena_new();
    struct http *http;
    struct http_reply reply;
    struct err err;
    cr_assert(http_open(arena, &(struct http_options){0}, &http, &err), "%s", err.msg);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct http_request request = {.method = "GET", .url = str_of(cases[i].url)};
        http_add_header(arena, &request.headers, STR("X-Test"), str_of(cases[i].header));
        cr_expect_not(http_call(http, arena, &request, &reply, &err), "%s", cases[i].url);
        cr_expect_eq(err.code, ERR_USAGE, "%s: %s", cases[i].url, err.msg);
        cr_expect(strstr(err.msg, cases[i].says), "%s: %s", cases[i].url, err.msg);
        cr_expect_not(strstr(err.msg, "hunter2"), "%s", err.msg);
    }
    http_close(http);
    arena_free(arena);
}

Test(http, a_refused_connection_says_so_soon)
{
    struct fixture f;
    struct http_reply reply;
    fixture_open(&f, "hello", NULL, (struct http_options){0});
    struct http_request request = {.method = "GET",
                                   .url = STR("http://127.0.0.1:1/a?X-Amz-Signature=s3cret")};
    cr_expect_not(http_call(f.http, f.arena, &request, &reply, &f.err));
    cr_expect_eq(f.err.code, ERR_UNREACHABLE);
    cr_expect_str_eq(f.err.msg, "GET http://127.0.0.1:1/a: after 3 attempts: connection refused");
    cr_expect_neq(f.err.next[0], '\0');
    cr_expect_eq(f.waits, 2);
    fixture_close(&f);
}

Test(http, a_server_that_is_known_to_live_is_waited_for)
{
    struct fixture f;
    struct http_reply reply;
    fixture_open(&f, "hello", NULL, (struct http_options){.known = true});
    struct http_request request = {.method = "GET", .url = STR("http://127.0.0.1:1/a")};
    cr_expect_not(http_call(f.http, f.arena, &request, &reply, &f.err));
    cr_expect(strstr(f.err.msg, "after 8 attempts"), "%s", f.err.msg);
    fixture_close(&f);
}

Test(http, a_name_that_does_not_resolve_says_so)
{
    struct fixture f;
    struct http_reply reply;
    fixture_open(&f, "hello", NULL,
                 (struct http_options){.proxy = STR("http://u:hunter2@no.such.invalid:1")});
    struct http_request request = {.method = "GET", .url = STR("https://no.such.invalid/")};
    cr_expect_not(http_call(f.http, f.arena, &request, &reply, &f.err));
    cr_expect(strstr(f.err.msg, "the name of the proxy does not resolve"), "%s", f.err.msg);
    cr_expect_not(strstr(f.err.msg, "hunter2"));
    fixture_close(&f);
}

Test(http, a_proxy_is_used_when_told_and_the_environments_not_for_this_machine)
{
    struct fixture f;
    struct http *direct, *through;
    struct http_reply reply;
    fixture_open(&f, "proxy", NULL, (struct http_options){0});
    struct str proxy = str_fmt(f.arena, "http://u:p@127.0.0.1:%u", wire_port(f.wire));
    cr_assert(
        http_open(f.arena, &(struct http_options){.proxy = proxy, .retry = &f.policy}, &through, &f.err),
        "%s", f.err.msg);
    struct http_request request = {.method = "GET", .url = STR("http://127.0.0.1:9/a")};
    cr_expect(http_call(through, f.arena, &request, &reply, &f.err), "%s", f.err.msg);
    cr_expect(str_is(reply.body, "from afar"));
    request.url = STR("https://api.example.com:6443/");
    cr_expect_not(http_call(through, f.arena, &request, &reply, &f.err));
    cr_expect(strstr(f.err.msg, "the proxy refused the way to the server: HTTP 403"), "%s", f.err.msg);
    cr_expect_not(strstr(f.err.msg, "u:p"), "%s", f.err.msg);
    http_close(through);

    setenv("http_proxy", str_c(f.arena, proxy), 1);
    cr_assert(http_open(f.arena, &(struct http_options){.retry = &f.policy}, &direct, &f.err));
    request.url = STR("http://127.0.0.1:9/a");
    cr_expect_not(http_call(direct, f.arena, &request, &reply, &f.err));
    cr_expect(strstr(f.err.msg, "connection refused"), "%s", f.err.msg);
    http_close(direct);
    fixture_close(&f);
}

Test(http, escapes_all_but_unreserved_characters)
{
    struct arena *arena = arena_new();
    cr_expect(str_is(http_escape(arena, STR("a/b c+~é\0"), false), "a%2Fb%20c%2B~%C3%A9%00"));
    cr_expect(str_is(http_escape(arena, STR("a/b"), true), "a/b"));
    arena_free(arena);
}

/* ---- TLS ---- */

struct tls_case {
    struct cert ca, other_ca, server, client;
    struct wire_tls wire;
};

static void tls_certs(struct arena *arena, const char *server_names, struct tls_case *c)
{
    c->ca = cert_make(arena, &(struct cert_wish){.common_name = "authority"});
    c->other_ca = cert_make(arena, &(struct cert_wish){.common_name = "somebody else"});
    c->server = cert_make(
        arena, &(struct cert_wish){.common_name = "server", .alt_names = server_names, .issuer = &c->ca});
    c->client = cert_make(arena, &(struct cert_wish){.common_name = "operator", .issuer = &c->ca});
    c->wire = (struct wire_tls){.cert_pem = c->server.cert_pem, .key_pem = c->server.key_pem};
}

/* One call over TLS; where `says` is given it must fail with that in the message. */
static void expect_tls(const struct tls_case *c, struct http_options options, enum err_code code,
                       const char *says)
{
    struct fixture f;
    struct http_reply reply;
    fixture_open(&f, "hello", &c->wire, options);
    bool ok = get(&f, "/a", &reply);
    cr_expect_eq(ok, says == NULL, "%s", ok ? "it worked" : f.err.msg);
    if (says != NULL && !ok) {
        cr_expect_eq(f.err.code, code, "%s: %s", err_name(f.err.code), f.err.msg);
        cr_expect(strstr(f.err.msg, says), "%s", f.err.msg);
        cr_expect_neq(f.err.next[0], '\0', "%s", f.err.msg);
        cr_expect_eq(f.waits, 0, "it will be the same next time");
    }
    fixture_close(&f);
}

Test(http, tls_is_verified_against_the_given_authority_alone)
{
    struct arena *arena = arena_new();
    struct tls_case c;
    tls_certs(arena, "IP:127.0.0.1", &c);
    expect_tls(&c, (struct http_options){.ca_pem = c.ca.cert_pem}, ERR_NONE, NULL);
    expect_tls(&c, (struct http_options){.ca_pem = c.other_ca.cert_pem}, ERR_UNREACHABLE, "is not trusted");
    expect_tls(&c, (struct http_options){0}, ERR_UNREACHABLE, "is not trusted");
    expect_tls(&c, (struct http_options){.insecure_skip_tls_verify = true}, ERR_NONE, NULL);
    arena_free(arena);
}

Test(http, a_certificate_for_another_name_is_refused_unless_that_name_is_meant)
{
    struct arena *arena = arena_new();
    struct tls_case c;
    struct fixture f;
    struct http_reply reply;
    tls_certs(arena, "DNS:kubernetes.default.svc", &c);
    expect_tls(&c, (struct http_options){.ca_pem = c.ca.cert_pem}, ERR_UNREACHABLE, "another name");
    expect_tls(&c, (struct http_options){.ca_pem = c.ca.cert_pem, .tls_server_name = STR("other")},
               ERR_UNREACHABLE, "another name");
    fixture_open(
        &f, "server-name", &c.wire,
        (struct http_options){.ca_pem = c.ca.cert_pem, .tls_server_name = STR("kubernetes.default.svc")});
    cr_expect(get(&f, "/a", &reply), "%s", f.err.msg);
    fixture_close(&f);
    arena_free(arena);
}

Test(http, an_expired_server_certificate_says_so)
{
    struct arena *arena = arena_new();
    struct tls_case c;
    tls_certs(arena, "IP:127.0.0.1", &c);
    struct cert old = cert_make(arena, &(struct cert_wish){.common_name = "server",
                                                           .alt_names = "IP:127.0.0.1",
                                                           .issuer = &c.ca,
                                                           .from_days = -9,
                                                           .to_days = -2});
    c.wire = (struct wire_tls){.cert_pem = old.cert_pem, .key_pem = old.key_pem};
    expect_tls(&c, (struct http_options){.ca_pem = c.ca.cert_pem}, ERR_UNREACHABLE, "has expired");
    arena_free(arena);
}

Test(http, a_client_certificate_is_sent_and_its_absence_named)
{
    struct arena *arena = arena_new();
    struct tls_case c;
    tls_certs(arena, "IP:127.0.0.1", &c);
    c.wire.client_ca_pem = c.ca.cert_pem;
    struct http_options options = {.ca_pem = c.ca.cert_pem};
    expect_tls(&c, options, ERR_DENIED, "the server demands a client certificate");
    options.cert_pem = c.client.cert_pem;
    options.key_pem = c.client.key_pem;
    expect_tls(&c, options, ERR_NONE, NULL);
    struct cert stranger =
        cert_make(arena, &(struct cert_wish){.common_name = "operator", .issuer = &c.other_ca});
    options.cert_pem = stranger.cert_pem;
    options.key_pem = stranger.key_pem;
    expect_tls(&c, options, ERR_DENIED, "client certificate");
    arena_free(arena);
}

Test(http, client_certificates_are_looked_at_before_connecting)
{
    struct arena *arena = arena_new();
    struct tls_case c;
    tls_certs(arena, "IP:127.0.0.1", &c);
    struct cert old = cert_make(
        arena,
        &(struct cert_wish){.common_name = "operator", .issuer = &c.ca, .from_days = -9, .to_days = -2});
    struct cert early = cert_make(
        arena, &(struct cert_wish){.common_name = "operator", .issuer = &c.ca, .from_days = 2, .to_days = 9});
    const struct {
        struct http_options options;
        enum err_code code;
        const char *says;
    } cases[] = {
        {{.cert_pem = old.cert_pem, .key_pem = old.key_pem}, ERR_DENIED, "operator expired at 20"},
        {{.cert_pem = early.cert_pem, .key_pem = early.key_pem}, ERR_DENIED, "is not valid before 20"},
        {{.cert_pem = c.client.cert_pem, .key_pem = old.key_pem}, ERR_USAGE, "do not belong together"},
        {{.cert_pem = c.client.cert_pem}, ERR_USAGE, "client key is no PEM key"},
        {{.cert_pem = STR("rubbish"), .key_pem = old.key_pem}, ERR_USAGE, "certificate is no PEM"},
        {{.ca_pem = STR("rubbish")}, ERR_USAGE, "holds no PEM certificate"},
        {{.proxy = STR("gopher://x")}, ERR_USAGE, "proxy: "},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct http *http;
        struct err err = {0};
        cr_expect_not(http_open(arena, &cases[i].options, &http, &err));
        cr_expect_eq(err.code, cases[i].code, "%s", err.msg);
        cr_expect(strstr(err.msg, cases[i].says), "%s", err.msg);
    }
    arena_free(arena);
}

Test(http, a_broken_pipe_raises_no_signal)
{
    struct fixture f;
    struct http_reply reply;
    struct arena *arena = arena_new();
    struct tls_case c;
    signal(SIGPIPE, SIG_DFL); /* a SIGPIPE ends this process */
    tls_certs(arena, "IP:127.0.0.1", &c);
    fixture_open(&f, "hello", &c.wire, (struct http_options){.ca_pem = c.ca.cert_pem});
    cr_assert(get(&f, "/a", &reply), "%s", f.err.msg);
    const char *fault = wire_stop(f.wire);
    cr_expect(fault == NULL, "%s", fault);
    char *large = arena_alloc(arena, 8 << 20);
    struct http_request request = request_of(&f, "PUT", "/a");
    request.body = (struct str){large, 8 << 20};
    cr_expect_not(http_call(f.http, f.arena, &request, &reply, &f.err));
    http_close(f.http);
    wire_free(f.wire);
    arena_free(f.arena);
    arena_free(arena);
}
