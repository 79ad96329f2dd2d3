/* Writing to disk: nothing is half there. Bytes are staged and durable before the first rename. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/files.h"

#define LIST    ".gitops-pipe.files"
#define STAGING ".gitops-pipe.tmp"
/* Up to here every staged file gets its own fsync; beyond, one syncfs is cheaper. */
enum { FSYNC_EACH = 64, MAX_LIST_BYTES = 64 << 20 };

static bool write_all(int fd, struct str bytes)
{
    while (bytes.len != 0) {
        ssize_t put = write(fd, bytes.ptr, bytes.len);
        if (put < 0 && errno != EINTR)
            return false;
        bytes = str_from(bytes, put > 0 ? (size_t)put : 0);
    }
    return true;
}

static int keep_errno_close(int fd)
{
    int number = errno;
    close(fd);
    errno = number;
    return -1;
}

/* A new file with these bytes, on its way to disk when `sync`; 0 or -1 with errno. */
static int put_new_file(int folder, const char *name, struct str bytes, unsigned mode, bool sync)
{
    int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0)
        return -1;
    if (!write_all(fd, bytes) || (sync && fsync(fd) != 0))
        return keep_errno_close(fd);
    return close(fd);
}

static bool write_to_device(const char *path, struct str bytes, struct err *err)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return err_errno(err, "%s", path);
    if (!write_all(fd, bytes)) {
        keep_errno_close(fd);
        return err_errno(err, "%s", path);
    }
    return close(fd) == 0 || err_errno(err, "%s", path);
}

/* Replaces `name` in an open folder. The random part of the temporary name keeps two writers apart. */
static int replace_file(int folder, const char *name, struct str bytes, unsigned mode)
{
    unsigned long long noise = 0;
    char temporary[64];
    if (getrandom(&noise, sizeof noise, 0) < 0)
        return -1;
    snprintf(temporary, sizeof temporary, ".gitops-pipe.%016llx", noise);
    if (put_new_file(folder, temporary, bytes, mode, true) != 0 ||
        renameat(folder, temporary, folder, name) != 0) {
        int number = errno;
        unlinkat(folder, temporary, 0);
        errno = number;
        return -1;
    }
    return fsync(folder);
}

bool file_write(const char *path, struct str bytes, unsigned mode, struct err *err)
{
    struct stat info;
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    if (stat(path, &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode))
        return write_to_device(path, bytes, err);
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    struct str dir = slash == NULL   ? STR(".")
                     : slash == path ? STR("/")
                                     : (struct str){path, (size_t)(slash - path)};
    int folder = open(str_c(scratch, dir), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return err_errno(err, "%s", path);
    int result = replace_file(folder, name, bytes, mode);
    keep_errno_close(folder);
    return result == 0 || err_errno(err, "%s", path);
}

bool file_make_dirs(const char *dir, struct err *err)
{
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    char *path = (char *)str_c(scratch, str_of(dir));
    for (char *at = path; *at != '\0'; at++) {
        if (*at != '/' || at == path)
            continue;
        *at = '\0';
        if (mkdir(path, 0755) != 0 && errno != EEXIST)
            return err_errno(err, "%s", path);
        *at = '/';
    }
    struct stat info;
    if (mkdir(path, 0755) != 0 && errno != EEXIST)
        return err_errno(err, "%s", path);
    errno = ENOTDIR;
    return (stat(path, &info) == 0 && S_ISDIR(info.st_mode)) || err_errno(err, "%s", path);
}

/* One files_write. */
struct writer {
    struct arena *scratch;
    const struct files *files;
    int top, staging;
    bool *staged; /* per file: waits in the staging folder, under its index as name */
    size_t staged_count;
    struct err *err;
};

/* Opens the folder that `path` (of a file) lies in, one part at a time and through no link; -1 with errno. */
static int open_parent(struct writer *w, struct str path, bool make, const char **ret_name)
{
    int folder = dup(w->top);
    while (folder >= 0 && str_find(path, '/') < path.len) {
        const char *part = str_c(w->scratch, str_cut(&path, '/'));
        if (make && mkdirat(folder, part, 0755) != 0 && errno != EEXIST)
            return keep_errno_close(folder);
        int next = openat(folder, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        keep_errno_close(folder);
        folder = next;
    }
    *ret_name = str_c(w->scratch, path);
    return folder;
}

/* Whether the file holds these very bytes already. */
static bool same_on_disk(struct writer *w, const struct file *file)
{
    const char *name;
    struct stat info;
    struct str bytes;
    struct err ignored;
    int folder = open_parent(w, file->path, false, &name);
    if (folder < 0)
        return false;
    bool same = fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(info.st_mode) &&
                (size_t)info.st_size == file->bytes.len;
    int fd = same ? openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC) : -1;
    close(folder);
    if (fd < 0)
        return false;
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    same = file_read_fd(arena, fd, file->bytes.len, &bytes, &ignored) && str_eq(bytes, file->bytes);
    close(fd);
    return same;
}

static bool stage(struct writer *w)
{
    char name[32];
    for (size_t i = 0; i < w->files->count; i++) {
        if (same_on_disk(w, &w->files->items[i]))
            continue;
        w->staged[i] = true;
        snprintf(name, sizeof name, "%zu", i);
        if (put_new_file(w->staging, name, w->files->items[i].bytes, 0644, w->staged_count < FSYNC_EACH) != 0)
            return err_errno(w->err, "%.*s", STR_ARG(w->files->items[i].path));
        w->staged_count++;
    }
    return w->staged_count <= FSYNC_EACH || syncfs(w->top) == 0 || err_errno(w->err, "sync");
}

static bool move_into_place(struct writer *w)
{
    char staged_name[32];
    for (size_t i = 0; i < w->files->count; i++) {
        const char *name;
        if (!w->staged[i])
            continue;
        snprintf(staged_name, sizeof staged_name, "%zu", i);
        int folder = open_parent(w, w->files->items[i].path, true, &name);
        if (folder < 0)
            return err_errno(w->err, "%.*s", STR_ARG(w->files->items[i].path));
        int result = renameat(w->staging, staged_name, folder, name);
        keep_errno_close(folder);
        if (result != 0)
            return err_errno(w->err, "%.*s", STR_ARG(w->files->items[i].path));
    }
    return true;
}

/* Takes a file of an earlier write away, and the folders that it leaves empty. What cannot be removed because it is
 * gone, or no longer what we wrote, is left alone. */
static void remove_old(struct writer *w, struct str path)
{
    bool at_file = true;
    while (path.len != 0) {
        const char *name;
        int folder = open_parent(w, path, false, &name);
        if (folder < 0)
            return;
        int result = unlinkat(folder, name, at_file ? 0 : AT_REMOVEDIR);
        keep_errno_close(folder);
        if (result != 0 && errno != ENOENT)
            return;
        size_t slash = str_rfind(path, '/');
        path = str_slice(path, 0, slash < path.len ? slash : 0);
        at_file = false;
    }
}

static bool read_list(struct writer *w, struct str *ret_list)
{
    *ret_list = STR_NONE;
    int fd = openat(w->top, LIST, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return errno == ENOENT || err_errno(w->err, LIST);
    bool ok = file_read_fd(w->scratch, fd, MAX_LIST_BYTES, ret_list, w->err);
    close(fd);
    return ok;
}

/* The list names old and new files while the write goes on, so that a killed one is cleaned up by the next. */
static bool write_list(struct writer *w, struct str old)
{
    struct buf list CLEANUP(buf_done);
    buf_init(&list, 2 * (size_t)MAX_LIST_BYTES);
    for (size_t i = 0; i < w->files->count; i++) {
        buf_str(&list, w->files->items[i].path);
        buf_char(&list, '\n');
    }
    buf_str(&list, old);
    if (!buf_ok(&list))
        return err_set(w->err, ERR_LIMIT, "the list of files is longer than %d bytes", MAX_LIST_BYTES);
    return replace_file(w->top, LIST, buf_view(&list), 0644) == 0 || err_errno(w->err, LIST);
}

/* The list lies in a folder that others may write to: what it says is checked like any path from outside. */
static bool is_obsolete(struct writer *w, struct str path)
{
    struct files one = {0};
    struct err ignored;
    return files_add(w->scratch, &one, path, STR_NONE, &ignored) && files_find(w->files, path) == NULL;
}

/* Whether a new path needs `old` as a folder, or has a file where `old` needs a folder. */
static bool in_the_way(const struct writer *w, struct str old)
{
    for (size_t i = 0; i < old.len; i++)
        if (old.ptr[i] == '/' && files_find(w->files, str_slice(old, 0, i)) != NULL)
            return true;
    struct str folder = str_fmt(w->scratch, "%.*s/", STR_ARG(old));
    size_t from = 0, to = w->files->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (str_cmp(w->files->items[middle].path, folder) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from < w->files->count && str_starts(w->files->items[from].path, folder);
}

/* Old files go after the new ones are in place, so that whoever reads in between finds all that is referred to;
 * only those in the way of a new file go before. */
static void remove_obsolete(struct writer *w, struct str list, bool only_in_the_way)
{
    while (list.len != 0) {
        struct str path = str_cut(&list, '\n');
        if (is_obsolete(w, path) && (!only_in_the_way || in_the_way(w, path)))
            remove_old(w, path);
    }
}

static bool write_tree(struct writer *w)
{
    struct str old;
    if (!read_list(w, &old) || !stage(w) || !write_list(w, old))
        return false;
    remove_obsolete(w, old, true);
    if (!move_into_place(w))
        return false;
    remove_obsolete(w, old, false);
    return write_list(w, STR_NONE);
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

static bool open_staging(struct writer *w)
{
    if (flock(w->top, LOCK_EX | LOCK_NB) != 0)
        return err_set(w->err, ERR_CONFLICT, "another run is writing there");
    if (mkdirat(w->top, STAGING, 0700) != 0 && errno != EEXIST)
        return err_errno(w->err, STAGING);
    w->staging = openat(w->top, STAGING, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (w->staging < 0)
        return err_errno(w->err, STAGING);
    clear_staging(w->staging);
    return true;
}

bool files_write(const struct files *files, const char *dir, struct err *err)
{
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    struct writer w = {.scratch = scratch, .files = files, .staging = -1, .err = err};
    w.staged = ARENA_ARRAY(scratch, bool, files->count + 1);
    if (!file_make_dirs(dir, err))
        return false;
    w.top = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (w.top < 0)
        return err_errno(err, "%s", dir);
    bool ok = open_staging(&w) && write_tree(&w);
    if (w.staging >= 0) {
        clear_staging(w.staging);
        close(w.staging);
        unlinkat(w.top, STAGING, AT_REMOVEDIR);
    }
    close(w.top);
    return ok || err_context(err, "%s", dir);
}
