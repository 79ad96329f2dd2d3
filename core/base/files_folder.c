/* A tree on disk, file by file: staged as they come, and moved into place when all of them are there. */
#include "core/base/files_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/files_intern.h"

/* Up to here every staged file gets its own fsync, which spares what others write; beyond, one syncfs is cheaper. */
enum { FSYNC_EACH = 64, MAX_LIST_BYTES = 64 << 20 };

/* What is kept of a file. */
struct entry {
    struct str path; /* first: see files_sort_paths */
    size_t staged;   /* its name in the staging folder; 0: the right bytes are in place */
};

/* The folder that was opened last: files of one folder mostly come one behind the other. */
struct parent {
    int fd; /* -1: none */
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
    struct parent parent;
    bool committed;
    struct err failed; /* the first that went wrong */
};

static bool fail(struct files_folder *folder, struct err *err)
{
    err_context(err, "%s", folder->dir);
    folder->failed = *err;
    return false;
}

/* ---- folders below ---- */

static void forget_parent(struct files_folder *folder)
{
    if (folder->parent.fd >= 0)
        close(folder->parent.fd);
    folder->parent.fd = -1;
}

/* The folder that `path` lies in, open until the next call; -1 with errno. */
static int parent_of(struct files_folder *folder, struct str path, bool make, const char **ret_name)
{
    struct parent *parent = &folder->parent;
    size_t slash = str_rfind(path, '/'), len = slash < path.len ? slash + 1 : 0;
    if (parent->fd < 0 || parent->len != len || memcmp(parent->path, path.ptr, len) != 0) {
        forget_parent(folder);
        parent->fd = files_open_below(folder->top, str_slice(path, 0, len ? slash : 0), make);
    }
    memcpy(parent->path, path.ptr, path.len);
    parent->path[path.len] = '\0';
    parent->len = len;
    *ret_name = parent->path + len;
    return parent->fd;
}

/* ---- staging ---- */

/* A file as long as `bytes`. */
static bool holds(int fd, struct str bytes)
{
    char chunk[16384];
    while (bytes.len != 0) {
        ssize_t got = read(fd, chunk, sizeof chunk);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0 || (size_t)got > bytes.len || memcmp(bytes.ptr, chunk, (size_t)got) != 0)
            return false;
        bytes = str_from(bytes, (size_t)got);
    }
    return true;
}

/* Whether the file holds these very bytes already. */
static bool same_on_disk(struct files_folder *folder, struct str path, struct str bytes)
{
    const char *name;
    struct stat info;
    int parent = parent_of(folder, path, false, &name);
    if (parent < 0 || fstatat(parent, name, &info, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(info.st_mode) ||
        (size_t)info.st_size != bytes.len)
        return false;
    int fd = openat(parent, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool same = holds(fd, bytes);
    close(fd);
    return same;
}

static bool stage(struct files_folder *folder, struct str path, struct str bytes, size_t *ret_staged,
                  struct err *err)
{
    char name[32];
    *ret_staged = 0;
    if (same_on_disk(folder, path, bytes))
        return true;
    snprintf(name, sizeof name, "%zu", folder->staged + 1);
    if (files_put_new(folder->staging, name, bytes, 0644, false) != 0)
        return err_errno(err, "%.*s", STR_ARG(path));
    *ret_staged = ++folder->staged;
    return true;
}

bool files_folder_add(struct files_folder *folder, struct str path, struct str bytes, struct err *err)
{
    struct entry entry;
    if (folder->failed.code != ERR_NONE) {
        *err = folder->failed;
        return false;
    }
    if (!files_path_check(path, folder->count, err) || !stage(folder, path, bytes, &entry.staged, err))
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

/* All were written before the first is waited for: most of them reach the disk together. */
static bool make_durable(struct files_folder *folder, struct err *err)
{
    char name[32];
    if (folder->staged > FSYNC_EACH)
        return syncfs(folder->top) == 0 || err_errno(err, "sync");
    for (size_t i = 1; i <= folder->staged; i++) {
        snprintf(name, sizeof name, "%zu", i);
        int fd = openat(folder->staging, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0 || fsync(fd) != 0) {
            err_errno(err, "sync");
            if (fd >= 0)
                close(fd);
            return false;
        }
        close(fd);
    }
    return true;
}

static bool move_into_place(struct files_folder *folder, struct err *err)
{
    char staged[32];
    for (size_t i = 0; i < folder->count; i++) {
        const struct entry *entry = &folder->items[i];
        const char *name;
        if (entry->staged == 0)
            continue;
        snprintf(staged, sizeof staged, "%zu", entry->staged);
        int parent = parent_of(folder, entry->path, true, &name);
        if (parent < 0 || renameat(folder->staging, staged, parent, name) != 0)
            return err_errno(err, "%.*s", STR_ARG(entry->path));
    }
    return true;
}

/* Takes a file of an earlier write away, and the folders that it leaves empty. What cannot be removed because it is
 * gone, or no longer what we wrote, is left alone. */
static void remove_old(struct files_folder *folder, struct str path)
{
    bool at_file = true;
    while (path.len != 0) {
        const char *name;
        int parent = parent_of(folder, path, false, &name);
        if (parent < 0 || (unlinkat(parent, name, at_file ? 0 : AT_REMOVEDIR) != 0 && errno != ENOENT))
            return;
        size_t slash = str_rfind(path, '/');
        path = str_slice(path, 0, slash < path.len ? slash : 0);
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

/* Index of the first path that does not sort before. */
static size_t lower_bound(const struct files_folder *folder, struct str path)
{
    size_t from = 0, to = folder->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (str_cmp(folder->items[middle].path, path) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

static bool has(const struct files_folder *folder, struct str path)
{
    size_t at = lower_bound(folder, path);
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
    size_t at = lower_bound(folder, prefix);
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
    forget_parent(folder); /* it may be among the removed */
}

static bool commit(struct files_folder *folder, struct err *err)
{
    struct str old;
    if (!files_sort_paths(folder->items, folder->count, sizeof *folder->items, err) ||
        !read_list(folder, &old, err) || !make_durable(folder, err) || !write_list(folder, old, err))
        return false;
    remove_obsolete(folder, old, true);
    if (!move_into_place(folder, err))
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
        size_t slash = str_rfind(path, '/');
        path = str_slice(path, 0, slash < path.len ? slash : 0);
    }
    return path.len;
}

/* The folders that were made for a tree that did not come. Whatever else is in them keeps them. */
static void remove_made(struct files_folder *folder)
{
    struct str path = str_of(folder->dir);
    while (path.len > folder->found) {
        rmdir(str_c(folder->arena, path));
        size_t slash = str_rfind(path, '/');
        path = str_slice(path, 0, slash < path.len ? slash : 0);
    }
}

/* Empties the staging folder, also of what a killed run left there. */
static void clear_staging(int staging)
{
    int again = openat(staging, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = again >= 0 ? fdopendir(again) : NULL;
    if (dir == NULL) {
        if (again >= 0)
            close(again);
        return;
    }
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
        if (entry->d_name[0] != '.')
            unlinkat(staging, entry->d_name, 0);
    closedir(dir);
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
    clear_staging(folder->staging);
    return true;
}

bool files_folder_open(const char *dir, struct files_folder **ret_folder, struct err *err)
{
    struct arena *arena = arena_new();
    struct files_folder *folder = ARENA_NEW(arena, struct files_folder);
    folder->arena = arena;
    folder->dir = str_c(arena, str_of(dir));
    folder->found = found_of(arena, str_of(dir));
    folder->top = folder->staging = folder->parent.fd = -1;
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
    forget_parent(folder);
    if (folder->staging >= 0) {
        clear_staging(folder->staging);
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
