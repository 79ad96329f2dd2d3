/* Opening, comparing and publishing; the parts are in tree.c, pack.c, local.c and remote.c. */
#include "core/git/repo.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/git/repo.intern.h"

/* ---- opening ---- */

/* The path that a local URL names; NULL for a URL that needs the network. */
static const char *local_path(struct arena *arena, struct str url)
{
    if (str_starts(url, STR("file://")))
        return str_c(arena, str_from(url, 7));
    if (str_contains(url, STR("://")))
        return NULL;
    /* "host:path" is ssh's short form, unless a '/' comes first. */
    size_t colon = str_find(url, ':'), slash = str_find(url, '/');
    return colon < slash ? NULL : str_c(arena, url);
}

static void set_up_library(void)
{
    const char *bundle = getenv("SSL_CERT_FILE");
    static const char *const usual[] = {"/etc/ssl/certs/ca-certificates.crt",
                                        "/etc/pki/tls/certs/ca-bundle.crt"};
    git_libgit2_init();
    git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 1);
    for (size_t i = 0; bundle == NULL && i < COUNT_OF(usual); i++)
        if (access(usual[i], R_OK) == 0)
            bundle = usual[i];
    if (bundle != NULL)
        git_libgit2_opts(GIT_OPT_SET_SSL_CERT_LOCATIONS, bundle, NULL);
}

/* One run of ours at a time per repository. The kernel takes the lock back when its holder dies, whatever way. */
static bool take_lock(struct repo *repo, const char *path, struct err *err)
{
    repo->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (repo->lock < 0)
        return err_errno(err, "%s", path);
    if (flock(repo->lock, LOCK_EX | LOCK_NB) == 0)
        return true;
    err_set(err, ERR_CONFLICT, "another run is publishing there");
    return err_next(err, "wait for it to end, then run publish again");
}

static bool read_local_tip(struct repo *repo, struct err *err)
{
    int code = git_reference_name_to_id(&repo->tip, repo->git, repo->branch_ref);
    repo->has_tip = code == 0;
    return code == 0 || code == GIT_ENOTFOUND || repo_fail(repo, code, err, "read the branch");
}

static bool open_local(struct repo *repo, const char *path, struct err *err)
{
    repo->local = true;
    int code = git_repository_open_ext(&repo->git, path, GIT_REPOSITORY_OPEN_NO_SEARCH, NULL);
    if (code != 0)
        return repo_fail(repo, code, err, "open the repository");
    const char *lock = str_fmt(repo->arena, "%sgitops-pipe.lock", git_repository_path(repo->git)).ptr;
    return take_lock(repo, lock, err) && read_local_tip(repo, err);
}

/* A name for the cache that tells nothing of the URL's password. */
static struct str cache_name(struct arena *arena, struct str url)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    char text[2 * 12 + 1];
    EVP_Digest(url.ptr, url.len, hash, NULL, EVP_sha256(), NULL);
    for (int i = 0; i < 12; i++)
        snprintf(text + 2 * i, 3, "%02x", hash[i]);
    return str_fmt(arena, "%s", text);
}

/* Nobody else works in the cache, so whatever lock lies there is of a dead run. */
static void clear_cache_locks(struct repo *repo, const char *cache)
{
    static const char *const locks[] = {"config.lock", "HEAD.lock", "packed-refs.lock",
                                        "refs/publish/branch.lock", "refs/remotes/target/branch.lock"};
    for (size_t i = 0; i < COUNT_OF(locks); i++)
        unlink(str_fmt(repo->arena, "%s/%s", cache, locks[i]).ptr);
}

static bool open_cache(struct repo *repo, struct err *err)
{
    const struct repo_options *options = &repo->options;
    const char *folder = str_fmt(repo->arena, "%.*s/git", STR_ARG(options->state_dir)).ptr;
    struct str name = cache_name(repo->arena, repo->safe_url);
    const char *cache = str_fmt(repo->arena, "%s/%.*s.git", folder, STR_ARG(name)).ptr;
    if (!file_make_dirs(folder, err) ||
        !take_lock(repo, str_fmt(repo->arena, "%s/%.*s.lock", folder, STR_ARG(name)).ptr, err))
        return false;
    clear_cache_locks(repo, cache);
    int code = git_repository_open_bare(&repo->git, cache);
    if (code == GIT_ENOTFOUND)
        code = git_repository_init(&repo->git, cache, 1);
    return code == 0 ? repo_fetch(repo, err) : repo_fail(repo, code, err, "cache");
}

static bool read_tip_tree(struct repo *repo, struct err *err)
{
    git_commit *commit = NULL;
    if (!repo->has_tip)
        return true;
    int code = git_commit_lookup(&commit, repo->git, &repo->tip);
    if (code != 0)
        return repo_fail(repo, code, err, "read the branch's commit");
    repo->tree = *git_commit_tree_id(commit);
    git_commit_free(commit);
    return true;
}

static bool check_author(struct str author, struct err *err)
{
    size_t open = str_find(author, '<');
    bool ok = open > 0 && open < author.len && author.ptr[author.len - 1] == '>' && author.len > open + 2 &&
              str_find(str_from(author, open + 1), '<') == author.len - open - 1 &&
              str_find(author, '>') == author.len - 1 && author.ptr[open - 1] == ' ';
    for (size_t i = 0; i < author.len; i++)
        ok = ok && (unsigned char)author.ptr[i] >= 0x20;
    if (ok)
        return true;
    err_set(err, ERR_USAGE, "git.author '%.*s' is not of the form Name <mail>", STR_ARG(author));
    return err_next(err, "set git.author, for example: GitOps Pipe <gitops@example.com>");
}

static bool check_options(struct repo *repo, struct err *err)
{
    int valid = 0;
    if (repo->options.url.len == 0) {
        err_set(err, ERR_USAGE, "git.url is empty");
        return err_next(err, "set git.url in the configuration: a path, or an https:// or ssh:// URL");
    }
    if (git_reference_name_is_valid(&valid, repo->branch_ref) != 0 || !valid || repo->options.branch.len == 0)
        return err_set(err, ERR_USAGE, "git.branch '%.*s' is no name for a branch",
                       STR_ARG(repo->options.branch));
    return check_author(repo->options.author, err);
}

bool repo_open(struct arena *arena, const struct repo_options *options, struct repo **ret_repo,
               struct err *err)
{
    struct repo *repo = ARENA_NEW(arena, struct repo);
    *repo = (struct repo){.arena = arena, .options = *options, .lock = -1};
    repo->safe_url = repo_redact_url(arena, options->url);
    repo->branch_ref = str_fmt(arena, "refs/heads/%.*s", STR_ARG(options->branch)).ptr;
    set_up_library();
    const char *path = local_path(arena, options->url);
    bool ok = check_options(repo, err);
    if (ok)
        ok = (path != NULL ? open_local(repo, path, err) : open_cache(repo, err)) && read_tip_tree(repo, err);
    if (!ok) {
        repo_close(repo);
        return err_context(err, "%.*s", STR_ARG(repo->safe_url));
    }
    *ret_repo = repo;
    return true;
}

void repo_close(struct repo *repo)
{
    if (repo == NULL)
        return;
    git_repository_free(repo->git);
    repo->git = NULL;
    if (repo->lock >= 0)
        close(repo->lock);
    repo->lock = -1;
    git_libgit2_shutdown();
}

struct str repo_url(const struct repo *repo)
{
    return repo->safe_url;
}

static struct str hex(struct arena *arena, const git_oid *id)
{
    char text[GIT_OID_HEXSZ + 1];
    return str_fmt(arena, "%s", git_oid_tostr(text, sizeof text, id));
}

struct str repo_tip(const struct repo *repo)
{
    return repo->has_tip ? hex(repo->arena, &repo->tip) : STR("");
}

/* ---- reading ---- */

static bool read_leaf(struct repo *repo, struct arena *arena, const struct leaf *leaf, size_t *bytes_left,
                      struct files *files, struct err *err)
{
    git_blob *blob = NULL;
    if (leaf->mode != GIT_FILEMODE_BLOB && leaf->mode != GIT_FILEMODE_BLOB_EXECUTABLE)
        return true;
    int code = git_blob_lookup(&blob, repo->git, &leaf->id);
    if (code != 0)
        return repo_fail(repo, code, err, "read a file");
    size_t len = (size_t)git_blob_rawsize(blob);
    bool fits = len <= *bytes_left;
    struct str bytes = fits ? str_dup(arena, (struct str){git_blob_rawcontent(blob), len}) : STR_NONE;
    git_blob_free(blob);
    if (!fits)
        return err_set(err, ERR_LIMIT, "the branch holds more bytes than the limit");
    *bytes_left -= len;
    return files_add(arena, files, leaf->path, bytes, err);
}

bool repo_read_wanted(struct repo *repo, struct arena *arena, size_t max_bytes,
                      bool (*wanted)(struct str path), struct files *ret_files, struct err *err)
{
    struct leaves leaves;
    struct files files = {0};
    if (!tree_leaves(repo, arena, &leaves, err))
        return false;
    for (size_t i = 0; i < leaves.count; i++)
        if ((wanted == NULL || wanted(leaves.items[i].path)) &&
            !read_leaf(repo, arena, &leaves.items[i], &max_bytes, &files, err))
            return err_context(err, "%.*s", STR_ARG(leaves.items[i].path));
    *ret_files = files;
    return true;
}

bool repo_read(struct repo *repo, struct arena *arena, size_t max_bytes, struct files *ret_files,
               struct err *err)
{
    return repo_read_wanted(repo, arena, max_bytes, NULL, ret_files, err);
}

/* ---- comparing ---- */

/* Both lists are sorted by path: one walk over both. */
static void list_changes(struct repo *repo, const struct leaves *old, const struct files *files,
                         struct repo_changes *changes)
{
    size_t i = 0, j = 0;
    while (i < old->count || j < files->count) {
        int order = i == old->count     ? 1
                    : j == files->count ? -1
                                        : str_cmp(old->items[i].path, files->items[j].path);
        if (order < 0) {
            *ARENA_PUSH(repo->arena, &changes->removed) = old->items[i++].path;
        } else if (order > 0) {
            *ARENA_PUSH(repo->arena, &changes->added) = files->items[j++].path;
        } else {
            git_oid id;
            object_id("blob", files->items[j].bytes, &id);
            if (!git_oid_equal(&id, &old->items[i].id) || old->items[i].mode != GIT_FILEMODE_BLOB)
                *ARENA_PUSH(repo->arena, &changes->changed) = files->items[j].path;
            i++;
            j++;
        }
    }
}

static bool compare(struct repo *repo, const struct files *files, struct objects *objects, git_oid *ret_tree,
                    struct repo_changes *ret_changes, struct err *err)
{
    struct leaves old;
    struct repo_changes changes = {0};
    if (!tree_leaves(repo, repo->arena, &old, err) ||
        !tree_build(repo, repo->arena, files, objects, ret_tree, err))
        return false;
    list_changes(repo, &old, files, &changes);
    changes.tree = hex(repo->arena, ret_tree);
    changes.any = repo->has_tip ? !git_oid_equal(ret_tree, &repo->tree) : files->count != 0;
    *ret_changes = changes;
    return true;
}

bool repo_compare(struct repo *repo, const struct files *files, struct repo_changes *ret_changes,
                  struct err *err)
{
    struct objects objects = {0};
    git_oid tree;
    return compare(repo, files, &objects, &tree, ret_changes, err) ||
           err_context(err, "%.*s", STR_ARG(repo->safe_url));
}

/* ---- publishing ---- */

static git_oid add_commit(struct repo *repo, struct objects *objects, const git_oid *tree, struct str message)
{
    struct objects *list = objects;
    struct str author = repo->options.author;
    int64_t seconds = clock_now_ms(repo->options.clock) / 1000;
    struct str parent = repo->has_tip
                            ? str_fmt(repo->arena, "parent %.*s\n", STR_ARG(hex(repo->arena, &repo->tip)))
                            : STR("");
    struct str text = str_fmt(
        repo->arena, "tree %.*s\n%.*sauthor %.*s %lld +0000\ncommitter %.*s %lld +0000\n\n%.*s%s",
        STR_ARG(hex(repo->arena, tree)), STR_ARG(parent), STR_ARG(author), (long long)seconds,
        STR_ARG(author), (long long)seconds, STR_ARG(message), str_ends(message, STR("\n")) ? "" : "\n");
    struct object *commit = ARENA_PUSH(repo->arena, list);
    *commit = (struct object){.type = GIT_OBJECT_COMMIT, .bytes = text};
    object_id("commit", text, &commit->id);
    return commit->id;
}

static bool publish(struct repo *repo, const struct files *files, struct str message,
                    struct repo_result *ret_result, struct err *err)
{
    struct objects objects = {0};
    struct repo_result result = {.commit = repo_tip(repo)};
    git_oid tree;
    if (!compare(repo, files, &objects, &tree, &result.changes, err))
        return false;
    if (result.changes.any) {
        if (!repo_check_worktree(repo, files, err))
            return false;
        git_oid commit = add_commit(repo, &objects, &tree, message);
        if (!pack_write(repo, &objects, err))
            return false;
        if (!(repo->local ? repo_move_branch(repo, &commit, err) : repo_push_remote(repo, &commit, err)))
            return false;
        repo->tip = commit;
        repo->tree = tree;
        repo->has_tip = true;
        result.commit = repo_tip(repo);
    }
    *ret_result = result;
    return true;
}

bool repo_publish(struct repo *repo, const struct files *files, struct str message,
                  struct repo_result *ret_result, struct err *err)
{
    return publish(repo, files, message, ret_result, err) ||
           err_context(err, "%.*s", STR_ARG(repo->safe_url));
}

bool repo_create(const char *path, struct str branch, struct err *err)
{
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    struct repo as_repo = {.arena = scratch, .options.url = str_of(path), .local = true};
    git_repository *git = NULL;
    git_repository_init_options options;
    git_repository_init_options_init(&options, GIT_REPOSITORY_INIT_OPTIONS_VERSION);
    options.flags = GIT_REPOSITORY_INIT_BARE | GIT_REPOSITORY_INIT_MKPATH;
    options.initial_head = str_c(scratch, branch);
    set_up_library();
    int code = git_repository_open_bare(&git, path);
    if (code != 0)
        code = git_repository_init_ext(&git, path, &options);
    bool ok = code == 0 || repo_fail(&as_repo, code, err, path);
    git_repository_free(git);
    git_libgit2_shutdown();
    return ok;
}
