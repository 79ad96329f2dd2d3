/* config.h — gitops-pipe.yaml as a C value.
 *
 * One table (config.def) lists every key with its type, default and description; the reader, the JSON Schema and the
 * manual come from it. Unknown keys are errors with line, column and the nearest right key. ${NAME} in a text takes
 * the environment variable NAME; a missing one is an error. Everything lives in the arena it was read into.
 */
#pragma once
#include "core/base/value.h"

enum secrets_mode { SECRETS_REFUSE, SECRETS_OMIT, SECRETS_SEALED, SECRETS_SOPS, SECRETS_EXTERNAL };

/* Objects that a rule is for: all that are given must hold, of each list one. Texts are globs. */
struct config_match {
    struct str_list types, namespaces, names; /* types as plural, plural.group, Kind or Kind.group */
    const struct value *labels;               /* map of key → glob; NULL: any */
};

/* A rule of the transform that is off for some objects. */
struct config_off {
    struct str rule, where; /* where: file:line:column, for messages */
    struct config_match match;
};

/* A rule that the user adds: leaves objects out, takes fields out, or sets one. */
struct config_rule {
    struct str name, where;
    struct config_match match;
    bool drop_object;
    struct str_list drop;   /* JSON pointers; a token "*" is every item or member */
    struct str set_pointer; /* empty: sets nothing */
    const struct value *set_value;
};

struct config_offs {
    struct config_off *items;
    size_t count, cap;
};

struct config_rules {
    struct config_rule *items;
    size_t count, cap;
};

/* What becomes of the marks that Helm leaves on objects. */
enum helm_marks { HELM_KEEP, HELM_STRIP };

enum secrets_scope { SCOPE_INHERIT, SCOPE_STRICT, SCOPE_NAMESPACE, SCOPE_CLUSTER };

/* How Secrets are written. Of an environment: what is empty is as the document says (config_secrets_of). */
struct config_secrets {
    enum secrets_mode mode;
    struct str_list recipients; /* sops: age1… */
    struct str certificate;     /* sealed: file */
    struct str controller_namespace, controller_name, controller_context;
    enum secrets_scope scope;
    struct str store, store_kind, external_key, refresh_interval; /* external */
};

/* Secrets that are written in another mode. */
struct config_secret_rule {
    enum secrets_mode mode;
    struct config_match match;    /* no types */
    struct str_list environments; /* globs; empty: all */
};

struct config_secret_rules {
    struct config_secret_rule *items;
    size_t count, cap;
};

/* What happens when the value of a Secret stands in the clear in what would be written. */
enum secrets_in_clear { IN_CLEAR_REFUSE, IN_CLEAR_REPORT };

struct config_store {
    struct str name, url; /* s3://bucket/prefix or file:///dir */
    struct str endpoint, region, ca_file, profile;
    bool path_style;
};

struct config_stores {
    struct config_store *items;
    size_t count, cap;
};

/* A command that runs before the cluster is read, or when the backup is done with. */
struct config_hook {
    struct str name, when; /* "before", "after" */
    struct str_list command;
    struct str namespace, pod, selector, container; /* namespace empty: it runs on this machine */
    struct str_list environment;                    /* names of variables */
    int64_t timeout_ms;
    struct str on_failure; /* "fail", "continue" */
    bool keep_output;
};

struct config_hooks {
    struct config_hook *items;
    size_t count, cap;
};

/* How an environment changes replicas of what may be scaled. */
enum replicas_rule { REPLICAS_KEEP, REPLICAS_FIXED, REPLICAS_AT_LEAST };

struct config_environment {
    struct str name;
    enum replicas_rule replicas_rule;
    int64_t replicas;
    bool debug;              /* verbose logging switched on */
    bool harden;             /* security contexts tightened where the workload leaves them open */
    struct str destination;  /* API server that Argo CD deploys to */
    struct str hosts_domain; /* Ingress hosts become <first label>.<domain>; empty keeps them */
    /* What namespaces are called here; see config_namespace. */
    struct str namespace_prefix, namespace_suffix;
    const struct value *namespace_map;     /* old name → new name; NULL: none */
    const struct value *storage_class_map; /* class here → class there; NULL: none */
    struct str storage_class_default;      /* what every class not in the map becomes; empty keeps it */
    struct config_secrets secrets;
    /* Routes of a mesh for the Services that ask for one. */
    struct str_list routing_gateways;
    struct str routing_domain, routing_region;
};

struct config_environments {
    struct config_environment *items;
    size_t count, cap;
};

struct config {
    struct str path; /* of the file; empty for defaults */

    struct str cluster_name, cluster_context, cluster_kubeconfig;
    struct str preset; /* of the selection: "", "everything", "declared" */
    bool cluster_scoped;
    struct str_list include_namespaces, exclude_namespaces, include_types, exclude_types, allow_missing;
    struct str_list include_names, exclude_names;
    struct str include_labels;

    struct config_stores stores;
    struct config_hooks hooks;

    struct str_list encrypt_recipients; /* age1…; empty: packs are not encrypted */
    struct str identity_file;           /* secret keys that read them again; empty: from the environment */

    int64_t keep_last, keep_daily, keep_weekly, keep_monthly,
        keep_within_ms; /* prune keeps them; 0: no rule */
    int64_t keep_grace_ms, keep_wait_ms;

    int64_t gate_overall, gate_security, gate_schema, gate_production, gate_resources; /* 0: no gate */
    struct str fail_on; /* "error", "warning", "" */
    int64_t weight_schema, weight_security, weight_production, weight_resources;

    struct config_secrets secrets;
    struct config_secret_rules secret_rules;
    enum secrets_in_clear secrets_in_clear;
    struct config_environments environments;
    struct str_list disabled_rules; /* transform rules switched off for every object, by id */
    struct str_list disabled_where; /* where each of them stands in the file: file:line:column */
    struct config_offs scoped_off;  /* and those that are off for some */
    struct config_rules rules;      /* the user's own */
    enum helm_marks helm_marks;

    struct str target_version; /* Kubernetes that the repository is for; empty: that of the backup */
    struct str git_url, git_branch, git_author; /* "Name <mail>" */
    int64_t max_deletions;   /* percent of the repository's objects that one commit may take out */
    bool allow_deletions;    /* whatever the share; of the command line, not of the file */
    struct str_list deliver; /* "argocd", "flux" */

    struct str drill_target; /* "sandbox", "context:NAME", "kubeconfig:PATH" */
    struct str drill_environment;
    int64_t recovery_time_ms, recovery_point_ms; /* objectives */

    struct str report_dir; /* where run writes report.html, report.json, report.md */
    struct str state_dir;  /* caches and what a run needs to go on after kill -9 */
};

/* The environment of that name; NULL when there is none. */
const struct config_environment *config_environment(const struct config *config, struct str name);
/* What the environment calls a namespace: as its map says, else with prefix and suffix. The namespaces that every cluster
 * has (default, kube-…) keep their names unless the map says otherwise. */
struct str config_namespace(struct arena *arena, const struct config_environment *environment,
                            struct str namespace);
/* Fills in every default. */
void config_defaults(struct arena *arena, struct config *ret_config);
/* Reads a file on top of the defaults. NOT_FOUND, INVALID, USAGE with file, line and column. */
bool config_read(struct arena *arena, const char *path, struct config *ret_config,
                 struct err *err) WARN_UNUSED;
/* "refuse", "omit", "sealed", "sops", "external": how messages and reports call a mode. */
const char *config_secrets_name(enum secrets_mode mode);
/* The mode somebody chose by name; false for any other text, "refuse" among them: it is what stands without a choice. */
bool config_secrets_mode(struct str name, enum secrets_mode *ret_mode);
/* "keep", "strip"; false for any other text. */
bool config_helm_marks(struct str name, enum helm_marks *ret_marks);
/* What holds for an environment: its own settings over those of the document. `environment` NULL: the document's. */
struct config_secrets config_secrets_of(const struct config *config,
                                        const struct config_environment *environment);
/* "90s", "1h30m", "2d" as milliseconds; false for anything else. */
bool config_duration(struct str text, int64_t *ret_ms);
