#include "tests/transform/fixture.h"

#include "core/base/yaml.h"

#define TEXT_MAX (64u << 20)

void transform_fixture_init(struct transform_fixture *fixture)
{
    *fixture = (struct transform_fixture){.arena = arena_new()};
    fixture->config.secrets.mode = SECRETS_OMIT;
    fixture->run = (struct run){.arena = fixture->arena, .config = &fixture->config};
    bundle_init(&fixture->bundle, fixture->arena);
}

void transform_fixture_done(struct transform_fixture *fixture)
{
    arena_free(fixture->arena);
}

bool transform_fixture_read(struct transform_fixture *fixture, const char *path)
{
    return bundle_read_manifests(fixture->arena, path, &fixture->bundle, &fixture->err);
}

bool transform_fixture_text(struct transform_fixture *fixture, const char *yaml)
{
    return bundle_read_text(&fixture->bundle, str_of(yaml), STR("test"), &fixture->err);
}

bool transform_fixture_run(struct transform_fixture *fixture)
{
    return transform_run(&fixture->run, &fixture->bundle, &fixture->log, &fixture->err);
}

static const char *kept(struct transform_fixture *fixture, struct buf *text)
{
    const char *copy = str_c(fixture->arena, buf_view(text));
    buf_done(text);
    return copy;
}

const char *transform_fixture_yaml(struct transform_fixture *fixture, const char *kind, const char *name)
{
    struct buf text;
    buf_init(&text, TEXT_MAX);
    for (size_t i = 0; i < fixture->bundle.count; i++) {
        const struct resource *resource = &fixture->bundle.items[i];
        if (str_is(resource->kind, kind) && str_is(resource->name, name))
            yaml_write(&text, resource->object);
    }
    return kept(fixture, &text);
}

const char *transform_fixture_all(struct transform_fixture *fixture)
{
    struct buf text;
    buf_init(&text, TEXT_MAX);
    for (size_t i = 0; i < fixture->bundle.count; i++) {
        buf_text(&text, i ? "---\n" : "");
        yaml_write(&text, value_sorted(fixture->arena, fixture->bundle.items[i].object));
    }
    return kept(fixture, &text);
}

const char *transform_fixture_findings(struct transform_fixture *fixture)
{
    struct buf text;
    buf_init(&text, TEXT_MAX);
    for (size_t i = 0; i < fixture->run.findings.count; i++) {
        const struct finding *finding = &fixture->run.findings.items[i];
        buf_fmt(&text, "%.*s %.*s/%.*s: %.*s\n", STR_ARG(finding->check), STR_ARG(finding->kind),
                STR_ARG(finding->name), STR_ARG(finding->message));
    }
    return kept(fixture, &text);
}
