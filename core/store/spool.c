#include "core/store/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct spool {
    int fd;
    uint64_t end; /* where the next append goes */
    void *mapped;
    size_t mapped_bytes;
};

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

bool spool_open(const char *dir, struct spool **ret_spool, struct err *err)
{
    const char *tmp = getenv("TMPDIR");
    if (dir == NULL)
        dir = tmp != NULL && *tmp != '\0' ? tmp : "/tmp";
    int fd = open_nameless(dir);
    if (fd < 0)
        return err_errno(err, "spool in %s", dir);
    struct spool *spool = calloc(1, sizeof *spool);
    if (spool == NULL)
        abort();
    spool->fd = fd;
    *ret_spool = spool;
    return true;
}

bool spool_write_at(struct spool *spool, uint64_t offset, struct str bytes, struct err *err)
{
    while (bytes.len != 0) {
        ssize_t n = pwrite(spool->fd, bytes.ptr, bytes.len, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(err, "spool");
        bytes = str_from(bytes, (size_t)n);
        offset += (uint64_t)n;
    }
    return true;
}

bool spool_write(struct spool *spool, struct str bytes, struct err *err)
{
    if (!spool_write_at(spool, spool->end, bytes, err))
        return false;
    spool->end += bytes.len;
    return true;
}

bool spool_clear(struct spool *spool, struct err *err)
{
    spool->end = 0;
    return ftruncate(spool->fd, 0) == 0 || err_errno(err, "spool");
}

bool spool_view(struct spool *spool, struct str *ret_bytes, struct err *err)
{
    struct stat info;
    if (spool->mapped == NULL) {
        if (fstat(spool->fd, &info) != 0)
            return err_errno(err, "spool");
        if (info.st_size == 0) {
            *ret_bytes = STR_NONE;
            return true;
        }
        void *mapped = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, spool->fd, 0);
        if (mapped == MAP_FAILED)
            return err_errno(err, "map the spool");
        spool->mapped = mapped;
        spool->mapped_bytes = (size_t)info.st_size;
    }
    *ret_bytes = (struct str){spool->mapped, spool->mapped_bytes};
    return true;
}

void spool_drop(struct spool *spool)
{
    if (spool == NULL)
        return;
    if (spool->mapped != NULL)
        munmap(spool->mapped, spool->mapped_bytes);
    close(spool->fd);
    free(spool);
}
