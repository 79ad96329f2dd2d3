/* A file without a name: what goes in comes out, cut where it was cut. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/base/tempfile.h"

static void must(bool ok, const struct err *err)
{
    cr_assert(ok, "%s", err->msg);
}

/* Byte `i` of what the tests write. */
static char byte_at(uint64_t i)
{
    return (char)(i * 31 + i / 251);
}

static void add_bytes(struct tempfile *file, size_t len)
{
    char *bytes = malloc(len + 1);
    struct err err;
    for (size_t i = 0; i < len; i++)
        bytes[i] = byte_at(file->bytes + i);
    must(tempfile_add(file, bytes, len, &err), &err);
    free(bytes);
}

static void expect_bytes(struct tempfile *file, uint64_t from, size_t len)
{
    char *bytes = malloc(len + 1);
    struct err err;
    must(tempfile_read(file, from, bytes, len, &err), &err);
    for (size_t i = 0; i < len; i++)
        cr_assert_eq(bytes[i], byte_at(from + i), "at %zu", i);
    free(bytes);
}

Test(tempfile, holds_what_was_added_in_pieces_of_any_size)
{
    static const size_t sizes[] = {1, 0, 100, 128 * 1024 - 1, 2, 128 * 1024, 128 * 1024 + 1, 1 << 20, 7};
    struct tempfile file;
    struct err err;
    must(tempfile_open(NULL, &file, &err), &err);
    for (size_t i = 0; i < COUNT_OF(sizes); i++)
        add_bytes(&file, sizes[i]);
    must(tempfile_flush(&file, &err), &err);
    expect_bytes(&file, 0, file.bytes);
    expect_bytes(&file, 99, 5000);
    expect_bytes(&file, file.bytes, 0);
    char past;
    cr_expect_not(tempfile_read(&file, file.bytes, &past, 1, &err));
    cr_expect_eq(err.code, ERR_INTERNAL);
    tempfile_close(&file);
    tempfile_close(&file);
}

/* Cut before, at and behind what has gone to the disk already. */
Test(tempfile, goes_on_where_it_was_cut)
{
    static const uint64_t cuts[] = {0, 1, 100 * 1024, 200 * 1024, 300 * 1024 - 1, 300 * 1024, 900 * 1024};
    for (size_t i = 0; i < COUNT_OF(cuts); i++) {
        struct tempfile file;
        struct err err;
        must(tempfile_open(NULL, &file, &err), &err);
        for (int k = 0; k < 6; k++)
            add_bytes(&file, 50 * 1024);
        tempfile_cut(&file, cuts[i]);
        cr_expect_eq(file.bytes, cuts[i] < 300 * 1024 ? cuts[i] : 300 * 1024);
        add_bytes(&file, 10);
        add_bytes(&file, 140 * 1024);
        must(tempfile_flush(&file, &err), &err);
        expect_bytes(&file, 0, file.bytes);
        tempfile_close(&file);
    }
}

Test(tempfile, has_no_name_and_wants_a_folder)
{
    char dir[] = "/tmp/tempfile-XXXXXX";
    struct tempfile file;
    struct err err;
    cr_assert(mkdtemp(dir) != NULL);
    must(tempfile_open(dir, &file, &err), &err);
    add_bytes(&file, 1 << 20);
    cr_expect_eq(rmdir(dir), 0, "the folder is empty");
    tempfile_close(&file);
    cr_expect_not(tempfile_open(dir, &file, &err));
    cr_expect_eq(err.code, ERR_NOT_FOUND);
    cr_expect(strstr(err.msg, dir) != NULL, "%s", err.msg);
}

/* A limit on the size of files stands in for a full disk. */
Test(tempfile, a_full_disk_is_an_error_with_a_way_out)
{
    struct tempfile file;
    struct err err;
    struct rlimit limit = {300 * 1024, RLIM_INFINITY};
    must(tempfile_open("/tmp", &file, &err), &err);
    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    bool good = true;
    char bytes[4096] = {0};
    for (int i = 0; good && i < 200; i++)
        good = tempfile_add(&file, bytes, sizeof bytes, &err);
    cr_expect_not(good);
    cr_expect_eq(err.code, ERR_IO);
    cr_expect(strstr(err.msg, "spool in /tmp") != NULL && strstr(err.next, "state.dir") != NULL, "%s",
              err.msg);
    tempfile_close(&file);
}
