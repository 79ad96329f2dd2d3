/* kubeconfig_intern.h — between the files of a kubeconfig (kubeconfig.c) and what stands in them (kubeconfig_entry.c). */
#pragma once
#include "core/kube/kubeconfig.h"

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

/* A string that may be absent; a number or a list in its place is a fault, not an absence. */
bool kubeconfig_text(const struct entry *entry, const char *key, struct str *ret_text, struct err *err);
/* Read an entry of clusters or of users into `config`, and refuse what client-go refuses. */
bool kubeconfig_cluster(struct arena *arena, const struct entry *entry, struct kubeconfig *config,
                        struct err *err);
bool kubeconfig_user(struct arena *arena, const struct entry *entry, struct kubeconfig *config,
                     struct err *err);
