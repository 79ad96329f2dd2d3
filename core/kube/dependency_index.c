/* What is looked for again and again, sorted once: workloads by the labels of their pods, objects by kind and name. A
 * cluster where nobody depends on anything sorts nothing. */
#include <stdlib.h>

#include "core/kube/dependencies_intern.h"
#include "core/kube/workload.h"

/* The parts in the order of what `kinds` and `labels` of a graph are sorted by. */
static int entry_cmp(const struct dependency_entry *a, const struct dependency_entry *b)
{
    int order = str_cmp(a->namespace, b->namespace);
    if (order == 0)
        order = str_cmp(a->key, b->key);
    return order ? order : str_cmp(a->value, b->value);
}

static int entry_order(const void *a, const void *b)
{
    const struct dependency_entry *x = a, *y = b;
    int order = entry_cmp(x, y);
    return order ? order : (x->index > y->index) - (x->index < y->index);
}

static void sort_entries(struct dependency_index *index)
{
    if (index->count > 1)
        qsort(index->items, index->count, sizeof *index->items, entry_order);
    index->made = true;
}

/* First entry that does not sort before `wanted`; of equal ones all do when `behind`. */
static size_t bound(const struct dependency_index *index, const struct dependency_entry *wanted, bool behind)
{
    size_t from = 0, to = index->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (entry_cmp(&index->items[middle], wanted) < (behind ? 1 : 0))
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

static void make_labels(struct dependency_graph *graph)
{
    const struct bundle *part = graph->part;
    for (size_t i = 0; i < part->count; i++) {
        struct workload workload;
        if (workload_of(&part->items[i], &workload))
            MEMBER_EACH(label, workload.labels)
                *ARENA_PUSH(part->arena, &graph->labels) = (struct dependency_entry){
                    part->items[i].namespace, label->key, value_str(&label->value), i};
    }
    sort_entries(&graph->labels);
}

static void make_kinds(struct dependency_graph *graph)
{
    for (size_t i = 0; i < graph->bundle->count; i++) {
        const struct resource *item = &graph->bundle->items[i];
        *ARENA_PUSH(graph->arena, &graph->kinds) =
            (struct dependency_entry){item->namespace, item->kind, item->name, i};
    }
    sort_entries(&graph->kinds);
}

const struct dependency_entry *dependency_candidates(struct dependency_graph *graph, struct str namespace,
                                                     const struct value *selector, size_t *ret_count)
{
    const struct dependency_entry *found = NULL;
    *ret_count = 0;
    if (!graph->labels.made)
        make_labels(graph);
    MEMBER_EACH(label, selector) {
        struct dependency_entry wanted = {namespace, label->key, value_str(&label->value), 0};
        size_t from = bound(&graph->labels, &wanted, false), to = bound(&graph->labels, &wanted, true);
        *ret_count = found == NULL || to - from < *ret_count ? to - from : *ret_count;
        if (from == to)
            return NULL;
        if (*ret_count == to - from)
            found = &graph->labels.items[from];
    }
    return found;
}

size_t dependency_find(struct dependency_graph *graph, struct str namespace, struct str kind, struct str name)
{
    struct dependency_entry wanted = {namespace, kind, name, 0};
    if (!graph->kinds.made)
        make_kinds(graph);
    size_t at = bound(&graph->kinds, &wanted, false);
    bool there = at < graph->kinds.count && entry_cmp(&graph->kinds.items[at], &wanted) == 0;
    return there ? graph->kinds.items[at].index : graph->bundle->count;
}
