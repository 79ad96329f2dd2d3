/* Secrets in places where they are not secret. No value of a suspect is ever put into a finding. */
#include "core/secrets/leak.h"
#include "quality/check.h"

void check_env_in_clear(struct subject *subject)
{
    EACH_CONTAINER(c, subject) {
        size_t i = 0;
        VALUE_EACH(variable, value_key(c->value, "env")) {
            struct str name = value_str(value_key(variable, "name"));
            struct str value = value_str(value_key(variable, "value"));
            if (leak_setting(name, value) != NULL)
                found_in_container(subject, c, name, "env[%zu].value", i);
            i++;
        }
    }
}

void check_config_map_in_clear(struct subject *subject)
{
    MEMBER_EACH(entry, value_key(subject->resource->object, "data")) {
        struct str value = value_str(&entry->value);
        if (leak_setting(entry->key, value) != NULL)
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
