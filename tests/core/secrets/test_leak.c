/* Which names promise a secret, which texts are one, and where known values are found again. */
#include <criterion/criterion.h>
#include <string.h>

#include "core/base/base64.h"
#include "core/secrets/leak.h"

Test(leak, names_promise_a_secret_or_say_where_it_is)
{
    static const char *const secret[] = {"DB_PASSWORD",           "clientSecret", "api-key",       "apiKey",
                                         "AWS_SECRET_ACCESS_KEY", "token",        "registry.auth", "db.pwd",
                                         "private_key",           "CREDENTIALS",  "passphrase"};
    static const char *const none[] = {
        "DB_PASSWORD_FILE",  "SECRET_NAME",     "TOKEN_TTL", "token-url", "key",
        "AWS_ACCESS_KEY_ID", "password_policy", "keyboard",  "author",    "LOG_LEVEL"};
    for (size_t i = 0; i < COUNT_OF(secret); i++)
        cr_expect(leak_name(str_of(secret[i])), "%s", secret[i]);
    for (size_t i = 0; i < COUNT_OF(none); i++)
        cr_expect_not(leak_name(str_of(none[i])), "%s", none[i]);
}

/* Put together here, so that whoever searches this repository for tokens finds none. */
#define JWT_HEAD "eyJhbGciOiJIUzI1NiJ9"

Test(leak, texts_are_secrets_by_their_form)
{
    static const struct {
        const char *text, *form;
    } cases[] = {
        {"-----BEGIN EC PRIVATE KEY-----\nx\n-----END EC PRIVATE KEY-----", "a private key"},
        {"postgres://shop:hunter22@db:5432/shop", "a URL with a password"},
        {"see https://me:pw@example.com/x", "a URL with a password"},
        {"id=AKIA"
         "ABCDEFGHIJKLMNOP;",
         "an AWS access key"},
        {"Bearer " JWT_HEAD ".eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJlLW9mLXRlc3Q", "a JSON web token"},
        {"ghp"
         "_abcdefghijklmnopqrstuvwxyz0123456789",
         "a GitHub token"},
        {"AGE-SECRET"
         "-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQ",
         "an age identity"},
        {"-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----", NULL},
        {"postgres://shop@db:5432/shop", NULL},
        {"redis://cache:6379/0", NULL},
        {"postgres://shop:$(PASSWORD)@db/shop", NULL},
        {"https://{user}:{password}@host/", NULL},
        {"AKIASHORT", NULL},
        {JWT_HEAD, NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *form = leak_form(str_of(cases[i].text));
        cr_expect(form == cases[i].form || (form && cases[i].form && strcmp(form, cases[i].form) == 0),
                  "%s: %s", cases[i].text, form ? form : "nothing");
    }
}

Test(leak, settings_that_refer_to_a_secret_are_none)
{
    static const char *const none[] = {"", "true", "$(DB)", "${DB}", "/run/secrets/db", "x-$(DB)"};
    cr_expect_not_null(leak_setting(STR("DB_PASSWORD"), STR("hunter22")));
    cr_expect_null(leak_setting(STR("LOG_LEVEL"), STR("hunter22")));
    for (size_t i = 0; i < COUNT_OF(none); i++)
        cr_expect_null(leak_setting(STR("DB_PASSWORD"), str_of(none[i])), "%s", none[i]);
}

/* ---- values ---- */

static const char SECRETS[] =
    "apiVersion: v1\nkind: Secret\nmetadata: {name: db, namespace: shop}\nstringData:\n"
    "  password: hunter22-marker\n"
    "  username: administrator\n"
    "  short: pw1\n"
    "  word-password: postgres\n"
    "  tls.crt: \"-----BEGIN CERTIFICATE-----\\nMIIBpublic\\n-----END CERTIFICATE-----\\n\"\n"
    "  settings.ini: \"[db]\\nuser = shop\\npassword = \\\"from-a-file-77\\\"\\n\"\n"
    "  .dockerconfigjson: "
    "'{\"auths\":{\"r.example.com\":{\"username\":\"ci-user-name\",\"password\":\"J8-registry\"}}}'\n"
    "  blob: Zx9kQ2mWc7Lp0VtR4s\n";

static const struct leak_index *indexed(struct arena *arena, struct bundle *bundle)
{
    struct err err;
    bundle_init(bundle, arena);
    cr_assert(bundle_read_text(bundle, str_of(SECRETS), STR("in.yaml"), &err), "%s", err.msg);
    return leak_index_of(arena, bundle);
}

Test(leak, values_are_found_where_they_stand_again)
{
    struct arena *arena = arena_new();
    struct bundle bundle;
    const struct leak_index *index = indexed(arena, &bundle);
    static const struct {
        const char *text, *key; /* NULL: nothing */
    } cases[] = {
        {"hunter22-marker", "password"},
        {"jdbc:postgresql://db/shop?password=hunter22-marker&ssl=true", "password"},
        {"from-a-file-77", "settings.ini"},
        {"--registry-password=J8-registry", ".dockerconfigjson"},
        {"key: Zx9kQ2mWc7Lp0VtR4s", "blob"},
        {"hunter22-marke", NULL},
        {"administrator", NULL},
        {"ci-user-name", NULL},
        {"postgres:15", NULL},
        {"pw1", NULL},
        {"xJ8-registryx", NULL},
        {"-----BEGIN CERTIFICATE-----\nMIIBpublic\n-----END CERTIFICATE-----\n", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct leak_hit hit;
        bool found = leak_find(index, str_of(cases[i].text), &hit);
        cr_expect_eq(found, cases[i].key != NULL, "%s", cases[i].text);
        if (found) {
            cr_expect(str_is(hit.key, cases[i].key), "%s: %.*s", cases[i].text, STR_ARG(hit.key));
            cr_expect_not(hit.encoded);
        }
    }
    arena_free(arena);
}

Test(leak, values_are_found_in_base64_wherever_they_lie_in_it)
{
    struct arena *arena = arena_new();
    struct bundle bundle;
    const struct leak_index *index = indexed(arena, &bundle);
    static const char *const before[] = {"", "a", "ab", "abc", "user:", "longer text before it "};
    static const char *const after[] = {"", "\n", "  ", "and on it goes"};
    for (size_t i = 0; i < COUNT_OF(before); i++)
        for (size_t j = 0; j < COUNT_OF(after); j++) {
            struct leak_hit hit;
            struct str text = str_fmt(arena, "%shunter22-marker%s", before[i], after[j]);
            text = base64_encode(arena, text, BASE64_STANDARD);
            cr_expect(leak_find(index, text, &hit) && hit.encoded, "\"%s\" \"%s\"", before[i], after[j]);
        }
    arena_free(arena);
}

Test(leak, without_secrets_there_is_nothing_to_find)
{
    struct arena *arena = arena_new();
    struct bundle bundle;
    struct leak_hit hit;
    bundle_init(&bundle, arena);
    cr_expect_null(leak_index_of(arena, &bundle));
    cr_expect_not(leak_find(NULL, STR("hunter22-marker"), &hit));
    arena_free(arena);
}
