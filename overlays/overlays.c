#include "overlays/overlays.h"

#include "core/base/version.h"
#include "overlays/group.h"
#include "overlays/publish.h"

enum { MOST_NAMED = 5 };

/* A repository that is being written, folder by folder. */
struct writing {
    struct writer writer;
    const struct declared *declared;
    struct layout layout;
    struct facts facts;
    struct dependency_graph *graph;
    struct dependencies dependencies;
    struct protection *protection;
    struct place *places; /* per environment */
};

/* ---- what must hold, and what is to be told ---- */

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

/* ---- folder by folder ---- */

static bool open_places(struct writing *w)
{
    const struct config_environments *environments = &w->writer.run->config->environments;
    struct arena *arena = w->writer.run->arena;
    w->places = ARENA_ARRAY(arena, struct place, environments->count + 1);
    for (size_t i = 0; i < environments->count; i++) {
        struct place *place = &w->places[i];
        const struct config_environment *config = &environments->items[i];
        place->environment = (struct environment){.arena = arena,
                                                  .config = config,
                                                  .whole = w->writer.whole,
                                                  .facts = &w->facts,
                                                  .renames = &place->renames};
        if (!renames_of(arena, config, &w->layout, &place->renames, w->writer.err) ||
            !routing_generate(&place->environment, &place->routes, w->writer.err))
            return err_context(w->writer.err, "overlays/%.*s", STR_ARG(config->name));
    }
    return true;
}

static bool protect(struct writing *w, const struct layout_group *group, struct arena *arena,
                    struct protected_secrets *ret_secrets)
{
    const struct parts *secrets = &w->declared->secrets;
    size_t index = parts_find(secrets, group->name);
    struct bundle bundle;
    *ret_secrets = (struct protected_secrets){0};
    if (index == secrets->count)
        return true;
    if (!parts_take(secrets, index, arena, &bundle, w->writer.err) ||
        !protection_apply(w->protection, arena, &bundle, ret_secrets, w->writer.err))
        return false;
    secrets_note(&w->writer, group, ret_secrets);
    return true;
}

/* Base and environments; what was made for the folder is in `arena`, and goes with it. */
static bool write_group(struct writing *w, const struct layout_group *layout, const struct bundle *part,
                        struct arena *arena)
{
    struct writer writer = w->writer;
    struct protected_secrets secrets;
    struct group group = group_of(arena, layout, part);
    writer.arena = arena;
    if (layout->count != 0 && !group_write_base(&writer, &group))
        return err_context(writer.err, "base/%.*s", STR_ARG(layout->name));
    if (!protect(w, layout, arena, &secrets))
        return false;
    for (size_t i = 0; i < writer.run->config->environments.count; i++) {
        struct place *place = &w->places[i];
        struct str name = place->environment.config->name;
        if (writer_has(&writer, place->environment.config, layout) &&
            !group_write_overlay(&writer, place, &group, &secrets))
            return err_context(writer.err, "overlays/%.*s/%.*s", STR_ARG(name), STR_ARG(layout->name));
    }
    return true;
}

/* The part of a namespace; without objects where it has none. */
static bool take_part(struct writing *w, struct str namespace, struct arena *arena, struct bundle *ret_part)
{
    const struct parts *objects = &w->declared->objects;
    size_t index = parts_find(objects, namespace);
    bundle_init(ret_part, arena);
    if (index < objects->count && !parts_take(objects, index, arena, ret_part, w->writer.err))
        return false;
    dependencies_see(w->graph, ret_part);
    return true;
}

/* They share a part. */
static bool write_cluster_groups(struct writing *w, struct arena *arena)
{
    struct bundle part;
    if (!take_part(w, STR_NONE, arena, &part))
        return false;
    for (size_t i = 0; i < w->layout.count; i++)
        if (layout_is_cluster(&w->layout.items[i]) && !write_group(w, &w->layout.items[i], &part, arena))
            return false;
    return true;
}

static bool write_namespace(struct writing *w, const struct layout_group *group, struct arena *arena)
{
    struct bundle part;
    return take_part(w, group->name, arena, &part) && write_group(w, group, &part, arena);
}

static bool write_groups(struct writing *w)
{
    struct run *run = w->writer.run;
    struct arena *arena CLEANUP(arena_cleanup) = arena_new(); /* of one part */
    if (!write_cluster_groups(w, arena))
        return false;
    for (size_t i = 0; i < w->layout.count; i++) {
        const struct layout_group *group = &w->layout.items[i];
        progress_step(run->progress, "writing", i, w->layout.count, "folders", group->name);
        arena_reset(arena);
        if (!layout_is_cluster(group) && !write_namespace(w, group, arena))
            return false;
    }
    progress_step(run->progress, "writing", w->layout.count, w->layout.count, "folders", STR_NONE);
    return true;
}

/* ---- what stands over the folders ---- */

/* Lists the folders of an environment. */
static bool write_root(struct writing *w, const struct config_environment *config)
{
    struct arena *arena = w->writer.arena;
    struct value_list_builder resources = {0};
    for (size_t i = 0; i < w->layout.count; i++)
        if (writer_has(&w->writer, config, &w->layout.items[i]))
            value_push(arena, &resources, value_string(arena, w->layout.items[i].name));
    return writer_kustomization(&w->writer, str_fmt(arena, "overlays/%.*s", STR_ARG(config->name)),
                                value_list_done(arena, &resources), NULL) ||
           err_context(w->writer.err, "overlays/%.*s", STR_ARG(config->name));
}

static const struct value *strings_value(struct arena *arena, const struct str_list *strings)
{
    struct value_list_builder list = {0};
    for (size_t i = 0; i < strings->count; i++)
        value_push(arena, &list, value_string(arena, strings->items[i]));
    return value_list_done(arena, &list);
}

/* Where the content comes from. publish does not count a change of this file alone as a change. */
static bool write_provenance(struct writer *writer)
{
    struct arena *arena = writer->arena;
    const struct bundle *whole = writer->whole;
    const struct value *score = value_key(run_report(writer->run), "score");
    const struct value *document = VALUE_MAP(
        arena, {"apiVersion", value_cstr(arena, "gitops-pipe.io/v1")},
        {"kind", value_cstr(arena, "Repository")},
        {"tool", value_cstr(arena, "gitops-pipe " GITOPS_PIPE_VERSION)},
        {"cluster", value_string(arena, whole->cluster)},
        {"backup", whole->backup_id.len ? value_string(arena, whole->backup_id) : NULL},
        {"serverVersion", whole->server_version.len ? value_string(arena, whole->server_version) : NULL},
        {"objects", value_int(arena, (int64_t)whole->count)},
        {"complete", value_bool(arena, whole->complete)},
        {"narrowed", whole->narrowed ? value_bool(arena, true) : NULL},
        {"score", score ? VALUE_MAP(arena, {"overall", value_key(score, "overall")},
                                    {"dimensions", value_key(score, "dimensions")})
                        : NULL});
    return writer_document(
        writer, STR(PUBLISH_PROVENANCE),
        STR("Written by gitops-pipe. Changes below base/, overlays/, argocd/ and flux/ are overwritten."),
        document);
}

static size_t namespaces_in(const struct layout *layout)
{
    size_t count = 0;
    for (size_t i = 0; i < layout->count; i++)
        count += !layout_is_cluster(&layout->items[i]);
    return count;
}

static bool write_rest(struct writing *w)
{
    struct writer *writer = &w->writer;
    const struct config_environments *environments = &writer->run->config->environments;
    for (size_t i = 0; i < environments->count; i++)
        if (!write_root(w, &environments->items[i]))
            return false;
    if (writer_delivers(writer, "argocd") && !write_argocd(writer))
        return err_context(writer->err, "argocd");
    if (writer_delivers(writer, "flux") && !write_flux(writer))
        return err_context(writer->err, "flux");
    return write_provenance(writer) && write_readme(writer);
}

/* What the environments change, for the report. */
static const struct value *environments_value(struct writing *w)
{
    struct arena *arena = w->writer.run->arena;
    struct value_list_builder list = {0};
    for (size_t i = 0; i < w->writer.run->config->environments.count; i++) {
        const struct place *place = &w->places[i];
        const struct routes *routes = &place->routes;
        value_push(
            arena, &list,
            VALUE_MAP(arena, {"name", value_string(arena, place->environment.config->name)},
                      {"objects", value_int(arena, (int64_t)w->writer.whole->count)},
                      {"patched", value_int(arena, (int64_t)place->patched)},
                      {"routes", routes->count ? value_int(arena, (int64_t)routes->count) : NULL},
                      {"routesKept", routes->kept.count ? strings_value(arena, &routes->kept) : NULL}));
    }
    return value_list_done(arena, &list);
}

static void add_section(struct writing *w)
{
    struct run *run = w->writer.run;
    run_section(run, "overlays",
                VALUE_MAP(run->arena, {"files", value_int(run->arena, (int64_t)w->writer.out->count)},
                          {"namespaces", value_int(run->arena, (int64_t)namespaces_in(&w->layout))},
                          {"environments", environments_value(w)}, {"secrets", secrets_section(&w->writer)}));
}

static bool write_all(struct writing *w)
{
    struct writer *writer = &w->writer;
    struct run *run = writer->run;
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    facts_gather(run->arena, writer->whole, &w->facts);
    layout_of(run->arena, writer->whole, &w->declared->secrets, &w->layout);
    writer->secrets = ARENA_ARRAY(run->arena, struct secret_notes, w->layout.count + 1);
    w->graph = dependencies_open(run->arena, writer->whole);
    if (!open_places(w) || !write_groups(w))
        return false;
    if (!dependencies_done(w->graph, &w->declared->objects, &w->dependencies, writer->err))
        return false;
    report_dependencies(run, &w->dependencies);
    writer->arena = scratch;
    bool written = write_rest(w);
    writer->arena = run->arena;
    return written;
}

bool overlays_write(struct run *run, struct declared *declared, struct files_out *out, struct err *err)
{
    struct buf text CLEANUP(buf_done);
    struct writing w = {.declared = declared};
    struct bundle *whole = &declared->outline;
    w.writer = (struct writer){.run = run,
                               .arena = run->arena,
                               .out = out,
                               .whole = whole,
                               .layout = &w.layout,
                               .facts = &w.facts,
                               .dependencies = &w.dependencies,
                               .err = err};
    writer_open(&w.writer, &text);
    if (whole->cluster.len == 0)
        whole->cluster = run->config->cluster_name.len ? run->config->cluster_name : STR("cluster");
    if (!check_readable(run, err))
        return err_context(err, "overlays");
    w.protection = protection_open(run);
    bool written = write_all(&w);
    protection_close(w.protection);
    if (!written || !files_out_finish(out, err))
        return err_context(err, "overlays");
    add_section(&w);
    return true;
}

bool overlays_stage(struct run *run, struct bundle *bundle, struct err *err)
{
    struct declared declared;
    bundle_sort(bundle);
    bundle_sort(&run->secrets);
    declared_of_bundles(run->arena, bundle, &run->secrets, &declared);
    run->files = (struct files){0};
    return overlays_write(run, &declared, files_out_memory(run->arena, &run->files), err);
}
