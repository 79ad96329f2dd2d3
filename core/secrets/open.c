#include "core/secrets/open.h"

#include "core/crypto/sops.h"
#include "core/keys.h"
#include "core/secrets/select.h"

/* ---- rebuilding ---- */

struct opening {
    struct run *run;
    const struct bundle *provided;
    const struct config_environment *environment;
    const struct age_identities *identities;
};

static bool is_sealed(const struct resource *resource)
{
    return resource_is(resource, "bitnami.com", "SealedSecret");
}

static bool is_external(const struct resource *resource)
{
    return resource_is(resource, "external-secrets.io", "ExternalSecret");
}

static struct str secret_name(const struct resource *resource)
{
    struct str target = value_str_in(resource->object, PATH("spec", "target", "name"));
    return is_external(resource) && target.len != 0 ? target : resource->name;
}

/* One that a controller made belongs to another object of the cluster, which makes it again. */
static bool is_provided(const struct opening *opening, const struct resource *resource)
{
    const struct resource *secret = NULL;
    if (opening->provided != NULL)
        secret = secrets_find(opening->run->arena, opening->provided, opening->environment,
                              resource->namespace, secret_name(resource));
    return secret != NULL && !secrets_is_controller_made(secret);
}

static bool decrypt(struct opening *opening, struct resource *resource, bool *ret_leaves, struct err *err)
{
    const struct value *plain;
    if (opening->identities->count == 0)
        err_set(err, ERR_DENIED, "it is encrypted, and no age identity is named to read it");
    else if (sops_decrypt(opening->run->arena, resource->object, opening->identities, &plain, err)) {
        resource->object = plain;
        return true;
    }
    if (err->code == ERR_DENIED && is_provided(opening, resource)) {
        *ret_leaves = true;
        return true;
    }
    err_context(err, "Secret %.*s/%.*s", STR_ARG(resource->namespace), STR_ARG(resource->name));
    return err_next(err, "name the age identity with --identity, encrypt.identityFile or $" KEYS_ENVIRONMENT
                         ", or the store that has the backup the repository was written from");
}

bool secrets_open(struct run *run, struct bundle *rendered, const struct bundle *provided,
                  const struct config_environment *environment, struct err *err)
{
    struct opening opening = {.run = run, .provided = provided, .environment = environment};
    size_t kept = 0;
    bool ok = keys_kept(run, &opening.identities, err);
    for (size_t i = 0; ok && i < rendered->count; i++) {
        struct resource resource = rendered->items[i];
        bool leaves = (is_sealed(&resource) || is_external(&resource)) && is_provided(&opening, &resource);
        if (sops_is_encrypted(resource.object))
            ok = decrypt(&opening, &resource, &leaves, err);
        if (ok && !leaves)
            rendered->items[kept++] = resource;
    }
    if (ok)
        rendered->count = kept;
    return ok;
}

/* ---- checking ---- */

struct secrets_check {
    struct run *run;
    struct arena *arena;
    const struct config_environment *environment;
    const struct bundle *secrets;
    const struct age_identities *identities;
    bool *met; /* per Secret */
    size_t next;
};

bool secrets_check_open(struct run *run, struct arena *arena, const struct config_environment *environment,
                        const struct bundle *secrets, struct secrets_check **ret_check, struct err *err)
{
    struct secrets_check *check = ARENA_NEW(arena, struct secrets_check);
    *check =
        (struct secrets_check){.run = run, .arena = arena, .environment = environment, .secrets = secrets};
    check->met = ARENA_ARRAY(arena, bool, secrets->count + 1);
    *ret_check = check;
    return keys_kept(run, &check->identities, err);
}

static bool same_map(const struct value *a, const struct value *b)
{
    return (value_count(a) == 0 && value_count(b) == 0) || value_equal(a, b);
}

/* Keys only: the values are encrypted. */
static bool same_keys(const struct secret_entries *entries, const struct value *map)
{
    bool same = value_count(map) == entries->count;
    for (size_t i = 0; same && i < entries->count; i++)
        same = value_get(map, entries->items[i].key) != NULL;
    return same;
}

static bool same_entries(const struct secret_entries *a, const struct secret_entries *b)
{
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++)
        same = str_eq(a->items[i].key, b->items[i].key) && str_eq(a->items[i].value, b->items[i].value);
    return same;
}

static const char *check_values(struct secrets_check *check, const struct resource *rendered,
                                const struct secret_entries *entries)
{
    const struct value *plain;
    struct secret_entries now;
    struct err err;
    if (check->identities->count == 0)
        return NULL;
    if (!sops_decrypt(check->arena, rendered->object, check->identities, &plain, &err))
        return err.code == ERR_DENIED ? NULL : "does not decrypt: it was changed after it was written";
    if (!secrets_entries(check->arena, plain, &now, &err) || !same_entries(entries, &now))
        return "decrypts to other values than the cluster has";
    return NULL;
}

static const char *check_sops(struct secrets_check *check, const struct resource *secret,
                              const struct resource *rendered, const struct secret_entries *entries)
{
    const struct value *object = rendered->object;
    if (!resource_is(rendered, "", "Secret") || !sops_is_encrypted(object))
        return "should be a Secret that sops encrypted";
    if (!same_keys(entries, value_key(object, "data")) ||
        !str_eq(secrets_type(secret->object), secrets_type(object)) ||
        !same_map(value_in(secret->object, PATH("metadata", "labels")),
                  value_in(object, PATH("metadata", "labels"))))
        return "has other keys, labels or another type than the Secret of the cluster";
    return check_values(check, rendered, entries);
}

static const char *check_sealed(const struct resource *secret, const struct resource *rendered,
                                const struct secret_entries *entries)
{
    const struct value *spec = value_key(rendered->object, "spec"), *template = value_key(spec, "template");
    if (!is_sealed(rendered))
        return "should be a SealedSecret";
    if (!same_keys(entries, value_key(spec, "encryptedData")) ||
        !str_eq(secrets_type(secret->object), secrets_type(template)) ||
        !same_map(value_in(secret->object, PATH("metadata", "labels")),
                  value_in(template, PATH("metadata", "labels"))))
        return "has other keys, labels or another type than the Secret of the cluster";
    return NULL;
}

static const char *check_external(const struct resource *rendered, const struct secret_entries *entries)
{
    const struct value *data = value_in(rendered->object, PATH("spec", "data"));
    if (!is_external(rendered))
        return "should be an ExternalSecret";
    bool same = value_count(data) == entries->count;
    for (size_t i = 0; same && i < entries->count; i++)
        same = str_eq(value_str(value_key(value_item(data, i), "secretKey")), entries->items[i].key);
    return same ? NULL : "has other keys than the Secret of the cluster";
}

const char *secrets_check_one(struct secrets_check *check, const struct resource *rendered)
{
    const struct resource *secret = secrets_find(check->arena, check->secrets, check->environment,
                                                 rendered->namespace, secret_name(rendered));
    struct secret_entries entries;
    struct err ignored;
    bool may_be = resource_is(rendered, "", "Secret") || is_sealed(rendered) || is_external(rendered);
    if (secret == NULL || !may_be)
        return "is in the environment and not in the base";
    if (!secrets_entries(check->arena, secret->object, &entries, &ignored))
        return "the Secret of the cluster cannot be read";
    check->met[secret - check->secrets->items] = true;
    switch (secrets_mode_of(check->run->config, check->environment, secret)) {
    case SECRETS_SOPS: return check_sops(check, secret, rendered, &entries);
    case SECRETS_SEALED: return check_sealed(secret, rendered, &entries);
    case SECRETS_EXTERNAL: return check_external(rendered, &entries);
    default: return "should not be written";
    }
}

const struct resource *secrets_check_missing(struct secrets_check *check)
{
    while (check->next < check->secrets->count) {
        size_t i = check->next++;
        const struct resource *secret = &check->secrets->items[i];
        enum secrets_mode mode = secrets_mode_of(check->run->config, check->environment, secret);
        struct secret_entries entries;
        struct err ignored;
        if (!check->met[i] && mode != SECRETS_OMIT && !secrets_is_opening_key(secret, mode) &&
            secrets_entries(check->arena, secret->object, &entries, &ignored))
            return secret;
    }
    return NULL;
}
