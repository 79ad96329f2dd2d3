/* labels, commonLabels, commonAnnotations, replicas and images: settings that reach into known places of
 * many kinds. The places are kustomize's own default field specifications. */
#include "core/kustomize/intern.h"

/* A place in objects: '/' between keys; a list on the way means each of its items. Empty group, version or
 * kind: any. */
struct place {
    const char *group, *version, *kind, *path;
    bool create; /* maps that are missing on the way */
};

static const struct place in_metadata[] = {{"", "", "", "metadata/labels", true}};

static const struct place in_templates[] = {
    {"", "v1", "ReplicationController", "spec/template/metadata/labels", true},
    {"", "", "Deployment", "spec/template/metadata/labels", true},
    {"", "", "ReplicaSet", "spec/template/metadata/labels", true},
    {"", "", "DaemonSet", "spec/template/metadata/labels", true},
    {"apps", "", "StatefulSet", "spec/template/metadata/labels", true},
    {"apps", "", "StatefulSet", "spec/volumeClaimTemplates/metadata/labels", true},
    {"batch", "", "Job", "spec/template/metadata/labels", true},
    {"batch", "", "CronJob", "spec/jobTemplate/metadata/labels", true},
    {"batch", "", "CronJob", "spec/jobTemplate/spec/template/metadata/labels", true},
};

#define PODS "spec/template/spec/"
#define TERMS(kind)                                                                                          \
    {"apps", "", kind,                                                                                       \
     PODS "affinity/podAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/"            \
          "labelSelector/matchLabels",                                                                       \
     false},                                                                                                 \
        {"apps", "", kind,                                                                                   \
         PODS                                                                                                \
         "affinity/podAffinity/requiredDuringSchedulingIgnoredDuringExecution/labelSelector/matchLabels",    \
         false},                                                                                             \
        {"apps", "", kind,                                                                                   \
         PODS "affinity/podAntiAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/"    \
              "labelSelector/matchLabels",                                                                   \
         false},                                                                                             \
        {"apps", "", kind,                                                                                   \
         PODS "affinity/podAntiAffinity/requiredDuringSchedulingIgnoredDuringExecution/labelSelector/"       \
              "matchLabels",                                                                                 \
         false},                                                                                             \
    {                                                                                                        \
        "apps", "", kind, PODS "topologySpreadConstraints/labelSelector/matchLabels", false                  \
    }

static const struct place in_selectors[] = {
    {"", "v1", "Service", "spec/selector", true},
    {"", "v1", "ReplicationController", "spec/selector", true},
    {"", "", "Deployment", "spec/selector/matchLabels", true},
    TERMS("Deployment"),
    {"", "", "ReplicaSet", "spec/selector/matchLabels", true},
    {"", "", "DaemonSet", "spec/selector/matchLabels", true},
    {"apps", "", "StatefulSet", "spec/selector/matchLabels", true},
    TERMS("StatefulSet"),
    {"batch", "", "Job", "spec/selector/matchLabels", false},
    {"batch", "", "CronJob", "spec/jobTemplate/spec/selector/matchLabels", false},
    {"policy", "", "PodDisruptionBudget", "spec/selector/matchLabels", false},
    {"networking.k8s.io", "", "NetworkPolicy", "spec/podSelector/matchLabels", false},
    {"networking.k8s.io", "", "NetworkPolicy", "spec/ingress/from/podSelector/matchLabels", false},
    {"networking.k8s.io", "", "NetworkPolicy", "spec/egress/to/podSelector/matchLabels", false},
};

static const struct place annotation_places[] = {
    {"", "", "", "metadata/annotations", true},
    {"", "v1", "ReplicationController", "spec/template/metadata/annotations", true},
    {"", "", "Deployment", "spec/template/metadata/annotations", true},
    {"", "", "ReplicaSet", "spec/template/metadata/annotations", true},
    {"", "", "DaemonSet", "spec/template/metadata/annotations", true},
    {"", "", "StatefulSet", "spec/template/metadata/annotations", true},
    {"batch", "", "Job", "spec/template/metadata/annotations", true},
    {"batch", "", "CronJob", "spec/jobTemplate/metadata/annotations", true},
    {"batch", "", "CronJob", "spec/jobTemplate/spec/template/metadata/annotations", true},
};

static const char *const scaled_kinds[] = {"Deployment", "ReplicationController", "ReplicaSet",
                                           "StatefulSet"};

static bool has_place(const struct place *place, const struct resource *r)
{
    return (place->group[0] == '\0' || str_is(resource_group(r), place->group)) &&
           (place->version[0] == '\0' || str_is(resource_version(r), place->version)) &&
           (place->kind[0] == '\0' || str_is(r->kind, place->kind));
}

static const struct value *with_pairs(struct arena *arena, const struct value *map, const struct value *pairs)
{
    MEMBER_EACH(pair, pairs)
        map = value_with(arena, map, pair->key, &pair->value);
    return map;
}

/* `value` with `pairs` in the map at `path`; `value` itself where the place does not exist. */
static const struct value *set_pairs(struct arena *arena, const struct value *value, struct str path,
                                     bool create, const struct value *pairs)
{
    if (value_is(value, VALUE_LIST)) {
        struct value_list_builder items = {0};
        VALUE_EACH(item, value)
            value_push(arena, &items, set_pairs(arena, item, path, create, pairs));
        return value_list_done(arena, &items);
    }
    bool missing = value == NULL || value->kind == VALUE_NULL;
    if ((missing && !create) || (!missing && value->kind != VALUE_MAP))
        return value;
    if (path.len == 0)
        return with_pairs(arena, missing ? NULL : value, pairs);
    struct str key = str_cut(&path, '/');
    const struct value *child = value_get(value, key), *changed;
    /* A list that is missing is not made up: there would be nothing in it. */
    if (child == NULL && str_is(key, "volumeClaimTemplates"))
        return value;
    changed = set_pairs(arena, child, path, create, pairs);
    return changed == child ? value : value_with(arena, value, key, changed);
}

static bool set_in_places(struct kustomization *k, const char *field, const struct place *places,
                          size_t count, const struct value *pairs)
{
    MEMBER_EACH(pair, pairs)
        if (pair->value.kind != VALUE_STRING)
            return kustomize_fault(k, field, "%.*s is a %s, not a string", STR_ARG(pair->key),
                                   value_kind_name(pair->value.kind));
    for (size_t i = 0; i < k->layer.count; i++) {
        struct layer_item *item = &k->layer.items[i];
        for (size_t p = 0; p < count && item->resource.object != NULL; p++)
            if (has_place(&places[p], &item->resource))
                item->resource.object = set_pairs(k->build->arena, item->resource.object,
                                                  str_of(places[p].path), places[p].create, pairs);
    }
    return true;
}

#define SET(k, field, places, pairs) set_in_places((k), (field), (places), COUNT_OF(places), (pairs))

bool kustomize_labels(struct kustomization *k, const struct value *setting)
{
    static const char *const known[] = {"pairs", "includeSelectors", "includeTemplates", NULL};
    VALUE_EACH(entry, setting) {
        const struct value *pairs = value_key(entry, "pairs");
        bool selectors = value_true(value_key(entry, "includeSelectors"));
        bool templates = selectors || value_true(value_key(entry, "includeTemplates"));
        if (!kustomize_known(k, "labels", entry, known) || !SET(k, "labels", in_metadata, pairs) ||
            (templates && !SET(k, "labels", in_templates, pairs)) ||
            (selectors && !SET(k, "labels", in_selectors, pairs)))
            return false;
    }
    return true;
}

bool kustomize_common_labels(struct kustomization *k, const struct value *setting)
{
    return SET(k, "commonLabels", in_metadata, setting) && SET(k, "commonLabels", in_templates, setting) &&
           SET(k, "commonLabels", in_selectors, setting);
}

bool kustomize_annotations(struct kustomization *k, const struct value *setting)
{
    return SET(k, "commonAnnotations", annotation_places, setting);
}

static bool scales(const struct layer_item *item, struct str name)
{
    if (item->resource.object == NULL || !str_eq(item->resource.name, name))
        return false;
    for (size_t i = 0; i < COUNT_OF(scaled_kinds); i++)
        if (str_is(item->resource.kind, scaled_kinds[i]))
            return true;
    return false;
}

bool kustomize_replicas(struct kustomization *k, const struct value *setting)
{
    static const char *const known[] = {"name", "count", NULL};
    VALUE_EACH(entry, setting) {
        const struct value *count = value_key(entry, "count");
        struct str name = value_str(value_key(entry, "name"));
        int64_t number;
        bool found = false;
        if (!kustomize_known(k, "replicas", entry, known))
            return false;
        if (!value_i64(count, &number) || number < 0)
            return kustomize_fault(k, "replicas", "%.*s: count is no whole number", STR_ARG(name));
        for (size_t i = 0; i < k->layer.count; i++) {
            struct resource *r = &k->layer.items[i].resource;
            if (!scales(&k->layer.items[i], name))
                continue;
            r->object = value_with_in(k->build->arena, r->object, PATH("spec", "replicas"), count);
            found = true;
        }
        if (!found)
            return kustomize_fault(k, "replicas", "there is no '%.*s' that has replicas", STR_ARG(name));
    }
    return true;
}

struct image {
    struct str name, new_name, new_tag, digest, tag_suffix;
    struct arena *arena;
};

/* kustomize reads the name as a regular expression; all that a name can hold and that means something there
 * is ".". */
static bool image_named(struct str text, struct str name)
{
    if (text.len < name.len)
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (name.ptr[i] != '.' && name.ptr[i] != text.ptr[i])
            return false;
    struct str rest = str_from(text, name.len);
    if (rest.len != 0 && rest.ptr[0] == ':')
        rest = str_from(rest, str_find(rest, '@'));
    return rest.len == 0 || str_starts(rest, STR("@sha256:")) ? str_find(rest, '/') == rest.len : false;
}

/* Where the tag starts: behind the last '/', so that a registry's port is none. */
static void image_split(struct str text, struct str *name, struct str *tag, struct str *digest)
{
    size_t at = str_find(text, '@'), slash = str_rfind(str_slice(text, 0, at), '/');
    *digest = str_from(text, at + (at < text.len));
    text = str_slice(text, 0, at);
    size_t from = slash < text.len ? slash : 0;
    size_t colon = from + str_find(str_from(text, from), ':');
    *name = str_slice(text, 0, colon);
    *tag = str_from(text, colon + (colon < text.len));
}

static const struct value *new_image(const struct image *image, const struct value *old)
{
    struct str name, tag, digest, text = value_str(old);
    if (!value_is(old, VALUE_STRING) || !image_named(text, image->name))
        return old;
    image_split(text, &name, &tag, &digest);
    if (image->new_name.len != 0)
        name = image->new_name;
    if (image->new_tag.len != 0 || image->digest.len != 0) {
        tag = image->new_tag;
        digest = image->digest;
    } else if (image->tag_suffix.len != 0) {
        tag = str_fmt(image->arena, "%.*s%.*s", STR_ARG(tag), STR_ARG(image->tag_suffix));
        digest = STR_NONE;
    }
    struct str made = str_fmt(image->arena, "%.*s%s%.*s%s%.*s", STR_ARG(name), tag.len ? ":" : "",
                              STR_ARG(tag), digest.len ? "@" : "", STR_ARG(digest));
    return str_eq(made, text) ? old : value_string(image->arena, made);
}

static const struct value *change_container(struct arena *arena, const struct value *container, void *ctx)
{
    const struct value *old = value_key(container, "image"), *made = new_image(ctx, old);
    return made == old ? container : value_with(arena, container, STR("image"), made);
}

static const struct value *change_volume(struct arena *arena, const struct value *volume, void *ctx)
{
    const struct value *old = value_in(volume, PATH("image", "reference")), *made = new_image(ctx, old);
    return made == old ? volume : value_with_in(arena, volume, PATH("image", "reference"), made);
}

/* Every list named containers or initContainers, wherever it is: kustomize does so for the sake of custom
 * resources. */
static const struct value *change_images(struct arena *arena, const struct value *value, void *ctx)
{
    if (value_is(value, VALUE_LIST))
        return value_change_items(arena, value, change_images, ctx);
    const struct value *made = value;
    MEMBER_EACH(member, value) {
        const struct value *below = change_images(arena, &member->value, ctx);
        if (str_is(member->key, "containers") || str_is(member->key, "initContainers"))
            below = value_change_items(arena, below, change_container, ctx);
        if (below != &member->value)
            made = value_with(arena, made, member->key, below);
    }
    return made;
}

static const struct value *change_volumes(struct image *image, const struct value *object,
                                          const char *const *path)
{
    const struct value *volumes = value_in(object, path);
    const struct value *made = value_change_items(image->arena, volumes, change_volume, image);
    return made == volumes ? object : value_with_in(image->arena, object, path, made);
}

static bool read_image(struct kustomization *k, const struct value *entry, struct image *image)
{
    static const char *const known[] = {"name", "newName", "newTag", "digest", "tagSuffix", NULL};
    *image = (struct image){.arena = k->build->arena,
                            .name = value_str(value_key(entry, "name")),
                            .new_name = value_str(value_key(entry, "newName")),
                            .new_tag = value_text(value_key(entry, "newTag")),
                            .digest = value_str(value_key(entry, "digest")),
                            .tag_suffix = value_str(value_key(entry, "tagSuffix"))};
    if (!kustomize_known(k, "images", entry, known))
        return false;
    if (image->name.len == 0 || str_find(image->name, '*') < image->name.len)
        return kustomize_fault(k, "images", "'%.*s' is no image name", STR_ARG(image->name));
    return true;
}

bool kustomize_images(struct kustomization *k, const struct value *setting)
{
    VALUE_EACH(entry, setting) {
        struct image image;
        if (!read_image(k, entry, &image))
            return false;
        for (size_t i = 0; i < k->layer.count; i++) {
            struct resource *r = &k->layer.items[i].resource;
            if (r->object == NULL || str_is(r->kind, "CustomResourceDefinition"))
                continue;
            r->object = change_images(k->build->arena, r->object, &image);
            r->object = change_volumes(&image, r->object, PATH("spec", "volumes"));
            r->object = change_volumes(&image, r->object, PATH("spec", "template", "spec", "volumes"));
        }
    }
    return true;
}
