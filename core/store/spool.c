#include "core/store/spool.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/tempfile.h"

struct spool {
    struct tempfile file;
    void *mapped;
    size_t mapped_bytes;
};

bool spool_open(const char *dir, struct spool **ret_spool, struct err *err)
{
    struct tempfile file;
    if (!tempfile_open(dir, &file, err))
        return false;
    struct spool *spool = calloc(1, sizeof *spool);
    if (spool == NULL)
        abort();
    spool->file = file;
    *ret_spool = spool;
    return true;
}

bool spool_write_at(struct spool *spool, uint64_t offset, struct str bytes, struct err *err)
{
    return tempfile_write_at(&spool->file, offset, bytes, err);
}

bool spool_write(struct spool *spool, struct str bytes, struct err *err)
{
    return tempfile_add(&spool->file, bytes.ptr, bytes.len, err);
}

bool spool_clear(struct spool *spool, struct err *err)
{
    tempfile_cut(&spool->file, 0);
    return ftruncate(spool->file.fd, 0) == 0 || err_errno(err, "spool");
}

bool spool_view(struct spool *spool, struct str *ret_bytes, struct err *err)
{
    struct stat info;
    if (spool->mapped == NULL) {
        if (!tempfile_flush(&spool->file, err))
            return false;
        if (fstat(spool->file.fd, &info) != 0)
            return err_errno(err, "spool");
        if (info.st_size == 0) {
            *ret_bytes = STR_NONE;
            return true;
        }
        void *mapped = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, spool->file.fd, 0);
        if (mapped == MAP_FAILED)
            return err_errno(err, "map the spool");
        spool->mapped = mapped;
        spool->mapped_bytes = (size_t)info.st_size;
    }
    *ret_bytes = (struct str){spool->mapped, spool->mapped_bytes};
    return true;
}

/* A mapping counts as memory of the process for as long as its pages were touched. MADV_PAGEOUT loses nothing, whatever
 * memory it is; where the kernel does not know it, the pages stay. */
void spool_rest(struct str bytes)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), before = (uintptr_t)bytes.ptr % page;
    size_t skipped = before == 0 ? 0 : page - before; /* up to the first whole page */
    if (bytes.len < skipped + page)
        return;
    madvise((char *)bytes.ptr + skipped, (bytes.len - skipped) / page * page, MADV_PAGEOUT);
}

void spool_drop(struct spool *spool)
{
    if (spool == NULL)
        return;
    if (spool->mapped != NULL)
        munmap(spool->mapped, spool->mapped_bytes);
    tempfile_close(&spool->file);
    free(spool);
}
