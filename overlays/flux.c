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

/* One namespace's Kustomization waits for another's. */
struct wait {
    struct str from, to;
};

struct waits {
    struct wait *items;
    size_t count, cap;
};

static bool waits_already(const struct waits *waits, struct str from, struct str to)
{
    for (size_t i = 0; i < waits->count; i++)
        if (str_eq(waits->items[i].from, from) && str_eq(waits->items[i].to, to))
            return true;
    return str_eq(from, to);
}

/* Whether `from` waits for `to`, be it through others. */
static bool leads_to(struct arena *arena, const struct waits *waits, struct str from, struct str to)
{
    struct str_list reached = {0};
    *ARENA_PUSH(arena, &reached) = from;
    for (size_t i = 0; i < reached.count; i++)
        for (size_t j = 0; j < waits->count; j++)
            if (str_eq(waits->items[j].from, reached.items[i]) &&
                !str_in(waits->items[j].to, reached.items, reached.count))
                *ARENA_PUSH(arena, &reached) = waits->items[j].to;
    return str_in(to, reached.items, reached.count);
}

static const struct layout_group *group_of(const struct layout *layout, struct str name)
{
    for (size_t i = 0; i < layout->count; i++)
        if (str_eq(layout->items[i].name, name))
            return &layout->items[i];
    return NULL;
}

/* Namespaces with something that somebody wants after something in another. Kustomizations that wait for each other would
 * wait for ever, so a dependency that leads round is left out: the earlier in the order of the bundle counts. */
static const struct value *with_wanted(struct writer *writer, const struct config_environment *environment,
                                       const struct layout_group *group, struct waits *waits,
                                       const struct value *needs)
{
    const struct dependencies *dependencies = writer->dependencies;
    struct arena *arena = writer->arena;
    struct value_list_builder list = {0};
    VALUE_EACH(need, needs)
        value_push(arena, &list, need);
    for (size_t i = 0; i < dependencies->list.count; i++) {
        const struct dependency *d = &dependencies->list.items[i];
        struct str from = dependencies->bundle->items[d->from].namespace;
        struct str to = dependencies->bundle->items[d->to].namespace;
        if (d->broken || d->source != DEPENDENCY_WANTED || !str_eq(from, group->name) || to.len == 0 ||
            waits_already(waits, from, to))
            continue;
        const struct layout_group *other = group_of(writer->layout, to);
        if (other == NULL || leads_to(arena, waits, to, from))
            continue;
        *ARENA_PUSH(arena, waits) = (struct wait){from, to};
        value_push(arena, &list,
                   VALUE_MAP(arena, {"name", value_string(arena, step_of(writer, environment, other).name)}));
    }
    return value_list_done(arena, &list);
}

/* Namespaces wait for the definitions and the cluster-scoped objects, gates for everything; the groups come in order. */
static bool write_environment(struct writer *writer, const struct config_environment *environment)
{
    struct arena *arena = writer->arena;
    struct str folder = str_fmt(arena, "flux/%.*s", STR_ARG(environment->name));
    struct value_list_builder before = {0}, all = {0};
    struct waits waits = {0};
    if (!write_source(writer, environment, folder))
        return false;
    for (size_t i = 0; i < writer->layout->count; i++) {
        const struct layout_group *group = &writer->layout->items[i];
        if (!writer_has(writer, environment, group))
            continue;
        struct step step = step_of(writer, environment, group);
        const struct value_list_builder *needs = str_is(group->name, "_gates") ? &all : &before;
        const struct value *depends_on =
            with_wanted(writer, environment, group, &waits, value_list_done(arena, needs));
        if (!write_step(writer, environment, folder, &step, depends_on))
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
