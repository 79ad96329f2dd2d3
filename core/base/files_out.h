/* files_out.h — where the files of a tree go as they are made: into memory, into a folder, or nowhere.
 *
 * Who makes a tree does not know which. A tree is whole, and in its place, when files_out_finish said so; before that
 * nothing is changed, and afterwards only files_out_close may follow. Paths are checked as they come, and what cannot
 * stand side by side at the end: a dry run fails with what a real one fails with, but for the disk.
 * An outlet is a struct of its kind that begins with struct files_out; it lives in the caller's arena and belongs to one
 * thread. Fails as files.h does.
 */
#pragma once
#include "core/base/files.h"

struct files_out {
    bool (*add)(struct files_out *out, struct str path, struct str bytes, struct err *err);
    bool (*finish)(struct files_out *out, struct err *err);
    void (*close)(struct files_out *out); /* NULL: nothing to close */
    size_t count;                         /* files so far */
};

/* Copies them into `files`, in `arena`; sorted when it is finished. */
struct files_out *files_out_memory(struct arena *arena, struct files *files);
/* Writes them to `dir`: see files_folder.h. */
bool files_out_folder(struct arena *arena, const char *dir, struct files_out **ret_out,
                      struct err *err) WARN_UNUSED;
/* Keeps their paths only. */
struct files_out *files_out_none(struct arena *arena);

/* Adds a file; path and bytes are not needed afterwards. */
bool files_out_add(struct files_out *out, struct str path, struct str bytes, struct err *err) WARN_UNUSED;
bool files_out_finish(struct files_out *out, struct err *err) WARN_UNUSED;
void files_out_close(struct files_out *out); /* NULL is fine; without a finish nothing was changed */
