/* The nameless file: what is written comes back, in any order, and nothing of it is seen in the folder. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#include "core/store/spool.h"
#include "tests/harness/store_fixture.h"

static size_t files_in(const char *dir)
{
    size_t count = 0;
    DIR *open_dir = opendir(dir);
    cr_assert(open_dir != NULL);
    for (struct dirent *entry; (entry = readdir(open_dir)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(open_dir);
    return count;
}

Test(spool, what_is_written_comes_back_and_no_file_is_seen)
{
    char dir[64];
    struct spool *spool = NULL;
    struct err err = {0};
    struct str bytes;
    make_temp_dir(dir, sizeof dir);
    cr_assert(spool_open(dir, &spool, &err), "%s", err.msg);
    cr_assert(spool_write(spool, STR("old"), &err) && spool_clear(spool, &err), "%s", err.msg);
    cr_assert(spool_write(spool, STR("abc"), &err) && spool_write(spool, STR_NONE, &err) &&
                  spool_write_at(spool, 6, STR("ghi"), &err) && spool_write(spool, STR("def"), &err),
              "%s", err.msg);
    cr_expect_eq(files_in(dir), 0);
    cr_assert(spool_view(spool, &bytes, &err), "%s", err.msg);
    cr_expect(str_is(bytes, "abcdefghi"), "%.*s", STR_ARG(bytes));
    spool_drop(spool);
    remove_tree(dir);
}

/* Of a mapping, and of memory that no file is behind. */
Test(spool, what_rests_stays_readable)
{
    enum { LEN = 1 << 20 };
    struct spool *spool = NULL;
    struct err err = {0};
    struct str bytes = STR_NONE;
    struct arena *arena = arena_new();
    char *memory = arena_alloc(arena, LEN);
    memset(memory, 'm', LEN);
    cr_assert(spool_open(NULL, &spool, &err) && spool_write(spool, (struct str){memory, LEN}, &err) &&
                  spool_view(spool, &bytes, &err),
              "%s", err.msg);
    spool_rest(str_slice(bytes, 3, LEN - 3));
    spool_rest((struct str){memory + 1, LEN - 1});
    spool_rest(STR_NONE);
    spool_rest(STR("short"));
    cr_expect(str_eq(bytes, (struct str){memory, LEN}));
    cr_expect(memory[LEN / 2] == 'm');
    spool_drop(spool);
    arena_free(arena);
}

Test(spool, an_empty_one_is_the_empty_text)
{
    struct spool *spool = NULL;
    struct err err = {0};
    struct str bytes = STR("x");
    cr_assert(spool_open(NULL, &spool, &err), "%s", err.msg);
    cr_assert(spool_view(spool, &bytes, &err), "%s", err.msg);
    cr_expect_eq(bytes.len, 0);
    spool_drop(spool);
}

Test(spool, a_missing_folder_is_named)
{
    struct spool *spool = NULL;
    struct err err = {0};
    cr_expect_not(spool_open("/nonexistent/spool", &spool, &err));
    cr_expect_eq(err.code, ERR_NOT_FOUND, "%s", err.msg);
    cr_expect(strstr(err.msg, "/nonexistent/spool") != NULL, "%s", err.msg);
}

Test(spool, a_file_that_may_not_grow_is_an_io_error)
{
    struct rlimit limit = {4096, RLIM_INFINITY};
    struct spool *spool = NULL;
    struct err err = {0};
    static const char zeros[8192];
    cr_assert(spool_open(NULL, &spool, &err), "%s", err.msg);
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    struct str view;
    bool written =
        spool_write(spool, (struct str){zeros, sizeof zeros}, &err) && spool_view(spool, &view, &err);
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){RLIM_INFINITY, RLIM_INFINITY});
    cr_expect_not(written);
    cr_expect_eq(err.code, ERR_IO, "%s", err.msg);
    spool_drop(spool);
}
