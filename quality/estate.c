#include "quality/estate.h"

#include <stdlib.h>
#include <string.h>

#include "core/kube/selector.h"

static const struct place nowhere = {.index = SIZE_MAX};

bool estate_is_system_namespace(struct str namespace)
{
    return str_starts(namespace, STR("kube-")) || str_starts(namespace, STR("openshift-")) ||
           str_is(namespace, "openshift");
}

const struct resource *estate_find(const struct estate *estate, const char *group, const char *kind,
                                   struct str namespace, struct str name)
{
    return bundle_find(estate->bundle, str_of(group), str_of(kind), namespace, name);
}

bool estate_is_unread(const struct estate *estate, const char *group, const char *kind)
{
    const struct bundle *bundle = estate->bundle;
    const struct resource_type *type = resource_type_find(&bundle->types, str_of(group), str_of(kind));
    bool from_cluster = bundle->resource_version.len != 0; /* a folder of manifests is all there is */
    return from_cluster && type != NULL && (type->missing.len != 0 || type->consistency.len == 0);
}

/* The owner that controls an object, if the bundle has it. */
static const struct resource *controller_of(const struct estate *estate, const struct resource *resource)
{
    VALUE_EACH(reference, value_in(resource->object, PATH("metadata", "ownerReferences"))) {
        if (!value_true(value_key(reference, "controller")))
            continue;
        struct str rest = value_str(value_key(reference, "apiVersion"));
        struct str group = str_find(rest, '/') < rest.len ? str_cut(&rest, '/') : STR_NONE;
        struct str kind = value_str(value_key(reference, "kind")),
                   name = value_str(value_key(reference, "name"));
        const struct resource *owner = bundle_find(estate->bundle, group, kind, resource->namespace, name);
        return owner ? owner : bundle_find(estate->bundle, group, kind, STR_NONE, name);
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
    const struct resource *service = estate_find(estate, "", "Service", resource->namespace, resource->name);
    return service != NULL && value_count(value_in(service->object, PATH("spec", "selector"))) != 0;
}

enum standing estate_standing(const struct estate *estate, const struct resource *resource)
{
    if (estate_is_system_namespace(resource->namespace) || is_bookkeeping(resource) ||
        is_bootstrapped(resource))
        return EXCLUDED;
    return controller_of(estate, resource) != NULL || is_derived(estate, resource) ? CHILD : JUDGED;
}

static int place_order(const void *key, const void *place)
{
    return str_cmp(*(const struct str *)key, ((const struct place *)place)->name);
}

static struct place *place_find(const struct estate *estate, struct str namespace)
{
    return estate->place_count == 0 ? NULL
                                    : bsearch(&namespace, estate->places, estate->place_count,
                                              sizeof *estate->places, place_order);
}

const struct place *estate_place(const struct estate *estate, struct str namespace)
{
    const struct place *place = place_find(estate, namespace);
    return place ? place : &nowhere;
}

static void push_ref(struct arena *arena, struct resource_refs *refs, const struct resource *resource)
{
    *ARENA_PUSH(arena, refs) = resource; // NOLINT(bugprone-sizeof-expression): a list of pointers is meant
}

/* A workload that another workload controls adds nothing that its controller's template does not say. */
static void note_workload(struct estate *estate, struct place *place, const struct resource *resource)
{
    struct workload workload, above;
    if (!workload_of(resource, &workload))
        return;
    const struct resource *controller = controller_of(estate, resource);
    if (controller == NULL || !workload_of(controller, &above))
        *ARENA_PUSH(estate->arena, &place->workloads) = workload;
}

static void note(struct estate *estate, struct place *place, const struct resource *resource)
{
    struct arena *arena = estate->arena;
    if (resource_is(resource, "", "Service"))
        push_ref(arena, &place->services, resource);
    else if (resource_is(resource, "policy", "PodDisruptionBudget"))
        push_ref(arena, &place->budgets, resource);
    else if (resource_is(resource, "autoscaling", "HorizontalPodAutoscaler"))
        push_ref(arena, &place->autoscalers, resource);
    else if (resource_is(resource, "networking.k8s.io", "NetworkPolicy"))
        push_ref(arena, &place->policies, resource);
    else if (resource_is(resource, "", "ResourceQuota"))
        push_ref(arena, &place->quotas, resource);
    else if (resource_is(resource, "", "LimitRange"))
        push_ref(arena, &place->limit_ranges, resource);
    else
        note_workload(estate, place, resource);
}

/* Accounts are named in subjects; without a namespace of their own they are in the binding's. */
static void note_subjects(struct estate *estate, const struct resource *binding)
{
    VALUE_EACH(subject, value_key(binding->object, "subjects")) {
        struct str home = value_str(value_key(subject, "namespace"));
        struct str name = value_str(value_key(subject, "name"));
        if (str_is(value_str(value_key(subject, "kind")), "ServiceAccount"))
            *ARENA_PUSH(estate->arena, &estate->bound_accounts) = str_fmt(
                estate->arena, "%.*s/%.*s", STR_ARG(home.len ? home : binding->namespace), STR_ARG(name));
    }
}

static bool is_binding(const struct resource *resource)
{
    return resource_is(resource, "rbac.authorization.k8s.io", "RoleBinding") ||
           resource_is(resource, "rbac.authorization.k8s.io", "ClusterRoleBinding");
}

struct estate *estate_open(struct arena *arena, const struct bundle *bundle)
{
    struct estate *estate = ARENA_NEW(arena, struct estate);
    struct place *place = NULL;
    size_t room = bundle->count != 0;

    for (size_t i = 1; i < bundle->count; i++)
        room += !str_eq(bundle->items[i].namespace, bundle->items[i - 1].namespace);
    estate->arena = arena;
    estate->bundle = bundle;
    estate->places = ARENA_ARRAY(arena, struct place, room ? room : 1);

    for (size_t i = 0; i < bundle->count; i++) {
        const struct resource *resource = &bundle->items[i];
        if (place == NULL || !str_eq(place->name, resource->namespace)) {
            place = &estate->places[estate->place_count];
            place->index = estate->place_count++;
            place->name = resource->namespace;
            place->excluded = estate_is_system_namespace(place->name);
            place->object =
                place->name.len ? estate_find(estate, "", "Namespace", STR_NONE, place->name) : NULL;
        }
        note(estate, place, resource);
        if (is_binding(resource))
            note_subjects(estate, resource);
    }
    if (estate->bound_accounts.count != 0)
        qsort(estate->bound_accounts.items, estate->bound_accounts.count, sizeof(struct str), str_qsort);
    return estate;
}

bool estate_account_is_bound(const struct estate *estate, struct str namespace, struct str name)
{
    struct str account = str_fmt(estate->arena, "%.*s/%.*s", STR_ARG(namespace), STR_ARG(name));
    return estate->bound_accounts.count != 0 &&
           bsearch(&account, estate->bound_accounts.items, estate->bound_accounts.count, sizeof account,
                   str_qsort);
}

bool estate_has_secret(const struct estate *estate, struct str namespace, struct str name)
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
        if (estate_find(estate, makers[i].group, makers[i].kind, namespace, name) != NULL)
            return true;

    /* A Certificate or an ExternalSecret may call its Secret otherwise. */
    size_t from, to;
    bundle_namespace(estate->bundle, namespace, &from, &to);
    for (size_t i = from; i < to; i++) {
        const struct value *spec = value_key(estate->bundle->items[i].object, "spec");
        if ((str_is(estate->bundle->items[i].kind, "Certificate") &&
             str_eq(value_str(value_key(spec, "secretName")), name)) ||
            (str_is(estate->bundle->items[i].kind, "ExternalSecret") &&
             str_eq(value_str_in(spec, PATH("target", "name")), name)))
            return true;
    }
    return false;
}

const struct workload *place_selected(const struct place *place, const struct value *label_selector)
{
    for (size_t i = 0; i < place->workloads.count; i++)
        if (selector_matches(label_selector, place->workloads.items[i].labels))
            return &place->workloads.items[i];
    return NULL;
}

const struct workload *place_selected_by_map(const struct place *place, const struct value *labels)
{
    for (size_t i = 0; i < place->workloads.count; i++)
        if (selector_map_matches(labels, place->workloads.items[i].labels))
            return &place->workloads.items[i];
    return NULL;
}

const struct resource *place_autoscaler(const struct place *place, const struct resource *workload)
{
    for (size_t i = 0; i < place->autoscalers.count; i++) {
        const struct value *target =
            value_in(place->autoscalers.items[i]->object, PATH("spec", "scaleTargetRef"));
        if (str_eq(value_str(value_key(target, "name")), workload->name) &&
            str_eq(value_str(value_key(target, "kind")), workload->kind))
            return place->autoscalers.items[i];
    }
    return NULL;
}

bool place_has_budget_for(const struct place *place, const struct workload *workload)
{
    for (size_t i = 0; i < place->budgets.count; i++)
        if (selector_matches(value_in(place->budgets.items[i]->object, PATH("spec", "selector")),
                             workload->labels))
            return true;
    return false;
}

static bool has_default(const struct resource *limit_range, const char *side, struct str resource)
{
    const struct value *limits = value_in(limit_range->object, PATH("spec", "limits"));
    VALUE_EACH(limit, limits)
        if (str_is(value_str(value_key(limit, "type")), "Container") &&
            value_get(value_key(limit, side), resource) != NULL)
            return true;
    return false;
}

bool place_has_default(const struct place *place, const char *side, struct str resource)
{
    for (size_t i = 0; i < place->limit_ranges.count; i++)
        if (has_default(place->limit_ranges.items[i], side, resource))
            return true;
    return false;
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
            claim.len ? estate_find(estate, "", "PersistentVolumeClaim", workload->resource->namespace, claim)
                      : NULL;
        if (found != NULL && is_mounted_once(found->object))
            return true;
    }
    return false;
}
