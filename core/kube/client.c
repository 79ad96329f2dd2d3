/* Opening a client, one call of the API, and what its errors mean. */
#include <stdio.h>
#include <string.h>

#include "core/base/json.h"
#include "core/kube/kube_intern.h"
#include "core/net/url.h"

/* ---- open and close ---- */

/* The environment's proxies are libcurl's affair. Compression pays on a network; on this machine it only costs. */
bool kube_open_http(struct kube *kube, struct arena *arena, struct err *err)
{
    const struct kubeconfig *config = &kube->config;
    bool plugin = kube->exec_cert_pem.len != 0;
    struct url url;
    if (!url_parse(arena, config->server, &url, err))
        return false;
    return http_open(
        arena,
        &(struct http_options){.ca_pem = config->ca_pem,
                               .cert_pem = plugin ? kube->exec_cert_pem : config->cert_pem,
                               .key_pem = plugin ? kube->exec_key_pem : config->key_pem,
                               .tls_server_name = config->tls_server_name,
                               .proxy = config->proxy_url,
                               .insecure_skip_tls_verify = config->insecure_skip_tls_verify,
                               .compress = !config->disable_compression && !url_is_loopback(&url),
                               .known = kube->answered,
                               .retry = kube->retry},
        &kube->http, err);
}

bool kube_reconnect(struct kube *kube, struct err *err)
{
    struct http *before = kube->http;
    if (!kube_open_http(kube, kube->arena, err)) {
        kube->http = before;
        return false;
    }
    http_close(before);
    return true;
}

static bool connect(struct arena *arena, struct kube *kube, struct err *err)
{
    const struct kubeconfig *config = &kube->config;
    kube->server = config->server;
    while (str_ends(kube->server, STR("/")))
        kube->server.len--;
    return kube_open_http(kube, arena, err) ||
           err_context(err, "kubeconfig %.*s, user \"%.*s\"", STR_ARG(config->origin), STR_ARG(config->user));
}

/* `like` brings configuration, retries, what is known of the server and what a plugin said last. */
static bool open_like(struct arena *arena, const struct kube *like, struct kube **ret_kube, struct err *err)
{
    struct kube *kube = ARENA_NEW(arena, struct kube);
    *kube = (struct kube){.arena = arena,
                          .config = like->config,
                          .retry = like->retry,
                          .answered = like->answered,
                          .credentials = arena_new(),
                          .exec_expires_ms = like->exec_expires_ms,
                          .exec_ran = like->exec_ran};
    /* Texts that the other one may drop while this one lives. */
    kube->config.ca_pem = str_dup(arena, like->config.ca_pem);
    kube->config.cert_pem = str_dup(arena, like->config.cert_pem);
    kube->config.key_pem = str_dup(arena, like->config.key_pem);
    kube->exec_token = str_dup(kube->credentials, like->exec_token);
    kube->exec_cert_pem = str_dup(kube->credentials, like->exec_cert_pem);
    kube->exec_key_pem = str_dup(kube->credentials, like->exec_key_pem);
    buf_init(&kube->file_token, KUBE_MAX_TOKEN);
    if (!connect(arena, kube, err)) {
        kube_close(kube);
        return false;
    }
    *ret_kube = kube;
    return true;
}

bool kube_open(struct arena *arena, const struct kube_options *options, struct kube **ret_kube,
               struct err *err)
{
    struct kube like = {.retry = options->retry};
    return kubeconfig_read(arena, options->kubeconfig, options->context, &like.config, err) &&
           open_like(arena, &like, ret_kube, err);
}

bool kube_open_another(struct kube *kube, struct arena *arena, struct kube **ret_kube, struct err *err)
{
    return open_like(arena, kube, ret_kube, err);
}

void kube_close(struct kube *kube)
{
    if (kube == NULL)
        return;
    http_close(kube->http);
    arena_free(kube->credentials);
    arena_free(kube->reread);
    buf_done(&kube->file_token);
    kube->http = NULL;
    kube->credentials = kube->reread = NULL;
}

struct str kube_server(const struct kube *kube)
{
    return kube->config.server;
}

struct str kube_context(const struct kube *kube)
{
    return kube->config.context;
}

struct str kube_namespace(const struct kube *kube)
{
    return kube->config.namespace;
}

/* ---- one call ---- */

/* What libcurl's side of a call needs of ours. */
struct call {
    struct kube *kube;
    const struct kube_request *request;
};

static bool prepare(void *ctx, struct arena *arena, struct http_request *request, struct err *err)
{
    struct call *call = ctx;
    return kube_authorize(call->kube, arena, &request->headers, err);
}

static bool on_body(void *ctx, struct str piece, struct err *err)
{
    struct call *call = ctx;
    return call->request->on_body(call->request->ctx, piece, err);
}

static void restart(void *ctx)
{
    struct call *call = ctx;
    call->request->restart(call->request->ctx);
}

static bool send_request(struct kube *kube, struct arena *arena, const struct kube_request *request,
                         struct http_reply *ret_reply, struct err *err)
{
    struct call context = {kube, request};
    struct http_request call = {
        .method = request->method,
        .url = str_fmt(arena, "%.*s%.*s", STR_ARG(kube->server), STR_ARG(request->path)),
        .body = request->body,
        .max_body = request->max_body,
        .once = strcmp(request->method, "POST") == 0 && !request->repeatable,
        .on_body = request->on_body != NULL ? on_body : NULL,
        .restart = request->restart != NULL ? restart : NULL,
        .prepare = prepare,
        .ctx = &context,
    };
    http_add_header(arena, &call.headers, STR("Accept"),
                    str_of(request->accept ? request->accept : "application/json"));
    if (request->content_type != NULL)
        http_add_header(arena, &call.headers, STR("Content-Type"), str_of(request->content_type));
    bool changed = false;
    kube_reload_files(kube);
    if (!kube_exec_refresh(kube, false, err) || !http_call(kube->http, arena, &call, ret_reply, err))
        return false;
    kube->answered = true;
    if (ret_reply->status != 401)
        return true;
    return kube_renew(kube, &changed, err) &&
           (!changed || http_call(kube->http, arena, &call, ret_reply, err));
}

/* Following would hand the token to somebody else. Of the place only the origin is told. */
bool kube_redirected(const struct kube *kube, struct arena *arena, const struct http_reply *reply,
                     struct err *err)
{
    struct url url;
    struct err ignored;
    struct str place = http_header(&reply->headers, STR("location"));
    bool known = url_parse(arena, place, &url, &ignored);
    err_set(err, ERR_UNREACHABLE, "HTTP %d: the server points to %s%.*s, and redirects are not followed",
            reply->status, known ? "" : "another place", STR_ARG(known ? url_origin(arena, &url) : STR_NONE));
    return err_next(err,
                    "put the API server's own address into the kubeconfig, as server of cluster \"%.*s\"",
                    STR_ARG(kube->config.cluster));
}

bool kube_exchange(struct kube *kube, struct arena *arena, const struct kube_request *request,
                   struct kube_reply *ret_reply, struct err *err)
{
    struct http_reply reply;
    struct kube_reply result = {0};
    if (!send_request(kube, arena, request, &reply, err))
        return false;
    if (reply.status / 100 == 3) {
        kube_redirected(kube, arena, &reply, err);
        return err_context(err, "%s %.*s", request->method, STR_ARG(request->path));
    }
    result.status = reply.status;
    result.body = reply.body;
    bool taken = request->on_body != NULL && reply.status / 100 == 2;
    if (request->plain_text || taken || json_parse(arena, reply.body, NULL, &result.object, err) ||
        reply.status >= 400) {
        *ret_reply = result;
        return true;
    }
    if (err->code == ERR_INVALID)
        err->code = ERR_CORRUPT;
    return err_context(err, "%s %.*s: HTTP %d", request->method, STR_ARG(request->path), reply.status);
}

/* ---- what an error status means ---- */

static enum err_code code_of(int status, struct str reason)
{
    switch (status) {
    case 401:
    case 403: return ERR_DENIED;
    case 404: return ERR_NOT_FOUND;
    case 409: return str_is(reason, "AlreadyExists") ? ERR_EXISTS : ERR_CONFLICT;
    case 410: return ERR_GONE;
    case 413: return ERR_LIMIT;
    default: return status == 408 || status == 429 || status >= 500 ? ERR_UNREACHABLE : ERR_INVALID;
    }
}

static bool say_unauthorized(const struct kube *kube, struct err *err)
{
    const struct kubeconfig *config = &kube->config;
    err_set(err, ERR_DENIED, "HTTP 401: the credentials of user \"%.*s\" (%.*s) were not accepted",
            STR_ARG(config->user), STR_ARG(config->origin));
    if (config->user.len == 0)
        return err_next(err, "context \"%.*s\" names no user; add one", STR_ARG(config->context));
    if (config->exec != NULL)
        return err_next(err, "log in again with your provider's tool (%.*s)",
                        STR_ARG(value_str(value_key(config->exec, "command"))));
    return err_next(err, "fetch a new kubeconfig or token: this one has expired or was revoked");
}

/* What the server wrote when it was no Status: a proxy's page, or Go's "404 page not found". */
static struct str first_line(struct str body)
{
    struct str line = str_trim(str_cut(&body, '\n'));
    for (size_t i = 0; i < line.len; i++)
        if ((unsigned char)line.ptr[i] < ' ' || line.ptr[i] == '<')
            return STR_NONE;
    return str_slice(line, 0, 200);
}

static struct str reason_of_status(int status)
{
    switch (status) {
    case 403: return STR("forbidden");
    case 404: return STR("not found");
    case 410: return STR("gone");
    case 429: return STR("too many requests");
    case 503: return STR("service unavailable");
    case 504: return STR("timeout");
    default: return STR("no reason given");
    }
}

bool kube_fail(const struct kube *kube, const struct kube_reply *reply, struct err *err)
{
    const struct value *status = reply->object;
    struct str reason = value_str(value_key(status, "reason")),
               message = value_str(value_key(status, "message"));

    if (reply->status == 401)
        return say_unauthorized(kube, err);
    if (message.len == 0)
        message = reason;
    if (message.len == 0)
        message = first_line(reply->body);
    if (message.len == 0)
        message = reason_of_status(reply->status);
    err_set(err, code_of(reply->status, reason), "HTTP %d: %.*s", reply->status, STR_ARG(message));
    VALUE_EACH(cause, value_in(status, PATH("details", "causes"))) {
        struct str field = value_str(value_key(cause, "field")), why = value_str(value_key(cause, "message"));
        size_t len = strlen(err->msg);
        if (why.len != 0 && !str_contains(message, why))
            snprintf(err->msg + len, sizeof err->msg - len, "; %.*s: %.*s", STR_ARG(field), STR_ARG(why));
    }
    if (reply->status == 403)
        err_next(err, "ask for that permission; `gitops-pipe doctor` lists what is needed");
    return false;
}

bool kube_call(struct kube *kube, struct arena *arena, const char *method, struct str path,
               const char *content_type, struct str body, const struct value **ret_object, struct err *err)
{
    struct kube_request request = {
        .method = method, .path = path, .content_type = content_type, .body = body};
    struct kube_reply reply;
    if (!kube_exchange(kube, arena, &request, &reply, err))
        return false;
    if (reply.status >= 300) {
        kube_fail(kube, &reply, err);
        return err_context(err, "%s %.*s", method, STR_ARG(path));
    }
    *ret_object = reply.object;
    return true;
}

/* ---- the small verbs ---- */

bool kube_version(struct kube *kube, struct arena *arena, struct str *ret_git_version, struct err *err)
{
    const struct value *version;
    if (!kube_call(kube, arena, "GET", STR("/version"), NULL, STR_NONE, &version, err))
        return false;
    *ret_git_version = value_str(value_key(version, "gitVersion"));
    return ret_git_version->len != 0 ||
           err_set(err, ERR_CORRUPT,
                   "GET /version: no gitVersion in the reply; is this a Kubernetes API server?");
}

struct str kube_path(struct arena *arena, const struct resource_type *type, struct str namespace,
                     struct str name)
{
    struct str space = http_escape(arena, namespace, false), last = http_escape(arena, name, false);
    bool spaced = type->namespaced && namespace.len != 0;
    return str_fmt(arena, "%s%.*s%s%.*s%s%.*s/%.*s%s%.*s", type->group.len ? "/apis/" : "/api",
                   STR_ARG(type->group), "/", STR_ARG(type->version), spaced ? "/namespaces/" : "",
                   STR_ARG(spaced ? space : STR_NONE), STR_ARG(type->plural), last.len ? "/" : "",
                   STR_ARG(last));
}

bool kube_get(struct kube *kube, struct arena *arena, const struct resource_type *type, struct str namespace,
              struct str name, const struct value **ret_object, struct err *err)
{
    struct str path = kube_path(arena, type, namespace, name);
    return kube_call(kube, arena, "GET", path, NULL, STR_NONE, ret_object, err);
}

bool kube_delete(struct kube *kube, struct arena *arena, const struct resource_type *type,
                 struct str namespace, struct str name, struct err *err)
{
    const struct value *ignored;
    struct str path = kube_path(arena, type, namespace, name);
    path = str_fmt(arena, "%.*s?propagationPolicy=Background", STR_ARG(path));
    return kube_call(kube, arena, "DELETE", path, NULL, STR_NONE, &ignored, err);
}

bool kube_may(struct kube *kube, struct arena *arena, const char *verb, const struct resource_type *type,
              struct str namespace, bool *ret_allowed, struct err *err)
{
    struct str group = type ? type->group : STR("*"), plural = type ? type->plural : STR("*");
    const struct value *attributes =
        VALUE_MAP(arena, {"verb", value_cstr(arena, verb)}, {"group", value_string(arena, group)},
                  {"resource", value_string(arena, plural)}, {"namespace", value_string(arena, namespace)});
    const struct value *review =
        VALUE_MAP(arena, {"apiVersion", value_cstr(arena, "authorization.k8s.io/v1")},
                  {"kind", value_cstr(arena, "SelfSubjectAccessReview")},
                  {"spec", VALUE_MAP(arena, {"resourceAttributes", attributes})});
    struct kube_request request = {.method = "POST",
                                   .path = STR("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"),
                                   .content_type = "application/json",
                                   .body = json_text(arena, review),
                                   .repeatable = true};
    struct kube_reply reply;
    if (!kube_exchange(kube, arena, &request, &reply, err))
        return false;
    if (reply.status >= 300) {
        kube_fail(kube, &reply, err);
        return err_context(err, "access review");
    }
    *ret_allowed = value_true(value_in(reply.object, PATH("status", "allowed")));
    return true;
}
