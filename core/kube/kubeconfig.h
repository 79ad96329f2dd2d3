/* kubeconfig.h — where the cluster is, and who we are to it.
 *
 * Reads what kubectl reads (k8s.io/client-go/tools/clientcmd): a file, the files of $KUBECONFIG merged so that the
 * first to name an entry wins, ~/.kube/config, or inside a pod the files of its service account. Paths in a file are
 * relative to that file; *-data is base64 and beats the path beside it. Certificates and keys are read at once and
 * again when their files change, a token file at every call (kubelets rotate it). What client-go refuses is refused
 * (tools/clientcmd/validation.go): an entry that comes twice, two ways to log in, half an impersonation.
 * Fails with USAGE (which file, which entry, which key), NOT_FOUND (no configuration at all), IO, DENIED.
 */
#pragma once
#include "core/base/value.h"

enum { KUBECONFIG_MAX_BYTES = 16 << 20 }; /* of a kubeconfig, and of each file that it names */

struct kubeconfig {
    struct str origin;                 /* the file the context stands in, for messages */
    struct str context, cluster, user; /* names of the entries */
    struct str server, namespace;      /* namespace is "default" when none is set */
    struct str ca_pem, tls_server_name, proxy_url;
    bool insecure_skip_tls_verify, disable_compression;
    const struct value *exec_cluster; /* what the cluster's entry tells an exec plugin; NULL without */

    struct str cert_pem, key_pem;
    struct str ca_file, cert_file,
        key_file;                 /* where they were read from; empty where they stand in the kubeconfig */
    struct str token, token_file; /* the file beats the text, as in client-go */
    struct str username, password;
    const struct value *exec; /* users[].user.exec, checked; NULL without */
    struct str exec_dir;      /* a relative command is looked for here */

    struct str impersonate_user, impersonate_uid;
    struct str_list impersonate_groups;
    const struct value *impersonate_extra; /* map of name → list of strings; NULL without */
};

/* `path` empty: $KUBECONFIG, ~/.kube/config, the service account. `context` empty: the current one. */
bool kubeconfig_read(struct arena *arena, struct str path, struct str context, struct kubeconfig *ret_config,
                     struct err *err) WARN_UNUSED;
/* From the folder that a pod finds its service account in; the server's address is in the environment. */
bool kubeconfig_in_cluster(struct arena *arena, const char *dir, struct kubeconfig *ret_config,
                           struct err *err) WARN_UNUSED;
/* Names of all contexts, for "did you mean" and for `doctor`. */
bool kubeconfig_contexts(struct arena *arena, struct str path, struct str_list *ret_names,
                         struct err *err) WARN_UNUSED;
