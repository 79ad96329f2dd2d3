#include "quality/place.h"

#include "core/kube/selector.h"

static void push_ref(struct arena *arena, struct resource_refs *refs, const struct resource *resource)
{
    *ARENA_PUSH(arena, refs) = resource; // NOLINT(bugprone-sizeof-expression): a list of pointers is meant
}

void place_add_workload(struct arena *arena, struct place *place, const struct workload *workload)
{
    *ARENA_PUSH(arena, &place->workloads) = *workload;
}

void place_add(struct arena *arena, struct place *place, const struct resource *resource)
{
    if (resource_is(resource, "policy", "PodDisruptionBudget"))
        push_ref(arena, &place->budgets, resource);
    else if (resource_is(resource, "autoscaling", "HorizontalPodAutoscaler"))
        push_ref(arena, &place->autoscalers, resource);
    else if (resource_is(resource, "", "LimitRange"))
        push_ref(arena, &place->limit_ranges, resource);
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
