/* selection.h — what a snapshot takes of a cluster, and what it may do without.
 *
 * Patterns are globs ('*' and '?'); types go by "plural" and "plural.group". The Namespace objects of selected namespaces
 * belong to them, also when cluster-scoped objects are left out; where labels or names are selected, a Namespace comes
 * along with what was taken in it. Zeroed it takes everything. Nothing here fails.
 */
#pragma once
#include "core/kube/resource.h"

/* DECLARED leaves out, by type and by what an object says of itself, what controllers make and what only says how the
 * cluster is doing: what convert would leave out anyway. */
enum kube_preset { KUBE_EVERYTHING, KUBE_DECLARED };

struct kube_selection {
    enum kube_preset preset;
    struct str_list include_namespaces, exclude_namespaces; /* empty include: all */
    struct str_list include_types, exclude_types;
    struct str_list include_names, exclude_names;
    struct str labels; /* a label selector as kubectl -l takes it, judged by the server; empty: all */
    struct str_list allow_missing; /* types whose absence leaves the snapshot complete */
    bool no_cluster_scoped;
    unsigned shard,
        shards; /* one of so many shares of the namespaces; 0 shards: all. The first has what is in none */
    struct str moment; /* resourceVersion to read at; empty: the present one */
    bool narrowed;     /* less than the configuration says was asked for, this one time */
};

bool kube_selects_namespace(const struct kube_selection *selection, struct str namespace);
bool kube_selects_type(const struct kube_selection *selection, const struct resource_type *type);
/* Whether this shard is the one that a namespace belongs to; empty: what belongs to none. */
bool kube_shard_has(const struct kube_selection *selection, struct str namespace);
/* Of a type that is selected. Labels are the server's affair. */
bool kube_selects_object(const struct kube_selection *selection, const struct resource_type *type,
                         const struct resource *resource);
/* By name alone: false where none is selected by name. */
bool kube_selects_name(const struct kube_selection *selection, struct str name);
/* The label selector to list a type with; empty without one. */
struct str kube_selects_labels(const struct kube_selection *selection, const struct resource_type *type);
/* Whether a Namespace comes along only where something in it was taken. */
bool kube_selects_namespaces_by_content(const struct kube_selection *selection);
/* Whether the absence of the type leaves a snapshot complete. */
bool kube_allows_missing(const struct kube_selection *selection, const struct resource_type *type);

/* "everything", "declared"; false for any other text. */
bool kube_preset_of(struct str name, enum kube_preset *ret_preset);
/* What of it is not everything, shards and moment apart, for the manifest: {preset, include{namespaces, types, names, labels}, exclude{namespaces,
 * types, names}, clusterScoped: false, narrowed: true}; NULL where it takes all. */
const struct value *kube_selection_value(struct arena *arena, const struct kube_selection *selection);
/* The selection that such a value was made of, as far as it says; NULL gives the one that takes everything. */
void kube_selection_of(struct arena *arena, const struct value *value, struct kube_selection *ret_selection);
