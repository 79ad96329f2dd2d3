#include "tests/overlays/fixture.h"

#include <criterion/criterion.h>

#include "core/base/json.h"
#include "overlays/verify.h"

void overlays_fixture_init(struct overlays_fixture *f)
{
    *f = (struct overlays_fixture){.arena = arena_new()};
    config_defaults(f->arena, &f->config);
    f->config.git_url = STR("git@git.example.com:platform/shop.git");
    f->config.secrets.mode = SECRETS_OMIT;
    f->config.state_dir = STR_NONE; /* remembers nothing */
    f->run = (struct run){.arena = f->arena, .config = &f->config};
    bundle_init(&f->run.secrets, f->arena);
    bundle_init(&f->bundle, f->arena);
    f->bundle.cluster = STR("shop");
}

void overlays_fixture_done(struct overlays_fixture *f)
{
    arena_free(f->arena);
}

void overlays_fixture_stage(struct overlays_fixture *f, const char *objects)
{
    cr_assert(bundle_read_text(&f->bundle, str_of(objects), STR("in.yaml"), &f->err), "%s", f->err.msg);
    cr_assert_eq(f->bundle.problems.count, 0, "%.*s", STR_ARG(f->bundle.problems.items[0]));
    cr_assert(overlays_stage(&f->run, &f->bundle, &f->err), "%s", f->err.msg);
}

void overlays_fixture_secrets(struct overlays_fixture *f, const char *secrets)
{
    cr_assert(bundle_read_text(&f->run.secrets, str_of(secrets), STR("secrets.yaml"), &f->err), "%s",
              f->err.msg);
}

void overlays_fixture_render(struct overlays_fixture *f, const char *name, struct bundle *ret_bundle)
{
    struct str dir = str_fmt(f->arena, "overlays/%s", name);
    cr_assert(kustomize_build(f->arena, &f->run.files, dir, ret_bundle, &f->err), "%s", f->err.msg);
}

size_t overlays_fixture_verify(struct overlays_fixture *f, const struct files *files, size_t environment,
                               const char **ret_list, const struct value **ret_steps)
{
    const struct files_in in = {.files = files};
    struct overlays_verification result;
    struct value_list_builder found = {0};
    struct parts secrets;
    struct bundle base;
    parts_of_bundle(f->arena, &f->run.secrets, &secrets);
    cr_assert(overlays_outline_base(f->arena, &in, f->bundle.count, &base, &found, &f->err), "%s",
              f->err.msg);
    base.types = f->bundle.types;
    cr_assert(overlays_verify(&f->run, &in, &base, &secrets, &f->config.environments.items[environment],
                              &result, &f->err),
              "%s", f->err.msg);
    for (size_t i = 0; i < result.unexplained.count; i++)
        value_push(f->arena, &found, &result.unexplained.items[i]);
    size_t count = found.count;
    *ret_list = str_c(f->arena, json_text(f->arena, value_list_done(f->arena, &found)));
    *ret_steps = value_map_done(f->arena, &result.steps);
    return count;
}

struct str overlays_fixture_file(const struct overlays_fixture *f, const char *path)
{
    const struct file *file = files_find(&f->run.files, str_of(path));
    return file ? file->bytes : STR_NONE;
}
