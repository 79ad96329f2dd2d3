#include "overlays/losses.h"

#include "core/base/yaml.h"
#include "core/config/config.h"
#include "core/kube/kube.h"

enum { FEW = 10 }; /* so many may go, whatever the share */

/* Objects of files, each with the place in which it must be found again as its origin: "base" or "overlays/prod". */
struct objects {
    struct resource *items;
    size_t count, cap;
};

static struct str place_of(struct str path)
{
    size_t slash = str_find(path, '/');
    if (!str_starts(path, STR("overlays/")))
        return str_slice(path, 0, slash);
    struct str below = str_from(path, slash + 1);
    return str_slice(path, 0, slash + 1 + str_find(below, '/'));
}

/* Kustomizations, patches in JSON and anything else without identity are no objects and cannot be lost as such. */
static void add_objects(struct arena *arena, const struct file *file, struct objects *objects)
{
    struct yaml_documents documents;
    struct resource resource;
    struct err ignored;
    if (!str_ends(file->path, STR(".yaml")) ||
        !yaml_parse(arena, file->bytes, file->path, &documents, &ignored))
        return;
    for (size_t i = 0; i < documents.count; i++)
        if (resource_from(documents.items[i].root, place_of(file->path), &resource, &ignored))
            *ARENA_PUSH(arena, objects) = resource;
}

static void add_from(struct arena *arena, const struct files *files, const struct str_list *paths,
                     struct objects *objects)
{
    for (size_t i = 0; i < paths->count; i++) {
        const struct file *file = files_find(files, paths->items[i]);
        if (file != NULL)
            add_objects(arena, file, objects);
    }
}

static bool is_among(const struct objects *objects, const struct resource *wanted)
{
    for (size_t i = 0; i < objects->count; i++) {
        const struct resource *r = &objects->items[i];
        if (str_eq(r->name, wanted->name) && str_eq(r->kind, wanted->kind) &&
            str_eq(r->origin, wanted->origin) && str_eq(r->namespace, wanted->namespace) &&
            str_eq(resource_group(r), resource_group(wanted)))
            return true;
    }
    return false;
}

/* Whether the snapshot can tell that an object of this type is gone: it was to be read, every hole is known, and this
 * type is none. */
static bool was_read(const struct bundle *bundle, const struct resource *resource)
{
    const struct resource_type *type =
        resource_type_find(&bundle->types, resource_group(resource), resource->kind);
    bool holes_known = false;
    for (size_t i = 0; i < bundle->types.count; i++)
        holes_known = holes_known || bundle->types.items[i].missing.len != 0;
    return !bundle->narrowed && holes_known && bundle->problems.count == 0 && type != NULL &&
           type->missing.len == 0;
}

static bool is_whole(const struct bundle *bundle)
{
    return bundle->complete && !bundle->narrowed;
}

/* The configuration selects it for backups. Manifests that are no backup were never selected from. */
static bool is_selected(const struct run *run, const struct bundle *bundle, const struct resource *resource)
{
    const struct config *config = run->config;
    const struct kube_selection selection = {.include_namespaces = config->include_namespaces,
                                             .exclude_namespaces = config->exclude_namespaces,
                                             .include_types = config->include_types,
                                             .exclude_types = config->exclude_types};
    struct str group = resource_group(resource), namespace = resource->namespace;
    if (bundle->backup_id.len == 0)
        return true;
    if (resource_is(resource, "", "Namespace"))
    namespace = resource->name;
    if (namespace.len != 0 && !kube_selects_namespace(&selection, namespace))
        return false;
    const struct resource_type *type = resource_type_find(&bundle->types, group, resource->kind);
    if (type == NULL)
        type = resource_type_find(resource_builtin_types(), group, resource->kind);
    return type == NULL || kube_selects_type(&selection, type);
}

static bool is_base_object(struct str path)
{
    return str_starts(path, STR("base/")) && !str_ends(path, STR("/kustomization.yaml"));
}

static void name_once(struct arena *arena, struct str_list *list, const struct resource *resource)
{
    struct str label = resource_label(arena, resource);
    if (!str_in(label, list->items, list->count))
        *ARENA_PUSH(arena, list) = label;
}

bool losses_find(struct run *run, const struct bundle *bundle, struct repo *repo,
                 const struct repo_changes *changes, struct losses *ret_losses, struct err *err)
{
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    struct objects before = {0}, after = {0};
    struct losses losses = {0};
    struct files old;
    *ret_losses = losses;
    /* One file holds one object: while none is removed, only what is half read has anything to lose. */
    if (changes->removed.count + changes->changed.count == 0 ||
        (is_whole(bundle) && changes->removed.count == 0))
        return true;
    if (!repo_read(repo, scratch, MAX_BRANCH_BYTES, &old, err))
        return false;
    for (size_t i = 0; i < old.count; i++)
        losses.before += is_base_object(old.items[i].path);
    add_from(scratch, &old, &changes->removed, &before);
    add_from(scratch, &old, &changes->changed, &before);
    add_from(scratch, &run->files, &changes->added, &after);
    add_from(scratch, &run->files, &changes->changed, &after);
    for (size_t i = 0; i < before.count; i++) {
        const struct resource *gone = &before.items[i];
        if (is_among(&after, gone))
            continue;
        losses.lost += str_is(gone->origin, "base");
        if (!is_whole(bundle) && !was_read(bundle, gone))
            name_once(run->arena, &losses.holes, gone);
        else if (!is_selected(run, bundle, gone))
            name_once(run->arena, &losses.unselected, gone);
    }
    *ret_losses = losses;
    return true;
}

bool losses_are_many(const struct run *run, const struct losses *losses)
{
    return losses->lost > FEW && losses->lost * 100 > losses->before * (size_t)run->config->max_deletions;
}
