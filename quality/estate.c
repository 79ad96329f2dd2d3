#include "quality/estate.h"

#include <stdlib.h>

static const struct facts nothing;

bool estate_is_system_namespace(struct str namespace)
{
    return str_starts(namespace, STR("kube-")) || str_starts(namespace, STR("openshift-")) ||
           str_is(namespace, "openshift");
}

const struct resource *estate_find(const struct estate *estate, const char *group, const char *kind,
                                   struct str name)
{
    return bundle_find(estate->bundle, str_of(group), str_of(kind), estate->here, name);
}

bool estate_has_scoped(const struct estate *estate, const char *group, const char *kind, struct str name)
{
    return bundle_find(&estate->scoped, str_of(group), str_of(kind), STR_NONE, name) != NULL;
}

bool estate_is_unread(const struct estate *estate, const char *group, const char *kind)
{
    const struct bundle *bundle = estate->bundle;
    const struct resource_type *type = resource_type_find(&bundle->types, str_of(group), str_of(kind));
    bool from_cluster = bundle->resource_version.len != 0; /* a folder of manifests is all there is */
    return from_cluster && type != NULL && (type->missing.len != 0 || type->consistency.len == 0);
}

/* The owner that controls an object, if it is there; one that is cluster-scoped comes without its tree. */
static const struct resource *controller_of(const struct estate *estate, const struct resource *resource)
{
    VALUE_EACH(reference, value_in(resource->object, PATH("metadata", "ownerReferences"))) {
        if (!value_true(value_key(reference, "controller")))
            continue;
        struct str rest = value_str(value_key(reference, "apiVersion"));
        struct str group = str_find(rest, '/') < rest.len ? str_cut(&rest, '/') : STR_NONE;
        struct str kind = value_str(value_key(reference, "kind")),
                   name = value_str(value_key(reference, "name"));
        const struct resource *owner = bundle_find(estate->bundle, group, kind, estate->here, name);
        return owner ? owner : bundle_find(&estate->scoped, group, kind, STR_NONE, name);
    }
    return NULL;
}

/* Kinds that controllers and the server keep for themselves, whatever namespace they are in. */
static bool is_bookkeeping(const struct resource *resource)
{
    static const struct {
        const char *group, *kind;
    } kinds[] = {
        {"", "Event"},
        {"events.k8s.io", "Event"},
        {"", "Node"},
        {"", "ComponentStatus"},
        {"coordination.k8s.io", "Lease"},
        {"storage.k8s.io", "CSINode"},
        {"storage.k8s.io", "CSIStorageCapacity"},
        {"networking.k8s.io", "IPAddress"},
        {"networking.k8s.io", "ServiceCIDR"},
        {"flowcontrol.apiserver.k8s.io", "FlowSchema"},
        {"flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration"},
        {"apiregistration.k8s.io", "APIService"},
        {"apps", "ControllerRevision"},
        {"certificates.k8s.io", "CertificateSigningRequest"},
    };
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (resource_is(resource, kinds[i].group, kinds[i].kind))
            return true;
    return false;
}

/* What the API server and the controller manager put into every cluster. */
static bool is_bootstrapped(const struct resource *resource)
{
    if (value_in(resource->object, PATH("metadata", "labels", "kubernetes.io/bootstrapping")) != NULL)
        return true;
    if (str_starts(resource->name, STR("system:")) || str_starts(resource->name, STR("system-")))
        return resource->namespace.len == 0;
    if (resource_is(resource, "", "Namespace"))
        return estate_is_system_namespace(resource->name);
    if (resource_is(resource, "", "ConfigMap"))
        return str_is(resource->name, "kube-root-ca.crt") ||
               str_is(resource->name, "openshift-service-ca.crt");
    return str_is(resource->namespace, "default") && str_is(resource->name, "kubernetes");
}

/* The Endpoints of a Service with a selector are the endpoints controller's, though it leaves no reference. */
static bool is_derived(const struct estate *estate, const struct resource *resource)
{
    if (!resource_is(resource, "", "Endpoints"))
        return false;
    const struct resource *service = estate_find(estate, "", "Service", resource->name);
    return service != NULL && value_count(value_in(service->object, PATH("spec", "selector"))) != 0;
}

enum standing estate_standing(const struct estate *estate, const struct resource *resource)
{
    if (estate_is_system_namespace(resource->namespace) || is_bookkeeping(resource) ||
        is_bootstrapped(resource))
        return EXCLUDED;
    return controller_of(estate, resource) != NULL || is_derived(estate, resource) ? CHILD : JUDGED;
}

/* ---- what is known of the whole ---- */

struct gathering {
    struct arena *arena;
    struct estate *estate;
};

static bool is_among(const struct parts_object *object, const char *group, const char *kind)
{
    return str_is(object->kind, kind) && str_is(object->group, group);
}

static void note_object(struct facts *facts, const struct parts_object *object)
{
    facts->runs_pods = facts->runs_pods || workload_is(object->group, object->kind);
    facts->has_quota = facts->has_quota || is_among(object, "", "ResourceQuota");
    facts->has_limit_range = facts->has_limit_range || is_among(object, "", "LimitRange");
}

/* Those of a kind stand together, so that the text of their version is made once. */
static void add_scoped(struct gathering *g, const struct parts_object *object)
{
    struct bundle *scoped = &g->estate->scoped;
    const struct resource *last = scoped->count ? &scoped->items[scoped->count - 1] : NULL;
    struct resource resource = {.kind = object->kind, .name = object->name};
    if (last != NULL && str_eq(last->kind, object->kind) && str_eq(resource_group(last), object->group) &&
        str_eq(resource_version(last), object->version))
        resource.api_version = last->api_version;
    else
        resource.api_version = str_fmt(g->arena, "%.*s%s%.*s", STR_ARG(object->group),
                                       object->group.len ? "/" : "", STR_ARG(object->version));
    bundle_add(scoped, &resource);
}

static void gather_names(struct gathering *g)
{
    const struct parts *parts = g->estate->parts;
    for (size_t i = 0; i < parts->count; i++) {
        struct facts *facts = &g->estate->facts[i];
        for (size_t j = parts->items[i].from; j < parts->items[i].to; j++) {
            struct parts_object object = parts_object(parts, j);
            note_object(facts, &object);
            if (object.namespace.len == 0)
                add_scoped(g, &object);
        }
    }
    bundle_sort(&g->estate->scoped);
}

static bool add_labels(void *ctx, const struct resource *namespace, struct err *err)
{
    struct gathering *g = ctx;
    (void)err;
    if (namespace->namespace.len != 0)
        return true;
    const struct value *labels =
        value_copy(g->arena, value_in(namespace->object, PATH("metadata", "labels")));
    MEMBER_EACH(label, labels)
        labels_add(g->arena, &g->estate->namespaces.index, label, g->estate->namespaces.count);
    *ARENA_PUSH(g->arena, &g->estate->namespaces) =
        (struct namespace_labels){str_dup(g->arena, namespace->name), labels};
    return true;
}

/* Accounts are named in subjects; without a namespace of their own they are in the binding's. */
static bool add_accounts(void *ctx, const struct resource *binding, struct err *err)
{
    struct gathering *g = ctx;
    (void)err;
    VALUE_EACH(subject, value_key(binding->object, "subjects")) {
        struct str home = value_str(value_key(subject, "namespace"));
        struct str name = value_str(value_key(subject, "name"));
        if (str_is(value_str(value_key(subject, "kind")), "ServiceAccount"))
            *ARENA_PUSH(g->arena, &g->estate->bound) = (struct account){
                str_dup(g->arena, home.len ? home : binding->namespace), str_dup(g->arena, name)};
    }
    return true;
}

bool policy_governs_ingress(const struct value *spec)
{
    const struct value *types = value_key(spec, "policyTypes");
    if (value_count(types) == 0)
        return true;
    VALUE_EACH(type, types)
        if (str_is(value_str(type), "Ingress"))
            return true;
    return false;
}

static bool selects_everything(const struct value *selector)
{
    return value_is(selector, VALUE_MAP) && value_count(value_key(selector, "matchLabels")) == 0 &&
           value_count(value_key(selector, "matchExpressions")) == 0;
}

/* Once a policy selects a pod, only what policies allow comes in; so any policy over all pods is a default deny. */
static bool note_policy(void *ctx, const struct resource *policy, struct err *err)
{
    struct gathering *g = ctx;
    const struct value *spec = value_key(policy->object, "spec");
    size_t part = parts_find(g->estate->parts, policy->namespace);
    (void)err;
    if (part < g->estate->parts->count && selects_everything(value_key(spec, "podSelector")) &&
        policy_governs_ingress(spec))
        g->estate->facts[part].default_deny = true;
    return true;
}

static int account_order(const void *a, const void *b)
{
    const struct account *x = a, *y = b;
    int order = str_cmp(x->namespace, y->namespace);
    return order ? order : str_cmp(x->name, y->name);
}

static bool gather(struct gathering *g, struct err *err)
{
    static const char rbac[] = "rbac.authorization.k8s.io";
    const struct parts *parts = g->estate->parts;
    gather_names(g);
    if (!parts_each(parts, "", "Namespace", add_labels, g, err) ||
        !parts_each(parts, rbac, "ClusterRoleBinding", add_accounts, g, err) ||
        !parts_each(parts, rbac, "RoleBinding", add_accounts, g, err) ||
        !parts_each(parts, "networking.k8s.io", "NetworkPolicy", note_policy, g, err))
        return false;
    labels_sort(&g->estate->namespaces.index);
    if (g->estate->bound.count != 0)
        qsort(g->estate->bound.items, g->estate->bound.count, sizeof(struct account), account_order);
    return true;
}

bool estate_open(struct arena *arena, const struct parts *parts, struct estate **ret_estate, struct err *err)
{
    struct estate *estate = ARENA_NEW(arena, struct estate);
    struct gathering gathering = {arena, estate};
    estate->parts = parts;
    estate->facts = ARENA_ARRAY(arena, struct facts, parts->count + 1);
    bundle_init(&estate->scoped, arena);
    *ret_estate = estate;
    return gather(&gathering, err);
}

bool estate_account_is_bound(const struct estate *estate, struct str namespace, struct str name)
{
    struct account account = {namespace, name};
    return estate->bound.count != 0 &&
           bsearch(&account, estate->bound.items, estate->bound.count, sizeof account, account_order) != NULL;
}

static int labels_order(const void *key, const void *labels)
{
    return str_cmp(*(const struct str *)key, ((const struct namespace_labels *)labels)->name);
}

const struct value *estate_labels(const struct estate *estate, struct str namespace)
{
    const struct namespace_labels *found =
        estate->namespaces.count ? bsearch(&namespace, estate->namespaces.items, estate->namespaces.count,
                                           sizeof *estate->namespaces.items, labels_order)
                                 : NULL;
    return found ? found->labels : NULL;
}

const struct facts *estate_facts(const struct estate *estate, struct str namespace)
{
    size_t part = parts_find(estate->parts, namespace);
    return part < estate->parts->count ? &estate->facts[part] : &nothing;
}

/* ---- the part at hand ---- */

/* A workload that another workload controls adds nothing that its controller's template does not say. */
static bool is_controlled(const struct estate *estate, const struct resource *workload)
{
    const struct resource *controller = controller_of(estate, workload);
    return controller != NULL && workload_is(resource_group(controller), controller->kind);
}

void estate_enter(struct estate *estate, struct arena *arena, const struct bundle *part)
{
    estate->bundle = part;
    estate->here = part->count ? part->items[0].namespace : STR_NONE;
    estate->place = (struct place){.workloads = {0}};
    for (size_t i = 0; i < part->count; i++) {
        struct workload workload;
        if (!workload_of(&part->items[i], &workload))
            place_add(arena, &estate->place, &part->items[i]);
        else if (!is_controlled(estate, &part->items[i]))
            place_add_workload(arena, &estate->place, &workload);
    }
    place_close(&estate->place);
}

bool estate_has_secret(const struct estate *estate, struct str name)
{
    static const struct {
        const char *group, *kind;
    } makers[] = {
        {"", "Secret"},
        {"bitnami.com", "SealedSecret"},
        {"external-secrets.io", "ExternalSecret"},
        {"cert-manager.io", "Certificate"},
    };
    for (size_t i = 0; i < COUNT_OF(makers); i++)
        if (estate_find(estate, makers[i].group, makers[i].kind, name) != NULL)
            return true;

    return place_makes_secret(&estate->place, name);
}

static bool is_mounted_once(const struct value *claim)
{
    const struct value *modes = value_in(claim, PATH("spec", "accessModes"));
    VALUE_EACH(mode, modes)
        if (!str_starts(value_str(mode), STR("ReadWriteOnce")))
            return false;
    return value_count(modes) != 0;
}

bool estate_is_tied_to_a_node(const struct estate *estate, const struct workload *workload)
{
    VALUE_EACH(volume, value_key(workload->pod_spec, "volumes")) {
        struct str claim = value_str_in(volume, PATH("persistentVolumeClaim", "claimName"));
        const struct resource *found =
            claim.len ? estate_find(estate, "", "PersistentVolumeClaim", claim) : NULL;
        if (found != NULL && is_mounted_once(found->object))
            return true;
    }
    return false;
}
