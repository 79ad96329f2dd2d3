/* fill: puts objects of the corpus into the cluster that GITOPS_PIPE_TEST_KUBECONFIG names, over a few connections.
 *
 *   fill OBJECTS [NAMESPACES]            default 50 namespaces
 *   fill --folder DIR OBJECTS [NAMESPACES]
 *
 * Namespaces and objects that are there already stay, so a cluster can be filled up step by step. With --folder they
 * are written into it as manifests instead, for a sandbox to start with: ConfigMaps alone, since the sandbox gets slow with
 * many workloads: 20,000 mixed objects were not in after ten minutes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/files.h"
#include "core/base/json.h"
#include "core/base/parallel.h"
#include "core/kube/kube.h"
#include "tests/bench/corpus.h"

enum { CONNECTIONS = 8, SLICES = 64 };

struct work {
    struct str kubeconfig;
    const struct value *items;
};

/* What only the server writes, and addresses, of which there are not enough. */
static const struct value *as_sent(struct arena *arena, const struct value *object)
{
    static const char *const server_side[] = {"uid", "resourceVersion", "generation", "creationTimestamp",
                                              "managedFields"};
    for (size_t i = 0; i < COUNT_OF(server_side); i++)
        object = value_without_in(arena, object, PATH("metadata", server_side[i]));
    object = value_without(arena, object, STR("status"));
    if (str_is(value_str(value_key(object, "kind")), "Pod"))
        object = value_without_in(arena, object, PATH("spec", "serviceAccountName"));
    if (str_is(value_str(value_key(object, "kind")), "Service")) {
        object = value_without_in(arena, object, PATH("spec", "clusterIPs"));
        object = value_with_in(arena, object, PATH("spec", "clusterIP"), value_cstr(arena, "None"));
    }
    return object;
}

static bool create(struct kube *kube, struct arena *arena, const struct value *object, struct err *err)
{
    struct resource resource;
    const struct value *made;
    if (!resource_from(object, STR("corpus"), &resource, err))
        return false;
    const struct resource_type *type =
        resource_type_find(resource_builtin_types(), resource_group(&resource), resource.kind);
    struct str path = kube_path(arena, type, resource.namespace, STR_NONE),
               body = json_text(arena, as_sent(arena, object));
    return kube_call(kube, arena, "POST", path, "application/json", body, &made, err) ||
           err->code == ERR_EXISTS;
}

static bool create_slice(void *ctx, size_t slice, struct err *err)
{
    struct work *work = ctx;
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    struct kube *kube;
    bool good = kube_open(arena, &(struct kube_options){.kubeconfig = work->kubeconfig}, &kube, err);
    for (size_t i = slice; good && i < value_count(work->items); i += SLICES) {
        arena_reset(scratch);
        good = create(kube, scratch, value_item(work->items, i), err);
    }
    kube_close(kube);
    return good;
}

/* With its default service account, which nobody else makes on a plane without controllers and every Pod wants. */
static bool create_namespace(struct kube *kube, struct arena *arena, size_t number, struct err *err)
{
    const struct value *name = value_string(arena, str_fmt(arena, "team-%02zu", number)),
                       *version = value_cstr(arena, "v1");
    const struct value *namespace =
        VALUE_MAP(arena, {"apiVersion", version}, {"kind", value_cstr(arena, "Namespace")},
                  {"metadata", VALUE_MAP(arena, {"name", name})});
    const struct value *account = VALUE_MAP(
        arena, {"apiVersion", version}, {"kind", value_cstr(arena, "ServiceAccount")},
        {"metadata", VALUE_MAP(arena, {"name", value_cstr(arena, "default")}, {"namespace", name})});
    return create(kube, arena, namespace, err) && create(kube, arena, account, err);
}

static bool create_namespaces(struct work *work, size_t count, struct err *err)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct kube *kube = NULL;
    bool good = kube_open(arena, &(struct kube_options){.kubeconfig = work->kubeconfig}, &kube, err);
    for (size_t i = 0; good && i < count; i++)
        good = create_namespace(kube, arena, i, err);
    kube_close(kube);
    return good;
}

/* ---- a folder ---- */

enum { FILE_OBJECTS = 1000 };

static bool write_list(const char *dir, size_t number, const struct value *items, struct err *err)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    const struct value *list = VALUE_MAP(arena, {"apiVersion", value_cstr(arena, "v1")},
                                         {"kind", value_cstr(arena, "List")}, {"items", items});
    return file_write(str_c(arena, str_fmt(arena, "%s/%04zu.json", dir, number)), json_text(arena, list),
                      0644, err);
}

static bool write_folder(struct arena *arena, const char *dir, const struct value *items, struct err *err)
{
    struct value_list_builder some = {0};
    size_t files = 0;
    VALUE_EACH(item, items) {
        value_push(arena, &some, as_sent(arena, item));
        if (some.count < FILE_OBJECTS)
            continue;
        if (!write_list(dir, files++, value_list_done(arena, &some), err))
            return false;
        some = (struct value_list_builder){0};
    }
    return some.count == 0 || write_list(dir, files, value_list_done(arena, &some), err);
}

/* ---- a cluster ---- */

static bool fill_cluster(struct work *work, size_t namespaces, struct err *err)
{
    return create_namespaces(work, namespaces, err) &&
           parallel_for(SLICES, CONNECTIONS, create_slice, work, err);
}

int main(int argc, char **argv)
{
    struct arena *arena = arena_new();
    struct work work = {.kubeconfig = str_of(getenv("GITOPS_PIPE_TEST_KUBECONFIG"))};
    const char *folder = argc > 3 && strcmp(argv[1], "--folder") == 0 ? argv[2] : NULL;
    int at = folder != NULL ? 3 : 1;
    size_t objects = argc > at ? strtoul(argv[at], NULL, 10) : 0,
           namespaces = argc > at + 1 ? strtoul(argv[at + 1], NULL, 10) : 50;
    const struct value *list;
    struct err err = {0};
    if (objects == 0 || namespaces == 0 || (folder == NULL && work.kubeconfig.len == 0)) {
        fputs("usage: GITOPS_PIPE_TEST_KUBECONFIG=FILE fill OBJECTS [NAMESPACES]\n"
              "       fill --folder DIR OBJECTS [NAMESPACES]\n",
              stderr);
        return 2;
    }
    struct str json = folder != NULL ? corpus_config_maps(arena, namespaces, objects)
                                     : corpus_json(arena, namespaces, objects);
    if (!json_parse(arena, json, NULL, &list, &err))
        abort();
    work.items = value_key(list, "items");
    if (!(folder != NULL ? write_folder(arena, folder, work.items, &err)
                         : fill_cluster(&work, namespaces, &err))) {
        fprintf(stderr, "fill: %s\n", err.msg);
        return 1;
    }
    arena_free(arena);
    return 0;
}
