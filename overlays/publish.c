#include "overlays/publish.h"

#include "core/config/config.h"
#include "core/git/repo.h"
#include "core/secrets/earlier.h"
#include "overlays/losses.h"

enum { MAX_PATHS = 1000, MAX_NAMED = 20 };

/* The names that overlays may write at the top of the repository. */
static const struct str owned[] = {
    STR_INIT("base"), STR_INIT("overlays"),  STR_INIT("argocd"),
    STR_INIT("flux"), STR_INIT("README.md"), STR_INIT(PUBLISH_PROVENANCE),
};

/* ---- what would be lost ---- */

static void report_withheld(struct run *run, const struct str_list *objects, const char *why, const char *fix)
{
    size_t named = objects->count < MAX_NAMED ? objects->count : MAX_NAMED;
    struct str names = str_join(run->arena, objects->items, named, STR(", "));
    *ARENA_PUSH(run->arena, &run->findings) = (struct finding){
        .check = STR("publish.withheld"),
        .severity = SEVERITY_WARNING,
        .message = str_fmt(run->arena,
                           "nothing was published: %s, and %zu objects that the branch has would have been "
                           "deleted (%.*s%s)",
                           why, objects->count, STR_ARG(names), named < objects->count ? ", …" : ""),
        .fix = str_of(fix),
    };
}

/* What must not be taken out now; an empty list lets the commit through. */
static struct str_list withheld_of(struct run *run, const struct bundle *bundle, const struct losses *losses)
{
    if (losses->holes.count != 0 && bundle->narrowed) {
        report_withheld(
            run, &losses->holes, "only a part of the cluster was backed up",
            "publish a backup that was made without options that select; a lasting selection goes "
            "into cluster.include and cluster.exclude");
        return losses->holes;
    }
    if (losses->holes.count != 0) {
        report_withheld(
            run, &losses->holes, "the snapshot has a hole",
            "give the backup's user the right to list these types, or name the types in cluster.allowMissing "
            "if they are really gone");
        return losses->holes;
    }
    if (losses->unselected.count == 0 || run->config->allow_deletions)
        return (struct str_list){0};
    report_withheld(
        run, &losses->unselected, "the backup selects less than before",
        "correct cluster.include and cluster.exclude, or publish --allow-deletions if the repository "
        "is to describe less from now on");
    return losses->unselected;
}

static bool refuse_many(const struct run *run, const struct losses *losses, struct err *err)
{
    err_set(err, ERR_REFUSED,
            "%zu of %zu objects would be deleted from the repository; git.maxDeletions is %d %%",
            losses->lost, losses->before, (int)run->config->max_deletions);
    return err_next(err, "see publish --dry-run; if they are really gone, publish --allow-deletions");
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
                        bool changed, bool preview, const struct str_list *withheld,
                        const struct losses *losses)
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
                          {"withheld", texts(arena, withheld)},
                          {"deleted", value_int(arena, (int64_t)losses->lost)},
                          {"tooMany", value_bool(arena, losses_are_many(run, losses))}));
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
    struct losses losses = {0};
    if (!repo_compare(repo, &run->files, &result.changes, err))
        return false;
    if (only_provenance(&result.changes))
        result.changes = (struct repo_changes){.tree = result.changes.tree};
    if (!losses_find(run, bundle, repo, &result.changes, &losses, err))
        return false;
    struct str_list withheld = withheld_of(run, bundle, &losses);
    bool goes = withheld.count == 0 && !preview && result.changes.any;
    if (goes && losses_are_many(run, &losses) && !run->config->allow_deletions)
        return refuse_many(run, &losses, err);
    if (goes && !repo_publish(repo, &run->files, message_of(run, bundle), &result, err))
        return false;
    add_section(run, repo, &result, result.changes.any && withheld.count == 0, preview, &withheld, &losses);
    return true;
}

static bool open_branch(struct run *run, struct repo **ret_repo, struct err *err)
{
    const struct config *config = run->config;
    struct repo_options options = {
        .url = config->git_url,
        .branch = config->git_branch,
        .author = config->git_author,
        .state_dir = config->state_dir,
        .owned = {(struct str *)owned, COUNT_OF(owned), COUNT_OF(owned)},
        .clock = run->clock,
        .progress = run->progress,
    };
    return repo_open(run->arena, &options, ret_repo, err) || err_context(err, "publish");
}

static bool publish(struct run *run, const struct bundle *bundle, bool preview, struct err *err)
{
    struct repo *repo;
    if (!open_branch(run, &repo, err))
        return false;
    bool ok = publish_to(run, bundle, repo, preview, err);
    repo_close(repo);
    return ok || err_context(err, "publish");
}

bool publish_previous(struct run *run, struct err *err)
{
    struct files *files = ARENA_NEW(run->arena, struct files);
    struct repo *repo;
    if (!open_branch(run, &repo, err))
        return err->code == ERR_NOT_FOUND;
    bool ok = repo_read_wanted(repo, run->arena, MAX_BRANCH_BYTES, earlier_is_path, files, err);
    repo_close(repo);
    struct files_in *previous = ARENA_NEW(run->arena, struct files_in);
    *previous = (struct files_in){.files = files};
    if (ok)
        run->previous = previous;
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
