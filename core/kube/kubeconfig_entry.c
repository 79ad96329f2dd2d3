/* What an entry of clusters or users says, with the checks that client-go makes (tools/clientcmd/validation.go). */
#include "core/base/base64.h"
#include "core/base/files.h"
#include "core/kube/kubeconfig_intern.h"
#include "core/net/url.h"

static bool entry_fault(const struct entry *entry, const char *key, struct err *err)
{
    return err_context(err, "kubeconfig %.*s: %s \"%.*s\": %s", STR_ARG(entry->file->path), entry->key,
                       STR_ARG(entry->name), key);
}

/* A string that may be absent; a number or a list in its place is a fault, not an absence. */
bool kubeconfig_text(const struct entry *entry, const char *key, struct str *ret_text, struct err *err)
{
    const struct value *value = value_key(entry->body, key);
    if (value == NULL || value_is(value, VALUE_NULL))
        return true;
    if (!value_is(value, VALUE_STRING)) {
        err_set(err, ERR_USAGE, "a string is wanted, not a %s", value_kind_name(value->kind));
        return entry_fault(entry, key, err);
    }
    *ret_text = value_str(value);
    return true;
}

static struct str beside(struct arena *arena, struct str file, struct str path)
{
    size_t slash = str_rfind(file, '/');
    if (path.len == 0 || path.ptr[0] == '/' || slash == file.len)
        return path;
    return str_fmt(arena, "%.*s/%.*s", STR_ARG(str_slice(file, 0, slash)), STR_ARG(path));
}

/* "certificate-authority" names a file, "certificate-authority-data" holds it in base64 and wins. */
static bool read_blob(struct arena *arena, const struct entry *entry, const char *key, struct str *ret_bytes,
                      struct str *ret_file, struct err *err)
{
    const char *data_key = str_c(arena, str_fmt(arena, "%s-data", key));
    struct str data = STR_NONE, path = STR_NONE;
    if (!kubeconfig_text(entry, data_key, &data, err) || !kubeconfig_text(entry, key, &path, err))
        return false;
    if (data.len != 0) {
        if (base64_decode(arena, str_trim(data), BASE64_STANDARD, ret_bytes))
            return true;
        err_set(err, ERR_USAGE, "not base64");
        return entry_fault(entry, data_key, err);
    }
    if (path.len == 0)
        return true;
    *ret_file = beside(arena, entry->file->path, path);
    if (file_read(arena, str_c(arena, *ret_file), KUBECONFIG_MAX_BYTES, ret_bytes, err))
        return true;
    if (err->code == ERR_NOT_FOUND)
        err->code = ERR_USAGE;
    return entry_fault(entry, key, err);
}

/* ---- cluster and user ---- */

static bool check_url(struct arena *arena, const struct entry *entry, const char *key, struct str text,
                      struct err *err)
{
    struct url url;
    return url_parse(arena, text, &url, err) || entry_fault(entry, key, err);
}

/* An extension of this name is meant for exec plugins (client.authentication.k8s.io, Cluster.config). */
static const struct value *exec_cluster(const struct entry *entry)
{
    VALUE_EACH(item, value_key(entry->body, "extensions"))
        if (str_is(value_str(value_key(item, "name")), "client.authentication.k8s.io/exec"))
            return value_key(item, "extension");
    return NULL;
}

bool kubeconfig_cluster(struct arena *arena, const struct entry *entry, struct kubeconfig *config,
                        struct err *err)
{
    config->cluster = entry->name;
    config->insecure_skip_tls_verify = value_true(value_key(entry->body, "insecure-skip-tls-verify"));
    config->disable_compression = value_true(value_key(entry->body, "disable-compression"));
    config->exec_cluster = exec_cluster(entry);
    if (!kubeconfig_text(entry, "server", &config->server, err) ||
        !kubeconfig_text(entry, "tls-server-name", &config->tls_server_name, err) ||
        !kubeconfig_text(entry, "proxy-url", &config->proxy_url, err) ||
        !read_blob(arena, entry, "certificate-authority", &config->ca_pem, &config->ca_file, err))
        return false;
    if (!check_url(arena, entry, "server", config->server, err) ||
        (config->proxy_url.len != 0 && !check_url(arena, entry, "proxy-url", config->proxy_url, err)))
        return false;
    if (config->insecure_skip_tls_verify && config->ca_pem.len != 0) {
        err_set(err, ERR_USAGE, "contradicts certificate-authority: take one of the two out");
        return entry_fault(entry, "insecure-skip-tls-verify", err);
    }
    return true;
}

static bool read_impersonation(struct arena *arena, const struct entry *entry, struct kubeconfig *config,
                               struct err *err)
{
    config->impersonate_extra = value_key(entry->body, "as-user-extra");
    VALUE_EACH(group, value_key(entry->body, "as-groups"))
        *ARENA_PUSH(arena, &config->impersonate_groups) = value_str(group);
    if (!kubeconfig_text(entry, "as", &config->impersonate_user, err) ||
        !kubeconfig_text(entry, "as-uid", &config->impersonate_uid, err))
        return false;
    size_t rest = config->impersonate_groups.count + config->impersonate_uid.len +
                  value_count(config->impersonate_extra);
    if (config->impersonate_user.len != 0 || rest == 0)
        return true;
    err_set(err, ERR_USAGE, "as-groups, as-uid or as-user-extra without it impersonate nobody");
    return entry_fault(entry, "as", err);
}

/* ---- exec ---- */

static bool exec_fault(const struct entry *entry, struct err *err, const char *what)
{
    err_set(err, ERR_USAGE, "%s", what);
    return entry_fault(entry, "exec", err);
}

static bool check_exec_version(const struct entry *entry, struct str version, struct err *err)
{
    if (str_is(version, "client.authentication.k8s.io/v1") ||
        str_is(version, "client.authentication.k8s.io/v1beta1"))
        return true;
    if (version.len == 0)
        return exec_fault(entry, err, "the plugin names no apiVersion");
    exec_fault(entry, err, "apiVersion is neither client.authentication.k8s.io/v1 nor v1beta1");
    return err_next(err, "update your provider's tool and fetch a new kubeconfig");
}

static bool check_exec(const struct entry *entry, const struct value *exec, struct err *err)
{
    static const struct str modes[] = {STR_INIT("Never"), STR_INIT("IfAvailable"), STR_INIT("Always")};
    if (value_str(value_key(exec, "command")).len == 0)
        return exec_fault(entry, err, "the plugin names no command");
    VALUE_EACH(item, value_key(exec, "env"))
        if (value_str(value_key(item, "name")).len == 0)
            return exec_fault(entry, err, "one of the plugin's environment variables has no name");
    const struct value *mode = value_key(exec, "interactiveMode");
    if (mode != NULL && !str_in(value_str(mode), modes, COUNT_OF(modes)))
        return exec_fault(entry, err, "interactiveMode is none of Never, IfAvailable and Always");
    return check_exec_version(entry, value_str(value_key(exec, "apiVersion")), err);
}

static bool read_exec(struct arena *arena, const struct entry *entry, struct kubeconfig *config,
                      struct err *err)
{
    const struct value *exec = value_key(entry->body, "exec");
    if (exec == NULL || value_is(exec, VALUE_NULL))
        return true;
    config->exec = exec;
    config->exec_dir = beside(arena, entry->file->path, STR("."));
    return check_exec(entry, exec, err);
}

/* ---- user ---- */

static bool check_auth_provider(const struct entry *entry, struct err *err)
{
    const struct value *provider = value_key(entry->body, "auth-provider");
    if (provider == NULL || value_is(provider, VALUE_NULL))
        return true;
    err_set(err, ERR_USAGE, "Kubernetes 1.26 took this kind of plugin out");
    err_next(err, "fetch a new kubeconfig from your provider; it will use an exec plugin or a token");
    return entry_fault(entry, "auth-provider", err);
}

static bool check_methods(const struct entry *entry, const struct kubeconfig *config, struct err *err)
{
    if (config->token.len != 0 && config->username.len + config->password.len != 0) {
        err_set(err, ERR_USAGE, "a password stands beside it, and only one way to log in is allowed");
        return entry_fault(entry, "token", err);
    }
    if ((config->cert_pem.len == 0) != (config->key_pem.len == 0)) {
        bool no_key = config->key_pem.len == 0;
        err_set(err, ERR_USAGE, "%s is missing", no_key ? "client-key" : "client-certificate");
        return entry_fault(entry, no_key ? "client-certificate" : "client-key", err);
    }
    return true;
}

bool kubeconfig_user(struct arena *arena, const struct entry *entry, struct kubeconfig *config,
                     struct err *err)
{
    config->user = entry->name;
    if (!kubeconfig_text(entry, "token", &config->token, err) ||
        !kubeconfig_text(entry, "tokenFile", &config->token_file, err) ||
        !kubeconfig_text(entry, "username", &config->username, err) ||
        !kubeconfig_text(entry, "password", &config->password, err) ||
        !read_blob(arena, entry, "client-certificate", &config->cert_pem, &config->cert_file, err) ||
        !read_blob(arena, entry, "client-key", &config->key_pem, &config->key_file, err) ||
        !read_impersonation(arena, entry, config, err) || !read_exec(arena, entry, config, err))
        return false;
    config->token_file = beside(arena, entry->file->path, config->token_file);
    return check_auth_provider(entry, err) && check_methods(entry, config, err);
}
