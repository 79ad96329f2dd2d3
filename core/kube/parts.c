#include "core/kube/parts.h"

#include <stdlib.h>

#include "core/base/json.h"

static int kind_order(const void *a, const void *b)
{
    const struct parts_kind *x = a, *y = b;
    int order = str_cmp(x->api_version, y->api_version);
    return order ? order : str_cmp(x->kind, y->kind);
}

static void sort_kinds(struct parts *parts)
{
    size_t kept = 0;
    if (parts->kinds.count != 0)
        qsort(parts->kinds.items, parts->kinds.count, sizeof *parts->kinds.items, kind_order);
    for (size_t i = 0; i < parts->kinds.count; i++)
        if (kept == 0 || kind_order(&parts->kinds.items[kept - 1], &parts->kinds.items[i]) != 0)
            parts->kinds.items[kept++] = parts->kinds.items[i];
    parts->kinds.count = kept;
}

static void add_part(struct arena *arena, struct parts *parts, struct str namespace, size_t from, size_t to)
{
    *ARENA_PUSH(arena, parts) = (struct part){namespace, from, to};
}

void parts_of_bundle(struct arena *arena, const struct bundle *bundle, struct parts *ret_parts)
{
    struct bundle *about = ARENA_NEW(arena, struct bundle);
    struct parts parts = {.about = about, .objects = bundle->count, .bundle = bundle};
    const struct resource *last = NULL;
    *about = *bundle;
    about->items = NULL;
    about->count = about->cap = 0;
    for (size_t from = 0, to; from < bundle->count; from = to) {
        bundle_namespace(bundle, bundle->items[from].namespace, &from, &to);
        add_part(arena, &parts, bundle->items[from].namespace, from, to);
    }
    for (size_t i = 0; i < bundle->count; i++) { /* those of a kind stand together */
        const struct resource *r = &bundle->items[i];
        if (last == NULL || !str_eq(last->kind, r->kind) || !str_eq(last->api_version, r->api_version))
            *ARENA_PUSH(arena, &parts.kinds) = (struct parts_kind){r->api_version, r->kind};
        last = r;
    }
    sort_kinds(&parts);
    *ret_parts = parts;
}

static struct str api_version_of(struct arena *arena, const struct resource_type *type)
{
    return type->group.len == 0 ? type->version
                                : str_fmt(arena, "%.*s/%.*s", STR_ARG(type->group), STR_ARG(type->version));
}

void parts_of_stash(struct arena *arena, struct stash *stash, struct parts *ret_parts)
{
    struct parts parts = {.about = stash_about(stash), .objects = stash_count(stash), .stash = stash};
    const struct resource_type *last = NULL;
    for (size_t i = 0; i < stash_part_count(stash); i++) {
        struct stash_part part = stash_part(stash, i);
        add_part(arena, &parts, part.namespace, part.from, part.to);
    }
    for (size_t i = 0; i < stash_count(stash); i++) {
        const struct resource_type *type = stash_object(stash, i).type;
        if (type != last)
            *ARENA_PUSH(arena, &parts.kinds) = (struct parts_kind){api_version_of(arena, type), type->kind};
        last = type;
    }
    sort_kinds(&parts);
    *ret_parts = parts;
}

size_t parts_find(const struct parts *parts, struct str namespace)
{
    size_t from = 0, to = parts->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        int order = str_cmp(parts->items[middle].namespace, namespace);
        if (order == 0)
            return middle;
        if (order < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return parts->count;
}

size_t parts_kind(const struct parts *parts, struct str api_version, struct str kind)
{
    struct parts_kind wanted = {api_version, kind};
    const struct parts_kind *found =
        parts->kinds.count
            ? bsearch(&wanted, parts->kinds.items, parts->kinds.count, sizeof wanted, kind_order)
            : NULL;
    return found ? (size_t)(found - parts->kinds.items) : parts->kinds.count;
}

struct parts_object parts_object(const struct parts *parts, size_t index)
{
    if (parts->stash == NULL) {
        const struct resource *r = &parts->bundle->items[index];
        return (struct parts_object){resource_group(r), resource_version(r), r->kind, r->namespace, r->name};
    }
    struct stash_object object = stash_object(parts->stash, index);
    const struct resource_type *type = object.type;
    return (struct parts_object){type->group, type->version, type->kind, object.namespace, object.name};
}

bool parts_take(const struct parts *parts, size_t index, struct arena *arena, struct bundle *ret_bundle,
                struct err *err)
{
    const struct part *part = &parts->items[index];
    if (parts->stash != NULL)
        return stash_bundle(parts->stash, arena, index, ret_bundle, err);
    struct bundle view = *parts->about;
    view.arena = arena;
    view.types.cap = view.types.count; /* what is added goes into the arena of the part */
    view.problems.cap = view.problems.count;
    view.items = parts->bundle->items + part->from;
    view.count = view.cap = part->to - part->from;
    view.openapi = NULL;
    *ret_bundle = view;
    return true;
}

/* What is looked for; NULL: any. */
struct wanted {
    const char *group, *kind, *name;
};

static bool is_wanted(const struct wanted *wanted, struct str group, struct str kind, struct str name)
{
    return (wanted->kind == NULL || (str_is(kind, wanted->kind) && str_is(group, wanted->group))) &&
           (wanted->name == NULL || str_is(name, wanted->name));
}

static bool each_of_bundle(const struct bundle *bundle, const struct wanted *wanted, parts_visit_fn visit,
                           void *ctx, struct err *err)
{
    for (size_t i = 0; i < bundle->count; i++) {
        const struct resource *r = &bundle->items[i];
        if (is_wanted(wanted, resource_group(r), r->kind, r->name) && !visit(ctx, r, err))
            return false;
    }
    return true;
}

static bool each_of_stash(struct stash *stash, const struct wanted *wanted, parts_visit_fn visit, void *ctx,
                          struct err *err)
{
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    for (size_t i = 0; i < stash_count(stash); i++) {
        struct stash_object object = stash_object(stash, i);
        struct resource resource;
        if (!is_wanted(wanted, object.type->group, object.type->kind, object.name))
            continue;
        arena_reset(scratch);
        if (!stash_resource(stash, scratch, i, &resource, err) || !visit(ctx, &resource, err))
            return false;
    }
    return true;
}

bool parts_each_named(const struct parts *parts, const char *group, const char *kind, const char *name,
                      parts_visit_fn visit, void *ctx, struct err *err)
{
    struct wanted wanted = {group, kind, name};
    return parts->stash ? each_of_stash(parts->stash, &wanted, visit, ctx, err)
                        : each_of_bundle(parts->bundle, &wanted, visit, ctx, err);
}

bool parts_each(const struct parts *parts, const char *group, const char *kind, parts_visit_fn visit,
                void *ctx, struct err *err)
{
    return parts_each_named(parts, group, kind, NULL, visit, ctx, err);
}

static struct str document_key(struct arena *arena, struct str api_version)
{
    bool core = str_find(api_version, '/') == api_version.len;
    return str_fmt(arena, "%s/%.*s", core ? "api" : "apis", STR_ARG(api_version));
}

bool parts_document(const struct parts *parts, struct arena *arena, struct str api_version,
                    const struct value **ret_document, struct err *err)
{
    struct str key = document_key(arena, api_version);
    *ret_document = NULL;
    if (parts->stash == NULL) {
        *ret_document = value_get(parts->bundle->openapi, key);
        return true;
    }
    for (size_t i = 0; i < stash_document_count(parts->stash); i++)
        if (str_eq(stash_document_key(parts->stash, i), key))
            return stash_document(parts->stash, arena, i, ret_document, err);
    return true;
}
