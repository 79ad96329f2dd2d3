#include "core/base/files_out.h"

#include "core/base/files_folder.h"

bool files_out_add(struct files_out *out, struct str path, struct str bytes, struct err *err)
{
    if (!out->add(out, path, bytes, err))
        return false;
    out->count++;
    return true;
}

bool files_out_finish(struct files_out *out, struct err *err)
{
    return out->finish(out, err);
}

void files_out_close(struct files_out *out)
{
    if (out != NULL && out->close != NULL)
        out->close(out);
}

/* ---- memory, and nowhere ---- */

struct memory {
    struct files_out out;
    struct arena *arena;
    struct files *files, none;
};

static bool memory_add(struct files_out *out, struct str path, struct str bytes, struct err *err)
{
    struct memory *memory = (struct memory *)out;
    return files_add(memory->arena, memory->files, str_dup(memory->arena, path),
                     str_dup(memory->arena, bytes), err);
}

/* A tree of empty files is as large as its paths. */
static bool none_add(struct files_out *out, struct str path, struct str bytes, struct err *err)
{
    (void)bytes;
    return memory_add(out, path, STR_NONE, err);
}

static bool memory_finish(struct files_out *out, struct err *err)
{
    return files_sort(((struct memory *)out)->files, err);
}

struct files_out *files_out_memory(struct arena *arena, struct files *files)
{
    struct memory *memory = ARENA_NEW(arena, struct memory);
    *memory = (struct memory){{.add = memory_add, .finish = memory_finish}, arena, files, {0}};
    return &memory->out;
}

struct files_out *files_out_none(struct arena *arena)
{
    struct memory *memory = ARENA_NEW(arena, struct memory);
    *memory = (struct memory){{.add = none_add, .finish = memory_finish}, arena, &memory->none, {0}};
    return &memory->out;
}

/* ---- a folder ---- */

struct folder {
    struct files_out out;
    struct files_folder *files;
};

static bool folder_add(struct files_out *out, struct str path, struct str bytes, struct err *err)
{
    return files_folder_add(((struct folder *)out)->files, path, bytes, err);
}

static bool folder_finish(struct files_out *out, struct err *err)
{
    return files_folder_commit(((struct folder *)out)->files, err);
}

static void folder_close(struct files_out *out)
{
    struct folder *folder = (struct folder *)out;
    files_folder_close(folder->files);
    folder->files = NULL;
}

bool files_out_folder(struct arena *arena, const char *dir, struct files_out **ret_out, struct err *err)
{
    struct folder *folder = ARENA_NEW(arena, struct folder);
    *folder = (struct folder){{.add = folder_add, .finish = folder_finish, .close = folder_close}, NULL};
    if (!files_folder_open(dir, &folder->files, err))
        return false;
    *ret_out = &folder->out;
    return true;
}
