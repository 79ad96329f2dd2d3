/* Documents there and back, what stays as it was, what real sops wrote, and everything that was changed on the way. */
#include <criterion/criterion.h>
#include <string.h>

#include "core/base/files.h"
#include "core/base/json.h"
#include "core/base/pointer.h"
#include "core/base/yaml.h"
#include "core/crypto/sops.h"
#include "core/crypto/sops_leaf.h"

static struct arena *arena;
static struct err err;
static struct age_identities mine, theirs;
static struct str my_recipient, their_recipient;

static void make_key(struct age_identities *identities, struct str *recipient)
{
    struct age_recipient public;
    struct age_identity *identity = ARENA_PUSH(arena, identities);
    cr_assert(age_keygen(identity, &err) && age_recipient_of(identity, &public, &err), "%s", err.msg);
    *recipient = age_recipient_text(arena, &public);
}

static void set_up(void)
{
    arena = arena_new();
    err = (struct err){0};
    mine = theirs = (struct age_identities){0};
    make_key(&mine, &my_recipient);
    make_key(&theirs, &their_recipient);
}

static void tear_down(void)
{
    arena_free(arena);
}

TestSuite(sops, .init = set_up, .fini = tear_down);

static const char SECRET[] =
    "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":\"db\",\"labels\":{\"data\":\"x\"}},"
    "\"data\":{\"empty\":\"\",\"none\":null,\"password\":\"aHVudGVyMjI=\",\"user\":\"c2hvcA==\"},"
    "\"stringData\":{\"list\":[\"a\",1,1.5,true,false,{\"deep\":\"b\"}]}}";

static const struct value *json(const char *text)
{
    const struct value *value;
    cr_assert(json_parse(arena, str_of(text), NULL, &value, &err), "%s", err.msg);
    return value;
}

static struct sops_how how(const struct value *earlier)
{
    struct sops_how how = {.now_ms = 1700000000000, .earlier = earlier, .identities = &mine};
    *ARENA_PUSH(arena, &how.recipients) = my_recipient;
    return how;
}

static const struct value *encrypted(const struct value *document, const struct value *earlier)
{
    struct sops_how options = how(earlier);
    const struct value *result;
    cr_assert(sops_encrypt(arena, document, &options, &result, &err), "%s", err.msg);
    return result;
}

static void expect_back(const struct value *document, const struct value *want)
{
    const struct value *plain;
    cr_assert(sops_decrypt(arena, document, &mine, &plain, &err), "%s", err.msg);
    cr_expect(value_equal(plain, want), "%.*s", STR_ARG(json_text(arena, plain)));
}

Test(sops, a_document_comes_back_value_for_value)
{
    const struct value *plain = json(SECRET), *hidden = encrypted(plain, NULL);
    struct str text = json_text(arena, hidden);
    cr_expect(sops_is_encrypted(hidden));
    cr_expect_not(sops_is_encrypted(plain));
    cr_expect_not(str_contains(text, STR("aHVudGVyMjI=")));
    cr_expect_not(str_contains(text, STR("c2hvcA==")));
    cr_expect(str_is(value_str_in(hidden, PATH("metadata", "name")), "db"), "names stay readable");
    expect_back(hidden, plain);
}

/* "labels.data" has a key that is called data, and so is encrypted too, as sops does it. */
Test(sops, every_value_below_a_matching_key_is_encrypted_and_none_else)
{
    const struct value *hidden = encrypted(json(SECRET), NULL);
    cr_expect(str_starts(value_str_in(hidden, PATH("metadata", "labels", "data")), STR("ENC[")));
    cr_expect(str_is(value_str(value_key(hidden, "kind")), "Secret"));
    cr_expect(str_is(value_str_in(hidden, PATH("data", "empty")), ""), "sops keeps an empty text");
    VALUE_EACH(item, value_in(hidden, PATH("stringData", "list")))
        if (!value_is(item, VALUE_MAP))
            cr_expect(str_starts(value_str(item), STR("ENC[")));
}

Test(sops, two_documents_share_neither_key_nor_nonce)
{
    const struct value *a = encrypted(json(SECRET), NULL), *b = encrypted(json(SECRET), NULL);
    cr_expect_not(value_equal(value_key(a, "data"), value_key(b, "data")));
    cr_expect_not(value_equal(value_in(a, PATH("sops", "age")), value_in(b, PATH("sops", "age"))));
}

Test(sops, what_did_not_change_stays_byte_for_byte)
{
    const struct value *plain = json(SECRET), *first = encrypted(plain, NULL),
                       *second = encrypted(plain, first);
    cr_expect(str_eq(json_text(arena, first), json_text(arena, second)));

    const struct value *changed =
        value_with_in(arena, plain, PATH("data", "password"), value_cstr(arena, "bmV3"));
    const struct value *third = encrypted(changed, first);
    cr_expect(str_eq(value_str_in(third, PATH("data", "user")), value_str_in(first, PATH("data", "user"))));
    cr_expect_not(
        str_eq(value_str_in(third, PATH("data", "password")), value_str_in(first, PATH("data", "password"))));
    cr_expect_not(value_equal(value_in(third, PATH("sops", "mac")), value_in(first, PATH("sops", "mac"))));
    expect_back(third, changed);

    const struct value *fewer = value_without_in(arena, plain, PATH("data", "user"));
    expect_back(encrypted(fewer, first), fewer);
    const struct value *labelled =
        value_with_in(arena, plain, PATH("metadata", "name"), value_cstr(arena, "other"));
    const struct value *fourth = encrypted(labelled, first);
    cr_expect(value_equal(value_key(fourth, "sops"), value_key(first, "sops")), "what is readable is free");
    expect_back(fourth, labelled);
}

Test(sops, other_recipients_mean_another_data_key)
{
    const struct value *plain = json(SECRET), *first = encrypted(plain, NULL), *second, *ignored;
    struct sops_how options = how(first);
    *ARENA_PUSH(arena, &options.recipients) = their_recipient;
    cr_assert(sops_encrypt(arena, plain, &options, &second, &err), "%s", err.msg);
    cr_expect_not(
        str_eq(value_str_in(first, PATH("data", "user")), value_str_in(second, PATH("data", "user"))));
    cr_expect(sops_is_for(second, &options.recipients));
    cr_expect_not(sops_is_for(first, &options.recipients));
    cr_expect(sops_decrypt(arena, second, &theirs, &ignored, &err), "%s", err.msg);
    cr_expect_not(sops_decrypt(arena, first, &theirs, &ignored, &err));
    cr_expect_eq(err.code, ERR_DENIED);
}

Test(sops, whatever_is_changed_moved_or_taken_away_is_found)
{
    const struct value *plain = json(SECRET), *hidden = encrypted(plain, NULL), *ignored;
    const struct value *user = value_in(hidden, PATH("data", "user")),
                       *password = value_in(hidden, PATH("data", "password"));
    const struct value *moved = value_with_in(arena, hidden, PATH("data", "user"), password);
    moved = value_with_in(arena, moved, PATH("data", "password"), user);
    const struct value *cases[] = {
        moved,
        value_without_in(arena, hidden, PATH("data", "user")),
        value_with_in(arena, hidden, PATH("data", "more"), user),
        value_with_in(arena, hidden, PATH("data", "user"), value_cstr(arena, "cGxhaW4=")),
        value_with_in(arena, hidden, PATH("data", "none"), value_cstr(arena, "cGxhaW4=")),
        value_with_in(arena, hidden, PATH("sops", "lastmodified"), value_cstr(arena, "2020-01-01T00:00:00Z")),
        value_with_in(arena, hidden, PATH("sops", "mac"), user),
        value_without_in(arena, hidden, PATH("sops", "mac")),
        value_without_in(arena, hidden, PATH("sops", "age")),
        value_with_in(arena, hidden, PATH("sops", "mac_only_encrypted"), value_bool(arena, false)),
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        cr_expect_not(sops_decrypt(arena, cases[i], &mine, &ignored, &err), "case %zu", i);
        cr_expect(err.code == ERR_CORRUPT || err.code == ERR_INVALID, "case %zu: %s", i, err.msg);
        cr_expect_null(strstr(err.msg, "hunter22"));
    }
}

Test(sops, keys_that_are_none_are_refused)
{
    struct sops_how options = {.now_ms = 1};
    const struct value *ignored;
    cr_expect_not(sops_encrypt(arena, json(SECRET), &options, &ignored, &err));
    cr_expect_eq(err.code, ERR_USAGE);
    *ARENA_PUSH(arena, &options.recipients) = age_identity_text(arena, &mine.items[0]);
    cr_expect_not(sops_encrypt(arena, json(SECRET), &options, &ignored, &err));
    cr_expect_eq(err.code, ERR_USAGE);
    cr_expect_null(strstr(err.msg, "AGE-SECRET-KEY"), "a key in the wrong place is not repeated");
}

/* Written by sops 3.13.3; testdata/sops/README.md says how. */
Test(sops, what_sops_wrote_is_read)
{
    static const char *const names[] = {"all", "regex", "suffix", "unencrypted-regex", "mac-only"};
    struct age_identities identities;
    struct str text, key;
    cr_assert(file_read(arena, "testdata/sops/age.agekey", 4096, &key, &err) &&
                  age_identities_parse(arena, key, STR("age.agekey"), &identities, &err),
              "%s", err.msg);
    struct yaml_documents want, have;
    cr_assert(file_read(arena, "testdata/sops/plain.yaml", 1 << 20, &text, &err) &&
                  yaml_parse(arena, text, STR("plain.yaml"), &want, &err),
              "%s", err.msg);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const char *path = str_c(arena, str_fmt(arena, "testdata/sops/%s.yaml", names[i]));
        const struct value *plain;
        cr_assert(file_read(arena, path, 1 << 20, &text, &err) &&
                      yaml_parse(arena, text, str_of(path), &have, &err),
                  "%s", err.msg);
        cr_assert(sops_decrypt(arena, have.items[0].root, &identities, &plain, &err), "%s: %s", path,
                  err.msg);
        cr_expect(value_equal(plain, want.items[0].root), "%s: %.*s", path, STR_ARG(json_text(arena, plain)));
    }
}

Test(sops, patterns_that_could_cost_without_bound_are_refused)
{
    static const char *const patterns[] = {"(a{1,200}){1,200}", "(a*)*\\1", "["};
    const struct value *hidden = encrypted(json(SECRET), NULL), *ignored;
    for (size_t i = 0; i < COUNT_OF(patterns); i++) {
        const struct value *document =
            value_with_in(arena, hidden, PATH("sops", "encrypted_regex"), value_cstr(arena, patterns[i]));
        cr_expect_not(sops_decrypt(arena, document, &mine, &ignored, &err));
        cr_expect_eq(err.code, ERR_INVALID, "%s", patterns[i]);
    }
}

Test(sops, texts_that_sops_never_writes_are_no_values)
{
    static const char *const texts[] = {
        "",
        "ENC[",
        "ENC[]",
        "ENC[AES256_GCM,data:,iv:,tag:,type:str]",
        "ENC[AES256_GCM,data:AAAA,iv:AAAA,tag:AAAA,type:str]",
        "ENC[AES256_GCM,data:AAAA,iv:AAAA,tag:AAAAAAAAAAAAAAAAAAAAAA==,type:]",
        "ENC[AES256_GCM,data:AAAA,iv:AAAA,tag:AAAAAAAAAAAAAAAAAAAAAA==,type:str] ",
        "ENC[AES256_GCM,iv:AAAA,data:AAAA,tag:AAAAAAAAAAAAAAAAAAAAAA==,type:str]",
        "ENC[AES256_GCM,data:A?AA,iv:AAAA,tag:AAAAAAAAAAAAAAAAAAAAAA==,type:str]"};
    struct sops_enc enc;
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        cr_expect_not(sops_enc_parse(arena, str_of(texts[i]), &enc), "%s", texts[i]);
    cr_expect(sops_enc_parse(
        arena, STR("ENC[AES256_GCM,data:AAAA,iv:AAAA,tag:AAAAAAAAAAAAAAAAAAAAAA==,type:str]"), &enc));
}
