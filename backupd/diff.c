#include "backupd/diff.h"

#include <stdlib.h>

#include "backupd/catalog.h"
#include "backupd/part.h"
#include "core/base/diff.h"
#include "core/kube/selection.h"

enum { FROM, TO, SIDES };

struct side {
    const struct diff_side *asked;
    struct manifest manifest; /* of a backup */
    const struct resource_types *types;
    struct kube_selection selection; /* what of the cluster this side holds */
};

struct difference {
    struct run *run;
    const struct diff_options *options;
    struct side sides[SIDES];
    uint64_t added, removed, changed, unchanged, packs_skipped, unselected;
    struct value_list_builder objects, not_compared;
};

/* ---- what is left out ---- */

#define LAST_APPLIED "kubectl.kubernetes.io/last-applied-configuration"

/* Written by the cluster, not by people; different in every cluster and every night. */
static const struct value *without_noise(struct arena *arena, const struct value *object)
{
    static const char *const metadata[] = {"managedFields", "resourceVersion",   "generation",
                                           "uid",           "creationTimestamp", "selfLink"};
    object = value_without(arena, object, STR("status"));
    for (size_t i = 0; i < COUNT_OF(metadata); i++)
        object = value_without_in(arena, object, PATH("metadata", metadata[i]));
    object = value_without_in(arena, object, PATH("metadata", "annotations", LAST_APPLIED));
    /* No annotations left is as good as none. */
    const struct value *annotations = value_in(object, PATH("metadata", "annotations"));
    return value_is(annotations, VALUE_MAP) && annotations->count == 0
               ? value_without_in(arena, object, PATH("metadata", "annotations"))
               : object;
}

/* A Secret hands out what surely holds none of its values; everything else only says that it changed. */
static bool may_be_shown(const struct resource *resource, struct str pointer)
{
    static const struct str shown[] = {STR_INIT("/apiVersion"), STR_INIT("/type"), STR_INIT("/immutable")};
    if (!resource_is(resource, "", "Secret"))
        return true;
    return str_in(pointer, shown, COUNT_OF(shown)) || str_starts(pointer, STR("/metadata/labels/")) ||
           (str_starts(pointer, STR("/metadata/annotations/")) &&
            !str_contains(pointer, STR("last-applied")));
}

static const struct resource_type *type_of(const struct difference *d, const struct resource *resource)
{
    struct str group = resource_group(resource);
    const struct resource_type *type = NULL;
    for (size_t i = 0; i < SIDES && type == NULL; i++)
        type = resource_type_find(d->sides[i].types, group, resource->kind);
    return type ? type : resource_type_find(resource_builtin_types(), group, resource->kind);
}

static bool matches(const struct str_list *patterns, struct str text)
{
    for (size_t i = 0; i < patterns->count; i++)
        if (str_glob(patterns->items[i], text))
            return true;
    return false;
}

static bool type_is_wanted(const struct difference *d, const struct resource *resource)
{
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    if (d->options->types.count == 0)
        return true;
    const struct resource_type *type = type_of(d, resource);
    struct str plural = type ? type->plural : str_lower(scratch, resource->kind),
               group = resource_group(resource);
    struct str full = group.len ? str_fmt(scratch, "%.*s.%.*s", STR_ARG(plural), STR_ARG(group)) : plural;
    return matches(&d->options->types, plural) || matches(&d->options->types, full);
}

/* Objects of a type that one side could not read are unknown there, not gone. */
static bool is_known(const struct difference *d, const struct resource *resource)
{
    for (size_t i = 0; i < SIDES; i++) {
        const struct resource_type *type =
            resource_type_find(d->sides[i].types, resource_group(resource), resource->kind);
        if (type != NULL && type->missing.len != 0)
            return false;
    }
    return true;
}

/* What lies outside of what a side was to hold says nothing by not being there. The side that has it needs no asking:
 * labels are not looked at again. */
static bool is_selected(const struct difference *d, size_t side, const struct resource *resource)
{
    const struct kube_selection *selection = &d->sides[side].selection;
    const struct resource_type *type = type_of(d, resource);
    if (selection->labels.len != 0)
        return false;
    return type == NULL ||
           (kube_selects_type(selection, type) && kube_selects_object(selection, type, resource));
}

static void note_unknown_types(struct difference *d)
{
    struct arena *a = d->run->arena;
    for (size_t i = 0; i < SIDES; i++)
        for (size_t k = 0; k < d->sides[i].types->count; k++) {
            const struct resource_type *type = &d->sides[i].types->items[k];
            if (type->missing.len != 0)
                value_push(a, &d->not_compared,
                           VALUE_MAP(a, {"type", value_string(a, manifest_type_name(a, type))},
                                     {"side", value_string(a, d->sides[i].asked->name)},
                                     {"reason", value_string(a, type->missing)}));
        }
}

/* ---- what differs ---- */

static const char *const change_names[] = {
    [DIFF_ADDED] = "added", [DIFF_REMOVED] = "removed", [DIFF_CHANGED] = "changed"};

static const struct value *field_value(struct arena *a, const struct resource *resource,
                                       const struct diff *field)
{
    bool shown = may_be_shown(resource, field->pointer);
    return VALUE_MAP(a, {"path", value_string(a, str_dup(a, field->pointer))},
                     {"change", value_cstr(a, change_names[field->kind])},
                     {"old", shown && field->before ? value_copy(a, field->before) : NULL},
                     {"new", shown && field->after ? value_copy(a, field->after) : NULL},
                     {"hidden", shown ? NULL : value_bool(a, true)});
}

static void note_object(struct difference *d, enum diff_kind kind, const struct resource *resource,
                        const struct diff_list *fields)
{
    struct arena *a = d->run->arena;
    struct value_list_builder list = {0};
    struct str namespace = str_dup(a, resource->namespace);
    for (size_t i = 0; fields != NULL && i < fields->count; i++)
        value_push(a, &list, field_value(a, resource, &fields->items[i]));
    value_push(a, &d->objects,
               VALUE_MAP(a, {"change", value_cstr(a, change_names[kind])},
                         {"apiVersion", value_string(a, str_dup(a, resource->api_version))},
                         {"kind", value_string(a, str_dup(a, resource->kind))},
                         {"namespace", namespace.len ? value_string(a, namespace) : NULL},
                         {"name", value_string(a, str_dup(a, resource->name))},
                         {"fields", fields ? value_list_done(a, &list) : NULL}));
}

static void compare_objects(struct difference *d, struct arena *scratch, const struct resource *from,
                            const struct resource *to)
{
    struct diff_list fields = {0};
    const struct value *before = from->object, *after = to->object;
    if (!value_equal(before, after)) {
        before = d->options->all ? before : without_noise(scratch, before);
        after = d->options->all ? after : without_noise(scratch, after);
        diff_values(scratch, before, after, &fields);
    }
    if (fields.count == 0) {
        d->unchanged++;
        return;
    }
    d->changed++;
    note_object(d, DIFF_CHANGED, to, &fields);
}

/* The same object in another version of its API is the same object. */
static int identity_cmp(const struct resource *a, const struct resource *b)
{
    int order = str_cmp(resource_group(a), resource_group(b));
    order = order ? order : str_cmp(a->kind, b->kind);
    return order ? order : str_cmp(a->name, b->name);
}

static bool is_compared(const struct difference *d, const struct resource *resource)
{
    return is_known(d, resource) && type_is_wanted(d, resource);
}

static void only_one_side(struct difference *d, enum diff_kind kind, const struct resource *resource)
{
    if (!is_compared(d, resource))
        return;
    if (!is_selected(d, kind == DIFF_ADDED ? FROM : TO, resource)) {
        d->unselected++;
        return;
    }
    *(kind == DIFF_ADDED ? &d->added : &d->removed) += 1;
    note_object(d, kind, resource, NULL);
}

struct objects {
    const struct resource *items; /* of one namespace, sorted */
    size_t count;
};

static void compare_sorted(struct difference *d, struct arena *scratch, const struct objects *from,
                           const struct objects *to)
{
    size_t i = 0, k = 0;
    while (i < from->count || k < to->count) {
        int order = i == from->count ? 1 : k == to->count ? -1 : identity_cmp(&from->items[i], &to->items[k]);
        if (order < 0)
            only_one_side(d, DIFF_REMOVED, &from->items[i++]);
        else if (order > 0)
            only_one_side(d, DIFF_ADDED, &to->items[k++]);
        else {
            if (is_compared(d, &to->items[k]))
                compare_objects(d, scratch, &from->items[i], &to->items[k]);
            i++;
            k++;
        }
    }
}

/* ---- reading a side ---- */

static bool open_side(struct run *run, const struct diff_side *asked, struct side *side, struct err *err)
{
    struct catalog_entry entry;
    side->asked = asked;
    side->types = asked->bundle ? &asked->bundle->types : &side->manifest.types;
    if (asked->bundle == NULL &&
        !catalog_find(run->store, run->arena, asked->cluster, asked->which, &entry, err))
        return false;
    if (asked->bundle == NULL && !manifest_fetch(run->store, run->arena, entry.key, &side->manifest, err))
        return err_context(err, "backup %.*s", STR_ARG(entry.id));
    kube_selection_of(run->arena, asked->bundle ? asked->bundle->selection : side->manifest.selection,
                      &side->selection);
    return true;
}

struct loading {
    struct bundle *bundle;
    const struct manifest_pack *pack;
};

static bool load_object(void *ctx, struct str path, struct str body, struct err *err)
{
    struct loading *loading = ctx;
    struct resource resource;
    if (!part_object(loading->bundle->arena, loading->pack, path, body, &resource, err))
        return false;
    bundle_add(loading->bundle, &resource);
    return true;
}

static bool is_of(const struct manifest_pack *pack, struct str namespace)
{
    return manifest_has_objects(pack) && str_eq(pack->namespace, namespace);
}

static bool has_pack(const struct side *side, const struct manifest_pack *pack)
{
    const struct manifest_packs *packs = &side->manifest.packs;
    for (size_t i = 0; i < packs->count; i++)
        if (is_of(&packs->items[i], pack->namespace) && sha256_eq(&packs->items[i].sha256, &pack->sha256))
            return true;
    return false;
}

/* Packs that both sides share hold the same objects: neither reads them. */
static bool load_side(struct difference *d, struct arena *scratch, size_t index, struct str namespace,
                      struct bundle *bundle, struct objects *ret_objects, struct err *err)
{
    const struct side *side = &d->sides[index], *other = &d->sides[SIDES - 1 - index];
    struct loading loading = {.bundle = bundle};
    if (side->asked->bundle != NULL) {
        size_t from, to;
        bundle_namespace(side->asked->bundle, namespace, &from, &to);
        *ret_objects = (struct objects){side->asked->bundle->items + from, to - from};
        return true;
    }
    for (size_t i = 0; i < side->manifest.packs.count; i++) {
        loading.pack = &side->manifest.packs.items[i];
        if (!is_of(loading.pack, namespace))
            continue;
        if (has_pack(other, loading.pack)) {
            d->unchanged += index == TO && d->options->types.count == 0 ? loading.pack->entries : 0;
            d->packs_skipped += index == TO;
        } else if (!part_read(d->run, scratch, loading.pack, load_object, &loading, err)) {
            return err_context(err, "backup %.*s", STR_ARG(side->manifest.id));
        }
    }
    bundle_sort(bundle);
    *ret_objects = (struct objects){bundle->items, bundle->count};
    return true;
}

/* ---- one namespace after the other ---- */

static void add_namespaces(struct arena *arena, const struct side *side, struct str_list *list)
{
    const struct bundle *bundle = side->asked->bundle;
    for (size_t i = 0; bundle != NULL && i < bundle->count; i++)
        if (i == 0 || !str_eq(bundle->items[i].namespace, bundle->items[i - 1].namespace))
            *ARENA_PUSH(arena, list) = bundle->items[i].namespace;
    for (size_t i = 0; i < side->manifest.packs.count; i++)
        if (manifest_has_objects(&side->manifest.packs.items[i]))
            *ARENA_PUSH(arena, list) = side->manifest.packs.items[i].namespace;
}

static bool namespace_is_wanted(const struct difference *d, struct str namespace)
{
    const struct str_list *wanted = &d->options->namespaces;
    return wanted->count == 0 || (namespace.len != 0 && matches(wanted, namespace));
}

/* The namespaces of both sides, sorted, each once; what is cluster-scoped comes first. */
static struct str_list namespaces(struct difference *d)
{
    struct str_list all = {0}, list = {0};
    for (size_t i = 0; i < SIDES; i++)
        add_namespaces(d->run->arena, &d->sides[i], &all);
    if (all.count != 0)
        qsort(all.items, all.count, sizeof *all.items, str_qsort);
    for (size_t i = 0; i < all.count; i++)
        if ((i == 0 || !str_eq(all.items[i], all.items[i - 1])) && namespace_is_wanted(d, all.items[i]))
            *ARENA_PUSH(d->run->arena, &list) = all.items[i];
    return list;
}

static bool compare_namespace(struct difference *d, struct str namespace, struct err *err)
{
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    struct bundle bundles[SIDES];
    struct objects objects[SIDES];
    for (size_t i = 0; i < SIDES; i++) {
        bundle_init(&bundles[i], scratch);
        if (!load_side(d, scratch, i, namespace, &bundles[i], &objects[i], err))
            return false;
    }
    compare_sorted(d, scratch, &objects[FROM], &objects[TO]);
    return true;
}

static bool compare_namespaces(struct difference *d, struct err *err)
{
    struct str_list list = namespaces(d);
    for (size_t i = 0; i < list.count; i++) {
        progress_step(d->run->progress, "comparing", i, list.count, "namespaces", list.items[i]);
        if (!compare_namespace(d, list.items[i], err))
            return false;
    }
    progress_step(d->run->progress, "comparing", list.count, list.count, "namespaces", STR_NONE);
    return true;
}

static struct str side_name(struct arena *arena, const struct side *side)
{
    if (side->asked->bundle != NULL)
        return side->asked->name;
    return str_fmt(arena, "%.*s/%.*s", STR_ARG(side->manifest.cluster), STR_ARG(side->manifest.id));
}

static void report(struct difference *d, bool same)
{
    struct arena *a = d->run->arena;
    run_section(d->run, "diff",
                VALUE_MAP(a, {"from", value_string(a, side_name(a, &d->sides[FROM]))},
                          {"to", value_string(a, side_name(a, &d->sides[TO]))}, {"same", value_bool(a, same)},
                          {"added", value_int(a, (int64_t)d->added)},
                          {"removed", value_int(a, (int64_t)d->removed)},
                          {"changed", value_int(a, (int64_t)d->changed)},
                          {"unchanged", value_int(a, (int64_t)d->unchanged)},
                          {"packsSkipped", value_int(a, (int64_t)d->packs_skipped)},
                          {"outsideSelection", d->unselected ? value_int(a, (int64_t)d->unselected) : NULL},
                          {"notCompared", value_list_done(a, &d->not_compared)},
                          {"objects", value_list_done(a, &d->objects)}));
}

bool backup_diff(struct run *run, const struct diff_side *from, const struct diff_side *to,
                 const struct diff_options *options, bool *ret_same, struct err *err)
{
    struct difference d = {.run = run, .options = options};
    if (!open_side(run, from, &d.sides[FROM], err) || !open_side(run, to, &d.sides[TO], err))
        return false;
    note_unknown_types(&d);
    if (!compare_namespaces(&d, err))
        return false;
    *ret_same = d.added + d.removed + d.changed == 0;
    report(&d, *ret_same);
    return true;
}
