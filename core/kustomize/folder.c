/* A kustomization on disk: how much of the disk belongs to it, and then the build. */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "core/base/yaml.h"
#include "core/kustomize/kustomize.h"

static const size_t MAX_TREE_BYTES = (size_t)1 << 30, MAX_FILE_BYTES = 16 << 20;

static bool has(struct arena *arena, struct str dir, const char *name)
{
    struct stat status;
    return stat(str_c(arena, str_fmt(arena, "%.*s/%s", STR_ARG(dir), name)), &status) == 0;
}

static struct str parent_of(struct str dir)
{
    size_t slash = str_rfind(dir, '/');
    return str_slice(dir, 0, slash < dir.len ? slash : 0);
}

static size_t steps_up(struct str path)
{
    size_t steps = 0;
    while (str_is(str_cut(&path, '/'), ".."))
        steps++;
    return steps;
}

/* How far up the kustomization of a folder reaches by itself. Faults are left for the build to tell. */
static size_t reach_of(struct arena *arena, struct str dir)
{
    struct str text;
    struct err ignored;
    struct yaml_documents documents;
    const char *path = str_c(arena, str_fmt(arena, "%.*s/kustomization.yaml", STR_ARG(dir)));
    size_t reach = 0;
    if (!file_read(arena, path, MAX_FILE_BYTES, &text, &ignored) ||
        !yaml_parse(arena, text, STR("kustomization.yaml"), &documents, &ignored) || documents.count == 0)
        return 0;
    VALUE_EACH(entry, value_key(documents.items[0].root, "resources")) {
        size_t steps = steps_up(value_str(entry));
        reach = steps > reach ? steps : reach;
    }
    return reach;
}

/* The repository that `dir` is in, or what its kustomization reaches. */
static struct str tree_of(struct arena *arena, struct str dir)
{
    for (struct str at = dir; at.len != 0; at = parent_of(at))
        if (has(arena, at, ".gitops-pipe.yaml") || has(arena, at, ".git"))
            return at;
    struct str tree = dir;
    for (size_t steps = reach_of(arena, dir); steps > 0 && parent_of(tree).len != 0; steps--)
        tree = parent_of(tree);
    return tree;
}

bool kustomize_build_dir(struct arena *arena, const char *dir, struct bundle *ret_bundle, struct err *err)
{
    char *real = realpath(dir, NULL);
    if (real == NULL)
        return err_errno(err, "%s", dir);
    struct str folder = str_dup(arena, str_of(real));
    free(real);
    struct str tree = tree_of(arena, folder), below = str_from(folder, tree.len + (folder.len > tree.len));
    struct files files;
    return files_read(arena, str_c(arena, tree), MAX_TREE_BYTES, &files, err) && files_sort(&files, err) &&
           kustomize_build(arena, &files, below, ret_bundle, err);
}
