/* A tree written file by file: all of it or nothing, whoever stops in between. */
#include "core/base/files_folder.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/harness/git_cli.h"
#include "tests/harness/tree.h"

struct fixture {
    struct arena *arena;
    const char *temp, *dir;
    struct files_folder *folder;
    struct err err;
};

static void add(struct fixture *f, const char *path, const char *bytes)
{
    cr_assert(files_folder_add(f->folder, str_of(path), str_of(bytes), &f->err), "%s", f->err.msg);
}

static void open_again(struct fixture *f)
{
    cr_assert(files_folder_open(f->dir, &f->folder, &f->err), "%s", f->err.msg);
}

/* A folder that holds a=1;b/c=2; and is being written again. */
static void open_fixture(struct fixture *f)
{
    *f = (struct fixture){.arena = arena_new()};
    f->temp = temp_dir(f->arena);
    f->dir = str_fmt(f->arena, "%s/deep/out", f->temp).ptr;
    open_again(f);
    add(f, "b/c", "2");
    add(f, "a", "1");
    cr_assert(files_folder_commit(f->folder, &f->err), "%s", f->err.msg);
    files_folder_close(f->folder);
    open_again(f);
}

static void expect(struct fixture *f, const char *want)
{
    struct str is = tree_content(f->arena, f->dir);
    cr_assert(str_is(is, want), "%.*s", STR_ARG(is));
    cr_assert_neq(access(str_fmt(f->arena, "%s/.gitops-pipe.tmp", f->dir).ptr, F_OK), 0, "staging stays");
}

static void close_fixture(struct fixture *f)
{
    temp_dir_remove(f->temp);
    arena_free(f->arena);
}

Test(files_folder, a_commit_makes_the_folder_hold_the_tree)
{
    struct fixture f;
    struct stat before, after;
    open_fixture(&f);
    const char *kept = str_fmt(f.arena, "%s/b/c", f.dir).ptr;
    cr_assert_eq(stat(kept, &before), 0);
    add(&f, "x/y/z", "new");
    add(&f, "b/c", "2");
    add(&f, "x/y/a", "");
    cr_assert_eq(files_folder_count(f.folder), 3u);
    cr_assert(files_folder_commit(f.folder, &f.err), "%s", f.err.msg);
    files_folder_close(f.folder);
    expect(&f, "b/c=2;x/y/a=;x/y/z=new;");
    cr_assert_eq(stat(kept, &after), 0);
    cr_assert_eq(before.st_ino, after.st_ino, "an unchanged file was written again");
    close_fixture(&f);
}

Test(files_folder, paths_and_bytes_are_not_needed_once_added)
{
    struct fixture f;
    char path[] = "d/0", bytes[] = "0";
    open_fixture(&f);
    for (int i = 0; i < 9; i++, path[2]++, bytes[0]++)
        add(&f, path, bytes);
    memset(path, 'q', 3);
    cr_assert(files_folder_commit(f.folder, &f.err), "%s", f.err.msg);
    files_folder_close(f.folder);
    expect(&f, "d/0=0;d/1=1;d/2=2;d/3=3;d/4=4;d/5=5;d/6=6;d/7=7;d/8=8;");
    close_fixture(&f);
}

Test(files_folder, without_a_commit_nothing_was_changed)
{
    struct fixture f;
    open_fixture(&f);
    add(&f, "a", "changed");
    add(&f, "new/file", "x");
    cr_assert(str_is(tree_content(f.arena, f.dir), "a=1;b/c=2;"), "something moved before the commit");
    files_folder_close(f.folder);
    expect(&f, "a=1;b/c=2;");
    files_folder_close(NULL);
    close_fixture(&f);
}

Test(files_folder, a_folder_made_for_nothing_goes_again)
{
    struct fixture f;
    open_fixture(&f);
    files_folder_close(f.folder);
    const char *before = f.dir, *half = str_fmt(f.arena, "%s/half", f.temp).ptr;
    cr_assert_eq(mkdir(half, 0755), 0);
    f.dir = str_fmt(f.arena, "%s/half/x//y/", f.temp).ptr;
    open_again(&f);
    add(&f, "a/b", "x");
    files_folder_close(f.folder);
    cr_expect_eq(rmdir(half), 0, "it was there before, and is empty again");
    f.dir = before;
    expect(&f, "a=1;b/c=2;");
    close_fixture(&f);
}

Test(files_folder, what_failed_once_fails_from_then_on)
{
    struct fixture f;
    struct err again;
    open_fixture(&f);
    add(&f, "a", "changed");
    cr_assert_not(files_folder_add(f.folder, STR("../a"), STR("x"), &f.err));
    cr_assert_eq(f.err.code, ERR_INVALID);
    cr_assert(str_starts(str_of(f.err.msg), str_of(f.dir)), "%s", f.err.msg);
    cr_expect_not(files_folder_add(f.folder, STR("good"), STR("x"), &again));
    cr_expect_str_eq(again.msg, f.err.msg);
    cr_expect_not(files_folder_commit(f.folder, &again));
    cr_expect_str_eq(again.msg, f.err.msg);
    files_folder_close(f.folder);
    expect(&f, "a=1;b/c=2;");
    close_fixture(&f);
}

Test(files_folder, what_cannot_stand_side_by_side_is_found_at_the_commit)
{
    static const char *const pairs[][2] = {{"n", "n"}, {"a", "A"}, {"b", "b/c"}};
    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        struct fixture f;
        open_fixture(&f);
        add(&f, pairs[i][1], "x");
        add(&f, "m", "between");
        add(&f, pairs[i][0], "y");
        cr_assert_not(files_folder_commit(f.folder, &f.err));
        cr_assert_eq(f.err.code, ERR_INVALID);
        files_folder_close(f.folder);
        expect(&f, "a=1;b/c=2;");
        close_fixture(&f);
    }
}

Test(files_folder, a_second_writer_is_a_conflict_and_spoils_nothing)
{
    struct fixture f;
    struct files_folder *second = NULL;
    open_fixture(&f);
    add(&f, "a", "mine");
    cr_assert_not(files_folder_open(f.dir, &second, &f.err));
    cr_assert_eq(f.err.code, ERR_CONFLICT);
    cr_assert_null(second);
    cr_assert(files_folder_commit(f.folder, &f.err), "%s", f.err.msg);
    files_folder_close(f.folder);
    expect(&f, "a=mine;");
    close_fixture(&f);
}

Test(files_folder, old_files_make_room_for_folders_and_folders_for_files)
{
    struct fixture f;
    open_fixture(&f);
    add(&f, "a/now/a/folder", "x");
    add(&f, "b", "now a file");
    cr_assert(files_folder_commit(f.folder, &f.err), "%s", f.err.msg);
    files_folder_close(f.folder);
    expect(&f, "a/now/a/folder=x;b=now a file;");
    close_fixture(&f);
}

/* Files of a folder one behind the other share an opened parent; they need not come so. */
Test(files_folder, the_order_of_files_does_not_matter)
{
    struct fixture f;
    struct files read;
    open_fixture(&f);
    for (int i = 0; i < 200; i++)
        add(&f, str_fmt(f.arena, "%d/%d/f%d", i % 7, i % 3, i).ptr, str_fmt(f.arena, "%d", i).ptr);
    cr_assert(files_folder_commit(f.folder, &f.err), "%s", f.err.msg);
    files_folder_close(f.folder);
    cr_assert(files_read(f.arena, f.dir, 1 << 20, &read, &f.err), "%s", f.err.msg);
    cr_assert_eq(read.count, 200u);
    for (size_t i = 0; i < read.count; i++) {
        struct str path = read.items[i].path;
        cr_assert(str_eq(str_from(path, str_rfind(path, 'f') + 1), read.items[i].bytes));
    }
    close_fixture(&f);
}

Test(files_folder, a_kill_before_the_commit_changes_nothing_and_leaves_nothing)
{
    struct fixture f;
    int status;
    open_fixture(&f);
    files_folder_close(f.folder);
    pid_t child = fork();
    if (child == 0) {
        if (!files_folder_open(f.dir, &f.folder, &f.err) ||
            !files_folder_add(f.folder, STR("a"), STR("changed"), &f.err) ||
            !files_folder_add(f.folder, STR("n/n"), STR("new"), &f.err))
            _exit(1);
        raise(SIGKILL);
    }
    waitpid(child, &status, 0);
    cr_assert(WIFSIGNALED(status));
    cr_assert(str_is(tree_content(f.arena, f.dir), "a=1;b/c=2;"));
    open_again(&f);
    files_folder_close(f.folder);
    expect(&f, "a=1;b/c=2;");
    close_fixture(&f);
}

/* A file size limit is a disk that is full for one process: write(2) fails in the middle. */
Test(files_folder, a_full_disk_fails_where_it_is_met_and_changes_nothing)
{
    static char large[10000];
    struct fixture f;
    struct rlimit limit = {5000, 5000};
    int status;
    open_fixture(&f);
    files_folder_close(f.folder);
    signal(SIGXFSZ, SIG_IGN);
    pid_t child = fork();
    if (child == 0) {
        setrlimit(RLIMIT_FSIZE, &limit);
        bool as_told = files_folder_open(f.dir, &f.folder, &f.err) &&
                       files_folder_add(f.folder, STR("a"), STR("changed"), &f.err) &&
                       !files_folder_add(f.folder, STR("n"), (struct str){large, sizeof large}, &f.err) &&
                       f.err.code == ERR_IO && !files_folder_commit(f.folder, &f.err);
        files_folder_close(f.folder);
        _exit(as_told ? 0 : 1);
    }
    waitpid(child, &status, 0);
    cr_assert_eq(status, 0);
    expect(&f, "a=1;b/c=2;");
    close_fixture(&f);
}

Test(files_folder, what_was_there_is_compared_to_the_last_byte)
{
    static char old[40000], new[40000];
    static const struct {
        size_t at, len; /* what differs from the old: one byte, or the length */
    } cases[] = {{39999, 40000}, {0, 40000}, {16384, 40000}, {40000, 39999}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct fixture f;
        struct str read;
        open_fixture(&f);
        cr_assert(files_folder_add(f.folder, STR("l"), (struct str){old, sizeof old}, &f.err));
        cr_assert(files_folder_commit(f.folder, &f.err), "%s", f.err.msg);
        files_folder_close(f.folder);
        memset(new, 0, sizeof new);
        if (cases[i].at < sizeof new)
            new[cases[i].at] = 'x';
        open_again(&f);
        cr_assert(files_folder_add(f.folder, STR("l"), (struct str){new, cases[i].len}, &f.err));
        cr_assert(files_folder_commit(f.folder, &f.err), "%s", f.err.msg);
        files_folder_close(f.folder);
        cr_assert(file_read(f.arena, str_fmt(f.arena, "%s/l", f.dir).ptr, sizeof new, &read, &f.err));
        cr_assert(str_eq(read, (struct str){new, cases[i].len}));
        close_fixture(&f);
    }
}

/* In whatever order folders come, in one piece or in several, beside what others put there. */
Test(files_folder, new_folders_come_whole_and_old_ones_file_by_file)
{
    static const char *const paths[] = {"n/m/o/1", "n/2",     "b/3", "n/m/4", "p/5",
                                        "b/new/6", "n/m/o/7", "n/8", "9"};
    struct fixture f;
    struct err err;
    open_fixture(&f);
    cr_assert(file_make_dirs(str_fmt(f.arena, "%s/p", f.dir).ptr, &err));
    cr_assert(file_write(str_fmt(f.arena, "%s/p/theirs", f.dir).ptr, STR("t"), 0644, &err));
    for (size_t i = 0; i < COUNT_OF(paths); i++)
        add(&f, paths[i], "x");
    cr_assert(files_folder_commit(f.folder, &f.err), "%s", f.err.msg);
    files_folder_close(f.folder);
    expect(&f, "9=x;b/3=x;b/new/6=x;n/2=x;n/8=x;n/m/4=x;n/m/o/1=x;n/m/o/7=x;p/5=x;p/theirs=t;");
    struct stat info;
    cr_assert_eq(stat(str_fmt(f.arena, "%s/n/m", f.dir).ptr, &info), 0);
    cr_expect_eq(info.st_mode & 07777, 0755);
    close_fixture(&f);
}

Test(files_folder, what_a_killed_run_was_about_to_put_in_place_is_no_file_and_goes)
{
    struct fixture f;
    struct files read;
    open_fixture(&f);
    files_folder_close(f.folder);
    const char *passing = str_fmt(f.arena, "%s/.gitops-pipe.0123456789abcdef", f.dir).ptr;
    const char *other = str_fmt(f.arena, "%s/.gitops-pipe.yaml", f.dir).ptr;
    cr_assert(file_write(passing, STR("half"), 0644, &f.err));
    cr_assert(file_write(other, STR("whole"), 0644, &f.err));
    cr_assert(files_read(f.arena, f.dir, 1 << 20, &read, &f.err));
    cr_expect_eq(read.count, 3u);
    open_again(&f);
    cr_expect_neq(access(passing, F_OK), 0);
    cr_expect_eq(access(other, F_OK), 0);
    files_folder_close(f.folder);
    close_fixture(&f);
}
