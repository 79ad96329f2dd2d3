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

static bool knows(const char *id)
{
    struct secrets_subject one = subject(id);
    struct secrets_print document;
    return secrets_memory_knows(opened(), &one, &document);
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
    struct secret_entry more[] = {entry, {STR("user"), STR("shop")}};
    struct secret_entries all = {&entry, 1, 1}, others = {more, 2, 2}, none = {0};
    struct secrets_print document;
    cr_expect_not(knows("prod/shop/db"));
    note_and_save("prod/shop/db", false);
    struct secrets_memory *memory = opened();
    cr_assert(secrets_memory_knows(memory, &one, &document));
    cr_expect(secrets_memory_has_value(memory, &document, &entry));
    cr_expect(secrets_memory_has_all(memory, &document, &all));
    cr_expect_not(secrets_memory_has_all(memory, &document, &others));
    cr_expect_not(secrets_memory_has_all(memory, &document, &none));
}

Test(memory, any_other_place_value_cipher_or_setting_is_unknown)
{
    note_and_save("prod/shop/db", false);
    struct secrets_memory *memory = opened();
    struct secrets_subject one = subject("prod/shop/db"), other = subject("dev/shop/db"), cipher = one,
                           settings = one, nothing = one;
    struct secret_entry value = {entry.key, STR("hunter23")}, key = {STR("user"), entry.value};
    struct secrets_print document, unknown;
    cipher.cipher = VALUE_MAP(arena, {"password", value_cstr(arena, "ENC[other]")});
    settings.settings = STR("sops age1y");
    nothing.cipher = NULL;
    cr_assert(secrets_memory_knows(memory, &one, &document));
    cr_expect_not(secrets_memory_has_value(memory, &document, &value));
    cr_expect_not(secrets_memory_has_value(memory, &document, &key));
    cr_expect_not(secrets_memory_knows(memory, &cipher, &unknown));
    cr_expect_not(secrets_memory_knows(memory, &settings, &unknown));
    cr_expect_not(secrets_memory_knows(memory, &nothing, &unknown));
    cr_expect_not(secrets_memory_knows(memory, &other, &unknown));
    cr_expect_not(secrets_memory_has_value(memory, &unknown, &entry));
}

/* What the repository held before a rotation may come back; the values that came later were not in it. */
Test(memory, a_value_is_remembered_of_the_document_that_it_was_in)
{
    struct secrets_subject now = subject("prod/shop/db"), before = now;
    struct secret_entry later = {entry.key, STR("hunter23")};
    struct secrets_print first, second;
    before.cipher = VALUE_MAP(arena, {"password", value_cstr(arena, "ENC[before]")});
    struct secrets_memory *memory = opened();
    secrets_memory_note(memory, &before, &(struct secret_entries){&entry, 1, 1});
    cr_assert(secrets_memory_save(memory, false, &err));
    memory = opened();
    secrets_memory_note(memory, &now, &(struct secret_entries){&later, 1, 1});
    cr_assert(secrets_memory_save(memory, true, &err));
    memory = opened();
    cr_assert(secrets_memory_knows(memory, &before, &first) && secrets_memory_knows(memory, &now, &second));
    cr_expect(secrets_memory_has_value(memory, &first, &entry));
    cr_expect_not(secrets_memory_has_value(memory, &first, &later));
    cr_expect(secrets_memory_has_value(memory, &second, &later));
    cr_expect_not(secrets_memory_has_value(memory, &second, &entry));
}

Test(memory, its_files_are_ours_alone_and_hold_no_value)
{
    note_and_save("prod/shop/db", false);
    struct stat status;
    static const char *const names[] = {"key", "fingerprints"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        cr_assert_eq(stat(str_c(arena, str_fmt(arena, "%s/secrets/%s", folder, names[i])), &status), 0);
        cr_expect_eq(status.st_mode & 07777, 0600, "%s", names[i]);
    }
    cr_assert_eq(stat(str_c(arena, str_fmt(arena, "%s/secrets", folder)), &status), 0);
    cr_expect_eq(status.st_mode & 07777, 0700);
    cr_expect_not(str_contains(kept_file("fingerprints"), entry.value));
    cr_expect_not(
        str_contains(kept_file("fingerprints"), base64_encode(arena, entry.value, BASE64_STANDARD)));
    cr_expect_not(str_contains(kept_file("fingerprints"), STR("shop")), "nor a name");
    cr_expect(str_is(kept_file(".gitignore"), "*\n"), "a state folder inside a repository is not committed");
}

/* The same value under two keys: who has only the fingerprints cannot try values out. */
Test(memory, another_key_means_other_fingerprints)
{
    note_and_save("prod/shop/db", false);
    struct str first = kept_file("fingerprints");
    temp_remove(folder);
    folder = temp_folder(arena);
    note_and_save("prod/shop/db", false);
    cr_expect_not(str_eq(first, kept_file("fingerprints")));
}

Test(memory, what_is_lost_or_damaged_is_begun_anew)
{
    static const char *const damages[] = {"", "gitops-pipe", "gitops-pipe fingerprints 2\n",
                                          "gitops-pipe fingerprints 2\nnot a whole one",
                                          "gitops-pipe fingerprints 3\nsixteen byte one"};
    for (size_t i = 0; i < COUNT_OF(damages); i++) {
        note_and_save("prod/shop/db", false);
        cr_assert(knows("prod/shop/db"));
        cr_assert(file_write(str_c(arena, str_fmt(arena, "%s/secrets/fingerprints", folder)),
                             str_of(damages[i]), 0600, &err));
        cr_expect_not(knows("prod/shop/db"), "%s", damages[i]);
    }
    note_and_save("prod/shop/db", false);
    cr_assert(file_write(str_c(arena, str_fmt(arena, "%s/secrets/key", folder)), STR("short"), 0600, &err));
    cr_expect_not(knows("prod/shop/db"));
}

Test(memory, a_part_of_the_secrets_leaves_the_others_known)
{
    note_and_save("prod/shop/b", false);
    note_and_save("prod/shop/a", true);
    note_and_save("prod/shop/c", true);
    note_and_save("prod/shop/c", true);
    cr_expect(knows("prod/shop/a") && knows("prod/shop/b") && knows("prod/shop/c"));
    cr_expect_eq(kept_file("fingerprints").len, strlen("gitops-pipe fingerprints 2\n") + (size_t)9 * 16,
                 "a document, a count and a value each, once");
    note_and_save("prod/shop/c", false);
    cr_expect_not(knows("prod/shop/a"));
}

Test(memory, without_a_state_folder_nothing_is_kept)
{
    struct secrets_memory *memory;
    struct secrets_subject one = subject("prod/shop/db");
    struct secret_entries entries = {&entry, 1, 1};
    cr_assert(secrets_memory_open(arena, STR_NONE, &memory, &err), "%s", err.msg);
    secrets_memory_note(memory, &one, &entries);
    cr_expect(secrets_memory_save(memory, false, &err), "%s", err.msg);
    cr_expect_not(secrets_memory_knows(memory, &one, &(struct secrets_print){0}));
}
