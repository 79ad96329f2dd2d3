/* Which file, which context: the files of a kubeconfig, merged. What its entries hold is in kubeconfig_entry.c. */
#include <stdlib.h>
#include <string.h>

#include "core/base/files.h"
#include "core/base/yaml.h"
#include "core/kube/kubeconfig_intern.h"

#define IN_CLUSTER          "in-cluster"
#define SERVICE_ACCOUNT_DIR "/var/run/secrets/kubernetes.io/serviceaccount"

enum { MAX_FILES = 64 };

/* ---- files ---- */

static bool read_file(struct arena *arena, struct str path, struct kube_files *files, struct err *err)
{
    struct yaml_documents documents = {0};
    struct str text;
    if (files->count == MAX_FILES)
        return err_set(err, ERR_USAGE, "KUBECONFIG names more than %d files", MAX_FILES);
    if (!file_read(arena, str_c(arena, path), KUBECONFIG_MAX_BYTES, &text, err))
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

/* client-go refuses a file that names an entry twice: which of the two is meant nobody knows. */
static bool comes_twice(const struct entry *entry, const struct value *first, struct err *err)
{
    const struct value *end = value_items_end(value_key(entry->file->root, entry->section));
    for (const struct value *item = first + 1; item < end; item++)
        if (str_eq(value_str(value_key(item, "name")), entry->name)) {
            err_set(err, ERR_USAGE, "kubeconfig %.*s: %s \"%.*s\" comes twice", STR_ARG(entry->file->path),
                    entry->key, STR_ARG(entry->name));
            err_next(err, "take one of the two out");
            return true;
        }
    return false;
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
            if (comes_twice(&entry, item, err))
                return false;
            *ret_entry = entry;
            return true;
        }
    return no_such_entry(arena, files, &entry, err);
}

/* ---- context ---- */

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
        !kubeconfig_text(&entry, "cluster", &cluster_name, err) ||
        !kubeconfig_text(&entry, "user", &user_name, err) ||
        !kubeconfig_text(&entry, "namespace", &config->namespace, err))
        return false;
    config->origin = entry.file->path;
    if (config->namespace.len == 0)
        config->namespace = STR("default");
    if (!find_entry(arena, files, "clusters", "cluster", cluster_name, &cluster, err) ||
        !kubeconfig_cluster(arena, &cluster, config, err))
        return false;
    if (user_name.len == 0)
        return true; /* a cluster that asks for no credentials, as kubectl allows */
    return find_entry(arena, files, "users", "user", user_name, &user, err) &&
           kubeconfig_user(arena, &user, config, err);
}

/* Whoever names a context means a cluster of a kubeconfig, and must not get the one that the pod happens to run in. */
static bool is_context_of_pod(struct str context, struct err *err)
{
    if (context.len == 0 || str_is(context, IN_CLUSTER))
        return true;
    err_set(err, ERR_NOT_FOUND, "context \"%.*s\" is asked for, and there is no kubeconfig",
            STR_ARG(context));
    return err_next(err, "give one with --kubeconfig; in a pod leave the context out");
}

bool kubeconfig_read(struct arena *arena, struct str path, struct str context, struct kubeconfig *ret_config,
                     struct err *err)
{
    struct kube_files files = {0};
    struct kubeconfig config = {0};
    if (!read_files(arena, path, &files, err))
        return false;
    if (files.count == 0)
        return kubeconfig_in_cluster(arena, SERVICE_ACCOUNT_DIR, &config, err) &&
               is_context_of_pod(context, err) && (*ret_config = config, true);
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
    struct kubeconfig config = {.context = STR(IN_CLUSTER), .cluster = STR(IN_CLUSTER)};
    struct str token, namespace;
    bool v6 = str_find(host, ':') < host.len;

    if (host.len == 0 || port.len == 0)
        return no_configuration(err);
    config.origin = str_dup(arena, str_of(dir));
    config.user = STR("the service account");
    config.server =
        str_fmt(arena, v6 ? "https://[%.*s]:%.*s" : "https://%.*s:%.*s", STR_ARG(host), STR_ARG(port));
    config.token_file = str_fmt(arena, "%s/token", dir);
    config.ca_file = str_fmt(arena, "%s/ca.crt", dir);
    if (!file_read(arena, str_c(arena, config.token_file), KUBECONFIG_MAX_BYTES, &token, err) ||
        !file_read(arena, str_c(arena, config.ca_file), KUBECONFIG_MAX_BYTES, &config.ca_pem, err))
        return err_context(err, "service account");
    config.namespace = STR("default");
    if (file_read(arena, str_c(arena, str_fmt(arena, "%s/namespace", dir)), KUBECONFIG_MAX_BYTES, &namespace,
                  err))
        config.namespace = str_trim(namespace);
    *ret_config = config;
    return true;
}
