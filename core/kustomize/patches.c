/* patches: strategic merge by identity or by target, and JSON 6902 by target, inline or from a file. */
#include "core/base/patch.h"
#include "core/base/yaml.h"
#include "core/kustomize/intern.h"
#include "core/kustomize/merge.h"
#include "core/kustomize/schema.h"
#include "core/kustomize/target.h"

struct patch {
    struct str name; /* for messages */
    struct yaml_documents documents;
    bool operations; /* JSON 6902 */
    const struct value *target;
    bool allow_name_change, allow_kind_change;
};

static bool read_text(struct kustomization *k, const struct value *entry, struct patch *patch,
                      struct str *ret_text)
{
    struct str text = value_str(value_key(entry, "patch")), path = value_str(value_key(entry, "path"));
    if ((str_trim(text).len != 0) == (path.len != 0))
        return kustomize_fault(k, "patches", "a patch has either `patch` or `path`");
    patch->name = text.len ? STR("inline patch") : path;
    if (path.len == 0) {
        *ret_text = text;
        return true;
    }
    const struct file *file;
    if (!kustomize_file(k, "patches", path, &file))
        return false;
    patch->name = file->path;
    *ret_text = file->bytes;
    return true;
}

static bool drop_empty(struct kustomization *k, struct patch *patch)
{
    struct yaml_documents kept = {0};
    for (size_t i = 0; i < patch->documents.count; i++)
        if (patch->documents.items[i].root->kind != VALUE_NULL)
            *ARENA_PUSH(k->build->arena, &kept) = patch->documents.items[i];
    patch->documents = kept;
    if (kept.count == 0)
        return kustomize_fault(k, "patches", "%.*s is empty", STR_ARG(patch->name));
    return true;
}

static bool read_patch(struct kustomization *k, const struct value *entry, struct patch *patch)
{
    static const char *const known[] = {"path", "patch", "target", "options", NULL};
    static const char *const options_known[] = {"allowNameChange", "allowKindChange", NULL};
    const struct value *options = value_key(entry, "options");
    struct str text = STR_NONE;
    *patch = (struct patch){.target = value_key(entry, "target"),
                            .allow_name_change = value_true(value_key(options, "allowNameChange")),
                            .allow_kind_change = value_true(value_key(options, "allowKindChange"))};
    if (!kustomize_known(k, "patches", entry, known) ||
        !kustomize_known(k, "patches", options, options_known) || !read_text(k, entry, patch, &text))
        return false;
    if (!yaml_parse(k->build->arena, text, patch->name, &patch->documents, k->build->err))
        return kustomize_context(k, "patches");
    if (!drop_empty(k, patch))
        return false;
    patch->operations = patch->documents.items[0].root->kind == VALUE_LIST;
    if (patch->documents.count > 1 && (patch->operations || patch->target != NULL))
        return kustomize_fault(k, "patches", "%.*s: several documents in a patch with a target",
                               STR_ARG(patch->name));
    if (patch->operations && patch->target == NULL)
        return kustomize_fault(k, "patches", "%.*s: a JSON 6902 patch needs a target", STR_ARG(patch->name));
    return true;
}

/* A patch does not rename what it is applied to, unless it says so. */
static const struct value *keep_identity(struct kustomization *k, const struct patch *patch,
                                         const struct resource *before, const struct value *object)
{
    struct arena *arena = k->build->arena;
    if (object == NULL)
        return NULL;
    if (!patch->allow_kind_change)
        object = value_with(arena, object, STR("kind"), value_string(arena, before->kind));
    if (!patch->allow_name_change)
        object = value_with_in(arena, object, PATH("metadata", "name"), value_string(arena, before->name));
    if (before->namespace.len != 0)
        return value_with_in(arena, object, PATH("metadata", "namespace"),
                             value_string(arena, before->namespace));
    return value_without_in(arena, object, PATH("metadata", "namespace"));
}

static bool merge_one(struct kustomization *k, const struct patch *patch, const struct value *document,
                      struct layer_item *item)
{
    struct arena *arena = k->build->arena;
    const struct resource before = item->resource;
    const struct value *merged;
    if (patch->target != NULL)
        document = value_with(arena, document, STR("apiVersion"), value_string(arena, before.api_version));
    enum shape shape = schema_shape(resource_group(&before), resource_version(&before), before.kind);
    if (!merge_strategic(arena, shape, before.object, document, &merged, k->build->err) ||
        !layer_change(&k->layer, item, keep_identity(k, patch, &before, merged), k->build->err)) {
        struct str label = resource_label(arena, &before);
        err_context(k->build->err, "%.*s: %.*s", STR_ARG(patch->name), STR_ARG(label));
        return kustomize_context(k, "patches");
    }
    return true;
}

static bool apply_operations(struct kustomization *k, const struct patch *patch, struct layer_item *item)
{
    const struct value *changed;
    if (!patch_json(k->build->arena, item->resource.object, patch->documents.items[0].root, &changed,
                    k->build->err) ||
        !layer_change(&k->layer, item, changed, k->build->err)) {
        struct str label = resource_label(k->build->arena, &item->resource);
        err_context(k->build->err, "%.*s: %.*s", STR_ARG(patch->name), STR_ARG(label));
        return kustomize_context(k, "patches");
    }
    return true;
}

/* Selects first and changes then: a patch may change what its own target looks at. */
static bool apply_to_target(struct kustomization *k, const struct patch *patch)
{
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    struct target target;
    if (!target_read(k->build->arena, patch->target, &target, k->build->err))
        return kustomize_context(k, "patches");
    bool *selected = ARENA_ARRAY(scratch, bool, k->layer.count), ok = true;
    for (size_t i = 0; i < k->layer.count; i++)
        selected[i] =
            k->layer.items[i].resource.object != NULL && target_selects(scratch, &target, &k->layer.items[i]);
    for (size_t i = 0; i < k->layer.count && ok; i++)
        if (selected[i])
            ok = patch->operations ? apply_operations(k, patch, &k->layer.items[i])
                                   : merge_one(k, patch, patch->documents.items[0].root, &k->layer.items[i]);
    target_done(&target);
    return ok;
}

static bool apply_by_identity(struct kustomization *k, const struct patch *patch)
{
    for (size_t i = 0; i < patch->documents.count; i++) {
        const struct yaml_document *document = &patch->documents.items[i];
        struct resource like;
        struct str origin = str_fmt(k->build->arena, "%.*s:%zu", STR_ARG(patch->name), document->line);
        if (!resource_from(document->root, origin, &like, k->build->err))
            return kustomize_context(k, "patches");
        struct layer_item *item = layer_find(&k->layer, &like);
        struct str label = resource_label(k->build->arena, &like);
        if (item == NULL)
            return kustomize_fault(k, "patches", "%.*s: there is no %.*s (%.*s) to patch", STR_ARG(origin),
                                   STR_ARG(label), STR_ARG(like.api_version));
        if (!merge_one(k, patch, document->root, item))
            return false;
    }
    return true;
}

bool kustomize_patches(struct kustomization *k, const struct value *setting)
{
    VALUE_EACH(entry, setting) {
        struct patch patch;
        if (!read_patch(k, entry, &patch))
            return false;
        if (patch.target != NULL ? !apply_to_target(k, &patch) : !apply_by_identity(k, &patch))
            return false;
    }
    return true;
}
