/* The commands around Secrets, as a person types them: a key, a repository, another key. */
#include <criterion/criterion.h>
#include <sys/stat.h>

#include "core/base/files.h"
#include "tests/harness/program.h"

static struct arena *arena;
static const char *folder;

static void set_up(void)
{
    arena = arena_new();
    folder = temp_folder(arena);
}

static void tear_down(void)
{
    temp_remove(folder);
    arena_free(arena);
}

TestSuite(cli_secrets, .init = set_up, .fini = tear_down);

#define RUN(...) program_run(arena, "gitops-pipe", folder, (const char *const[]){__VA_ARGS__, NULL}, STR_NONE)

static struct str contents(const char *name)
{
    struct str text = STR_NONE;
    struct err err;
    cr_assert(file_read(arena, str_c(arena, str_fmt(arena, "%s/%s", folder, name)), 1 << 20, &text, &err),
              "%s", err.msg);
    return text;
}

static void put(const char *name, struct str text)
{
    struct err err;
    cr_assert(file_write(str_c(arena, str_fmt(arena, "%s/%s", folder, name)), text, 0644, &err), "%s",
              err.msg);
}

static void configure(struct str recipient)
{
    recipient = str_trim(recipient);
    put("gitops-pipe.yaml",
        str_fmt(arena,
                "apiVersion: gitops-pipe.io/v1\nkind: Pipeline\n"
                "secrets: {mode: sops, recipients: [%.*s]}\nenvironments: [{name: prod}]\n",
                STR_ARG(recipient)));
}

#define DB "repo/overlays/prod/shop/secrets/secret-db.yaml"

Test(cli_secrets, keygen_makes_a_key_for_its_owner_and_never_over_another)
{
    struct stat status;
    struct program_result made = RUN("secrets", "keygen", "age.agekey");
    cr_expect_eq(made.status, 0, "%.*s", STR_ARG(made.err));
    cr_expect(str_starts(made.out, STR("age1")) && made.out.len == 63, "%.*s", STR_ARG(made.out));
    cr_expect_not(str_contains(made.err, STR("AGE-SECRET-KEY")));
    cr_assert_eq(stat(str_c(arena, str_fmt(arena, "%s/age.agekey", folder)), &status), 0);
    cr_expect_eq(status.st_mode & 07777, 0600);
    struct str before = contents("age.agekey");
    cr_expect(str_contains(before, str_trim(made.out)), "the file names its recipient");

    cr_expect_eq(RUN("secrets", "keygen", "age.agekey").status, 5);
    cr_expect(str_eq(contents("age.agekey"), before));
}

Test(cli_secrets, rotate_encrypts_anew_for_others)
{
    struct str first = RUN("secrets", "keygen", "first", "-q").out,
               second = RUN("secrets", "keygen", "second", "-q").out;
    put("in.yaml", STR("apiVersion: v1\nkind: Secret\nmetadata: {name: db, namespace: shop}\n"
                       "stringData: {password: hunter22-marker}\n"));
    configure(first);
    struct program_result result = RUN("convert", "in.yaml", "--out", "repo");
    cr_assert_eq(result.status, 0, "%.*s", STR_ARG(result.err));
    struct str before = contents(DB);

    configure(second);
    result = RUN("secrets", "rotate", "repo");
    cr_expect_eq(result.status, 6, "no identity reads it: %.*s", STR_ARG(result.err));
    result = RUN("secrets", "rotate", "repo", "--identity", "second");
    cr_expect_eq(result.status, 6, "nor does a wrong one: %.*s", STR_ARG(result.err));
    result = RUN("secrets", "rotate", "repo", "--identity", "first", "--dry-run");
    cr_expect_eq(result.status, 0, "%.*s", STR_ARG(result.err));
    cr_expect(str_contains(result.out, STR("1 Secret would be encrypted anew")), "%.*s", STR_ARG(result.out));
    cr_expect(str_eq(contents(DB), before));

    result = RUN("secrets", "rotate", "repo", "--identity", "first");
    cr_expect_eq(result.status, 0, "%.*s", STR_ARG(result.err));
    struct str after = contents(DB);
    cr_expect(str_contains(after, str_trim(second)) && !str_contains(after, str_trim(first)));

    /* And the next night goes on from there, without any identity. */
    cr_expect_eq(RUN("convert", "in.yaml", "--out", "repo").status, 0);
    cr_expect(str_eq(contents(DB), after));
}

Test(cli_secrets, what_is_no_repository_and_no_verb_is_said)
{
    cr_expect_eq(RUN("secrets", "rotate", ".").status, 4);
    cr_expect_eq(RUN("secrets", "melt", "x").status, 2);
    cr_expect_eq(RUN("secrets", "keygen").status, 2);
}
