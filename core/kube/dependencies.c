#include "core/kube/dependencies.h"

#include <stdlib.h>

#include "core/kube/dependencies_intern.h"
#include "core/kube/selector.h"
#include "core/kube/workload.h"

static void add(struct dependency_graph *graph, size_t from, size_t to, enum dependency_source source)
{
    if (from != to)
        *ARENA_PUSH(graph->arena, &graph->result.list) = (struct dependency){from, to, source, false};
}

static size_t place_of(const struct dependency_graph *graph, const struct resource *r)
{
    const struct resource *known =
        bundle_find(graph->bundle, resource_group(r), r->kind, r->namespace, r->name);
    return known ? (size_t)(known - graph->bundle->items) : graph->bundle->count;
}

static void add_selected(struct dependency_graph *graph, size_t from, const struct resource *service,
                         enum dependency_source source)
{
    const struct value *selector = value_in(service->object, PATH("spec", "selector"));
    size_t count;
    const struct dependency_entry *candidates =
        dependency_candidates(graph, service->namespace, selector, &count);
    for (size_t i = 0; i < count; i++) {
        const struct resource *resource = &graph->part->items[candidates[i].index];
        struct workload workload;
        if (workload_of(resource, &workload) && selector_map_matches(selector, workload.labels))
            add(graph, from, place_of(graph, resource), source);
    }
}

void dependency_on_service(struct dependency_graph *graph, size_t from, const struct resource *service,
                           enum dependency_source source)
{
    const struct resource *here =
        bundle_find(graph->part, STR_NONE, STR("Service"), service->namespace, service->name);
    if (here != NULL)
        add_selected(graph, from, here, source);
    else
        *ARENA_PUSH(graph->arena, &graph->pending) = (struct dependency_pending){from, service, source};
}

/* [namespace/]Kind/name, the group left out: where two groups have the kind, the first in order is meant. */
static void add_reference(struct dependency_graph *graph, size_t from, struct str reference)
{
    struct str rest = reference, first = str_cut(&rest, '/'), second = str_cut(&rest, '/');
    bool whole = rest.len != 0;
    struct str namespace = whole ? first : graph->bundle->items[from].namespace;
    size_t to = dependency_find(graph, namespace, whole ? second : first, whole ? rest : second);
    if (to == graph->bundle->count)
        to = dependency_find(graph, STR_NONE, whole ? STR_NONE : first, second); /* of the cluster */
    if (to == graph->bundle->count) {
        *ARENA_PUSH(graph->arena, &graph->result.unknown) =
            (struct dependency_unknown){from, str_dup(graph->arena, reference)};
        return;
    }
    const struct resource *needed = &graph->bundle->items[to];
    if (resource_is(needed, "", "Service"))
        dependency_on_service(graph, from, needed, DEPENDENCY_WANTED);
    else
        add(graph, from, to, DEPENDENCY_WANTED);
}

static void add_annotated(struct dependency_graph *graph, size_t index, const struct resource *resource)
{
    struct str list = value_str_in(resource->object, PATH("metadata", "annotations", DEPENDS_ON));
    while (list.len != 0) {
        struct str reference = str_trim(str_cut(&list, ','));
        if (reference.len != 0)
            add_reference(graph, index, reference);
    }
}

/* The strongest source of a pair first, so that it is the one that is kept. */
static int dependency_order(const void *a, const void *b)
{
    const struct dependency *x = a, *y = b;
    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    if (x->to != y->to)
        return x->to < y->to ? -1 : 1;
    return (int)y->source - (int)x->source;
}

static void sort_once(struct dependency_list *list)
{
    size_t kept = 0;
    if (list->count == 0)
        return;
    qsort(list->items, list->count, sizeof *list->items, dependency_order);
    for (size_t i = 0; i < list->count; i++)
        if (kept == 0 || list->items[kept - 1].from != list->items[i].from ||
            list->items[kept - 1].to != list->items[i].to)
            list->items[kept++] = list->items[i];
    list->count = kept;
}

struct dependency_graph *dependencies_open(struct arena *arena, const struct bundle *whole)
{
    struct dependency_graph *graph = ARENA_NEW(arena, struct dependency_graph);
    *graph = (struct dependency_graph){.arena = arena, .bundle = whole, .result = {.bundle = whole}};
    return graph;
}

static void show(struct dependency_graph *graph, const struct bundle *part)
{
    graph->part = part;
    graph->labels = (struct dependency_index){0};
}

void dependencies_see(struct dependency_graph *graph, const struct bundle *part)
{
    show(graph, part);
    for (size_t i = 0; i < part->count; i++) {
        const struct resource *resource = &part->items[i];
        const struct value *annotations = value_in(resource->object, PATH("metadata", "annotations"));
        struct workload workload;
        bool annotated = value_key(annotations, DEPENDS_ON) != NULL, works = workload_of(resource, &workload);
        size_t index = annotated || works ? place_of(graph, resource) : graph->bundle->count;
        if (index == graph->bundle->count)
            continue;
        add_annotated(graph, index, resource);
        dependencies_seen(graph, index, resource);
    }
}

static int pending_order(const void *a, const void *b)
{
    const struct dependency_pending *x = a, *y = b;
    return str_cmp(x->service->namespace, y->service->namespace);
}

/* Every part that is needed is taken once. */
static bool settle_pending(struct dependency_graph *graph, const struct parts *parts, struct err *err)
{
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    struct bundle part = {.arena = scratch};
    struct str at = STR_NONE;
    if (graph->pending.count != 0)
        qsort(graph->pending.items, graph->pending.count, sizeof *graph->pending.items, pending_order);
    for (size_t i = 0; i < graph->pending.count; i++) {
        const struct dependency_pending *pending = &graph->pending.items[i];
        const struct resource *service = pending->service;
        if (i == 0 || !str_eq(service->namespace, at)) {
            at = service->namespace;
            arena_reset(scratch);
            if (!parts_take(parts, parts_find(parts, at), scratch, &part, err))
                return false;
            show(graph, &part);
        }
        service = bundle_find(&part, STR_NONE, STR("Service"), at, service->name);
        if (service != NULL)
            add_selected(graph, pending->from, service, pending->source);
    }
    return true;
}

static void finish(struct dependency_graph *graph, struct dependencies *ret_dependencies)
{
    sort_once(&graph->result.list);
    dependencies_order(graph->arena, &graph->result);
    *ret_dependencies = graph->result;
}

bool dependencies_done(struct dependency_graph *graph, const struct parts *parts,
                       struct dependencies *ret_dependencies, struct err *err)
{
    if (!settle_pending(graph, parts, err))
        return err_context(err, "dependencies");
    finish(graph, ret_dependencies);
    return true;
}

/* Whoever is shown everything at once leaves nothing pending. */
void dependencies_of(struct arena *arena, const struct bundle *bundle, struct dependencies *ret_dependencies)
{
    struct dependency_graph *graph = dependencies_open(arena, bundle);
    struct bundle all = *bundle;
    all.arena = arena;
    dependencies_see(graph, &all);
    finish(graph, ret_dependencies);
}

struct str dependency_cycle_text(struct arena *arena, const struct bundle *bundle,
                                 const struct dependency_cycle *cycle)
{
    struct str text = STR_NONE;
    for (size_t i = 0; i <= cycle->count; i++) {
        struct str label = resource_label(arena, &bundle->items[cycle->items[i % cycle->count]]);
        text = str_fmt(arena, "%.*s%s%.*s", STR_ARG(text), i ? " → " : "", STR_ARG(label));
    }
    return text;
}
