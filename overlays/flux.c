/* Flux: one GitRepository and one Kustomization per group, each waiting for those it depends on.
 * Source: Flux' API references of source.toolkit.fluxcd.io/v1 and kustomize.toolkit.fluxcd.io/v1. */
#include "core/config/config.h"
#include "overlays/writer.h"

static const struct value *metadata(struct arena *arena, struct str name)
{
    return VALUE_MAP(arena, {"name", value_string(arena, name)},
                     {"namespace", value_cstr(arena, "flux-system")});
}

/* git@host:path is the shorthand of ssh; Flux wants the URL. */
static struct str flux_url(struct writer *writer)
{
    struct str url = writer_git_url(writer), rest = url;
    if (str_contains(url, STR("://")) || str_find(url, '@') == url.len)
        return url;
    struct str host = str_cut(&rest, ':');
    return str_fmt(writer->arena, "ssh://%.*s/%.*s", STR_ARG(host), STR_ARG(rest));
}

static struct str source_name(struct writer *writer, const struct config_environment *environment)
{
    struct str name = str_fmt(writer->arena, "%.*s-source", STR_ARG(environment->name));
    return writer_object_name(writer, name, NULL);
}

static bool write_source(struct writer *writer, const struct config_environment *environment,
                         struct str folder)
{
    struct arena *arena = writer->arena;
    struct str url = flux_url(writer);
    bool ssh = str_starts(url, STR("ssh://"));
    const struct value *spec = VALUE_MAP(
        arena, {"interval", value_cstr(arena, "1m")}, {"url", value_string(arena, url)},
        {"ref", VALUE_MAP(arena, {"branch", value_string(arena, writer->run->config->git_branch)})},
        {"secretRef", ssh ? VALUE_MAP(arena, {"name", value_cstr(arena, "gitops-deploy-key")}) : NULL});
    const struct value *source =
        VALUE_MAP(arena, {"apiVersion", value_cstr(arena, "source.toolkit.fluxcd.io/v1")},
                  {"kind", value_cstr(arena, "GitRepository")},
                  {"metadata", metadata(arena, source_name(writer, environment))}, {"spec", spec});
    return writer_document(
        writer, str_fmt(arena, "%.*s/source.yaml", STR_ARG(folder)),
        ssh ? STR("Needs a Secret gitops-deploy-key with identity and known_hosts.") : STR_NONE, source);
}

struct step {
    struct str name, file; /* of the Kustomization and of its file */
    const struct layout_group *group;
};

static bool write_step(struct writer *writer, const struct config_environment *environment, struct str folder,
                       const struct step *step, const struct value *depends_on)
{
    struct arena *arena = writer->arena;
    struct str path =
        str_fmt(arena, "./overlays/%.*s/%.*s", STR_ARG(environment->name), STR_ARG(step->group->name));
    const struct value *source = VALUE_MAP(arena, {"kind", value_cstr(arena, "GitRepository")},
                                           {"name", value_string(arena, source_name(writer, environment))});
    const struct value *decryption =
        secrets_any_of(writer, environment, step->group, SECRETS_SOPS)
            ? VALUE_MAP(arena, {"provider", value_cstr(arena, "sops")},
                        {"secretRef", VALUE_MAP(arena, {"name", value_cstr(arena, "sops-age")})})
            : NULL;
    const struct value *spec = VALUE_MAP(
        arena, {"interval", value_cstr(arena, "10m")}, {"retryInterval", value_cstr(arena, "1m")},
        {"timeout", value_cstr(arena, "5m")}, {"path", value_string(arena, path)},
        {"prune", value_bool(arena, false)}, {"wait", value_bool(arena, true)}, {"sourceRef", source},
        {"decryption", decryption}, {"dependsOn", value_count(depends_on) ? depends_on : NULL});
    const struct value *kustomization =
        VALUE_MAP(arena, {"apiVersion", value_cstr(arena, "kustomize.toolkit.fluxcd.io/v1")},
                  {"kind", value_cstr(arena, "Kustomization")}, {"metadata", metadata(arena, step->name)},
                  {"spec", spec});
    return writer_document(writer, str_fmt(arena, "%.*s/%.*s.yaml", STR_ARG(folder), STR_ARG(step->file)),
                           STR_NONE, kustomization);
}

static struct step step_of(struct writer *writer, const struct config_environment *environment,
                           const struct layout_group *group)
{
    struct arena *arena = writer->arena;
    bool cluster = layout_is_cluster(group);
    int number = str_is(group->name, "_crds")      ? 10
                 : str_is(group->name, "_cluster") ? 20
                 : !cluster                        ? 30
                                                   : 90;
    struct str part = str_from(group->name, cluster);
    return (struct step){writer_object_name(writer, environment->name, group),
                         str_fmt(arena, "%d-%.*s", number, STR_ARG(part)), group};
}

/* Namespaces wait for the definitions and the cluster-scoped objects, gates for everything; the groups come in order. */
static bool write_environment(struct writer *writer, const struct config_environment *environment)
{
    struct arena *arena = writer->arena;
    struct str folder = str_fmt(arena, "flux/%.*s", STR_ARG(environment->name));
    struct value_list_builder before = {0}, all = {0};
    if (!write_source(writer, environment, folder))
        return false;
    for (size_t i = 0; i < writer->layout->count; i++) {
        const struct layout_group *group = &writer->layout->items[i];
        if (!writer_has(writer, environment, group))
            continue;
        struct step step = step_of(writer, environment, group);
        const struct value_list_builder *needs = str_is(group->name, "_gates") ? &all : &before;
        if (!write_step(writer, environment, folder, &step, value_list_done(arena, needs)))
            return false;
        const struct value *name = VALUE_MAP(arena, {"name", value_string(arena, step.name)});
        value_push(arena, &all, name);
        if (layout_is_cluster(group))
            value_push(arena, &before, name);
    }
    return true;
}

bool write_flux(struct writer *writer)
{
    const struct config *config = writer->run->config;
    for (size_t i = 0; i < config->environments.count; i++)
        if (!write_environment(writer, &config->environments.items[i]))
            return false;
    return true;
}
