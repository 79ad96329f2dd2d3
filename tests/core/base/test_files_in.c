/* Files come from memory and from disk alike, folder by folder. */
#include "core/base/files_in.h"

#include <criterion/criterion.h>
#include <unistd.h>

#include "tests/harness/git_cli.h"

enum { MEMORY, DISK, KINDS };

struct fixture {
    struct arena *arena;
    const char *dir;
    struct files files;
    struct files_in in;
    struct err err;
};

static void open_fixture(struct fixture *f, int kind)
{
    static const char *const paths[] = {"base/b-c/x", "base/b/deep/y", "base/b/x",
                                        "base/file",  "base/a/x",      "baser/z/x"};
    *f = (struct fixture){.arena = arena_new()};
    f->dir = temp_dir(f->arena);
    for (size_t i = 0; i < COUNT_OF(paths); i++)
        cr_assert(files_add(f->arena, &f->files, str_of(paths[i]), str_of(paths[i]), &f->err));
    cr_assert(files_sort(&f->files, &f->err));
    cr_assert(files_write(&f->files, f->dir, &f->err), "%s", f->err.msg);
    f->in =
        (struct files_in){.files = kind == MEMORY ? &f->files : NULL, .dir = f->dir, .max_bytes = 1 << 20};
}

static void close_fixture(struct fixture *f)
{
    temp_dir_remove(f->dir);
    arena_free(f->arena);
}

Test(files_in, folders_are_those_right_below)
{
    for (int kind = 0; kind < KINDS; kind++) {
        struct fixture f;
        struct str_list names;
        open_fixture(&f, kind);
        cr_assert(files_in_folders(&f.in, f.arena, STR("base"), &names, &f.err), "%s", f.err.msg);
        struct str list = str_join(f.arena, names.items, names.count, STR(" "));
        cr_expect(str_is(list, "a b b-c"), "%d: %.*s", kind, STR_ARG(list));
        cr_assert(files_in_folders(&f.in, f.arena, STR("nowhere"), &names, &f.err), "%s", f.err.msg);
        cr_expect_eq(names.count, 0u);
        close_fixture(&f);
    }
}

Test(files_in, what_is_read_keeps_its_whole_path)
{
    static const struct {
        const char *path, *wants;
    } cases[] = {
        {"base/b", "base/b/deep/y base/b/x"},
        {"base/file", "base/file"},
        {"base/nothing", ""},
        {"baser", "baser/z/x"},
        {"base/b/x", "base/b/x"},
    };
    for (int kind = 0; kind < KINDS; kind++)
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
            struct fixture f;
            struct files read = {0};
            struct str_list paths = {0};
            open_fixture(&f, kind);
            cr_assert(files_in_read(&f.in, f.arena, str_of(cases[i].path), &read, &f.err), "%s", f.err.msg);
            cr_assert(files_sort(&read, &f.err));
            for (size_t j = 0; j < read.count; j++) {
                *ARENA_PUSH(f.arena, &paths) = read.items[j].path;
                cr_expect(str_eq(read.items[j].path, read.items[j].bytes));
            }
            struct str list = str_join(f.arena, paths.items, paths.count, STR(" "));
            cr_expect(str_is(list, cases[i].wants), "%d, %s: %.*s", kind, cases[i].path, STR_ARG(list));
            close_fixture(&f);
        }
}

Test(files_in, no_link_is_followed_and_no_bound_exceeded)
{
    struct fixture f;
    struct str_list names;
    struct files read = {0};
    open_fixture(&f, DISK);
    const char *link = str_c(f.arena, str_fmt(f.arena, "%s/base/link", f.dir));
    cr_assert_eq(symlink("b", link), 0);
    cr_assert(files_in_folders(&f.in, f.arena, STR("base"), &names, &f.err));
    cr_expect_not(str_in(STR("link"), names.items, names.count));
    cr_assert(files_in_read(&f.in, f.arena, STR("base/link"), &read, &f.err));
    cr_expect_eq(read.count, 0u);
    cr_assert(files_in_read(&f.in, f.arena, STR("base/link/deep"), &read, &f.err));
    cr_expect_eq(read.count, 0u);
    cr_assert(files_in_folders(&f.in, f.arena, STR("base/link"), &names, &f.err));
    cr_expect_eq(names.count, 0u);
    f.in.max_bytes = 3;
    cr_expect_not(files_in_read(&f.in, f.arena, STR("base/b"), &read, &f.err));
    cr_expect_eq(f.err.code, ERR_LIMIT);
    close_fixture(&f);
}

Test(files_in, nothing_outside_of_the_tree_is_read)
{
    static const char *const paths[] = {"base/..", "..", "/etc", "base/./a", "", "base//a"};
    for (int kind = 0; kind < KINDS; kind++) {
        struct fixture f;
        open_fixture(&f, kind);
        for (size_t i = 0; i < COUNT_OF(paths); i++) {
            struct files read = {0};
            struct str_list names;
            cr_expect_not(files_in_read(&f.in, f.arena, str_of(paths[i]), &read, &f.err), "%s", paths[i]);
            cr_expect_eq(f.err.code, ERR_INVALID);
            cr_expect_not(files_in_folders(&f.in, f.arena, str_of(paths[i]), &names, &f.err), "%s", paths[i]);
        }
        close_fixture(&f);
    }
}
