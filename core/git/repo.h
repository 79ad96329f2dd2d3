/* repo.h — a tree of files becomes a commit on a branch of somebody's repository.
 *
 * A repo is one branch of one repository, opened for publishing. A path or file:// URL is opened where it lies; any
 * other URL (http, https, ssh) gets a bare cache repository of ours below the state folder, brought up to date when it
 * is opened. We own the top-level names in `owned` ("base", "README.md"); everything else in the repository is kept as
 * it is. The same files give the same tree id; a tree that the branch has already makes no commit. Objects travel as
 * one pack (git pack format 2, no deltas), so that a killed run leaves the branch where it was or where it goes.
 * Nothing is ever forced: a branch that moved meanwhile is a CONFLICT, and so is another run of ours. In a repository
 * with a working tree whose current branch is the one we write, uncommitted changes under our names are REFUSED.
 *
 * Credentials come from GITOPS_PIPE_GIT_USERNAME and GITOPS_PIPE_GIT_PASSWORD (https), or from the ssh agent; they are
 * neither stored nor named in messages. SSL_CERT_FILE names another CA bundle than the system's.
 * Fails with NOT_FOUND (no such repository), DENIED, UNREACHABLE, CONFLICT, REFUSED, USAGE (author), IO, CORRUPT.
 */
#pragma once
#include "core/base/clock.h"
#include "core/base/files.h"
#include "core/base/progress.h"

struct repo;

struct repo_options {
    struct str url, branch;
    struct str author;    /* "Name <mail>" */
    struct str state_dir; /* where the cache lives; not used for local repositories */
    struct str_list owned;
    const struct clock *clock; /* NULL: the system's */
    struct progress *progress; /* may be NULL */
};

/* What a tree of files changes on the branch; paths sorted. */
struct repo_changes {
    struct str_list added, changed, removed;
    struct str tree; /* id of the whole resulting tree, 40 hex digits */
    bool any;        /* the tree differs from the branch's */
};

struct repo_result {
    struct repo_changes changes;
    struct str commit; /* what the branch points to now; the old one where nothing changed */
};

bool repo_open(struct arena *arena, const struct repo_options *options, struct repo **ret_repo,
               struct err *err) WARN_UNUSED;
void repo_close(struct repo *repo); /* NULL is fine */

struct str repo_url(const struct repo *repo); /* without user and password: fit for reports */
struct str
repo_tip(const struct repo *repo); /* commit id the branch had when it was opened; empty for a new one */

/* The files under our names as the branch has them, at most `max_bytes` in all; links and submodules are left out. */
bool repo_read(struct repo *repo, struct arena *arena, size_t max_bytes, struct files *ret_files,
               struct err *err) WARN_UNUSED;
/* The same for the files that `wanted` says yes to. */
bool repo_read_wanted(struct repo *repo, struct arena *arena, size_t max_bytes,
                      bool (*wanted)(struct str path), struct files *ret_files, struct err *err) WARN_UNUSED;
/* What publishing `files` (sorted, all under our names) would change. Writes nothing. */
bool repo_compare(struct repo *repo, const struct files *files, struct repo_changes *ret_changes,
                  struct err *err) WARN_UNUSED;
/* Commits and pushes, or does nothing where nothing changed. On failure the branch is what it was. */
bool repo_publish(struct repo *repo, const struct files *files, struct str message,
                  struct repo_result *ret_result, struct err *err) WARN_UNUSED;

/* Makes an empty bare repository whose HEAD is `branch`, unless there is one. */
bool repo_create(const char *path, struct str branch, struct err *err) WARN_UNUSED;
