/* What is remembered, when it stops to hold, and that it tells nothing. */
#include <criterion/criterion.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/base64.h"
#include "core/base/files.h"
#include "core/secrets/memory.h"
#include "tests/harness/program.h"

static struct arena *arena;
static const char *folder;
static struct err err;

static void set_up(void)
{
    arena = arena_new();
    folder = temp_folder(arena);
    err = (struct err){0};
}

static void tear_down(void)
{
    temp_remove(folder);
    arena_free(arena);
}

TestSuite(memory, .init = set_up, .fini = tear_down);

static struct secret_entry entry = {{"password", 8}, {"hunter22", 8}};

static struct secrets_memory *opened(void)
{
    struct secrets_memory *memory;
    cr_assert(secrets_memory_open(arena, str_of(folder), &memory, &err), "%s", err.msg);
    return memory;
}

static struct secrets_subject subject(const char *id)
{
    return (struct secrets_subject){str_of(id), STR("sops age1x"),
                                    VALUE_MAP(arena, {"password", value_cstr(arena, "ENC[…]")})};
}

static void note_and_save(const char *id, bool keep)
{
    struct secrets_memory *memory = opened();
    struct secrets_subject one = subject(id);
    struct secret_entries entries = {&entry, 1, 1};
    secrets_memory_note(memory, &one, &entries);
    cr_assert(secrets_memory_save(memory, keep, &err), "%s", err.msg);
    secrets_memory_close(memory);
}

static struct str kept_file(const char *name)
{
    struct str text = STR_NONE;
    cr_assert(
        file_read(arena, str_c(arena, str_fmt(arena, "%s/secrets/%s", folder, name)), 1 << 20, &text, &err),
        "%s", err.msg);
    return text;
}

Test(memory, what_was_noted_is_known_to_the_next_run)
{
    struct secrets_subject one = subject("prod/shop/db");
    cr_expect_not(secrets_memory_knows(opened(), &one));
    note_and_save("prod/shop/db", false);
    struct secrets_memory *memory = opened();
    cr_expect(secrets_memory_knows(memory, &one));
    cr_expect(secrets_memory_has_value(memory, one.id, &entry));
    cr_expect_eq(secrets_memory_values(memory, one.id), 1);
}

Test(memory, any_other_place_value_cipher_or_setting_is_unknown)
{
    note_and_save("prod/shop/db", false);
    struct secrets_memory *memory = opened();
    struct secrets_subject other = subject("dev/shop/db"), cipher = subject("prod/shop/db"),
                           settings = cipher;
    struct secret_entry value = {entry.key, STR("hunter23")}, key = {STR("user"), entry.value};
    cipher.cipher = VALUE_MAP(arena, {"password", value_cstr(arena, "ENC[other]")});
    settings.settings = STR("sops age1y");
    cr_expect_not(secrets_memory_knows(memory, &other));
    cr_expect_not(secrets_memory_knows(memory, &cipher));
    cr_expect_not(secrets_memory_knows(memory, &settings));
    cr_expect_not(secrets_memory_has_value(memory, other.id, &entry));
    cr_expect_not(secrets_memory_has_value(memory, cipher.id, &value));
    cr_expect_not(secrets_memory_has_value(memory, cipher.id, &key));
}

Test(memory, its_files_are_ours_alone_and_hold_no_value)
{
    note_and_save("prod/shop/db", false);
    struct stat status;
    static const char *const names[] = {"key", "fingerprints.json"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        cr_assert_eq(stat(str_c(arena, str_fmt(arena, "%s/secrets/%s", folder, names[i])), &status), 0);
        cr_expect_eq(status.st_mode & 07777, 0600, "%s", names[i]);
    }
    cr_assert_eq(stat(str_c(arena, str_fmt(arena, "%s/secrets", folder)), &status), 0);
    cr_expect_eq(status.st_mode & 07777, 0700);
    cr_expect_not(str_contains(kept_file("fingerprints.json"), entry.value));
    cr_expect_not(
        str_contains(kept_file("fingerprints.json"), base64_encode(arena, entry.value, BASE64_STANDARD)));
    cr_expect(str_is(kept_file(".gitignore"), "*\n"), "a state folder inside a repository is not committed");
}

/* The same value under two keys: who has only the fingerprints cannot try values out. */
Test(memory, another_key_means_other_fingerprints)
{
    note_and_save("prod/shop/db", false);
    struct str first = kept_file("fingerprints.json");
    temp_remove(folder);
    folder = temp_folder(arena);
    note_and_save("prod/shop/db", false);
    cr_expect_not(str_eq(first, kept_file("fingerprints.json")));
}

Test(memory, what_is_lost_or_damaged_is_begun_anew)
{
    static const char *const damages[] = {"", "{", "{\"version\":2,\"secrets\":{}}",
                                          "{\"version\":1,\"secrets\":[]}"};
    struct secrets_subject one = subject("prod/shop/db");
    for (size_t i = 0; i < COUNT_OF(damages); i++) {
        note_and_save("prod/shop/db", false);
        cr_assert(file_write(str_c(arena, str_fmt(arena, "%s/secrets/fingerprints.json", folder)),
                             str_of(damages[i]), 0600, &err));
        cr_expect_not(secrets_memory_knows(opened(), &one), "%s", damages[i]);
    }
    note_and_save("prod/shop/db", false);
    cr_assert(file_write(str_c(arena, str_fmt(arena, "%s/secrets/key", folder)), STR("short"), 0600, &err));
    cr_expect_not(secrets_memory_knows(opened(), &one));
}

Test(memory, a_part_of_the_secrets_leaves_the_others_known)
{
    note_and_save("prod/shop/b", false);
    note_and_save("prod/shop/a", true);
    note_and_save("prod/shop/c", true);
    struct secrets_subject a = subject("prod/shop/a"), b = subject("prod/shop/b"), c = subject("prod/shop/c");
    cr_expect(secrets_memory_knows(opened(), &a) && secrets_memory_knows(opened(), &b) &&
              secrets_memory_knows(opened(), &c));
    note_and_save("prod/shop/c", false);
    cr_expect_not(secrets_memory_knows(opened(), &a));
}

Test(memory, without_a_state_folder_nothing_is_kept)
{
    struct secrets_memory *memory;
    struct secrets_subject one = subject("prod/shop/db");
    struct secret_entries entries = {&entry, 1, 1};
    cr_assert(secrets_memory_open(arena, STR_NONE, &memory, &err), "%s", err.msg);
    secrets_memory_note(memory, &one, &entries);
    cr_expect(secrets_memory_save(memory, false, &err), "%s", err.msg);
    cr_expect_not(secrets_memory_knows(memory, &one));
}
