/* spool.h — a file without a name: large bodies wait there instead of in memory, and nothing is left of it whatever
 * happens. Written first, then mapped and read. One thread at a time, but spool_write_at may be called by several, each
 * with a range of its own. Fails with IO (full disk), NOT_FOUND (no such folder), DENIED. */
#pragma once
#include "core/base/base.h"

struct spool;

/* In `dir`; NULL: $TMPDIR or /tmp. */
bool spool_open(const char *dir, struct spool **ret_spool, struct err *err) WARN_UNUSED;
/* Appends. What is small waits in memory, and may find the disk full only in spool_view. */
bool spool_write(struct spool *spool, struct str bytes, struct err *err) WARN_UNUSED;
/* Writes at an offset; what was appended before does not move. */
bool spool_write_at(struct spool *spool, uint64_t offset, struct str bytes, struct err *err) WARN_UNUSED;
/* Forgets the content, to be written anew. */
bool spool_clear(struct spool *spool, struct err *err) WARN_UNUSED;
/* The whole content, mapped; alive until spool_drop. Nothing is written after it. */
bool spool_view(struct spool *spool, struct str *ret_bytes, struct err *err) WARN_UNUSED;
/* A part of a view that is not needed soon: its memory is given back, and it stays readable, from the file. Any other
 * memory is fine too. */
void spool_rest(struct str bytes);
void spool_drop(struct spool *spool); /* NULL is fine */
