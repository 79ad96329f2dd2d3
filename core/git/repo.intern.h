/* repo.intern.h — what the files of core/git share: one open repository, and objects on their way into it. */
#pragma once
#include <git2.h>

#include "core/git/repo.h"

struct repo {
    struct arena *arena;
    struct repo_options options;
    struct str safe_url;
    const char *branch_ref; /* "refs/heads/main" */
    git_repository *git;
    bool local;   /* `git` is the target itself */
    bool has_tip; /* the branch exists */
    git_oid tip;  /* its commit, and that commit's tree */
    git_oid tree;
    int lock; /* of the cache folder; -1 for a local target */
    unsigned credentials_asked;
};

/* An object that may have to be written. `bytes` lives in the arena or belongs to the caller's files. */
struct object {
    git_oid id;
    git_object_t type;
    struct str bytes;
};

struct objects {
    struct object *items;
    size_t count, cap;
};

/* ---- remote.c ---- */

/* Turns libgit2's last failure into ours. */
bool repo_fail(struct repo *repo, int code, struct err *err, const char *what);
/* The URL without user and password. */
struct str repo_redact_url(struct arena *arena, struct str url);
bool repo_fetch(struct repo *repo, struct err *err) WARN_UNUSED;
bool repo_push_remote(struct repo *repo, const git_oid *commit, struct err *err) WARN_UNUSED;

/* ---- local.c ---- */

/* REFUSED when the working tree has changes under our names that are neither committed nor what `files` says. */
bool repo_check_worktree(struct repo *repo, const struct files *files, struct err *err) WARN_UNUSED;
bool repo_move_branch(struct repo *repo, const git_oid *commit, struct err *err) WARN_UNUSED;

/* ---- tree.c ---- */

/* One file of a tree, as git knows it. */
struct leaf {
    struct str path;
    git_oid id;
    git_filemode_t mode;
};

struct leaves {
    struct leaf *items;
    size_t count, cap;
};

bool repo_is_owned(const struct repo *repo, struct str path);
/* The files under our names on the branch, sorted by path. */
bool tree_leaves(struct repo *repo, struct arena *arena, struct leaves *ret_leaves,
                 struct err *err) WARN_UNUSED;
/* Builds the whole tree from `files` and from what the branch has under other names. Appends every object it took. */
bool tree_build(struct repo *repo, struct arena *arena, const struct files *files, struct objects *objects,
                git_oid *ret_tree, struct err *err) WARN_UNUSED;

/* ---- pack.c ---- */

void object_id(const char *type, struct str bytes, git_oid *ret_id);
/* Writes the objects that the repository lacks as one pack; none at all writes nothing. */
bool pack_write(struct repo *repo, struct objects *objects, struct err *err) WARN_UNUSED;
