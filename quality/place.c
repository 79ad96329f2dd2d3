#include "quality/place.h"

#include <stdlib.h>

#include "core/kube/selector.h"

static void push_ref(struct arena *arena, struct resource_refs *refs, const struct resource *resource)
{
    *ARENA_PUSH(arena, refs) = resource; // NOLINT(bugprone-sizeof-expression): a list of pointers is meant
}

/* A StatefulSet's claims are named <template>-<set>-<number>. */
static void add_claims(struct arena *arena, struct place *place, const struct workload *workload)
{
    VALUE_EACH(volume, value_key(workload->pod_spec, "volumes")) {
        struct str claim = value_str_in(volume, PATH("persistentVolumeClaim", "claimName"));
        if (claim.len != 0)
            *ARENA_PUSH(arena, &place->claims) = claim;
    }
    VALUE_EACH(template, value_in(workload->resource->object, PATH("spec", "volumeClaimTemplates")))
        *ARENA_PUSH(arena, &place->claims_of) =
            str_fmt(arena, "%.*s-%.*s", STR_ARG(value_str_in(template, PATH("metadata", "name"))),
                    STR_ARG(workload->resource->name));
}

void place_add_workload(struct arena *arena, struct place *place, const struct workload *workload)
{
    MEMBER_EACH(label, workload->labels)
        labels_add(arena, &place->labels, label, place->workloads.count);
    *ARENA_PUSH(arena, &place->workloads) = *workload;
    add_claims(arena, place, workload);
}

static void add_budget(struct arena *arena, struct place *place, const struct resource *budget)
{
    const struct value *wanted = value_in(budget->object, PATH("spec", "selector", "matchLabels"));
    const struct member *first = value_members(wanted);
    if (first == NULL)
        push_ref(arena, &place->loose_budgets, budget);
    else {
        labels_add(arena, &place->budgeted, first, place->budgets.count);
        push_ref(arena, &place->budgets, budget);
    }
}

void place_add(struct arena *arena, struct place *place, const struct resource *resource)
{
    const struct value *spec = value_key(resource->object, "spec");
    struct str secret = STR_NONE;
    if (resource_is(resource, "policy", "PodDisruptionBudget"))
        add_budget(arena, place, resource);
    else if (resource_is(resource, "autoscaling", "HorizontalPodAutoscaler"))
        push_ref(arena, &place->autoscalers, resource);
    else if (resource_is(resource, "", "LimitRange"))
        push_ref(arena, &place->limit_ranges, resource);
    else if (str_is(resource->kind, "Certificate"))
        secret = value_str(value_key(spec, "secretName"));
    else if (str_is(resource->kind, "ExternalSecret"))
        secret = value_str_in(spec, PATH("target", "name"));
    if (secret.len != 0)
        *ARENA_PUSH(arena, &place->made_secrets) = secret;
}

struct target {
    struct str name, kind;
};

static struct target target_of(const struct resource *autoscaler)
{
    const struct value *target = value_in(autoscaler->object, PATH("spec", "scaleTargetRef"));
    return (struct target){value_str(value_key(target, "name")), value_str(value_key(target, "kind"))};
}

static int target_cmp(const struct target *a, const struct target *b)
{
    int order = str_cmp(a->name, b->name);
    return order ? order : str_cmp(a->kind, b->kind);
}

/* Of several for one target the first of the bundle counts: both are elements of its array. */
static int autoscaler_order(const void *a, const void *b)
{
    const struct resource *x = *(const struct resource *const *)a, *y = *(const struct resource *const *)b;
    struct target target_x = target_of(x), target_y = target_of(y);
    int order = target_cmp(&target_x, &target_y);
    return order ? order : (x > y) - (x < y);
}

static void sort_names(struct str_list *names)
{
    if (names->count != 0)
        qsort(names->items, names->count, sizeof *names->items, str_qsort);
}

void place_close(struct place *place)
{
    struct resource_refs *autoscalers = &place->autoscalers;
    if (autoscalers->count != 0)
        qsort(autoscalers->items, autoscalers->count, sizeof(struct resource *), autoscaler_order);
    labels_sort(&place->labels);
    labels_sort(&place->budgeted);
    sort_names(&place->claims);
    sort_names(&place->claims_of);
    sort_names(&place->made_secrets);
}

struct place_walk place_selected_by(const struct place *place, const struct value *label_selector)
{
    const struct value *wanted = value_key(label_selector, "matchLabels");
    return (struct place_walk){.place = place,
                               .selector = label_selector,
                               .range = labels_rarest(&place->labels, wanted, place->workloads.count)};
}

struct place_walk place_selected_by_map(const struct place *place, const struct value *labels)
{
    struct place_walk walk = {.place = place, .labels = labels};
    if (value_count(labels) != 0) /* an empty one selects nothing */
        walk.range = labels_rarest(&place->labels, labels, place->workloads.count);
    return walk;
}

const struct workload *place_next(struct place_walk *walk)
{
    size_t index;
    while (labels_next(&walk->place->labels, &walk->range, &index)) {
        const struct workload *workload = &walk->place->workloads.items[index];
        if (walk->selector ? selector_matches(walk->selector, workload->labels)
                           : selector_map_matches(walk->labels, workload->labels))
            return workload;
    }
    return NULL;
}

const struct resource *place_autoscaler(const struct place *place, const struct resource *workload)
{
    const struct resource_refs *autoscalers = &place->autoscalers;
    struct target wanted = {workload->name, workload->kind};
    size_t from = 0, to = autoscalers->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        struct target target = target_of(autoscalers->items[middle]);
        if (target_cmp(&target, &wanted) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    if (from == autoscalers->count)
        return NULL;
    struct target found = target_of(autoscalers->items[from]);
    return target_cmp(&found, &wanted) == 0 ? autoscalers->items[from] : NULL;
}

static bool is_under(const struct workload *workload, const struct resource *budget)
{
    return selector_matches(value_in(budget->object, PATH("spec", "selector")), workload->labels);
}

bool place_has_budget_for(const struct place *place, const struct workload *workload)
{
    for (size_t i = 0; i < place->loose_budgets.count; i++)
        if (is_under(workload, place->loose_budgets.items[i]))
            return true;
    MEMBER_EACH(label, workload->labels) {
        struct label_range range = labels_with(&place->budgeted, label);
        for (size_t budget; labels_next(&place->budgeted, &range, &budget);)
            if (is_under(workload, place->budgets.items[budget]))
                return true;
    }
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

static bool has_name(const struct str_list *names, struct str name)
{
    return names->count != 0 && bsearch(&name, names->items, names->count, sizeof name, str_qsort) != NULL;
}

bool place_mounts(const struct place *place, struct str claim)
{
    size_t dash = str_rfind(claim, '-');
    uint64_t number;
    return has_name(&place->claims, claim) || (str_to_u64(str_from(claim, dash + 1), &number) &&
                                               has_name(&place->claims_of, str_slice(claim, 0, dash)));
}

bool place_makes_secret(const struct place *place, struct str name)
{
    return has_name(&place->made_secrets, name);
}
