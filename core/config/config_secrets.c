/* What the configuration says of Secrets: modes, scopes, the rules that pick some of them. */
#include "core/base/pointer.h"
#include "core/config/config_read.h"

static const char *const secrets_modes[] = {[SECRETS_REFUSE] = "refuse",
                                            [SECRETS_OMIT] = "omit",
                                            [SECRETS_SEALED] = "sealed",
                                            [SECRETS_SOPS] = "sops",
                                            [SECRETS_EXTERNAL] = "external"};

const char *config_secrets_name(enum secrets_mode mode)
{
    return secrets_modes[mode];
}

bool config_secrets_mode(struct str name, enum secrets_mode *ret_mode)
{
    for (size_t i = SECRETS_OMIT; i < COUNT_OF(secrets_modes); i++)
        if (str_is(name, secrets_modes[i])) {
            *ret_mode = (enum secrets_mode)i;
            return true;
        }
    return false;
}

bool config_read_secrets_mode(struct config_reader *r, struct str pointer, const struct value *value,
                              void *field)
{
    if (value_is(value, VALUE_STRING) && value_str(value).len == 0) {
        *(enum secrets_mode *)field = SECRETS_REFUSE;
        return true;
    }
    if (config_secrets_mode(value_str(value), field))
        return true;
    return config_fail_at(r, pointer, "expected one of omit, sealed, sops, external");
}

bool config_read_scope(struct config_reader *r, struct str pointer, const struct value *value, void *field)
{
    static const char *const names[] = {
        [SCOPE_STRICT] = "strict", [SCOPE_NAMESPACE] = "namespace-wide", [SCOPE_CLUSTER] = "cluster-wide"};
    struct str text = value_str(value);
    if (value_is(value, VALUE_STRING) && text.len == 0) {
        *(enum secrets_scope *)field = SCOPE_INHERIT;
        return true;
    }
    for (size_t i = SCOPE_STRICT; i < COUNT_OF(names); i++)
        if (str_is(text, names[i])) {
            *(enum secrets_scope *)field = (enum secrets_scope)i;
            return true;
        }
    return config_fail_at(r, pointer, "expected one of strict, namespace-wide, cluster-wide");
}

bool config_read_in_clear(struct config_reader *r, struct str pointer, const struct value *value, void *field)
{
    bool report = str_is(value_str(value), "report");
    if (!report && !str_is(value_str(value), "refuse"))
        return config_fail_at(r, pointer, "expected refuse or report");
    *(enum secrets_in_clear *)field = report ? IN_CLEAR_REPORT : IN_CLEAR_REFUSE;
    return true;
}

static bool read_rule(struct config_reader *r, struct str pointer, const struct value *value,
                      struct config_secret_rule *rule)
{
    static const char *const known[] = {"mode", "match", "environments", NULL};
    struct str mode = pointer_child(r->arena, pointer, STR("mode")),
               match = pointer_child(r->arena, pointer, STR("match")),
               environments = pointer_child(r->arena, pointer, STR("environments"));
    const struct value *chosen = value_key(value, "mode");
    if (!config_check_keys(r, pointer, value, known, "a map of mode, match and environments"))
        return false;
    if (chosen == NULL || value_str(chosen).len == 0)
        return config_fail_at(r, pointer, "a rule for Secrets needs a mode");
    if (!config_read_secrets_mode(r, mode, chosen, &rule->mode) ||
        !config_read_match(r, match, value_key(value, "match"), &rule->match) ||
        !config_read_texts(r, environments, value_key(value, "environments"), &rule->environments))
        return false;
    return rule->match.types.count == 0 ||
           config_fail_at(r, match, "a rule for Secrets has no type: namespace, name and labels pick them");
}

bool config_read_secret_rules(struct config_reader *r, struct str pointer, const struct value *value,
                              void *field)
{
    struct config_secret_rules rules = {0};
    size_t index = 0;
    if (!config_expect(r, pointer, value, VALUE_LIST, "a list of rules"))
        return false;
    VALUE_EACH(item, value) {
        struct config_secret_rule *rule = ARENA_PUSH(r->arena, &rules);
        *rule = (struct config_secret_rule){0};
        if (!read_rule(r, pointer_index(r->arena, pointer, index++), item, rule))
            return false;
    }
    *(struct config_secret_rules *)field = rules;
    return true;
}

static void take(struct str *text, struct str own)
{
    if (own.len != 0)
        *text = own;
}

struct config_secrets config_secrets_of(const struct config *config,
                                        const struct config_environment *environment)
{
    struct config_secrets all = config->secrets;
    if (environment == NULL)
        return all;
    const struct config_secrets *own = &environment->secrets;
    if (own->mode != SECRETS_REFUSE)
        all.mode = own->mode;
    if (own->recipients.count != 0)
        all.recipients = own->recipients;
    if (own->scope != SCOPE_INHERIT)
        all.scope = own->scope;
    /* A controller of its own has a certificate of its own. */
    if (own->certificate.len != 0 || own->controller_namespace.len != 0 || own->controller_name.len != 0 ||
        own->controller_context.len != 0)
        all.certificate = own->certificate;
    take(&all.controller_namespace, own->controller_namespace);
    take(&all.controller_name, own->controller_name);
    take(&all.controller_context, own->controller_context);
    take(&all.store, own->store);
    take(&all.store_kind, own->store_kind);
    take(&all.external_key, own->external_key);
    take(&all.refresh_interval, own->refresh_interval);
    return all;
}
