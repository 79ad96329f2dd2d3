/* Would the API server take it? What needs no schema document; the rest is openapi.c's. Sources: Kubernetes docs
 * "Object Names and IDs", "Labels and Selectors", "Deprecated API Migration Guide". */
#include "core/kube/retired.h"
#include "core/kube/selector.h"
#include "quality/check.h"

enum { MAX_LABEL = 63, MAX_SUBDOMAIN = 253, MAX_ANNOTATIONS = 256 * 1024 };

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_lower_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* Labels joined by dots; the parts may be longer than 63 here, as Kubernetes has it. */
static bool is_dns_subdomain(struct str text)
{
    if (text.len == 0 || text.len > MAX_SUBDOMAIN)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        bool edge = i == 0 || i + 1 == text.len || text.ptr[i - 1] == '.' || text.ptr[i + 1] == '.';
        char c = text.ptr[i];
        if (c != '.' && !is_lower_alnum(c) && (c != '-' || edge))
            return false;
        if (c == '.' && edge)
            return false;
    }
    return true;
}

static bool is_path_segment(struct str text)
{
    return text.len != 0 && text.len <= MAX_SUBDOMAIN && !str_is(text, ".") && !str_is(text, "..") &&
           str_find(text, '/') == text.len && str_find(text, '%') == text.len;
}

/* Letters, digits, '-', '_', '.', at both ends a letter or digit. */
static bool is_qualified(struct str text)
{
    if (text.len == 0 || text.len > MAX_LABEL || !is_alnum(text.ptr[0]) || !is_alnum(text.ptr[text.len - 1]))
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (!is_alnum(text.ptr[i]) && text.ptr[i] != '-' && text.ptr[i] != '_' && text.ptr[i] != '.')
            return false;
    return true;
}

static bool is_label_key(struct str key)
{
    size_t slash = str_find(key, '/');
    if (slash == key.len)
        return is_qualified(key);
    struct str prefix = str_slice(key, 0, slash);
    return is_dns_subdomain(prefix) && is_qualified(str_from(key, slash + 1));
}

/* Groups whose kinds all have DNS subdomains for names. Others (RBAC, custom resources of old) take any path segment. */
static bool wants_subdomain(struct str group)
{
    static const char *const groups[] = {"",
                                         "apps",
                                         "batch",
                                         "networking.k8s.io",
                                         "autoscaling",
                                         "policy",
                                         "storage.k8s.io",
                                         "apiextensions.k8s.io"};
    for (size_t i = 0; i < COUNT_OF(groups); i++)
        if (str_is(group, groups[i]))
            return true;
    return false;
}

static bool is_name(const struct resource *resource)
{
    if (resource_is(resource, "", "Namespace") || resource_is(resource, "", "Service"))
        return str_is_dns_label(resource->name);
    return wants_subdomain(resource_group(resource)) ? is_dns_subdomain(resource->name)
                                                     : is_path_segment(resource->name);
}

void check_metadata(struct subject *subject)
{
    const struct resource *resource = subject->resource;
    if (!is_name(resource))
        found(subject, resource->name, "metadata.name");
    if (resource->namespace.len != 0 && !str_is_dns_label(resource->namespace))
        found(subject, resource->namespace, "metadata.namespace");
}

static void check_label_map(struct subject *subject, const struct value *labels, struct str path)
{
    if (labels != NULL && !value_is(labels, VALUE_MAP) && !value_is(labels, VALUE_NULL))
        found(subject, STR("not a map"), "%.*s", STR_ARG(path));
    MEMBER_EACH(label, labels) {
        struct str value = value_str(&label->value);
        if (!is_label_key(label->key) || !value_is(&label->value, VALUE_STRING) ||
            (value.len != 0 && !is_qualified(value)))
            found(subject, label->key, "%.*s", STR_ARG(path));
    }
}

static void check_annotations(struct subject *subject, const struct value *annotations)
{
    size_t bytes = 0;
    MEMBER_EACH(annotation, annotations) {
        bytes += annotation->key.len + value_str(&annotation->value).len;
        if (!is_label_key(annotation->key) || !value_is(&annotation->value, VALUE_STRING))
            found(subject, annotation->key, "metadata.annotations");
    }
    if (bytes > MAX_ANNOTATIONS)
        found(subject, STR("more than 256 KiB in all"), "metadata.annotations");
}

void check_labels(struct subject *subject)
{
    const struct value *metadata = value_key(subject->resource->object, "metadata");
    check_label_map(subject, value_key(metadata, "labels"), STR("metadata.labels"));
    check_annotations(subject, value_key(metadata, "annotations"));
    if (subject->workload.labels != NULL && subject->workload.pods != subject->resource->object)
        check_label_map(subject, subject->workload.labels,
                        detail(subject, "%smetadata.labels", subject->workload.pods_path));
}

static void report_faults(struct subject *subject, enum openapi_fault_kind kind)
{
    for (size_t i = 0; i < subject->faults->count; i++) {
        const struct openapi_fault *fault = &subject->faults->items[i];
        if (fault->kind == kind)
            found(subject, fault->detail, "%.*s", STR_ARG(fault->path));
    }
}

void check_unknown_fields(struct subject *subject)
{
    report_faults(subject, OPENAPI_UNKNOWN_FIELD);
}

void check_types(struct subject *subject)
{
    report_faults(subject, OPENAPI_WRONG_TYPE);
}

void check_required_fields(struct subject *subject)
{
    report_faults(subject, OPENAPI_MISSING_FIELD);
}

void check_values(struct subject *subject)
{
    report_faults(subject, OPENAPI_BAD_VALUE);
}

static bool is_removed(const struct subject *subject, const struct retired_api *api)
{
    return api->removed != 0 && kubernetes_minor(subject->estate->bundle->server_version) >= api->removed;
}

void check_removed_api(struct subject *subject)
{
    const struct retired_api *api = retired_api_of(subject->resource);
    if (api != NULL && is_removed(subject, api))
        found(subject, detail(subject, "gone in 1.%u, now %s", api->removed, api->successor), "apiVersion");
}

void check_deprecated_api(struct subject *subject)
{
    const struct retired_api *api = retired_api_of(subject->resource);
    if (api != NULL && !is_removed(subject, api))
        found(subject, detail(subject, "use %s", api->successor), "apiVersion");
}

/* Jobs get their selector from the server; the old kinds take the template's labels when they say none. */
void check_selector(struct subject *subject)
{
    const struct value *selector = value_in(subject->resource->object, PATH("spec", "selector"));
    bool plain = resource_is(subject->resource, "", "ReplicationController") ||
                 resource_is(subject->resource, "apps.openshift.io", "DeploymentConfig");
    if (subject->applies & (NAKED_PODS | FINISHING) || (plain && value_count(selector) == 0))
        return;
    if (plain ? !selector_map_matches(selector, subject->workload.labels)
              : !selector_matches(selector, subject->workload.labels))
        found(subject, STR_NONE, "spec.selector");
}

static bool name_came_before(const struct subject *subject, const struct container *container)
{
    EACH_CONTAINER(c, subject) {
        if (c == container)
            return false;
        if (str_eq(c->name, container->name))
            return true;
    }
    return false;
}

void check_containers(struct subject *subject)
{
    bool image_may_wait = resource_is(subject->resource, "apps.openshift.io", "DeploymentConfig");
    if (value_count(value_key(subject->pod, "containers")) == 0)
        found_in_pod(subject, STR_NONE, "containers");
    EACH_CONTAINER(c, subject) {
        if (!str_is_dns_label(c->name))
            found_in_container(subject, c, STR("no name, or not a DNS label"), "name");
        else if (name_came_before(subject, c))
            found_in_container(subject, c, detail(subject, "the name %.*s comes twice", STR_ARG(c->name)),
                               "name");
        if (!image_may_wait && value_str(value_key(c->value, "image")).len == 0)
            found_in_container(subject, c, STR_NONE, "image");
    }
}

static bool has_volume(const struct subject *subject, struct str name)
{
    VALUE_EACH(volume, value_key(subject->pod, "volumes"))
        if (str_eq(value_str(value_key(volume, "name")), name))
            return true;
    VALUE_EACH(claim, value_in(subject->resource->object, PATH("spec", "volumeClaimTemplates")))
        if (str_eq(value_str_in(claim, PATH("metadata", "name")), name))
            return true;
    return false;
}

void check_volume_mounts(struct subject *subject)
{
    EACH_CONTAINER(c, subject) {
        size_t i = 0;
        VALUE_EACH(mount, value_key(c->value, "volumeMounts")) {
            struct str name = value_str(value_key(mount, "name"));
            if (!has_volume(subject, name))
                found_in_container(subject, c, name, "volumeMounts[%zu].name", i);
            i++;
        }
    }
}

static bool port_came_before(const struct value *ports, size_t index, struct str name)
{
    for (size_t i = 0; i < index; i++)
        if (str_eq(value_str(value_key(value_item(ports, i), "name")), name))
            return true;
    return false;
}

void check_service_ports(struct subject *subject)
{
    const struct value *ports = value_in(subject->resource->object, PATH("spec", "ports"));
    for (size_t i = 0; i < value_count(ports); i++) {
        const struct value *port = value_item(ports, i);
        struct str name = value_str(value_key(port, "name"));
        int64_t number = 0;
        if (!value_i64(value_key(port, "port"), &number) || number < 1 || number > 65535)
            found(subject, STR_NONE, "spec.ports[%zu].port", i);
        if ((name.len == 0 && value_count(ports) > 1) || port_came_before(ports, i, name))
            found(subject, name, "spec.ports[%zu].name", i);
    }
}
