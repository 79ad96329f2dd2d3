/* files_folder_intern.h — what the two halves of files_folder.h share: staging files and moving them into place
 * (files_stage.c), and the rest (files_folder.c). */
#pragma once
#include "core/base/files_folder.h"
#include "core/base/files_intern.h"

/* What is kept of a file. */
struct entry {
    struct str path; /* first: see files_sort_paths */
    size_t box;      /* that it waits in, under the last part of its path; 0: the right bytes are in place */
};

/* Files of one folder that come one behind the other wait in one box, a folder below the staging folder that is called by
 * its number: where their own is not there yet, the box becomes it. */
struct box {
    struct str folder; /* its path, without a '/' at its end */
    bool moved;
};

struct boxes {
    struct box *items;
    size_t count, cap;
    int last; /* the last of them, open; -1: none */
};

/* The folder that was opened last: files of one folder mostly come one behind the other. */
struct parent {
    int fd;       /* -1: none */
    bool missing; /* it was not there when it was looked for */
    size_t len;
    char path[FILES_MAX_PATH + 1]; /* with the '/' at its end */
};

struct files_folder {
    struct arena *arena;
    const char *dir;
    size_t found; /* how many bytes of `dir` were there before */
    int top, staging;
    struct entry *items;
    size_t count, cap, staged;
    struct boxes boxes;
    struct parent parent;
    bool committed;
    struct err failed; /* the first that went wrong */
};

/* The folder that `path` lies in, open until the next call; -1 with errno. `make`: it is made where it is missing. */
int files_parent_of(struct files_folder *folder, struct str path, bool make, const char **ret_name);
void files_forget_parent(struct files_folder *folder); /* what it points to may have changed */
/* Lets a file wait, where it does not hold these very bytes already; says in which box. */
bool files_stage(struct files_folder *folder, struct str path, struct str bytes, size_t *ret_box,
                 struct err *err) WARN_UNUSED;
bool files_make_durable(struct files_folder *folder, struct err *err) WARN_UNUSED;
bool files_move_into_place(struct files_folder *folder, struct err *err) WARN_UNUSED;
