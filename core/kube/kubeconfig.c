#include "core/kube/kubeconfig.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/base64.h"
#include "core/base/files.h"
#include "core/base/yaml.h"
#include "core/net/url.h"

#define SERVICE_ACCOUNT_DIR "/var/run/secrets/kubernetes.io/serviceaccount"

enum { MAX_FILE = 16 << 20, MAX_FILES = 64 };

struct kube_file {
    struct str path;
    const struct value *root;
};

struct kube_files {
    struct kube_file *items;
    size_t count, cap;
};

/* An entry of clusters, users or contexts, and the file it stands in. */
struct entry {
    const struct kube_file *file;
    const char *section; /* "clusters" */
    const char *key;     /* "cluster" */
    struct str name;
    const struct value *body; /* what stands under `key` */
};

/* ---- files ---- */

static bool read_file(struct arena *arena, struct str path, struct kube_files *files, struct err *err)
{
    struct yaml_documents documents = {0};
    struct str text;
    if (files->count == MAX_FILES)
        return err_set(err, ERR_USAGE, "KUBECONFIG names more than %d files", MAX_FILES);
    if (!file_read(arena, str_c(arena, path), MAX_FILE, &text, err))
        return false;
    if (!yaml_parse(arena, text, path, &documents, err)) {
        err->code = ERR_USAGE;
        return false;
    }
    struct kube_file file = {path, documents.count ? documents.items[0].root : NULL};
    if (documents.count > 1 || (value_count(file.root) != 0 && !value_is(file.root, VALUE_MAP)))
        return err_set(err, ERR_USAGE, "%.*s is no kubeconfig: one YAML map is wanted", STR_ARG(path));
    *ARENA_PUSH(arena, files) = file;
    return true;
}

/* $KUBECONFIG may name files that are not there yet; kubectl passes over them, and so do we. */
static bool read_path_list(struct arena *arena, struct str list, struct kube_files *files, struct err *err)
{
    while (list.len != 0) {
        struct str path = str_cut(&list, ':');
        if (path.len != 0 && !read_file(arena, path, files, err) && err->code != ERR_NOT_FOUND)
            return false;
    }
    return true;
}

static bool read_home(struct arena *arena, struct kube_files *files, struct err *err)
{
    struct str home = str_of(getenv("HOME"));
    if (home.len == 0)
        return true;
    struct str path = str_fmt(arena, "%.*s/.kube/config", STR_ARG(home));
    return read_file(arena, path, files, err) || err->code == ERR_NOT_FOUND;
}

static bool read_files(struct arena *arena, struct str path, struct kube_files *files, struct err *err)
{
    struct str list = str_of(getenv("KUBECONFIG"));
    if (path.len != 0)
        return read_file(arena, path, files, err) || err_context(err, "kubeconfig");
    bool read = list.len != 0 ? read_path_list(arena, list, files, err) : read_home(arena, files, err);
    return read || err_context(err, "kubeconfig");
}

/* ---- entries ---- */

static void add_names(struct arena *arena, const struct kube_files *files, const char *section,
                      struct str_list *names)
{
    for (size_t i = 0; i < files->count; i++)
        VALUE_EACH(item, value_key(files->items[i].root, section)) {
            struct str name = value_str(value_key(item, "name"));
            if (name.len != 0 && !str_in(name, names->items, names->count))
                *ARENA_PUSH(arena, names) = name;
        }
}

static bool no_such_entry(struct arena *arena, const struct kube_files *files, const struct entry *wanted,
                          struct err *err)
{
    struct str_list names = {0};
    add_names(arena, files, wanted->section, &names);
    struct str all = str_join(arena, names.items, names.count, STR(", "));
    err_set(err, ERR_USAGE, "kubeconfig %.*s: no %s is named \"%.*s\"", STR_ARG(files->items[0].path),
            wanted->key, STR_ARG(wanted->name));
    if (names.count == 0)
        return err_next(err, "there are no %s in it; fetch a kubeconfig from your provider", wanted->section);
    return err_next(err, "take one of: %.*s", STR_ARG(str_slice(all, 0, 400)));
}

static bool find_entry(struct arena *arena, const struct kube_files *files, const char *section,
                       const char *key, struct str name, struct entry *ret_entry, struct err *err)
{
    struct entry entry = {.section = section, .key = key, .name = name};
    for (size_t i = 0; i < files->count; i++)
        VALUE_EACH(item, value_key(files->items[i].root, section)) {
            if (!str_eq(value_str(value_key(item, "name")), name))
                continue;
            entry.file = &files->items[i];
            entry.body = value_key(item, key);
            *ret_entry = entry;
            return true;
        }
    return no_such_entry(arena, files, &entry, err);
}

static bool entry_fault(const struct entry *entry, const char *key, struct err *err)
{
    return err_context(err, "kubeconfig %.*s: %s \"%.*s\": %s", STR_ARG(entry->file->path), entry->key,
                       STR_ARG(entry->name), key);
}

/* A string that may be absent; a number or a list in its place is a fault, not an absence. */
static bool read_text(const struct entry *entry, const char *key, struct str *ret_text, struct err *err)
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
                      struct err *err)
{
    const char *data_key = str_c(arena, str_fmt(arena, "%s-data", key));
    struct str data = STR_NONE, path = STR_NONE;
    if (!read_text(entry, data_key, &data, err) || !read_text(entry, key, &path, err))
        return false;
    if (data.len != 0) {
        if (base64_decode(arena, str_trim(data), BASE64_STANDARD, ret_bytes))
            return true;
        err_set(err, ERR_USAGE, "not base64");
        return entry_fault(entry, data_key, err);
    }
    if (path.len == 0)
        return true;
    if (file_read(arena, str_c(arena, beside(arena, entry->file->path, path)), MAX_FILE, ret_bytes, err))
        return true;
    if (err->code == ERR_NOT_FOUND)
        err->code = ERR_USAGE;
    return entry_fault(entry, key, err);
}

/* ---- cluster, user, context ---- */

static bool read_cluster(struct arena *arena, const struct entry *entry, struct kubeconfig *config,
                         struct err *err)
{
    struct url url = {0};
    config->cluster = entry->name;
    config->insecure_skip_tls_verify = value_true(value_key(entry->body, "insecure-skip-tls-verify"));
    if (!read_text(entry, "server", &config->server, err) ||
        !read_text(entry, "tls-server-name", &config->tls_server_name, err) ||
        !read_text(entry, "proxy-url", &config->proxy_url, err) ||
        !read_blob(arena, entry, "certificate-authority", &config->ca_pem, err))
        return false;
    if (!url_parse(arena, config->server, &url, err))
        return entry_fault(entry, "server", err);
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
    return read_text(entry, "as", &config->impersonate_user, err) &&
           read_text(entry, "as-uid", &config->impersonate_uid, err);
}

static bool read_exec(struct arena *arena, const struct entry *entry, struct kubeconfig *config,
                      struct err *err)
{
    const struct value *exec = value_key(entry->body, "exec");
    if (exec == NULL || value_is(exec, VALUE_NULL))
        return true;
    if (value_str(value_key(exec, "command")).len == 0) {
        err_set(err, ERR_USAGE, "the plugin names no command");
        return entry_fault(entry, "exec", err);
    }
    config->exec = exec;
    config->exec_dir = beside(arena, entry->file->path, STR("."));
    return true;
}

static bool read_user(struct arena *arena, const struct entry *entry, struct kubeconfig *config,
                      struct err *err)
{
    config->user = entry->name;
    if (!read_text(entry, "token", &config->token, err) ||
        !read_text(entry, "tokenFile", &config->token_file, err) ||
        !read_text(entry, "username", &config->username, err) ||
        !read_text(entry, "password", &config->password, err) ||
        !read_blob(arena, entry, "client-certificate", &config->cert_pem, err) ||
        !read_blob(arena, entry, "client-key", &config->key_pem, err) ||
        !read_impersonation(arena, entry, config, err) || !read_exec(arena, entry, config, err))
        return false;
    config->token_file = beside(arena, entry->file->path, config->token_file);
    if (value_key(entry->body, "auth-provider") != NULL) {
        err_set(err, ERR_USAGE, "Kubernetes 1.26 took this kind of plugin out");
        err_next(err, "fetch a new kubeconfig from your provider; it will use an exec plugin or a token");
        return entry_fault(entry, "auth-provider", err);
    }
    return true;
}

static struct str current_context(const struct kube_files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        struct str name = value_str(value_key(files->items[i].root, "current-context"));
        if (name.len != 0)
            return name;
    }
    return STR_NONE;
}

static bool no_context(struct arena *arena, const struct kube_files *files, struct err *err)
{
    struct str_list names = {0};
    add_names(arena, files, "contexts", &names);
    struct str all = str_join(arena, names.items, names.count, STR(", "));
    err_set(err, ERR_USAGE, "kubeconfig %.*s: no context is chosen", STR_ARG(files->items[0].path));
    return err_next(err, "name one with --context: %.*s", STR_ARG(str_slice(all, 0, 400)));
}

static bool resolve(struct arena *arena, const struct kube_files *files, struct str context,
                    struct kubeconfig *config, struct err *err)
{
    struct entry entry, cluster, user;
    struct str cluster_name = STR_NONE, user_name = STR_NONE;

    config->context = context.len ? context : current_context(files);
    if (config->context.len == 0)
        return no_context(arena, files, err);
    if (!find_entry(arena, files, "contexts", "context", config->context, &entry, err) ||
        !read_text(&entry, "cluster", &cluster_name, err) || !read_text(&entry, "user", &user_name, err) ||
        !read_text(&entry, "namespace", &config->namespace, err))
        return false;
    config->origin = entry.file->path;
    if (config->namespace.len == 0)
        config->namespace = STR("default");
    if (!find_entry(arena, files, "clusters", "cluster", cluster_name, &cluster, err) ||
        !read_cluster(arena, &cluster, config, err))
        return false;
    if (user_name.len == 0)
        return true; /* a cluster that asks for no credentials, as kubectl allows */
    return find_entry(arena, files, "users", "user", user_name, &user, err) &&
           read_user(arena, &user, config, err);
}

bool kubeconfig_read(struct arena *arena, struct str path, struct str context, struct kubeconfig *ret_config,
                     struct err *err)
{
    struct kube_files files = {0};
    struct kubeconfig config = {0};
    if (!read_files(arena, path, &files, err))
        return false;
    if (files.count == 0)
        return kubeconfig_in_cluster(arena, SERVICE_ACCOUNT_DIR, ret_config, err);
    if (!resolve(arena, &files, context, &config, err))
        return false;
    *ret_config = config;
    return true;
}

bool kubeconfig_contexts(struct arena *arena, struct str path, struct str_list *ret_names, struct err *err)
{
    struct kube_files files = {0};
    struct str_list names = {0};
    if (!read_files(arena, path, &files, err))
        return false;
    add_names(arena, &files, "contexts", &names);
    *ret_names = names;
    return true;
}

/* ---- in a pod ---- */

static bool no_configuration(struct err *err)
{
    err_set(err, ERR_NOT_FOUND,
            "no kubeconfig: KUBECONFIG names none, ~/.kube/config is not there, and this is "
            "no pod with a service account");
    return err_next(err, "give one with --kubeconfig, or set KUBECONFIG");
}

bool kubeconfig_in_cluster(struct arena *arena, const char *dir, struct kubeconfig *ret_config,
                           struct err *err)
{
    struct str host = str_of(getenv("KUBERNETES_SERVICE_HOST"));
    struct str port = str_of(getenv("KUBERNETES_SERVICE_PORT"));
    struct kubeconfig config = {.context = STR("in-cluster"), .cluster = STR("in-cluster")};
    struct str token, namespace;
    bool v6 = str_find(host, ':') < host.len;

    if (host.len == 0 || port.len == 0)
        return no_configuration(err);
    config.origin = str_dup(arena, str_of(dir));
    config.user = STR("the service account");
    config.server =
        str_fmt(arena, v6 ? "https://[%.*s]:%.*s" : "https://%.*s:%.*s", STR_ARG(host), STR_ARG(port));
    config.token_file = str_fmt(arena, "%s/token", dir);
    if (!file_read(arena, str_c(arena, config.token_file), MAX_FILE, &token, err) ||
        !file_read(arena, str_c(arena, str_fmt(arena, "%s/ca.crt", dir)), MAX_FILE, &config.ca_pem, err))
        return err_context(err, "service account");
    config.namespace = STR("default");
    if (file_read(arena, str_c(arena, str_fmt(arena, "%s/namespace", dir)), MAX_FILE, &namespace, err))
        config.namespace = str_trim(namespace);
    *ret_config = config;
    return true;
}
