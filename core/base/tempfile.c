#include "core/base/tempfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PENDING_MAX = 128 * 1024 };

static const char *default_dir(void)
{
    const char *tmp = getenv("TMPDIR");
    return tmp != NULL && *tmp != '\0' ? tmp : "/tmp";
}

static int open_nameless(const char *dir)
{
    int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
        return fd;
    char path[4096];
    if (snprintf(path, sizeof path, "%s/gitops-pipe.XXXXXX", dir) >= (int)sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        unlink(path);
    return fd;
}

static bool fail(const struct tempfile *file, struct err *err)
{
    err_errno(err, "spool in %s", file->dir);
    return err_next(err, "free some space there, or set TMPDIR or state.dir to a folder with room");
}

bool tempfile_open(const char *dir, struct tempfile *ret_file, struct err *err)
{
    struct tempfile file = {.dir = dir != NULL ? dir : default_dir()};
    file.fd = open_nameless(file.dir);
    if (file.fd < 0)
        return fail(&file, err);
    *ret_file = file;
    return true;
}

void tempfile_close(struct tempfile *file)
{
    if (file->dir != NULL)
        close(file->fd);
    free(file->pending);
    *file = (struct tempfile){0};
}

bool tempfile_write_at(const struct tempfile *file, uint64_t offset, struct str bytes, struct err *err)
{
    while (bytes.len != 0) {
        ssize_t n = pwrite(file->fd, bytes.ptr, bytes.len, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return fail(file, err);
        offset += (uint64_t)n;
        bytes = str_from(bytes, (size_t)n);
    }
    return true;
}

static bool write_out(struct tempfile *file, const char *bytes, size_t len, struct err *err)
{
    if (!tempfile_write_at(file, file->written, (struct str){bytes, len}, err))
        return false;
    file->written += len;
    return true;
}

bool tempfile_flush(struct tempfile *file, struct err *err)
{
    return write_out(file, file->pending, (size_t)(file->bytes - file->written), err);
}

bool tempfile_add(struct tempfile *file, const void *bytes, size_t len, struct err *err)
{
    size_t waiting = (size_t)(file->bytes - file->written);
    if (waiting + len > PENDING_MAX) {
        if (!tempfile_flush(file, err))
            return false;
        waiting = 0;
    }
    if (len > PENDING_MAX) {
        file->bytes += len;
        return write_out(file, bytes, len, err);
    }
    if (file->pending == NULL && (file->pending = malloc(PENDING_MAX)) == NULL)
        abort();
    if (len != 0)
        memcpy(file->pending + waiting, bytes, len);
    file->bytes += len;
    return true;
}

void tempfile_cut(struct tempfile *file, uint64_t bytes)
{
    if (bytes < file->bytes)
        file->bytes = bytes;
    if (bytes < file->written)
        file->written = bytes;
}

bool tempfile_read(const struct tempfile *file, uint64_t from, void *to, size_t len, struct err *err)
{
    char *at = to;
    while (len != 0) {
        ssize_t n = pread(file->fd, at, len, (off_t)from);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail(file, err);
        if (n == 0)
            return err_set(err, ERR_INTERNAL, "spool: nothing stands at byte %llu", (unsigned long long)from);
        at += n;
        from += (uint64_t)n;
        len -= (size_t)n;
    }
    return true;
}
