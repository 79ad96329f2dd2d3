/* Every folder of testdata/transform is a case: in.yaml (or .json), as a cluster or a person has it, must become
 * want.yaml (nothing at all where there is none), with the findings of findings.txt. config.yaml is the configuration of
 * the case, where it needs one. A new folder is a new test; UPDATE=1 writes what comes out as what is wanted. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/files.h"
#include "core/base/json.h"
#include "tests/transform/fixture.h"
#include "transform/verify.h"

#define CASES "testdata/transform"

typedef void (*case_fn)(struct transform_fixture *fixture, const char *folder);

static void path_in(char *path, size_t size, const char *folder, const char *file)
{
    snprintf(path, size, CASES "/%s/%s", folder, file);
}

static void read_input(struct transform_fixture *fixture, const char *folder)
{
    char path[512];
    path_in(path, sizeof path, folder, "in.yaml");
    if (access(path, R_OK) != 0)
        path_in(path, sizeof path, folder, "in.json");
    cr_assert(transform_fixture_read(fixture, path), "%s: %s", path, fixture->err.msg);
    cr_expect_eq(fixture->bundle.problems.count, 0, "%s holds what cannot be read: %.*s", path,
                 STR_ARG(fixture->bundle.problems.items[0]));
}

/* Of the transform's settings only: a case has no store and no cluster. */
static void read_config(struct transform_fixture *fixture, const char *folder)
{
    char path[512];
    struct config config;
    path_in(path, sizeof path, folder, "config.yaml");
    if (access(path, R_OK) != 0)
        return;
    cr_assert(config_read(fixture->arena, path, &config, &fixture->err), "%s", fixture->err.msg);
    config.secrets.mode = SECRETS_OMIT;
    fixture->config = config;
}

static size_t for_each_case(case_fn check)
{
    struct dirent **entries;
    int count = scandir(CASES, &entries, NULL, alphasort);
    size_t cases = 0;
    cr_assert_gt(count, 0, "there is no %s", CASES);
    for (int i = 0; i < count; i++) {
        const char *folder = entries[i]->d_name;
        if (folder[0] != '.') {
            struct transform_fixture fixture;
            transform_fixture_init(&fixture);
            read_config(&fixture, folder);
            read_input(&fixture, folder);
            check(&fixture, folder);
            transform_fixture_done(&fixture);
            cases++;
        }
        free(entries[i]);
    }
    free(entries);
    return cases;
}

/* Line by line, so that a failure shows the first difference and not two files. */
static void expect_same(const char *folder, const char *what, const char *got, const char *want)
{
    size_t line = 1;
    const char *g = got, *w = want;
    for (; *g && *g == *w; g++, w++)
        line += *g == '\n';
    while (g > got && g[-1] != '\n') {
        g--;
        w--;
    }
    cr_expect(strcmp(got, want) == 0, "%s: %s differs at line %zu\n  got:  %.*s\n  want: %.*s", folder, what,
              line, (int)strcspn(g, "\n"), g, (int)strcspn(w, "\n"), w);
}

/* What comes out becomes what is wanted, where nothing was said yet: read it before it is kept. */
static void write_case(struct transform_fixture *fixture, const char *folder)
{
    char path[512];
    const char *all = transform_fixture_all(fixture), *findings = transform_fixture_findings(fixture);
    path_in(path, sizeof path, folder, "want.yaml");
    if (access(path, F_OK) != 0 && all[0] != '\0')
        cr_assert(file_write(path, str_of(all), 0644, &fixture->err), "%s", fixture->err.msg);
    path_in(path, sizeof path, folder, "findings.txt");
    if (access(path, F_OK) != 0 && findings[0] != '\0')
        cr_assert(file_write(path, str_of(findings), 0644, &fixture->err), "%s", fixture->err.msg);
}

static void check_want(struct transform_fixture *fixture, const char *folder)
{
    char path[512];
    struct transform_fixture want;
    transform_fixture_init(&want);
    path_in(path, sizeof path, folder, "want.yaml");
    if (access(path, F_OK) == 0)
        cr_assert(transform_fixture_read(&want, path), "%s: %s", path, want.err.msg);
    bundle_sort(&want.bundle);

    cr_expect(transform_fixture_run(fixture), "%s: %s", folder, fixture->err.msg);
    if (getenv("UPDATE"))
        write_case(fixture, folder);

    expect_same(folder, "result", transform_fixture_all(fixture), transform_fixture_all(&want));
    transform_fixture_done(&want);

    struct str findings;
    struct err err;
    path_in(path, sizeof path, folder, "findings.txt");
    if (file_read(fixture->arena, path, 1 << 20, &findings, &err))
        expect_same(folder, "findings", transform_fixture_findings(fixture), str_c(fixture->arena, findings));
}

Test(transform_golden, every_case_becomes_what_it_should)
{
    cr_expect_gt(for_each_case(check_want), 20);
}

static void check_twice(struct transform_fixture *fixture, const char *folder)
{
    cr_assert(transform_fixture_run(fixture), "%s: %s", folder, fixture->err.msg);
    const char *once = transform_fixture_all(fixture);
    cr_assert(transform_fixture_run(fixture), "%s: %s", folder, fixture->err.msg);
    expect_same(folder, "second run", transform_fixture_all(fixture), once);
}

Test(transform_golden, a_declared_bundle_stays_as_it_is)
{
    for_each_case(check_twice);
}

static void check_reversed(struct transform_fixture *fixture, const char *folder)
{
    struct transform_fixture reversed;
    transform_fixture_init(&reversed);
    reversed.config = fixture->config;
    reversed.bundle.types = fixture->bundle.types;
    for (size_t i = fixture->bundle.count; i-- > 0;)
        bundle_add(&reversed.bundle, &fixture->bundle.items[i]);

    cr_assert(transform_fixture_run(fixture), "%s: %s", folder, fixture->err.msg);
    cr_assert(transform_fixture_run(&reversed), "%s: %s", folder, reversed.err.msg);

    expect_same(folder, "result of the reversed input", transform_fixture_all(&reversed),
                transform_fixture_all(fixture));
    expect_same(folder, "findings of the reversed input", transform_fixture_findings(&reversed),
                transform_fixture_findings(fixture));
    transform_fixture_done(&reversed);
}

Test(transform_golden, the_order_of_the_input_does_not_matter)
{
    for_each_case(check_reversed);
}

/* convert --verify has to hold for every rule that a case exercises. */
static void check_explained(struct transform_fixture *fixture, const char *folder)
{
    struct verification verification;
    cr_assert(transform_fixture_run(fixture), "%s: %s", folder, fixture->err.msg);
    verification_init(fixture->arena, &verification);
    transform_verify(fixture->arena, &fixture->log, &fixture->bundle, &verification);
    const struct value *list = value_list_done(fixture->arena, &verification.unexplained);
    cr_expect_eq(verification.unexplained.count, 0, "%s: %.*s", folder,
                 STR_ARG(json_text(fixture->arena, list)));
}

Test(transform_golden, the_log_explains_every_difference)
{
    for_each_case(check_explained);
}

/* A rule that nothing notices when it is off is a rule without a test. */
static bool *noticed;

/* Result and findings of the case, from what was read. */
static struct str outcome(struct transform_fixture *fixture)
{
    struct bundle before = fixture->bundle;
    fixture->run.findings = (struct findings){0};
    if (!transform_fixture_run(fixture))
        return STR("refused");
    struct str text = str_fmt(fixture->arena, "%s---\n%s", transform_fixture_all(fixture),
                              transform_fixture_findings(fixture));
    fixture->bundle = before;
    return text;
}

static void note_noticed(struct transform_fixture *fixture, const char *folder)
{
    struct str whole = outcome(fixture);
    const struct str_list off = fixture->config.disabled_rules;
    for (size_t i = 0; i < transform_rule_count(); i++) {
        if (noticed[i])
            continue;
        fixture->config.disabled_rules = (struct str_list){0};
        for (size_t j = 0; j < off.count; j++)
            *ARENA_PUSH(fixture->arena, &fixture->config.disabled_rules) = off.items[j];
        *ARENA_PUSH(fixture->arena, &fixture->config.disabled_rules) =
            str_of(transform_rule_info(transform_rule_at(i)).id);
        noticed[i] = !str_eq(outcome(fixture), whole);
    }
    fixture->config.disabled_rules = off;
}

Test(transform_golden, every_rule_is_noticed_when_it_is_off)
{
    noticed = calloc(transform_rule_count(), sizeof *noticed);
    for_each_case(note_noticed);
    for (size_t i = 0; i < transform_rule_count(); i++)
        cr_expect(noticed[i], "no case changes when %s is off", transform_rule_info(transform_rule_at(i)).id);
    free(noticed);
}
