#include "tests/harness/git_http.h"

#include <microhttpd.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/wait.h>
#include <unistd.h>

#define BACKEND "/usr/lib/git-core/git-http-backend"

enum { MAX_BODY = 256 << 20 };

struct git_http {
    struct MHD_Daemon *daemon;
    const char *folder;
    struct git_http_faults faults;
    unsigned requests;
};

struct request {
    struct buf body;
};

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "git_http: %s\n", what);
    abort();
}

static const char *header(struct MHD_Connection *connection, const char *name)
{
    const char *value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
    return value != NULL ? value : "";
}

static enum MHD_Result add_query(void *ctx, enum MHD_ValueKind kind, const char *key, const char *value)
{
    buf_fmt(ctx, "%s%s=%s", ((struct buf *)ctx)->len != 0 ? "&" : "", key, value != NULL ? value : "");
    return MHD_YES;
}

static void run_backend(struct git_http *server, struct MHD_Connection *connection, const char *url,
                        const char *method, size_t length)
{
    struct buf query;
    char number[32];
    buf_init(&query, 4096);
    MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, add_query, &query);
    buf_char(&query, '\0');
    snprintf(number, sizeof number, "%zu", length);
    setenv("GIT_PROJECT_ROOT", server->folder, 1);
    setenv("GIT_HTTP_EXPORT_ALL", "1", 1);
    setenv("PATH_INFO", url, 1);
    setenv("QUERY_STRING", query.ptr, 1);
    setenv("REQUEST_METHOD", method, 1);
    setenv("CONTENT_TYPE", header(connection, "Content-Type"), 1);
    setenv("HTTP_CONTENT_ENCODING", header(connection, "Content-Encoding"), 1);
    setenv("CONTENT_LENGTH", number, 1);
    setenv("REMOTE_USER", "tester", 1); /* the backend lets only known users push */
    setenv("REMOTE_ADDR", "127.0.0.1", 1);
    execl(BACKEND, BACKEND, (char *)NULL);
    _exit(127);
}

/* Feeds the body and collects the output at once, so that neither pipe can fill up and block both. */
static void converse(int to, int from, struct str body, struct buf *output)
{
    char chunk[65536];
    while (true) {
        struct pollfd fds[] = {{from, POLLIN, 0}, {body.len != 0 ? to : -1, POLLOUT, 0}};
        if (body.len == 0 && to >= 0) {
            close(to);
            to = -1;
        }
        if (poll(fds, 2, 20000) <= 0)
            break;
        if (fds[1].revents != 0) {
            ssize_t put = write(to, body.ptr, body.len < 65536 ? body.len : 65536);
            body = put > 0 ? str_from(body, (size_t)put) : STR_NONE;
        }
        if (fds[0].revents != 0) {
            ssize_t got = read(from, chunk, sizeof chunk);
            if (got <= 0)
                break;
            buf_append(output, chunk, (size_t)got);
        }
    }
    if (to >= 0)
        close(to);
}

static void call_backend(struct git_http *server, struct MHD_Connection *connection, const char *url,
                         const char *method, struct str body, struct buf *output)
{
    int in[2], out[2], status;
    must(pipe(in) == 0 && pipe(out) == 0, "pipe");
    pid_t child = fork();
    must(child >= 0, "fork");
    if (child == 0) {
        dup2(in[0], STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        close(in[1]);
        close(out[0]);
        run_backend(server, connection, url, method, body.len);
    }
    close(in[0]);
    close(out[1]);
    converse(in[1], out[0], body, output);
    close(out[0]);
    waitpid(child, &status, 0);
}

/* CGI's head becomes HTTP's. */
static enum MHD_Result reply_with(struct MHD_Connection *connection, struct str output)
{
    unsigned status = 200;
    const char *end = output.len != 0 ? memmem(output.ptr, output.len, "\r\n\r\n", 4) : NULL;
    must(end != NULL, "git http-backend gave no head");
    struct str head = {output.ptr, (size_t)(end - output.ptr) + 2}, body = str_from(output, head.len + 2);
    struct MHD_Response *response =
        MHD_create_response_from_buffer(body.len, (void *)body.ptr, MHD_RESPMEM_MUST_COPY);
    struct arena *arena = arena_new();
    while (head.len != 0) {
        struct str line = str_trim(str_cut(&head, '\n')), name = str_cut(&line, ':');
        if (str_is(name, "Status"))
            status = (unsigned)atoi(str_c(arena, str_trim(line)));
        else
            MHD_add_response_header(response, str_c(arena, name), str_c(arena, str_trim(line)));
    }
    arena_free(arena);
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result reply_status(struct MHD_Connection *connection, unsigned status)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    if (status == 401)
        MHD_add_response_header(response, "WWW-Authenticate", "Basic realm=\"git\"");
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static bool authorised(const struct git_http *server, struct MHD_Connection *connection)
{
    char *password = NULL;
    if (server->faults.user == NULL)
        return true;
    char *user = MHD_basic_auth_get_username_password(connection, &password);
    bool ok = user != NULL && password != NULL && strcmp(user, server->faults.user) == 0 &&
              strcmp(password, server->faults.password) == 0;
    MHD_free(user);
    MHD_free(password);
    return ok;
}

static bool is_push(const char *url, const char *method)
{
    return strcmp(method, "POST") == 0 && str_ends(str_of(url), STR("/git-receive-pack"));
}

static enum MHD_Result answer(struct git_http *server, struct MHD_Connection *connection, const char *url,
                              const char *method, struct str body)
{
    if (server->faults.status != 0)
        return reply_status(connection, (unsigned)server->faults.status);
    if (!authorised(server, connection))
        return reply_status(connection, 401);
    if (is_push(url, method) && body.len > 4 && server->faults.before_push != NULL) {
        server->faults.before_push(server->faults.ctx);
        server->faults.before_push = NULL;
    }
    struct buf output CLEANUP(buf_done);
    buf_init(&output, MAX_BODY);
    call_backend(server, connection, url, method, body, &output);
    return reply_with(connection, buf_view(&output));
}

static enum MHD_Result handle(void *ctx, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data, size_t *len,
                              void **state)
{
    struct git_http *server = ctx;
    struct request *request = *state;
    if (request == NULL) {
        *state = request = calloc(1, sizeof *request);
        buf_init(&request->body, MAX_BODY);
        server->requests++;
        return MHD_YES;
    }
    if (*len != 0) {
        buf_append(&request->body, data, *len);
        *len = 0;
        size_t limit = server->faults.cut_request_after;
        return limit != 0 && is_push(url, method) && request->body.len > limit ? MHD_NO : MHD_YES;
    }
    return answer(server, connection, url, method, buf_view(&request->body));
}

static void finish(void *ctx, struct MHD_Connection *connection, void **state,
                   enum MHD_RequestTerminationCode why)
{
    struct request *request = *state;
    if (request != NULL)
        buf_done(&request->body);
    free(request);
}

struct git_http *git_http_start(const char *folder, struct git_http_faults faults)
{
    struct git_http *server = calloc(1, sizeof *server);
    server->folder = folder;
    server->faults = faults;
    signal(SIGPIPE, SIG_IGN);
    server->daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL, NULL, handle, server,
                                      MHD_OPTION_NOTIFY_COMPLETED, finish, NULL, MHD_OPTION_END);
    must(server->daemon != NULL, "cannot listen");
    return server;
}

struct str git_http_url(struct git_http *server, struct arena *arena, const char *repository)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT);
    return str_fmt(arena, "http://127.0.0.1:%u/%s", (unsigned)info->port, repository);
}

unsigned git_http_requests(struct git_http *server)
{
    return server->requests;
}

void git_http_stop(struct git_http *server)
{
    MHD_stop_daemon(server->daemon);
    free(server);
}
