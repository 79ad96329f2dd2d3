/* The YAML path and the environments: what the files come to is what was meant, and any change to a file is found. */
#include <criterion/criterion.h>
#include <string.h>

#include "core/base/json.h"
#include "tests/overlays/fixture.h"

static void stage(struct overlays_fixture *f)
{
    struct str text;
    overlays_fixture_init(f);
    cr_assert(file_read(f->arena, "testdata/overlays/shop/in.yaml", 1 << 20, &text, &f->err), "%s",
              f->err.msg);
    f->config.environments.items[0].hosts_domain = STR("dev.example.org");
    overlays_fixture_stage(f, str_c(f->arena, text));
}

/* Everything that is not explained, of base and environments. */
static const char *verified(struct overlays_fixture *f, const struct files *files, size_t *ret_count,
                            const struct value **ret_steps)
{
    struct value_list_builder steps = {0};
    struct str all = STR_NONE;
    *ret_count = 0;
    for (size_t i = 0; i < f->config.environments.count; i++) {
        const struct value *made;
        const char *list;
        *ret_count += overlays_fixture_verify(f, files, i, &list, &made);
        all = str_fmt(f->arena, "%.*s%s\n", STR_ARG(all), list);
        value_push(f->arena, &steps, made);
    }
    if (ret_steps != NULL)
        *ret_steps = value_list_done(f->arena, &steps);
    return str_c(f->arena, all);
}

Test(overlays_verify, what_the_steps_made_is_explained_by_their_names)
{
    struct overlays_fixture f;
    const struct value *steps;
    size_t count;
    stage(&f);
    const char *list = verified(&f, &f.run.files, &count, &steps);
    cr_expect_eq(count, 0, "%s", list);
    const char *by_name = str_c(f.arena, json_text(f.arena, steps));
    static const char *const names[] = {"replicas", "debug", "harden", "hosts"};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        cr_expect(strstr(by_name, names[i]), "%s: %s", names[i], by_name);
    overlays_fixture_done(&f);
}

static bool is_object_or_patch(struct str path)
{
    return (str_starts(path, STR("base/")) || str_contains(path, STR("/patches/"))) &&
           !str_ends(path, STR("kustomization.yaml"));
}

/* The file without its line `line`; false where it has fewer. */
static bool without_line(struct arena *arena, struct str text, size_t line, struct str *ret_text)
{
    struct str rest = text;
    for (size_t i = 0; i < line; i++)
        str_cut(&rest, '\n');
    if (rest.len == 0)
        return false;
    size_t from = (size_t)(rest.ptr - text.ptr);
    str_cut(&rest, '\n');
    *ret_text = str_fmt(arena, "%.*s%.*s", (int)from, text.ptr, STR_ARG(rest));
    return true;
}

static bool says_something(struct str text, size_t line)
{
    struct str rest = text, found = STR_NONE;
    for (size_t i = 0; i <= line; i++)
        found = str_cut(&rest, '\n');
    return str_trim(found).len != 0 && !str_starts(found, STR("#"));
}

/* Every line of every object and patch: without it the files mean something else, or nothing at all. */
Test(overlays_verify, every_line_that_is_lost_is_found)
{
    struct overlays_fixture f;
    size_t mutations = 0;
    stage(&f);
    for (size_t i = 0; i < f.run.files.count; i++) {
        struct file *file = &f.run.files.items[i];
        struct str whole = file->bytes, shorter;
        if (!is_object_or_patch(file->path) || str_starts(file->path, STR("base/")))
            continue;
        for (size_t line = 0; without_line(f.arena, whole, line, &shorter); line++) {
            size_t count;
            if (!says_something(whole, line))
                continue;
            file->bytes = shorter;
            const char *list = verified(&f, &f.run.files, &count, NULL);
            cr_expect_gt(count, 0, "%.*s without line %zu: %s", STR_ARG(file->path), line + 1, list);
            mutations++;
        }
        file->bytes = whole;
    }
    cr_expect_gt(mutations, 20);
    overlays_fixture_done(&f);
}

Test(overlays_verify, a_file_that_cannot_be_rendered_is_found_and_named)
{
    static const char *const texts[] = {"{", "kind: Deployment\n", "", "a: 1\na: 2\n"};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct overlays_fixture f;
        size_t count;
        stage(&f);
        for (size_t j = 0; j < f.run.files.count; j++)
            if (str_ends(f.run.files.items[j].path, STR("/deployment-web.yaml")))
                f.run.files.items[j].bytes = str_of(texts[i]);
        const char *list = verified(&f, &f.run.files, &count, NULL);
        cr_expect_gt(count, 0);
        cr_expect(strstr(list, "deployment-web.yaml"), "%s", list);
        overlays_fixture_done(&f);
    }
}

/* Folders are rendered one by one: what would only show in the whole must show in the lists of the whole. */
Test(overlays_verify, an_environment_that_is_not_the_sum_of_its_folders_is_found)
{
    static const struct {
        const char *path, *bytes, *says;
    } cases[] = {
        {"overlays/staging/kustomization.yaml", "resources: [shop]\n",
         "is in the base and not in the environment"},
        {"overlays/staging/kustomization.yaml", "resources: [_crds, _cluster, shop, shop, _gates]\n",
         "lists shop, which is no folder of it or is listed already"},
        {"overlays/staging/kustomization.yaml", "resources: [_crds, _cluster, shop, _gates, ../prod]\n",
         "lists ../prod, which is no folder of it"},
        {"overlays/staging/kustomization.yaml",
         "resources: [_crds, _cluster, shop, _gates]\nnamePrefix: a-\n",
         "the root does more than list folders"},
        {"overlays/staging/kustomization.yaml", "[]\n---\n[]\n", "cannot be read as the list"},
        {"overlays/staging/shop/kustomization.yaml",
         "resources: [../../../base/shop, ../../../base/_cluster]\n", "overlays/staging/shop"},
        {"overlays/staging/shop/kustomization.yaml", "resources: [../../../base/shop]\nnameSuffix: -a\n",
         "overlays/staging/shop"},
        {"base/shop/kustomization.yaml", "resources: [namespace-shop.yaml, ../_cluster]\n", "base/shop"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct overlays_fixture f;
        size_t count;
        bool found = false;
        stage(&f);
        for (size_t j = 0; j < f.run.files.count; j++) {
            struct file *file = &f.run.files.items[j];
            if (!str_is(file->path, cases[i].path))
                continue;
            file->bytes = str_of(cases[i].bytes);
            found = true;
        }
        cr_assert(found, "%s", cases[i].path);
        const char *list = verified(&f, &f.run.files, &count, NULL);
        cr_expect_gt(count, 0, "case %zu", i);
        cr_expect(strstr(list, cases[i].says), "case %zu: %s", i, list);
        overlays_fixture_done(&f);
    }
}
