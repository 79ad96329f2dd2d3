/* Hosts: <first label>.<domain of the environment>, in Ingresses, Routes, Gateway API routes, Istio gateways and certificates. Where two hosts share the
 * first label, the shorter has it and the other keeps its second as well: shop.example.com becomes shop.<domain>,
 * shop.apps.example.com shop-apps.<domain>. Lists of rules have no merge key, so these are JSON 6902 operations. */
#include "overlays/environment.h"

struct move {
    const struct environment *environment;
    struct patch_builder *patch;
};

static struct str moved_host(const struct environment *environment, struct str host)
{
    struct str rest = host, first = str_cut(&rest, '.'), second = str_cut(&rest, '.');
    struct str domain = environment->config->hosts_domain;
    if (facts_label_is_taken(environment->facts, host) && !str_is(first, "*"))
        return str_fmt(environment->arena, "%.*s-%.*s.%.*s", STR_ARG(first), STR_ARG(second),
                       STR_ARG(domain));
    return str_fmt(environment->arena, "%.*s.%.*s", STR_ARG(first), STR_ARG(domain));
}

static void move_host(void *ctx, struct str pointer, struct str host)
{
    const struct move *move = ctx;
    struct arena *arena = move->patch->arena;
    if (str_find(host, '.') == host.len)
        return;
    struct str moved = moved_host(move->environment, host);
    if (str_eq(moved, host))
        return;
    patch_replace(move->patch, pointer, value_string(arena, moved));
    patch_reason(move->patch,
                 str_fmt(arena, "hosts below %.*s", STR_ARG(move->environment->config->hosts_domain)));
}

void step_hosts(const struct environment *environment, struct patch_builder *patch)
{
    struct move move = {environment, patch};
    facts_each_host(patch->arena, patch->resource, move_host, &move);
}
