/* defaults.c — what the API server fills in: the defaults of k8s.io/kubernetes/pkg/apis/…/defaults.go that a snapshot
 * of a real cluster shows and convert has to take out again, and what it allocates (cluster IPs, node ports). */
#include <string.h>

#include "core/base/base64.h"
#include "dr-scenarios/sandbox/intern.h"

struct row {
    const char *set, *path, *json;
};

static const struct row rows[] = {
#define DEFAULT(set, path, json) {set, path, json},
#include "dr-scenarios/sandbox/defaults.def"
#undef DEFAULT
};

static const struct value *fill(struct arena *arena, const struct value *object, const char *set);

struct step_ctx {
    struct str rest;
    const char *json;
    bool make;
};

static const struct value *set_default(struct arena *arena, const struct value *value, struct str path,
                                       const char *json, bool make);

static const struct value *default_item(struct arena *arena, const struct value *item, void *ctx)
{
    const struct step_ctx *step = ctx;
    return set_default(arena, item, step->rest, step->json, step->make);
}

static const struct value *set_default(struct arena *arena, const struct value *value, struct str path,
                                       const char *json, bool make)
{
    struct str key = str_cut(&path, '.');
    bool each = str_ends(key, STR("[]"));
    if (!value_is(value, VALUE_MAP))
        return value;
    if (each)
        key.len -= 2;
    const struct value *child = value_get(value, key), *now = child;
    if (each) {
        struct step_ctx step = {path, json, make};
        now = value_is(child, VALUE_LIST) ? value_change_items(arena, child, default_item, &step) : child;
    } else if (path.len) {
        if (child == NULL && make)
            child = value_map_of(arena, NULL, 0);
        now = child ? set_default(arena, child, path, json, make) : NULL;
    } else if (json == NULL) {
        now = child ? fill(arena, child, "probe") : NULL;
    } else if (child == NULL) {
        now = state_literal(arena, json);
    }
    return now == NULL || now == value_get(value, key) ? value : value_with(arena, value, key, now);
}

static const struct value *fill(struct arena *arena, const struct value *object, const char *set)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (strcmp(rows[i].set, set) != 0)
            continue;
        bool make = rows[i].path[0] == '+';
        object = set_default(arena, object, str_of(rows[i].path + make), rows[i].json, make);
    }
    return object;
}

/* Always for ":latest" and for images without a tag, else IfNotPresent. */
static const struct value *fill_container(struct arena *arena, const struct value *container, void *ctx)
{
    struct str image = value_str(value_key(container, "image"));
    struct str last = str_from(image, str_rfind(image, '/') == image.len ? 0 : str_rfind(image, '/') + 1);
    bool tagged = str_find(last, ':') < last.len, pinned = str_find(last, '@') < last.len;
    bool latest = !pinned && (!tagged || str_ends(last, STR(":latest")));
    container = set_default(arena, container, STR("imagePullPolicy"),
                            latest ? "\"Always\"" : "\"IfNotPresent\"", false);
    return fill(arena, container, "container");
}

static const struct value *fill_pod(struct arena *arena, const struct value *pod)
{
    static const char *const lists[] = {"containers", "initContainers"};
    struct str account = value_str(value_key(pod, "serviceAccountName"));
    if (!value_is(pod, VALUE_MAP))
        return pod;
    for (size_t i = 0; i < COUNT_OF(lists); i++)
        if (value_is(value_key(pod, lists[i]), VALUE_LIST))
            pod = value_with(arena, pod, str_of(lists[i]),
                             value_change_items(arena, value_key(pod, lists[i]), fill_container, NULL));
    if (account.len) /* the old name of the field is kept in step */
        pod = value_with(arena, pod, STR("serviceAccount"), value_string(arena, account));
    return fill(arena, pod, "pod");
}

static const struct value *fill_pod_in(struct arena *arena, const struct value *object,
                                       const char *const *path)
{
    const struct value *pod = value_in(object, path);
    return pod ? value_with_in(arena, object, path, fill_pod(arena, pod)) : object;
}

/* Requests that are not given are the limits; for pods only, not for templates. */
static const struct value *requests_of_limits(struct arena *arena, const struct value *container, void *ctx)
{
    MEMBER_EACH(limit, value_in(container, PATH("resources", "limits"))) {
        const char *key = str_c(arena, limit->key);
        if (value_in(container, PATH("resources", "requests", key)) == NULL)
            container = value_with_in(arena, container, PATH("resources", "requests", key), &limit->value);
    }
    return container;
}

static const struct value *fill_bare_pod(struct arena *arena, const struct value *pod)
{
    const struct value *spec = fill_pod(arena, fill(arena, value_key(pod, "spec"), "bare-pod"));
    const struct value *containers =
        value_change_items(arena, value_key(spec, "containers"), requests_of_limits, NULL);
    spec =
        value_with(arena, spec, STR("containers"), containers ? containers : value_list_of(arena, NULL, 0));
    return value_with(arena, pod, STR("spec"), spec);
}

static const struct value *default_target_port(struct arena *arena, const struct value *port, void *ctx)
{
    const struct value *number = value_key(port, "port");
    return value_key(port, "targetPort") || number == NULL
               ? port
               : value_with(arena, port, STR("targetPort"), number);
}

static const struct value *allocate_node_port(struct arena *arena, const struct value *port, void *ctx)
{
    struct sandbox *sandbox = ctx;
    return value_key(port, "nodePort") ? port
                                       : value_with(arena, port, STR("nodePort"),
                                                    value_int(arena, 30000 + sandbox->next_port++ % 2768));
}

static const struct value *allocate_ip(struct sandbox *sandbox, struct arena *arena)
{
    uint32_t n = ++sandbox->next_ip;
    return value_string(arena, str_fmt(arena, "10.96.%u.%u", n >> 8 & 255, n & 255));
}

/* Cluster IPs, families and node ports; an update keeps what was allocated. */
static const struct value *fill_service(struct call *call, const struct value *object,
                                        const struct value *before)
{
    struct arena *arena = call->arena;
    const struct value *spec = value_key(object, "spec"), *had = value_key(before, "spec");
    struct str type = value_str(value_key(spec, "type"));
    bool node_ports = str_is(type, "NodePort") || str_is(type, "LoadBalancer");
    if (value_is(value_key(spec, "ports"), VALUE_LIST))
        spec = value_with(arena, spec, STR("ports"),
                          value_change_items(arena, value_key(spec, "ports"), default_target_port, NULL));
    if (str_is(type, "ExternalName"))
        return value_with(arena, object, STR("spec"), spec);
    if (value_key(spec, "clusterIP") == NULL)
        spec = value_with(arena, spec, STR("clusterIP"),
                          value_key(had, "clusterIP") ? value_key(had, "clusterIP")
                                                      : allocate_ip(call->sandbox, arena));
    spec = value_with(arena, spec, STR("clusterIPs"), VALUE_LIST(arena, value_key(spec, "clusterIP")));
    spec = set_default(arena, spec, STR("ipFamilies"), "[\"IPv4\"]", false);
    spec = set_default(arena, spec, STR("ipFamilyPolicy"), "\"SingleStack\"", false);
    spec = set_default(arena, spec, STR("internalTrafficPolicy"), "\"Cluster\"", false);
    if (node_ports) {
        spec = set_default(arena, spec, STR("externalTrafficPolicy"), "\"Cluster\"", false);
        spec = value_with(
            arena, spec, STR("ports"),
            value_change_items(arena, value_key(spec, "ports"), allocate_node_port, call->sandbox));
    }
    if (str_is(type, "LoadBalancer"))
        spec = set_default(arena, spec, STR("allocateLoadBalancerNodePorts"), "true", false);
    return value_with(arena, object, STR("spec"), spec);
}

static const struct value *fill_namespace(struct call *call, const struct value *object)
{
    struct arena *arena = call->arena;
    object = value_with_in(arena, object, PATH("metadata", "labels", "kubernetes.io/metadata.name"),
                           value_string(arena, call->name));
    object = set_default(arena, object, STR("spec.finalizers"), "[\"kubernetes\"]", true);
    return set_default(arena, object, STR("status.phase"), "\"Active\"", true);
}

static const struct value *fill_secret(struct arena *arena, const struct value *object)
{
    MEMBER_EACH(member, value_key(object, "stringData")) {
        object = value_with_in(
            arena, object, PATH("data", str_c(arena, member->key)),
            value_string(arena, base64_encode(arena, value_str(&member->value), BASE64_STANDARD)));
    }
    return value_without(arena, object, STR("stringData"));
}

static const struct value *fill_strategy(struct arena *arena, const struct value *object)
{
    struct str kind = value_str(value_key(object, "kind"));
    bool deployment = str_is(kind, "Deployment"), stateful = str_is(kind, "StatefulSet");
    const char *field = deployment ? "strategy" : "updateStrategy";
    if (!str_is(value_str_in(object, PATH("spec", field, "type")), "RollingUpdate"))
        return object;
    struct str at = str_fmt(arena, "spec.%s.rollingUpdate.", field);
    if (stateful)
        return set_default(arena, object, str_fmt(arena, "%.*spartition", STR_ARG(at)), "0", true);
    object = set_default(arena, object, str_fmt(arena, "%.*smaxUnavailable", STR_ARG(at)),
                         deployment ? "\"25%\"" : "1", true);
    return set_default(arena, object, str_fmt(arena, "%.*smaxSurge", STR_ARG(at)),
                       deployment ? "\"25%\"" : "0", true);
}

/* The selector and the labels by which a Job knows its pods. */
static const struct value *fill_job(struct arena *arena, const struct value *object,
                                    const struct value *before)
{
    if (value_true(value_in(object, PATH("spec", "manualSelector"))) || before != NULL)
        return object;
    const struct value *uid = value_in(object, PATH("metadata", "uid")),
                       *name = value_in(object, PATH("metadata", "name"));
    const struct {
        const char *label;
        const struct value *value;
    } labels[] = {{"batch.kubernetes.io/controller-uid", uid},
                  {"batch.kubernetes.io/job-name", name},
                  {"controller-uid", uid},
                  {"job-name", name}};
    for (size_t i = 0; i < COUNT_OF(labels) && labels[i].value; i++)
        object = value_with_in(arena, object, PATH("spec", "template", "metadata", "labels", labels[i].label),
                               labels[i].value);
    return value_with_in(arena, object,
                         PATH("spec", "selector", "matchLabels", "batch.kubernetes.io/controller-uid"), uid);
}

static const struct value *fill_policy(struct arena *arena, const struct value *object)
{
    return set_default(
        arena, object, STR("spec.policyTypes"),
        value_in(object, PATH("spec", "egress")) ? "[\"Ingress\",\"Egress\"]" : "[\"Ingress\"]", false);
}

static const struct value *fill_subject(struct arena *arena, const struct value *subject, void *ctx)
{
    bool account = str_is(value_str(value_key(subject, "kind")), "ServiceAccount");
    return account ? subject
                   : set_default(arena, subject, STR("apiGroup"), "\"rbac.authorization.k8s.io\"", false);
}

static const struct value *fill_definition(struct arena *arena, const struct value *object)
{
    struct str kind = value_str_in(object, PATH("spec", "names", "kind"));
    object = value_with_in(arena, object, PATH("spec", "names"),
                           set_default(arena, value_in(object, PATH("spec", "names")), STR("listKind"),
                                       str_c(arena, str_fmt(arena, "\"%.*sList\"", STR_ARG(kind))), false));
    struct str singular = str_lower(arena, kind);
    return set_default(arena, object, STR("spec.names.singular"),
                       str_c(arena, str_fmt(arena, "\"%.*s\"", STR_ARG(singular))), false);
}

static const struct value *fill_special(struct call *call, const struct value *object,
                                        const struct value *before)
{
    struct str kind = call->type->type.kind;
    struct arena *arena = call->arena;
    if (str_is(kind, "Service"))
        return fill_service(call, object, before);
    if (str_is(kind, "Namespace"))
        return fill_namespace(call, object);
    if (str_is(kind, "Secret"))
        return fill_secret(arena, object);
    if (str_is(kind, "PersistentVolumeClaim"))
        return admission_claim(call->sandbox, arena, object);
    if (str_is(kind, "PersistentVolume"))
        return admission_protect(arena, object, "kubernetes.io/pv-protection");
    if (str_is(kind, "Job"))
        return fill_job(arena, object, before);
    if (str_is(kind, "NetworkPolicy"))
        return fill_policy(arena, object);
    if (str_is(kind, "CustomResourceDefinition"))
        return fill_definition(arena, object);
    if (str_is(kind, "Pod") && before == NULL)
        return admission_pod(call->sandbox, arena, fill_bare_pod(arena, object));
    if (str_ends(kind, STR("RoleBinding")) && value_is(value_key(object, "subjects"), VALUE_LIST))
        return value_with(arena, object, STR("subjects"),
                          value_change_items(arena, value_key(object, "subjects"), fill_subject, NULL));
    return fill_strategy(arena, object);
}

/* Defaults that a CRD's schema states, where the parent exists. */
static const struct value *fill_custom(struct arena *arena, const struct value *value,
                                       const struct value *schema)
{
    if (!value_is(value, VALUE_MAP))
        return value;
    MEMBER_EACH(property, value_key(schema, "properties")) {
        const struct value *now = value_get(value, property->key);
        const struct value *standard = value_key(&property->value, "default");
        const struct value *filled = now ? now : standard;
        if (filled != NULL)
            filled = fill_custom(arena, filled, &property->value);
        if (filled != NULL && filled != now)
            value = value_with(arena, value, property->key, filled);
    }
    return value;
}

const struct value *defaults_fill(struct call *call, const struct value *object, const struct value *before)
{
    struct arena *arena = call->arena;
    if (call->type->crd.len)
        return fill_custom(arena, object, call->type->schema);
    object = fill(arena, object, str_c(arena, call->type->type.kind));
    if (!str_is(call->type->type.kind, "Pod"))
        object = fill_pod_in(arena, object, PATH("spec", "template", "spec"));
    object = fill_pod_in(arena, object, PATH("spec", "jobTemplate", "spec", "template", "spec"));
    return fill_special(call, object, before);
}
