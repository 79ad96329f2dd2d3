#include "core/kube/selection.h"

#include <stdio.h>

#include "core/kube/runtime_kinds.h"

static bool any_glob(const struct str_list *patterns, struct str text)
{
    for (size_t i = 0; i < patterns->count; i++)
        if (str_glob(patterns->items[i], text))
            return true;
    return false;
}

static bool selects_text(const struct str_list *include, const struct str_list *exclude, struct str text)
{
    return (include->count == 0 || any_glob(include, text)) && !any_glob(exclude, text);
}

/* ---- types ---- */

/* By "plural" or "plural.group", compared without building the second. */
static bool names_type(struct str pattern, const struct resource_type *type)
{
    char full[512];
    struct str name = {full, type->plural.len + 1 + type->group.len};
    if (str_glob(pattern, type->plural))
        return true;
    if (type->group.len == 0 || name.len >= sizeof full)
        return false;
    snprintf(full, sizeof full, "%.*s.%.*s", STR_ARG(type->plural), STR_ARG(type->group));
    return str_glob(pattern, name);
}

static bool any_type(const struct str_list *patterns, const struct resource_type *type)
{
    for (size_t i = 0; i < patterns->count; i++)
        if (names_type(patterns->items[i], type))
            return true;
    return false;
}

static bool is_runtime_kind(const struct resource_type *type)
{
    struct str kinds = STR(RUNTIME_KINDS);
    while (kinds.len != 0) {
        struct str group = str_cut(&kinds, ' '), kind = str_cut(&group, '.');
        if (str_eq(kind, type->kind) && str_eq(group, type->group))
            return true;
    }
    return false;
}

static bool is_namespace_type(const struct resource_type *type)
{
    return type->group.len == 0 && str_is(type->plural, "namespaces");
}

bool kube_shard_has(const struct kube_selection *selection, struct str namespace)
{
    if (selection->shards < 2)
        return true;
    if (namespace.len == 0)
        return selection->shard == 0;
    uint64_t hash =
        0xcbf29ce484222325u; /* FNV-1a, and a last mix: names often differ in their last byte only */
    for (size_t i = 0; i < namespace.len; i++)
        hash = (hash ^ (unsigned char)namespace.ptr[i]) * 0x100000001b3u;
    hash = (hash ^ hash >> 33) * 0xff51afd7ed558ccdu;
    return (hash ^ hash >> 33) % selection->shards == selection->shard;
}

bool kube_selects_type(const struct kube_selection *selection, const struct resource_type *type)
{
    if (!type->namespaced && !kube_shard_has(selection, STR_NONE))
        return false;
    if (selection->no_cluster_scoped && !type->namespaced && !is_namespace_type(type))
        return false;
    if (selection->preset == KUBE_DECLARED && is_runtime_kind(type))
        return false;
    bool included = selection->include_types.count == 0 || any_type(&selection->include_types, type);
    return included && !any_type(&selection->exclude_types, type);
}

bool kube_allows_missing(const struct kube_selection *selection, const struct resource_type *type)
{
    return any_type(&selection->allow_missing, type);
}

/* ---- objects ---- */

bool kube_selects_namespace(const struct kube_selection *selection, struct str namespace)
{
    return selects_text(&selection->include_namespaces, &selection->exclude_namespaces, namespace);
}

/* Owners whose children come back by themselves, everywhere. An owner of any other kind may be gone, or be a custom
 * resource that nobody looks after any more; its children stay in. */
static bool is_built_in_owner(const struct value *reference)
{
    static const struct str owners[] = {
        STR_INIT("apps/v1 Deployment"),
        STR_INIT("apps/v1 ReplicaSet"),
        STR_INIT("apps/v1 StatefulSet"),
        STR_INIT("apps/v1 DaemonSet"),
        STR_INIT("v1 ReplicationController"),
        STR_INIT("v1 Service"),
        STR_INIT("batch/v1 CronJob"),
        STR_INIT("batch/v1 Job"),
        STR_INIT("v1 Node"),
    };
    char name[160];
    struct str version = value_str(value_key(reference, "apiVersion")),
               kind = value_str(value_key(reference, "kind"));
    snprintf(name, sizeof name, "%.*s %.*s", STR_ARG(version), STR_ARG(kind));
    return str_in(str_of(name), owners, COUNT_OF(owners));
}

static bool is_controller_made(const struct resource *resource)
{
    const struct value *metadata = value_key(resource->object, "metadata");
    struct str slice = value_str_in(metadata, PATH("labels", "endpointslice.kubernetes.io/managed-by"));
    struct str endpoints = value_str_in(metadata, PATH("labels", "endpoints.kubernetes.io/managed-by"));
    VALUE_EACH(reference, value_key(metadata, "ownerReferences"))
        if (value_true(value_key(reference, "controller")) && is_built_in_owner(reference))
            return true;
    return str_ends(slice, STR("-controller.k8s.io")) || str_is(endpoints, "endpoint-controller");
}

bool kube_selects_object(const struct kube_selection *selection, const struct resource_type *type,
                         const struct resource *resource)
{
    if (is_namespace_type(type)) /* by content, if at all: whoever puts it together sees to that */
        return kube_selects_namespace(selection, resource->name);
    if (type->namespaced && !(kube_selects_namespace(selection, resource->namespace) &&
                              kube_shard_has(selection, resource->namespace)))
        return false;
    return selects_text(&selection->include_names, &selection->exclude_names, resource->name) &&
           !(selection->preset == KUBE_DECLARED && is_controller_made(resource));
}

bool kube_selects_name(const struct kube_selection *selection, struct str name)
{
    return any_glob(&selection->include_names, name) && !any_glob(&selection->exclude_names, name);
}

struct str kube_selects_labels(const struct kube_selection *selection, const struct resource_type *type)
{
    return is_namespace_type(type) ? STR_NONE : selection->labels;
}

bool kube_selects_namespaces_by_content(const struct kube_selection *selection)
{
    return selection->shards < 2 && (selection->labels.len != 0 || selection->include_names.count != 0);
}

/* ---- names ---- */

static const char *const presets[] = {[KUBE_EVERYTHING] = "everything", [KUBE_DECLARED] = "declared"};

bool kube_preset_of(struct str name, enum kube_preset *ret_preset)
{
    for (size_t i = 0; i < COUNT_OF(presets); i++)
        if (str_is(name, presets[i])) {
            *ret_preset = (enum kube_preset)i;
            return true;
        }
    return false;
}

static const struct value *texts(struct arena *arena, const struct str_list *list)
{
    struct value_list_builder values = {0};
    for (size_t i = 0; i < list->count; i++)
        value_push(arena, &values, value_string(arena, list->items[i]));
    return values.count ? value_list_done(arena, &values) : NULL;
}

static const struct value *unless_empty(const struct value *map)
{
    return value_count(map) ? map : NULL;
}

const struct value *kube_selection_value(struct arena *arena, const struct kube_selection *s)
{
    const struct value *include =
        VALUE_MAP(arena, {"namespaces", texts(arena, &s->include_namespaces)},
                  {"types", texts(arena, &s->include_types)}, {"names", texts(arena, &s->include_names)},
                  {"labels", s->labels.len ? value_string(arena, s->labels) : NULL});
    const struct value *exclude =
        VALUE_MAP(arena, {"namespaces", texts(arena, &s->exclude_namespaces)},
                  {"types", texts(arena, &s->exclude_types)}, {"names", texts(arena, &s->exclude_names)});
    return unless_empty(VALUE_MAP(arena, {"preset", s->preset ? value_cstr(arena, presets[s->preset]) : NULL},
                                  {"include", unless_empty(include)}, {"exclude", unless_empty(exclude)},
                                  {"clusterScoped", s->no_cluster_scoped ? value_bool(arena, false) : NULL},
                                  {"narrowed", s->narrowed ? value_bool(arena, true) : NULL}));
}

static struct str_list list_of(struct arena *arena, const struct value *texts)
{
    struct str_list list = {0};
    VALUE_EACH(text, texts)
        *ARENA_PUSH(arena, &list) = value_str(text);
    return list;
}

void kube_selection_of(struct arena *arena, const struct value *value, struct kube_selection *ret_selection)
{
    const struct value *include = value_key(value, "include"), *exclude = value_key(value, "exclude");
    const struct value *cluster_scoped = value_key(value, "clusterScoped");
    struct kube_selection s = {
        .include_namespaces = list_of(arena, value_key(include, "namespaces")),
        .exclude_namespaces = list_of(arena, value_key(exclude, "namespaces")),
        .include_types = list_of(arena, value_key(include, "types")),
        .exclude_types = list_of(arena, value_key(exclude, "types")),
        .include_names = list_of(arena, value_key(include, "names")),
        .exclude_names = list_of(arena, value_key(exclude, "names")),
        .labels = value_str(value_key(include, "labels")),
        .no_cluster_scoped = value_is(cluster_scoped, VALUE_BOOL) && !value_true(cluster_scoped),
        .narrowed = value_true(value_key(value, "narrowed")),
    };
    if (!kube_preset_of(value_str(value_key(value, "preset")), &s.preset))
        s.preset = KUBE_EVERYTHING;
    *ret_selection = s;
}
