/* Which mode a Secret gets, and what is in it. */
#include <criterion/criterion.h>

#include "core/base/json.h"
#include "core/secrets/select.h"

static struct arena *arena;
static struct err err;

static void set_up(void)
{
    arena = arena_new();
}

static void tear_down(void)
{
    arena_free(arena);
}

TestSuite(secrets_select, .init = set_up, .fini = tear_down);

static struct resource secret(const char *json)
{
    const struct value *object;
    struct resource resource;
    cr_assert(json_parse(arena, str_of(json), NULL, &object, &err), "%s", err.msg);
    cr_assert(resource_from(object, STR_NONE, &resource, &err), "%s", err.msg);
    return resource;
}

#define HEAD "{\"apiVersion\":\"v1\",\"kind\":\"Secret\","
#define META "\"metadata\":{\"name\":\"db\",\"namespace\":\"shop\",\"labels\":{\"team\":\"payments\"}}"

Test(secrets_select, rules_stand_above_environments_and_those_above_the_document)
{
    struct resource db = secret(HEAD META "}");
    struct config config = {.secrets.mode = SECRETS_SOPS};
    struct config_environment dev = {.name = STR("dev")},
                              prod = {.name = STR("prod"), .secrets.mode = SECRETS_SEALED};
    cr_expect_eq(secrets_mode_of(&config, &dev, &db), SECRETS_SOPS);
    cr_expect_eq(secrets_mode_of(&config, &prod, &db), SECRETS_SEALED);

    struct str shop = STR("sh?p"), other = STR("x*"), only_prod = STR("prod");
    const struct {
        struct config_secret_rule rule;
        bool takes_dev, takes_prod;
    } cases[] = {
        {{.mode = SECRETS_OMIT}, true, true},
        {{.mode = SECRETS_OMIT, .match.namespaces = {&shop, 1, 1}}, true, true},
        {{.mode = SECRETS_OMIT, .match.names = {&other, 1, 1}}, false, false},
        {{.mode = SECRETS_OMIT, .environments = {&only_prod, 1, 1}}, false, true},
        {{.mode = SECRETS_OMIT, .match.labels = VALUE_MAP(arena, {"team", value_cstr(arena, "pay*")})},
         true,
         true},
        {{.mode = SECRETS_OMIT, .match.labels = VALUE_MAP(arena, {"tier", value_cstr(arena, "*")})},
         false,
         false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct config_secret_rule rules[] = {cases[i].rule, {.mode = SECRETS_EXTERNAL}};
        config.secret_rules = (struct config_secret_rules){rules, 1, 1};
        cr_expect_eq(secrets_mode_of(&config, &dev, &db) == SECRETS_OMIT, cases[i].takes_dev, "case %zu", i);
        cr_expect_eq(secrets_mode_of(&config, &prod, &db) == SECRETS_OMIT, cases[i].takes_prod, "case %zu",
                     i);
        config.secret_rules.count = 2;
        cr_expect_eq(secrets_mode_of(&config, &dev, &db),
                     cases[i].takes_dev ? SECRETS_OMIT : SECRETS_EXTERNAL, "the first that fits: case %zu",
                     i);
    }
}

Test(secrets_select, entries_are_bytes_in_the_order_of_their_keys)
{
    struct resource db = secret(HEAD META ",\"data\":{\"z\":\"eg==\",\"a\":\"YQ\\n==\",\"both\":\"eA==\"},"
                                          "\"stringData\":{\"both\":\"wins\",\"m\":\"\"}}");
    struct secret_entries entries;
    cr_assert(secrets_entries(arena, db.object, &entries, &err), "%s", err.msg);
    static const char *const want[][2] = {{"a", "a"}, {"both", "wins"}, {"m", ""}, {"z", "z"}};
    cr_assert_eq(entries.count, COUNT_OF(want));
    for (size_t i = 0; i < COUNT_OF(want); i++) {
        cr_expect(str_is(entries.items[i].key, want[i][0]));
        cr_expect(str_is(entries.items[i].value, want[i][1]));
    }
    db = secret(HEAD META ",\"data\":{\"k\":\"not base64\"}}");
    cr_expect_not(secrets_entries(arena, db.object, &entries, &err));
    cr_expect_eq(err.code, ERR_INVALID);
}

Test(secrets_select, a_key_is_not_locked_in_with_what_it_opens)
{
    struct resource sealing = secret(HEAD "\"metadata\":{\"name\":\"k\",\"labels\":{\"sealedsecrets.bitnami."
                                          "com/sealed-secrets-key\":\"active\"}}}");
    struct resource identity =
        secret(HEAD META ",\"stringData\":{\"age.agekey\":\"# mine\\nAGE-SECRET-KEY-1QQQ\\n\"}}");
    cr_expect(secrets_is_opening_key(&sealing, SECRETS_SEALED));
    cr_expect_not(secrets_is_opening_key(&sealing, SECRETS_SOPS));
    cr_expect(secrets_is_opening_key(&identity, SECRETS_SOPS));
    cr_expect_not(secrets_is_opening_key(&identity, SECRETS_SEALED));
}
