#include "core/secrets/protect.h"

#include "core/keys.h"
#include "core/secrets/protector.h"

struct protection {
    struct run *run;
    struct protector **protectors; /* per environment; NULL until the first Secret */
};

/* ---- who is told of what is left out ---- */

/* Those of one namespace: every Secret once for each environment, `count` apart. */
struct telling {
    struct run *run;
    struct arena *scratch;
    const struct protected_secrets *all;
    size_t count;
};

/* Where a Secret is left out for the same reason: "dev, staging", and nothing where that is everywhere. */
static struct str places_of(const struct telling *telling, size_t index)
{
    const struct protected_secrets *all = telling->all;
    struct arena *scratch = telling->scratch;
    struct str_list names = {0};
    for (size_t i = index % telling->count; i < all->count; i += telling->count)
        if (all->items[i].mode == SECRETS_OMIT &&
            str_eq(str_of(all->items[i].why), str_of(all->items[index].why)))
            *ARENA_PUSH(scratch, &names) = all->items[i].environment->name;
    if (names.count * telling->count == all->count)
        return STR_NONE;
    return str_fmt(scratch, " of %.*s", STR_ARG(str_join(scratch, names.items, names.count, STR(", "))));
}

static void tell(const struct telling *telling, size_t index)
{
    struct arena *arena = telling->run->arena;
    const struct protected_secret *protected = &telling->all->items[index];
    const struct resource *secret = &protected->secret;
    struct str keys = str_join(telling->scratch, protected->keys.items, protected->keys.count, STR(", "));
    struct str places = places_of(telling, index);
    struct str message =
        protected->why ? str_fmt(arena, "left out%.*s: %s", STR_ARG(places), protected->why)
                       : str_fmt(arena, "left out%.*s; provide %.*s/%.*s, type %.*s, with the keys: %.*s",
                                 STR_ARG(places), STR_ARG(secret->namespace), STR_ARG(secret->name),
                                 STR_ARG(secrets_type(secret->object)), STR_ARG(keys));
    *ARENA_PUSH(arena, &telling->run->findings) =
        finding_about(arena, secret, "secrets.omitted", protected->why ? SEVERITY_WARNING : SEVERITY_INFO,
                      message, "create it in the target cluster before its workloads start");
}

/* One finding per Secret, whatever the number of environments. */
static void tell_omitted(const struct telling *telling)
{
    const struct protected_secrets *all = telling->all;
    for (size_t secret = 0; secret < telling->count; secret++)
        for (size_t i = secret; i < all->count; i += telling->count)
            if (all->items[i].mode == SECRETS_OMIT) {
                tell(telling, i);
                break;
            }
}

/* ---- namespace after namespace ---- */

struct protection *protection_open(struct run *run)
{
    struct protection *protection = ARENA_NEW(run->arena, struct protection);
    protection->run = run;
    protection->protectors = ARENA_ARRAY(run->arena, struct protector *, run->config->environments.count + 1);
    return protection;
}

void protection_close(struct protection *protection)
{
    if (protection == NULL)
        return;
    for (size_t i = 0; i < protection->run->config->environments.count; i++)
        protector_close(protection->protectors[i]);
}

static bool apply_environment(struct protection *protection, size_t index, struct arena *arena,
                              const struct bundle *secrets, struct protected_secrets *all, struct err *err)
{
    struct run *run = protection->run;
    const struct config_environment *environment = &run->config->environments.items[index];
    struct protector **protector = &protection->protectors[index];
    struct earlier_secrets earlier;
    bool ok = *protector != NULL || protector_open(run, environment, protector, err);
    for (size_t i = 0; ok && i < secrets->count; i++) {
        const struct resource *secret = &secrets->items[i];
        struct resource moved = *secret;
        struct protected_secret protected;
        if ((i == 0 || !str_eq(secret->namespace, secrets->items[i - 1].namespace)) &&
            !earlier_of_namespace(arena, run->previous, environment->name, secret->namespace, &earlier, err))
            return false;
        (*protector)->earlier = &earlier;
        moved.namespace = config_namespace(arena, environment, secret->namespace);
        ok = protector_apply(*protector, arena, &moved, secrets_mode_of(run->config, environment, secret),
                             &protected, err);
        protected.secret = *secret;
        if (ok)
            *ARENA_PUSH(arena, all) = protected;
    }
    if (*protector != NULL)
        (*protector)->earlier = NULL;
    return ok;
}

bool protection_apply(struct protection *protection, struct arena *arena, const struct bundle *secrets,
                      struct protected_secrets *ret_protected, struct err *err)
{
    struct protected_secrets all = {0};
    size_t environments = secrets->count != 0 ? protection->run->config->environments.count : 0;
    for (size_t i = 0; i < environments; i++)
        if (!apply_environment(protection, i, arena, secrets, &all, err))
            return false;
    if (all.count != 0)
        tell_omitted(&(struct telling){protection->run, arena, &all, secrets->count});
    *ret_protected = all;
    return true;
}

struct secret_note secret_note_of(struct arena *arena, const struct protected_secret *protected)
{
    struct secret_note note = {.environment = protected->environment,
                               .namespace = str_dup(arena, protected->namespace),
                               .secret_namespace = str_dup(arena, protected->secret.namespace),
                               .name = str_dup(arena, protected->secret.name),
                               .type = str_dup(arena, secrets_type(protected->secret.object)),
                               .mode = protected->mode,
                               .why = protected->why ? str_c(arena, str_of(protected->why)) : NULL,
                               .store_key = str_dup(arena, protected->store_key),
                               .written = protected->written.object != NULL};
    for (size_t i = 0; i < protected->keys.count; i++)
        *ARENA_PUSH(arena, &note.keys) = str_dup(arena, protected->keys.items[i]);
    return note;
}

/* ---- what is remembered ---- */

bool secrets_remember(struct run *run, bool some, struct err *err)
{
    return run->memory == NULL || secrets_memory_save(run->memory, some, err) ||
           err_context(err, "fingerprints of Secrets");
}

void secrets_forget(struct run *run)
{
    keys_forget(run);
    secrets_memory_close(run->memory);
    run->memory = NULL;
}
