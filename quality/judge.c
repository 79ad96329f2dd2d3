#include "quality/judge.h"

#include <stdarg.h>
#include <stdio.h>

enum { MAX_PATH_TEXT = 1024, MAX_DETAIL_TEXT = 300 };

const struct check checks[CHECK_COUNT] = {
#define CHECK(id, dimension, severity, applies, function, message, fix)                                      \
    {id, DIMENSION_##dimension, SEVERITY_##severity, applies, function, message, fix},
#include "quality/checks.def"
#undef CHECK
};

static const struct {
    const char *name, *title;
} dimension_texts[DIMENSION_COUNT] = {
    {"schema", "Schema compliance"},
    {"security", "Security hardening"},
    {"production", "Production readiness"},
    {"resources", "Resource optimisation"},
};

const char *dimension_name(enum dimension dimension)
{
    return dimension_texts[dimension].name;
}

const char *dimension_title(enum dimension dimension)
{
    return dimension_texts[dimension].title;
}

bool container_is_main(const struct container *container)
{
    return str_is(str_of(container->list), "containers");
}

bool container_has_resources(const struct container *container)
{
    return !str_is(str_of(container->list), "ephemeralContainers");
}

/* A text that was cut to fit, without the first half of a character at its end. */
static struct str whole_characters(const char *text)
{
    struct str cut = str_of(text);
    while (cut.len != 0 && !str_is_utf8(cut))
        cut.len--;
    return cut;
}

struct str detail(struct subject *subject, const char *fmt, ...)
{
    char text[MAX_PATH_TEXT];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return str_dup(subject->scratch, whole_characters(text));
}

/* The one place where a finding is made. Past the bounds it is only counted. */
PRINTF_LIKE(4, 0)
static void keep_finding(struct subject *subject, struct str more, const char *prefix, const char *fmt,
                         va_list args)
{
    struct judge *judge = subject->judge;
    struct check_count *count = &judge->counts[judge->check - checks];
    if (judge->found++ >= FOUND_PER_CHECK_AND_RESOURCE || count->kept >= FOUND_PER_CHECK) {
        count->dropped++;
        return;
    }
    char path[MAX_PATH_TEXT], text[MAX_DETAIL_TEXT];
    vsnprintf(path, sizeof path, fmt, args);
    snprintf(text, sizeof text, "%.*s", STR_ARG(more));
    more = whole_characters(text);
    struct str where = whole_characters(path);

    const struct resource *resource = subject->resource;
    const char *message = judge->check->message;
    count->kept++;
    struct finding finding =
        finding_about(judge->arena, resource, judge->check->id, judge->check->severity,
                      more.len ? str_fmt(judge->arena, "%s: %.*s", message, STR_ARG(more)) : str_of(message),
                      judge->check->fix);
    finding.dimension = str_of(dimension_name(judge->check->dimension));
    finding.path = str_fmt(judge->arena, "%s%.*s", prefix, STR_ARG(where));
    *ARENA_PUSH(judge->arena, judge->findings) = finding;
}

void found(struct subject *subject, struct str more, const char *path, ...)
{
    va_list args;
    va_start(args, path);
    keep_finding(subject, more, "", path, args);
    va_end(args);
}

void found_in_pod(struct subject *subject, struct str more, const char *path, ...)
{
    char prefix[MAX_PATH_TEXT];
    va_list args;
    snprintf(prefix, sizeof prefix, "%sspec.", subject->workload.pods_path);
    va_start(args, path);
    keep_finding(subject, more, prefix, path, args);
    va_end(args);
}

void found_in_container(struct subject *subject, const struct container *container, struct str more,
                        const char *path, ...)
{
    char prefix[MAX_PATH_TEXT];
    va_list args;
    snprintf(prefix, sizeof prefix, "%sspec.%s[%zu]%s", subject->workload.pods_path, container->list,
             container->index, path[0] ? "." : "");
    va_start(args, path);
    keep_finding(subject, more.len ? more : container->name, prefix, path, args);
    va_end(args);
}

unsigned judge_applies(const struct resource *resource)
{
    static const struct {
        const char *group, *kind;
        unsigned applies;
    } kinds[] = {
        {"", "Pod", NAKED_PODS},
        {"apps", "StatefulSet", STATEFUL_SETS},
        {"batch", "CronJob", CRON_JOBS},
        {"", "Service", SERVICES},
        {"networking.k8s.io", "Ingress", INGRESSES},
        {"route.openshift.io", "Route", INGRESSES},
        {"networking.k8s.io", "NetworkPolicy", POLICIES},
        {"", "Namespace", NAMESPACES},
        {"rbac.authorization.k8s.io", "Role", ROLES},
        {"rbac.authorization.k8s.io", "ClusterRole", ROLES},
        {"rbac.authorization.k8s.io", "RoleBinding", BINDINGS},
        {"rbac.authorization.k8s.io", "ClusterRoleBinding", BINDINGS},
        {"autoscaling", "HorizontalPodAutoscaler", AUTOSCALERS},
        {"policy", "PodDisruptionBudget", BUDGETS},
        {"", "Secret", SECRETS},
        {"", "ConfigMap", CONFIG_MAPS},
        {"", "PersistentVolumeClaim", CLAIMS},
    };
    struct workload workload;
    unsigned applies = ANY;
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (resource_is(resource, kinds[i].group, kinds[i].kind))
            applies |= kinds[i].applies;
    if (workload_of(resource, &workload)) {
        applies |= WORKLOADS;
        applies |= workload.traits & WORKLOAD_SERVES ? SERVING : 0;
        applies |= workload.traits & WORKLOAD_SCALES ? SCALING : 0;
        applies |= workload.traits & WORKLOAD_FINISHES ? FINISHING : 0;
    }
    return applies;
}

static void list_containers(struct subject *subject, struct container *containers)
{
    static const char *const lists[] = {"initContainers", "containers", "ephemeralContainers"};
    subject->containers = containers;
    for (size_t l = 0; l < COUNT_OF(lists); l++) {
        const struct value *list = value_key(subject->pod, lists[l]);
        for (size_t i = 0; i < value_count(list) && subject->container_count < CONTAINERS_PER_POD; i++) {
            const struct value *value = value_item(list, i);
            containers[subject->container_count++] = (struct container){
                .value = value,
                .security = value_key(value, "securityContext"),
                .name = value_str(value_key(value, "name")),
                .list = lists[l],
                .index = i,
            };
        }
    }
}

static void look(struct subject *subject, struct verdict *verdict)
{
    struct judge *judge = subject->judge;
    for (size_t i = 0; i < CHECK_COUNT; i++) {
        verdict->applies[i] = (checks[i].applies & subject->applies) != 0;
        verdict->findings[i] = 0;
        if (!verdict->applies[i])
            continue;
        judge->check = &checks[i];
        judge->found = 0;
        checks[i].look(subject);
        verdict->findings[i] = judge->found;
        judge->counts[i].applied++;
        judge->counts[i].violations += judge->found != 0;
    }
}

void judge_resource(struct judge *judge, const struct estate *estate, const struct openapi *openapi,
                    struct arena *scratch, const struct resource *resource, struct verdict *ret_verdict)
{
    struct container containers[CONTAINERS_PER_POD];
    struct openapi_faults faults = {.count = 0};
    bool is_namespace = resource_is(resource, "", "Namespace");
    struct subject subject = {
        .estate = estate,
        .place = &estate->place,
        .facts = estate_facts(estate, is_namespace ? resource->name : resource->namespace),
        .resource = resource,
        .applies = judge_applies(resource),
        .faults = &faults,
        .judge = judge,
        .scratch = scratch,
    };
    if (workload_of(resource, &subject.workload)) {
        subject.pod = subject.workload.pod_spec;
        list_containers(&subject, containers);
    }
    if (openapi != NULL)
        openapi_validate(openapi, scratch, resource, &faults);
    look(&subject, ret_verdict);
}
