/* Things that name each other: is the other one there, and does it fit? */
#include "quality/check.h"

/* How a pod can name a ConfigMap or a Secret: as volume, in a projected volume, as one variable, as all of them. */
struct reference_kind {
    const char *kind;
    const char *volume, *volume_name;
    const char *variable, *variables;
    bool (*is_there)(const struct estate *estate, struct str name);
};

static bool has_config_map(const struct estate *estate, struct str name)
{
    /* The controller manager puts this one into every namespace. */
    return str_is(name, "kube-root-ca.crt") || estate_find(estate, "", "ConfigMap", name) != NULL;
}

static const struct reference_kind config_map_references = {
    "ConfigMap", "configMap", "name", "configMapKeyRef", "configMapRef", has_config_map};
static const struct reference_kind secret_references = {"Secret",       "secret",    "secretName",
                                                        "secretKeyRef", "secretRef", estate_has_secret};

static bool is_missing(struct subject *subject, const struct reference_kind *kind,
                       const struct value *reference, struct str name)
{
    return name.len != 0 && !value_true(value_key(reference, "optional")) &&
           !kind->is_there(subject->estate, name);
}

static void missing_in_projected(struct subject *subject, const struct reference_kind *kind,
                                 const struct value *volume, size_t i)
{
    size_t s = 0;
    VALUE_EACH(source, value_in(volume, PATH("projected", "sources"))) {
        const struct value *reference = value_key(source, kind->volume);
        struct str name = value_str(value_key(reference, "name"));
        if (is_missing(subject, kind, reference, name))
            found_in_pod(subject, name, "volumes[%zu].projected.sources[%zu].%s.name", i, s, kind->volume);
        s++;
    }
}

static void missing_in_volumes(struct subject *subject, const struct reference_kind *kind)
{
    size_t i = 0;
    VALUE_EACH(volume, value_key(subject->pod, "volumes")) {
        const struct value *reference = value_key(volume, kind->volume);
        struct str name = value_str(value_key(reference, kind->volume_name));
        if (is_missing(subject, kind, reference, name))
            found_in_pod(subject, name, "volumes[%zu].%s.%s", i, kind->volume, kind->volume_name);
        missing_in_projected(subject, kind, volume, i);
        i++;
    }
}

static void missing_in_container(struct subject *subject, const struct reference_kind *kind,
                                 const struct container *c)
{
    size_t i = 0;
    VALUE_EACH(variable, value_key(c->value, "env")) {
        const struct value *reference = value_in(variable, PATH("valueFrom", kind->variable));
        struct str name = value_str(value_key(reference, "name"));
        if (is_missing(subject, kind, reference, name))
            found_in_container(subject, c, name, "env[%zu].valueFrom.%s.name", i, kind->variable);
        i++;
    }
    i = 0;
    VALUE_EACH(source, value_key(c->value, "envFrom")) {
        const struct value *reference = value_key(source, kind->variables);
        struct str name = value_str(value_key(reference, "name"));
        if (is_missing(subject, kind, reference, name))
            found_in_container(subject, c, name, "envFrom[%zu].%s.name", i, kind->variables);
        i++;
    }
}

static void missing_references(struct subject *subject, const struct reference_kind *kind)
{
    if (estate_is_unread(subject->estate, "", kind->kind))
        return;
    missing_in_volumes(subject, kind);
    EACH_CONTAINER(c, subject)
        missing_in_container(subject, kind, c);
}

void check_missing_config_map(struct subject *subject)
{
    missing_references(subject, &config_map_references);
}

void check_missing_secret(struct subject *subject)
{
    missing_references(subject, &secret_references);
}

void check_missing_claim(struct subject *subject)
{
    size_t i = 0;
    if (estate_is_unread(subject->estate, "", "PersistentVolumeClaim"))
        return;
    VALUE_EACH(volume, value_key(subject->pod, "volumes")) {
        struct str claim = value_str_in(volume, PATH("persistentVolumeClaim", "claimName"));
        if (claim.len != 0 && estate_find(subject->estate, "", "PersistentVolumeClaim", claim) == NULL)
            found_in_pod(subject, claim, "volumes[%zu].persistentVolumeClaim.claimName", i);
        i++;
    }
}

void check_missing_service_account(struct subject *subject)
{
    struct str name = value_str(value_key(subject->pod, "serviceAccountName"));
    if (name.len != 0 && !str_is(name, "default") &&
        !estate_is_unread(subject->estate, "", "ServiceAccount") &&
        estate_find(subject->estate, "", "ServiceAccount", name) == NULL)
        found_in_pod(subject, name, "serviceAccountName");
}

/* Built-in ClusterRoles are missing from every folder of manifests, so those count only in a cluster's snapshot. */
void check_missing_role(struct subject *subject)
{
    static const char group[] = "rbac.authorization.k8s.io";
    const struct value *role = value_key(subject->resource->object, "roleRef");
    struct str kind = value_str(value_key(role, "kind")), name = value_str(value_key(role, "name"));
    bool cluster_wide = str_is(kind, "ClusterRole");
    if (name.len == 0 || (cluster_wide && subject->estate->bundle->cluster.len == 0) ||
        estate_is_unread(subject->estate, group, cluster_wide ? "ClusterRole" : "Role"))
        return;
    if (cluster_wide ? !estate_has_scoped(subject->estate, group, "ClusterRole", name)
                     : bundle_find(subject->estate->bundle, STR("rbac.authorization.k8s.io"), kind,
                                   subject->estate->here, name) == NULL)
        found(subject, detail(subject, "%.*s %.*s", STR_ARG(kind), STR_ARG(name)), "roleRef.name");
}

void check_service_selects_nothing(struct subject *subject)
{
    const struct value *spec = value_key(subject->resource->object, "spec");
    const struct value *selector = value_key(spec, "selector");
    struct place_walk selected = place_selected_by_map(subject->place, selector);
    if (value_count(selector) != 0 && !str_is(value_str(value_key(spec, "type")), "ExternalName") &&
        place_next(&selected) == NULL)
        found(subject, STR_NONE, "spec.selector");
}

static bool has_named_port(const struct value *pod_spec, const char *list, struct str name)
{
    VALUE_EACH(container, value_key(pod_spec, list))
        VALUE_EACH(port, value_key(container, "ports"))
            if (str_eq(value_str(value_key(port, "name")), name))
                return true;
    return false;
}

/* Numbers need no declaration in the container; names do. */
static bool is_served(const struct place *place, const struct value *selector, struct str port)
{
    struct place_walk selected = place_selected_by_map(place, selector);
    for (const struct workload *workload; (workload = place_next(&selected)) != NULL;)
        if (has_named_port(workload->pod_spec, "containers", port) ||
            has_named_port(workload->pod_spec, "initContainers", port))
            return true;
    return false;
}

void check_service_target_port(struct subject *subject)
{
    const struct value *spec = value_key(subject->resource->object, "spec");
    const struct value *selector = value_key(spec, "selector");
    struct place_walk selected = place_selected_by_map(subject->place, selector);
    if (place_next(&selected) == NULL)
        return;
    size_t i = 0;
    VALUE_EACH(port, value_key(spec, "ports")) {
        struct str name = value_str(value_key(port, "targetPort"));
        if (name.len != 0 && !is_served(subject->place, selector, name))
            found(subject, name, "spec.ports[%zu].targetPort", i);
        i++;
    }
}

static bool has_port(const struct resource *service, const struct value *port)
{
    const struct value *name = value_key(port, "name"), *number = value_key(port, "number");
    if (name == NULL && number == NULL)
        return true;
    VALUE_EACH(offered, value_in(service->object, PATH("spec", "ports")))
        if (name ? value_equal(value_key(offered, "name"), name)
                 : value_equal(value_key(offered, "port"), number))
            return true;
    return false;
}

static void check_backend(struct subject *subject, const struct value *backend, struct str path)
{
    struct str name = value_str(value_key(backend, "name"));
    if (name.len == 0 || estate_is_unread(subject->estate, "", "Service"))
        return;
    const struct resource *service = estate_find(subject->estate, "", "Service", name);
    if (service == NULL)
        found(subject, detail(subject, "Service %.*s", STR_ARG(name)), "%.*s.name", STR_ARG(path));
    else if (!str_is(value_str_in(service->object, PATH("spec", "type")), "ExternalName") &&
             !has_port(service, value_key(backend, "port")))
        found(subject, detail(subject, "a port of Service %.*s", STR_ARG(name)), "%.*s.port", STR_ARG(path));
}

void check_ingress_backend(struct subject *subject)
{
    const struct value *spec = value_key(subject->resource->object, "spec");
    if (str_is(subject->resource->kind, "Route")) {
        check_backend(subject, value_key(spec, "to"), STR("spec.to"));
        return;
    }
    check_backend(subject, value_in(spec, PATH("defaultBackend", "service")),
                  STR("spec.defaultBackend.service"));
    size_t r = 0;
    VALUE_EACH(rule, value_key(spec, "rules")) {
        size_t p = 0;
        VALUE_EACH(path, value_in(rule, PATH("http", "paths"))) {
            check_backend(subject, value_in(path, PATH("backend", "service")),
                          detail(subject, "spec.rules[%zu].http.paths[%zu].backend.service", r, p));
            p++;
        }
        r++;
    }
}

static const struct resource *target_of(const struct subject *subject)
{
    const struct value *target = value_in(subject->resource->object, PATH("spec", "scaleTargetRef"));
    struct str rest = value_str(value_key(target, "apiVersion"));
    struct str group = str_find(rest, '/') < rest.len ? str_cut(&rest, '/') : STR_NONE;
    return bundle_find(subject->estate->bundle, group, value_str(value_key(target, "kind")),
                       subject->resource->namespace, value_str(value_key(target, "name")));
}

void check_autoscaler_target(struct subject *subject)
{
    if (target_of(subject) == NULL)
        found(subject, value_str_in(subject->resource->object, PATH("spec", "scaleTargetRef", "name")),
              "spec.scaleTargetRef");
}

void check_autoscaler_range(struct subject *subject)
{
    const struct value *spec = value_key(subject->resource->object, "spec");
    int64_t min = 1, max = 0;
    (void)!value_i64(value_key(spec, "minReplicas"), &min);
    if (value_i64(value_key(spec, "maxReplicas"), &max) && min >= max)
        found(subject, STR_NONE, "spec.maxReplicas");
}

/* Without a request a limit stands in for it; without both a LimitRange may. */
static bool has_request(const struct subject *subject, const struct value *container, struct str resource)
{
    const struct value *resources = value_key(container, "resources");
    return value_get(value_key(resources, "requests"), resource) != NULL ||
           value_get(value_key(resources, "limits"), resource) != NULL ||
           place_has_default(subject->place, "defaultRequest", resource) ||
           place_has_default(subject->place, "default", resource);
}

static void check_measured(struct subject *subject, const struct workload *target, struct str resource,
                           struct str path)
{
    VALUE_EACH(container, value_key(target->pod_spec, "containers"))
        if (!has_request(subject, container, resource)) {
            struct str name = value_str(value_key(container, "name"));
            found(subject, detail(subject, "%.*s of container %.*s", STR_ARG(resource), STR_ARG(name)),
                  "%.*s", STR_ARG(path));
        }
}

void check_autoscaler_requests(struct subject *subject)
{
    const struct resource *target = target_of(subject);
    const struct value *spec = value_key(subject->resource->object, "spec");
    struct workload workload;
    if (target == NULL || !workload_of(target, &workload))
        return;
    if (value_key(spec, "targetCPUUtilizationPercentage") != NULL) /* autoscaling/v1 */
        check_measured(subject, &workload, STR("cpu"), STR("spec.targetCPUUtilizationPercentage"));
    size_t i = 0;
    VALUE_EACH(metric, value_key(spec, "metrics")) {
        const struct value *resource = value_key(metric, "resource");
        if (str_is(value_str_in(resource, PATH("target", "type")), "Utilization"))
            check_measured(subject, &workload, value_str(value_key(resource, "name")),
                           detail(subject, "spec.metrics[%zu].resource", i));
        i++;
    }
}

/* How many pods the budget is over, at the least that autoscalers allow. */
static int64_t pods_under(const struct subject *subject, const struct value *selector)
{
    struct place_walk selected = place_selected_by(subject->place, selector);
    int64_t pods = 0, fewest;
    for (const struct workload *workload; (workload = place_next(&selected)) != NULL;) {
        if (workload->traits & WORKLOAD_FINISHES)
            continue;
        const struct resource *autoscaler = place_autoscaler(subject->place, workload->resource);
        if (autoscaler == NULL)
            pods += workload_replicas(workload);
        else
            pods +=
                value_i64(value_in(autoscaler->object, PATH("spec", "minReplicas")), &fewest) ? fewest : 1;
    }
    return pods;
}

void check_budget_blocks(struct subject *subject)
{
    const struct value *spec = value_key(subject->resource->object, "spec");
    const struct value *most = value_key(spec, "maxUnavailable"), *least = value_key(spec, "minAvailable");
    int64_t number;

    if ((value_i64(most, &number) && number == 0) || str_is(value_str(most), "0%"))
        found(subject, STR_NONE, "spec.maxUnavailable");
    if (str_is(value_str(least), "100%"))
        found(subject, STR_NONE, "spec.minAvailable");
    if (value_i64(least, &number) && number > 0) {
        int64_t pods = pods_under(subject, value_key(spec, "selector"));
        if (pods > 0 && number >= pods)
            found(subject, detail(subject, "%lld of %lld pods", (long long)number, (long long)pods),
                  "spec.minAvailable");
    }
}

void check_budget_selects_nothing(struct subject *subject)
{
    struct place_walk selected =
        place_selected_by(subject->place, value_in(subject->resource->object, PATH("spec", "selector")));
    if (place_next(&selected) == NULL)
        found(subject, STR_NONE, "spec.selector");
}
