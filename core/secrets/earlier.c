#include "core/secrets/earlier.h"

#include <stdlib.h>

#include "core/base/yaml.h"

static struct str environment_of(struct str path)
{
    struct str rest = path;
    str_cut(&rest, '/');
    return str_cut(&rest, '/');
}

bool earlier_is_path(struct str path)
{
    return str_starts(path, STR("overlays/")) && str_contains(path, STR("/secrets/")) &&
           str_ends(path, STR(".yaml"));
}

static int order(const void *a, const void *b)
{
    const struct earlier_secret *left = a, *right = b;
    int by = str_cmp(left->environment, right->environment);
    by = by ? by : str_cmp(left->resource.kind, right->resource.kind);
    by = by ? by : str_cmp(left->resource.namespace, right->resource.namespace);
    return by ? by : str_cmp(left->resource.name, right->resource.name);
}

void earlier_gather(struct arena *arena, const struct files *files, struct earlier_secrets *ret_earlier)
{
    *ret_earlier = (struct earlier_secrets){0};
    for (size_t i = 0; i < files->count; i++) {
        const struct file *file = &files->items[i];
        struct yaml_documents documents;
        struct earlier_secret one = {.environment = environment_of(file->path)};
        struct err ignored;
        if (earlier_is_path(file->path) && yaml_parse(arena, file->bytes, file->path, &documents, &ignored) &&
            documents.count == 1 &&
            resource_from(documents.items[0].root, file->path, &one.resource, &ignored))
            *ARENA_PUSH(arena, ret_earlier) = one;
    }
    if (ret_earlier->count != 0)
        qsort(ret_earlier->items, ret_earlier->count, sizeof *ret_earlier->items, order);
}

bool earlier_of_namespace(struct arena *arena, const struct files_in *files, struct str environment,
                          struct str namespace, struct earlier_secrets *ret_earlier, struct err *err)
{
    struct str folder =
        str_fmt(arena, "overlays/%.*s/%.*s/secrets", STR_ARG(environment), STR_ARG(namespace));
    struct files read = {0};
    if (files != NULL && (!files_in_read(files, arena, folder, &read, err) || !files_sort(&read, err)))
        return err_context(err, "the repository as it was");
    earlier_gather(arena, &read, ret_earlier);
    return true;
}

const struct earlier_secret *earlier_find(const struct earlier_secrets *earlier, struct str environment,
                                          struct str kind, struct str namespace, struct str name)
{
    struct earlier_secret key = {environment, {.kind = kind, .namespace = namespace, .name = name}};
    return earlier->count == 0 ? NULL
                               : bsearch(&key, earlier->items, earlier->count, sizeof *earlier->items, order);
}
