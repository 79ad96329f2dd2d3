/* Classes that are asked for and that nobody has: their claims would wait for ever, and the pods behind them. */
#include "core/kube/storage.h"
#include "dr-scenarios/restore_intern.h"

bool restore_list_classes(struct kube *target, struct arena *arena, struct kube_list *ret_classes)
{
    static const struct resource_type type = {.group = STR_INIT("storage.k8s.io"),
                                              .version = STR_INIT("v1"),
                                              .kind = STR_INIT("StorageClass"),
                                              .plural = STR_INIT("storageclasses")};
    struct err ignored;
    return kube_list(target, arena, &type, STR_NONE, STR_NONE, ret_classes, &ignored);
}

struct asked {
    struct str name; /* of the class; empty: the cluster's default */
    const struct resource *by;
    size_t count;
};

struct asking {
    struct arena *arena;
    const struct resource *resource;
    struct {
        struct asked *items;
        size_t count, cap;
    } classes;
};

static void ask(void *ctx, struct str pointer, struct str name)
{
    struct asking *asking = ctx;
    for (size_t i = 0; i < asking->classes.count; i++) {
        struct asked *asked = &asking->classes.items[i];
        if (str_eq(asked->name, name)) {
            asked->count++;
            return;
        }
    }
    *ARENA_PUSH(asking->arena, &asking->classes) = (struct asked){name, asking->resource, 1};
}

static void collect(struct asking *asking, const struct bundle *declared)
{
    for (size_t i = 0; i < declared->count; i++) {
        asking->resource = &declared->items[i];
        storage_each_class(asking->arena, asking->resource, ask, asking);
        if (storage_leaves_class_open(asking->resource))
            ask(asking, STR_NONE, STR_NONE);
    }
}

/* Also says whether one is the default: under the empty name. */
static void note_class(struct arena *arena, struct str_list *there, const struct value *storage_class)
{
    *ARENA_PUSH(arena, there) = value_str_in(storage_class, PATH("metadata", "name"));
    if (storage_is_default_class(storage_class))
        *ARENA_PUSH(arena, there) = STR_NONE;
}

static struct finding missing(struct arena *arena, const struct asked *asked)
{
    struct str places = str_fmt(arena, "%zu %s", asked->count, asked->count == 1 ? "place" : "places");
    struct str message =
        asked->name.len
            ? str_fmt(arena, "asks for storage class %.*s, which the target has not (%.*s in all)",
                      STR_ARG(asked->name), STR_ARG(places))
            : str_fmt(arena, "leaves its storage class to the target, which has no default (%.*s in all)",
                      STR_ARG(places));
    return finding_about(
        arena, asked->by, "restore.storage-class", SEVERITY_WARNING, message,
        "create that class on the target, or name another one under environments[].storageClasses");
}

void restore_check_storage(struct run *run, struct kube *target, const struct bundle *declared,
                           const struct restore_options *options, struct restore_result *result)
{
    struct asking asking = {.arena = run->arena};
    struct str_list there = {0};
    struct kube_list list = {0};
    if (options->any_storage_class)
        return;
    collect(&asking, declared);
    /* Who may not list classes may still restore. */
    if (asking.classes.count == 0 || !restore_list_classes(target, run->arena, &list))
        return;
    for (size_t i = 0; i < list.count; i++)
        note_class(run->arena, &there, list.items[i]);
    for (size_t i = 0; i < declared->count; i++)
        if (storage_is_class(&declared->items[i]))
            note_class(run->arena, &there, declared->items[i].object);
    for (size_t i = 0; i < asking.classes.count; i++)
        if (!str_in(asking.classes.items[i].name, there.items, there.count))
            *ARENA_PUSH(run->arena, &result->warnings) = missing(run->arena, &asking.classes.items[i]);
}
