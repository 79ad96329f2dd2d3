#include "core/base/files_in.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/files_intern.h"

static size_t first_from(const struct files *files, struct str path)
{
    return files_first_from(files->items, files->count, sizeof *files->items, path);
}

static void folders_in_memory(const struct files *files, struct arena *arena, struct str folder,
                              struct str_list *names)
{
    struct str prefix = str_fmt(arena, "%.*s/", STR_ARG(folder));
    for (size_t i = first_from(files, prefix); i < files->count && str_starts(files->items[i].path, prefix);
         i++) {
        struct str rest = str_from(files->items[i].path, prefix.len), name = str_cut(&rest, '/');
        if (rest.len != 0 && (names->count == 0 || !str_eq(names->items[names->count - 1], name)))
            *ARENA_PUSH(arena, names) = name;
    }
}

static bool is_folder(int above, const char *name)
{
    struct stat info;
    return name[0] != '.' && fstatat(above, name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(info.st_mode);
}

static bool folders_on_disk(const char *path, struct arena *arena, struct str_list *names, struct err *err)
{
    DIR *dir = opendir(path);
    if (dir == NULL)
        return errno == ENOENT || err_errno(err, "%s", path);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
        if (is_folder(dirfd(dir), entry->d_name))
            *ARENA_PUSH(arena, names) = str_dup(arena, str_of(entry->d_name));
    closedir(dir);
    return true;
}

static const char *place_of(const struct files_in *in, struct arena *arena, struct str path)
{
    return str_c(arena, str_fmt(arena, "%s/%.*s", in->dir, STR_ARG(path)));
}

/* What lies at the path, reached through no link; errno is ENOENT also where a link, or no folder, is in the way. */
static bool look_at(const struct files_in *in, struct str path, struct stat *ret_info)
{
    char name[FILES_MAX_PART + 1] = "";
    struct str last = files_last(path);
    int top = open(in->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int above = top < 0 ? -1 : files_open_below(top, files_above(path), false);
    memcpy(name, last.ptr, last.len); /* bounded by files_path_check */
    bool there = above >= 0 && fstatat(above, name, ret_info, AT_SYMLINK_NOFOLLOW) == 0;
    if (errno == ELOOP || errno == ENOTDIR)
        errno = ENOENT;
    if (above >= 0)
        files_close_keeping_errno(above);
    if (top >= 0)
        files_close_keeping_errno(top);
    return there;
}

static bool list_folders(const struct files_in *in, struct arena *arena, struct str folder,
                         struct str_list *names, struct err *err)
{
    struct stat info;
    const char *path = place_of(in, arena, folder);
    if (!look_at(in, folder, &info))
        return errno == ENOENT || err_errno(err, "%s", path);
    return !S_ISDIR(info.st_mode) || folders_on_disk(path, arena, names, err);
}

bool files_in_folders(const struct files_in *in, struct arena *arena, struct str folder,
                      struct str_list *ret_names, struct err *err)
{
    struct str_list names = {0};
    if (!files_path_check(folder, 0, err))
        return false;
    if (in->files != NULL)
        folders_in_memory(in->files, arena, folder, &names);
    else if (!list_folders(in, arena, folder, &names, err))
        return false;
    if (names.count != 0)
        qsort(names.items, names.count, sizeof *names.items, str_qsort);
    *ret_names = names;
    return true;
}

static bool read_in_memory(const struct files_in *in, struct arena *arena, struct str path,
                           struct files *files, struct err *err)
{
    const struct files *all = in->files;
    const struct file *exact = files_find(all, path);
    struct str prefix = str_fmt(arena, "%.*s/", STR_ARG(path));
    if (exact != NULL && !files_add(arena, files, exact->path, exact->bytes, err))
        return false;
    for (size_t i = first_from(all, prefix); i < all->count && str_starts(all->items[i].path, prefix); i++)
        if (!files_add(arena, files, all->items[i].path, all->items[i].bytes, err))
            return false;
    return true;
}

static bool read_file(const struct files_in *in, struct arena *arena, struct str path, struct files *files,
                      struct err *err)
{
    struct str bytes;
    return file_read(arena, place_of(in, arena, path), in->max_bytes, &bytes, err) &&
           files_add(arena, files, path, bytes, err);
}

static bool read_folder(const struct files_in *in, struct arena *arena, struct str path, struct files *files,
                        struct err *err)
{
    struct files below;
    if (!files_read(arena, place_of(in, arena, path), in->max_bytes, &below, err))
        return false;
    for (size_t i = 0; i < below.count; i++)
        if (!files_add(arena, files, str_fmt(arena, "%.*s/%.*s", STR_ARG(path), STR_ARG(below.items[i].path)),
                       below.items[i].bytes, err))
            return false;
    return true;
}

bool files_in_read(const struct files_in *in, struct arena *arena, struct str path, struct files *files,
                   struct err *err)
{
    struct stat info;
    if (!files_path_check(path, 0, err))
        return false;
    if (in->files != NULL)
        return read_in_memory(in, arena, path, files, err);
    if (!look_at(in, path, &info))
        return errno == ENOENT || err_errno(err, "%s", place_of(in, arena, path));
    if (S_ISDIR(info.st_mode))
        return read_folder(in, arena, path, files, err);
    return !S_ISREG(info.st_mode) || read_file(in, arena, path, files, err);
}
