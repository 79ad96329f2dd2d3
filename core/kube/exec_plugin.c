/* Credentials from a program: client.authentication.k8s.io/v1 and v1beta1, what the tools of the clouds speak.
 *
 * The program gets KUBERNETES_EXEC_INFO and prints an ExecCredential. It gets a minute; it gets no terminal, for a
 * backup at night has none either. */
#include <string.h>

#include "core/base/base64.h"
#include "core/base/clock.h"
#include "core/base/json.h"
#include "core/base/process.h"
#include "core/kube/kube_intern.h"

enum { MAX_OUTPUT = 1 << 20, TIME_LIMIT_MS = 60 * 1000, RENEW_BEFORE_MS = 10 * 1000 };

extern char **environ;

struct plugin {
    struct arena *arena; /* scratch */
    const struct kubeconfig *config;
    struct str command, api_version;
    struct buf out, notes; /* what it wrote; more than MAX_OUTPUT is dropped */
};

static struct str plugin_command(struct arena *arena, const struct kubeconfig *config)
{
    struct str command = value_str(value_key(config->exec, "command"));
    bool relative = str_find(command, '/') < command.len && command.ptr[0] != '/';
    return relative ? str_fmt(arena, "%.*s/%.*s", STR_ARG(config->exec_dir), STR_ARG(command)) : command;
}

static const struct value *optional(struct arena *arena, struct str text)
{
    return text.len ? value_string(arena, text) : NULL;
}

static struct str exec_info(const struct plugin *p)
{
    struct arena *arena = p->arena;
    const struct kubeconfig *config = p->config;
    const struct value *cluster = NULL;
    if (value_true(value_key(config->exec, "provideClusterInfo"))) {
        struct str ca = base64_encode(arena, config->ca_pem, BASE64_STANDARD);
        cluster =
            VALUE_MAP(arena, {"server", value_string(arena, config->server)},
                      {"tls-server-name", optional(arena, config->tls_server_name)},
                      {"insecure-skip-tls-verify", value_bool(arena, config->insecure_skip_tls_verify)},
                      {"certificate-authority-data", optional(arena, ca)},
                      {"proxy-url", optional(arena, config->proxy_url)},
                      {"disable-compression", config->disable_compression ? value_bool(arena, true) : NULL},
                      {"config", config->exec_cluster});
    }
    const struct value *spec =
        VALUE_MAP(arena, {"interactive", value_bool(arena, false)}, {"cluster", cluster});
    return json_text(arena, VALUE_MAP(arena, {"kind", value_cstr(arena, "ExecCredential")},
                                      {"apiVersion", value_string(arena, p->api_version)}, {"spec", spec}));
}

static const char **arguments(const struct plugin *p)
{
    const struct value *args = value_key(p->config->exec, "args");
    const char **argv = ARENA_ARRAY(p->arena, const char *, value_count(args) + 2);
    size_t count = 0;
    argv[count++] = str_c(p->arena, p->command);
    VALUE_EACH(arg, args)
        argv[count++] = str_c(p->arena, value_str(arg));
    return argv;
}

/* Ours, then the plugin's own, then what the protocol adds: getenv finds the first, so the later go in front. */
static const char **environment(const struct plugin *p)
{
    const struct value *own = value_key(p->config->exec, "env");
    size_t count = 0, inherited = 0;
    while (environ[inherited] != NULL)
        inherited++;
    const char **env = ARENA_ARRAY(p->arena, const char *, value_count(own) + inherited + 2);
    struct str info = exec_info(p);
    env[count++] = str_c(p->arena, str_fmt(p->arena, "KUBERNETES_EXEC_INFO=%.*s", STR_ARG(info)));
    VALUE_EACH(item, own) {
        struct str name = value_str(value_key(item, "name")), value = value_str(value_key(item, "value"));
        struct str line = str_fmt(p->arena, "%.*s=%.*s", STR_ARG(name), STR_ARG(value));
        env[count++] = str_c(p->arena, line);
    }
    for (size_t i = 0; i < inherited; i++)
        env[count++] = environ[i];
    return env;
}

static bool take_out(void *ctx, struct str piece, struct err *err)
{
    struct plugin *p = ctx;
    buf_str(&p->out, piece);
    return true;
}

static bool take_notes(void *ctx, struct str piece, struct err *err)
{
    struct plugin *p = ctx;
    buf_str(&p->notes, piece);
    return true;
}

/* Texts of others end up on a terminal: without what could steer it. */
static struct str printable(struct arena *arena, struct str text)
{
    char *copy = arena_alloc(arena, text.len + 1);
    for (size_t i = 0; i < text.len; i++)
        copy[i] = (unsigned char)text.ptr[i] < ' ' || text.ptr[i] == 0x7f ? ' ' : text.ptr[i];
    return str_trim((struct str){copy, text.len});
}

static bool plugin_fault(const struct plugin *p, struct err *err)
{
    struct str hint = printable(p->arena, value_str(value_key(p->config->exec, "installHint")));
    err_context(err, "user \"%.*s\": credential plugin %.*s", STR_ARG(p->config->user), STR_ARG(p->command));
    if (hint.len != 0)
        return err_next(err, "%.*s", STR_ARG(hint));
    return err_next(err, "run `kubectl get namespaces` by hand to see the plugin's own words, and log in");
}

static bool run_plugin(struct plugin *p, struct err *err)
{
    const struct process process = {.argv = arguments(p),
                                    .env = environment(p),
                                    .timeout_ms = TIME_LIMIT_MS,
                                    .out = take_out,
                                    .notes = take_notes,
                                    .ctx = p};
    int status = 0;
    if (!process_run(&process, &status, err)) {
        if (err->code == ERR_INTERRUPTED)
            err->code = ERR_DENIED;
        return plugin_fault(p, err);
    }
    if (status == 0)
        return true;
    struct str notes = str_trim(buf_view(&p->notes)), line = str_slice(str_cut(&notes, '\n'), 0, 300);
    err_set(err, ERR_DENIED, "it failed with status %d: %.*s", status, STR_ARG(printable(p->arena, line)));
    return plugin_fault(p, err);
}

static bool answer_fault(const struct plugin *p, struct err *err, const char *what)
{
    err_set(err, ERR_DENIED, "%s", what);
    return plugin_fault(p, err);
}

/* What client-go demands of an answer (plugin/pkg/client/auth/exec). */
static bool check_answer(const struct plugin *p, const struct value *answer, struct err *err)
{
    const struct value *status = value_key(answer, "status");
    bool token = value_str(value_key(status, "token")).len != 0;
    bool cert = value_str(value_key(status, "clientCertificateData")).len != 0;
    bool key = value_str(value_key(status, "clientKeyData")).len != 0;
    if (!str_is(value_str(value_key(answer, "kind")), "ExecCredential"))
        return answer_fault(p, err, "its answer is no ExecCredential");
    if (!str_eq(value_str(value_key(answer, "apiVersion")), p->api_version))
        return answer_fault(p, err, "its answer is of another apiVersion than the kubeconfig asks for");
    if (!token && !cert && !key)
        return answer_fault(p, err, "its answer holds neither a token nor a certificate");
    if (cert != key)
        return answer_fault(p, err,
                            "its answer holds a certificate without a key, or a key without a certificate");
    return true;
}

/* The kubeconfig may hold a certificate of its own: the plugin's goes before it, and the connection with it. */
static bool take_certificate(struct kube *kube, const struct plugin *p, bool had_one,
                             const struct value *status, struct err *err)
{
    kube->exec_cert_pem = str_dup(kube->credentials, value_str(value_key(status, "clientCertificateData")));
    kube->exec_key_pem = str_dup(kube->credentials, value_str(value_key(status, "clientKeyData")));
    if (!had_one && kube->exec_cert_pem.len == 0)
        return true;
    return kube_reconnect(kube, err) || plugin_fault(p, err);
}

static bool take_credential(struct kube *kube, const struct plugin *p, struct err *err)
{
    const struct value *answer;
    if (!json_parse(p->arena, str_trim(buf_view(&p->out)), NULL, &answer, err))
        return answer_fault(p, err, "its answer is no JSON"); /* the parser's words might quote a token */
    if (!check_answer(p, answer, err))
        return false;
    const struct value *status = value_key(answer, "status");
    struct str expires = value_str(value_key(status, "expirationTimestamp"));
    bool had_one = kube->exec_cert_pem.len != 0;
    arena_reset(kube->credentials);
    kube->exec_token = str_dup(kube->credentials, value_str(value_key(status, "token")));
    kube->exec_ran = true;
    if (!clock_parse_rfc3339(expires, &kube->exec_expires_ms))
        kube->exec_expires_ms = 0;
    return take_certificate(kube, p, had_one, status, err);
}

static bool is_fresh(const struct kube *kube)
{
    return kube->exec_ran &&
           (kube->exec_expires_ms == 0 || clock_now_ms(NULL) + RENEW_BEFORE_MS < kube->exec_expires_ms);
}

bool kube_uses_plugin(const struct kube *kube)
{
    return kube->config.exec != NULL && kube->config.token.len + kube->config.token_file.len == 0;
}

bool kube_exec_refresh(struct kube *kube, bool anew, struct err *err)
{
    const struct kubeconfig *config = &kube->config;
    if (!kube_uses_plugin(kube) || (!anew && is_fresh(kube)))
        return true;

    CLEANUP(arena_cleanup) struct arena *scratch = arena_new();
    struct plugin p = {.arena = scratch, .config = config};
    p.command = plugin_command(scratch, config);
    p.api_version = value_str(value_key(config->exec, "apiVersion"));
    if (str_is(value_str(value_key(config->exec, "interactiveMode")), "Always")) {
        err_set(err, ERR_USAGE, "it wants a terminal (interactiveMode: Always), and there is none");
        return plugin_fault(&p, err);
    }
    buf_init(&p.out, MAX_OUTPUT);
    buf_init(&p.notes, MAX_OUTPUT);
    bool done = run_plugin(&p, err) && take_credential(kube, &p, err);
    buf_done(&p.out);
    buf_done(&p.notes);
    return done;
}
