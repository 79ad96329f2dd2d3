#include "tests/harness/tree.h"

#include <criterion/criterion.h>

#include "core/base/files.h"

struct str tree_content(struct arena *arena, const char *dir)
{
    struct files files;
    struct err err;
    struct buf text CLEANUP(buf_done);
    buf_init(&text, 1 << 20);
    cr_assert(files_read(arena, dir, 1 << 20, &files, &err), "%s", err.msg);
    for (size_t i = 0; i < files.count; i++)
        buf_fmt(&text, "%.*s=%.*s;", STR_ARG(files.items[i].path), STR_ARG(files.items[i].bytes));
    return str_dup(arena, buf_view(&text));
}
