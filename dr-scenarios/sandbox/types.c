/* types.c — the types that are served: Kubernetes' own from core/kube's table, custom ones from their CRDs. */
#include <string.h>

#include "dr-scenarios/sandbox/intern.h"

static const struct {
    const char *plural, *aliases;
} short_names[] = {
    {"configmaps", "[\"cm\"]"},
    {"endpoints", "[\"ep\"]"},
    {"namespaces", "[\"ns\"]"},
    {"nodes", "[\"no\"]"},
    {"persistentvolumeclaims", "[\"pvc\"]"},
    {"persistentvolumes", "[\"pv\"]"},
    {"pods", "[\"po\"]"},
    {"serviceaccounts", "[\"sa\"]"},
    {"services", "[\"svc\"]"},
    {"deployments", "[\"deploy\"]"},
    {"daemonsets", "[\"ds\"]"},
    {"replicasets", "[\"rs\"]"},
    {"statefulsets", "[\"sts\"]"},
    {"cronjobs", "[\"cj\"]"},
    {"ingresses", "[\"ing\"]"},
    {"networkpolicies", "[\"netpol\"]"},
    {"poddisruptionbudgets", "[\"pdb\"]"},
    {"storageclasses", "[\"sc\"]"},
    {"horizontalpodautoscalers", "[\"hpa\"]"},
    {"certificatesigningrequests", "[\"csr\"]"},
    {"customresourcedefinitions", "[\"crd\",\"crds\"]"},
    {"events", "[\"ev\"]"},
    {"ipaddresses", "[\"ip\"]"},
    {"limitranges", "[\"limits\"]"},
    {"priorityclasses", "[\"pc\"]"},
    {"replicationcontrollers", "[\"rc\"]"},
    {"resourcequotas", "[\"quota\"]"},
    {"volumeattributesclasses", "[\"vac\"]"},
};

static const struct value *aliases_of(struct arena *arena, struct str plural)
{
    for (size_t i = 0; i < COUNT_OF(short_names); i++)
        if (str_is(plural, short_names[i].plural))
            return state_literal(arena, short_names[i].aliases);
    return NULL;
}

static struct served *add(struct sandbox *sandbox, const struct resource_type *type, struct storage *storage)
{
    struct arena *arena = sandbox->arena;
    struct served *served = ARENA_NEW(arena, struct served);
    served->type = *type;
    served->type.listable = type->listable && !str_is(type->kind, "Binding");
    served->list_kind = str_fmt(arena, "%.*sList", STR_ARG(type->kind));
    served->aliases = aliases_of(arena, type->plural);
    served->preferred = true;
    served->storage = storage ? storage : ARENA_NEW(arena, struct storage);
    *ARENA_PUSH(arena, &sandbox->types) = served;
    return served;
}

/* Questions a client asks by creating them; they are never stored. */
static const struct resource_type reviews[] = {
    {.group = STR_INIT("authorization.k8s.io"),
     .version = STR_INIT("v1"),
     .kind = STR_INIT("SelfSubjectAccessReview"),
     .plural = STR_INIT("selfsubjectaccessreviews"),
     .singular = STR_INIT("selfsubjectaccessreview")},
    {.group = STR_INIT("authentication.k8s.io"),
     .version = STR_INIT("v1"),
     .kind = STR_INIT("SelfSubjectReview"),
     .plural = STR_INIT("selfsubjectreviews"),
     .singular = STR_INIT("selfsubjectreview")},
};

void types_init(struct sandbox *sandbox)
{
    const struct resource_types *builtin = resource_builtin_types();
    for (size_t i = 0; i < COUNT_OF(reviews); i++)
        add(sandbox, &reviews[i], NULL);
    for (size_t i = 0; i < builtin->count; i++)
        add(sandbox, &builtin->items[i], NULL);
}

const struct served *types_find(const struct sandbox *sandbox, struct str group, struct str version,
                                struct str plural)
{
    for (size_t i = 0; i < sandbox->types.count; i++) {
        const struct served *it = sandbox->types.items[i];
        if (str_eq(it->type.plural, plural) && str_eq(it->type.group, group) &&
            str_eq(it->type.version, version) && !it->withdrawn)
            return it;
    }
    return NULL;
}

bool types_serve(const struct sandbox *sandbox, struct str group, struct str version)
{
    for (size_t i = 0; i < sandbox->types.count; i++) {
        const struct served *it = sandbox->types.items[i];
        if (str_eq(it->type.group, group) && str_eq(it->type.version, version) && !it->withdrawn)
            return true;
    }
    return false;
}

const struct served *types_kind(const struct sandbox *sandbox, const char *group, const char *kind)
{
    for (size_t i = 0; i < sandbox->types.count; i++) {
        const struct served *it = sandbox->types.items[i];
        if (str_is(it->type.kind, kind) && str_is(it->type.group, group) && it->preferred && !it->withdrawn)
            return it;
    }
    return NULL;
}

const struct served *types_of(const struct sandbox *sandbox, const struct resource *resource)
{
    struct str group = resource_group(resource), version = resource_version(resource);
    for (size_t i = 0; i < sandbox->types.count; i++) {
        const struct served *it = sandbox->types.items[i];
        if (str_eq(it->type.kind, resource->kind) && str_eq(it->type.group, group) &&
            str_eq(it->type.version, version) && !it->withdrawn)
            return it;
    }
    return NULL;
}

struct str types_group_version(struct arena *arena, const struct served *type)
{
    const struct resource_type *it = &type->type;
    return it->group.len ? str_fmt(arena, "%.*s/%.*s", STR_ARG(it->group), STR_ARG(it->version))
                         : it->version;
}

struct str types_resource(struct arena *arena, const struct served *type)
{
    const struct resource_type *it = &type->type;
    return it->group.len ? str_fmt(arena, "%.*s.%.*s", STR_ARG(it->plural), STR_ARG(it->group)) : it->plural;
}

void types_withdraw(struct sandbox *sandbox, struct str crd)
{
    for (size_t i = 0; i < sandbox->types.count; i++)
        if (str_eq(sandbox->types.items[i]->crd, crd))
            sandbox->types.items[i]->withdrawn = true;
}

static struct served *defined(struct sandbox *sandbox, struct str crd, struct str version)
{
    for (size_t i = 0; i < sandbox->types.count; i++) {
        struct served *it = sandbox->types.items[i];
        if (str_eq(it->crd, crd) && str_eq(it->type.version, version))
            return it;
    }
    return NULL;
}

static struct storage *storage_of(struct sandbox *sandbox, struct str crd)
{
    for (size_t i = 0; i < sandbox->types.count; i++)
        if (str_eq(sandbox->types.items[i]->crd, crd))
            return sandbox->types.items[i]->storage;
    return NULL;
}

/* How Kubernetes ranks versions: v2 before v1 before v1beta1 before v1alpha1, then anything else by name. */
static int version_rank(struct str version)
{
    static const struct {
        const char *word;
        int weight;
    } stages[] = {{"alpha", 1}, {"beta", 2}};
    if (!str_starts(version, STR("v")))
        return 0;
    int major = 0, weight = 3;
    size_t at = 1;
    while (at < version.len && version.ptr[at] >= '0' && version.ptr[at] <= '9' && major < 1000)
        major = 10 * major + version.ptr[at++] - '0';
    for (size_t i = 0; i < COUNT_OF(stages); i++)
        if (str_contains(version, str_of(stages[i].word)))
            weight = stages[i].weight;
    return weight * 100000 + major;
}

static void prefer_best(struct sandbox *sandbox, struct str crd)
{
    struct served *best = NULL;
    for (size_t i = 0; i < sandbox->types.count; i++) {
        struct served *it = sandbox->types.items[i];
        if (!str_eq(it->crd, crd) || it->withdrawn)
            continue;
        it->preferred = false;
        if (best == NULL || version_rank(it->type.version) > version_rank(best->type.version))
            best = it;
    }
    if (best != NULL)
        best->preferred = true;
}

void types_define(struct sandbox *sandbox, const struct value *crd)
{
    const struct value *spec = value_key(crd, "spec");
    struct str crd_name = value_str_in(crd, PATH("metadata", "name"));
    struct storage *storage = storage_of(sandbox, crd_name);
    VALUE_EACH(version, value_key(spec, "versions")) {
        if (!value_true(value_key(version, "served")))
            continue;
        struct resource_type type = {
            .group = value_str(value_key(spec, "group")),
            .version = value_str(value_key(version, "name")),
            .kind = value_str_in(spec, PATH("names", "kind")),
            .plural = value_str_in(spec, PATH("names", "plural")),
            .singular = value_str_in(spec, PATH("names", "singular")),
            .namespaced = str_is(value_str(value_key(spec, "scope")), "Namespaced"),
            .listable = true,
            .has_status = value_in(version, PATH("subresources", "status")) != NULL,
        };
        struct served *served = defined(sandbox, crd_name, type.version);
        if (served == NULL)
            served = add(sandbox, &type, storage);
        storage = served->storage;
        served->type = type;
        served->withdrawn = false;
        served->crd = crd_name;
        served->schema = value_in(version, PATH("schema", "openAPIV3Schema"));
        served->aliases = value_in(spec, PATH("names", "shortNames"));
        if (value_in(spec, PATH("names", "listKind")))
            served->list_kind = value_str_in(spec, PATH("names", "listKind"));
    }
    prefer_best(sandbox, crd_name);
}
