/* Sealing and the way back; what the real controller makes of it is in the live tests. */
#include <criterion/criterion.h>
#include <string.h>

#include "core/base/base64.h"
#include "core/base/clock.h"
#include "core/crypto/sealed.h"
#include "tests/harness/certs.h"

static struct arena *arena;
static struct cert pair;
static struct sealed_certificate *certificate;
static struct err err;

static void set_up(void)
{
    arena = arena_new();
    pair = cert_make(arena, &(struct cert_wish){.common_name = "controller", .rsa = true});
    cr_assert(sealed_certificate_open(pair.cert_pem, clock_now_ms(NULL), &certificate, &err), "%s", err.msg);
}

static void tear_down(void)
{
    sealed_certificate_free(certificate);
    arena_free(arena);
}

TestSuite(sealed, .init = set_up, .fini = tear_down);

static struct str sealed(enum sealed_scope scope, const char *value)
{
    struct str text;
    cr_assert(sealed_seal(arena, certificate, scope, STR("shop"), STR("db"), str_of(value), &text, &err),
              "%s", err.msg);
    return text;
}

static bool opens(struct str text, enum sealed_scope scope, const char *namespace, const char *name,
                  struct str *ret_value)
{
    return sealed_open(arena, pair.key_pem, scope, str_of(namespace), str_of(name), text, ret_value, &err);
}

Test(sealed, a_value_comes_back_and_never_seals_to_the_same_text)
{
    static const char *const values[] = {"", "x", "super-secret", "line one\nline two\n"};
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        struct str first = sealed(SEALED_STRICT, values[i]), second = sealed(SEALED_STRICT, values[i]), value;
        cr_expect_not(str_eq(first, second));
        cr_assert(opens(first, SEALED_STRICT, "shop", "db", &value), "%s", err.msg);
        cr_expect(str_is(value, values[i]));
    }
}

Test(sealed, it_opens_nowhere_but_where_its_scope_says)
{
    static const struct {
        enum sealed_scope scope;
        const char *namespace, *name;
        bool opens;
    } cases[] = {
        {SEALED_STRICT, "shop", "db", true},          {SEALED_STRICT, "shop", "other", false},
        {SEALED_STRICT, "bank", "db", false},         {SEALED_NAMESPACE_WIDE, "shop", "other", true},
        {SEALED_NAMESPACE_WIDE, "bank", "db", false}, {SEALED_CLUSTER_WIDE, "bank", "other", true},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct str value, text = sealed(cases[i].scope, "v");
        cr_expect_eq(opens(text, cases[i].scope, cases[i].namespace, cases[i].name, &value), cases[i].opens,
                     "case %zu", i);
    }
}

/* Length of the wrapped key, the wrapped key, the value and its tag. */
Test(sealed, the_layout_is_that_of_the_controller)
{
    struct str bytes;
    cr_assert(base64_decode(arena, sealed(SEALED_STRICT, "12345"), BASE64_STANDARD, &bytes));
    cr_expect_eq(bytes.len, 2 + 256 + 5 + 16);
    cr_expect_eq((unsigned char)bytes.ptr[0] << 8 | (unsigned char)bytes.ptr[1], 256);
}

Test(sealed, what_was_changed_does_not_open)
{
    struct str bytes, value;
    cr_assert(base64_decode(arena, sealed(SEALED_STRICT, "12345"), BASE64_STANDARD, &bytes));
    for (size_t at = 0; at < bytes.len; at += 13) {
        char *copy = (char *)str_dup(arena, bytes).ptr;
        copy[at] ^= 1;
        struct str text = base64_encode(arena, (struct str){copy, bytes.len}, BASE64_STANDARD);
        cr_expect_not(opens(text, SEALED_STRICT, "shop", "db", &value), "byte %zu", at);
        cr_expect_eq(err.code, ERR_CORRUPT);
    }
    for (size_t len = 0; len < bytes.len; len += 31) {
        struct str text = base64_encode(arena, str_slice(bytes, 0, len), BASE64_STANDARD);
        cr_expect_not(opens(text, SEALED_STRICT, "shop", "db", &value), "first %zu bytes", len);
    }
    cr_expect_not(opens(STR("no base64!"), SEALED_STRICT, "shop", "db", &value));
}

Test(sealed, certificates_that_cannot_serve_are_named)
{
    struct cert expired = cert_make(
        arena, &(struct cert_wish){.common_name = "old", .rsa = true, .from_days = -9, .to_days = -1});
    struct cert elliptic = cert_make(arena, &(struct cert_wish){.common_name = "ec"});
    const struct {
        struct str pem;
        enum err_code code;
    } cases[] = {{expired.cert_pem, ERR_DENIED},
                 {elliptic.cert_pem, ERR_USAGE},
                 {pair.key_pem, ERR_USAGE},
                 {STR_NONE, ERR_USAGE},
                 {STR("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), ERR_USAGE}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct sealed_certificate *ignored;
        cr_expect_not(sealed_certificate_open(cases[i].pem, clock_now_ms(NULL), &ignored, &err), "case %zu",
                      i);
        cr_expect_eq(err.code, cases[i].code, "case %zu: %s", i, err.msg);
    }
}
