#include "overlays/overlays.h"

#include "core/base/version.h"
#include "overlays/environment.h"
#include "overlays/publish.h"
#include "overlays/routing.h"
#include "overlays/writer.h"

enum { MOST_NAMED = 5 };

/* What the environments change, for the report. */
struct tally {
    struct value_list_builder environments;
};

static struct str path_of(struct writer *writer, const char *top, struct str group, struct str file)
{
    return str_fmt(writer->arena, "%s/%.*s/%.*s", top, STR_ARG(group), STR_ARG(file));
}

/* What is only needed to write a folder goes with it: of the writer's work the files stay. */
static struct writer in_scratch(const struct writer *writer, struct arena *scratch)
{
    struct writer within = *writer;
    within.arena = scratch;
    return within;
}

static bool write_base_group(struct writer *outer, const struct layout_group *group)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct writer within = in_scratch(outer, arena), *writer = &within;
    struct value_list_builder resources = {0};
    for (size_t i = 0; i < group->count; i++) {
        const struct layout_entry *entry = &group->entries[i];
        value_push(arena, &resources, value_string(arena, entry->file));
        if (!writer_document(writer, path_of(writer, "base", group->name, entry->file), STR_NONE,
                             writer_ordered(arena, entry->resource->object)))
            return false;
    }
    return writer_kustomization(writer, str_fmt(arena, "base/%.*s", STR_ARG(group->name)),
                                value_list_done(arena, &resources), NULL);
}

static const struct value *patch_target(struct arena *arena, const struct resource *resource)
{
    struct str group = resource_group(resource);
    return VALUE_MAP(
        arena, {"group", group.len ? value_string(arena, group) : NULL},
        {"version", value_string(arena, resource_version(resource))},
        {"kind", value_string(arena, resource->kind)},
        {"name", value_string(arena, writer_literal(arena, resource->name))},
        {"namespace", resource->namespace.len ? value_string(arena, resource->namespace) : NULL});
}

/* Writes up to two patch files of one object and adds them to the kustomization's list. */
static bool write_patch(struct writer *writer, struct str folder, const struct layout_entry *entry,
                        const struct patch_builder *patch, struct value_list_builder *patches)
{
    struct arena *arena = writer->arena;
    struct str stem = str_slice(entry->file, 0, entry->file.len - 5); /* without ".yaml" */
    struct str reason = str_join(arena, patch->reasons.items, patch->reasons.count, STR("; "));
    const struct value *merge = patch_merge_document(patch), *operations = patch_operations(patch);
    /* Operations first: their places are those of the base, and merging moves items of lists. */
    if (operations != NULL) {
        struct str file = str_fmt(arena, "patches/%.*s.json6902.yaml", STR_ARG(stem));
        value_push(arena, patches,
                   VALUE_MAP(arena, {"path", value_string(arena, file)},
                             {"target", patch_target(arena, patch->resource)}));
        if (!writer_document(writer, str_fmt(arena, "%.*s/%.*s", STR_ARG(folder), STR_ARG(file)), reason,
                             operations))
            return false;
    }
    if (merge != NULL) {
        struct str file = str_fmt(arena, "patches/%.*s.yaml", STR_ARG(stem));
        value_push(arena, patches, VALUE_MAP(arena, {"path", value_string(arena, file)}));
        if (!writer_document(writer, str_fmt(arena, "%.*s/%.*s", STR_ARG(folder), STR_ARG(file)), reason,
                             merge))
            return false;
    }
    return true;
}

static const struct value *move_patch(struct arena *arena, const struct value *target, const char *path,
                                      struct str to)
{
    struct str text = str_fmt(arena, "- {op: replace, path: %s, value: \"%.*s\"}\n", path, STR_ARG(to));
    return VALUE_MAP(arena, {"target", target}, {"patch", value_string(arena, text)});
}

/* The folder of a namespace with another name here: two patches move all that is in it. They come last, since the others
 * find their objects under the old name. The `namespace` field would do it too, and also move every account called
 * "default" that a binding names, whatever namespace that is in. */
static void add_moves(struct arena *arena, const struct environment *environment,
                      const struct layout_group *group, struct value_list_builder *patches)
{
    struct str to = renames_apply(environment->renames, group->name);
    bool namespaced = false, itself = false;
    if (layout_is_cluster(group) || str_eq(to, group->name))
        return;
    for (size_t i = 0; i < group->count; i++) {
        itself = itself || resource_is(group->entries[i].resource, "", "Namespace");
        namespaced = namespaced || group->entries[i].resource->namespace.len != 0;
    }
    const struct value *name = value_string(arena, group->name);
    if (namespaced)
        value_push(arena, patches,
                   move_patch(arena, VALUE_MAP(arena, {"namespace", name}), "/metadata/namespace", to));
    if (itself)
        value_push(arena, patches,
                   move_patch(arena,
                              VALUE_MAP(arena, {"version", value_cstr(arena, "v1")},
                                        {"kind", value_cstr(arena, "Namespace")}, {"name", name}),
                              "/metadata/name", to));
}

/* The routes to the Services of the group. */
static bool write_routes(struct writer *writer, const struct routes *routes, const struct layout_group *group,
                         struct str folder, struct value_list_builder *resources)
{
    struct arena *arena = writer->arena;
    for (size_t i = 0; i < routes->count; i++) {
        const struct route *route = &routes->items[i];
        if (!str_eq(route->object.namespace, group->name))
            continue;
        struct str label = resource_label(arena, route->service);
        struct str file = str_fmt(arena, "routing/%.*s", STR_ARG(layout_file(arena, &route->object)));
        value_push(arena, resources, value_string(arena, file));
        if (!writer_document(writer, str_fmt(arena, "%.*s/%.*s", STR_ARG(folder), STR_ARG(file)),
                             str_fmt(arena, "written for %.*s; goes when its label does", STR_ARG(label)),
                             route->object.object))
            return false;
    }
    return true;
}

static bool write_overlay_group(struct writer *writer, const struct environment *environment,
                                const struct layout_group *group, const struct routes *routes,
                                size_t *patched)
{
    struct arena *arena = writer->arena;
    struct str name = environment->config->name;
    struct str folder = str_fmt(arena, "overlays/%.*s/%.*s", STR_ARG(name), STR_ARG(group->name));
    struct str base = str_fmt(arena, "../../../base/%.*s", STR_ARG(group->name));
    struct value_list_builder patches = {0}, resources = {0};
    if (group->count != 0)
        value_push(arena, &resources, value_string(arena, base));
    if (!secrets_write(writer, environment->config, group, folder, &resources) ||
        !write_routes(writer, routes, group, folder, &resources))
        return false;
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    struct writer within = in_scratch(writer, scratch);
    struct environment there = *environment;
    there.arena = scratch;
    for (size_t i = 0; i < group->count; i++) {
        struct patch_builder patch;
        environment_patch(&there, group->entries[i].resource, &patch);
        if (patch_is_empty(&patch))
            continue;
        ++*patched;
        if (!write_patch(&within, folder, &group->entries[i], &patch, &patches))
            return false;
    }
    add_moves(arena, environment, group, &patches);
    return writer_kustomization(writer, folder, value_list_done(arena, &resources),
                                value_list_done(arena, &patches));
}

static const struct value *strings_value(struct arena *arena, const struct str_list *strings)
{
    struct value_list_builder list = {0};
    for (size_t i = 0; i < strings->count; i++)
        value_push(arena, &list, value_string(arena, strings->items[i]));
    return value_list_done(arena, &list);
}

static bool write_environment(struct writer *writer, const struct config_environment *config,
                              struct tally *tally)
{
    struct arena *arena = writer->arena;
    struct renames renames;
    if (!renames_of(arena, config, writer->layout, &renames, writer->err))
        return false;
    struct environment environment = {arena, config, writer->bundle, writer->facts, &renames};
    struct value_list_builder resources = {0};
    struct routes routes;
    size_t patched = 0;
    if (!routing_generate(&environment, &routes, writer->err))
        return false;
    for (size_t i = 0; i < writer->layout->count; i++) {
        const struct layout_group *group = &writer->layout->items[i];
        if (!writer_has(writer, config, group))
            continue;
        value_push(arena, &resources, value_string(arena, group->name));
        if (!write_overlay_group(writer, &environment, group, &routes, &patched))
            return false;
    }
    value_push(arena, &tally->environments,
               VALUE_MAP(arena, {"name", value_string(arena, config->name)},
                         {"objects", value_int(arena, (int64_t)writer->bundle->count)},
                         {"patched", value_int(arena, (int64_t)patched)},
                         {"routes", routes.count ? value_int(arena, (int64_t)routes.count) : NULL},
                         {"routesKept", routes.kept.count ? strings_value(arena, &routes.kept) : NULL}));
    return writer_kustomization(writer, str_fmt(arena, "overlays/%.*s", STR_ARG(config->name)),
                                value_list_done(arena, &resources), NULL);
}

/* Where the content comes from. publish does not count a change of this file alone as a change. */
static bool write_provenance(struct writer *writer)
{
    struct arena *arena = writer->arena;
    const struct bundle *bundle = writer->bundle;
    const struct value *score = value_key(run_report(writer->run), "score");
    const struct value *document = VALUE_MAP(
        arena, {"apiVersion", value_cstr(arena, "gitops-pipe.io/v1")},
        {"kind", value_cstr(arena, "Repository")},
        {"tool", value_cstr(arena, "gitops-pipe " GITOPS_PIPE_VERSION)},
        {"cluster", value_string(arena, bundle->cluster)},
        {"backup", bundle->backup_id.len ? value_string(arena, bundle->backup_id) : NULL},
        {"serverVersion", bundle->server_version.len ? value_string(arena, bundle->server_version) : NULL},
        {"objects", value_int(arena, (int64_t)bundle->count)},
        {"complete", value_bool(arena, bundle->complete)},
        {"narrowed", bundle->narrowed ? value_bool(arena, true) : NULL},
        {"score", score ? VALUE_MAP(arena, {"overall", value_key(score, "overall")},
                                    {"dimensions", value_key(score, "dimensions")})
                        : NULL});
    return writer_document(
        writer, STR(PUBLISH_PROVENANCE),
        STR("Written by gitops-pipe. Changes below base/, overlays/, argocd/ and flux/ are overwritten."),
        document);
}

static bool write_all(struct writer *writer, struct tally *tally)
{
    const struct config *config = writer->run->config;
    for (size_t i = 0; i < writer->layout->count; i++)
        if (writer->layout->items[i].count != 0 && !write_base_group(writer, &writer->layout->items[i]))
            return err_context(writer->err, "base/%.*s", STR_ARG(writer->layout->items[i].name));
    for (size_t i = 0; i < config->environments.count; i++)
        if (!write_environment(writer, &config->environments.items[i], tally))
            return err_context(writer->err, "overlays/%.*s", STR_ARG(config->environments.items[i].name));
    if (writer_delivers(writer, "argocd") && !write_argocd(writer))
        return err_context(writer->err, "argocd");
    if (writer_delivers(writer, "flux") && !write_flux(writer))
        return err_context(writer->err, "flux");
    return write_provenance(writer) && write_readme(writer);
}

static size_t namespaces_in(const struct layout *layout)
{
    size_t count = 0;
    for (size_t i = 0; i < layout->count; i++)
        count += !layout_is_cluster(&layout->items[i]);
    return count;
}

/* Whatever transform was told to leave out: a value that can be read never gets into the base. */
static bool check_no_secret(const struct bundle *bundle, struct err *err)
{
    for (size_t i = 0; i < bundle->count; i++) {
        const struct resource *resource = &bundle->items[i];
        if (resource_is(resource, "", "Secret") &&
            (value_count(value_key(resource->object, "data")) != 0 ||
             value_count(value_key(resource->object, "stringData")) != 0))
            return err_set(err, ERR_REFUSED, "Secret %.*s/%.*s would be readable in the repository",
                           STR_ARG(resource->namespace), STR_ARG(resource->name));
    }
    return true;
}

static void name_places(struct run *run, struct buf *text)
{
    size_t named = 0;
    for (size_t i = 0; i < run->findings.count && named < MOST_NAMED; i++) {
        const struct finding *finding = &run->findings.items[i];
        if (!str_is(finding->check, "secrets.readable"))
            continue;
        buf_fmt(text, "%s%.*s%s%.*s/%.*s %.*s", named++ ? ", " : "", STR_ARG(finding->namespace),
                finding->namespace.len ? "/" : "", STR_ARG(finding->kind), STR_ARG(finding->name),
                STR_ARG(finding->path));
    }
}

/* A value that stands in a ConfigMap as well would be in git for good. */
static bool check_readable(struct run *run, struct err *err)
{
    struct buf text CLEANUP(buf_done);
    buf_init(&text, 4096);
    if (run->readable == 0 || run->config->secrets_in_clear == IN_CLEAR_REPORT)
        return true;
    name_places(run, &text);
    err_set(err, ERR_REFUSED, "values of Secrets stand in the clear in %zu place%s: %.*s%s", run->readable,
            run->readable == 1 ? "" : "s", STR_ARG(buf_view(&text)), run->readable > MOST_NAMED ? ", …" : "");
    return err_next(err, "refer to the Secret there; secrets.inTheClear: report writes them all the same");
}

static void report_dependency(struct run *run, size_t from, const struct bundle *bundle, const char *check,
                              struct str message, const char *fix)
{
    const struct resource *resource = &bundle->items[from];
    *ARENA_PUSH(run->arena, &run->findings) = (struct finding){.check = str_of(check),
                                                               .severity = SEVERITY_WARNING,
                                                               .api_version = resource->api_version,
                                                               .kind = resource->kind,
                                                               .namespace = resource->namespace,
                                                               .name = resource->name,
                                                               .message = message,
                                                               .fix = str_of(fix)};
}

/* An order that cannot be kept, and one that leads nowhere. What is only seen may go round: two services that call each
 * other start in any order. */
static void report_dependencies(struct run *run, const struct dependencies *dependencies)
{
    const struct bundle *bundle = dependencies->bundle;
    struct arena *arena = run->arena;
    for (size_t i = 0; i < dependencies->cycles.count; i++) {
        const struct dependency_cycle *cycle = &dependencies->cycles.items[i];
        struct str way = dependency_cycle_text(arena, bundle, cycle);
        struct str from = resource_label(arena, &bundle->items[cycle->from]);
        struct str to = resource_label(arena, &bundle->items[cycle->to]);
        if (!cycle->wanted)
            continue;
        report_dependency(run, cycle->from, bundle, "dependencies.cycle",
                          str_fmt(arena, "nothing can come first in %.*s; that %.*s needs %.*s is not kept",
                                  STR_ARG(way), STR_ARG(from), STR_ARG(to)),
                          "take one of these out of an annotation " DEPENDS_ON);
    }
    for (size_t i = 0; i < dependencies->unknown.count; i++)
        report_dependency(run, dependencies->unknown.items[i].from, bundle, "dependencies.unknown",
                          str_fmt(arena, "depends on %.*s, which is not there",
                                  STR_ARG(dependencies->unknown.items[i].reference)),
                          "write [namespace/]Kind/name of an object in " DEPENDS_ON);
}

bool overlays_stage(struct run *run, struct bundle *bundle, struct err *err)
{
    struct layout layout;
    struct tally tally = {0};
    struct facts facts;
    struct protected_secrets secrets;
    struct dependencies dependencies;
    struct writer writer = {run, run->arena, bundle, &layout, &facts, &dependencies, &secrets, err};
    run->files = (struct files){0};
    if (bundle->cluster.len == 0)
        bundle->cluster = run->config->cluster_name.len ? run->config->cluster_name : STR("cluster");
    bundle_sort(bundle);
    facts_gather(run->arena, bundle, &facts);
    dependencies_of(run->arena, bundle, &dependencies);
    report_dependencies(run, &dependencies);
    if (!check_no_secret(bundle, err) || !check_readable(run, err) || !secrets_protect(run, &secrets, err))
        return err_context(err, "overlays");
    layout_of(run->arena, bundle, &run->secrets, &layout);
    if (!write_all(&writer, &tally) || !files_sort(&run->files, err))
        return err_context(err, "overlays");
    run_section(run, "overlays",
                VALUE_MAP(run->arena, {"files", value_int(run->arena, (int64_t)run->files.count)},
                          {"namespaces", value_int(run->arena, (int64_t)namespaces_in(&layout))},
                          {"environments", value_list_done(run->arena, &tally.environments)},
                          {"secrets", secrets_section(&writer)}));
    progress_step(run->progress, "writing", run->files.count, run->files.count, "files", STR_NONE);
    return true;
}
