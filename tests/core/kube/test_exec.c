/* A command in a container: what goes out, what comes back, and every way it may end too early. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/files.h"
#include "core/kube/exec.h"
#include "tests/harness/certs.h"
#include "tests/harness/exec_server.h"
#include "tests/harness/tunnel.h"

struct fixture {
    struct arena *arena;
    struct exec_server *server;
    struct kube *kube;
    struct buf out, notes;
    struct str head, frames; /* that the client sent */
    char dir[64];
    struct retry_policy policy;
    struct err err;
};

static void no_wait(void *ctx, int64_t ms)
{
}

static struct str in_dir(struct fixture *f, const char *name)
{
    return str_fmt(f->arena, "%s/%s", f->dir, name);
}

static void connect_to(struct fixture *f, const char *scheme, const char *cluster, const char *user)
{
    struct str text =
        str_fmt(f->arena,
                "current-context: c\ncontexts: [{name: c, context: {cluster: k, user: tester}}]\n"
                "clusters: [{name: k, cluster: {server: '%s://127.0.0.1:%u'%s}}]\n"
                "users: [{name: tester, user: {%s}}]\n",
                scheme, exec_server_port(f->server), cluster, user);
    struct kube_options options = {.kubeconfig = in_dir(f, "config"), .retry = &f->policy};
    cr_assert(file_write(str_c(f->arena, options.kubeconfig), text, 0600, &f->err), "%s", f->err.msg);
    cr_assert(kube_open(f->arena, &options, &f->kube, &f->err), "%s", f->err.msg);
}

static void begin(struct fixture *f, const struct exec_script *script, const struct wire_tls *tls)
{
    *f = (struct fixture){.arena = arena_new(), .dir = "/tmp/exec-XXXXXX", .policy = RETRY_DEFAULT};
    f->policy.sleep = no_wait;
    cr_assert(mkdtemp(f->dir) != NULL);
    buf_init(&f->out, 1 << 20);
    buf_init(&f->notes, 1 << 20);
    f->server = exec_server_start(script, tls);
}

static void end(struct fixture *f)
{
    exec_server_free(f->server);
    buf_done(&f->out);
    buf_done(&f->notes);
    remove(str_c(f->arena, in_dir(f, "config")));
    remove(str_c(f->arena, in_dir(f, "token")));
    remove(f->dir);
    arena_free(f->arena);
}

static bool take_out(void *ctx, struct str piece, struct err *err)
{
    struct fixture *f = ctx;
    buf_str(&f->out, piece);
    return true;
}

static bool take_notes(void *ctx, struct str piece, struct err *err)
{
    struct fixture *f = ctx;
    buf_str(&f->notes, piece);
    return true;
}

static bool refuse_out(void *ctx, struct str piece, struct err *err)
{
    return err_set(err, ERR_IO, "the disk is full");
}

/* Runs `pg_dump -d "a&b"` in pod db-0; afterwards the server is gone. */
static bool run(struct fixture *f, bool (*out)(void *, struct str, struct err *), int64_t timeout_ms,
                struct kube_exec_result *result)
{
    static struct str words[] = {STR_INIT("pg_dump"), STR_INIT("-d"), STR_INIT("a&b")};
    const struct kube_exec exec = {.namespace = STR("shop"),
                                   .pod = STR("db-0"),
                                   .container = STR("postgres"),
                                   .command = {words, COUNT_OF(words), COUNT_OF(words)},
                                   .timeout_ms = timeout_ms,
                                   .out = out,
                                   .notes = take_notes,
                                   .ctx = f};
    bool done = kube_exec(f->kube, f->arena, &exec, result, &f->err);
    kube_close(f->kube);
    exec_server_stop(f->server, &f->head, &f->frames);
    return done;
}

static struct buf frames_new(void)
{
    struct buf frames;
    buf_init(&frames, 1 << 20);
    return frames;
}

Test(kube_exec, output_notes_and_success)
{
    static const char *const protocols[] = {"v5.channel.k8s.io", "v4.channel.k8s.io"};
    for (size_t i = 0; i < COUNT_OF(protocols); i++) {
        struct buf frames CLEANUP(buf_done) = frames_new();
        struct kube_exec_result result;
        struct fixture f;
        exec_message(&frames, 1, STR("")); /* what servers begin with */
        exec_message(&frames, 1, STR("CREATE "));
        exec_message(&frames, 2, STR("dumping\n"));
        buf_str(&frames, STR("\x02\x03\x01TA\x89\x02hi\x80\x03"
                             "BLE")); /* in two fragments, a ping between */
        exec_message(&frames, 255, STR("\x01"));
        exec_success(&frames);
        begin(&f,
              &(struct exec_script){.protocol = protocols[i], .frames = buf_view(&frames), .end = EXEC_WAIT},
              NULL);
        connect_to(&f, "http", "", "token: t0ken, as: someone");
        cr_expect(run(&f, take_out, 60000, &result), "%s", f.err.msg);
        cr_expect(result.ok && result.exit_code == 0);
        cr_expect(str_is(buf_view(&f.out), "CREATE TABLE"), "%.*s", STR_ARG(buf_view(&f.out)));
        cr_expect(str_is(buf_view(&f.notes), "dumping\n"));
        cr_expect(str_is(f.frames, "pong hi;close ;"), "%.*s", STR_ARG(f.frames));
        cr_expect(
            str_starts(f.head, STR("GET /api/v1/namespaces/shop/pods/db-0/exec?stdout=true&stderr=true&"
                                   "container=postgres&command=pg_dump&command=-d&command=a%26b HTTP/1.1")),
            "%.*s", STR_ARG(f.head));
        cr_expect(str_contains(f.head, STR("Authorization: Bearer t0ken\r\n")));
        cr_expect(str_contains(f.head, STR("Impersonate-User: someone\r\n")));
        cr_expect(
            str_contains(f.head, STR("Sec-WebSocket-Protocol: v5.channel.k8s.io, v4.channel.k8s.io\r\n")));
        end(&f);
    }
}

Test(kube_exec, a_command_that_fails_says_its_exit_code)
{
    static const struct {
        const char *status;
        int code;
    } cases[] = {
        {"{\"status\":\"Failure\",\"message\":\"command terminated with non-zero exit code: 3\",\"reason\":"
         "\"NonZeroExitCode\",\"details\":{\"causes\":[{\"reason\":\"ExitCode\",\"message\":\"3\"}]}}",
         3},
        {"{\"status\":\"Failure\",\"message\":\"no such file\",\"reason\":\"InternalError\"}", -1},
        {"{\"status\":\"Failure\",\"details\":{\"causes\":[{\"reason\":\"ExitCode\",\"message\":\"-1\"}]}}",
         -1},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct buf frames CLEANUP(buf_done) = frames_new();
        struct kube_exec_result result;
        struct fixture f;
        exec_message(&frames, 3, str_of(cases[i].status));
        exec_message(&frames, 1, STR("late")); /* the status may overtake output */
        buf_str(&frames, STR("\x88\x00"));
        begin(&f, &(struct exec_script){.frames = buf_view(&frames), .end = EXEC_WAIT}, NULL);
        connect_to(&f, "http", "", "token: t0ken");
        cr_expect(run(&f, take_out, 60000, &result), "%s", f.err.msg);
        cr_expect_not(result.ok);
        cr_expect_eq(result.exit_code, cases[i].code);
        cr_expect(str_is(buf_view(&f.out), "late"));
        end(&f);
    }
}

Test(kube_exec, no_half_output_is_taken_for_a_whole)
{
    enum { CUT, RESET, CLOSED, NO_CHANNEL, STRANGE_CHANNEL, BAD_STATUS, HALF_STATUS, NEITHER };
    static const struct {
        int how;
        enum err_code code;
        const char *says;
    } cases[] = {
        {CUT, ERR_UNREACHABLE, "the connection ended before the command did"},
        {RESET, ERR_UNREACHABLE, "the connection broke"},
        {CLOSED, ERR_UNREACHABLE, "the connection ended before the command did"},
        {NO_CHANNEL, ERR_CORRUPT, "a message that names no channel"},
        {STRANGE_CHANNEL, ERR_CORRUPT, "a message on channel 9"},
        {BAD_STATUS, ERR_CORRUPT, "the status of the command cannot be read"},
        {HALF_STATUS, ERR_UNREACHABLE, "the connection ended before the command did"},
        {NEITHER, ERR_CORRUPT, "neither Success nor Failure"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct buf frames CLEANUP(buf_done) = frames_new();
        struct kube_exec_result result;
        struct fixture f;
        exec_message(&frames, 1, STR("half a dump"));
        switch (cases[i].how) {
        case CLOSED: buf_str(&frames, STR("\x88\x00")); break;
        case NO_CHANNEL: buf_str(&frames, STR("\x82\x00")); break;
        case STRANGE_CHANNEL: exec_message(&frames, 9, STR("x")); break;
        case BAD_STATUS: exec_message(&frames, 3, STR("{")); break;
        case HALF_STATUS: buf_str(&frames, STR("\x02\x05\x03{\"a\"")); break;
        case NEITHER: exec_message(&frames, 3, STR("{}")); break;
        default: break;
        }
        begin(&f,
              &(struct exec_script){.frames = buf_view(&frames),
                                    .end = cases[i].how == RESET ? EXEC_RESET : EXEC_CLOSE},
              NULL);
        connect_to(&f, "http", "", "token: t0ken");
        cr_expect_not(run(&f, take_out, 60000, &result), "case %zu", i);
        cr_expect_eq(f.err.code, cases[i].code, "%zu: %s", i, f.err.msg);
        cr_expect(strstr(f.err.msg, cases[i].says), "%zu: %s", i, f.err.msg);
        cr_expect(strstr(f.err.msg, "exec in pod shop/db-0: ") == f.err.msg, "%s", f.err.msg);
        end(&f);
    }
}

Test(kube_exec, a_command_that_hangs_meets_its_time_limit)
{
    struct buf frames CLEANUP(buf_done) = frames_new();
    struct kube_exec_result result;
    struct fixture f;
    exec_message(&frames, 1, STR("begun"));
    begin(&f, &(struct exec_script){.frames = buf_view(&frames), .end = EXEC_WAIT}, NULL);
    connect_to(&f, "http", "", "token: t0ken");
    cr_expect_not(run(&f, take_out, 50, &result));
    cr_expect_eq(f.err.code, ERR_INTERRUPTED, "%s", f.err.msg);
    cr_expect(strstr(f.err.msg, "in its container it may go on"), "%s", f.err.msg);
    end(&f);
}

Test(kube_exec, who_takes_the_output_may_end_the_call)
{
    struct buf frames CLEANUP(buf_done) = frames_new();
    struct kube_exec_result result;
    struct fixture f;
    exec_message(&frames, 1, STR("x"));
    exec_success(&frames);
    begin(&f, &(struct exec_script){.frames = buf_view(&frames), .end = EXEC_WAIT}, NULL);
    connect_to(&f, "http", "", "token: t0ken");
    cr_expect_not(run(&f, refuse_out, 60000, &result));
    cr_expect_eq(f.err.code, ERR_IO);
    cr_expect(strstr(f.err.msg, "the disk is full"), "%s", f.err.msg);
    end(&f);
}

#define REFUSAL(status, body)                                                                                \
    STR_INIT("HTTP/1.1 " status "\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n" body)

Test(kube_exec, refusals_in_the_servers_words)
{
    static const struct {
        struct str reply;
        enum err_code code;
        const char *says, *next;
    } cases[] = {
        {REFUSAL("403 Forbidden",
                 "{\"message\":\"pods \\\"db-0\\\" is forbidden: User cannot get pods/exec\"}"),
         ERR_DENIED, "HTTP 403: pods \"db-0\" is forbidden", ""},
        {REFUSAL("404 Not Found", "{\"message\":\"pods \\\"db-0\\\" not found\"}"), ERR_NOT_FOUND,
         "HTTP 404: pods \"db-0\" not found", ""},
        {REFUSAL("400 Bad Request", "{\"message\":\"container postgres is not valid for pod db-0\"}"),
         ERR_USAGE, "HTTP 400: container postgres is not valid", ""},
        {REFUSAL("401 Unauthorized", "{}"), ERR_DENIED, "HTTP 401: the credentials of user \"tester\"", ""},
        {REFUSAL("500 Oops", "no JSON"), ERR_UNREACHABLE, "HTTP 500: no JSON", ""},
        {REFUSAL("200 OK", "{}"), ERR_CORRUPT, "answers an exec with HTTP 200", ""},
        {REFUSAL("302 Found", "{}"), ERR_UNREACHABLE, "HTTP 302", ""},
        {STR_INIT("SMTP ready\r\n\r\n"), ERR_CORRUPT, "no HTTP/1.1", ""},
        {STR_INIT("HTTP/1.1 101 Sw"), ERR_UNREACHABLE, "closed before the reply", ""},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct kube_exec_result result;
        struct fixture f;
        begin(&f, &(struct exec_script){.refusal = cases[i].reply}, NULL);
        connect_to(&f, "http", "", "token: t0ken");
        cr_expect_not(run(&f, take_out, 60000, &result));
        cr_expect_eq(f.err.code, cases[i].code, "%zu: %s %s", i, err_name(f.err.code), f.err.msg);
        cr_expect(strstr(f.err.msg, cases[i].says), "%zu: %s", i, f.err.msg);
        cr_expect_not(strstr(f.err.msg, "t0ken"));
        end(&f);
    }
}

Test(kube_exec, a_peer_that_is_no_server_of_exec_is_found_out)
{
    static const struct {
        struct exec_script script;
        const char *says;
    } cases[] = {{{.wrong_accept = true}, "the server's handshake does not answer ours"},
                 {{.protocol = "channel.k8s.io"}, "the server speaks neither v5"}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct kube_exec_result result;
        struct fixture f;
        begin(&f, &cases[i].script, NULL);
        connect_to(&f, "http", "", "token: t0ken");
        cr_expect_not(run(&f, take_out, 60000, &result));
        cr_expect_eq(f.err.code, ERR_CORRUPT);
        cr_expect(strstr(f.err.msg, cases[i].says), "%s", f.err.msg);
        end(&f);
    }
}

/* The way of every other call: TLS verified by the name that is meant, through a tunnel. */
Test(kube_exec, over_tls_by_another_name_through_a_proxy)
{
    struct buf frames CLEANUP(buf_done) = frames_new();
    static char large[20000];
    struct kube_exec_result result;
    struct fixture f;
    memset(large, 'x', sizeof large);
    for (int i = 0; i < 10; i++)
        exec_message(&frames, 1, (struct str){large, sizeof large});
    exec_success(&frames);

    struct arena *arena = arena_new();
    struct cert ca = cert_make(arena, &(struct cert_wish){.common_name = "authority"});
    struct cert server = cert_make(
        arena,
        &(struct cert_wish){.common_name = "server", .alt_names = "DNS:api.example.com", .issuer = &ca});
    const struct wire_tls tls = {server.cert_pem, server.key_pem, STR_NONE};
    begin(&f, &(struct exec_script){.frames = buf_view(&frames), .end = EXEC_WAIT}, &tls);
    cr_assert(file_write(str_c(f.arena, in_dir(&f, "ca.pem")), ca.cert_pem, 0600, &f.err));
    struct tunnel *tunnel = tunnel_start(exec_server_port(f.server));
    struct str cluster =
        str_fmt(f.arena,
                ", certificate-authority: ca.pem, tls-server-name: api.example.com, proxy-url: "
                "'http://127.0.0.1:%u'",
                tunnel_port(tunnel));
    connect_to(&f, "https", str_c(f.arena, cluster), "token: t0ken");
    cr_expect(run(&f, take_out, 60000, &result), "%s", f.err.msg);
    cr_expect(result.ok);
    cr_expect_eq(f.out.len, 10 * sizeof large);
    cr_expect(str_starts(str_of(tunnel_stop(tunnel)), STR("CONNECT 127.0.0.1:")));
    tunnel_free(tunnel);
    remove(str_c(f.arena, in_dir(&f, "ca.pem")));
    end(&f);
    arena_free(arena);
}

Test(kube_exec, a_certificate_for_another_name_ends_it_before_the_token_goes_out)
{
    struct kube_exec_result result;
    struct fixture f;
    struct arena *arena = arena_new();
    struct cert ca = cert_make(arena, &(struct cert_wish){.common_name = "authority"});
    struct cert server = cert_make(
        arena,
        &(struct cert_wish){.common_name = "server", .alt_names = "DNS:api.example.com", .issuer = &ca});
    const struct wire_tls tls = {server.cert_pem, server.key_pem, STR_NONE};
    begin(&f, &(struct exec_script){0}, &tls);
    cr_assert(file_write(str_c(f.arena, in_dir(&f, "ca.pem")), ca.cert_pem, 0600, &f.err));
    connect_to(&f, "https", ", certificate-authority: ca.pem", "token: t0ken");
    cr_expect_not(run(&f, take_out, 60000, &result));
    cr_expect(strstr(f.err.msg, "the server's certificate is for another name"), "%s", f.err.msg);
    cr_expect_eq(f.head.len, 0, "%.*s", STR_ARG(f.head));
    remove(str_c(f.arena, in_dir(&f, "ca.pem")));
    end(&f);
    arena_free(arena);
}
