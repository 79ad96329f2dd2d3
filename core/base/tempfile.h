/* tempfile.h — a file without a name: room on disk for what is too large for memory.
 *
 * It has no name from the start (O_TMPFILE; where the file system cannot, the name goes right after it was made), so
 * nothing is left of it whatever happens. Writes are collected and go out in large pieces. A tempfile belongs to one
 * thread while it is written; afterwards any number may read.
 * Fails with IO (full disk, and what to do about it), NOT_FOUND or DENIED (the folder).
 */
#pragma once
#include "core/base/base.h"

struct tempfile {
    int fd;
    uint64_t bytes;   /* of all that was added */
    uint64_t written; /* of these in the file; the rest waits in `pending` */
    char *pending;
    const char *dir; /* for messages */
};

/* In `dir`; NULL: $TMPDIR or /tmp. `dir` must live as long as the file. */
bool tempfile_open(const char *dir, struct tempfile *ret_file, struct err *err) WARN_UNUSED;
void tempfile_close(struct tempfile *file); /* may be called twice, and on a zeroed one */

bool tempfile_add(struct tempfile *file, const void *bytes, size_t len, struct err *err) WARN_UNUSED;
/* Writes out what waits: before anyone reads. */
bool tempfile_flush(struct tempfile *file, struct err *err) WARN_UNUSED;
/* Writes at an offset of its own, past all that is added; several threads may, each with a range of its own. */
bool tempfile_write_at(const struct tempfile *file, uint64_t offset, struct str bytes,
                       struct err *err) WARN_UNUSED;
/* Forgets everything from `bytes` on. */
void tempfile_cut(struct tempfile *file, uint64_t bytes);
/* Reads exactly `len` bytes, all of which were flushed. */
bool tempfile_read(const struct tempfile *file, uint64_t from, void *to, size_t len,
                   struct err *err) WARN_UNUSED;
