/* The store in a folder: an object is a file of mode 0600 under its key.
 *
 * A body is written to .tmp/ of the same folder, synced, and then linked (create: link(2) lets one writer win) or
 * renamed (put) into place; then the folder is synced. So no reader ever sees half an object, on a full disk, after
 * kill -9 or a power cut; what an interrupted write left in .tmp/ goes away a day later.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/store/store_driver.h"

enum { PIECE_BYTES = 256 * 1024, STALE_SECONDS = 24 * 60 * 60 };

struct fs {
    struct store store;
    struct str root;
    const char *tmp;
    pthread_mutex_t lock;
    bool swept; /* left-overs of .tmp were looked at */
};

static const char *path_of(struct arena *arena, const struct fs *fs, struct str key)
{
    return str_fmt(arena, "%.*s/%.*s", STR_ARG(fs->root), STR_ARG(key)).ptr;
}

static bool sync_dir(const char *path, struct err *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_errno(err, "%s", path);
    bool synced = fsync(fd) == 0;
    if (!synced)
        err_errno(err, "%s", path);
    close(fd);
    return synced;
}

static const char *parent_of(struct arena *arena, const char *path)
{
    struct str text = str_of(path);
    size_t slash = str_rfind(text, '/');
    return slash == 0 ? "/" : str_c(arena, str_slice(text, 0, slash));
}

/* mkdir -p that also survives a power cut: the parent of each new folder is synced. */
static bool make_dirs(struct arena *arena, const char *path, struct err *err)
{
    struct stat info = {0};
    if (stat(path, &info) == 0)
        return S_ISDIR(info.st_mode) || err_set(err, ERR_IO, "%s is no folder", path);
    if (errno != ENOENT)
        return err_errno(err, "%s", path);
    const char *parent = parent_of(arena, path);
    if (!make_dirs(arena, parent, err))
        return false;
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return err_errno(err, "%s", path);
    return sync_dir(parent, err);
}

/* ---- writing ---- */

static bool write_all(int fd, struct str body)
{
    while (body.len != 0) {
        ssize_t n = write(fd, body.ptr, body.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        body = str_from(body, (size_t)n);
    }
    return fsync(fd) == 0;
}

static void sweep(const char *tmp)
{
    DIR *dir = opendir(tmp);
    if (dir == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        struct stat info;
        if (fstatat(dirfd(dir), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(info.st_mode) &&
            info.st_mtime + STALE_SECONDS < time(NULL))
            unlinkat(dirfd(dir), entry->d_name, 0);
    }
    closedir(dir);
}

static bool prepare_tmp(struct fs *fs, struct arena *arena, struct err *err)
{
    if (!make_dirs(arena, fs->tmp, err))
        return false;
    pthread_mutex_lock(&fs->lock);
    if (!fs->swept)
        sweep(fs->tmp);
    fs->swept = true;
    pthread_mutex_unlock(&fs->lock);
    return true;
}

/* Writes the body durably under a name nobody looks at. */
static bool write_tmp(struct fs *fs, struct arena *arena, struct str body, const char **ret_path,
                      struct err *err)
{
    if (!prepare_tmp(fs, arena, err))
        return false;
    char *path = (char *)str_fmt(arena, "%s/XXXXXX", fs->tmp).ptr;
    int fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0)
        return err_errno(err, "%s", fs->tmp);
    bool written = write_all(fd, body);
    if (!written)
        err_errno(err, "write %zu bytes to %.*s", body.len, STR_ARG(fs->root));
    close(fd);
    if (!written)
        unlink(path);
    else
        *ret_path = path;
    return written;
}

/* Gives the file its name. link(2) works everywhere but on a few file systems without hard links. */
static int give_name(const char *tmp, const char *path, bool create)
{
    if (!create)
        return rename(tmp, path);
    if (link(tmp, path) == 0)
        return unlink(tmp);
    if (errno == EPERM || errno == EOPNOTSUPP || errno == EMLINK)
        return renameat2(AT_FDCWD, tmp, AT_FDCWD, path, RENAME_NOREPLACE);
    return -1;
}

static bool fs_write(struct store *store, struct arena *arena, const struct store_write *write,
                     struct store_info *info, struct err *err)
{
    struct fs *fs = (struct fs *)store;
    const char *path = path_of(arena, fs, write->key), *parent = parent_of(arena, path);
    const char *tmp = NULL;

    /* Also where the key is taken already: a store that cannot be written says that first, as S3 does. */
    if (!make_dirs(arena, parent, err) || !write_tmp(fs, arena, write->body, &tmp, err))
        return false;
    if (give_name(tmp, path, write->create) != 0) {
        int number = errno;
        unlink(tmp);
        errno = number;
        return number == EEXIST ? store_taken(write->key, err) : err_errno(err, "%s", path);
    }
    return sync_dir(parent, err);
}

/* ---- reading ---- */

static bool open_object(const struct fs *fs, struct arena *arena, struct str key, int *ret_fd,
                        struct stat *ret_stat, struct err *err)
{
    const char *path = path_of(arena, fs, key);
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR ? store_missing(key, err) : err_errno(err, "%s", path);
    if (fstat(fd, ret_stat) != 0 || !S_ISREG(ret_stat->st_mode)) {
        close(fd);
        return store_missing(key, err);
    }
    *ret_fd = fd;
    return true;
}

static bool pour(int fd, struct arena *arena, struct str key, const struct store_sink *sink, struct err *err)
{
    char *piece = arena_alloc(arena, PIECE_BYTES);
    for (;;) {
        ssize_t n = read(fd, piece, PIECE_BYTES);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(err, "read %.*s", STR_ARG(key));
        if (n == 0)
            return true;
        if (!sink->piece(sink->ctx, (struct str){piece, (size_t)n}, err))
            return false;
    }
}

static bool fs_read(struct store *store, struct arena *arena, struct str key, const struct store_sink *sink,
                    struct err *err)
{
    struct stat info = {0};
    int fd = -1;
    if (!open_object((struct fs *)store, arena, key, &fd, &info, err))
        return false;
    bool read_all = pour(fd, arena, key, sink, err);
    close(fd);
    return read_all;
}

static int64_t modified_ms(const struct stat *info)
{
    return (int64_t)info->st_mtim.tv_sec * 1000 + info->st_mtim.tv_nsec / 1000000;
}

static bool hash_piece(void *ctx, struct str piece, struct err *err)
{
    sha256_add(ctx, piece.ptr, piece.len);
    return true;
}

static bool fs_head(struct store *store, struct arena *arena, struct str key, struct store_info *ret_info,
                    struct err *err)
{
    struct stat info = {0};
    int fd = -1;
    if (!open_object((struct fs *)store, arena, key, &fd, &info, err))
        return false;
    struct sha256_stream *stream = sha256_begin();
    struct sha256 sha256 = {{0}};
    bool hashed = pour(fd, arena, key, &(struct store_sink){hash_piece, stream}, err);
    sha256 = sha256_end(stream);
    close(fd);
    if (!hashed)
        return false;
    ret_info->bytes = (uint64_t)info.st_size;
    ret_info->modified_ms = modified_ms(&info);
    ret_info->sha256 = sha256;
    ret_info->has_sha256 = true;
    return true;
}

/* ---- listing ---- */

struct walk {
    const struct fs *fs;
    struct arena *arena;
    struct str prefix, after;
    struct str_list keys;
};

static bool walk_dir(struct walk *walk, struct str dir, struct err *err);

static bool is_dir(DIR *dir, const struct dirent *entry)
{
    struct stat info = {0};
    if (entry->d_type != DT_UNKNOWN)
        return entry->d_type == DT_DIR;
    return fstatat(dirfd(dir), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(info.st_mode);
}

static bool walk_entry(struct walk *walk, DIR *open_dir, struct str dir, const struct dirent *entry,
                       struct err *err)
{
    struct str key = str_fmt(walk->arena, "%.*s%s", STR_ARG(dir), entry->d_name);
    if (entry->d_name[0] == '.')
        return true;
    if (is_dir(open_dir, entry)) {
        struct str below = str_fmt(walk->arena, "%.*s/", STR_ARG(key));
        bool wanted = str_starts(below, walk->prefix) || str_starts(walk->prefix, below);
        return !wanted || below.len > STORE_KEY_MAX || walk_dir(walk, below, err);
    }
    if (str_starts(key, walk->prefix) && str_cmp(key, walk->after) > 0)
        *ARENA_PUSH(walk->arena, &walk->keys) = key;
    return true;
}

/* `dir` is empty or ends in '/'. */
static bool walk_dir(struct walk *walk, struct str dir, struct err *err)
{
    const char *path = path_of(walk->arena, walk->fs, dir);
    DIR *open_dir = opendir(path);
    if (open_dir == NULL)
        return errno == ENOENT || err_errno(err, "%s", path);
    bool good = true;
    errno = 0;
    for (struct dirent *entry; good && (entry = readdir(open_dir)) != NULL; errno = 0)
        good = walk_entry(walk, open_dir, dir, entry, err);
    if (good && errno != 0)
        good = err_errno(err, "%s", path);
    closedir(open_dir);
    return good;
}

static bool fs_list(struct store *store, struct arena *arena, struct str prefix, struct str after,
                    size_t limit, struct store_page *page, struct err *err)
{
    struct walk walk = {.fs = (struct fs *)store, .arena = arena, .prefix = prefix, .after = after};
    if (!walk_dir(&walk, STR_NONE, err))
        return false;
    if (walk.keys.count != 0)
        qsort(walk.keys.items, walk.keys.count, sizeof *walk.keys.items, str_qsort);
    for (size_t i = 0; i < walk.keys.count; i++) {
        struct stat info;
        if (page->count == limit) {
            page->more = true;
            break;
        }
        if (lstat(path_of(arena, walk.fs, walk.keys.items[i]), &info) != 0 || !S_ISREG(info.st_mode))
            continue; /* removed in between, or nothing of ours */
        *ARENA_PUSH(arena, page) = (struct store_info){
            .key = walk.keys.items[i], .bytes = (uint64_t)info.st_size, .modified_ms = modified_ms(&info)};
    }
    return true;
}

static bool fs_remove(struct store *store, struct arena *arena, struct str key, struct err *err)
{
    const char *path = path_of(arena, (struct fs *)store, key);
    if (unlink(path) == 0)
        return sync_dir(parent_of(arena, path), err);
    return errno == ENOENT || errno == ENOTDIR || err_errno(err, "%s", path);
}

static void fs_close(struct store *store)
{
    pthread_mutex_destroy(&((struct fs *)store)->lock);
}

static const struct store_driver driver = {
    .name = "fs",
    .write = fs_write,
    .read = fs_read,
    .head = fs_head,
    .list = fs_list,
    .remove = fs_remove,
    .close = fs_close,
};

static bool root_of(struct arena *arena, struct str url, struct str *ret_root, struct err *err)
{
    struct str path = str_from(url, sizeof "file:" - 1);
    if (str_starts(path, STR("//")))
        path = str_from(path, 2);
    else if (path.len != 0 && path.ptr[0] != '/' && path.ptr[0] != '.')
        path = STR_NONE;
    while (path.len > 1 && path.ptr[path.len - 1] == '/')
        path.len--;
    if (path.len == 0 || (path.ptr[0] != '/' && path.ptr[0] != '.')) {
        err_set(err, ERR_USAGE, "it names no folder");
        return err_next(err, "write file:///absolute/folder or file:./relative/folder");
    }
    if (memchr(path.ptr, '\0', path.len) != NULL)
        return err_set(err, ERR_USAGE, "a path holds no NUL");
    *ret_root = str_of(str_c(arena, path));
    return true;
}

bool store_fs_open(struct arena *arena, const struct config_store *config, struct store **ret_store,
                   struct err *err)
{
    struct fs *fs = ARENA_NEW(arena, struct fs);
    if (!root_of(arena, config->url, &fs->root, err))
        return false;
    fs->store.driver = &driver;
    fs->tmp = str_fmt(arena, "%.*s/.tmp", STR_ARG(fs->root)).ptr;
    pthread_mutex_init(&fs->lock, NULL);
    *ret_store = &fs->store;
    return true;
}
