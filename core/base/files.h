/* files.h — a tree of files in memory: what convert writes, git commits and kustomize reads.
 *
 * Paths are relative, '/'-separated, sorted bytewise; files_add refuses what could leave the folder or upset a
 * repository: absolute paths, "." and "..", ".git", control characters, parts over 255 bytes. A tree lives in its arena.
 * A tree that need not be in memory as a whole is made by files_out.h; how one is written is told in files_folder.h.
 * Fails with INVALID (a path), LIMIT (too many, too large), IO, NOT_FOUND, DENIED, CONFLICT (another run is writing).
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
/* Sorts by path; fails with INVALID when a path comes twice, also when two differ only in upper and lower case, and
 * when one path is a folder of another. */
bool files_sort(struct files *files, struct err *err) WARN_UNUSED;
const struct file *files_find(const struct files *files, struct str path); /* of a sorted tree */

/* Reads every regular file below `dir` (no .git, no links, not our own bookkeeping), at most `max_bytes` in all. */
bool files_read(struct arena *arena, const char *dir, size_t max_bytes, struct files *ret_files,
                struct err *err) WARN_UNUSED;
/* The same for the files that `wanted` says yes to; it is asked before a file is opened. */
bool files_read_wanted(struct arena *arena, const char *dir, size_t max_bytes,
                       bool (*wanted)(struct str path), struct files *ret_files, struct err *err) WARN_UNUSED;
/* The same, one file in memory at a time, in the order of their paths: `bytes` live during the call. */
typedef bool (*files_visit_fn)(void *ctx, struct str path, struct str bytes, struct err *err);
bool files_each(const char *dir, size_t max_bytes, bool (*wanted)(struct str path), files_visit_fn visit,
                void *ctx, struct err *err) WARN_UNUSED;
/* Makes `dir` hold this tree: see files_folder.h. */
bool files_write(const struct files *files, const char *dir, struct err *err) WARN_UNUSED;

/* One file whole; "-" reads standard input. */
bool file_read(struct arena *arena, const char *path, size_t max_bytes, struct str *ret_bytes,
               struct err *err) WARN_UNUSED;
/* What is left to read of an open descriptor, which stays open. */
bool file_read_fd(struct arena *arena, int fd, size_t max_bytes, struct str *ret_bytes,
                  struct err *err) WARN_UNUSED;
/* Durable and atomic: readers see the old bytes or the new ones. `mode` as for open(2). A path that names a device or
 * a pipe (/dev/stdout) is written to as it is. */
bool file_write(const char *path, struct str bytes, unsigned mode, struct err *err) WARN_UNUSED;
bool file_make_dirs(const char *dir, struct err *err) WARN_UNUSED; /* mkdir -p, mode 0755 */
