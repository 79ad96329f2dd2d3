/* Outlets: three kinds, and whoever writes to one cannot tell which. */
#include "core/base/files_out.h"

#include <criterion/criterion.h>

#include "tests/harness/git_cli.h"
#include "tests/harness/tree.h"

enum { MEMORY, FOLDER, NONE, KINDS };

struct fixture {
    struct arena *arena;
    const char *dir;
    struct files files;
    struct files_out *out;
    struct err err;
};

static void open_fixture(struct fixture *f, int kind)
{
    *f = (struct fixture){.arena = arena_new()};
    f->dir = temp_dir(f->arena);
    if (kind == MEMORY)
        f->out = files_out_memory(f->arena, &f->files);
    else if (kind == NONE)
        f->out = files_out_none(f->arena);
    else
        cr_assert(files_out_folder(f->arena, f->dir, &f->out, &f->err), "%s", f->err.msg);
}

static void close_fixture(struct fixture *f)
{
    files_out_close(f->out);
    temp_dir_remove(f->dir);
    arena_free(f->arena);
}

Test(files_out, a_tree_goes_where_it_should)
{
    static const char *const on_disk[KINDS] = {"", "a=first;b/c=second;", ""};
    static const size_t in_memory[KINDS] = {2, 0, 0};
    for (int kind = 0; kind < KINDS; kind++) {
        struct fixture f;
        char path[] = "b/c", bytes[] = "second";
        open_fixture(&f, kind);
        cr_assert(files_out_add(f.out, str_of(path), str_of(bytes), &f.err), "%s", f.err.msg);
        path[0] = bytes[0] = 'X'; /* it was taken, not looked at later */
        cr_assert(files_out_add(f.out, STR("a"), STR("first"), &f.err), "%s", f.err.msg);
        cr_assert(str_is(tree_content(f.arena, f.dir), ""));
        cr_assert(files_out_finish(f.out, &f.err), "%s", f.err.msg);
        cr_assert_eq(f.out->count, 2u);
        cr_assert(str_is(tree_content(f.arena, f.dir), on_disk[kind]));
        cr_assert_eq(f.files.count, in_memory[kind]);
        if (kind == MEMORY)
            cr_assert(str_is(files_find(&f.files, STR("b/c"))->bytes, "second"));
        close_fixture(&f);
    }
}

Test(files_out, every_kind_refuses_the_same)
{
    for (int kind = 0; kind < KINDS; kind++) {
        struct fixture f;
        open_fixture(&f, kind);
        cr_assert_not(files_out_add(f.out, STR("a/../../b"), STR("x"), &f.err));
        cr_assert_eq(f.err.code, ERR_INVALID);
        cr_assert_eq(f.out->count, 0u);
        close_fixture(&f);

        open_fixture(&f, kind);
        cr_assert(files_out_add(f.out, STR("a/b"), STR("x"), &f.err));
        cr_assert(files_out_add(f.out, STR("A"), STR("x"), &f.err));
        cr_assert_not(files_out_finish(f.out, &f.err));
        cr_assert_eq(f.err.code, ERR_INVALID);
        cr_assert(str_is(tree_content(f.arena, f.dir), ""));
        close_fixture(&f);
    }
}

Test(files_out, closed_without_a_finish_nothing_is_there)
{
    for (int kind = 0; kind < KINDS; kind++) {
        struct fixture f;
        open_fixture(&f, kind);
        cr_assert(files_out_add(f.out, STR("a"), STR("x"), &f.err));
        files_out_close(f.out);
        cr_assert(str_is(tree_content(f.arena, f.dir), ""));
        close_fixture(&f); /* closes once more */
    }
    files_out_close(NULL);
}

Test(files_out, a_folder_that_cannot_be_made_is_told_at_once)
{
    struct arena *arena = arena_new();
    struct files_out *out = NULL;
    struct err err;
    cr_assert_not(files_out_folder(arena, "/dev/null/x", &out, &err));
    cr_assert_null(out);
    arena_free(arena);
}
