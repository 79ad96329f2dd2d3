/* estate.h — what a check may ask about the objects around the one it looks at.
 *
 * Of the part at hand (core/kube/parts.h: one namespace, or what is cluster-scoped) that is everything, with the
 * objects' trees. Of the rest of the cluster it is the little that crosses namespaces, gathered in one pass that parses
 * only Namespaces, bindings and NetworkPolicies: what the cluster-scoped objects are called, the labels of Namespaces,
 * the accounts that have rights, and a few facts about each namespace. A check that wants more of another namespace adds
 * it here, as small as it can be made.
 *
 * The estate also decides what is judged at all: children of controllers are judged through their controllers, and what
 * Kubernetes keeps for itself (kube-* namespaces, bootstrapped roles, nodes, events …) is nobody's to improve.
 * Views of the part die with it; all else lives in the arena of estate_open. Fails with what parts fail with.
 */
#pragma once
#include "core/kube/parts.h"
#include "quality/place.h"

/* What is known of a namespace without its objects. */
struct facts {
    bool excluded;  /* Kubernetes' own */
    bool runs_pods; /* has workloads */
    bool default_deny, has_quota,
        has_limit_range; /* a policy over all its pods; a ResourceQuota; a LimitRange */
};

struct estate {
    const struct parts *parts;
    const struct bundle *bundle; /* the part at hand */
    struct str here;             /* its namespace */
    struct place place;          /* the same, for what is asked again and again */

    struct bundle scoped; /* every cluster-scoped object, without its tree */
    struct facts *facts;  /* one for each part, in their order */
    struct {
        struct namespace_labels {
            struct str name;
            const struct value *labels;
        } * items; /* of Namespace objects, by name */
        size_t count, cap;
        struct labels index;
    } namespaces;
    struct {
        struct account {
            struct str namespace, name;
        } * items; /* that some binding gives rights; sorted */
        size_t count, cap;
    } bound;
};

bool estate_open(struct arena *arena, const struct parts *parts, struct estate **ret_estate,
                 struct err *err) WARN_UNUSED;
/* Goes on to a part, whose notes live in `arena`. */
void estate_enter(struct estate *estate, struct arena *arena, const struct bundle *part);

/* An object of the part at hand, or NULL. */
const struct resource *estate_find(const struct estate *estate, const char *group, const char *kind,
                                   struct str name);
/* Whether there is a cluster-scoped object of that name. */
bool estate_has_scoped(const struct estate *estate, const char *group, const char *kind, struct str name);
/* Of a Namespace object; NULL where there is none. */
const struct value *estate_labels(const struct estate *estate, struct str namespace);
/* Never NULL: of a namespace without objects nothing is true. */
const struct facts *estate_facts(const struct estate *estate, struct str namespace);
/* Whether the snapshot could not read that type (forbidden, stale, left out by choice): what the bundle lacks of it may
 * be in the cluster all the same, and nobody may call it missing. */
bool estate_is_unread(const struct estate *estate, const char *group, const char *kind);
/* Whether a Secret is there or something that makes it: SealedSecret, ExternalSecret, a cert-manager Certificate. */
bool estate_has_secret(const struct estate *estate, struct str name);
bool estate_account_is_bound(const struct estate *estate, struct str namespace, struct str name);
/* Whether a volume can be mounted on one node only, so that a second replica elsewhere would wait for ever. */
bool estate_is_tied_to_a_node(const struct estate *estate, const struct workload *workload);

/* How an object of the part at hand takes part in the score. */
enum standing { JUDGED, CHILD, EXCLUDED };
enum standing estate_standing(const struct estate *estate, const struct resource *resource);
bool estate_is_system_namespace(struct str namespace);

/* Whether a NetworkPolicy says who may come in: policyTypes absent means Ingress, and Egress too if there are egress
 * rules. */
bool policy_governs_ingress(const struct value *spec);
