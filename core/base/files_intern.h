/* files_intern.h — what the tree in memory (files.c), single files (files_write.c), and trees that are written to disk
 * (files_folder.c, files_out.c) share. */
#pragma once
#include "core/base/files.h"

#define FILES_LIST    ".gitops-pipe.files"
#define FILES_STAGING ".gitops-pipe.tmp"
enum { FILES_MAX_PATH = 4096, FILES_MAX_PART = 255 /* bytes */ };

/* Whether this can be a file of a tree from outside, and of one that holds `count` already. */
bool files_path_ok(struct str path);
bool files_path_check(struct str path, size_t count, struct err *err) WARN_UNUSED;
/* Sorts things of `size` bytes that begin with their path (struct str); fails as files_sort does. */
bool files_sort_paths(void *items, size_t count, size_t size, struct err *err) WARN_UNUSED;
/* Index of the first of such things, sorted, whose path does not sort before. */
size_t files_first_from(const void *items, size_t count, size_t size, struct str path);

/* "a/b" and "c" of "a/b/c"; "" and "c" of "c". */
struct str files_above(struct str path);
struct str files_last(struct str path);
/* Opens a folder below `top`, one part at a time and through no link; -1 with errno. "" is `top` itself. */
int files_open_below(int top, struct str path, bool make);
/* A new file with these bytes, on its way to disk when `sync`; 0 or -1 with errno. */
int files_put_new(int folder, const char *name, struct str bytes, unsigned mode, bool sync);
/* A file that is on its way to replace another, or was when its writer was killed. */
bool files_is_passing(const char *name);
/* Replaces `name` in an open folder, durably; 0 or -1 with errno. */
int files_replace(int folder, const char *name, struct str bytes, unsigned mode);
int files_close_keeping_errno(int fd); /* always -1 */
