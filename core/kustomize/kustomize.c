/* Reading a kustomization and what it names; every field is a row of one table with a function of its own. */
#include "core/kustomize/kustomize.h"

#include <stdarg.h>
#include <stdio.h>

#include "core/base/yaml.h"
#include "core/kustomize/intern.h"

enum { MAX_NESTED = 64 };

static bool build_folder(struct build *build, struct str dir, struct layer *ret_layer);

/* 1-based line of a top-level key; 1 when it is not written plainly. */
static size_t line_of(struct str text, const char *field)
{
    struct str rest = text, key = str_of(field);
    for (size_t line = 1; rest.len != 0; line++) {
        struct str here = str_cut(&rest, '\n');
        if (str_starts(here, key) && here.len > key.len && here.ptr[key.len] == ':')
            return line;
    }
    return 1;
}

bool kustomize_context(struct kustomization *k, const char *field)
{
    return err_context(k->build->err, "%.*s:%zu: %s", STR_ARG(k->path), line_of(k->text, field), field);
}

bool kustomize_fault(struct kustomization *k, const char *field, const char *fmt, ...)
{
    char message[512];
    va_list args;
    va_start(args, fmt);
    vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    err_set(k->build->err, ERR_INVALID, "%s", message);
    return kustomize_context(k, field);
}

bool kustomize_known(struct kustomization *k, const char *field, const struct value *map,
                     const char *const *known)
{
    if (map != NULL && map->kind != VALUE_MAP)
        return kustomize_fault(k, field, "a %s where a map is needed", value_kind_name(map->kind));
    MEMBER_EACH(member, map) {
        size_t i = 0;
        while (known[i] != NULL && !str_is(member->key, known[i]))
            i++;
        if (known[i] == NULL)
            return kustomize_fault(k, field, "%.*s is not followed here", STR_ARG(member->key));
    }
    return true;
}

bool kustomize_resolve(struct kustomization *k, const char *field, struct str path, struct str *ret_path)
{
    struct arena *arena = k->build->arena;
    struct str_list parts = {0};
    struct str sources[] = {k->dir, path};
    if (path.len == 0 || path.ptr[0] == '/')
        return kustomize_fault(k, field, "'%.*s' is no path below the tree", STR_ARG(path));
    if (str_contains(path, STR("://")))
        return kustomize_fault(k, field, "'%.*s': nothing is fetched from a network", STR_ARG(path));
    for (size_t i = 0; i < COUNT_OF(sources); i++)
        for (struct str rest = sources[i]; rest.len != 0;) {
            struct str part = str_cut(&rest, '/');
            if (part.len == 0 || str_is(part, "."))
                continue;
            if (!str_is(part, ".."))
                *ARENA_PUSH(arena, &parts) = part;
            else if (parts.count-- == 0)
                return kustomize_fault(k, field, "'%.*s' leads outside the tree", STR_ARG(path));
        }
    *ret_path = str_join(arena, parts.items, parts.count, STR("/"));
    return true;
}

static bool inside(struct str path, struct str dir)
{
    return dir.len == 0 || (str_starts(path, dir) && (path.len == dir.len || path.ptr[dir.len] == '/'));
}

bool kustomize_file(struct kustomization *k, const char *field, struct str path, const struct file **ret_file)
{
    struct str resolved = STR_NONE;
    if (!kustomize_resolve(k, field, path, &resolved))
        return false;
    const struct file *file = files_find(k->build->files, resolved);
    if (file == NULL)
        return kustomize_fault(k, field, "there is no '%.*s'", STR_ARG(resolved));
    if (!inside(resolved, k->dir))
        return kustomize_fault(k, field,
                               "'%.*s' is not in this folder or below: kustomize reads only folders from "
                               "elsewhere",
                               STR_ARG(resolved));
    *ret_file = file;
    return true;
}

static bool local_only(const struct value *object)
{
    const struct value *mark =
        value_in(object, PATH("metadata", "annotations", "config.kubernetes.io/local-config"));
    return mark != NULL && !str_is(value_text(mark), "false");
}

static bool add_object(struct kustomization *k, const struct value *object, struct str origin)
{
    struct resource resource;
    const struct value *items = value_key(object, "items");
    if (str_ends(value_str(value_key(object, "kind")), STR("List")) && value_is(items, VALUE_LIST)) {
        VALUE_EACH(item, items)
            if (!add_object(k, item, origin))
                return false;
        return true;
    }
    if (!resource_from(object, origin, &resource, k->build->err))
        return kustomize_context(k, "resources");
    if (local_only(object))
        return true;
    struct layer_item item = layer_item_of(k->build->arena, &resource);
    return layer_add(&k->layer, &item, k->build->err) || kustomize_context(k, "resources");
}

static bool add_file(struct kustomization *k, const struct file *file)
{
    struct yaml_documents documents;
    if (!yaml_parse(k->build->arena, file->bytes, file->path, &documents, k->build->err))
        return kustomize_context(k, "resources");
    for (size_t i = 0; i < documents.count; i++) {
        struct str origin =
            str_fmt(k->build->arena, "%.*s:%zu", STR_ARG(file->path), documents.items[i].line);
        if (documents.items[i].root->kind != VALUE_NULL && !add_object(k, documents.items[i].root, origin))
            return false;
    }
    return true;
}

static bool add_folder(struct kustomization *k, struct str dir)
{
    const struct build *build = k->build;
    struct layer below;
    for (size_t i = 0; i < build->open.count; i++)
        if (inside(build->open.items[i], dir))
            return kustomize_fault(k, "resources", "'%.*s' is being built already: a loop", STR_ARG(dir));
    return build_folder(k->build, dir, &below) &&
           (layer_merge(&k->layer, &below, build->err) || kustomize_context(k, "resources"));
}

static bool add_resources(struct kustomization *k, const struct value *setting)
{
    VALUE_EACH(entry, setting) {
        struct str path = STR_NONE;
        const struct file *file = NULL;
        if (!kustomize_resolve(k, "resources", value_str(entry), &path))
            return false;
        if (files_find(k->build->files, path) == NULL) {
            if (!add_folder(k, path))
                return false;
        } else if (!kustomize_file(k, "resources", value_str(entry), &file) || !add_file(k, file)) {
            return false;
        }
    }
    return true;
}

static bool check_type(struct kustomization *k, const struct value *setting)
{
    struct str api_version = value_str(value_key(k->root, "apiVersion")),
               kind = value_str(value_key(k->root, "kind"));
    if ((kind.len != 0 && !str_is(kind, "Kustomization")) ||
        (api_version.len != 0 && !str_is(api_version, "kustomize.config.k8s.io/v1beta1")))
        return kustomize_fault(k, "kind", "%.*s %.*s, not kustomize.config.k8s.io/v1beta1 Kustomization",
                               STR_ARG(api_version), STR_ARG(kind));
    return true;
}

static bool accept(struct kustomization *k, const struct value *setting)
{
    return true;
}

static bool check_sort(struct kustomization *k, const struct value *setting)
{
    static const char *const known[] = {"order", NULL};
    struct str order = value_str(value_key(setting, "order"));
    if (!kustomize_known(k, "sortOptions", setting, known))
        return false;
    if (!str_is(order, "fifo") && !str_is(order, "legacy"))
        return kustomize_fault(k, "sortOptions", "order is fifo or legacy");
    return true;
}

/* In the order in which kustomize applies them. */
static const struct field {
    const char *name;
    enum value_kind kind;
    kustomize_field_fn apply;
} fields[] = {
    {"apiVersion", VALUE_STRING, check_type},
    {"kind", VALUE_STRING, check_type},
    {"metadata", VALUE_MAP, accept},
    {"resources", VALUE_LIST, add_resources},
    {"patches", VALUE_LIST, kustomize_patches},
    {"namespace", VALUE_STRING, kustomize_namespace},
    {"labels", VALUE_LIST, kustomize_labels},
    {"commonLabels", VALUE_MAP, kustomize_common_labels},
    {"commonAnnotations", VALUE_MAP, kustomize_annotations},
    {"replicas", VALUE_LIST, kustomize_replicas},
    {"images", VALUE_LIST, kustomize_images},
    {"sortOptions", VALUE_MAP, check_sort},
};

static bool check_fields(struct kustomization *k)
{
    if (!value_is(k->root, VALUE_MAP))
        return kustomize_fault(k, "kind", "a %s, not a Kustomization", value_kind_name(k->root->kind));
    MEMBER_EACH(member, k->root) {
        size_t i = 0;
        while (i < COUNT_OF(fields) && !str_is(member->key, fields[i].name))
            i++;
        const char *name = str_c(k->build->arena, member->key);
        if (i == COUNT_OF(fields)) {
            kustomize_fault(k, name, "this field is not followed here");
            return err_next(k->build->err, "render with `kustomize build`, or write it as a patch");
        }
        if (member->value.kind != fields[i].kind && member->value.kind != VALUE_NULL)
            return kustomize_fault(k, name, "a %s where a %s is needed", value_kind_name(member->value.kind),
                                   value_kind_name(fields[i].kind));
    }
    return true;
}

static bool find_file(struct build *build, struct str dir, const struct file **ret_file)
{
    static const char *const names[] = {"kustomization.yaml", "kustomization.yml", "Kustomization"};
    const struct file *found = NULL;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct str path =
            dir.len ? str_fmt(build->arena, "%.*s/%s", STR_ARG(dir), names[i]) : str_of(names[i]);
        const struct file *file = files_find(build->files, path);
        if (file != NULL && found != NULL)
            return err_set(build->err, ERR_INVALID, "%.*s: there is a %.*s beside it", STR_ARG(found->path),
                           STR_ARG(file->path));
        found = file ? file : found;
    }
    if (found == NULL)
        return dir.len ? err_set(build->err, ERR_NOT_FOUND, "there is no '%.*s' with a kustomization.yaml",
                                 STR_ARG(dir))
                       : err_set(build->err, ERR_NOT_FOUND, "the folder has no kustomization.yaml");
    *ret_file = found;
    return true;
}

static bool open_kustomization(struct build *build, struct str dir, struct kustomization *k)
{
    const struct file *file = NULL;
    struct yaml_documents documents;
    if (!find_file(build, dir, &file) ||
        !yaml_parse(build->arena, file->bytes, file->path, &documents, build->err))
        return false;
    *k = (struct kustomization){.build = build, .dir = dir, .path = file->path, .text = file->bytes};
    layer_init(&k->layer, build->arena);
    if (documents.count != 1)
        return kustomize_fault(k, "kind", "%zu documents, not one", documents.count);
    k->root = documents.items[0].root;
    return check_fields(k);
}

static bool apply_fields(struct kustomization *k)
{
    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        const struct value *setting = value_key(k->root, fields[i].name);
        if (setting != NULL && setting->kind != VALUE_NULL && !fields[i].apply(k, setting))
            return false;
    }
    return true;
}

static bool build_folder(struct build *build, struct str dir, struct layer *ret_layer)
{
    struct kustomization k;
    if (build->open.count == MAX_NESTED)
        return err_set(build->err, ERR_LIMIT, "%.*s: folders nested more than %d deep", STR_ARG(dir),
                       MAX_NESTED);
    *ARENA_PUSH(build->arena, &build->open) = dir;
    if (!open_kustomization(build, dir, &k) || !apply_fields(&k))
        return false;
    k.layer.fifo = str_is(value_str_in(k.root, PATH("sortOptions", "order")), "fifo");
    build->open.count--;
    *ret_layer = k.layer;
    return true;
}

bool kustomize_build(struct arena *arena, const struct files *files, struct str dir,
                     struct bundle *ret_bundle, struct err *err)
{
    struct build build = {.arena = arena, .files = files, .err = err};
    struct layer layer;
    if (!build_folder(&build, dir, &layer))
        return false;
    if (build.moved)
        kustomize_follow_references(&layer);
    if (!layer.fifo)
        layer_sort(&layer);
    bundle_init(ret_bundle, arena);
    ret_bundle->complete = true;
    for (size_t i = 0; i < layer.count; i++)
        if (layer.items[i].resource.object != NULL)
            bundle_add(ret_bundle, &layer.items[i].resource);
    return true;
}

void kustomize_write(struct buf *buf, const struct bundle *bundle)
{
    for (size_t i = 0; i < bundle->count; i++) {
        if (i > 0)
            buf_text(buf, "---\n");
        yaml_write(buf, bundle->items[i].object);
    }
}
