/* Argo CD: one AppProject, and per environment one Application; one per group where an environment is large, because
 * rendering one kustomization grows faster than its size (docs/decisions/006). Source: Argo CD's declarative set-up. */
#include "core/config/config.h"
#include "overlays/writer.h"

enum { OBJECTS_PER_APPLICATION = 500 };

static const struct value *object(struct arena *arena, const char *api_version, const char *kind,
                                  struct str name, struct str namespace, const struct value *annotations,
                                  const struct value *spec)
{
    return VALUE_MAP(
        arena, {"apiVersion", value_cstr(arena, api_version)}, {"kind", value_cstr(arena, kind)},
        {"metadata", VALUE_MAP(arena, {"name", value_string(arena, name)},
                               {"namespace", value_string(arena, namespace)}, {"annotations", annotations})},
        {"spec", spec});
}

/* Replicas that an autoscaler decides are no drift. */
static const struct value *ignored_differences(struct writer *writer,
                                               const struct config_environment *environment,
                                               const struct layout_group *only)
{
    struct arena *arena = writer->arena;
    struct value_list_builder list = {0};
    size_t begin = 0, end = writer->whole->count;
    if (only != NULL)
        bundle_namespace(writer->whole, only->name, &begin, &end);
    for (size_t i = begin; i < end; i++) {
        const struct resource *resource = &writer->whole->items[i];
        /* Also what is no workload of Kubernetes' own, such as a Rollout. */
        if (resource->namespace.len == 0 || facts_autoscaler(writer->facts, resource) == NULL)
            continue;
        struct str group = resource_group(resource);
        struct str namespace = config_namespace(arena, environment, resource->namespace);
        value_push(arena, &list,
                   VALUE_MAP(arena, {"group", group.len ? value_string(arena, group) : NULL},
                             {"kind", value_string(arena, resource->kind)},
                             {"name", value_string(arena, resource->name)},
                             {"namespace", value_string(arena, namespace)},
                             {"jsonPointers", VALUE_LIST(arena, value_cstr(arena, "/spec/replicas"))}));
    }
    return list.count ? value_list_done(arena, &list) : NULL;
}

static const struct value *sync_policy(struct arena *arena)
{
    const struct value *backoff =
        VALUE_MAP(arena, {"duration", value_cstr(arena, "5s")}, {"factor", value_int(arena, 2)},
                  {"maxDuration", value_cstr(arena, "3m")});
    return VALUE_MAP(arena,
                     {"automated", VALUE_MAP(arena, {"prune", value_bool(arena, false)},
                                             {"selfHeal", value_bool(arena, true)})},
                     {"retry", VALUE_MAP(arena, {"limit", value_int(arena, 5)}, {"backoff", backoff})},
                     {"syncOptions", VALUE_LIST(arena, value_cstr(arena, "ServerSideApply=true"),
                                                value_cstr(arena, "RespectIgnoreDifferences=true"),
                                                value_cstr(arena, "SkipDryRunOnMissingResource=true"))});
}

/* Which kinds of one group belong to one wave, as patches' targets want them: "Role|RoleBinding". */
struct wave_kinds {
    struct str group;
    int wave;
    struct str_list kinds;
};

struct wave_kinds_list {
    struct wave_kinds *items;
    size_t count, cap;
};

static void note_kind(struct arena *arena, struct wave_kinds_list *list, const struct resource *resource,
                      int wave)
{
    struct str group = resource_group(resource);
    struct wave_kinds *found = NULL;
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].wave == wave && str_eq(list->items[i].group, group))
            found = &list->items[i];
    if (found == NULL) {
        found = ARENA_PUSH(arena, list);
        *found = (struct wave_kinds){.group = group, .wave = wave};
    }
    if (!str_in(resource->kind, found->kinds.items, found->kinds.count))
        *ARENA_PUSH(arena, &found->kinds) = resource->kind;
}

/* The name is not read: the target selects. */
static const struct value *wave_text(struct arena *arena, struct str kind, int wave)
{
    return value_string(arena, str_fmt(arena,
                                       "apiVersion: v1\nkind: %.*s\nmetadata:\n  name: any\n  annotations:\n"
                                       "    argocd.argoproj.io/sync-wave: \"%d\"\n",
                                       STR_ARG(kind), wave));
}

/* An object that brings its own wave keeps it. */
static const struct value *wave_patch(struct arena *arena, const struct wave_kinds *kinds)
{
    struct str alternatives = str_join(arena, kinds->kinds.items, kinds->kinds.count, STR("|"));
    const struct value *target =
        VALUE_MAP(arena, {"group", kinds->group.len ? value_string(arena, kinds->group) : NULL},
                  {"kind", value_string(arena, alternatives)},
                  {"annotationSelector", value_cstr(arena, "!argocd.argoproj.io/sync-wave")});
    return VALUE_MAP(arena, {"target", target},
                     {"patch", wave_text(arena, kinds->kinds.items[0], kinds->wave)});
}

/* What somebody wants after something else has a wave of its own among the objects that share 0. */
static const struct value *wanted_patch(struct writer *writer, const struct config_environment *environment,
                                        const struct resource *resource, unsigned level)
{
    struct arena *arena = writer->arena;
    struct str group = resource_group(resource);
    struct str namespace = config_namespace(arena, environment, resource->namespace);
    const struct value *target =
        VALUE_MAP(arena, {"group", group.len ? value_string(arena, group) : NULL},
                  {"kind", value_string(arena, resource->kind)},
                  {"name", value_string(arena, writer_literal(arena, resource->name))},
                  {"namespace", namespace.len ? value_string(arena, namespace) : NULL},
                  {"annotationSelector", value_cstr(arena, "!argocd.argoproj.io/sync-wave")});
    return VALUE_MAP(arena, {"target", target}, {"patch", wave_text(arena, resource->kind, (int)level)});
}

/* Only Argo CD reads sync waves, so only its entry points set them: what is rendered stays the same for everybody. */
static const struct value *wave_patches(struct writer *writer, const struct config_environment *environment,
                                        const struct layout_group *only)
{
    struct arena *arena = writer->arena;
    const struct dependencies *dependencies = writer->dependencies;
    struct wave_kinds_list list = {0};
    struct value_list_builder patches = {0};
    for (size_t i = 0; i < writer->layout->count; i++) {
        const struct layout_group *group = &writer->layout->items[i];
        for (size_t j = 0; j < group->count && (only == NULL || only == group); j++) {
            const struct resource *resource = group->entries[j].resource;
            int wave = wave_argocd(group->entries[j].wave);
            unsigned level = dependencies->wanted[resource - writer->whole->items];
            if (wave > 0) /* the gates, after everything */
                wave += (int)dependencies->most_wanted;
            if (wave != 0)
                note_kind(arena, &list, resource, wave);
            else if (level != 0)
                value_push(arena, &patches, wanted_patch(writer, environment, resource, level));
        }
    }
    for (size_t i = 0; i < list.count; i++)
        value_push(arena, &patches, wave_patch(arena, &list.items[i]));
    return patches.count ? VALUE_MAP(arena, {"patches", value_list_done(arena, &patches)}) : NULL;
}

/* A project permits namespaces one by one, so an Application has to name one; its objects name their own. */
static struct str home_of(const struct writer *writer, const struct config_environment *environment,
                          const struct layout_group *group)
{
    for (size_t i = 0; i < writer->layout->count && (group == NULL || layout_is_cluster(group)); i++)
        if (!layout_is_cluster(&writer->layout->items[i]))
            group = &writer->layout->items[i];
    return group && !layout_is_cluster(group) ? config_namespace(writer->arena, environment, group->name)
                                              : STR("default");
}

static const struct value *application(struct writer *writer, const struct config_environment *environment,
                                       const struct layout_group *group, int wave)
{
    struct arena *arena = writer->arena;
    const struct config *config = writer->run->config;
    struct str cluster = writer_object_name(writer, writer->whole->cluster, NULL);
    struct str prefix = str_fmt(arena, "%.*s-%.*s", STR_ARG(cluster), STR_ARG(environment->name));
    struct str name = writer_object_name(writer, prefix, group);
    struct str path = str_fmt(arena, "overlays/%.*s%s%.*s", STR_ARG(environment->name), group ? "/" : "",
                              STR_ARG(group ? group->name : STR_NONE));
    const struct value *source = VALUE_MAP(arena, {"repoURL", value_string(arena, writer_git_url(writer))},
                                           {"targetRevision", value_string(arena, config->git_branch)},
                                           {"path", value_string(arena, path)},
                                           {"kustomize", wave_patches(writer, environment, group)});
    const struct value *spec = VALUE_MAP(
        arena, {"project", value_string(arena, cluster)}, {"source", source},
        {"destination", VALUE_MAP(arena, {"server", value_string(arena, environment->destination)},
                                  {"namespace", value_string(arena, home_of(writer, environment, group))})},
        {"syncPolicy", sync_policy(arena)},
        {"ignoreDifferences", ignored_differences(writer, environment, group)});
    const struct value *annotations =
        wave ? VALUE_MAP(arena,
                         {"argocd.argoproj.io/sync-wave", value_string(arena, str_fmt(arena, "%d", wave))})
             : NULL;
    return object(arena, "argoproj.io/v1alpha1", "Application", name, STR("argocd"), annotations, spec);
}

/* Definitions before, gates after; for an app of apps that deploys these Applications. */
static int group_wave(const struct layout_group *group)
{
    return str_is(group->name, "_crds")      ? -2
           : str_is(group->name, "_cluster") ? -1
                                             : str_is(group->name, "_gates");
}

static bool write_environment(struct writer *writer, const struct config_environment *environment)
{
    struct arena *arena = writer->arena;
    struct value_list_builder documents = {0};
    struct str comment =
        STR("Delete nothing by accident: prune is off until somebody who trusts it switches it on.");
    if (writer->whole->count <= OBJECTS_PER_APPLICATION)
        value_push(arena, &documents, application(writer, environment, NULL, 0));
    else
        for (size_t i = 0; i < writer->layout->count; i++) {
            const struct layout_group *group = &writer->layout->items[i];
            if (!writer_has(writer, environment, group))
                continue;
            value_push(arena, &documents, application(writer, environment, group, group_wave(group)));
        }
    return writer_documents(writer, str_fmt(arena, "argocd/%.*s.yaml", STR_ARG(environment->name)), comment,
                            &documents);
}

/* The cluster-scoped kinds that are described here, and no others. */
static const struct value *cluster_kinds(struct writer *writer)
{
    struct arena *arena = writer->arena;
    struct wave_kinds_list list = {0};
    struct value_list_builder kinds = {0};
    for (size_t i = 0; i < writer->whole->count; i++)
        if (writer->whole->items[i].namespace.len == 0)
            note_kind(arena, &list, &writer->whole->items[i], 0);
    for (size_t i = 0; i < list.count; i++)
        for (size_t j = 0; j < list.items[i].kinds.count; j++)
            value_push(arena, &kinds,
                       VALUE_MAP(arena, {"group", value_string(arena, list.items[i].group)},
                                 {"kind", value_string(arena, list.items[i].kinds.items[j])}));
    return value_list_done(arena, &kinds);
}

static const struct value *destination(struct arena *arena, struct str server, struct str namespace)
{
    return VALUE_MAP(arena, {"server", value_string(arena, server)},
                     {"namespace", value_string(arena, namespace)});
}

/* An environment before this one goes to the same place. */
static bool is_repeated(struct writer *writer, size_t index, const struct layout_group *group)
{
    const struct config_environment *all = writer->run->config->environments.items;
    struct str namespace = home_of(writer, &all[index], group);
    for (size_t i = 0; i < index; i++)
        if (str_eq(all[i].destination, all[index].destination) &&
            str_eq(home_of(writer, &all[i], group), namespace))
            return true;
    return false;
}

/* The namespaces that are described here, on the servers of the environments, and nowhere else. */
static const struct value *destinations(struct writer *writer)
{
    struct arena *arena = writer->arena;
    const struct config_environments *environments = &writer->run->config->environments;
    struct value_list_builder list = {0};
    for (size_t i = 0; i < environments->count; i++) {
        const struct config_environment *environment = &environments->items[i];
        struct str server = environment->destination;
        bool any = false;
        for (size_t j = 0; j < writer->layout->count; j++) {
            const struct layout_group *group = &writer->layout->items[j];
            if (layout_is_cluster(group))
                continue;
            any = true;
            if (!is_repeated(writer, i, group))
                value_push(arena, &list, destination(arena, server, home_of(writer, environment, group)));
        }
        if (!any && !is_repeated(writer, i, NULL))
            value_push(arena, &list, destination(arena, server, home_of(writer, environment, NULL)));
    }
    return value_list_done(arena, &list);
}

bool write_argocd(struct writer *writer)
{
    struct arena *arena = writer->arena;
    const struct config *config = writer->run->config;
    const struct value *spec = VALUE_MAP(
        arena,
        {"description",
         value_string(arena, str_fmt(arena, "Everything of cluster %.*s", STR_ARG(writer->whole->cluster)))},
        {"sourceRepos", VALUE_LIST(arena, value_string(arena, writer_git_url(writer)))},
        {"destinations", destinations(writer)}, {"clusterResourceWhitelist", cluster_kinds(writer)});
    const struct value *project =
        object(arena, "argoproj.io/v1alpha1", "AppProject",
               writer_object_name(writer, writer->whole->cluster, NULL), STR("argocd"), NULL, spec);
    if (!writer_document(writer, STR("argocd/project.yaml"), STR_NONE, project))
        return false;
    for (size_t i = 0; i < config->environments.count; i++)
        if (!write_environment(writer, &config->environments.items[i]))
            return false;
    return true;
}
