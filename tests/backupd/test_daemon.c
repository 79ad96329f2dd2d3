/* The daemon as a process: the very binary that ships, beside the test runner. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/json.h"
#include "core/net/http.h"

struct daemon_process {
    struct arena *arena;
    struct http *http;
    pid_t pid;
    int out; /* its standard output and error */
    char text[4096];
    uint16_t port;
};

static const char *binary(void)
{
    static char path[4096];
    ssize_t len = readlink("/proc/self/exe", path, sizeof path - 32);
    cr_assert_gt(len, 0);
    path[len] = 0;
    strcpy(strrchr(path, '/'), "/../backupd");
    return path;
}

static pid_t spawn(const char *const *arguments, int *ret_out)
{
    int ends[2];
    const char *argv[8] = {binary()};
    for (size_t i = 0; arguments[i] != NULL && i < 6; i++)
        argv[i + 1] = arguments[i];
    cr_assert_eq(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(ends[1], 1);
        dup2(ends[1], 2);
        close(ends[0]);
        execv(argv[0], (char *const *)argv);
        _exit(127);
    }
    close(ends[1]);
    *ret_out = ends[0];
    return pid;
}

/* Reads until `end` was seen or nothing more comes. */
static void read_until(int out, char *text, size_t size, const char *end)
{
    size_t len = 0;
    ssize_t got;
    while (len + 1 < size && (got = read(out, text + len, size - 1 - len)) > 0) {
        len += (size_t)got;
        text[len] = 0;
        if (end && strstr(text, end))
            break;
    }
    text[len] = 0;
}

static int wait_for(pid_t pid)
{
    int status = 0;
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void start(struct daemon_process *d)
{
    struct err err;
    *d = (struct daemon_process){.arena = arena_new()};
    d->pid = spawn(PATH("--listen", "127.0.0.1:0"), &d->out);
    read_until(d->out, d->text, sizeof d->text, "\n");
    const char *at = strstr(d->text, "http://127.0.0.1:");
    cr_assert(at, "%s", d->text);
    d->port = (uint16_t)atoi(at + strlen("http://127.0.0.1:"));
    cr_assert(http_open(d->arena, &(struct http_options){0}, &d->http, &err), "%s", err.msg);
}

static int stop(struct daemon_process *d, int how)
{
    kill(d->pid, how);
    int status = wait_for(d->pid);
    http_close(d->http);
    arena_free(d->arena);
    close(d->out);
    return status;
}

static struct http_reply request(struct daemon_process *d, const char *method, const char *path,
                                 struct str body)
{
    struct http_request it = {.method = method, .body = body, .once = true};
    struct http_reply reply = {0};
    struct err err;
    it.url = str_fmt(d->arena, "http://127.0.0.1:%u%s", d->port, path);
    cr_assert(http_call(d->http, d->arena, &it, &reply, &err), "%s", err.msg);
    return reply;
}

static struct str field(struct daemon_process *d, const struct http_reply *reply, const char *const *path)
{
    const struct value *body = NULL;
    struct err err;
    cr_assert(json_parse(d->arena, reply->body, NULL, &body, &err), "%s: %.*s", err.msg,
              STR_ARG(reply->body));
    return value_str_in(body, path);
}

Test(daemon, answers_health_as_json, .timeout = 20)
{
    struct daemon_process d;
    start(&d);
    struct http_reply reply = request(&d, "GET", "/health", STR_NONE);
    cr_expect_eq(reply.status, 200);
    cr_expect(str_is(field(&d, &reply, PATH("status")), "ok"));
    cr_expect_gt(field(&d, &reply, PATH("version")).len, 0);
    cr_expect(str_is(http_header(&reply.headers, STR("content-type")), "application/json"));
    cr_expect_eq(stop(&d, SIGTERM), 0);
}

Test(daemon, says_no_in_json, .timeout = 20)
{
    static const struct {
        const char *method, *path;
        size_t body;
        int status;
        const char *code;
    } cases[] = {
        {"GET", "/nothing", 0, 404, "NOT_FOUND"},   {"GET", "/", 0, 404, "NOT_FOUND"},
        {"GET", "/health/", 0, 404, "NOT_FOUND"},   {"GET", "/../health", 0, 404, "NOT_FOUND"},
        {"DELETE", "/health", 0, 405, "USAGE"},     {"POST", "/health", 10, 405, "USAGE"},
        {"POST", "/health", 2 << 20, 413, "LIMIT"},
    };
    struct daemon_process d;
    start(&d);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char *body = calloc(1, cases[i].body + 1);
        memset(body, 'x', cases[i].body);
        struct http_reply reply =
            request(&d, cases[i].method, cases[i].path, (struct str){body, cases[i].body});
        cr_expect_eq(reply.status, cases[i].status, "case %zu: HTTP %d", i, reply.status);
        cr_expect(str_is(field(&d, &reply, PATH("error", "code")), cases[i].code), "case %zu: %.*s", i,
                  STR_ARG(reply.body));
        cr_expect_gt(field(&d, &reply, PATH("error", "message")).len, 0);
        free(body);
    }
    struct http_reply reply = request(&d, "PUT", "/health", STR_NONE);
    cr_expect(str_is(http_header(&reply.headers, STR("allow")), "GET"));
    cr_expect_eq(stop(&d, SIGINT), 0);
}

static int connect_to(uint16_t port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

static void say(int fd, const char *text)
{
    cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

Test(daemon, finishes_the_request_in_flight_before_it_stops, .timeout = 20)
{
    struct daemon_process d;
    char text[2048];
    start(&d);
    int fd = connect_to(d.port);
    say(fd, "POST /health HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab");
    clock_sleep_ms(100);
    int64_t then = clock_monotonic_ms();
    kill(d.pid, SIGTERM);
    clock_sleep_ms(150);
    say(fd, "cd");
    read_until(fd, text, sizeof text, "}}");
    cr_expect(strstr(text, "405"), "%s", text);
    cr_expect_eq(wait_for(d.pid), 0);
    cr_expect_lt(clock_monotonic_ms() - then, 1000);
    close(fd);
    http_close(d.http);
    arena_free(d.arena);
    close(d.out);
}

Test(daemon, does_not_wait_for_those_who_never_finish, .timeout = 20)
{
    struct daemon_process d;
    start(&d);
    int idle = connect_to(d.port), slow = connect_to(d.port);
    say(slow, "POST /health HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\na");
    clock_sleep_ms(100);
    int64_t then = clock_monotonic_ms();
    cr_expect_eq(stop(&d, SIGTERM), 0);
    cr_expect_lt(clock_monotonic_ms() - then, 1000);
    close(idle);
    close(slow);
}

Test(daemon, refuses_what_it_cannot_or_should_not_do, .timeout = 20)
{
    static const struct {
        const char *arguments[4];
        int status;
        const char *text;
    } cases[] = {
        {{"--listen", "0.0.0.0:0"}, 5, "--allow-remote"},
        {{"--listen", "[::]:0"}, 5, "not loopback"},
        {{"--listen", "localhost:80"}, 2, "no address and port"},
        {{"--listen", "127.0.0.1:99999"}, 2, "no address and port"},
        {{"--listen", "127.0.0.1"}, 2, "no address and port"},
        {{"--listen"}, 2, "a value is missing"},
        {{"--frobnicate"}, 2, "unknown option --frobnicate"},
        {{"extra"}, 2, "unexpected argument extra"},
        {{"--version"}, 0, "backupd "},
        {{"--help"}, 0, "Usage: backupd"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char text[4096];
        int out;
        pid_t pid = spawn(cases[i].arguments, &out);
        read_until(out, text, sizeof text, NULL);
        cr_expect_eq(wait_for(pid), cases[i].status, "case %zu", i);
        cr_expect(strstr(text, cases[i].text), "case %zu: %s", i, text);
        close(out);
    }
}

Test(daemon, a_taken_port_is_an_error_with_its_reason, .timeout = 20)
{
    struct daemon_process d;
    char listen[64], text[4096];
    int out;
    start(&d);
    snprintf(listen, sizeof listen, "127.0.0.1:%u", d.port);
    pid_t pid = spawn(PATH("--listen", listen), &out);
    read_until(out, text, sizeof text, NULL);
    cr_expect_eq(wait_for(pid), 6);
    cr_expect(strstr(text, "Address already in use"), "%s", text);
    close(out);
    stop(&d, SIGTERM);
}
