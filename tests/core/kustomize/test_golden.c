/* What real kustomize printed (testdata/kustomize) is what we build: the same documents in the same order. */
#include <criterion/criterion.h>
#include <dirent.h>

#include "core/base/json.h"
#include "core/base/yaml.h"
#include "core/kustomize/kustomize.h"

static const char cases_dir[] = "testdata/kustomize";

static void compare(struct arena *arena, const char *name, const struct bundle *built, struct str want)
{
    struct yaml_documents documents;
    struct err err;
    cr_assert(yaml_parse(arena, want, str_of(name), &documents, &err), "%s: %s", name, err.msg);
    cr_expect_eq(built->count, documents.count, "%s: %zu documents, kustomize has %zu", name, built->count,
                 documents.count);
    for (size_t i = 0; i < built->count && i < documents.count; i++)
        cr_expect(value_equal(built->items[i].object, documents.items[i].root),
                  "%s, document %zu:\nours %s\nreal %s", name, i,
                  str_c(arena, json_text(arena, value_sorted(arena, built->items[i].object))),
                  str_c(arena, json_text(arena, value_sorted(arena, documents.items[i].root))));
}

static void replay(const char *name)
{
    struct arena *arena = arena_new();
    struct files files = {0};
    struct bundle built;
    struct err err;
    const char *dir = str_c(arena, str_fmt(arena, "%s/%s", cases_dir, name));
    cr_assert(files_read(arena, dir, 16 << 20, &files, &err) && files_sort(&files, &err), "%s: %s", name,
              err.msg);
    const struct file *want = files_find(&files, STR("want.yaml"));
    cr_assert_not_null(want, "%s has no want.yaml", name);
    bool layered = files_find(&files, STR("in/overlay/kustomization.yaml")) != NULL;
    if (kustomize_build(arena, &files, layered ? STR("in/overlay") : STR("in"), &built, &err))
        compare(arena, name, &built, want->bytes);
    else
        cr_expect(false, "%s: %s", name, err.msg);
    arena_free(arena);
}

Test(kustomize_golden, every_case_comes_out_as_kustomize_printed_it)
{
    DIR *cases = opendir(cases_dir);
    size_t count = 0;
    cr_assert_not_null(cases, "%s", cases_dir);
    for (struct dirent *entry; (entry = readdir(cases)) != NULL;) {
        if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
            continue;
        replay(entry->d_name);
        count++;
    }
    closedir(cases);
    cr_expect_geq(count, 8, "only %zu cases were found", count);
}
