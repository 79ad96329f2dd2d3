/* Single files on disk: whoever reads one finds the old bytes or the new ones. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/files_intern.h"

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

int files_close_keeping_errno(int fd)
{
    int number = errno;
    close(fd);
    errno = number;
    return -1;
}

int files_put_new(int folder, const char *name, struct str bytes, unsigned mode, bool sync)
{
    int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0)
        return -1;
    if (!write_all(fd, bytes) || (sync && fsync(fd) != 0))
        return files_close_keeping_errno(fd);
    return close(fd);
}

static bool write_to_device(const char *path, struct str bytes, struct err *err)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return err_errno(err, "%s", path);
    if (!write_all(fd, bytes)) {
        files_close_keeping_errno(fd);
        return err_errno(err, "%s", path);
    }
    return close(fd) == 0 || err_errno(err, "%s", path);
}

#define PASSING ".gitops-pipe."

bool files_is_passing(const char *name)
{
    enum { DIGITS = 16 };
    if (strncmp(name, PASSING, strlen(PASSING)) != 0)
        return false;
    const char *digits = name + strlen(PASSING);
    return strlen(digits) == DIGITS && strspn(digits, "0123456789abcdef") == DIGITS;
}

/* The random part of the temporary name keeps two writers apart. */
int files_replace(int folder, const char *name, struct str bytes, unsigned mode)
{
    unsigned long long noise = 0;
    char temporary[64];
    if (getrandom(&noise, sizeof noise, 0) < 0)
        return -1;
    snprintf(temporary, sizeof temporary, PASSING "%016llx", noise);
    if (files_put_new(folder, temporary, bytes, mode, true) != 0 ||
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
    int result = files_replace(folder, name, bytes, mode);
    files_close_keeping_errno(folder);
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
