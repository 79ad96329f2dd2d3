/* server.c — HTTP in, HTTP out, and the faults in between. */
#include <arpa/inet.h>
#include <microhttpd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dr-scenarios/sandbox/intern.h"

/* A request while libmicrohttpd delivers it piece by piece. */
struct exchange {
    struct arena *arena;
    struct buf body;
};

bool call_ok(struct call *call, int status, const struct value *reply)
{
    call->status = status;
    call->reply = reply;
    return true;
}

static const struct value *details(struct call *call, const struct value *causes)
{
    struct arena *arena = call->arena;
    const struct served *type = call->type;
    if (type == NULL && causes == NULL && call->retry_after == 0)
        return VALUE_MAP(arena, {NULL, NULL});
    return VALUE_MAP(
        arena, {"name", call->name.len ? value_string(arena, call->name) : NULL},
        {"group", type && type->type.group.len ? value_string(arena, type->type.group) : NULL},
        {"kind", type ? value_string(arena, causes ? type->type.kind : type->type.plural) : NULL},
        {"causes", causes},
        {"retryAfterSeconds", call->retry_after ? value_int(arena, call->retry_after) : NULL});
}

static bool fail(struct call *call, int status, const char *reason, const struct value *causes,
                 struct str message)
{
    struct arena *arena = call->arena;
    call->status = status;
    call->text = STR_NONE;
    call->reply = VALUE_MAP(
        arena, {"kind", value_cstr(arena, "Status")}, {"apiVersion", value_cstr(arena, "v1")},
        {"metadata", VALUE_MAP(arena, {NULL, NULL})}, {"status", value_cstr(arena, "Failure")},
        {"message", value_string(arena, message)}, {"reason", *reason ? value_cstr(arena, reason) : NULL},
        {"details", details(call, causes)}, {"code", value_int(arena, status)});
    return false;
}

bool call_fail(struct call *call, int status, const char *reason, const char *fmt, ...)
{
    char text[2048];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return fail(call, status, reason, NULL, str_dup(call->arena, str_of(text)));
}

bool call_fail_causes(struct call *call, int status, const char *reason, const struct value *causes,
                      const char *fmt, ...)
{
    char text[2048];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return fail(call, status, reason, causes, str_dup(call->arena, str_of(text)));
}

bool call_not_found(struct call *call)
{
    return call_fail(call, 404, "NotFound", "%.*s \"%.*s\" not found",
                     STR_ARG(types_resource(call->arena, call->type)), STR_ARG(call->name));
}

struct str call_query(const struct call *call, const char *name)
{
    for (size_t i = 0; i < call->query.count; i++)
        if (str_is(call->query.items[i].name, name))
            return call->query.items[i].value;
    return STR_NONE;
}

/* The first fault that this call meets; each counts its own calls. */
static const struct sandbox_fault *fault_for(struct sandbox *sandbox, const struct call *call)
{
    const struct sandbox_fault *met = NULL;
    for (size_t i = 0; i < sandbox->fault_count && met == NULL; i++) {
        struct fault *fault = &sandbox->faults[i];
        if (fault->is.kind == SANDBOX_STALE || (fault->method[0] && !str_is(call->method, fault->method)) ||
            (fault->match[0] && !str_glob(str_of(fault->match), call->path)))
            continue;
        unsigned turn = fault->seen++;
        if (turn >= fault->is.skip && (fault->is.times == 0 || turn - fault->is.skip < fault->is.times))
            met = &fault->is;
    }
    return met;
}

static struct str path_verb(const struct call *call)
{
    static const char *const verbs[][2] = {
        {"GET", "get"}, {"POST", "create"}, {"PUT", "update"}, {"PATCH", "patch"}, {"DELETE", "delete"}};
    for (size_t i = 0; i < COUNT_OF(verbs); i++)
        if (str_is(call->method, verbs[i][0]))
            return str_of(i == 0 && call->type && !call->name.len ? "list" : verbs[i][1]);
    return call->method;
}

static bool deny(struct call *call, const char *user)
{
    struct str verb = path_verb(call);
    if (call->type == NULL)
        return call_fail(call, 403, "Forbidden", "forbidden: User \"%s\" cannot %.*s path \"%.*s\"", user,
                         STR_ARG(verb), STR_ARG(call->path));
    struct str place = call->namespace.len
                           ? str_fmt(call->arena, "in the namespace \"%.*s\"", STR_ARG(call->namespace))
                           : STR("at the cluster scope");
    struct str name = call->name.len ? str_fmt(call->arena, " \"%.*s\"", STR_ARG(call->name)) : STR_NONE;
    struct str resource = types_resource(call->arena, call->type);
    return call_fail(
        call, 403, "Forbidden",
        "%.*s%.*s is forbidden: User \"%s\" cannot %.*s resource \"%.*s\" in API group \"%.*s\" %.*s",
        STR_ARG(resource), STR_ARG(name), user, STR_ARG(verb), STR_ARG(call->type->type.plural),
        STR_ARG(call->type->type.group), STR_ARG(place));
}

static bool is_public(struct str path)
{
    static const struct str open[] = {STR_INIT("/version"), STR_INIT("/healthz"), STR_INIT("/readyz"),
                                      STR_INIT("/livez")};
    return str_in(path, open, COUNT_OF(open));
}

static bool authenticate(struct call *call, struct str authorization)
{
    struct str bearer = str_from(authorization, 7);
    if (str_starts(authorization, STR("Bearer ")))
        return str_eq(bearer, call->sandbox->token) || call_fail(call, 401, "Unauthorized", "Unauthorized");
    return is_public(call->path) || deny(call, "system:anonymous");
}

/* What a fault makes of the answer; false ends the call there. */
static bool inject(struct call *call, const struct sandbox_fault *fault)
{
    switch (fault->kind) {
    case SANDBOX_FORBID: return deny(call, "sandbox");
    case SANDBOX_UNAUTHORIZE: return call_fail(call, 401, "Unauthorized", "Unauthorized");
    case SANDBOX_THROTTLE:
        call->retry_after = fault->value;
        return call_fail(call, 429, "TooManyRequests", "too many requests, please try again later");
    case SANDBOX_ERROR:
        return call_fail(call, fault->value ? fault->value : 500,
                         fault->value == 503 ? "ServiceUnavailable" : "InternalError",
                         "an error on the server was asked for");
    case SANDBOX_COMPACT: state_compact(call->sandbox); return true;
    case SANDBOX_SLOW:
    case SANDBOX_CUT:
    case SANDBOX_CLOSE:
    case SANDBOX_STALE: return true;
    }
    return true;
}

/* A body that ends before its announced length, with the connection. */
struct cut {
    struct str text;
};

static ssize_t cut_read(void *ctx, uint64_t at, char *to, size_t max)
{
    const struct cut *cut = ctx;
    size_t half = cut->text.len / 2;
    if (at >= half)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    size_t count = half - (size_t)at < max ? half - (size_t)at : max;
    memcpy(to, cut->text.ptr + at, count);
    return (ssize_t)count;
}

static void cut_free(void *ctx)
{
    struct cut *cut = ctx;
    free((void *)cut->text.ptr);
    free(cut);
}

static struct MHD_Response *cut_response(struct str text)
{
    struct cut *cut = malloc(sizeof *cut);
    char *copy = malloc(text.len + 1);
    if (cut == NULL || copy == NULL)
        abort();
    memcpy(copy, text.ptr, text.len);
    *cut = (struct cut){{copy, text.len}};
    /* cppcheck-suppress memleak ; cut_free frees both */
    return MHD_create_response_from_callback(text.len, 4096, cut_read, cut, cut_free);
}

static enum MHD_Result send_reply(struct MHD_Connection *connection, const struct call *call, bool cut)
{
    struct buf body;
    buf_init(&body, (size_t)1 << 30);
    if (call->reply) {
        json_write(&body, call->reply);
        buf_char(&body, '\n');
    } else {
        buf_str(&body, call->text);
    }
    struct MHD_Response *response =
        cut ? cut_response(buf_view(&body))
            : MHD_create_response_from_buffer(body.len, body.ptr, MHD_RESPMEM_MUST_COPY);
    buf_done(&body);
    if (response == NULL)
        return MHD_NO;
    const char *type = call->reply == NULL    ? "text/plain; charset=utf-8"
                       : call->reply_type.len ? str_c(call->arena, call->reply_type)
                                              : "application/json";
    MHD_add_response_header(response, "Content-Type", type);
    MHD_add_response_header(response, "Cache-Control", "no-cache, private");
    if (call->retry_after)
        MHD_add_response_header(response, "Retry-After",
                                str_c(call->arena, str_fmt(call->arena, "%d", call->retry_after)));
    enum MHD_Result sent = MHD_queue_response(connection, (unsigned)call->status, response);
    MHD_destroy_response(response);
    return sent;
}

static enum MHD_Result add_query(void *ctx, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct call *call = ctx;
    *ARENA_PUSH(call->arena, &call->query) = (struct pair){str_of(name), str_of(value)};
    return MHD_YES;
}

static struct str header(struct MHD_Connection *connection, const char *name)
{
    return str_of(MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name));
}

/* Serves the call under the lock; what has to wait or to break is told to the caller. */
static struct sandbox_fault serve(struct call *call, struct str authorization, bool too_large)
{
    struct sandbox *sandbox = call->sandbox;
    struct sandbox_fault harm = {.kind = SANDBOX_STALE};

    pthread_mutex_lock(&sandbox->lock);
    controllers_tick(sandbox, call->arena);
    const struct sandbox_fault *fault = fault_for(sandbox, call);
    if (fault != NULL)
        harm = *fault;
    bool located = route_locate(call); /* first, because refusals name the type */
    if (too_large)
        call_fail(call, 413, "RequestEntityTooLarge", "Request entity too large: limit is %d", MAX_BODY);
    else if (authenticate(call, authorization) && (fault == NULL || inject(call, fault)) && located)
        route_answer(call);
    pthread_mutex_unlock(&sandbox->lock);
    return harm;
}

static enum MHD_Result answer(struct exchange *exchange, struct sandbox *sandbox,
                              struct MHD_Connection *connection, const char *url, const char *method)
{
    struct call call = {
        .sandbox = sandbox,
        .arena = exchange->arena,
        .method = str_of(method),
        .path = str_of(url),
        .accept = header(connection, "Accept"),
        .content_type = header(connection, "Content-Type"),
        .user_agent = header(connection, "User-Agent"),
        .body = buf_view(&exchange->body),
        .status = 500,
    };
    MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, add_query, &call);
    struct sandbox_fault harm = serve(&call, header(connection, "Authorization"), !buf_ok(&exchange->body));
    if (harm.kind == SANDBOX_SLOW)
        clock_sleep_ms(harm.value);
    if (harm.kind == SANDBOX_CLOSE)
        return MHD_NO;
    return send_reply(connection, &call, harm.kind == SANDBOX_CUT);
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_len, void **slot)
{
    struct exchange *exchange = *slot;
    if (exchange == NULL) {
        exchange = malloc(sizeof *exchange);
        if (exchange == NULL)
            return MHD_NO;
        exchange->arena = arena_new();
        buf_init(&exchange->body, MAX_BODY);
        *slot = exchange;
        return MHD_YES;
    }
    if (*upload_len) {
        buf_append(&exchange->body, upload, *upload_len);
        *upload_len = 0;
        return MHD_YES;
    }
    return answer(exchange, ctx, connection, url, method);
}

static void on_done(void *ctx, struct MHD_Connection *connection, void **slot,
                    enum MHD_RequestTerminationCode why)
{
    struct exchange *exchange = *slot;
    if (exchange == NULL)
        return;
    buf_done(&exchange->body);
    arena_free(exchange->arena);
    free(exchange);
    *slot = NULL;
}

bool server_start(struct sandbox *sandbox, struct err *err)
{
    struct sockaddr_in loopback = {.sin_family = AF_INET, .sin_port = htons(sandbox->options.port)};
    loopback.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sandbox->http =
        MHD_start_daemon(MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_ITC, 0,
                         NULL, NULL, on_request, sandbox, MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&loopback,
                         MHD_OPTION_NOTIFY_COMPLETED, on_done, NULL, MHD_OPTION_CONNECTION_LIMIT, 256U,
                         MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)64 << 10, MHD_OPTION_END);
    if (sandbox->http == NULL)
        return err_errno(err, "sandbox: listen on 127.0.0.1:%u", sandbox->options.port);
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(sandbox->http, MHD_DAEMON_INFO_BIND_PORT);
    sandbox->port = info ? info->port : sandbox->options.port;
    sandbox->url = str_fmt(sandbox->arena, "http://127.0.0.1:%u", sandbox->port);
    return true;
}

void server_stop(struct sandbox *sandbox)
{
    if (sandbox->http != NULL)
        MHD_stop_daemon(sandbox->http);
    sandbox->http = NULL;
}
