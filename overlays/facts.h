/* facts.h — what the steps must know of other objects: which autoscaler decides for a workload, which service accounts
 * were given rights, which first labels of hosts are taken. Gathered once per run and looked up by name, so that the
 * stage stays linear in the number of objects. Everything lives in the arena. Nothing fails. */
#pragma once
#include "core/config/config.h"
#include "core/kube/bundle.h"
#include "core/kube/workload.h"

/* About whom, and the object that says so. */
struct fact {
    struct str namespace, kind, name;
    const struct resource *resource;
};

struct fact_list { /* sorted by namespace, kind, name */
    struct fact *items;
    size_t count, cap;
};

struct facts {
    struct arena *arena;
    const struct bundle *whole;
    struct fact_list autoscalers; /* the target → what scales it */
    struct fact_list accounts;    /* a service account, without kind → the binding that names it */
    struct str_list hosts; /* of Ingresses, routes and certificates; by first label, then the shorter first */
};

/* `whole` is sorted; it may be an outline. */
void facts_gather(struct arena *arena, const struct bundle *whole, struct facts *ret_facts);

/* The autoscaler (HorizontalPodAutoscaler or KEDA ScaledObject) that decides the replicas of a workload, or NULL. */
const struct resource *facts_autoscaler(const struct facts *facts, const struct resource *workload);
/* A binding names the account, or all accounts of its namespace or of the cluster. */
bool facts_account_has_rights(const struct facts *facts, struct str namespace, struct str name);
/* Calls `visit` for every host of an Ingress, an OpenShift Route, a Gateway API HTTPRoute, an Istio Gateway or
 * VirtualService of one, or a cert-manager Certificate, with its JSON pointer; names inside the cluster are none. */
typedef void (*host_fn)(void *ctx, struct str pointer, struct str host);
void facts_each_host(struct arena *arena, const struct resource *resource, host_fn visit, void *ctx);
/* Another host with the same first label comes before this one, so the label alone would not tell them apart. */
bool facts_label_is_taken(const struct facts *facts, struct str host);
/* A claim that is known, and that pods on several nodes may mount. */
bool facts_claim_can_be_shared(const struct facts *facts, struct str namespace, struct str name);
