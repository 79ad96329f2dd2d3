/* Files on their way: staged as they come, and moved into place when all of them are there. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/files_folder_intern.h"

/* Up to here every staged file gets its own fsync, which spares what others write; beyond, one syncfs is cheaper. */
enum { FSYNC_EACH = 64 };

/* ---- folders below ---- */

void files_forget_parent(struct files_folder *folder)
{
    if (folder->parent.fd >= 0)
        close(folder->parent.fd);
    folder->parent.fd = -1;
    folder->parent.missing = false;
}

int files_parent_of(struct files_folder *folder, struct str path, bool make, const char **ret_name)
{
    struct parent *parent = &folder->parent;
    size_t slash = str_rfind(path, '/'), len = slash < path.len ? slash + 1 : 0;
    bool known = parent->len == len && memcmp(parent->path, path.ptr, len) == 0 &&
                 (parent->fd >= 0 || (parent->missing && !make));
    if (!known) {
        files_forget_parent(folder);
        parent->fd = files_open_below(folder->top, str_slice(path, 0, len ? slash : 0), make);
        parent->missing = parent->fd < 0 && errno == ENOENT;
    }
    memcpy(parent->path, path.ptr, path.len);
    parent->path[path.len] = '\0';
    parent->len = len;
    *ret_name = parent->path + len;
    if (parent->missing)
        errno = ENOENT;
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
    int parent = files_parent_of(folder, path, false, &name);
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

/* Where a file waits: "<box>/<name>". */
enum { STAGED_MAX = FILES_MAX_PART + 32 };
static const char *staged_name(const struct entry *entry, char *buffer)
{
    struct str name = files_last(entry->path);
    snprintf(buffer, STAGED_MAX, "%zu/%.*s", entry->box, STR_ARG(name));
    return buffer;
}

/* Makes boxes.last a box of the folder, the one at hand if that is one; with errno where that cannot be. */
static bool need_box(struct files_folder *folder, struct str path, bool another)
{
    struct boxes *boxes = &folder->boxes;
    char name[32];
    if (!another && boxes->last >= 0 && str_eq(boxes->items[boxes->count - 1].folder, path))
        return true;
    if (boxes->last >= 0)
        close(boxes->last);
    boxes->last = -1;
    snprintf(name, sizeof name, "%zu", boxes->count + 1);
    if (mkdirat(folder->staging, name, 0755) != 0)
        return false;
    *ARENA_PUSH(folder->arena, boxes) = (struct box){str_dup(folder->arena, path), false};
    boxes->last = openat(folder->staging, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return boxes->last >= 0;
}

/* A path that comes twice waits in two boxes: it is told at the commit, with all that cannot stand side by side. */
bool files_stage(struct files_folder *folder, struct str path, struct str bytes, size_t *ret_box,
                 struct err *err)
{
    char name[FILES_MAX_PART + 1];
    struct str above = files_above(path), last = files_last(path);
    *ret_box = 0;
    if (same_on_disk(folder, path, bytes))
        return true;
    memcpy(name, last.ptr, last.len); /* bounded by files_path_check */
    name[last.len] = '\0';
    bool put =
        need_box(folder, above, false) && files_put_new(folder->boxes.last, name, bytes, 0644, false) == 0;
    if (!put && errno == EEXIST)
        put =
            need_box(folder, above, true) && files_put_new(folder->boxes.last, name, bytes, 0644, false) == 0;
    if (!put)
        return err_errno(err, "%.*s", STR_ARG(path));
    folder->staged++;
    *ret_box = folder->boxes.count;
    return true;
}

/* ---- putting in place ---- */

/* All were written before the first is waited for: most of them reach the disk together. */
bool files_make_durable(struct files_folder *folder, struct err *err)
{
    char name[STAGED_MAX];
    if (folder->staged > FSYNC_EACH)
        return syncfs(folder->top) == 0 || err_errno(err, "sync");
    for (size_t i = 0; i < folder->count; i++) {
        if (folder->items[i].box == 0)
            continue;
        int fd =
            openat(folder->staging, staged_name(&folder->items[i], name), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
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

/* The box becomes the folder that its files belong in, where that is not there yet. */
static bool move_box(struct files_folder *folder, size_t number)
{
    struct box *box = &folder->boxes.items[number - 1];
    char staged[32];
    const char *name;
    snprintf(staged, sizeof staged, "%zu", number);
    int parent = files_parent_of(folder, box->folder, true, &name);
    box->moved = parent >= 0 && renameat(folder->staging, staged, parent, name) == 0;
    return box->moved;
}

bool files_move_into_place(struct files_folder *folder, struct err *err)
{
    char staged[STAGED_MAX];
    for (size_t i = 0; i < folder->count; i++) {
        const struct entry *entry = &folder->items[i];
        const char *name;
        if (entry->box == 0 || folder->boxes.items[entry->box - 1].moved)
            continue;
        int parent = files_parent_of(folder, entry->path, false, &name);
        if (parent < 0 && errno == ENOENT && move_box(folder, entry->box))
            continue;
        parent = files_parent_of(folder, entry->path, true, &name);
        if (parent < 0 || renameat(folder->staging, staged_name(entry, staged), parent, name) != 0)
            return err_errno(err, "%.*s", STR_ARG(entry->path));
    }
    return true;
}
