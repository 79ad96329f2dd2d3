/* Every row of checks.def has good and bad examples in testdata/quality/<id>/: each bad one is found, at the path that
 * its first line names, and no good one is. bad.yaml and good.yaml must be there; bad-<why>.yaml and good-<why>.yaml
 * are further cases. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "quality/check.h"
#include "tests/quality/fixture.h"

/* "# path: spec.replicas"; the object itself has an empty path. */
static struct str wanted_path(struct fixture *f, const char *file)
{
    struct str text;
    cr_assert(file_read(f->arena, file, 1 << 20, &text, &f->err), "%s", f->err.msg);
    struct str line = str_cut(&text, '\n');
    cr_assert(str_starts(line, STR("# path: ")), "%s does not begin with '# path: '", file);
    line = str_trim(str_from(line, 8));
    return str_is(line, "the object itself") ? STR_NONE : line;
}

static size_t count_of(struct fixture *f, const char *id, const char *file)
{
    size_t count = 0;
    fixture_read(f, file);
    fixture_openapi(f);
    const struct value *findings = value_key(fixture_score(f), "findings");
    VALUE_EACH(finding, findings)
        count += str_is(value_str(value_key(finding, "check")), id);
    return count;
}

static bool is_found_at(const struct fixture *f, const char *id, struct str path)
{
    for (size_t i = 0; i < f->run.findings.count; i++)
        if (str_is(f->run.findings.items[i].check, id) && str_eq(f->run.findings.items[i].path, path))
            return true;
    return false;
}

static void expect_bad(const char *id, const char *file)
{
    struct fixture f;
    fixture_init(&f);
    struct str path = wanted_path(&f, file);
    cr_expect(count_of(&f, id, file) > 0, "%s: nothing found", file);
    cr_expect(is_found_at(&f, id, path), "%s: nothing found at '%.*s', the first is at '%.*s'", file,
              STR_ARG(path), STR_ARG(f.run.findings.count ? f.run.findings.items[0].path : STR_NONE));
    fixture_done(&f);
}

static void expect_good(const char *id, const char *file)
{
    struct fixture f;
    fixture_init(&f);
    cr_expect_eq(count_of(&f, id, file), 0, "%s: something found", file);
    fixture_done(&f);
}

/* Every file of a check's folder whose name starts with `kind`; there must be one called <kind>.yaml. */
static void expect_each(const char *id, const char *kind, void (*expect)(const char *id, const char *file))
{
    char path[512];
    bool first = false;
    snprintf(path, sizeof path, "testdata/quality/%s", id);
    DIR *folder = opendir(path);
    cr_assert(folder != NULL, "%s has no examples", id);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        struct str name = str_of(entry->d_name);
        if (!str_starts(name, str_of(kind)))
            continue;
        first = first || str_is(str_from(name, strlen(kind)), ".yaml");
        snprintf(path, sizeof path, "testdata/quality/%s/%s", id, entry->d_name);
        expect(id, path);
    }
    closedir(folder);
    cr_expect(first, "%s has no %s.yaml", id, kind);
}

Test(checks, each_finds_its_bad_examples_at_the_right_path)
{
    for (size_t i = 0; i < CHECK_COUNT; i++)
        expect_each(checks[i].id, "bad", expect_bad);
}

Test(checks, none_is_found_in_its_good_examples)
{
    for (size_t i = 0; i < CHECK_COUNT; i++)
        expect_each(checks[i].id, "good", expect_good);
}

Test(checks, every_example_belongs_to_a_check)
{
    DIR *folder = opendir("testdata/quality");
    cr_assert(folder != NULL);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        bool known = entry->d_name[0] == '.' ||
                     str_find(str_of(entry->d_name), '.') == str_of(entry->d_name).len ||
                     str_is(str_of(entry->d_name), "openapi.json");
        for (size_t i = 0; i < CHECK_COUNT && !known; i++)
            known = str_is(str_of(entry->d_name), checks[i].id);
        cr_expect(known, "testdata/quality/%s belongs to no check", entry->d_name);
    }
    closedir(folder);
}

Test(checks, ids_are_unique_and_texts_are_there)
{
    for (size_t i = 0; i < CHECK_COUNT; i++) {
        cr_expect(checks[i].message[0] != '\0' && checks[i].fix[0] != '\0', "%s says nothing", checks[i].id);
        for (size_t j = 0; j < i; j++)
            cr_expect(str_cmp(str_of(checks[i].id), str_of(checks[j].id)) != 0, "%s comes twice",
                      checks[i].id);
    }
}

/* docs/checks.md has the line of every check, in its dimension, and of no other. */
Test(checks, the_manual_lists_the_table)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct err err;
    struct str manual, line;
    size_t lines = 0;
    cr_assert(file_read(arena, "docs/checks.md", 1 << 20, &manual, &err), "%s", err.msg);
    for (size_t i = 0; i < CHECK_COUNT; i++) {
        struct str start =
            str_fmt(arena, "\n| `%s` | %s | ", checks[i].id, severity_name(checks[i].severity));
        struct str end = str_fmt(arena, " | %s | %s |\n", checks[i].message, checks[i].fix);
        cr_expect(str_contains(manual, start), "%s is missing, or its severity differs", checks[i].id);
        cr_expect(str_contains(manual, end), "the texts of %s differ", checks[i].id);
    }
    for (struct str rest = manual; rest.len != 0; lines += str_starts(line, STR("| `")))
        line = str_cut(&rest, '\n');
    cr_expect_eq(lines, CHECK_COUNT, "a check that is no more is still listed");
}

static enum dimension dimension_under(struct str heading, enum dimension before)
{
    for (int d = 0; d < DIMENSION_COUNT; d++)
        if (str_is(heading, dimension_title((enum dimension)d)))
            return (enum dimension)d;
    return before;
}

Test(checks, the_manual_has_each_under_its_dimension)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct err err;
    struct str manual;
    enum dimension dimension = DIMENSION_COUNT;
    cr_assert(file_read(arena, "docs/checks.md", 1 << 20, &manual, &err), "%s", err.msg);
    while (manual.len != 0) {
        struct str line = str_cut(&manual, '\n');
        if (str_starts(line, STR("### ")))
            dimension = dimension_under(str_from(line, 4), dimension);
        for (size_t i = 0; i < CHECK_COUNT; i++)
            if (str_starts(line, str_fmt(arena, "| `%s` |", checks[i].id)))
                cr_expect_eq(checks[i].dimension, dimension, "%s", checks[i].id);
    }
}
