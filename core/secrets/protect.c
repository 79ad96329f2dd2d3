#include "core/secrets/protect.h"

#include "core/keys.h"
#include "core/secrets/protector.h"

struct protection {
    struct run *run;
    struct protector **protectors; /* per environment; NULL until the first Secret */
    struct earlier_secrets earlier;
    bool gathered;
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

static bool need_protector(struct protection *protection, size_t index, struct err *err)
{
    struct run *run = protection->run;
    struct protector **protector = &protection->protectors[index];
    if (!protection->gathered)
        earlier_gather(run->arena, run->previous, &protection->earlier);
    protection->gathered = true;
    return *protector != NULL ||
           protector_open(run, &run->config->environments.items[index], &protection->earlier, protector, err);
}

bool protection_apply(struct protection *protection, struct arena *arena, const struct bundle *secrets,
                      struct protected_secrets *ret_protected, struct err *err)
{
    struct run *run = protection->run;
    struct protected_secrets all = {0};
    for (size_t i = 0; i < run->config->environments.count && secrets->count != 0; i++) {
        const struct config_environment *environment = &run->config->environments.items[i];
        if (!need_protector(protection, i, err))
            return false;
        for (size_t j = 0; j < secrets->count; j++) {
            const struct resource *secret = &secrets->items[j];
            struct resource moved = *secret;
            struct protected_secret protected;
            moved.namespace = config_namespace(arena, environment, secret->namespace);
            if (!protector_apply(protection->protectors[i], arena, &moved,
                                 secrets_mode_of(run->config, environment, secret), &protected, err))
                return false;
            protected.secret = *secret;
            *ARENA_PUSH(arena, &all) = protected;
        }
    }
    if (all.count != 0)
        tell_omitted(&(struct telling){run, arena, &all, secrets->count});
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

/* ---- the whole of a run ---- */

bool secrets_protect(struct run *run, struct protected_secrets *ret_protected, struct err *err)
{
    struct protection *protection = protection_open(run);
    bundle_sort(&run->secrets);
    bool ok = protection_apply(protection, run->arena, &run->secrets, ret_protected, err);
    protection_close(protection);
    return ok;
}

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
