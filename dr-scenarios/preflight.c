#include "dr-scenarios/preflight.h"

#include "core/kube/pod_security.h"
#include "core/kube/quantity.h"

/* The objects of one namespace that rule, and those that are ruled. */
struct space {
    struct arena *arena;
    const struct bundle *bundle; /* sorted */
    struct findings *findings;
    size_t from, to; /* the namespace in it */
};

static void report(struct space *s, const struct resource *resource, const char *check, const char *path,
                   struct str message, const char *fix)
{
    struct finding finding = finding_about(s->arena, resource, check, SEVERITY_WARNING, message, fix);
    finding.path = str_of(path);
    *ARENA_PUSH(s->arena, s->findings) = finding;
}

#define EACH_IN_SPACE(resource_, s)                                                                          \
    for (const struct resource *resource_ = (s)->bundle->items + (s)->from,                                  \
                               *resource_##_end = (s)->bundle->items + (s)->to;                              \
         resource_ < resource_##_end; resource_++)

/* ---- what pods ask for ---- */

/* A container's request or limit, with what a LimitRange fills in where it says nothing. False when nothing does. */
static bool amount_of(struct space *s, const struct value *container, const char *which, const char *resource,
                      double *ret)
{
    bool request = str_is(str_of(which), "requests");
    if (quantity_of(value_in(container, PATH("resources", which, resource)), ret))
        return true;
    if (request && quantity_of(value_in(container, PATH("resources", "limits", resource)), ret))
        return true; /* the API server takes the limit for the request */
    EACH_IN_SPACE(range, s)
    {
        if (!resource_is(range, "", "LimitRange"))
            continue;
        VALUE_EACH(limit, value_in(range->object, PATH("spec", "limits"))) {
            if (!str_is(value_str(value_key(limit, "type")), "Container"))
                continue;
            if ((request && quantity_of(value_in(limit, PATH("defaultRequest", resource)), ret)) ||
                quantity_of(value_in(limit, PATH("default", resource)), ret))
                return true;
        }
    }
    return false;
}

/* Containers run together; of the init containers, one after the other, the greatest counts where it is greater. */
static double pod_amount(struct space *s, const struct workload *workload, const char *which,
                         const char *resource, bool *unsaid)
{
    double sum = 0, greatest = 0, amount;
    VALUE_EACH(container, value_key(workload->pod_spec, "containers")) {
        if (amount_of(s, container, which, resource, &amount))
            sum += amount;
        else
            *unsaid = true;
    }
    VALUE_EACH(container, value_key(workload->pod_spec, "initContainers")) {
        bool stays = str_is(value_str(value_key(container, "restartPolicy")), "Always");
        if (!amount_of(s, container, which, resource, &amount))
            continue;
        if (stays)
            sum += amount;
        else if (amount > greatest)
            greatest = amount;
    }
    return sum > greatest ? sum : greatest;
}

/* How many pods there are at least. Of a DaemonSet that is one per node: one, since nodes are not known. */
static int64_t pods_of(struct space *s, const struct workload *workload)
{
    const struct resource *of = workload->resource;
    int64_t least = workload_replicas(workload), count;
    if (resource_is(of, "batch", "CronJob"))
        return 0;
    if (resource_is(of, "batch", "Job") &&
        value_i64(value_in(of->object, PATH("spec", "parallelism")), &count))
        return count;
    EACH_IN_SPACE(scaler, s)
    {
        const struct value *target = value_in(scaler->object, PATH("spec", "scaleTargetRef"));
        if (resource_is(scaler, "autoscaling", "HorizontalPodAutoscaler") &&
            str_eq(value_str(value_key(target, "kind")), of->kind) &&
            str_eq(value_str(value_key(target, "name")), of->name) &&
            value_i64(value_in(scaler->object, PATH("spec", "minReplicas")), &count) && count > least)
            least = count;
    }
    return least;
}

/* ---- quotas ---- */

static double sum_of_pods(struct space *s, const char *which, const char *resource,
                          const struct resource **ret_unsaid)
{
    double sum = 0;
    EACH_IN_SPACE(of, s)
    {
        struct workload workload;
        bool unsaid = false;
        if (!workload_of(of, &workload))
            continue;
        int64_t pods = pods_of(s, &workload);
        sum += (double)pods * (which ? pod_amount(s, &workload, which, resource, &unsaid) : 1);
        if (unsaid && pods > 0 && *ret_unsaid == NULL)
            *ret_unsaid = of;
    }
    return sum;
}

static double sum_of_storage(struct space *s)
{
    double sum = 0, amount;
    const char *const *path = PATH("resources", "requests", "storage");
    EACH_IN_SPACE(of, s)
    {
        struct workload workload;
        if (resource_is(of, "", "PersistentVolumeClaim") &&
            quantity_of(value_in(value_key(of->object, "spec"), path), &amount))
            sum += amount;
        if (!workload_of(of, &workload))
            continue;
        VALUE_EACH(claim, value_in(of->object, PATH("spec", "volumeClaimTemplates")))
            if (quantity_of(value_in(value_key(claim, "spec"), path), &amount))
                sum += amount * (double)pods_of(s, &workload);
    }
    return sum;
}

static size_t claims_of_sets(struct space *s)
{
    size_t count = 0;
    EACH_IN_SPACE(of, s)
    {
        struct workload workload;
        if (workload_of(of, &workload))
            count += value_count(value_in(of->object, PATH("spec", "volumeClaimTemplates"))) *
                     (size_t)pods_of(s, &workload);
    }
    return count;
}

static bool is_service_of(const struct resource *resource, const char *type)
{
    return resource_is(resource, "", "Service") &&
           str_is(value_str_in(resource->object, PATH("spec", "type")), type);
}

/* "configmaps", "count/deployments.apps", "services.loadbalancers", …; false for what is not counted here. */
static bool count_of(struct space *s, struct str what, double *ret)
{
    size_t count = 0;
    bool known = false;
    struct str plural = str_starts(what, STR("count/")) ? str_from(what, 6) : what, group = plural;
    const char *type = str_is(what, "services.loadbalancers") ? "LoadBalancer"
                       : str_is(what, "services.nodeports")   ? "NodePort"
                                                              : NULL;
    str_cut(&group, '.');
    plural = str_slice(plural, 0, str_find(plural, '.'));
    const struct resource_type *counted = resource_type_find_plural(resource_builtin_types(), group, plural);
    EACH_IN_SPACE(of, s)
    {
        if (type != NULL)
            count += is_service_of(of, type);
        else if (counted != NULL && str_eq(counted->kind, of->kind) &&
                 str_eq(counted->group, resource_group(of)))
            count++;
    }
    known = type != NULL || counted != NULL;
    if (str_is(what, "persistentvolumeclaims"))
        count += claims_of_sets(s);
    *ret = (double)count;
    return known;
}

/* What the declared objects ask of one key of a quota. */
static bool asked_for(struct space *s, struct str key, double *ret, const struct resource **ret_unsaid)
{
    static const struct {
        const char *key, *which, *resource;
    } sums[] = {{"cpu", "requests", "cpu"},
                {"requests.cpu", "requests", "cpu"},
                {"memory", "requests", "memory"},
                {"requests.memory", "requests", "memory"},
                {"limits.cpu", "limits", "cpu"},
                {"limits.memory", "limits", "memory"},
                {"pods", NULL, NULL},
                {"count/pods", NULL, NULL},
                {"requests.ephemeral-storage", "requests", "ephemeral-storage"},
                {"limits.ephemeral-storage", "limits", "ephemeral-storage"}};
    for (size_t i = 0; i < COUNT_OF(sums); i++)
        if (str_is(key, sums[i].key)) {
            *ret = sum_of_pods(s, sums[i].which, sums[i].resource, ret_unsaid);
            return true;
        }
    if (str_is(key, "requests.storage")) {
        *ret = sum_of_storage(s);
        return true;
    }
    return count_of(s, key, ret);
}

static struct str amount_text(struct arena *arena, double amount)
{
    static const struct {
        double unit;
        const char *suffix;
    } units[] = {{1099511627776.0, "Ti"}, {1073741824.0, "Gi"}, {1048576.0, "Mi"}};
    for (size_t i = 0; i < COUNT_OF(units); i++)
        if (amount >= units[i].unit)
            return str_fmt(arena, "%g%s", amount / units[i].unit, units[i].suffix);
    return str_fmt(arena, "%g", amount);
}

static void check_quota(struct space *s, const struct resource *quota)
{
    const struct value *spec = value_key(quota->object, "spec");
    if (value_count(value_key(spec, "scopes")) != 0 || value_key(spec, "scopeSelector") != NULL)
        return; /* it counts some pods only */
    MEMBER_EACH(hard, value_key(spec, "hard")) {
        const struct resource *unsaid = NULL;
        double allowed, asked;
        if (!quantity_of(&hard->value, &allowed) || !asked_for(s, hard->key, &asked, &unsaid))
            continue;
        struct str key = str_fmt(s->arena, "spec.hard[\"%.*s\"]", STR_ARG(hard->key));
        if (asked > allowed)
            report(s, quota, "rebuild.quota", str_c(s->arena, key),
                   str_fmt(s->arena, "allows %.*s of %.*s, and the declared objects ask for %.*s",
                           STR_ARG(value_text(&hard->value)), STR_ARG(hard->key),
                           STR_ARG(amount_text(s->arena, asked))),
                   "raise the quota, or ask for less in this environment");
        if (unsaid != NULL)
            report(s, unsaid, "rebuild.quota", "",
                   str_fmt(s->arena, "says no %.*s, which the quota %.*s makes every container say",
                           STR_ARG(hard->key), STR_ARG(quota->name)),
                   "set it on the container, or a default in a LimitRange");
    }
}

/* ---- limits ---- */

static void hold_against(struct space *s, const struct resource *of, const struct resource *range,
                         const struct value *limit, struct str resource, double amount, bool request,
                         struct str whose)
{
    const char *key = str_c(s->arena, resource);
    double least, most;
    bool low = request && quantity_of(value_in(limit, PATH("min", key)), &least) && amount < least;
    bool high = quantity_of(value_in(limit, PATH("max", key)), &most) && amount > most;
    if (!low && !high)
        return;
    report(s, of, "rebuild.limit-range", "",
           str_fmt(s->arena, "%.*s asks for %.*s of %.*s, and LimitRange %.*s wants %s %.*s", STR_ARG(whose),
                   STR_ARG(amount_text(s->arena, amount)), STR_ARG(resource), STR_ARG(range->name),
                   low ? "at least" : "at most",
                   STR_ARG(value_text(value_in(limit, PATH(low ? "min" : "max", key))))),
           "change the resources, or the LimitRange");
}

static void check_containers(struct space *s, const struct workload *workload, const struct resource *range,
                             const struct value *limit)
{
    static const char *const keys[] = {"cpu", "memory", "ephemeral-storage"};
    static const char *const lists[] = {"initContainers", "containers"};
    for (size_t i = 0; i < COUNT_OF(lists) * COUNT_OF(keys); i++) {
        struct str key = str_of(keys[i % COUNT_OF(keys)]);
        VALUE_EACH(container, value_key(workload->pod_spec, lists[i / COUNT_OF(keys)])) {
            struct str whose =
                str_fmt(s->arena, "container %.*s", STR_ARG(value_str(value_key(container, "name"))));
            double amount;
            if (amount_of(s, container, "requests", key.ptr, &amount))
                hold_against(s, workload->resource, range, limit, key, amount, true, whose);
            else if (amount_of(s, container, "limits", key.ptr, &amount))
                hold_against(s, workload->resource, range, limit, key, amount, false, whose);
        }
    }
}

static void check_range(struct space *s, const struct resource *range)
{
    VALUE_EACH(limit, value_in(range->object, PATH("spec", "limits"))) {
        struct str type = value_str(value_key(limit, "type"));
        EACH_IN_SPACE(of, s)
        {
            struct workload workload;
            double amount;
            if (str_is(type, "Container") && workload_of(of, &workload))
                check_containers(s, &workload, range, limit);
            if (str_is(type, "PersistentVolumeClaim") && resource_is(of, "", "PersistentVolumeClaim") &&
                quantity_of(value_in(of->object, PATH("spec", "resources", "requests", "storage")), &amount))
                hold_against(s, of, range, limit, STR("storage"), amount, true, STR("the claim"));
        }
    }
}

/* ---- Pod Security ---- */

static void check_pod_security(struct space *s, const struct resource *namespace)
{
    const char *label = "pod-security.kubernetes.io/enforce";
    struct str text = value_str_in(namespace->object, PATH("metadata", "labels", label));
    enum pod_security level;
    if (!pod_security_level(text, &level))
        return;
    EACH_IN_SPACE(of, s)
    {
        struct workload workload;
        struct str_list faults = {0};
        if (!workload_of(of, &workload))
            continue;
        pod_security_faults(s->arena, &workload, level, &faults);
        if (faults.count != 0)
            report(s, of, "rebuild.pod-security", "",
                   str_fmt(s->arena, "its namespace enforces %.*s, which its pods break: %.*s", STR_ARG(text),
                           STR_ARG(str_join(s->arena, faults.items, faults.count, STR(", ")))),
                   "mend the pod template (harden does most of it), or lower the namespace's level");
    }
}

void preflight_check(struct arena *arena, const struct bundle *declared, struct findings *findings)
{
    struct bundle sorted = {.arena = arena};
    for (size_t i = 0; i < declared->count; i++)
        bundle_add(&sorted, &declared->items[i]);
    bundle_sort(&sorted);
    for (size_t i = 0; i < sorted.count; i++) {
        const struct resource *rules = &sorted.items[i];
        bool quota = resource_is(rules, "", "ResourceQuota"), range = resource_is(rules, "", "LimitRange");
        bool namespace = resource_is(rules, "", "Namespace");
        struct space s = {arena, &sorted, findings, 0, 0};
        if (!quota && !range && !namespace)
            continue;
        bundle_namespace(&sorted, namespace ? rules->name : rules->namespace, &s.from, &s.to);
        if (quota)
            check_quota(&s, rules);
        if (range)
            check_range(&s, rules);
        if (namespace)
            check_pod_security(&s, rules);
    }
}
