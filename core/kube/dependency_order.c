/* Levels by taking away, again and again, what needs nothing that is left (Kahn). Where everything left needs something
 * left, there is a cycle: it is found by walking, noted, and opened at its weakest place. */
#include "core/kube/dependencies_intern.h"

struct ordering {
    struct arena *arena;
    struct dependency_list *list;
    size_t count;             /* of nodes */
    size_t *first;            /* node → its first dependency; [count] is the end */
    size_t *needed_by, *back; /* node → dependencies on it, as indexes of the list; back[count] is the end */
    size_t *open;             /* node → dependencies that are not settled */
    size_t *path, *seen_at;   /* of a walk; seen_at is 1 for its first node, 0 where it was not */
    unsigned *level;
    bool *done;
    enum dependency_source least; /* weaker dependencies do not count */
};

static bool counts(const struct ordering *o, const struct dependency *d)
{
    return !d->broken && d->source >= o->least;
}

static void index_nodes(struct ordering *o)
{
    o->first = ARENA_ARRAY(o->arena, size_t, o->count + 1);
    o->back = ARENA_ARRAY(o->arena, size_t, o->count + 2);
    o->needed_by = ARENA_ARRAY(o->arena, size_t, o->list->count + 1);
    for (size_t i = 0; i < o->list->count; i++) {
        o->first[o->list->items[i].from + 1]++;
        o->back[o->list->items[i].to + 2]++;
    }
    for (size_t i = 0; i < o->count; i++) {
        o->first[i + 1] += o->first[i];
        o->back[i + 2] += o->back[i + 1];
    }
    /* back[to + 1] runs from the begin of its range to its end while the range is filled. */
    for (size_t i = 0; i < o->list->count; i++)
        o->needed_by[o->back[o->list->items[i].to + 1]++] = i;
}

static void settle(struct ordering *o, size_t *queue, size_t *tail, size_t node)
{
    o->done[node] = true;
    queue[(*tail)++] = node;
}

/* Settles whatever became free through `queue`, from `head` on. */
static void drain(struct ordering *o, size_t *queue, size_t *head, size_t *tail)
{
    while (*head < *tail) {
        size_t node = queue[(*head)++];
        for (size_t i = o->back[node]; i < o->back[node + 1]; i++) {
            const struct dependency *d = &o->list->items[o->needed_by[i]];
            if (!counts(o, d))
                continue;
            if (o->level[d->from] < o->level[node] + 1)
                o->level[d->from] = o->level[node] + 1;
            if (--o->open[d->from] == 0)
                settle(o, queue, tail, d->from);
        }
    }
}

/* The first dependency of a node on something that is not settled. Each node left has one. */
static struct dependency *way_on(struct ordering *o, size_t node)
{
    size_t i = o->first[node];
    while (i + 1 < o->first[node + 1] && (!counts(o, &o->list->items[i]) || o->done[o->list->items[i].to]))
        i++;
    return &o->list->items[i];
}

/* Walks from `start` until it comes to where it was. The cycle begins at its smallest node, wherever the walk met it. */
static struct dependency *find_cycle(struct ordering *o, size_t start, struct dependency_cycle *ret_cycle)
{
    size_t *path = o->path, *seen_at = o->seen_at;
    size_t length = 0, node = start;
    bool wanted = false;
    while (seen_at[node] == 0) {
        path[length++] = node;
        seen_at[node] = length;
        node = way_on(o, node)->to;
    }
    size_t begin = seen_at[node] - 1, least = begin;
    struct dependency *weakest = way_on(o, node);
    for (size_t i = begin; i < length; i++) {
        struct dependency *d = way_on(o, path[i]);
        least = path[i] < path[least] ? i : least;
        wanted = wanted || d->source == DEPENDENCY_WANTED;
        if (d->source < weakest->source || (d->source == weakest->source && d->from < weakest->from))
            weakest = d;
    }
    *ret_cycle = (struct dependency_cycle){
        .count = length - begin, .from = weakest->from, .to = weakest->to, .wanted = wanted};
    ret_cycle->items = ARENA_ARRAY(o->arena, size_t, ret_cycle->count);
    for (size_t i = 0; i < ret_cycle->count; i++)
        ret_cycle->items[i] = path[begin + (least - begin + i) % ret_cycle->count];
    for (size_t i = 0; i < length; i++)
        seen_at[path[i]] = 0;
    return weakest;
}

static void order(struct ordering *o, struct dependency_cycles *cycles)
{
    size_t *queue = ARENA_ARRAY(o->arena, size_t, o->count + 1), head = 0, tail = 0, next = 0;
    o->path = ARENA_ARRAY(o->arena, size_t, o->count + 1);
    o->seen_at = ARENA_ARRAY(o->arena, size_t, o->count + 1);
    o->open = ARENA_ARRAY(o->arena, size_t, o->count + 1);
    o->done = ARENA_ARRAY(o->arena, bool, o->count + 1);
    o->level = ARENA_ARRAY(o->arena, unsigned, o->count + 1);
    for (size_t i = 0; i < o->list->count; i++)
        o->open[o->list->items[i].from] += counts(o, &o->list->items[i]);
    for (size_t i = 0; i < o->count; i++)
        if (o->open[i] == 0)
            settle(o, queue, &tail, i);
    drain(o, queue, &head, &tail);
    while (tail < o->count) {
        while (o->done[next])
            next++;
        struct dependency *weakest = find_cycle(o, next, ARENA_PUSH(o->arena, cycles));
        weakest->broken = true;
        if (--o->open[weakest->from] == 0)
            settle(o, queue, &tail, weakest->from);
        drain(o, queue, &head, &tail);
    }
}

void dependencies_order(struct arena *arena, struct dependencies *dependencies)
{
    struct ordering all = {.arena = arena, .list = &dependencies->list, .count = dependencies->bundle->count};
    index_nodes(&all);
    order(&all, &dependencies->cycles);
    dependencies->level = all.level;
    /* What is wanted has no cycle any more. */
    struct ordering wanted = all;
    wanted.least = DEPENDENCY_WANTED;
    order(&wanted, &dependencies->cycles);
    dependencies->wanted = wanted.level;
    for (size_t i = 0; i < wanted.count; i++)
        if (wanted.level[i] > dependencies->most_wanted)
            dependencies->most_wanted = wanted.level[i];
}
