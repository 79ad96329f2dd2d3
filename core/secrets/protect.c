#include "core/secrets/protect.h"

#include "core/secrets/protector.h"

/* Where a Secret is left out for the same reason: "dev, staging", and nothing where that is everywhere. */
static struct str places_of(struct run *run, const struct protected_secrets *all, size_t index)
{
    struct str_list names = {0};
    size_t count = run->secrets.count;
    for (size_t i = index % count; i < all->count; i += count)
        if (all->items[i].mode == SECRETS_OMIT &&
            str_eq(str_of(all->items[i].why), str_of(all->items[index].why)))
            *ARENA_PUSH(run->arena, &names) = all->items[i].environment->name;
    if (names.count * count == all->count)
        return STR_NONE;
    return str_fmt(run->arena, " of %.*s",
                   STR_ARG(str_join(run->arena, names.items, names.count, STR(", "))));
}

static void tell(struct run *run, const struct protected_secrets *all, size_t index)
{
    struct arena *arena = run->arena;
    const struct protected_secret *protected = &all->items[index];
    const struct resource *secret = &protected->secret;
    struct str keys = str_join(arena, protected->keys.items, protected->keys.count, STR(", "));
    struct str places = places_of(run, all, index);
    struct str message =
        protected->why ? str_fmt(arena, "left out%.*s: %s", STR_ARG(places), protected->why)
                       : str_fmt(arena, "left out%.*s; provide %.*s/%.*s, type %.*s, with the keys: %.*s",
                                 STR_ARG(places), STR_ARG(secret->namespace), STR_ARG(secret->name),
                                 STR_ARG(secrets_type(secret->object)), STR_ARG(keys));
    *ARENA_PUSH(arena, &run->findings) =
        finding_about(arena, secret, "secrets.omitted", protected->why ? SEVERITY_WARNING : SEVERITY_INFO,
                      message, "create it in the target cluster before its workloads start");
}

/* One finding per Secret, whatever the number of environments. */
static void tell_omitted(struct run *run, const struct protected_secrets *all)
{
    size_t count = run->secrets.count;
    for (size_t secret = 0; secret < count; secret++)
        for (size_t i = secret; i < all->count; i += count)
            if (all->items[i].mode == SECRETS_OMIT) {
                tell(run, all, i);
                break;
            }
}

static bool protect_environment(struct run *run, const struct config_environment *environment,
                                struct protected_secrets *all, struct err *err)
{
    struct protector *protector;
    if (!protector_open(run, environment, false, &protector, err))
        return false;
    bool ok = true;
    for (size_t i = 0; ok && i < run->secrets.count; i++) {
        const struct resource *secret = &run->secrets.items[i];
        struct resource moved = *secret;
        struct protected_secret protected = {0};
        moved.namespace = config_namespace(run->arena, environment, secret->namespace);
        ok = protector_apply(protector, &moved, secrets_mode_of(run->config, environment, secret), &protected,
                             err);
        protected.secret = *secret;
        if (ok)
            *ARENA_PUSH(run->arena, all) = protected;
    }
    protector_close(protector);
    return ok;
}

bool secrets_protect(struct run *run, struct protected_secrets *ret_protected, struct err *err)
{
    struct protected_secrets all = {0};
    bundle_sort(&run->secrets);
    for (size_t i = 0; i < run->config->environments.count && run->secrets.count != 0; i++)
        if (!protect_environment(run, &run->config->environments.items[i], &all, err))
            return false;
    if (all.count != 0)
        tell_omitted(run, &all);
    *ret_protected = all;
    return true;
}

bool secrets_remember(struct run *run, bool some, struct err *err)
{
    return run->memory == NULL || secrets_memory_save(run->memory, some, err) ||
           err_context(err, "fingerprints of Secrets");
}

void secrets_forget(struct run *run)
{
    secrets_memory_close(run->memory);
    run->memory = NULL;
}
