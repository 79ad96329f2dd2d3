/* Files: paths that stay inside, writing that is never half done, reading that follows no link. */
#include "core/base/files.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/harness/git_cli.h"
#include "tests/harness/tree.h"

static struct files make_files(struct arena *arena, const char *const *pairs)
{
    struct files files = {0};
    struct err err;
    for (; pairs[0] != NULL; pairs += 2)
        cr_assert(files_add(arena, &files, str_of(pairs[0]), str_of(pairs[1]), &err), "%s", err.msg);
    cr_assert(files_sort(&files, &err), "%s", err.msg);
    return files;
}
#define FILES(arena, ...) make_files((arena), (const char *const[]){__VA_ARGS__, NULL})

Test(files, paths_that_could_leave_the_folder_are_refused)
{
    static const char *const bad[] = {"",     "/",     "/a",          "a/",      "a//b", ".",
                                      "..",   "../a",  "a/../b",      "a/./b",   "a/..", "a\\b",
                                      "a\nb", "a\x7f", ".git/config", "a/.GIT/x"};
    static const char *const good[] = {"a", "a/b", "..a", "a..", ".gitignore", "a b", "é", ".github/x"};
    struct arena *arena = arena_new();
    struct files files = {0};
    struct err err;
    char longest[257];
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        cr_expect_not(files_add(arena, &files, str_of(bad[i]), STR(""), &err), "%s", bad[i]);
        cr_expect_eq(err.code, ERR_INVALID);
    }
    memset(longest, 'x', 256);
    longest[256] = '\0';
    cr_expect_not(files_add(arena, &files, str_of(longest), STR(""), &err));
    cr_expect(files_add(arena, &files, str_of(longest + 1), STR(""), &err));
    cr_expect_not(files_add(arena, &files, (struct str){"a\0b", 3}, STR(""), &err));
    for (size_t i = 0; i < COUNT_OF(good); i++)
        cr_expect(files_add(arena, &files, str_of(good[i]), STR(""), &err), "%s", good[i]);
    struct buf deep CLEANUP(buf_done);
    buf_init(&deep, 1000);
    for (int i = 0; i < 70; i++)
        buf_text(&deep, "a/");
    buf_char(&deep, 'a');
    cr_expect_not(files_add(arena, &files, buf_view(&deep), STR(""), &err));
    arena_free(arena);
}

Test(files, what_cannot_stand_side_by_side_is_refused)
{
    static const struct {
        const char *a, *b;
        bool ok;
    } cases[] = {{"a", "b", true},     {"a", "a", false},   {"a/x.yaml", "a/X.yaml", false},
                 {"a", "a/b", false},  {"A", "a/b", false}, {"a", "a.b", true},
                 {"a-b", "a/b", true}, {"a/b", "ab", true}};
    struct arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct files files = {0};
        struct err err;
        cr_assert(files_add(arena, &files, str_of(cases[i].b), STR(""), &err));
        cr_assert(files_add(arena, &files, STR("zz"), STR(""), &err));
        cr_assert(files_add(arena, &files, STR("a-"), STR(""), &err));
        cr_assert(files_add(arena, &files, str_of(cases[i].a), STR(""), &err));
        cr_expect_eq(files_sort(&files, &err), cases[i].ok, "%s %s", cases[i].a, cases[i].b);
        if (!cases[i].ok)
            continue;
        cr_expect_not_null(files_find(&files, str_of(cases[i].a)));
        cr_expect_null(files_find(&files, STR("nope")));
    }
    struct files none = {0};
    cr_expect_null(files_find(&none, STR("a")));
    arena_free(arena);
}

Test(files, a_tree_is_written_and_the_next_one_replaces_it)
{
    struct arena *arena = arena_new();
    struct err err;
    const char *dir = temp_dir(arena), *out = str_fmt(arena, "%s/deep/out", dir).ptr;
    struct files first = FILES(arena, "a", "1", "b/c/d", "2", "b/e", "", "x", "old");
    cr_assert(files_write(&first, out, &err), "%s", err.msg);
    cr_expect(str_is(tree_content(arena, out), "a=1;b/c/d=2;b/e=;x=old;"));
    cr_assert(file_write(str_fmt(arena, "%s/mine", out).ptr, STR("keep"), 0644, &err), "%s", err.msg);
    struct stat before, after;
    stat(str_fmt(arena, "%s/a", out).ptr, &before);
    struct files second = FILES(arena, "a", "1", "x/y", "now a folder", "b/c", "now a file");
    cr_assert(files_write(&second, out, &err), "%s", err.msg);
    cr_expect(str_is(tree_content(arena, out), "a=1;b/c=now a file;mine=keep;x/y=now a folder;"), "%.*s",
              STR_ARG(tree_content(arena, out)));
    stat(str_fmt(arena, "%s/a", out).ptr, &after);
    cr_expect_eq(before.st_ino, after.st_ino, "an unchanged file was written again");
    cr_expect_neq(access(str_fmt(arena, "%s/.gitops-pipe.tmp", out).ptr, F_OK), 0);
    struct files none = {0};
    cr_assert(files_write(&none, out, &err), "%s", err.msg);
    cr_expect(str_is(tree_content(arena, out), "mine=keep;"));
    temp_dir_remove(dir);
    arena_free(arena);
}

Test(files, many_files_go_the_bulk_way)
{
    struct arena *arena = arena_new();
    struct err err;
    struct files files = {0}, read;
    const char *dir = temp_dir(arena);
    for (int i = 0; i < 300; i++)
        cr_assert(files_add(arena, &files, str_fmt(arena, "%d/%d", i % 7, i), str_fmt(arena, "%d", i), &err));
    cr_assert(files_sort(&files, &err));
    cr_assert(files_write(&files, dir, &err), "%s", err.msg);
    cr_assert(files_read(arena, dir, 1 << 20, &read, &err));
    cr_assert_eq(read.count, 300);
    for (size_t i = 0; i < 300; i++)
        cr_expect(str_eq(read.items[i].path, files.items[i].path) &&
                  str_eq(read.items[i].bytes, files.items[i].bytes));
    temp_dir_remove(dir);
    arena_free(arena);
}

Test(files, links_lead_nowhere)
{
    struct arena *arena = arena_new();
    struct err err;
    const char *dir = temp_dir(arena), *out = str_fmt(arena, "%s/out", dir).ptr;
    const char *outside = str_fmt(arena, "%s/outside", dir).ptr;
    cr_assert(file_make_dirs(out, &err) && file_make_dirs(outside, &err));
    cr_assert(file_write(str_fmt(arena, "%s/secret", outside).ptr, STR("s"), 0644, &err));
    cr_assert_eq(symlink("../outside", str_fmt(arena, "%s/sub", out).ptr), 0);
    cr_assert_eq(symlink("../outside/secret", str_fmt(arena, "%s/link", out).ptr), 0);
    cr_expect(str_is(tree_content(arena, out), ""), "a link was followed while reading");
    struct files through = FILES(arena, "sub/evil", "x");
    cr_expect_not(files_write(&through, out, &err));
    cr_expect(str_is(tree_content(arena, outside), "secret=s;"));
    struct files over = FILES(arena, "link", "new");
    cr_assert(files_write(&over, out, &err), "%s", err.msg);
    cr_expect(str_is(tree_content(arena, outside), "secret=s;"), "a link was written through");
    /* a list that somebody tampered with removes nothing elsewhere */
    cr_assert(file_write(str_fmt(arena, "%s/.gitops-pipe.files", out).ptr,
                         STR("../outside/secret\nsub/secret\n/etc/x\n"), 0644, &err));
    cr_assert(files_write(&over, out, &err), "%s", err.msg);
    cr_expect(str_is(tree_content(arena, outside), "secret=s;"));
    temp_dir_remove(dir);
    arena_free(arena);
}

Test(files, another_writer_is_a_conflict)
{
    struct arena *arena = arena_new();
    struct err err;
    const char *dir = temp_dir(arena);
    struct files files = FILES(arena, "a", "1");
    FILE *held = fopen(dir, "r");
    cr_assert_eq(flock(fileno(held), LOCK_EX), 0);
    cr_expect_not(files_write(&files, dir, &err));
    cr_expect_eq(err.code, ERR_CONFLICT);
    fclose(held);
    cr_expect(files_write(&files, dir, &err));
    temp_dir_remove(dir);
    arena_free(arena);
}

/* A file size limit is a disk that is full for one process: write(2) fails in the middle. */
Test(files, a_full_disk_changes_nothing)
{
    struct arena *arena = arena_new();
    struct err err;
    const char *dir = temp_dir(arena), *single = str_fmt(arena, "%s/single", dir).ptr;
    char large[10000];
    memset(large, 'x', sizeof large);
    struct files old = FILES(arena, "a", "1", "b", "2");
    cr_assert(files_write(&old, dir, &err));
    cr_assert(file_write(single, STR("old"), 0600, &err));
    struct files next = {0};
    cr_assert(files_add(arena, &next, STR("a"), STR("changed"), &err));
    cr_assert(files_add(arena, &next, STR("c"), (struct str){large, sizeof large}, &err));
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit limit = {5000, 5000};
    pid_t child = fork();
    if (child == 0) {
        setrlimit(RLIMIT_FSIZE, &limit);
        bool failed = !files_write(&next, dir, &err) && err.code == ERR_IO &&
                      !file_write(single, (struct str){large, sizeof large}, 0600, &err) &&
                      err.code == ERR_IO;
        _exit(failed ? 0 : 1);
    }
    int status;
    waitpid(child, &status, 0);
    cr_expect_eq(status, 0);
    cr_expect(str_is(tree_content(arena, dir), "a=1;b=2;single=old;"), "%.*s",
              STR_ARG(tree_content(arena, dir)));
    temp_dir_remove(dir);
    arena_free(arena);
}

Test(files, a_kill_leaves_every_file_old_or_new, .timeout = 60)
{
    struct arena *arena = arena_new();
    struct err err;
    const char *dir = temp_dir(arena);
    int killed = 0;
    char large[20000];
    for (int round = 0; round < 30; round++) {
        struct files files = {0}, read;
        memset(large, 'a' + round % 26, sizeof large);
        for (int i = 0; i < 100; i++)
            cr_assert(files_add(arena, &files, str_fmt(arena, "%02d", i),
                                str_dup(arena, (struct str){large, sizeof large}), &err));
        cr_assert(files_sort(&files, &err));
        pid_t child = fork();
        if (child == 0)
            _exit(files_write(&files, dir, &err) ? 0 : 1);
        usleep((useconds_t)(round * 400));
        kill(child, SIGKILL);
        int status;
        waitpid(child, &status, 0);
        killed += WIFSIGNALED(status);
        cr_assert(files_read(arena, dir, 100 << 20, &read, &err), "%s", err.msg);
        for (size_t i = 0; i < read.count; i++) {
            struct str bytes = read.items[i].bytes;
            cr_assert_eq(bytes.len, sizeof large);
            cr_assert_eq(bytes.ptr[0], bytes.ptr[bytes.len - 1]);
        }
    }
    cr_expect_gt(killed, 0);
    struct files end = FILES(arena, "end", "1");
    cr_assert(files_write(&end, dir, &err), "%s", err.msg);
    cr_expect(str_is(tree_content(arena, dir), "end=1;"), "leftovers of killed runs stay");
    temp_dir_remove(dir);
    arena_free(arena);
}

Test(files, single_files)
{
    struct arena *arena = arena_new();
    struct err err;
    struct str bytes;
    struct stat info;
    const char *dir = temp_dir(arena), *path = str_fmt(arena, "%s/f", dir).ptr;
    cr_assert(file_write(path, STR("one"), 0600, &err), "%s", err.msg);
    cr_assert(file_write(path, STR("two"), 0600, &err), "%s", err.msg);
    stat(path, &info);
    cr_expect_eq(info.st_mode & 0777, 0600);
    cr_assert(file_read(arena, path, 3, &bytes, &err), "%s", err.msg);
    cr_expect(str_is(bytes, "two"));
    cr_expect_not(file_read(arena, path, 2, &bytes, &err));
    cr_expect_eq(err.code, ERR_LIMIT);
    cr_expect_not(file_read(arena, "/nonexistent", 2, &bytes, &err));
    cr_expect_eq(err.code, ERR_NOT_FOUND);
    cr_expect_not(file_read(arena, dir, 2, &bytes, &err));
    cr_expect_eq(err.code, ERR_IO);
    cr_expect_not(file_write(str_fmt(arena, "%s/no/f", dir).ptr, STR(""), 0644, &err));
    cr_expect_eq(err.code, ERR_NOT_FOUND);
    cr_expect_not(file_write(dir, STR(""), 0644, &err));
    cr_expect(file_write("/dev/null", STR("gone"), 0644, &err), "%s", err.msg);
    cr_expect_not(file_write("/dev/full", STR("x"), 0644, &err));
    cr_expect_eq(err.code, ERR_IO);
    cr_expect_not(file_make_dirs(path, &err));
    cr_expect_not(file_make_dirs(str_fmt(arena, "%s/x/y", path).ptr, &err));
    cr_expect(file_make_dirs(str_fmt(arena, "%s//x/y/", dir).ptr, &err), "%s", err.msg);
    cr_expect_not(files_read(arena, path, 10, &(struct files){0}, &err));
    temp_dir_remove(dir);
    arena_free(arena);
}

static bool only_yaml(struct str path)
{
    return str_ends(path, STR(".yaml"));
}

Test(files, reading_can_choose_and_is_bounded)
{
    struct arena *arena = arena_new();
    struct err err;
    struct files read;
    const char *dir = temp_dir(arena);
    struct files files = FILES(arena, "a.yaml", "12345", "b.txt", "12345", "c/d.yaml", "12345");
    cr_assert(files_write(&files, dir, &err));
    cr_assert(files_read_wanted(arena, dir, 10, only_yaml, &read, &err), "%s", err.msg);
    cr_expect_eq(read.count, 2);
    cr_expect_not(files_read_wanted(arena, dir, 9, only_yaml, &read, &err));
    cr_expect_eq(err.code, ERR_LIMIT);
    temp_dir_remove(dir);
    arena_free(arena);
}

struct visits {
    struct buf seen;
    size_t stop_at; /* 0: never */
};

static bool note_file(void *ctx, struct str path, struct str bytes, struct err *err)
{
    struct visits *visits = ctx;
    buf_fmt(&visits->seen, "%.*s=%.*s;", STR_ARG(path), STR_ARG(bytes));
    return --visits->stop_at != 0 || err_set(err, ERR_REFUSED, "enough");
}

Test(files, each_is_visited_in_order_and_one_at_a_time)
{
    static const struct {
        size_t max_bytes, stop_at;
        const char *seen;
        enum err_code code;
    } cases[] = {{10, 0, "a.yaml=12345;c/d/e.yaml=12345;", ERR_NONE},
                 {9, 0, "a.yaml=12345;", ERR_LIMIT},
                 {10, 1, "a.yaml=12345;", ERR_REFUSED}};
    struct arena *arena = arena_new();
    struct err err;
    const char *dir = temp_dir(arena);
    struct files files = FILES(arena, "c/d/e.yaml", "12345", "b.txt", "12345", "a.yaml", "12345");
    cr_assert(files_write(&files, dir, &err));
    cr_assert_eq(symlink("a.yaml", str_fmt(arena, "%s/link.yaml", dir).ptr), 0);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct visits visits = {.stop_at = cases[i].stop_at};
        buf_init(&visits.seen, 1000);
        bool all = files_each(dir, cases[i].max_bytes, only_yaml, note_file, &visits, &err);
        cr_expect_eq(all, cases[i].code == ERR_NONE);
        cr_expect(all || err.code == cases[i].code, "%s", err.msg);
        cr_expect(str_is(buf_view(&visits.seen), cases[i].seen), "%.*s", STR_ARG(buf_view(&visits.seen)));
        buf_done(&visits.seen);
    }
    cr_expect_not(files_each("/nonexistent", 10, NULL, note_file, NULL, &err));
    cr_expect_eq(err.code, ERR_NOT_FOUND);
    temp_dir_remove(dir);
    arena_free(arena);
}

Test(files, standard_input_is_a_dash)
{
    struct arena *arena = arena_new();
    struct err err;
    struct str bytes;
    int pipe_ends[2];
    cr_assert_eq(pipe(pipe_ends), 0);
    cr_assert_eq(write(pipe_ends[1], "piped", 5), 5);
    close(pipe_ends[1]);
    dup2(pipe_ends[0], STDIN_FILENO);
    cr_assert(file_read(arena, "-", 100, &bytes, &err), "%s", err.msg);
    cr_expect(str_is(bytes, "piped"));
    arena_free(arena);
}
