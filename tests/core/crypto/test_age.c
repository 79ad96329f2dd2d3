/* The published vectors of the format, files of our own, and everything that was changed on the way. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <string.h>
#include <zlib.h>

#include "core/base/files.h"
#include "core/base/sha256.h"
#include "core/crypto/age.h"

static struct arena *arena;
static struct err err;

static void set_up(void)
{
    arena = arena_new();
    err = (struct err){0};
}

static void tear_down(void)
{
    arena_free(arena);
}

TestSuite(age, .init = set_up, .fini = tear_down);

/* ---- vectors: a head of "key: value" lines, an empty line, the file ---- */

struct vector {
    struct str expect, payload, armored, compressed, file;
    struct age_identities identities;
};

static struct str inflated(struct str bytes)
{
    uLongf len = 32 << 20;
    Bytef *out = arena_alloc(arena, len);
    cr_assert_eq(uncompress(out, &len, (const Bytef *)bytes.ptr, bytes.len), Z_OK);
    return (struct str){(const char *)out, len};
}

static struct vector read_vector(const char *path)
{
    struct vector v = {0};
    struct str_list keys = {0};
    cr_assert(file_read(arena, path, 8 << 20, &v.file, &err), "%s", err.msg);
    for (struct str line; (line = str_cut(&v.file, '\n')).len != 0;) {
        struct str value = line, key = str_cut(&value, ':');
        value = str_trim(value);
        if (str_is(key, "expect"))
            v.expect = value;
        if (str_is(key, "payload"))
            v.payload = value;
        if (str_is(key, "armored"))
            v.armored = value;
        if (str_is(key, "compressed"))
            v.compressed = value;
        if (str_is(key, "identity"))
            *ARENA_PUSH(arena, &keys) = value;
    }
    if (v.compressed.len != 0)
        v.file = inflated(v.file);
    struct str text = str_join(arena, keys.items, keys.count, STR("\n"));
    if (!age_identities_parse(arena, text, STR("vector"), &v.identities, &err))
        v.identities = (struct age_identities){0};
    return v;
}

static struct str outcome(const struct vector *v, struct str *plain)
{
    struct str file = v->file;
    if (v->armored.len != 0 && !age_dearmor(arena, v->file, &file, &err))
        return STR("armor failure");
    if (age_open(arena, &v->identities, file, plain, &err))
        return STR("success");
    if (err.code == ERR_DENIED)
        return STR("no match");
    /* The nonce of the payload counts as part of the header. */
    struct str message = str_of(err.msg);
    if (str_contains(message, STR("was changed after it was written")))
        return STR("HMAC failure");
    bool payload =
        str_contains(message, STR("the payload")) || str_contains(message, STR("empty last chunk"));
    return payload ? STR("payload failure") : STR("header failure");
}

Test(age, the_published_vectors_end_as_they_should)
{
    DIR *dir = opendir("testdata/age");
    struct dirent *entry;
    size_t count = 0;
    cr_assert(dir);
    while ((entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.' || strcmp(entry->d_name, "README.md") == 0)
            continue;
        struct vector v = read_vector(str_c(arena, str_fmt(arena, "testdata/age/%s", entry->d_name)));
        struct str plain = STR_NONE, got = outcome(&v, &plain);
        cr_expect(str_eq(got, v.expect), "%s: got %.*s (%s), expected %.*s", entry->d_name, STR_ARG(got),
                  err.msg, STR_ARG(v.expect));
        if (str_is(got, "success")) {
            struct sha256 hash = sha256_of(plain);
            cr_expect(str_eq(sha256_hex(arena, &hash), v.payload), "%s: another plaintext", entry->d_name);
        }
        count++;
    }
    closedir(dir);
    cr_expect_geq(count, 90, "%zu vectors", count);
}

/* ---- what we write ---- */

static struct age_identities identities_of(const struct age_identity *identity)
{
    struct age_identities identities = {0};
    *ARENA_PUSH(arena, &identities) = *identity;
    return identities;
}

static struct age_identity new_key(struct age_recipients *recipients)
{
    struct age_identity identity;
    cr_assert(age_keygen(&identity, &err) &&
              age_recipient_of(&identity, ARENA_PUSH(arena, recipients), &err));
    return identity;
}

Test(age, what_is_encrypted_comes_back_for_every_recipient_and_every_length)
{
    static const size_t lengths[] = {0, 1, 15, 16, 65535, 65536, 65537, 131072, 200000};
    struct age_recipients recipients = {0};
    struct age_identity first = new_key(&recipients), second = new_key(&recipients);
    struct age_recipients others = {0};
    struct age_identity stranger = new_key(&others);
    char *bytes = arena_alloc(arena, 200000);
    for (size_t i = 0; i < 200000; i++)
        bytes[i] = (char)(i * 7 + i / 251);

    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        struct str plain = {bytes, lengths[i]}, file, back;
        struct age_identities keys[] = {identities_of(&first), identities_of(&second),
                                        identities_of(&stranger)};
        cr_assert(age_seal(arena, &recipients, plain, &file, &err), "%s", err.msg);
        for (size_t k = 0; k < 2; k++) {
            cr_assert(age_open(arena, &keys[k], file, &back, &err), "%zu bytes: %s", lengths[i], err.msg);
            cr_expect(str_eq(back, plain));
        }
        cr_expect_not(age_open(arena, &keys[2], file, &back, &err));
        cr_expect_eq(err.code, ERR_DENIED);

        struct str text = age_armor(arena, file);
        cr_assert(age_dearmor(arena, text, &back, &err), "%s", err.msg);
        cr_expect(str_eq(back, file));
    }
}

Test(age, the_same_text_never_looks_the_same_twice)
{
    struct age_recipients recipients = {0};
    struct str one, two;
    new_key(&recipients);
    cr_assert(age_seal(arena, &recipients, STR("text"), &one, &err));
    cr_assert(age_seal(arena, &recipients, STR("text"), &two, &err));
    cr_expect_not(str_eq(one, two));
}

Test(age, one_changed_or_missing_byte_is_found_wherever_it_is)
{
    struct age_recipients recipients = {0};
    struct age_identity identity = new_key(&recipients);
    struct age_identities keys = identities_of(&identity);
    struct str file, plain;
    cr_assert(age_seal(arena, &recipients, STR("the quick brown fox"), &file, &err));
    for (size_t i = 0; i < file.len; i++) {
        char *changed = (char *)str_dup(arena, file).ptr;
        changed[i] ^= 1;
        cr_expect_not(age_open(arena, &keys, (struct str){changed, file.len}, &plain, &err), "byte %zu", i);
        cr_expect(err.code == ERR_CORRUPT || err.code == ERR_DENIED);
        cr_expect_not(age_open(arena, &keys, str_slice(file, 0, i), &plain, &err), "cut at %zu", i);
    }
}

/* ---- keys ---- */

Test(age, a_key_reads_back_from_its_text)
{
    struct age_recipients recipients = {0};
    struct age_identity identity = new_key(&recipients);
    struct age_identities back;
    struct age_recipient again;
    struct str secret = age_identity_text(arena, &identity);
    struct str text = str_fmt(arena, "# created today\n\n%.*s\r\n", STR_ARG(secret));
    cr_assert(age_identities_parse(arena, text, STR("key.txt"), &back, &err), "%s", err.msg);
    cr_expect_eq(back.count, 1);
    cr_expect_eq(memcmp(&back.items[0], &identity, sizeof identity), 0);
    cr_assert(age_recipient_parse(age_recipient_text(arena, &recipients.items[0]), &again, &err));
    cr_expect_eq(memcmp(&again, &recipients.items[0], sizeof again), 0);
}

Test(age, no_message_holds_a_secret_key)
{
    const char *secret = "AGE-SECRET-KEY-1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2LM0";
    static const char *const files[] = {
        "AGE-SECRET-KEY-1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2LM1", /* mistyped */
        "key: AGE-SECRET-KEY-1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2LM0"};
    struct age_recipient recipient;
    struct age_identities identities;
    cr_expect_not(age_recipient_parse(str_of(secret), &recipient, &err));
    cr_expect_not(str_contains(str_of(err.msg), STR("1EGTZ")), "%s", err.msg);
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        cr_expect_not(age_identities_parse(arena, str_of(files[i]), STR("key.txt"), &identities, &err));
        cr_expect_eq(err.code, ERR_USAGE);
        cr_expect_not(str_contains(str_of(err.msg), STR("1EGTZ")), "%s", err.msg);
    }
}
