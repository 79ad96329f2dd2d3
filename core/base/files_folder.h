/* files_folder.h — a tree that is written to disk file by file, so that it never has to be in memory.
 *
 * A changed file is staged at once in <dir>/.gitops-pipe.tmp; of every file only the path is kept, some 100 bytes.
 * files_folder_commit makes all of them durable and then renames them into place: a full disk changes nothing, and
 * whoever is killed leaves each file either old or new. Without a commit nothing was changed. No symbolic link is
 * followed, files that have the right bytes already are left alone, and only those are removed that an earlier commit
 * left there (the list is in <dir>/.gitops-pipe.files) and that this tree no longer has.
 * Files may come in any order; those of one folder are best written one behind the other. What failed once fails from
 * then on with the same words.
 * Fails as files.h does: INVALID (a path, or two that cannot stand side by side), LIMIT, IO, NOT_FOUND, DENIED, CONFLICT
 * (another run is writing).
 */
#pragma once
#include "core/base/files.h"

struct files_folder;

/* Makes the folder where it is missing, and keeps other runs out of it until it is closed. */
bool files_folder_open(const char *dir, struct files_folder **ret_folder, struct err *err) WARN_UNUSED;
/* Adds a file; path and bytes are not needed afterwards. */
bool files_folder_add(struct files_folder *folder, struct str path, struct str bytes,
                      struct err *err) WARN_UNUSED;
size_t files_folder_count(const struct files_folder *folder);
/* Once, after the last file: the folder holds the tree. */
bool files_folder_commit(struct files_folder *folder, struct err *err) WARN_UNUSED;
/* Takes away what was staged, and the folder where it was made for nothing. NULL is fine. */
void files_folder_close(struct files_folder *folder);
