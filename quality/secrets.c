/* Secrets in places where they are not secret. No value of a suspect is ever put into a finding. */
#include "quality/check.h"

/* Last words of names that hold secrets: DB_PASSWORD, client-secret, apiKey. A name that goes on, such as
 * PASSWORD_FILE or SECRET_NAME, says where one is, not what it is. */
static bool is_secret_name(struct arena *arena, struct str name)
{
    static const char *const endings[] = {
        "password",    "passwd",       "passphrase", "pwd",         "secret",       "secretkey",
        "secret_key",  "secret-key",   "apikey",     "api_key",     "api-key",      "accesskey",
        "access_key",  "access-key",   "privatekey", "private_key", "private-key",  "auth_token",
        "auth-token",  "authtoken",    "api_token",  "api-token",   "access_token", "access-token",
        "credentials", "client_secret"};
    struct str lower = str_lower(arena, name);
    for (size_t i = 0; i < COUNT_OF(endings); i++)
        if (str_ends(lower, str_of(endings[i])))
            return true;
    return false;
}

/* Something that another place fills in, or a path to a file, is no secret. */
static bool is_secret_value(struct str value)
{
    return value.len != 0 && !str_contains(value, STR("$(")) && !str_contains(value, STR("${")) &&
           !str_starts(value, STR("/")) && !str_is(value, "true") && !str_is(value, "false");
}

static bool holds_private_key(struct str value)
{
    return str_contains(value, STR("-----BEGIN ")) && str_contains(value, STR("PRIVATE KEY-----"));
}

void check_env_in_clear(struct subject *subject)
{
    EACH_CONTAINER(c, subject) {
        size_t i = 0;
        VALUE_EACH(variable, value_key(c->value, "env")) {
            struct str name = value_str(value_key(variable, "name"));
            struct str value = value_str(value_key(variable, "value"));
            if ((is_secret_name(subject->estate->arena, name) && is_secret_value(value)) ||
                holds_private_key(value))
                found_in_container(subject, c, name, "env[%zu].value", i);
            i++;
        }
    }
}

void check_config_map_in_clear(struct subject *subject)
{
    MEMBER_EACH(entry, value_key(subject->resource->object, "data")) {
        struct str value = value_str(&entry->value);
        if ((is_secret_name(subject->estate->arena, entry->key) && is_secret_value(value)) ||
            holds_private_key(value))
            found(subject, entry->key, "data.%.*s", STR_ARG(entry->key));
    }
}

void check_long_lived_token(struct subject *subject)
{
    if (str_is(value_str(value_key(subject->resource->object, "type")),
               "kubernetes.io/service-account-token"))
        found(subject,
              value_str_in(subject->resource->object,
                           PATH("metadata", "annotations", "kubernetes.io/service-account.name")),
              "type");
}

void check_secret_as_environment(struct subject *subject)
{
    EACH_CONTAINER(c, subject) {
        size_t i = 0;
        VALUE_EACH(variable, value_key(c->value, "env")) {
            if (value_in(variable, PATH("valueFrom", "secretKeyRef")) != NULL)
                found_in_container(subject, c, value_str(value_key(variable, "name")), "env[%zu]", i);
            i++;
        }
        i = 0;
        VALUE_EACH(source, value_key(c->value, "envFrom")) {
            if (value_key(source, "secretRef") != NULL)
                found_in_container(subject, c, value_str_in(source, PATH("secretRef", "name")),
                                   "envFrom[%zu]", i);
            i++;
        }
    }
}
