/* Every row of checks.def has a good and a bad example in testdata/quality/<id>/: the bad one is found, at the path
 * that its first line names, and the good one is not. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>

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

static void expect_bad(const char *id)
{
    char file[256];
    struct fixture f;
    fixture_init(&f);
    snprintf(file, sizeof file, "testdata/quality/%s/bad.yaml", id);
    struct str path = wanted_path(&f, file);
    cr_expect(count_of(&f, id, file) > 0, "%s: nothing found in bad.yaml", id);
    cr_expect(is_found_at(&f, id, path), "%s: nothing found at '%.*s', the first is at '%.*s'", id,
              STR_ARG(path), STR_ARG(f.run.findings.count ? f.run.findings.items[0].path : STR_NONE));
    fixture_done(&f);
}

static void expect_good(const char *id)
{
    char file[256];
    struct fixture f;
    fixture_init(&f);
    snprintf(file, sizeof file, "testdata/quality/%s/good.yaml", id);
    cr_expect_eq(count_of(&f, id, file), 0, "%s: found in good.yaml", id);
    fixture_done(&f);
}

Test(checks, each_finds_its_bad_example_at_the_right_path)
{
    for (size_t i = 0; i < CHECK_COUNT; i++)
        expect_bad(checks[i].id);
}

Test(checks, none_is_found_in_its_good_example)
{
    for (size_t i = 0; i < CHECK_COUNT; i++)
        expect_good(checks[i].id);
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
