/* Secrets, and who refers to those that controllers made. No text here ever holds a value. */
#include "core/config/config.h"
#include "core/secrets/select.h"
#include "transform/rule.h"

static struct str type_of(const struct resource *secret)
{
    return value_str(value_key(secret->object, "type"));
}

static struct str annotation_of(const struct resource *resource, const char *key)
{
    return value_str_in(resource->object, PATH("metadata", "annotations", key));
}

static bool is_token(const struct resource *secret)
{
    return str_is(type_of(secret), "kubernetes.io/service-account-token");
}

/* SERVICEACCOUNT-token-xxxxx or SERVICEACCOUNT-dockercfg-xxxxx, as controllers name them. */
static bool has_generated_name(struct str name, struct str account, struct str infix)
{
    return account.len > 0 && name.len == account.len + infix.len + 5 && str_starts(name, account) &&
           str_starts(str_from(name, account.len), infix);
}

static bool is_controller_made(struct arena *arena, const struct resource *secret)
{
    struct managed managed;
    struct str type = type_of(secret);
    struct str account = annotation_of(secret, "kubernetes.io/service-account.name");
    if (str_is(type, "bootstrap.kubernetes.io/token"))
        return true;
    if (annotation_of(secret, "openshift.io/token-secret.name").len > 0 ||
        annotation_of(secret, "openshift.io/internal-registry-auth-token.service-account").len > 0)
        return true;
    if (!is_token(secret))
        return false;
    managed_read(&managed, arena, secret->object);
    if (managed.known)
        return !managed.user;
    return value_in(secret->object, PATH("metadata", "uid")) != NULL &&
           has_generated_name(secret->name, account, STR("-token-"));
}

void rule_controller_made_secrets(struct subject *subject)
{
    if (is_controller_made(subject->arena, subject->live))
        subject_drop(subject);
}

void rule_helm_releases(struct subject *subject)
{
    bool secret = str_is(type_of(subject->live), "helm.sh/release.v1");
    bool map = str_is(subject->live->kind, "ConfigMap") && str_is(subject_label(subject, "OWNER"), "TILLER");
    bool driver = str_is(subject_label(subject, "owner"), "helm") &&
                  str_starts(subject->live->name, STR("sh.helm.release.v1."));
    if (secret || map || driver)
        subject_drop(subject);
}

/* The token of a person's own Secret for it: the type and the ServiceAccount are the wish. */
void rule_token_data(struct subject *subject)
{
    if (!is_token(subject->live))
        return;
    subject_remove(subject, PATH("data"));
    subject_remove(subject, PATH("stringData"));
    subject_remove_tidy(subject, PATH("metadata", "annotations", "kubernetes.io/service-account.uid"));
    subject_remove_tidy(subject, PATH("metadata", "labels", "kubernetes.io/legacy-token-last-used"));
    subject_remove_tidy(subject, PATH("metadata", "labels", "kubernetes.io/legacy-token-invalid-since"));
}

/* A reference goes when its Secret is a controller's, or is gone and bears a name that a controller gave. */
static const struct value *without_generated(struct arena *arena, const struct value *reference, void *ctx)
{
    const struct subject *subject = ctx;
    struct str name = value_str(value_key(reference, "name")), account = subject->live->name;
    const struct resource *secret =
        subject_find(subject, STR_NONE, STR("Secret"), subject->live->namespace, name);
    bool generated = secret
                         ? is_controller_made(arena, secret)
                         : subject->from_cluster && (has_generated_name(name, account, STR("-token-")) ||
                                                     has_generated_name(name, account, STR("-dockercfg-")));
    return generated ? NULL : reference;
}

static void clean_references(struct subject *subject, const char *key)
{
    const struct value *list = value_key(subject->object, key);
    if (value_count(list) == 0 || !value_is(list, VALUE_LIST))
        return;
    const struct value *left = value_change_items(subject->arena, list, without_generated, subject);
    if (value_count(left) == 0)
        subject_remove(subject, PATH(key));
    else
        subject_set(subject, PATH(key), left);
}

void rule_service_account_secrets(struct subject *subject)
{
    clean_references(subject, "secrets");
    clean_references(subject, "imagePullSecrets");
    subject_remove_tidy(subject,
                        PATH("metadata", "annotations", "openshift.io/internal-registry-pull-secret-ref"));
}

static const struct value *keys_of(struct arena *arena, const struct value *secret)
{
    struct value_list_builder keys = {0};
    struct secret_entries entries;
    struct err ignored;
    if (secrets_entries(arena, secret, &entries, &ignored))
        for (size_t i = 0; i < entries.count; i++)
            value_push(arena, &keys, value_string(arena, entries.items[i].key));
    return value_list_done(arena, &keys);
}

/* It leaves the declared objects with its values, which only core/secrets hands on, encrypted or not at all. */
void rule_set_aside_secrets(struct subject *subject)
{
    if (is_token(subject->live))
        return;
    struct arena *arena = subject->arena;
    struct resource secret = *subject->live;
    secret.object = subject->object;
    bundle_add(subject->set_aside, &secret);
    const struct value *told = VALUE_MAP(arena, {"namespace", value_string(arena, secret.namespace)},
                                         {"name", value_string(arena, secret.name)},
                                         {"type", value_string(arena, secrets_type(secret.object))},
                                         {"keys", keys_of(arena, secret.object)});
    value_push(subject->run->arena, &subject->log->secrets, value_copy(subject->run->arena, told));
    subject_drop(subject);
}
