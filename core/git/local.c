/* A repository on this machine: the branch moves by compare-and-swap, and a working tree that shows it follows. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/git/repo.intern.h"

static bool branch_is_checked_out(struct repo *repo)
{
    git_reference *head = NULL;
    if (git_repository_is_bare(repo->git) || git_reference_lookup(&head, repo->git, "HEAD") != 0)
        return false;
    const char *target = git_reference_symbolic_target(head);
    bool same = target != NULL && strcmp(target, repo->branch_ref) == 0;
    git_reference_free(head);
    return same;
}

static git_strarray owned_paths(struct repo *repo)
{
    git_strarray paths = {ARENA_ARRAY(repo->arena, char *, repo->options.owned.count),
                          repo->options.owned.count};
    for (size_t i = 0; i < paths.count; i++)
        paths.strings[i] = (char *)str_c(repo->arena, repo->options.owned.items[i]);
    return paths;
}

/* ---- is there anything to lose? ---- */

/* A run that died between the working tree and the branch left exactly what this run is about to write. */
static bool is_what_we_write(struct repo *repo, const struct files *files, const char *path)
{
    const struct file *file = files_find(files, str_of(path));
    struct str there;
    struct err ignored;
    const char *on_disk = str_fmt(repo->arena, "%s%s", git_repository_workdir(repo->git), path).ptr;
    if (file == NULL)
        return access(on_disk, F_OK) != 0;
    return file_read(repo->arena, on_disk, file->bytes.len, &there, &ignored) && str_eq(there, file->bytes);
}

static const char *entry_path(const git_status_entry *entry)
{
    return entry->index_to_workdir != NULL ? entry->index_to_workdir->new_file.path
                                           : entry->head_to_index->new_file.path;
}

bool repo_check_worktree(struct repo *repo, const struct files *files, struct err *err)
{
    git_status_list *list = NULL;
    git_status_options options;
    if (!repo->local || !branch_is_checked_out(repo))
        return true;
    git_status_options_init(&options, GIT_STATUS_OPTIONS_VERSION);
    options.flags = GIT_STATUS_OPT_INCLUDE_UNTRACKED | GIT_STATUS_OPT_RECURSE_UNTRACKED_DIRS |
                    GIT_STATUS_OPT_DISABLE_PATHSPEC_MATCH;
    options.pathspec = owned_paths(repo);
    int code = git_status_list_new(&list, repo->git, &options);
    if (code != 0)
        return repo_fail(repo, code, err, "status of the working tree");
    size_t dirty = 0;
    const char *first = NULL;
    for (size_t i = 0; i < git_status_list_entrycount(list); i++) {
        const char *path = entry_path(git_status_byindex(list, i));
        if (is_what_we_write(repo, files, path))
            continue;
        first = first ? first : path;
        dirty++;
    }
    if (dirty != 0) {
        err_set(err, ERR_REFUSED,
                "%zu uncommitted change%s in the working tree would be lost, the first in %s", dirty,
                dirty > 1 ? "s" : "", first);
        err_next(err, "commit or stash them in %s, then run publish again",
                 git_repository_workdir(repo->git));
    }
    git_status_list_free(list);
    return dirty == 0;
}

/* ---- moving the branch ---- */

static const char *marker_path(struct repo *repo)
{
    return str_fmt(repo->arena, "%sgitops-pipe.moving", git_repository_path(repo->git)).ptr;
}

/* While the reference moves, a marker lies beside it. Who finds a marker and a lock knows that the lock belongs to a
 * run that is dead, since runs of ours exclude each other by a lock of the kernel's. */
static bool write_marker(struct repo *repo, struct err *err)
{
    return file_write(marker_path(repo), STR("a publishing run is moving the branch, or died doing so\n"),
                      0644, err);
}

static void remove_dead_lock(struct repo *repo)
{
    const char *folder = git_repository_path(repo->git);
    unlink(str_fmt(repo->arena, "%s%s.lock", folder, repo->branch_ref).ptr);
    unlink(str_fmt(repo->arena, "%sindex.lock", folder).ptr);
}

static int swap(struct repo *repo, const git_oid *commit)
{
    git_reference *moved = NULL;
    int code = git_reference_create_matching(&moved, repo->git, repo->branch_ref, commit, repo->has_tip,
                                             repo->has_tip ? &repo->tip : NULL, "gitops-pipe: publish");
    git_reference_free(moved);
    return code;
}

/* Before the branch moves, so that a kill in between leaves changes that the next run recognises as its own. */
static int update_worktree(struct repo *repo, const git_oid *commit)
{
    git_object *target = NULL;
    git_checkout_options options;
    if (!branch_is_checked_out(repo))
        return 0;
    git_checkout_options_init(&options, GIT_CHECKOUT_OPTIONS_VERSION);
    options.checkout_strategy = GIT_CHECKOUT_FORCE | GIT_CHECKOUT_DISABLE_PATHSPEC_MATCH;
    options.paths = owned_paths(repo);
    int code = git_object_lookup(&target, repo->git, commit, GIT_OBJECT_COMMIT);
    if (code == 0)
        code = git_checkout_tree(repo->git, target, &options);
    git_object_free(target);
    return code;
}

/* A new bare repository still points HEAD at its default branch; clones of it would show nothing. */
static void point_head(struct repo *repo)
{
    if (!repo->has_tip && git_repository_is_bare(repo->git) && git_repository_head_unborn(repo->git) == 1)
        git_repository_set_head(repo->git, repo->branch_ref);
}

bool repo_move_branch(struct repo *repo, const git_oid *commit, struct err *err)
{
    if (access(marker_path(repo), F_OK) == 0)
        remove_dead_lock(repo);
    if (!write_marker(repo, err))
        return false;
    int code = update_worktree(repo, commit);
    if (code == 0)
        code = swap(repo, commit);
    bool ok = code == 0 || repo_fail(repo, code, err, "move the branch");
    if (ok)
        point_head(repo);
    unlink(marker_path(repo));
    return ok;
}
