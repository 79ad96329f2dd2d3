#include "core/kube/declared.h"

static struct bundle about_of(struct arena *arena, const struct bundle *about)
{
    struct bundle outline = *about;
    outline.arena = arena;
    outline.items = NULL;
    outline.count = outline.cap = 0;
    outline.openapi = NULL;
    outline.types.cap = outline.types.count;
    outline.problems.cap = outline.problems.count;
    return outline;
}

void declared_of_bundles(struct arena *arena, const struct bundle *objects, const struct bundle *secrets,
                         struct declared *ret_declared)
{
    struct declared declared = {.outline = about_of(arena, objects)};
    parts_of_bundle(arena, objects, &declared.objects);
    parts_of_bundle(arena, secrets, &declared.secrets);
    outline_reserve(&declared.outline, objects->count);
    for (size_t i = 0; i < objects->count; i++)
        outline_add(&declared.outline, &objects->items[i]);
    *ret_declared = declared;
}

bool declared_open(struct arena *arena, const char *dir, const struct parts *live,
                   struct declared *ret_declared, struct err *err)
{
    struct declared declared = {.outline = about_of(arena, live->about)};
    outline_reserve(&declared.outline, live->objects);
    if (stash_new(arena, dir, &declared.object_stash, err) &&
        stash_new(arena, dir, &declared.secret_stash, err)) {
        *ret_declared = declared;
        return true;
    }
    declared_close(&declared);
    return false;
}

static bool put_all(struct stash *stash, const struct bundle *bundle, struct err *err)
{
    for (size_t i = 0; i < bundle->count; i++)
        if (!stash_put(stash, &bundle->items[i], err))
            return false;
    return true;
}

bool declared_add(struct declared *declared, const struct bundle *objects, const struct bundle *secrets,
                  struct err *err)
{
    for (size_t i = 0; i < objects->count; i++)
        outline_add(&declared->outline, &objects->items[i]);
    return put_all(declared->object_stash, objects, err) && put_all(declared->secret_stash, secrets, err);
}

bool declared_finish(struct declared *declared, struct err *err)
{
    struct arena *arena = declared->outline.arena;
    if (!stash_finish(declared->object_stash, err) || !stash_finish(declared->secret_stash, err))
        return false;
    parts_of_stash(arena, declared->object_stash, &declared->objects);
    parts_of_stash(arena, declared->secret_stash, &declared->secrets);
    return true;
}

void declared_close(struct declared *declared)
{
    stash_close(declared->object_stash);
    stash_close(declared->secret_stash);
    declared->object_stash = declared->secret_stash = NULL;
}
