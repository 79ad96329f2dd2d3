/* Which names promise a secret, which texts are one, and where known values are found again. */
#include <criterion/criterion.h>
#include <string.h>

#include "core/base/base64.h"
#include "core/kube/bundle.h"
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

/* The Secrets themselves are gone when this returns. */
static const struct leak_index *indexed(struct arena *arena, const char *secrets)
{
    struct arena *passing = arena_new();
    struct leak_index *index = leak_index_new(arena);
    struct bundle bundle;
    struct err err;
    bundle_init(&bundle, passing);
    cr_assert(bundle_read_text(&bundle, str_of(secrets), STR("in.yaml"), &err), "%s", err.msg);
    for (size_t i = 0; i < bundle.count; i++)
        leak_index_add(index, &bundle.items[i]);
    arena_free(passing);
    return leak_index_seal(index);
}

Test(leak, values_are_found_where_they_stand_again)
{
    struct arena *arena = arena_new();
    const struct leak_index *index = indexed(arena, SECRETS);
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
            cr_expect(str_is(hit.namespace, "shop") && str_is(hit.name, "db"));
            cr_expect_not(hit.encoded);
        }
    }
    arena_free(arena);
}

Test(leak, values_are_found_in_base64_wherever_they_lie_in_it)
{
    struct arena *arena = arena_new();
    const struct leak_index *index = indexed(arena, SECRETS);
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

/* Keys in PEM begin and end alike, and differ in the middle. */
Test(leak, keys_of_one_make_are_told_apart)
{
    static const char *const middles[] = {"MIIEowIBAAKCAQEA7Zx1", "MIIEowIBAAKCAQEA7Zx2",
                                          "MIIEowIBAAKCAQEB7Zx1"};
    struct arena *arena = arena_new();
    struct buf secrets CLEANUP(buf_done);
    buf_init(&secrets, 1 << 20);
    for (size_t i = 0; i < 2; i++)
        buf_fmt(&secrets,
                "---\napiVersion: v1\nkind: Secret\nmetadata: {name: s%zu, namespace: web}\nstringData:\n"
                "  tls.key: \"-----BEGIN RSA PRIVATE KEY-----\\n%s\\n-----END RSA PRIVATE KEY-----\\n\"\n",
                i, middles[i]);
    const struct leak_index *index = indexed(arena, str_c(arena, buf_view(&secrets)));
    for (size_t i = 0; i < COUNT_OF(middles); i++) {
        struct leak_hit hit;
        struct str key = str_fmt(
            arena, "key: -----BEGIN RSA PRIVATE KEY-----\n%s\n-----END RSA PRIVATE KEY-----\n", middles[i]);
        cr_expect_eq(leak_find(index, key, &hit), i < 2, "%s", middles[i]);
        if (i < 2)
            cr_expect(str_eq(hit.name, str_fmt(arena, "s%zu", i)));
        key = base64_encode(arena, key, BASE64_STANDARD);
        cr_expect_eq(leak_find(index, key, &hit), i < 2, "%s in base64", middles[i]);
    }
    arena_free(arena);
}

/* Of several the one that begins first is told, then the longest, however their bytes lie; of one value in two Secrets the
 * later. */
Test(leak, the_first_that_begins_is_told)
{
    static const char secrets[] =
        "apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: web}\nstringData:\n"
        "  token: begin-of-it-Q7-hunter22-and-a-long-rest-that-goes-on\n"
        "  password: Q7-hunter22\n  db-password: Q7-hunter22-and-a-long\n---\n"
        "apiVersion: v1\nkind: Secret\nmetadata: {name: b, namespace: web}\nstringData: {password: "
        "Q7-hunter22}\n";
    static const struct {
        const char *text, *name, *key;
    } cases[] = {
        {"x: begin-of-it-Q7-hunter22-and-a-long-rest-that-goes-on", "a", "token"},
        {"x: begin-of-it-Q7-hunter22-and-a-long-rest", "a", "db-password"},
        {"x: begin-of-it-Q7-hunter22-and", "b", "password"},
        {"Q7-hunter22 begin-of-it-Q7-hunter22-and-a-long-rest-that-goes-on", "b", "password"},
    };
    struct arena *arena = arena_new();
    const struct leak_index *index = indexed(arena, secrets);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct leak_hit hit;
        cr_assert(leak_find(index, str_of(cases[i].text), &hit), "%s", cases[i].text);
        cr_expect(str_is(hit.name, cases[i].name) && str_is(hit.key, cases[i].key), "%s: %.*s", cases[i].text,
                  STR_ARG(hit.name));
    }
    arena_free(arena);
}

/* Lengths around the windows that are compared, at the begin, in the middle and at the end of a text. */
Test(leak, values_of_any_length_are_found_and_one_other_byte_is_none)
{
    static const size_t lengths[] = {8, 9, 15, 16, 17, 64, 1000, 70000};
    struct arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        size_t len = lengths[i];
        char *value = arena_alloc(arena, len);
        for (size_t j = 0; j < len; j++)
            value[j] = "aB3dE6gH9jK2mN5pQ8rS1tV4x"[(j * 7 + j / 25) % 25];
        struct str secret = str_fmt(arena,
                                    "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: web}\n"
                                    "stringData: {password: %.*s}\n",
                                    (int)len, value);
        const struct leak_index *index = indexed(arena, str_c(arena, secret));
        struct leak_hit hit;
        cr_expect(leak_find(index, (struct str){value, len}, &hit), "%zu", len);
        cr_expect(leak_find(index, str_fmt(arena, "(%.*s)", (int)len, value), &hit), "%zu", len);
        cr_expect_not(leak_find(index, (struct str){value, len - 1}, &hit), "%zu", len);
        static const size_t parts[] = {0, 4, 7, 10, 14, 15};
        for (size_t j = 0; j < COUNT_OF(parts); j++) {
            size_t at = parts[j] * (len - 1) / 15;
            char was = value[at];
            value[at] = '_';
            cr_expect_not(leak_find(index, (struct str){value, len}, &hit), "%zu: %zu", len, at);
            value[at] = was;
        }
    }
    arena_free(arena);
}

Test(leak, no_part_of_a_value_is_kept)
{
    enum { WINDOW = 6 };
    static const char *const values[] = {"hunter22-marker",    "from-a-file-77", "J8-registry",
                                         "Zx9kQ2mWc7Lp0VtR4s", "administrator",  "MIIBpublic"};
    struct arena *arena = arena_new(), *other = arena_new();
    cr_assert_not_null(indexed(arena, SECRETS));
    cr_expect(arena_holds(arena, "password", 8), "names are");
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        struct str value = str_of(values[i]), encoded = base64_encode(other, value, BASE64_STANDARD);
        for (size_t at = 0; at + WINDOW <= value.len; at++)
            cr_expect_not(arena_holds(arena, value.ptr + at, WINDOW), "%s at %zu", values[i], at);
        for (size_t at = 0; at + WINDOW <= encoded.len; at++)
            cr_expect_not(arena_holds(arena, encoded.ptr + at, WINDOW), "%s in base64", values[i]);
    }
    arena_free(arena);
    arena_free(other);
}

Test(leak, without_secrets_there_is_nothing_to_find)
{
    struct arena *arena = arena_new();
    struct leak_hit hit;
    cr_expect_null(leak_index_seal(leak_index_new(arena)));
    cr_expect_null(indexed(arena, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: b}\n"
                                  "data: {password: hunter22-marker}\n"));
    cr_expect_not(leak_find(NULL, STR("hunter22-marker"), &hit));
    arena_free(arena);
}

/* A value that is the same few bytes again and again, and a text that is so too but for the value's end: every place would
 * have to be hashed. */
Test(leak, a_text_made_to_look_like_a_value_everywhere_is_taken_to_hold_it)
{
    enum { VALUE = 60000, TEXT = 400000 };
    struct arena *arena = arena_new();
    char *value = arena_alloc(arena, VALUE), *text = arena_alloc(arena, TEXT);
    for (size_t i = 0; i < VALUE; i++)
        value[i] = "aB3dE6gH9j"[i % 10];
    value[VALUE - 1] = '_';
    for (size_t i = 0; i < TEXT; i++)
        text[i] = "aB3dE6gH9j"[i % 10];
    struct str secret = str_fmt(arena,
                                "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: web}\n"
                                "stringData: {password: %.*s}\n",
                                VALUE, value);
    const struct leak_index *index = indexed(arena, str_c(arena, secret));
    struct leak_hit hit;
    cr_expect(leak_find(index, (struct str){text, TEXT}, &hit));
    cr_expect_not(leak_find(index, (struct str){text, VALUE + 10}, &hit), "two places are no matter");
    arena_free(arena);
}
