/* Encrypted backups: read by the right key only, proved without one, and no more work at night than plain ones. */
#include <criterion/criterion.h>
#include <string.h>
#include <sys/stat.h>

#include "backupd/backup.h"
#include "backupd/catalog.h"
#include "backupd/load.h"
#include "backupd/verify.h"
#include "core/keys.h"
#include "tests/backupd/backup_fixture.h"
#include "tests/harness/program.h"

struct sealed_fixture {
    struct backup_fixture f;
    const char *dir;
    struct str recipient;
};

/* A new key, its identity file under `name` in the fixture's folder. */
static struct str new_key(struct sealed_fixture *s, const char *name, unsigned mode)
{
    struct age_identity identity;
    struct age_recipient recipient;
    struct arena *a = s->f.arena;
    cr_assert(age_keygen(&identity, &s->f.err) && age_recipient_of(&identity, &recipient, &s->f.err));
    const char *path = str_c(a, str_fmt(a, "%s/%s", s->dir, name));
    cr_assert(file_write(path, age_identity_text(a, &identity), mode, &s->f.err), "%s", s->f.err.msg);
    cr_assert_eq(chmod(path, mode), 0);
    return age_recipient_text(a, &recipient);
}

static void identify(struct sealed_fixture *s, const char *name)
{
    s->f.config.identity_file = name ? str_fmt(s->f.arena, "%s/%s", s->dir, name) : STR_NONE;
}

static struct sealed_fixture set_up(void)
{
    struct sealed_fixture s = {.dir = NULL};
    unsetenv(KEYS_ENVIRONMENT);
    backup_fixture_init(&s.f);
    s.dir = temp_folder(s.f.arena);
    s.recipient = new_key(&s, "key.txt", 0600);
    *ARENA_PUSH(s.f.arena, &s.f.config.encrypt_recipients) = s.recipient;
    identify(&s, "key.txt");
    return s;
}

static void tear_down(struct sealed_fixture *s)
{
    temp_remove(s->dir);
    backup_fixture_done(&s->f);
}

static void back_up(struct sealed_fixture *s)
{
    backup_fixture_next_run(&s->f);
    cr_assert(backup_stage(&s->f.run, &s->f.bundle, &s->f.err), "%s", s->f.err.msg);
}

static bool load(struct sealed_fixture *s, struct bundle *ret_bundle)
{
    backup_fixture_next_run(&s->f);
    return backup_load(&s->f.run, STR_NONE, STR("latest"), ret_bundle, &s->f.err);
}

static int64_t packs(struct sealed_fixture *s, const char *which)
{
    return backup_fixture_number(&s->f, PATH("backup", "packs", which));
}

Test(seal, a_backup_comes_back_for_its_recipients)
{
    struct sealed_fixture s = set_up();
    struct bundle loaded;
    back_up(&s);
    cr_assert(load(&s, &loaded), "%s", s.f.err.msg);
    cr_assert_eq(loaded.count, s.f.bundle.count);
    for (size_t i = 0; i < loaded.count; i++)
        cr_expect(value_equal(loaded.items[i].object, s.f.bundle.items[i].object));
    tear_down(&s);
}

Test(seal, nothing_of_an_object_is_readable_in_the_store)
{
    static const char *const secrets[] = {"c2VjcmV0", "password", "replicas"};
    struct sealed_fixture s = set_up();
    struct store_page page;
    back_up(&s);
    cr_assert(store_list(s.f.inner, s.f.arena, STR_NONE, STR_NONE, 1000, &page, &s.f.err));
    cr_assert_gt(page.count, 4);
    for (size_t i = 0; i < page.count; i++) {
        struct str bytes;
        cr_assert(store_get(s.f.inner, s.f.arena, page.items[i].key, 1 << 20, &bytes, &s.f.err));
        bool pack = str_starts(page.items[i].key, STR("packs/"));
        cr_expect(!pack || (str_ends(page.items[i].key, STR(".tar.zst.age")) &&
                            str_starts(bytes, STR("age-encryption.org/v1\n"))));
        for (size_t k = 0; k < COUNT_OF(secrets); k++)
            cr_expect_not(str_contains(bytes, str_of(secrets[k])), "%.*s", STR_ARG(page.items[i].key));
    }
    tear_down(&s);
}

Test(seal, an_unchanged_cluster_is_not_sent_again)
{
    struct sealed_fixture s = set_up();
    back_up(&s);
    cr_expect_eq(packs(&s, "new"), 4);
    back_up(&s);
    cr_expect_eq(packs(&s, "new"), 0);
    cr_expect_eq(packs(&s, "unchanged"), 4);
    cr_expect_eq(backup_fixture_count(&s.f, "packs/"), 4);
    backup_fixture_add(
        &s.f, "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"three\",\"namespace\":"
              "\"web\"}}");
    back_up(&s);
    cr_expect_eq(packs(&s, "new"), 1);
    cr_expect_eq(packs(&s, "unchanged"), 3);
    tear_down(&s);
}

Test(seal, other_recipients_get_packs_of_their_own)
{
    struct sealed_fixture s = set_up();
    struct bundle loaded;
    back_up(&s);
    *ARENA_PUSH(s.f.arena, &s.f.config.encrypt_recipients) = new_key(&s, "second.txt", 0600);
    back_up(&s);
    cr_expect_eq(packs(&s, "new"), 4, "whoever joined cannot read the old ones");
    identify(&s, "second.txt");
    cr_expect(load(&s, &loaded), "%s", s.f.err.msg);
    identify(&s, "key.txt");
    cr_expect(load(&s, &loaded), "%s", s.f.err.msg);
    tear_down(&s);
}

Test(seal, without_the_right_key_nothing_is_read_and_the_message_says_what_to_do)
{
    static const struct {
        const char *identity; /* NULL: none is named */
        unsigned mode;
        enum err_code code;
        const char *says;
    } cases[] = {
        {NULL, 0, ERR_DENIED, "no age identity is named"},
        {"stranger.txt", 0600, ERR_DENIED, "none of the identities can read it"},
        {"open.txt", 0644, ERR_DENIED, "can be read by others"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct sealed_fixture s = set_up();
        struct bundle loaded;
        back_up(&s);
        if (cases[i].identity)
            new_key(&s, cases[i].identity, cases[i].mode);
        identify(&s, cases[i].identity);
        cr_expect_not(load(&s, &loaded));
        cr_expect_eq(s.f.err.code, cases[i].code, "%s", s.f.err.msg);
        cr_expect(str_contains(str_of(s.f.err.msg), str_of(cases[i].says)), "%s", s.f.err.msg);
        cr_expect(s.f.err.next[0] != '\0');
        tear_down(&s);
    }
}

Test(seal, the_environment_may_hold_the_key)
{
    struct sealed_fixture s = set_up();
    struct bundle loaded;
    struct str secret;
    back_up(&s);
    cr_assert(file_read(s.f.arena, str_c(s.f.arena, s.f.config.identity_file), 4096, &secret, &s.f.err));
    identify(&s, NULL);
    setenv(KEYS_ENVIRONMENT, str_c(s.f.arena, secret), 1);
    cr_expect(load(&s, &loaded), "%s", s.f.err.msg);
    unsetenv(KEYS_ENVIRONMENT);
    tear_down(&s);
}

/* Who watches over backups needs no key to see that they are whole. */
Test(seal, a_flipped_bit_is_found_without_a_key)
{
    struct sealed_fixture s = set_up();
    bool clean = false;
    back_up(&s);
    identify(&s, NULL);
    backup_fixture_next_run(&s.f);
    cr_assert(backup_verify(&s.f.run, STR_NONE, STR("latest"), &clean, &s.f.err), "%s", s.f.err.msg);
    cr_expect(clean);

    struct str key = backup_fixture_pack_key(&s.f, "shop"), bytes;
    cr_assert(store_get(s.f.inner, s.f.arena, key, 1 << 20, &bytes, &s.f.err));
    char *changed = (char *)str_dup(s.f.arena, bytes).ptr;
    changed[bytes.len / 2] ^= 1;
    cr_assert(store_put(s.f.inner, s.f.arena, key, (struct str){changed, bytes.len}, NULL, &s.f.err));
    backup_fixture_next_run(&s.f);
    cr_assert(backup_verify(&s.f.run, STR_NONE, STR("latest"), &clean, &s.f.err), "%s", s.f.err.msg);
    cr_expect_not(clean);

    identify(&s, "key.txt");
    back_up(&s);
    cr_expect_eq(packs(&s, "repaired"), 1, "the next backup sends that pack anew");
    backup_fixture_next_run(&s.f);
    cr_assert(backup_verify(&s.f.run, STR_NONE, STR("latest"), &clean, &s.f.err), "%s", s.f.err.msg);
    cr_expect(clean);
    tear_down(&s);
}

Test(seal, a_recipient_that_is_none_is_refused_before_anything_is_written)
{
    static const char *const texts[] = {
        "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwk", "ssh-ed25519 AAAA",
        "AGE-SECRET-KEY-1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2LM0"};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct sealed_fixture s = set_up();
        s.f.config.encrypt_recipients.items[0] = str_of(texts[i]);
        backup_fixture_next_run(&s.f);
        cr_expect_not(backup_stage(&s.f.run, &s.f.bundle, &s.f.err));
        cr_expect_eq(s.f.err.code, ERR_USAGE);
        cr_expect(str_contains(str_of(s.f.err.msg), STR("encrypt.recipients")), "%s", s.f.err.msg);
        cr_expect_not(str_contains(str_of(s.f.err.msg), STR("1EGTZ")), "%s", s.f.err.msg);
        cr_expect_eq(backup_fixture_count(&s.f, ""), 0);
        tear_down(&s);
    }
}
