/* files_in.h — where the files of a tree are read from, folder by folder: from memory or from disk. The other end of
 * files_out.h: who holds a tree against something else need not have the whole of it in memory.
 *
 * From disk every regular file is read (no links), as files_read does, and none is reached through a link.
 * Fails with INVALID (also a path that leads out of the tree), LIMIT, IO, DENIED; a folder that is not there has no files.
 */
#pragma once
#include "core/base/files.h"

struct files_in {
    const struct files *files; /* sorted; NULL: what lies in */
    const char *dir;
    size_t max_bytes; /* that one call reads from disk */
};

/* Names of the folders right below `folder` ("base"), sorted. */
bool files_in_folders(const struct files_in *in, struct arena *arena, struct str folder,
                      struct str_list *ret_names, struct err *err) WARN_UNUSED;
/* Adds the files at and below a path, under their whole paths. Sort `files` when all are in. */
bool files_in_read(const struct files_in *in, struct arena *arena, struct str path, struct files *files,
                   struct err *err) WARN_UNUSED;
