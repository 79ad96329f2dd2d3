#include "overlays/publish.h"

#include "core/base/yaml.h"
#include "core/config/config.h"
#include "core/git/repo.h"

enum { MAX_PATHS = 1000, MAX_NAMED = 20 };
#define MAX_BRANCH_BYTES ((size_t)2 << 30)

/* The names that overlays may write at the top of the repository. */
static const struct str owned[] = {
    STR_INIT("base"), STR_INIT("overlays"),  STR_INIT("argocd"),
    STR_INIT("flux"), STR_INIT("README.md"), STR_INIT(PUBLISH_PROVENANCE),
};

/* ---- what would be lost ---- */

/* Objects of files, each with the place in which it must be found again as its origin: "base" or "overlays/prod". */
struct objects {
    struct resource *items;
    size_t count, cap;
};

static struct str place_of(struct str path)
{
    size_t slash = str_find(path, '/');
    if (!str_starts(path, STR("overlays/")))
        return str_slice(path, 0, slash);
    struct str below = str_from(path, slash + 1);
    return str_slice(path, 0, slash + 1 + str_find(below, '/'));
}

/* Kustomizations, patches in JSON and anything else without identity are no objects and cannot be lost as such. */
static void add_objects(struct arena *arena, const struct file *file, struct objects *objects)
{
    struct yaml_documents documents;
    struct resource resource;
    struct err ignored;
    if (!str_ends(file->path, STR(".yaml")) ||
        !yaml_parse(arena, file->bytes, file->path, &documents, &ignored))
        return;
    for (size_t i = 0; i < documents.count; i++)
        if (resource_from(documents.items[i].root, place_of(file->path), &resource, &ignored))
            *ARENA_PUSH(arena, objects) = resource;
}

static void add_from(struct arena *arena, const struct files *files, const struct str_list *paths,
                     struct objects *objects)
{
    for (size_t i = 0; i < paths->count; i++) {
        const struct file *file = files_find(files, paths->items[i]);
        if (file != NULL)
            add_objects(arena, file, objects);
    }
}

static bool is_among(const struct objects *objects, const struct resource *wanted)
{
    for (size_t i = 0; i < objects->count; i++) {
        const struct resource *r = &objects->items[i];
        if (str_eq(r->name, wanted->name) && str_eq(r->kind, wanted->kind) &&
            str_eq(r->origin, wanted->origin) && str_eq(r->namespace, wanted->namespace) &&
            str_eq(resource_group(r), resource_group(wanted)))
            return true;
    }
    return false;
}

/* Whether the snapshot can tell that an object of this type is gone: it was to be read, every hole is known, and this
 * type is none. */
static bool was_read(const struct bundle *bundle, const struct resource *resource)
{
    const struct resource_type *type =
        resource_type_find(&bundle->types, resource_group(resource), resource->kind);
    bool holes_known = false;
    for (size_t i = 0; i < bundle->types.count; i++)
        holes_known = holes_known || bundle->types.items[i].missing.len != 0;
    return !bundle->narrowed && holes_known && bundle->problems.count == 0 && type != NULL &&
           type->missing.len == 0;
}

/* Compares only what the commit touches: removed and changed files as they were, added and changed ones as they are. */
static bool find_losses(struct run *run, const struct bundle *bundle, struct repo *repo,
                        const struct repo_changes *changes, struct str_list *losses, struct err *err)
{
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    struct objects before = {0}, after = {0};
    struct files old;
    if (changes->removed.count + changes->changed.count == 0)
        return true;
    if (!repo_read(repo, scratch, MAX_BRANCH_BYTES, &old, err))
        return false;
    add_from(scratch, &old, &changes->removed, &before);
    add_from(scratch, &old, &changes->changed, &before);
    add_from(scratch, &run->files, &changes->added, &after);
    add_from(scratch, &run->files, &changes->changed, &after);
    for (size_t i = 0; i < before.count; i++) {
        if (is_among(&after, &before.items[i]) || was_read(bundle, &before.items[i]))
            continue;
        struct str label = resource_label(run->arena, &before.items[i]);
        if (!str_in(label, losses->items, losses->count))
            *ARENA_PUSH(run->arena, losses) = label;
    }
    return true;
}

static void report_losses(struct run *run, const struct bundle *bundle, const struct str_list *losses)
{
    const char *why =
        bundle->narrowed ? "only a part of the cluster was backed up" : "the snapshot has a hole";
    size_t named = losses->count < MAX_NAMED ? losses->count : MAX_NAMED;
    struct str names = str_join(run->arena, losses->items, named, STR(", "));
    *ARENA_PUSH(run->arena, &run->findings) = (struct finding){
        .check = STR("publish.withheld"),
        .severity = SEVERITY_WARNING,
        .message = str_fmt(run->arena,
                           "nothing was published: %s, and %zu objects that the branch has "
                           "would have been deleted (%.*s%s)",
                           why, losses->count, STR_ARG(names), named < losses->count ? ", …" : ""),
        .fix =
            bundle->narrowed
                ? STR("publish a backup that was made without options that select; a lasting selection goes "
                      "into cluster.include and cluster.exclude")
                : STR("give the backup's user the right to list these types, or name the types in "
                      "cluster.allowMissing if they are really gone"),
    };
}

/* ---- the message ---- */

static size_t namespaces_in(const struct bundle *bundle)
{
    size_t count = 0;
    for (size_t i = 0; i < bundle->count; i++)
        if (bundle->items[i].namespace.len != 0 &&
            (i == 0 || !str_eq(bundle->items[i].namespace, bundle->items[i - 1].namespace)))
            count++;
    return count;
}

static void write_scores(struct run *run, struct buf *text)
{
    const struct value *score = NULL;
    for (size_t i = 0; i < run->sections.count; i++)
        if (str_is(run->sections.items[i].key, "score"))
            score = &run->sections.items[i].value;
    if (value_key(score, "overall") == NULL)
        return;
    buf_fmt(text, "Score %.*s", STR_ARG(value_text(value_key(score, "overall"))));
    const char *before = ": ";
    MEMBER_EACH(dimension, value_key(score, "dimensions")) {
        buf_fmt(text, "%s%.*s %.*s", before, STR_ARG(dimension->key), STR_ARG(value_text(&dimension->value)));
        before = ", ";
    }
    buf_char(text, '\n');
}

static struct str message_of(struct run *run, const struct bundle *bundle)
{
    struct buf text CLEANUP(buf_done);
    size_t namespaces = namespaces_in(bundle);
    buf_init(&text, 64 * 1024);
    if (bundle->backup_id.len != 0)
        buf_fmt(&text, "backup %.*s", STR_ARG(bundle->backup_id));
    else
        buf_text(&text, "manifests");
    if (bundle->cluster.len != 0)
        buf_fmt(&text, " of %.*s", STR_ARG(bundle->cluster));
    buf_fmt(&text, "\n\n%zu object%s in %zu namespace%s", bundle->count, bundle->count == 1 ? "" : "s",
            namespaces, namespaces == 1 ? "" : "s");
    if (bundle->taken_ms != 0)
        buf_fmt(&text, ", taken %.*s", STR_ARG(clock_rfc3339(run->arena, bundle->taken_ms)));
    buf_text(&text, bundle->complete ? ", complete\n" : ", incomplete\n");
    write_scores(run, &text);
    return str_dup(run->arena, buf_view(&text));
}

/* ---- the report ---- */

static const struct value *texts(struct arena *arena, const struct str_list *list)
{
    struct value_list_builder values = {0};
    for (size_t i = 0; i < list->count && i < MAX_PATHS; i++)
        value_push(arena, &values, value_string(arena, list->items[i]));
    return value_list_done(arena, &values);
}

static const struct value *counts(struct arena *arena, const struct repo_changes *changes)
{
    return VALUE_MAP(arena, {"added", value_int(arena, (int64_t)changes->added.count)},
                     {"changed", value_int(arena, (int64_t)changes->changed.count)},
                     {"removed", value_int(arena, (int64_t)changes->removed.count)});
}

static void add_section(struct run *run, const struct repo *repo, const struct repo_result *result,
                        bool changed, bool preview, const struct str_list *withheld)
{
    struct arena *arena = run->arena;
    const struct repo_changes *changes = &result->changes;
    const struct value *paths =
        VALUE_MAP(arena, {"added", texts(arena, &changes->added)},
                  {"changed", texts(arena, &changes->changed)}, {"removed", texts(arena, &changes->removed)});
    run_section(run, "publish",
                VALUE_MAP(arena, {"url", value_string(arena, repo_url(repo))},
                          {"branch", value_string(arena, run->config->git_branch)},
                          {"commit", value_string(arena, result->commit)},
                          {"tree", value_string(arena, changes->tree)},
                          {"changed", value_bool(arena, changed)}, {"preview", value_bool(arena, preview)},
                          {"files", counts(arena, changes)}, {"paths", paths},
                          {"withheld", texts(arena, withheld)}));
}

/* ---- the stage ---- */

bool publish_owns(struct str path)
{
    return str_in(str_slice(path, 0, str_find(path, '/')), owned, COUNT_OF(owned));
}

/* The provenance names the backup, so it differs every night; that alone is no news. */
static bool only_provenance(const struct repo_changes *changes)
{
    return changes->added.count == 0 && changes->removed.count == 0 && changes->changed.count == 1 &&
           str_is(changes->changed.items[0], PUBLISH_PROVENANCE);
}

static bool publish_to(struct run *run, const struct bundle *bundle, struct repo *repo, bool preview,
                       struct err *err)
{
    struct repo_result result = {.commit = repo_tip(repo)};
    struct str_list losses = {0};
    if (!repo_compare(repo, &run->files, &result.changes, err))
        return false;
    if (only_provenance(&result.changes))
        result.changes = (struct repo_changes){.tree = result.changes.tree};
    if ((!bundle->complete || bundle->narrowed) &&
        !find_losses(run, bundle, repo, &result.changes, &losses, err))
        return false;
    if (losses.count != 0)
        report_losses(run, bundle, &losses);
    else if (!preview && result.changes.any &&
             !repo_publish(repo, &run->files, message_of(run, bundle), &result, err))
        return false;
    add_section(run, repo, &result, result.changes.any && losses.count == 0, preview, &losses);
    return true;
}

static bool publish(struct run *run, const struct bundle *bundle, bool preview, struct err *err)
{
    const struct config *config = run->config;
    struct repo *repo;
    struct repo_options options = {
        .url = config->git_url,
        .branch = config->git_branch,
        .author = config->git_author,
        .state_dir = config->state_dir,
        .owned = {(struct str *)owned, COUNT_OF(owned), COUNT_OF(owned)},
        .clock = run->clock,
        .progress = run->progress,
    };
    if (!repo_open(run->arena, &options, &repo, err))
        return err_context(err, "publish");
    bool ok = publish_to(run, bundle, repo, preview, err);
    repo_close(repo);
    return ok || err_context(err, "publish");
}

bool publish_stage(struct run *run, struct bundle *bundle, struct err *err)
{
    return publish(run, bundle, false, err);
}

bool publish_preview(struct run *run, struct bundle *bundle, struct err *err)
{
    return publish(run, bundle, true, err);
}
