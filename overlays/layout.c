#include "overlays/layout.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/sha256.h"

enum { FILE_NAME_MAX = 180 };

static struct str group_name(const struct resource *resource, enum wave wave)
{
    if (resource->namespace.len != 0)
        return resource->namespace;
    if (wave == WAVE_NAMESPACES)
        return resource->name;
    if (wave == WAVE_DEFINITIONS)
        return STR("_crds");
    return wave == WAVE_GATES ? STR("_gates") : STR("_cluster");
}

bool layout_is_cluster(const struct layout_group *group)
{
    return str_starts(group->name, STR("_"));
}

static int group_rank(struct str name)
{
    if (!str_starts(name, STR("_")))
        return 2;
    return str_is(name, "_crds") ? 0 : str_is(name, "_cluster") ? 1 : 3;
}

static int group_order(const void *a, const void *b)
{
    const struct layout_group *x = a, *y = b;
    int order = group_rank(x->name) - group_rank(y->name);
    return order ? order : str_cmp(x->name, y->name);
}

static int entry_order(const void *a, const void *b)
{
    const struct layout_entry *x = a, *y = b;
    int order = (int)x->wave - (int)y->wave;
    return order ? order : str_cmp(x->file, y->file);
}

static bool is_plain(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.'))
            return false;
    }
    return text.len <= FILE_NAME_MAX;
}

/* A name that a file system could not hold or tell apart loses what it cannot hold and gains a hash of the whole. */
static struct str file_stem(struct arena *arena, const struct resource *resource, bool with_group,
                            bool with_hash)
{
    struct str kind = str_lower(arena, resource->kind), group = resource_group(resource);
    struct str stem =
        with_group && group.len != 0
            ? str_fmt(arena, "%.*s.%.*s-%.*s", STR_ARG(kind), STR_ARG(group), STR_ARG(resource->name))
            : str_fmt(arena, "%.*s-%.*s", STR_ARG(kind), STR_ARG(resource->name));
    if (is_plain(stem) && !with_hash)
        return stem;
    char *text = (char *)str_c(arena, str_lower(arena, str_slice(stem, 0, FILE_NAME_MAX)));
    for (char *c = text; *c; c++)
        if (!is_plain((struct str){c, 1}))
            *c = '_';
    struct str id = str_fmt(arena, "%.*s/%.*s/%.*s", STR_ARG(resource->api_version), STR_ARG(resource->kind),
                            STR_ARG(resource->name));
    struct sha256 sum = sha256_of(id);
    struct str hash = sha256_hex(arena, &sum);
    return str_fmt(arena, "%s-%.*s", text, STR_ARG(str_slice(hash, 0, 8)));
}

static int file_order(const void *a, const void *b)
{
    return str_cmp((*(struct layout_entry *const *)a)->file, (*(struct layout_entry *const *)b)->file);
}

/* All that share a file name are renamed, not only the second one: no name depends on what else was there first. */
static bool rename_shared(struct arena *arena, struct layout_group *group, bool with_hash)
{
    struct layout_entry **sorted = ARENA_ARRAY(arena, struct layout_entry *, group->count);
    bool shared_any = false;
    for (size_t i = 0; i < group->count; i++)
        sorted[i] = &group->entries[i];
    qsort(sorted, group->count, sizeof *sorted, file_order);
    for (size_t i = 0; i < group->count;) {
        size_t end = i + 1;
        struct str file = sorted[i]->file;
        while (end < group->count && str_eq(sorted[end]->file, file))
            end++;
        for (size_t j = i; end - i > 1 && j < end; j++)
            sorted[j]->file = file_stem(arena, sorted[j]->resource, true, with_hash);
        shared_any = shared_any || end - i > 1;
        i = end;
    }
    return shared_any;
}

/* Only the names that come of it stay in `arena`. */
static void name_files(struct arena *arena, struct layout_group *group)
{
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    for (size_t i = 0; i < group->count; i++)
        group->entries[i].file = file_stem(scratch, group->entries[i].resource, false, false);
    if (rename_shared(scratch, group, false))
        rename_shared(scratch, group, true);
    for (size_t i = 0; i < group->count; i++)
        group->entries[i].file = str_fmt(arena, "%.*s.yaml", STR_ARG(group->entries[i].file));
    qsort(group->entries, group->count, sizeof *group->entries, entry_order);
}

struct tagged {
    struct str group;
    const struct resource *resource;
    enum wave wave;
};

static int tagged_order(const void *a, const void *b)
{
    const struct tagged *x = a, *y = b;
    int order = str_cmp(x->group, y->group);
    return order ? order : resource_cmp(x->resource, y->resource);
}

struct str layout_file(struct arena *arena, const struct resource *resource)
{
    return str_fmt(arena, "%.*s.yaml", STR_ARG(file_stem(arena, resource, false, false)));
}

bool layout_has(const struct layout *layout, struct str name)
{
    for (size_t i = 0; i < layout->count; i++)
        if (str_eq(layout->items[i].name, name))
            return true;
    return false;
}

static void add_groups_of_secrets(struct arena *arena, const struct parts *secrets, struct layout *layout)
{
    for (size_t i = 0; i < secrets->count; i++) {
        struct str namespace = secrets->items[i].namespace;
        if (namespace.len != 0 && !layout_has(layout, namespace))
            *ARENA_PUSH(arena, layout) = (struct layout_group){.name = namespace};
    }
}

/* The group of all[from] and of those behind it that share its name; returns the first that does not. */
static size_t add_group(struct arena *arena, struct layout *layout, const struct tagged *all, size_t from,
                        size_t count)
{
    size_t to = from;
    while (to < count && str_eq(all[to].group, all[from].group))
        to++;
    struct layout_group *group = ARENA_PUSH(arena, layout);
    *group = (struct layout_group){.name = all[from].group, .count = to - from};
    group->entries = ARENA_ARRAY(arena, struct layout_entry, to - from);
    for (size_t i = from; i < to; i++)
        group->entries[i - from] = (struct layout_entry){.resource = all[i].resource, .wave = all[i].wave};
    name_files(arena, group);
    return to;
}

void layout_of(struct arena *arena, const struct bundle *bundle, const struct parts *secrets,
               struct layout *ret_layout)
{
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    struct layout layout = {0};
    struct tagged *all = ARENA_ARRAY(scratch, struct tagged, bundle->count);
    for (size_t i = 0; i < bundle->count; i++) {
        enum wave wave = wave_of(&bundle->items[i]);
        all[i] = (struct tagged){group_name(&bundle->items[i], wave), &bundle->items[i], wave};
    }
    if (bundle->count != 0)
        qsort(all, bundle->count, sizeof *all, tagged_order);
    for (size_t next = 0; next < bundle->count;)
        next = add_group(arena, &layout, all, next, bundle->count);
    add_groups_of_secrets(arena, secrets, &layout);
    if (layout.count != 0)
        qsort(layout.items, layout.count, sizeof *layout.items, group_order);
    *ret_layout = layout;
}
