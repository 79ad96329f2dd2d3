/* Trees: what the branch has, and what it shall have. Files sorted by path come in the very order git wants, because
 * git compares a folder as if its name ended in '/'. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/git/repo.intern.h"

enum { MAX_DEPTH = 64 };

bool repo_is_owned(const struct repo *repo, struct str path)
{
    return str_in(str_slice(path, 0, str_find(path, '/')), repo->options.owned.items,
                  repo->options.owned.count);
}

/* ---- reading ---- */

struct walk {
    struct repo *repo;
    struct arena *arena;
    struct leaves *leaves;
    struct err *err;
};

static bool walk_tree(struct walk *walk, const git_oid *id, struct str folder, unsigned depth);

static bool walk_entry(struct walk *walk, const git_tree_entry *entry, struct str folder, unsigned depth)
{
    struct str path = str_fmt(walk->arena, "%.*s%s", STR_ARG(folder), git_tree_entry_name(entry));
    git_filemode_t mode = git_tree_entry_filemode(entry);
    if (depth == 0 && !repo_is_owned(walk->repo, path))
        return true;
    if (mode == GIT_FILEMODE_TREE)
        return walk_tree(walk, git_tree_entry_id(entry), str_fmt(walk->arena, "%.*s/", STR_ARG(path)),
                         depth + 1);
    *ARENA_PUSH(walk->arena, walk->leaves) = (struct leaf){path, *git_tree_entry_id(entry), mode};
    return true;
}

static bool walk_tree(struct walk *walk, const git_oid *id, struct str folder, unsigned depth)
{
    git_tree *tree = NULL;
    if (depth > MAX_DEPTH)
        return err_set(walk->err, ERR_LIMIT, "%.*s: more than %d folders deep", STR_ARG(folder), MAX_DEPTH);
    int code = git_tree_lookup(&tree, walk->repo->git, id);
    if (code != 0)
        return repo_fail(walk->repo, code, walk->err, "read a tree");
    bool ok = true;
    for (size_t i = 0; ok && i < git_tree_entrycount(tree); i++)
        ok = walk_entry(walk, git_tree_entry_byindex(tree, i), folder, depth);
    git_tree_free(tree);
    return ok;
}

static int leaf_order(const void *a, const void *b)
{
    return str_cmp(((const struct leaf *)a)->path, ((const struct leaf *)b)->path);
}

bool tree_leaves(struct repo *repo, struct arena *arena, struct leaves *ret_leaves, struct err *err)
{
    struct leaves leaves = {0};
    struct walk walk = {repo, arena, &leaves, err};
    if (repo->has_tip && !walk_tree(&walk, &repo->tree, STR(""), 0))
        return false;
    if (leaves.count != 0)
        qsort(leaves.items, leaves.count, sizeof *leaves.items, leaf_order);
    *ret_leaves = leaves;
    return true;
}

/* ---- building ---- */

struct entry {
    struct str name; /* folders with the final '/' that git sorts by */
    unsigned mode;
    git_oid id;
};

struct entries {
    struct entry *items;
    size_t count, cap;
};

struct builder {
    struct repo *repo;
    struct arena *arena;
    const struct files *files;
    struct objects *objects;
};

static git_oid add_object(struct builder *b, git_object_t type, struct str bytes)
{
    struct object *object = ARENA_PUSH(b->arena, b->objects);
    *object = (struct object){.type = type, .bytes = bytes};
    object_id(git_object_type2string(type), bytes, &object->id);
    return object->id;
}

static git_oid add_tree(struct builder *b, const struct entries *entries)
{
    size_t len = 0;
    for (size_t i = 0; i < entries->count; i++)
        len += entries->items[i].name.len + 8 + GIT_OID_RAWSZ;
    char *bytes = arena_alloc(b->arena, len + 1), *at = bytes;
    for (size_t i = 0; i < entries->count; i++) {
        const struct entry *entry = &entries->items[i];
        size_t name_len = entry->name.len - str_ends(entry->name, STR("/"));
        at += snprintf(at, 8, "%o ", entry->mode);
        at = (char *)memcpy(at, entry->name.ptr, name_len) + name_len;
        *at++ = '\0';
        at = (char *)memcpy(at, entry->id.id, GIT_OID_RAWSZ) + GIT_OID_RAWSZ;
    }
    return add_object(b, GIT_OBJECT_TREE, (struct str){bytes, (size_t)(at - bytes)});
}

/* The files [from, to) lie below `folder` (its length, with the '/'); they become its entries. */
static struct entries folder_entries(struct builder *b, size_t from, size_t to, size_t folder)
{
    struct entries entries = {0};
    while (from < to) {
        struct str name = str_from(b->files->items[from].path, folder);
        size_t slash = str_find(name, '/');
        if (slash == name.len) {
            git_oid id = add_object(b, GIT_OBJECT_BLOB, b->files->items[from].bytes);
            *ARENA_PUSH(b->arena, &entries) = (struct entry){name, GIT_FILEMODE_BLOB, id};
            from++;
            continue;
        }
        struct str prefix = str_slice(b->files->items[from].path, 0, folder + slash + 1);
        size_t end = from;
        while (end < to && str_starts(b->files->items[end].path, prefix))
            end++;
        struct entries below = folder_entries(b, from, end, prefix.len);
        git_oid id = add_tree(b, &below);
        *ARENA_PUSH(b->arena, &entries) =
            (struct entry){str_slice(name, 0, slash + 1), GIT_FILEMODE_TREE, id};
        from = end;
    }
    return entries;
}

static int entry_order(const void *a, const void *b)
{
    return str_cmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

/* What stands in the branch's top folder under names that are not ours. */
static bool add_foreign(struct builder *b, struct entries *entries, struct err *err)
{
    git_tree *tree = NULL;
    int code = git_tree_lookup(&tree, b->repo->git, &b->repo->tree);
    if (code != 0)
        return repo_fail(b->repo, code, err, "read a tree");
    for (size_t i = 0; i < git_tree_entrycount(tree); i++) {
        const git_tree_entry *entry = git_tree_entry_byindex(tree, i);
        unsigned mode = git_tree_entry_filemode_raw(entry);
        struct str name =
            str_fmt(b->arena, "%s%s", git_tree_entry_name(entry), mode == GIT_FILEMODE_TREE ? "/" : "");
        if (!repo_is_owned(b->repo, name))
            *ARENA_PUSH(b->arena, entries) = (struct entry){name, mode, *git_tree_entry_id(entry)};
    }
    git_tree_free(tree);
    return true;
}

bool tree_build(struct repo *repo, struct arena *arena, const struct files *files, struct objects *objects,
                git_oid *ret_tree, struct err *err)
{
    struct builder b = {repo, arena, files, objects};
    for (size_t i = 0; i < files->count; i++)
        if (!repo_is_owned(repo, files->items[i].path))
            return err_set(err, ERR_INVALID, "'%.*s' is not under a name that may be published",
                           STR_ARG(files->items[i].path));
    struct entries root = folder_entries(&b, 0, files->count, 0);
    if (repo->has_tip && !add_foreign(&b, &root, err))
        return false;
    if (root.count != 0)
        qsort(root.items, root.count, sizeof *root.items, entry_order);
    *ret_tree = add_tree(&b, &root);
    return true;
}
