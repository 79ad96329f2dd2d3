/* files.h — a tree of files in memory: what convert writes, git commits and kustomize reads.
 *
 * Paths are relative, '/'-separated, sorted bytewise, never "." or "..", never absolute; files_add refuses others.
 * A tree lives in its arena. Writing to a folder is all or nothing per file (temporary name, fsync, rename),
 * follows no symbolic link out of the folder, and removes only files that an earlier write of ours left there
 * (the list is in .gitops-pipe.files of that folder) and that this tree no longer has.
 * Fails with INVALID (a path), LIMIT (too many, too large), IO, NOT_FOUND, DENIED.
 */
#pragma once
#include "core/base/base.h"

struct file {
    struct str path, bytes;
};

struct files {
    struct file *items;
    size_t count, cap;
};

bool files_add(struct arena *arena, struct files *files, struct str path, struct str bytes,
               struct err *err) WARN_UNUSED;
/* Sorts by path; fails with INVALID when a path comes twice, also when two differ only in upper and lower case. */
bool files_sort(struct files *files, struct err *err) WARN_UNUSED;
const struct file *files_find(const struct files *files, struct str path); /* of a sorted tree */

/* Reads every regular file below `dir` (not .git, no links), at most `max_bytes` in all. */
bool files_read(struct arena *arena, const char *dir, size_t max_bytes, struct files *ret_files,
                struct err *err) WARN_UNUSED;
bool files_write(const struct files *files, const char *dir, struct err *err) WARN_UNUSED;

/* One file whole; "-" reads standard input. */
bool file_read(struct arena *arena, const char *path, size_t max_bytes, struct str *ret_bytes,
               struct err *err) WARN_UNUSED;
/* Durable and atomic: readers see the old bytes or the new ones. `mode` as for open(2). */
bool file_write(const char *path, struct str bytes, unsigned mode, struct err *err) WARN_UNUSED;
bool file_make_dirs(const char *dir, struct err *err) WARN_UNUSED; /* mkdir -p, mode 0755 */
