/* The tree in memory, and reading; files_write.c and files_folder.c have the writing. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/files_intern.h"

enum { MAX_FILES = 1 << 20, MAX_FOLDERS_DEEP = 64 };

static bool part_ok(struct str part)
{
    if (part.len == 0 || part.len > FILES_MAX_PART || str_is(part, ".") || str_is(part, "..") ||
        str_eq_nocase(part, STR(".git")))
        return false;
    for (size_t i = 0; i < part.len; i++)
        if ((unsigned char)part.ptr[i] < 0x20 || part.ptr[i] == 0x7F || part.ptr[i] == '\\')
            return false;
    return true;
}

bool files_path_ok(struct str path)
{
    size_t depth = 0;
    if (path.len == 0 || path.len > FILES_MAX_PATH || path.ptr[path.len - 1] == '/')
        return false;
    while (path.len != 0)
        if (!part_ok(str_cut(&path, '/')) || ++depth > MAX_FOLDERS_DEEP)
            return false;
    return true;
}

bool files_path_check(struct str path, size_t count, struct err *err)
{
    if (!files_path_ok(path))
        return err_set(err, ERR_INVALID, "'%.*s' cannot be a file of a tree", STR_ARG(path));
    return count < MAX_FILES || err_set(err, ERR_LIMIT, "more than %d files", MAX_FILES);
}

bool files_add(struct arena *arena, struct files *files, struct str path, struct str bytes, struct err *err)
{
    if (!files_path_check(path, files->count, err))
        return false;
    *ARENA_PUSH(arena, files) = (struct file){path, bytes};
    return true;
}

/* Bytewise, except that case does not count, and '/' sorts before everything so that a folder stands right
 * before what is in it. */
static int folded_order(const void *a, const void *b)
{
    struct str x = *(const struct str *)a, y = *(const struct str *)b;
    size_t shared = x.len < y.len ? x.len : y.len;
    for (size_t i = 0; i < shared; i++) {
        if (x.ptr[i] == y.ptr[i])
            continue;
        int cx = x.ptr[i] == '/' ? 0 : (unsigned char)x.ptr[i],
            cy = y.ptr[i] == '/' ? 0 : (unsigned char)y.ptr[i];
        cx = cx >= 'A' && cx <= 'Z' ? cx + 32 : cx;
        cy = cy >= 'A' && cy <= 'Z' ? cy + 32 : cy;
        if (cx != cy)
            return cx - cy;
    }
    return (x.len > y.len) - (x.len < y.len);
}

static bool clash(struct str a, struct str b)
{
    return str_eq_nocase(a, b) ||
           (b.len > a.len && b.ptr[a.len] == '/' && str_eq_nocase(str_slice(b, 0, a.len), a));
}

bool files_sort_paths(void *items, size_t count, size_t size, struct err *err)
{
    if (count < 2)
        return true;
    qsort(items, count, size, str_qsort); /* what begins with a path is a path to it */
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    struct str *paths = ARENA_ARRAY(scratch, struct str, count);
    for (size_t i = 0; i < count; i++)
        paths[i] = *(const struct str *)((const char *)items + i * size);
    qsort(paths, count, sizeof *paths, folded_order);
    for (size_t i = 1; i < count; i++)
        if (clash(paths[i - 1], paths[i]))
            return err_set(err, ERR_INVALID, "'%.*s' and '%.*s' cannot both be in one tree",
                           STR_ARG(paths[i - 1]), STR_ARG(paths[i]));
    return true;
}

size_t files_first_from(const void *items, size_t count, size_t size, struct str path)
{
    size_t from = 0, to = count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        const struct str *at = (const void *)((const char *)items + middle * size);
        if (str_cmp(*at, path) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

bool files_sort(struct files *files, struct err *err)
{
    return files_sort_paths(files->items, files->count, sizeof *files->items, err);
}

const struct file *files_find(const struct files *files, struct str path)
{
    struct file wanted = {.path = path};
    if (files->count == 0)
        return NULL;
    return bsearch(&wanted, files->items, files->count, sizeof *files->items, str_qsort);
}

bool file_read_fd(struct arena *arena, int fd, size_t max_bytes, struct str *ret_bytes, struct err *err)
{
    struct buf bytes CLEANUP(buf_done);
    struct stat info;
    size_t expected = fstat(fd, &info) == 0 && S_ISREG(info.st_mode) ? (size_t)info.st_size : 0;
    buf_init(&bytes,
             max_bytes < SIZE_MAX ? max_bytes + 1 : max_bytes); /* one more tells full from too much */
    for (size_t step = expected + 1;; step = 65536) {
        size_t room = bytes.max - bytes.len < step ? bytes.max - bytes.len : step;
        char *at = room ? buf_reserve(&bytes, room) : NULL;
        if (at == NULL)
            return err_set(err, ERR_LIMIT, "more than %zu bytes", max_bytes);
        ssize_t got = read(fd, at, room);
        if (got < 0 && errno != EINTR)
            return err_errno(err, "read");
        if (got == 0)
            break;
        bytes.len += got > 0 ? (size_t)got : 0;
    }
    if (bytes.len > max_bytes)
        return err_set(err, ERR_LIMIT, "more than %zu bytes", max_bytes);
    *ret_bytes = str_dup(arena, buf_view(&bytes));
    return true;
}

bool file_read(struct arena *arena, const char *path, size_t max_bytes, struct str *ret_bytes,
               struct err *err)
{
    if (strcmp(path, "-") == 0)
        return file_read_fd(arena, STDIN_FILENO, max_bytes, ret_bytes, err) ||
               err_context(err, "standard input");
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_errno(err, "%s", path);
    bool ok = file_read_fd(arena, fd, max_bytes, ret_bytes, err) || err_context(err, "%s", path);
    close(fd);
    return ok;
}

/* ---- folders ---- */

struct str files_above(struct str path)
{
    size_t slash = str_rfind(path, '/');
    return str_slice(path, 0, slash < path.len ? slash : 0);
}

struct str files_last(struct str path)
{
    size_t slash = str_rfind(path, '/');
    return slash < path.len ? str_from(path, slash + 1) : path;
}

int files_open_below(int top, struct str path, bool make)
{
    char part[FILES_MAX_PART + 1];
    int at = dup(top);
    while (at >= 0 && path.len != 0) {
        struct str name = str_cut(&path, '/');
        memcpy(part, name.ptr, name.len); /* bounded by files_path_ok */
        part[name.len] = '\0';
        if (make && mkdirat(at, part, 0755) != 0 && errno != EEXIST)
            return files_close_keeping_errno(at);
        int next = openat(at, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        files_close_keeping_errno(at);
        at = next;
    }
    return at;
}

struct reader {
    struct arena *arena;
    struct files *files;
    bool names_only; /* no file is opened */
    bool (*wanted)(struct str path);
    size_t bytes_left;
    struct err *err;
};

static bool read_folder(struct reader *r, int folder, struct str path, unsigned depth);

static bool read_entry(struct reader *r, int folder, const char *name, struct str path, unsigned depth)
{
    struct str bytes;
    struct stat info;
    if (fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) != 0)
        return err_errno(r->err, "%.*s", STR_ARG(path));
    bool is_folder = S_ISDIR(info.st_mode);
    if (!is_folder && (!S_ISREG(info.st_mode) || (r->wanted != NULL && !r->wanted(path))))
        return true;
    if (!is_folder && r->names_only)
        return files_add(r->arena, r->files, path, STR_NONE, r->err);
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | (is_folder ? O_DIRECTORY : 0));
    if (fd < 0)
        return err_errno(r->err, "%.*s", STR_ARG(path));
    if (is_folder)
        return read_folder(r, fd, path, depth + 1); /* closes it */
    bool ok = file_read_fd(r->arena, fd, r->bytes_left, &bytes, r->err) ||
              err_context(r->err, "%.*s", STR_ARG(path));
    close(fd);
    if (!ok)
        return false;
    r->bytes_left -= bytes.len;
    return files_add(r->arena, r->files, path, bytes, r->err);
}

static bool is_bookkeeping(const char *name, bool at_top)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcasecmp(name, ".git") == 0 ||
           (at_top &&
            (strcmp(name, FILES_STAGING) == 0 || strcmp(name, FILES_LIST) == 0 || files_is_passing(name)));
}

static bool read_folder(struct reader *r, int folder, struct str path, unsigned depth)
{
    bool ok = depth <= MAX_FOLDERS_DEEP;
    if (!ok)
        err_set(r->err, ERR_LIMIT, "%.*s: more than %d folders deep", STR_ARG(path), MAX_FOLDERS_DEEP);
    DIR *dir = fdopendir(folder);
    if (dir == NULL) {
        close(folder);
        return err_errno(r->err, "%.*s", STR_ARG(path));
    }
    for (struct dirent *entry; ok && (entry = readdir(dir)) != NULL;) {
        if (is_bookkeeping(entry->d_name, depth == 0))
            continue;
        struct str below =
            str_fmt(r->arena, "%.*s%s%s", STR_ARG(path), path.len != 0 ? "/" : "", entry->d_name);
        ok = read_entry(r, folder, entry->d_name, below, depth);
    }
    closedir(dir);
    return ok;
}

static bool read_tree(struct reader *reader, const char *dir)
{
    int fd = open(dir, O_RDONLY | O_CLOEXEC | O_DIRECTORY);
    if (fd < 0)
        return err_errno(reader->err, "%s", dir);
    return (read_folder(reader, fd, STR(""), 0) && files_sort(reader->files, reader->err)) ||
           err_context(reader->err, "%s", dir);
}

bool files_read_wanted(struct arena *arena, const char *dir, size_t max_bytes,
                       bool (*wanted)(struct str path), struct files *ret_files, struct err *err)
{
    struct files files = {0};
    struct reader reader = {arena, &files, false, wanted, max_bytes, err};
    if (!read_tree(&reader, dir))
        return false;
    *ret_files = files;
    return true;
}

bool files_read(struct arena *arena, const char *dir, size_t max_bytes, struct files *ret_files,
                struct err *err)
{
    return files_read_wanted(arena, dir, max_bytes, NULL, ret_files, err);
}

static bool read_below(int top, struct arena *arena, struct str path, size_t max_bytes, struct str *ret_bytes,
                       struct err *err)
{
    int folder = files_open_below(top, files_above(path), false);
    if (folder < 0)
        return err_errno(err, "%.*s", STR_ARG(path));
    const char *name = str_c(arena, files_last(path));
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    files_close_keeping_errno(folder);
    if (fd < 0)
        return err_errno(err, "%.*s", STR_ARG(path));
    bool ok = file_read_fd(arena, fd, max_bytes, ret_bytes, err) || err_context(err, "%.*s", STR_ARG(path));
    close(fd);
    return ok;
}

bool files_each(const char *dir, size_t max_bytes, bool (*wanted)(struct str path), files_visit_fn visit,
                void *ctx, struct err *err)
{
    struct arena *names CLEANUP(arena_cleanup) = arena_new(), *scratch CLEANUP(arena_cleanup) = arena_new();
    struct files files = {0};
    struct reader reader = {names, &files, true, wanted, max_bytes, err};
    if (!read_tree(&reader, dir))
        return false;
    int top = open(dir, O_RDONLY | O_CLOEXEC | O_DIRECTORY);
    if (top < 0)
        return err_errno(err, "%s", dir);
    bool ok = true;
    for (size_t i = 0; ok && i < files.count; i++) {
        struct str path = files.items[i].path, bytes = STR_NONE;
        arena_reset(scratch);
        ok = read_below(top, scratch, path, max_bytes, &bytes, err) || err_context(err, "%s", dir);
        max_bytes -= bytes.len;
        ok = ok && visit(ctx, path, bytes, err);
    }
    close(top);
    return ok;
}
