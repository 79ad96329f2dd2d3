/* Credentials from a program: client.authentication.k8s.io/v1 and v1beta1, what the tools of the clouds speak.
 *
 * The program gets KUBERNETES_EXEC_INFO and prints an ExecCredential. Its output goes to memory files, not pipes, so
 * that no deadlock is possible; it gets a minute; it gets no terminal, for a backup at night has none either. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/base64.h"
#include "core/base/clock.h"
#include "core/base/json.h"
#include "core/kube/kube_intern.h"

enum { MAX_OUTPUT = 1 << 20, TIME_LIMIT_MS = 60 * 1000, RENEW_BEFORE_MS = 10 * 1000, STEP_MS = 10 };

extern char **environ;

struct plugin {
    struct arena *arena; /* scratch */
    const struct kubeconfig *config;
    struct str command, api_version;
    int out, notes; /* memory files */
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

static char **arguments(const struct plugin *p)
{
    const struct value *args = value_key(p->config->exec, "args");
    char **argv = ARENA_ARRAY(p->arena, char *, value_count(args) + 2);
    size_t count = 0;
    argv[count++] = (char *)str_c(p->arena, p->command);
    VALUE_EACH(arg, args)
        argv[count++] = (char *)str_c(p->arena, value_str(arg));
    return argv;
}

/* Ours, then the plugin's own, then what the protocol adds: getenv finds the first, so the later go in front. */
static char **environment(const struct plugin *p)
{
    const struct value *own = value_key(p->config->exec, "env");
    size_t count = 0, inherited = 0;
    while (environ[inherited] != NULL)
        inherited++;
    char **env = ARENA_ARRAY(p->arena, char *, value_count(own) + inherited + 2);
    struct str info = exec_info(p);
    env[count++] = (char *)str_c(p->arena, str_fmt(p->arena, "KUBERNETES_EXEC_INFO=%.*s", STR_ARG(info)));
    VALUE_EACH(item, own) {
        struct str name = value_str(value_key(item, "name")), value = value_str(value_key(item, "value"));
        struct str line = str_fmt(p->arena, "%.*s=%.*s", STR_ARG(name), STR_ARG(value));
        env[count++] = (char *)str_c(p->arena, line);
    }
    for (size_t i = 0; i < inherited; i++)
        env[count++] = environ[i];
    return env;
}

static int start(const struct plugin *p, pid_t *ret_pid)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    char **argv = arguments(p), **env = environment(p);

    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, p->out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files, p->notes, STDERR_FILENO);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    posix_spawnattr_setpgroup(&attributes, 0);
    int fault = posix_spawnp(ret_pid, argv[0], &files, &attributes, argv, env);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    return fault;
}

static bool wait_for(pid_t pid, int *ret_status)
{
    int64_t until = clock_monotonic_ms() + TIME_LIMIT_MS;
    while (clock_monotonic_ms() < until) {
        pid_t done = waitpid(pid, ret_status, WNOHANG);
        if (done == pid)
            return true;
        if (done < 0 && errno != EINTR)
            return false;
        clock_sleep_ms(STEP_MS);
    }
    kill(-pid, SIGKILL);
    waitpid(pid, ret_status, 0);
    return false;
}

static struct str contents(struct arena *arena, int fd)
{
    char *bytes = arena_alloc(arena, MAX_OUTPUT);
    ssize_t got = pread(fd, bytes, MAX_OUTPUT, 0);
    return str_trim((struct str){bytes, got > 0 ? (size_t)got : 0});
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

static bool run_plugin(const struct plugin *p, struct str *ret_output, struct err *err)
{
    pid_t pid;
    int status = 0, fault = start(p, &pid);
    if (fault != 0) {
        errno = fault;
        err_errno(err, "it does not start");
        err->code = ERR_USAGE;
        return plugin_fault(p, err);
    }
    if (!wait_for(pid, &status)) {
        err_set(err, ERR_DENIED, "no answer within %d s", TIME_LIMIT_MS / 1000);
        return plugin_fault(p, err);
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        struct str notes = contents(p->arena, p->notes), line = str_cut(&notes, '\n');
        err_set(err, ERR_DENIED, "it failed with status %d: %.*s",
                WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
                STR_ARG(printable(p->arena, str_slice(line, 0, 300))));
        return plugin_fault(p, err);
    }
    *ret_output = contents(p->arena, p->out);
    return true;
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

static bool take_credential(struct kube *kube, const struct plugin *p, struct str output, struct err *err)
{
    const struct value *answer;
    if (!json_parse(p->arena, output, NULL, &answer, err))
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

static bool open_memory_files(struct plugin *p, struct err *err)
{
    p->out = memfd_create("exec-credential", MFD_CLOEXEC);
    p->notes = memfd_create("exec-credential-notes", MFD_CLOEXEC);
    return (p->out >= 0 && p->notes >= 0) || err_errno(err, "memory file");
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
    struct plugin p = {.arena = scratch, .config = config, .out = -1, .notes = -1};
    struct str output = STR_NONE;
    p.command = plugin_command(scratch, config);
    p.api_version = value_str(value_key(config->exec, "apiVersion"));
    if (str_is(value_str(value_key(config->exec, "interactiveMode")), "Always")) {
        err_set(err, ERR_USAGE, "it wants a terminal (interactiveMode: Always), and there is none");
        return plugin_fault(&p, err);
    }
    bool done =
        open_memory_files(&p, err) && run_plugin(&p, &output, err) && take_credential(kube, &p, output, err);
    if (p.out >= 0)
        close(p.out);
    if (p.notes >= 0)
        close(p.notes);
    return done;
}
