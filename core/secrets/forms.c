/* The forms that a Secret may have in git. Sources: the CRDs of bitnami.com/v1alpha1 and external-secrets.io/v1. */
#include <stdlib.h>

#include "core/base/base64.h"
#include "core/base/clock.h"
#include "core/crypto/sops.h"
#include "core/keys.h"
#include "core/secrets/protector.h"

static const struct value *metadata(struct arena *arena, const struct resource *secret,
                                    const struct value *labels, const struct value *annotations)
{
    return VALUE_MAP(arena, {"name", value_string(arena, secret->name)},
                     {"namespace", secret->namespace.len ? value_string(arena, secret->namespace) : NULL},
                     {"labels", value_count(labels) ? labels : NULL},
                     {"annotations", value_count(annotations) ? annotations : NULL});
}

static const struct value *own(const struct resource *secret, const char *what)
{
    return value_in(secret->object, PATH("metadata", what));
}

/* As the repository holds it. */
static const struct earlier_secret *earlier_of(const struct form *form, const char *kind)
{
    const struct protector *protector = form->protector;
    if (protector->earlier == NULL)
        return NULL;
    return earlier_find(protector->earlier, protector->environment->name, str_of(kind),
                        form->secret->namespace, form->secret->name);
}

/* ---- sealed ---- */

static enum sealed_scope scope_of(const struct form *form)
{
    switch (form->protector->settings.scope) {
    case SCOPE_NAMESPACE: return SEALED_NAMESPACE_WIDE;
    case SCOPE_CLUSTER: return SEALED_CLUSTER_WIDE;
    default: return SEALED_STRICT;
    }
}

/* The controller wants the scope on the SealedSecret, and on what it makes of it. */
static const struct value *with_scope(struct arena *arena, enum sealed_scope scope,
                                      const struct value *annotations)
{
    const struct value *yes = value_cstr(arena, "true");
    if (scope == SEALED_NAMESPACE_WIDE)
        return value_with(arena, annotations, STR("sealedsecrets.bitnami.com/namespace-wide"), yes);
    if (scope == SEALED_CLUSTER_WIDE)
        return value_with(arena, annotations, STR("sealedsecrets.bitnami.com/cluster-wide"), yes);
    return annotations;
}

/* `was`: the document as we wrote it; NULL: it is not ours. */
static bool seal_entries(const struct form *form, const struct value *before, const struct secrets_print *was,
                         const struct value **ret_sealed, struct err *err)
{
    struct protector *protector = form->protector;
    struct arena *arena = form->arena;
    struct value_map_builder sealed = {0};
    for (size_t i = 0; i < form->entries->count; i++) {
        const struct secret_entry *entry = &form->entries->items[i];
        const struct value *same = value_get(before, entry->key);
        struct str text;
        if (was != NULL && same != NULL && secrets_memory_has_value(protector->run->memory, was, entry)) {
            value_put(arena, &sealed, entry->key, same);
            continue;
        }
        if (!sealed_seal(arena, protector->certificate, scope_of(form), form->secret->namespace,
                         form->secret->name, entry->value, &text, err))
            return err_context(err, "key %.*s", STR_ARG(entry->key));
        value_put(arena, &sealed, entry->key, value_string(arena, text));
    }
    *ret_sealed = value_map_done(arena, &sealed);
    return true;
}

bool form_sealed(const struct form *form, const struct value **ret_object, struct err *err)
{
    struct protector *protector = form->protector;
    struct arena *arena = form->arena;
    const struct resource *secret = form->secret;
    const struct value *sealed = NULL;
    if (!protector_need_certificate(protector, err))
        return false;
    const struct earlier_secret *earlier = earlier_of(form, "SealedSecret");
    const struct value *before =
        earlier ? value_in(earlier->resource.object, PATH("spec", "encryptedData")) : NULL;
    struct secrets_subject subject = {form->id, protector->sealed_settings, before};
    struct secrets_print was;
    bool known = secrets_memory_knows(protector->run->memory, &subject, &was);
    if (!seal_entries(form, before, known ? &was : NULL, &sealed, err))
        return false;
    subject.cipher = sealed;
    secrets_memory_note(protector->run->memory, &subject, form->entries);

    const struct value *scope = with_scope(arena, scope_of(form), NULL),
                       *annotations = with_scope(arena, scope_of(form), own(secret, "annotations"));
    const struct value *template =
        VALUE_MAP(arena, {"type", value_string(arena, secrets_type(secret->object))},
                  {"immutable", value_key(secret->object, "immutable")},
                  {"metadata", metadata(arena, secret, own(secret, "labels"), annotations)});
    *ret_object = VALUE_MAP(arena, {"apiVersion", value_cstr(arena, "bitnami.com/v1alpha1")},
                            {"kind", value_cstr(arena, "SealedSecret")},
                            {"metadata", metadata(arena, secret, NULL, scope)},
                            {"spec", VALUE_MAP(arena, {"encryptedData", sealed}, {"template", template})});
    return true;
}

/* ---- sops ---- */

/* The Secret as it is before encryption: all values under `data`, in the order of their keys, so that the MAC holds
 * however a renderer sorts them. */
static const struct value *plain_secret(const struct form *form)
{
    struct arena *arena = form->arena;
    const struct resource *secret = form->secret;
    struct value_map_builder data = {0};
    for (size_t i = 0; i < form->entries->count; i++) {
        struct str text = base64_encode(arena, form->entries->items[i].value, BASE64_STANDARD);
        value_put(arena, &data, form->entries->items[i].key, value_string(arena, text));
    }
    return VALUE_MAP(arena, {"apiVersion", value_cstr(arena, "v1")}, {"kind", value_cstr(arena, "Secret")},
                     {"metadata", metadata(arena, secret, own(secret, "labels"), own(secret, "annotations"))},
                     {"type", value_string(arena, secrets_type(secret->object))},
                     {"immutable", value_key(secret->object, "immutable")},
                     {"data", value_map_done(arena, &data)});
}

static const struct value *cipher_of(struct arena *arena, const struct value *document)
{
    return VALUE_MAP(arena, {"data", value_key(document, "data")}, {"sops", value_key(document, "sops")});
}

/* Whether an earlier document, which is not known to be ours, holds the same values. Only what it decrypts to can tell, and
 * then it is taken whole or not at all: whoever wrote it chose its data key. */
static bool says_the_same(const struct form *form, const struct value *plain, const struct value *before,
                          const struct age_identities *identities)
{
    const struct value *was;
    struct err ignored;
    return identities->count != 0 && sops_decrypt(form->arena, before, identities, &was, &ignored) &&
           value_equal(value_key(was, "data"), value_key(plain, "data")) &&
           value_key(was, "stringData") == NULL;
}

static const struct value *grafted(struct arena *arena, const struct value *plain, const struct value *before)
{
    const struct value *object = value_with(arena, plain, STR("data"), value_key(before, "data"));
    return value_with(arena, object, STR("sops"), value_key(before, "sops"));
}

static struct str sops_settings(const struct form *form)
{
    struct arena *arena = form->arena;
    const struct str_list *recipients = &form->protector->settings.recipients;
    struct str *sorted = ARENA_ARRAY(arena, struct str, recipients->count + 1);
    for (size_t i = 0; i < recipients->count; i++)
        sorted[i] = recipients->items[i];
    qsort(sorted, recipients->count, sizeof *sorted, str_qsort);
    return str_fmt(arena, "sops %.*s", STR_ARG(str_join(arena, sorted, recipients->count, STR(" "))));
}

bool form_sops(const struct form *form, const struct value **ret_object, struct err *err)
{
    struct protector *protector = form->protector;
    struct arena *arena = form->arena;
    const struct value *plain = plain_secret(form), *before = NULL;
    struct sops_how how = {.recipients = protector->settings.recipients,
                           .now_ms = clock_now_ms(protector->run->clock)};
    const struct earlier_secret *earlier = earlier_of(form, "Secret");
    const struct age_identities *identities = NULL;
    if (earlier != NULL && sops_is_for(earlier->resource.object, &how.recipients))
        before = earlier->resource.object;
    if (before != NULL && !keys_kept(protector->run, &identities, err))
        return false;
    struct secrets_subject subject = {form->id, sops_settings(form),
                                      before ? cipher_of(arena, before) : NULL};
    struct secrets_print was;
    bool ours = secrets_memory_knows(protector->run->memory, &subject, &was);
    if (ours ? secrets_memory_has_all(protector->run->memory, &was, form->entries)
             : before != NULL && says_the_same(form, plain, before, identities)) {
        *ret_object = grafted(arena, plain, before);
    } else {
        how.earlier = ours ? before : NULL;
        how.identities = identities;
        if (!sops_encrypt(arena, plain, &how, ret_object, err))
            return false;
    }
    subject.cipher = cipher_of(arena, *ret_object);
    secrets_memory_note(protector->run->memory, &subject, form->entries);
    return true;
}

/* ---- external ---- */

static bool fill_in(const struct form *form, struct str word, struct str *ret_text, struct err *err)
{
    const struct config *config = form->protector->run->config;
    if (str_is(word, "cluster"))
        *ret_text = config->cluster_name.len ? config->cluster_name : STR("cluster");
    else if (str_is(word, "environment"))
        *ret_text = form->protector->environment->name;
    else if (str_is(word, "namespace"))
        *ret_text = form->secret->namespace;
    else if (str_is(word, "name"))
        *ret_text = form->secret->name;
    else
        return err_set(err, ERR_USAGE,
                       "secrets.external.key: {%.*s} is none of {cluster}, {environment}, "
                       "{namespace}, {name}",
                       STR_ARG(word));
    return true;
}

static bool key_of(const struct form *form, struct str *ret_key, struct err *err)
{
    struct arena *arena = form->arena;
    struct str rest = form->protector->settings.external_key, part;
    struct str_list parts = {0};
    while (rest.len != 0) {
        *ARENA_PUSH(arena, &parts) = str_cut(&rest, '{');
        if (rest.len == 0)
            break;
        if (str_find(rest, '}') == rest.len)
            return err_set(err, ERR_USAGE, "secrets.external.key: a { without its }");
        if (!fill_in(form, str_cut(&rest, '}'), &part, err))
            return false;
        *ARENA_PUSH(arena, &parts) = part;
    }
    *ret_key = str_join(arena, parts.items, parts.count, STR_NONE);
    return true;
}

/* A store keeps texts: bytes that are none have to be in it as base64. */
static const struct value *remote_data(const struct form *form, struct str key)
{
    struct arena *arena = form->arena;
    struct value_list_builder data = {0};
    for (size_t i = 0; i < form->entries->count; i++) {
        const struct secret_entry *entry = &form->entries->items[i];
        const struct value *name = value_string(arena, entry->key);
        const struct value *ref =
            VALUE_MAP(arena, {"key", value_string(arena, key)}, {"property", name},
                      {"decodingStrategy", str_is_utf8(entry->value) ? NULL : value_cstr(arena, "Base64")});
        value_push(arena, &data, VALUE_MAP(arena, {"secretKey", name}, {"remoteRef", ref}));
    }
    return value_list_done(arena, &data);
}

bool form_external(const struct form *form, struct str *ret_store_key, const struct value **ret_object,
                   struct err *err)
{
    struct arena *arena = form->arena;
    const struct resource *secret = form->secret;
    const struct config_secrets *settings = &form->protector->settings;
    const struct value *labels = own(secret, "labels"), *annotations = own(secret, "annotations");
    struct str key;
    if (settings->store.len == 0)
        return err_set(err, ERR_USAGE, "mode external needs the name of a store") ||
               err_next(err, "set secrets.external: {store: NAME, kind: ClusterSecretStore}");
    if (!key_of(form, &key, err))
        return false;
    const struct value *made = VALUE_MAP(arena, {"labels", value_count(labels) ? labels : NULL},
                                         {"annotations", value_count(annotations) ? annotations : NULL});
    const struct value *template =
        VALUE_MAP(arena, {"type", value_string(arena, secrets_type(secret->object))},
                  {"metadata", value_count(made) ? made : NULL});
    const struct value *target = VALUE_MAP(
        arena, {"name", value_string(arena, secret->name)}, {"creationPolicy", value_cstr(arena, "Owner")},
        {"immutable", value_key(secret->object, "immutable")}, {"template", template});
    const struct value *spec =
        VALUE_MAP(arena, {"refreshInterval", value_string(arena, settings->refresh_interval)},
                  {"secretStoreRef", VALUE_MAP(arena, {"name", value_string(arena, settings->store)},
                                               {"kind", value_string(arena, settings->store_kind)})},
                  {"target", target}, {"data", remote_data(form, key)});
    *ret_object = VALUE_MAP(arena, {"apiVersion", value_cstr(arena, "external-secrets.io/v1")},
                            {"kind", value_cstr(arena, "ExternalSecret")},
                            {"metadata", metadata(arena, secret, NULL, NULL)}, {"spec", spec});
    *ret_store_key = key;
    return true;
}
