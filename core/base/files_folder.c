/* A tree on disk, file by file. How files get there is files_stage.c. */
#include "core/base/files_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/files_folder_intern.h"

enum { MAX_LIST_BYTES = 64 << 20 };

static bool fail(struct files_folder *folder, struct err *err)
{
    err_context(err, "%s", folder->dir);
    folder->failed = *err;
    return false;
}

bool files_folder_add(struct files_folder *folder, struct str path, struct str bytes, struct err *err)
{
    struct entry entry;
    if (folder->failed.code != ERR_NONE) {
        *err = folder->failed;
        return false;
    }
    if (!files_path_check(path, folder->count, err) || !files_stage(folder, path, bytes, &entry.box, err))
        return fail(folder, err);
    entry.path = str_dup(folder->arena, path);
    *ARENA_PUSH(folder->arena, folder) = entry;
    return true;
}

size_t files_folder_count(const struct files_folder *folder)
{
    return folder->count;
}

/* ---- putting in place ---- */

/* Takes a file of an earlier write away, and the folders that it leaves empty. What cannot be removed because it is
 * gone, or no longer what we wrote, is left alone. */
static void remove_old(struct files_folder *folder, struct str path)
{
    bool at_file = true;
    while (path.len != 0) {
        const char *name;
        int parent = files_parent_of(folder, path, false, &name);
        if (parent < 0 || (unlinkat(parent, name, at_file ? 0 : AT_REMOVEDIR) != 0 && errno != ENOENT))
            return;
        path = files_above(path);
        at_file = false;
    }
}

static bool read_list(struct files_folder *folder, struct str *ret_list, struct err *err)
{
    *ret_list = STR_NONE;
    int fd = openat(folder->top, FILES_LIST, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return errno == ENOENT || err_errno(err, FILES_LIST);
    bool ok = file_read_fd(folder->arena, fd, MAX_LIST_BYTES, ret_list, err);
    close(fd);
    return ok;
}

/* The list names old and new files while the write goes on, so that a killed one is cleaned up by the next. */
static bool write_list(struct files_folder *folder, struct str old, struct err *err)
{
    struct buf list CLEANUP(buf_done);
    buf_init(&list, 2 * (size_t)MAX_LIST_BYTES);
    for (size_t i = 0; i < folder->count; i++) {
        buf_str(&list, folder->items[i].path);
        buf_char(&list, '\n');
    }
    buf_str(&list, old);
    if (!buf_ok(&list))
        return err_set(err, ERR_LIMIT, "the list of files is longer than %d bytes", MAX_LIST_BYTES);
    return files_replace(folder->top, FILES_LIST, buf_view(&list), 0644) == 0 || err_errno(err, FILES_LIST);
}

static size_t first_from(const struct files_folder *folder, struct str path)
{
    return files_first_from(folder->items, folder->count, sizeof *folder->items, path);
}

static bool has(const struct files_folder *folder, struct str path)
{
    size_t at = first_from(folder, path);
    return at < folder->count && str_eq(folder->items[at].path, path);
}

/* Whether a new path needs `old` as a folder, or has a file where `old` needs a folder. */
static bool in_the_way(const struct files_folder *folder, struct str old)
{
    char below[FILES_MAX_PATH + 1];
    for (size_t i = 0; i < old.len; i++)
        if (old.ptr[i] == '/' && has(folder, str_slice(old, 0, i)))
            return true;
    memcpy(below, old.ptr, old.len);
    below[old.len] = '/';
    struct str prefix = {below, old.len + 1};
    size_t at = first_from(folder, prefix);
    return at < folder->count && str_starts(folder->items[at].path, prefix);
}

/* Old files go after the new ones are in place, so that whoever reads in between finds all that is referred to;
 * only those in the way of a new file go before. The list lies in a folder that others may write to: what it says is
 * checked like any path from outside. */
static void remove_obsolete(struct files_folder *folder, struct str list, bool only_in_the_way)
{
    while (list.len != 0) {
        struct str path = str_cut(&list, '\n');
        if (files_path_ok(path) && !has(folder, path) && (!only_in_the_way || in_the_way(folder, path)))
            remove_old(folder, path);
    }
    files_forget_parent(folder); /* it may be among the removed */
}

static bool commit(struct files_folder *folder, struct err *err)
{
    struct str old;
    if (!files_sort_paths(folder->items, folder->count, sizeof *folder->items, err) ||
        !read_list(folder, &old, err) || !files_make_durable(folder, err) || !write_list(folder, old, err))
        return false;
    remove_obsolete(folder, old, true);
    if (!files_move_into_place(folder, err))
        return false;
    remove_obsolete(folder, old, false);
    return write_list(folder, STR_NONE, err);
}

bool files_folder_commit(struct files_folder *folder, struct err *err)
{
    if (folder->failed.code != ERR_NONE) {
        *err = folder->failed;
        return false;
    }
    folder->committed = commit(folder, err);
    return folder->committed || fail(folder, err);
}

/* ---- opening and closing ---- */

/* How much of a path is there. */
static size_t found_of(struct arena *arena, struct str path)
{
    struct stat info;
    while (path.len != 0 && lstat(str_c(arena, path), &info) != 0) {
        path = files_above(path);
    }
    return path.len;
}

/* The folders that were made for a tree that did not come. Whatever else is in them keeps them. */
static void remove_made(struct files_folder *folder)
{
    struct str path = str_of(folder->dir);
    while (path.len > folder->found) {
        rmdir(str_c(folder->arena, path));
        path = files_above(path);
    }
}

/* Empties the staging folder, also of what a killed run left there. */
static void clear(int staging, bool boxes)
{
    int again = openat(staging, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = again >= 0 ? fdopendir(again) : NULL;
    if (dir == NULL) {
        if (again >= 0)
            close(again);
        return;
    }
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        int box =
            boxes ? openat(staging, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
        if (box >= 0)
            clear(box, false);
        if (box >= 0)
            close(box);
        unlinkat(staging, entry->d_name, box >= 0 ? AT_REMOVEDIR : 0);
    }
    closedir(dir);
}

/* The list that a killed run was about to write. */
static void remove_passing(struct files_folder *folder)
{
    int again = openat(folder->top, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = again >= 0 ? fdopendir(again) : NULL;
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;)
        if (files_is_passing(entry->d_name))
            unlinkat(folder->top, entry->d_name, 0);
    if (dir != NULL)
        closedir(dir);
    else if (again >= 0)
        close(again);
}

static bool open_folder(struct files_folder *folder, struct err *err)
{
    folder->top = open(folder->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder->top < 0)
        return err_errno(err, "%s", folder->dir);
    if (flock(folder->top, LOCK_EX | LOCK_NB) != 0) {
        err_set(err, ERR_CONFLICT, "another run is writing there");
        return fail(folder, err);
    }
    if (mkdirat(folder->top, FILES_STAGING, 0700) == 0 || errno == EEXIST)
        folder->staging = openat(folder->top, FILES_STAGING, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder->staging < 0) {
        err_errno(err, FILES_STAGING);
        return fail(folder, err);
    }
    clear(folder->staging, true);
    remove_passing(folder);
    return true;
}

bool files_folder_open(const char *dir, struct files_folder **ret_folder, struct err *err)
{
    struct arena *arena = arena_new();
    struct files_folder *folder = ARENA_NEW(arena, struct files_folder);
    folder->arena = arena;
    folder->dir = str_c(arena, str_of(dir));
    folder->found = found_of(arena, str_of(dir));
    folder->top = folder->staging = folder->parent.fd = folder->boxes.last = -1;
    if (!file_make_dirs(dir, err) || !open_folder(folder, err)) {
        files_folder_close(folder);
        return false;
    }
    *ret_folder = folder;
    return true;
}

void files_folder_close(struct files_folder *folder)
{
    if (folder == NULL)
        return;
    files_forget_parent(folder);
    if (folder->boxes.last >= 0)
        close(folder->boxes.last);
    if (folder->staging >= 0) {
        clear(folder->staging, true);
        close(folder->staging);
        unlinkat(folder->top, FILES_STAGING, AT_REMOVEDIR);
    }
    if (!folder->committed)
        remove_made(folder);
    if (folder->top >= 0)
        close(folder->top);
    arena_free(folder->arena);
}

bool files_write(const struct files *files, const char *dir, struct err *err)
{
    struct files_folder *folder;
    if (!files_folder_open(dir, &folder, err))
        return false;
    bool ok = true;
    for (size_t i = 0; ok && i < files->count; i++)
        ok = files_folder_add(folder, files->items[i].path, files->items[i].bytes, err);
    ok = ok && files_folder_commit(folder, err);
    files_folder_close(folder);
    return ok;
}
