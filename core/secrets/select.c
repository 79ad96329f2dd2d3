#include "core/secrets/select.h"

#include <stdlib.h>

#include "core/base/base64.h"
#include "core/match.h"

enum secrets_mode secrets_mode_of(const struct config *config, const struct config_environment *environment,
                                  const struct resource *secret)
{
    for (size_t i = 0; i < config->secret_rules.count; i++) {
        const struct config_secret_rule *rule = &config->secret_rules.items[i];
        if (match_text(&rule->environments, environment->name) && match_place(&rule->match, secret))
            return rule->mode;
    }
    return environment->secrets.mode != SECRETS_REFUSE ? environment->secrets.mode : config->secrets.mode;
}

bool secrets_is_refused(const struct config *config, const struct resource *secret)
{
    for (size_t i = 0; i < config->environments.count; i++)
        if (secrets_mode_of(config, &config->environments.items[i], secret) == SECRETS_REFUSE)
            return true;
    return config->environments.count == 0 && config->secrets.mode == SECRETS_REFUSE;
}

struct str secrets_type(const struct value *secret)
{
    struct str type = value_str(value_key(secret, "type"));
    return type.len ? type : STR("Opaque");
}

static bool holds_identity(struct str text)
{
    return str_contains(text, STR("AGE-SECRET-KEY-1"));
}

bool secrets_is_opening_key(const struct resource *secret, enum secrets_mode mode)
{
    if (mode == SECRETS_SEALED)
        return value_in(secret->object,
                        PATH("metadata", "labels", "sealedsecrets.bitnami.com/sealed-secrets-key")) != NULL;
    if (mode != SECRETS_SOPS)
        return false;
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    struct secret_entries entries;
    struct err ignored;
    bool found = false;
    if (!secrets_entries(scratch, secret->object, &entries, &ignored))
        return false;
    for (size_t i = 0; i < entries.count; i++)
        found = found || holds_identity(entries.items[i].value);
    return found;
}

bool secrets_is_controller_made(const struct resource *secret)
{
    struct str type = value_str(value_key(secret->object, "type"));
    VALUE_EACH(owner, value_in(secret->object, PATH("metadata", "ownerReferences"))) {
        if (value_true(value_key(owner, "controller")))
            return true;
    }
    return str_is(type, "kubernetes.io/service-account-token") || str_is(type, "helm.sh/release.v1") ||
           str_is(type, "bootstrap.kubernetes.io/token");
}

const struct resource *secrets_find(struct arena *arena, const struct bundle *bundle,
                                    const struct config_environment *environment, struct str namespace,
                                    struct str name)
{
    bool renames = environment != NULL &&
                   (environment->namespace_prefix.len != 0 || environment->namespace_suffix.len != 0 ||
                    value_count(environment->namespace_map) != 0);
    if (!renames)
        return bundle_find(bundle, STR_NONE, STR("Secret"), namespace, name);
    for (size_t i = 0; i < bundle->count; i++) {
        const struct resource *secret = &bundle->items[i];
        if (resource_is(secret, "", "Secret") && str_eq(secret->name, name) &&
            str_eq(config_namespace(arena, environment, secret->namespace), namespace))
            return secret;
    }
    return NULL;
}

/* ---- what is in it ---- */

/* Line breaks inside are nothing to base64 as people paste it, nor to the API server. */
static struct str without_breaks(struct arena *arena, struct str text)
{
    if (str_find(text, '\n') == text.len && str_find(text, ' ') == text.len)
        return text;
    char *out = arena_alloc(arena, text.len);
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] != '\n' && text.ptr[i] != '\r' && text.ptr[i] != ' ')
            out[len++] = text.ptr[i];
    return (struct str){out, len};
}

static int entry_order(const void *a, const void *b)
{
    const struct secret_entry *left = a, *right = b;
    return str_cmp(left->key, right->key);
}

bool secrets_entries(struct arena *arena, const struct value *secret, struct secret_entries *ret_entries,
                     struct err *err)
{
    struct secret_entries entries = {0};
    const struct value *texts = value_key(secret, "stringData");
    MEMBER_EACH(member, value_key(secret, "data")) {
        struct str value;
        if (value_get(texts, member->key) != NULL)
            continue;
        if (!base64_decode(arena, without_breaks(arena, value_str(&member->value)), BASE64_STANDARD, &value))
            return err_set(err, ERR_INVALID, "data.%.*s is no base64", STR_ARG(member->key));
        *ARENA_PUSH(arena, &entries) = (struct secret_entry){member->key, value};
    }
    MEMBER_EACH(member, texts) {
        *ARENA_PUSH(arena, &entries) = (struct secret_entry){member->key, value_str(&member->value)};
    }
    if (entries.count != 0)
        qsort(entries.items, entries.count, sizeof *entries.items, entry_order);
    *ret_entries = entries;
    return true;
}
