/* Argo CD: one AppProject, and per environment one Application; one per group where an environment is large, because
 * rendering one kustomization grows faster than its size (docs/decisions/005). Source: Argo CD's declarative set-up. */
#include "core/config/config.h"
#include "overlays/environment.h"
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

/* Object names are DNS labels; context names need not be. */
static struct str plain(struct arena *arena, struct str text)
{
    char *name = (char *)str_c(arena, str_lower(arena, str_slice(text, 0, 40)));
    for (char *c = name; *c; c++)
        if (!((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9')))
            *c = '-';
    struct str plain = str_of(name);
    while (plain.len != 0 && plain.ptr[0] == '-')
        plain = str_from(plain, 1);
    while (plain.len != 0 && plain.ptr[plain.len - 1] == '-')
        plain.len--;
    return plain.len ? plain : STR("cluster");
}

/* Replicas that an autoscaler decides are no drift. */
static const struct value *ignored_differences(struct writer *writer, const struct layout_group *only)
{
    struct arena *arena = writer->arena;
    struct value_list_builder list = {0};
    for (size_t i = 0; i < writer->bundle->count; i++) {
        const struct resource *resource = &writer->bundle->items[i];
        struct workload workload;
        if ((only != NULL && !str_eq(resource->namespace, only->name)) || !workload_of(resource, &workload) ||
            !(workload.traits & WORKLOAD_SCALES) || autoscaler_of(writer->bundle, resource) == NULL)
            continue;
        struct str group = resource_group(resource);
        value_push(arena, &list,
                   VALUE_MAP(arena, {"group", group.len ? value_string(arena, group) : NULL},
                             {"kind", value_string(arena, resource->kind)},
                             {"name", value_string(arena, resource->name)},
                             {"namespace", value_string(arena, resource->namespace)},
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
                                                value_cstr(arena, "RespectIgnoreDifferences=true"))});
}

static const struct value *application(struct writer *writer, const struct config_environment *environment,
                                       const struct layout_group *group, int wave)
{
    struct arena *arena = writer->arena;
    const struct config *config = writer->run->config;
    struct str cluster = plain(arena, writer->bundle->cluster);
    struct str part = group ? plain(arena, group->name) : STR_NONE;
    struct str name = str_fmt(arena, "%.*s-%.*s%s%.*s", STR_ARG(cluster), STR_ARG(environment->name),
                              group ? "-" : "", STR_ARG(part));
    struct str path = str_fmt(arena, "overlays/%.*s%s%.*s", STR_ARG(environment->name), group ? "/" : "",
                              STR_ARG(group ? group->name : STR_NONE));
    const struct value *source = VALUE_MAP(arena, {"repoURL", value_string(arena, writer_git_url(writer))},
                                           {"targetRevision", value_string(arena, config->git_branch)},
                                           {"path", value_string(arena, path)});
    const struct value *spec = VALUE_MAP(
        arena, {"project", value_string(arena, cluster)}, {"source", source},
        {"destination", VALUE_MAP(arena, {"server", value_string(arena, environment->destination)})},
        {"syncPolicy", sync_policy(arena)}, {"ignoreDifferences", ignored_differences(writer, group)});
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
    if (writer->bundle->count <= OBJECTS_PER_APPLICATION)
        value_push(arena, &documents, application(writer, environment, NULL, 0));
    else
        for (size_t i = 0; i < writer->layout->count; i++) {
            const struct layout_group *group = &writer->layout->items[i];
            value_push(arena, &documents, application(writer, environment, group, group_wave(group)));
        }
    return writer_documents(writer, str_fmt(arena, "argocd/%.*s.yaml", STR_ARG(environment->name)), comment,
                            &documents);
}

static const struct value *anything(struct arena *arena)
{
    const struct value *any = value_cstr(arena, "*");
    return VALUE_LIST(arena, VALUE_MAP(arena, {"group", any}, {"kind", any}));
}

/* The namespaces that are described here, on the servers of the environments, and nowhere else. */
static const struct value *destinations(struct writer *writer)
{
    struct arena *arena = writer->arena;
    const struct config *config = writer->run->config;
    struct value_list_builder list = {0};
    struct str_list servers = {0};
    for (size_t i = 0; i < config->environments.count; i++) {
        struct str server = config->environments.items[i].destination;
        if (str_in(server, servers.items, servers.count))
            continue;
        *ARENA_PUSH(arena, &servers) = server;
        for (size_t j = 0; j < writer->layout->count; j++)
            if (!layout_is_cluster(&writer->layout->items[j]))
                value_push(arena, &list,
                           VALUE_MAP(arena, {"server", value_string(arena, server)},
                                     {"namespace", value_string(arena, writer->layout->items[j].name)}));
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
         value_string(arena, str_fmt(arena, "Everything of cluster %.*s", STR_ARG(writer->bundle->cluster)))},
        {"sourceRepos", VALUE_LIST(arena, value_string(arena, writer_git_url(writer)))},
        {"destinations", destinations(writer)}, {"clusterResourceWhitelist", anything(arena)});
    const struct value *project = object(arena, "argoproj.io/v1alpha1", "AppProject",
                                         plain(arena, writer->bundle->cluster), STR("argocd"), NULL, spec);
    if (!writer_document(writer, STR("argocd/project.yaml"), STR_NONE, project))
        return false;
    for (size_t i = 0; i < config->environments.count; i++)
        if (!write_environment(writer, &config->environments.items[i]))
            return false;
    return true;
}
