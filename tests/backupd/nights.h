/* nights.h — a store with backups of several nights that share packs, for tests of prune. */
#pragma once
#include "tests/backupd/backup_fixture.h"

/* A fixture whose cluster is complete; it spools in memory where it can, for these tests make thousands of backups. */
void nights_open(struct backup_fixture *f);
/* Backs up the fixture's cluster with `content` (any number) in namespace "web": the same content is the same pack.
 * `night` is its date, in days. The id is then in f->bundle.backup_id. */
bool night_try(struct backup_fixture *f, int night, int content, struct err *err);
void night_make(struct backup_fixture *f, int night, int content);
/* What is visible now is whole: every pack of every backup. Says how many there are. */
size_t nights_are_whole(struct backup_fixture *f, const char *where);
/* The date of night 0, in milliseconds: it is what the fixture's clock shows at first. */
#define NIGHT_0 1795226400000
#define NIGHT   86400000LL
