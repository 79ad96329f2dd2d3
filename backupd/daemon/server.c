#include "backupd/daemon/server.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backupd/daemon/routes.h"
#include "core/base/clock.h"
#include "core/base/json.h"

enum { MAX_BODY = 1 << 20, MAX_REPLY = 64 << 20, SILENCE_S = 30, THREADS = 4, CONNECTIONS = 64 };

struct daemon {
    struct MHD_Daemon *http;
    atomic_int in_flight; /* requests begun and not yet answered to the last byte */
    char address[80];
};

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* A request while its body arrives. */
struct exchange {
    struct arena *arena;
    struct buf body;
};

/* Host and port of "127.0.0.1:8080" or "[::1]:8080"; names are not looked up. */
static bool parse_address(const char *listen, union address *ret, struct err *err)
{
    struct str text = str_of(listen);
    size_t colon = str_rfind(text, ':');
    struct str host = str_slice(text, 0, colon);
    uint64_t port = 0;
    char name[64];
    bool v6 = str_starts(host, STR("[")) && str_ends(host, STR("]"));
    host = v6 ? str_slice(host, 1, host.len - 1) : host;
    snprintf(name, sizeof name, "%.*s", STR_ARG(host));
    memset(ret, 0, sizeof *ret);
    bool ok = colon < text.len && str_to_u64(str_from(text, colon + 1), &port) && port <= UINT16_MAX;
    if (ok && v6) {
        ret->v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
        ok = inet_pton(AF_INET6, name, &ret->v6.sin6_addr) == 1;
    } else if (ok) {
        ret->v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
        ok = inet_pton(AF_INET, name, &ret->v4.sin_addr) == 1;
    }
    if (ok)
        return true;
    err_set(err, ERR_USAGE, "--listen %.200s is no address and port", listen);
    return err_next(err, "write it as 127.0.0.1:8080 or [::1]:8080");
}

static bool is_loopback(const union address *address)
{
    return address->any.sa_family == AF_INET6 ? IN6_IS_ADDR_LOOPBACK(&address->v6.sin6_addr)
                                              : ntohl(address->v4.sin_addr.s_addr) >> 24 == 127;
}

static enum MHD_Result send_answer(struct MHD_Connection *connection, struct arena *arena,
                                   const struct answer *answer)
{
    struct buf text;
    buf_init(&text, MAX_REPLY);
    json_write(&text, answer->body);
    buf_char(&text, '\n');
    struct MHD_Response *response =
        buf_ok(&text) ? MHD_create_response_from_buffer(text.len, text.ptr, MHD_RESPMEM_MUST_COPY) : NULL;
    buf_done(&text);
    if (response == NULL)
        return MHD_NO;
    MHD_add_response_header(response, "Content-Type", "application/json");
    MHD_add_response_header(response, "Cache-Control", "no-store");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    if (answer->allow.len)
        MHD_add_response_header(response, "Allow", str_c(arena, answer->allow));
    enum MHD_Result sent = MHD_queue_response(connection, (unsigned)answer->status, response);
    MHD_destroy_response(response);
    return sent;
}

static enum MHD_Result refuse_size(struct MHD_Connection *connection, struct arena *arena)
{
    struct answer answer = {.status = err_http_status(ERR_LIMIT)};
    answer.body = routes_error(arena, err_name(ERR_LIMIT), "the body is larger than 1 MiB", NULL);
    return send_answer(connection, arena, &answer);
}

static enum MHD_Result begin(struct daemon *daemon, void **slot)
{
    struct exchange *exchange = malloc(sizeof *exchange);
    if (exchange == NULL)
        return MHD_NO;
    exchange->arena = arena_new();
    buf_init(&exchange->body, MAX_BODY);
    atomic_fetch_add(&daemon->in_flight, 1);
    *slot = exchange;
    return MHD_YES;
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_len, void **slot)
{
    struct exchange *exchange = *slot;
    if (exchange == NULL)
        return begin(ctx, slot);
    if (*upload_len) {
        buf_append(&exchange->body, upload, *upload_len);
        *upload_len = 0;
        return MHD_YES;
    }
    if (!buf_ok(&exchange->body))
        return refuse_size(connection, exchange->arena);
    struct request request = {exchange->arena, str_of(method), str_of(url), buf_view(&exchange->body)};
    struct answer answer;
    routes_answer(&request, &answer);
    return send_answer(connection, exchange->arena, &answer);
}

static void on_done(void *ctx, struct MHD_Connection *connection, void **slot,
                    enum MHD_RequestTerminationCode why)
{
    struct daemon *daemon = ctx;
    struct exchange *exchange = *slot;
    if (exchange == NULL)
        return;
    buf_done(&exchange->body);
    arena_free(exchange->arena);
    free(exchange);
    *slot = NULL;
    atomic_fetch_sub(&daemon->in_flight, 1);
}

static void name_address(struct daemon *daemon, const union address *address)
{
    char host[INET6_ADDRSTRLEN] = "";
    bool v6 = address->any.sa_family == AF_INET6;
    const void *bytes = v6 ? (const void *)&address->v6.sin6_addr : &address->v4.sin_addr;
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon->http, MHD_DAEMON_INFO_BIND_PORT);
    inet_ntop(address->any.sa_family, bytes, host, sizeof host);
    snprintf(daemon->address, sizeof daemon->address, v6 ? "[%s]:%u" : "%s:%u", host, info ? info->port : 0U);
}

bool daemon_start(const struct daemon_options *options, struct daemon **ret_daemon, struct err *err)
{
    union address address;
    if (!parse_address(options->listen, &address, err))
        return false;
    if (!is_loopback(&address) && !options->allow_remote) {
        err_set(err, ERR_REFUSED, "--listen %.200s is not loopback, and nothing here asks who is calling",
                options->listen);
        return err_next(err, "put a proxy with authentication in front, or say --allow-remote");
    }
    struct daemon *daemon = calloc(1, sizeof *daemon);
    if (daemon == NULL)
        abort();
    unsigned flags = MHD_USE_AUTO_INTERNAL_THREAD | MHD_USE_ITC;
    if (address.any.sa_family == AF_INET6)
        flags |= MHD_USE_IPv6;
    daemon->http = MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, daemon, MHD_OPTION_SOCK_ADDR, &address.any,
        MHD_OPTION_NOTIFY_COMPLETED, on_done, daemon, MHD_OPTION_THREAD_POOL_SIZE, (unsigned)THREADS,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)SILENCE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)32 << 10, MHD_OPTION_END);
    if (daemon->http == NULL) {
        free(daemon);
        return err_errno(err, "listen on %.200s", options->listen);
    }
    name_address(daemon, &address);
    *ret_daemon = daemon;
    return true;
}

const char *daemon_address(const struct daemon *daemon)
{
    return daemon->address;
}

/* First no new connections, then the requests in flight, then the rest: idle connections are simply closed. */
void daemon_stop(struct daemon *daemon, int64_t patience_ms)
{
    int64_t until = clock_monotonic_ms() + patience_ms;
    MHD_socket socket = MHD_quiesce_daemon(daemon->http);
    while (atomic_load(&daemon->in_flight) != 0 && clock_monotonic_ms() < until)
        clock_sleep_ms(5);
    MHD_stop_daemon(daemon->http);
    if (socket != MHD_INVALID_SOCKET)
        close(socket);
    free(daemon);
}
