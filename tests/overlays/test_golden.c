/* Every folder of testdata/environments is a case: see its README. A new folder is a new test. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/files.h"
#include "core/base/json.h"
#include "core/base/yaml.h"
#include "tests/overlays/fixture.h"

#define CASES "testdata/environments"

struct golden {
    struct overlays_fixture f;
    const char *folder;
    struct bundle rendered; /* sorted */
};

static const char *path_in(struct golden *g, const char *file)
{
    return str_c(g->f.arena, str_fmt(g->f.arena, CASES "/%s/%s", g->folder, file));
}

static void run_case(struct golden *g)
{
    struct overlays_fixture *f = &g->f;
    struct str text;
    cr_assert(config_read(f->arena, path_in(g, "config.yaml"), &f->config, &f->err), "%s", f->err.msg);
    cr_assert(file_read(f->arena, path_in(g, "in.yaml"), 4 << 20, &text, &f->err), "%s", f->err.msg);
    overlays_fixture_stage(f, str_c(f->arena, text));
    overlays_fixture_render(f, str_c(f->arena, f->config.environments.items[0].name), &g->rendered);
    bundle_sort(&g->rendered);
    cr_expect_eq(g->rendered.problems.count, 0, "%s: an object comes twice", g->folder);
}

static struct str rendered_text(struct golden *g)
{
    struct buf text CLEANUP(buf_done);
    buf_init(&text, 64 << 20);
    for (size_t i = 0; i < g->rendered.count; i++) {
        buf_text(&text, i ? "---\n" : "");
        yaml_write(&text, value_sorted(g->f.arena, g->rendered.items[i].object));
    }
    return str_dup(g->f.arena, buf_view(&text));
}

static struct str file_list(struct golden *g)
{
    struct buf text CLEANUP(buf_done);
    buf_init(&text, 1 << 20);
    for (size_t i = 0; i < g->f.run.files.count; i++)
        buf_fmt(&text, "%.*s\n", STR_ARG(g->f.run.files.items[i].path));
    return str_dup(g->f.arena, buf_view(&text));
}

/* Line by line, so that a failure shows the first difference. */
static void expect_file(struct golden *g, const char *file, struct str got)
{
    struct str want;
    const char *path = path_in(g, file);
    struct stat info;
    bool there = stat(path, &info) == 0;
    if (getenv("UPDATE") && (there ? info.st_size == 0 : strcmp(file, "want.yaml") == 0))
        cr_assert(file_write(path, got, 0644, &g->f.err), "%s", g->f.err.msg);
    if (!there && strcmp(file, "want.yaml") != 0)
        return;
    cr_assert(file_read(g->f.arena, path, 64 << 20, &want, &g->f.err), "%s", g->f.err.msg);
    for (size_t line = 1; got.len != 0 || want.len != 0; line++) {
        struct str a = str_cut(&got, '\n'), b = str_cut(&want, '\n');
        cr_assert(str_eq(a, b), "%s:%zu\n  got:  %.*s\n  want: %.*s", path, line, STR_ARG(a), STR_ARG(b));
    }
}

/* The files must say what the steps say, whichever environment. */
static void expect_explained(struct golden *g)
{
    struct overlays_fixture *f = &g->f;
    const struct value *steps;
    const char *list;
    cr_expect_eq(overlays_fixture_verify(f, &f->run.files, 0, &list, &steps), 0, "%s: %s", g->folder, list);
}

Test(overlays_golden, every_case_renders_to_what_it_should)
{
    struct dirent **entries;
    int count = scandir(CASES, &entries, NULL, alphasort);
    size_t cases = 0;
    cr_assert_gt(count, 0, "there is no %s", CASES);
    for (int i = 0; i < count; i++) {
        if (entries[i]->d_name[0] >= '0' && entries[i]->d_name[0] <= '9') {
            struct golden g = {.folder = entries[i]->d_name};
            overlays_fixture_init(&g.f);
            run_case(&g);
            expect_file(&g, "want.yaml", rendered_text(&g));
            expect_file(&g, "files.txt", file_list(&g));
            struct str name = g.f.config.environments.items[0].name;
            const char *entry = str_c(g.f.arena, str_fmt(g.f.arena, "argocd/%.*s.yaml", STR_ARG(name)));
            expect_file(&g, "argocd.yaml", overlays_fixture_file(&g.f, entry));
            expect_explained(&g);
            overlays_fixture_done(&g.f);
            cases++;
        }
        free(entries[i]);
    }
    free(entries);
    cr_expect_gt(cases, 0);
}
