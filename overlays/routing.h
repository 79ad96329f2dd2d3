/* routing.h — routes of a mesh that Services ask for by label, written by us in each environment.
 *
 * A Service labelled compliance.routing/enabled=true gets an Istio VirtualService of its own name in every environment
 * that names gateways (routing.gateways). The files are ours: the next publish writes them anew, and takes them away
 * when the label goes. A VirtualService of that name that somebody wrote is left alone, and no route is written.
 *
 * Host: <label>.<domain>, with routing.domain or else hosts.domain, and as label
 *   the Service's annotation compliance.routing/host, else its name;
 *   in front, with '-', the region: label compliance.routing/region of the Service, of its Namespace, or routing.region.
 * When two Services come to the same host, the later one in the order of namespace and name has its namespace added.
 * Port: the one that the annotation compliance.routing/port names (name or number), else the first called http… or
 * grpc…, else the first.
 */
#pragma once
#include "overlays/environment.h"

/* On what we write: transform leaves such objects out of the base when they come back with a snapshot. */
#define ROUTING_MARK       "gitops-pipe.io/generated"
#define ROUTING_MARK_VALUE "routing"

struct route {
    const struct resource *service;
    struct resource object; /* the VirtualService; in the namespace's name before an environment changes it */
};

struct routes {
    struct route *items; /* in the order of the bundle */
    size_t count, cap;
    struct str_list kept; /* Services whose VirtualService somebody wrote: "namespace/name" */
};

/* None where the environment names no gateway. USAGE when it names one and no domain. */
bool routing_generate(const struct environment *environment, struct routes *ret_routes,
                      struct err *err) WARN_UNUSED;
