#include "overlays/facts.h"

#include <stdlib.h>

#include "core/base/pointer.h"

static int key_order(const void *a, const void *b)
{
    const struct fact *x = a, *y = b;
    int order = str_cmp(x->namespace, y->namespace);
    if (order == 0)
        order = str_cmp(x->kind, y->kind);
    return order ? order : str_cmp(x->name, y->name);
}

static int fact_order(const void *a, const void *b)
{
    int order = key_order(a, b);
    return order ? order
                 : resource_cmp(((const struct fact *)a)->resource, ((const struct fact *)b)->resource);
}

/* The first of its key: which one it is must not depend on the order of input. */
static const struct resource *look_up(const struct fact_list *list, struct fact key)
{
    const struct fact *fact =
        list->count ? bsearch(&key, list->items, list->count, sizeof *list->items, key_order) : NULL;
    while (fact != NULL && fact > list->items && key_order(&fact[-1], &key) == 0)
        fact--;
    return fact ? fact->resource : NULL;
}

/* Both kinds of autoscaler name their target the same way; KEDA's kind defaults to Deployment. */
static void gather_autoscaler(struct facts *facts, const struct resource *r)
{
    const struct value *target = value_in(r->object, PATH("spec", "scaleTargetRef"));
    struct str kind = value_str(value_key(target, "kind")), name = value_str(value_key(target, "name"));
    *ARENA_PUSH(facts->arena, &facts->autoscalers) =
        (struct fact){r->namespace, kind.len ? kind : STR("Deployment"), name, r};
}

/* The group "system:serviceaccounts:shop" is every account of the namespace, without ":shop" every one there is. */
static void gather_subject(struct facts *facts, const struct resource *binding, const struct value *subject)
{
    static const struct str everybody = STR_INIT("system:serviceaccounts");
    struct str kind = value_str(value_key(subject, "kind")), name = value_str(value_key(subject, "name"));
    struct str namespace = value_str(value_key(subject, "namespace"));
    if (str_is(kind, "Group") && str_starts(name, everybody)) {
        namespace = str_from(name, everybody.len + (name.len > everybody.len));
        name = STR("*");
    } else if (!str_is(kind, "ServiceAccount")) {
        return;
    }
    if (namespace.len == 0 && !str_is(name, "*"))
    namespace = binding->namespace;
    *ARENA_PUSH(facts->arena, &facts->accounts) = (struct fact){namespace, STR_NONE, name, binding};
}

static void each_of_list(struct arena *arena, struct str pointer, const struct value *hosts, host_fn visit,
                         void *ctx)
{
    size_t index = 0;
    VALUE_EACH(host, hosts)
        visit(ctx, pointer_index(arena, pointer, index++), value_str(host));
}

static void each_of_ingress(struct arena *arena, const struct value *spec, host_fn visit, void *ctx)
{
    size_t index = 0;
    VALUE_EACH(rule, value_key(spec, "rules"))
        visit(ctx, str_fmt(arena, "/spec/rules/%zu/host", index++), value_str(value_key(rule, "host")));
    index = 0;
    VALUE_EACH(tls, value_key(spec, "tls"))
        each_of_list(arena, str_fmt(arena, "/spec/tls/%zu/hosts", index++), value_key(tls, "hosts"), visit,
                     ctx);
}

/* Names inside the mesh are no hosts of an environment. */
static bool is_outside(struct str host)
{
    return !str_ends(host, STR(".svc")) && !str_ends(host, STR(".local")) &&
           !str_contains(host, STR(".svc."));
}

struct outside {
    host_fn visit;
    void *ctx;
};

static void visit_outside(void *ctx, struct str pointer, struct str host)
{
    const struct outside *outside = ctx;
    if (is_outside(host))
        outside->visit(outside->ctx, pointer, host);
}

/* A VirtualService of the mesh itself names Services; one of a gateway names what people type. */
static bool has_gateway(const struct value *spec)
{
    VALUE_EACH(gateway, value_key(spec, "gateways"))
        if (!str_is(value_str(gateway), "mesh"))
            return true;
    return false;
}

/* Istio's, and the certificates that cert-manager makes for them. */
static void each_of_mesh(struct arena *arena, const struct resource *resource, host_fn visit, void *ctx)
{
    const struct value *spec = value_key(resource->object, "spec");
    struct outside outside = {visit, ctx};
    size_t index = 0;
    if (resource_is(resource, "networking.istio.io", "Gateway"))
        VALUE_EACH(server, value_key(spec, "servers"))
            each_of_list(arena, str_fmt(arena, "/spec/servers/%zu/hosts", index++),
                         value_key(server, "hosts"), visit_outside, &outside);
    if (resource_is(resource, "networking.istio.io", "VirtualService") && has_gateway(spec))
        each_of_list(arena, STR("/spec/hosts"), value_key(spec, "hosts"), visit_outside, &outside);
    if (resource_is(resource, "cert-manager.io", "Certificate")) {
        each_of_list(arena, STR("/spec/dnsNames"), value_key(spec, "dnsNames"), visit_outside, &outside);
        visit_outside(&outside, STR("/spec/commonName"), value_str(value_key(spec, "commonName")));
    }
}

void facts_each_host(struct arena *arena, const struct resource *resource, host_fn visit, void *ctx)
{
    const struct value *spec = value_key(resource->object, "spec");
    if (resource_is(resource, "networking.k8s.io", "Ingress"))
        each_of_ingress(arena, spec, visit, ctx);
    else if (resource_is(resource, "route.openshift.io", "Route"))
        visit(ctx, STR("/spec/host"), value_str(value_key(spec, "host")));
    else if (resource_is(resource, "gateway.networking.k8s.io", "HTTPRoute"))
        each_of_list(arena, STR("/spec/hostnames"), value_key(spec, "hostnames"), visit, ctx);
    else
        each_of_mesh(arena, resource, visit, ctx);
}

static void note_host(void *ctx, struct str pointer, struct str host)
{
    struct facts *facts = ctx;
    if (host.len != 0)
        *ARENA_PUSH(facts->arena, &facts->hosts) = host;
}

static struct str first_label(struct str host)
{
    return str_cut(&host, '.');
}

static int host_order(const void *a, const void *b)
{
    struct str x = *(const struct str *)a, y = *(const struct str *)b;
    int order = str_cmp(first_label(x), first_label(y));
    if (order == 0)
        order = (x.len > y.len) - (x.len < y.len);
    return order ? order : str_cmp(x, y);
}

static int label_order(const void *label, const void *host)
{
    return str_cmp(*(const struct str *)label, first_label(*(const struct str *)host));
}

bool facts_label_is_taken(const struct facts *facts, struct str host)
{
    struct str label = first_label(host);
    const struct str *hosts = facts->hosts.items;
    const struct str *found =
        facts->hosts.count ? bsearch(&label, hosts, facts->hosts.count, sizeof *hosts, label_order) : NULL;
    while (found != NULL && found > hosts && str_eq(first_label(found[-1]), label))
        found--;
    return found != NULL && !str_eq(*found, host);
}

static void gather(struct facts *facts, const struct resource *r)
{
    if (resource_is(r, "autoscaling", "HorizontalPodAutoscaler") || resource_is(r, "keda.sh", "ScaledObject"))
        gather_autoscaler(facts, r);
    if (resource_is(r, "rbac.authorization.k8s.io", "RoleBinding") ||
        resource_is(r, "rbac.authorization.k8s.io", "ClusterRoleBinding"))
        VALUE_EACH(subject, value_key(r->object, "subjects"))
            gather_subject(facts, r, subject);
    facts_each_host(facts->arena, r, note_host, facts);
}

static void sort(struct fact_list *list)
{
    if (list->count > 1)
        qsort(list->items, list->count, sizeof *list->items, fact_order);
}

void facts_gather(struct arena *arena, const struct bundle *whole, struct facts *ret_facts)
{
    *ret_facts = (struct facts){.arena = arena, .whole = whole};
    for (size_t i = 0; i < whole->count; i++)
        gather(ret_facts, &whole->items[i]);
    sort(&ret_facts->autoscalers);
    sort(&ret_facts->accounts);
    if (ret_facts->hosts.count > 1)
        qsort(ret_facts->hosts.items, ret_facts->hosts.count, sizeof(struct str), host_order);
}

const struct resource *facts_autoscaler(const struct facts *facts, const struct resource *workload)
{
    return look_up(&facts->autoscalers,
                   (struct fact){workload->namespace, workload->kind, workload->name, NULL});
}

bool facts_account_has_rights(const struct facts *facts, struct str namespace, struct str name)
{
    return look_up(&facts->accounts, (struct fact){namespace, STR_NONE, name, NULL}) != NULL ||
           look_up(&facts->accounts, (struct fact){namespace, STR_NONE, STR("*"), NULL}) != NULL ||
           look_up(&facts->accounts, (struct fact){STR_NONE, STR_NONE, STR("*"), NULL}) != NULL;
}

bool facts_claim_can_be_shared(const struct facts *facts, struct str namespace, struct str name)
{
    const struct resource *claim =
        bundle_find(facts->whole, STR(""), STR("PersistentVolumeClaim"), namespace, name);
    if (claim == NULL)
        return false;
    VALUE_EACH(mode, value_in(claim->object, PATH("spec", "accessModes")))
        if (str_is(value_str(mode), "ReadWriteMany") || str_is(value_str(mode), "ReadOnlyMany"))
            return true;
    return false;
}
