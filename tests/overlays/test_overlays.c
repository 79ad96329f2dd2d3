/* The repository as a whole: its files, its order, what deploys it. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "core/base/json.h"
#include "core/base/yaml.h"
#include "core/kube/waves.h"
#include "tests/overlays/fixture.h"
#include "transform/transform.h"

#define CASE "testdata/overlays/shop"

static const struct value *parsed(struct overlays_fixture *f, const char *path, size_t index)
{
    struct yaml_documents documents;
    struct str text = overlays_fixture_file(f, path);
    cr_assert_neq(text.len, 0, "there is no %s", path);
    cr_assert(yaml_parse(f->arena, text, str_of(path), &documents, &f->err), "%s", f->err.msg);
    cr_assert_lt(index, documents.count, "%s", path);
    return documents.items[index].root;
}

static void stage_case(struct overlays_fixture *f)
{
    struct str text;
    cr_assert(file_read(f->arena, CASE "/in.yaml", 1 << 20, &text, &f->err), "%s", f->err.msg);
    f->config.environments.items[0].hosts_domain = STR("dev.example.org");
    overlays_fixture_secrets(f, "apiVersion: v1\nkind: Secret\nmetadata: {name: web-tls, namespace: shop}\n"
                                "type: kubernetes.io/tls\nstringData: {tls.crt: public, tls.key: private}\n");
    overlays_fixture_stage(f, str_c(f->arena, text));
}

Test(overlays, the_golden_case_comes_out_byte_for_byte)
{
    struct overlays_fixture f;
    struct files want;
    overlays_fixture_init(&f);
    stage_case(&f);
    if (getenv("OVERLAYS_KEEP") != NULL)
        cr_assert(files_write(&f.run.files, CASE "/want", &f.err), "%s", f.err.msg);
    cr_assert(files_read(f.arena, CASE "/want", 16 << 20, &want, &f.err) && files_sort(&want, &f.err), "%s",
              f.err.msg);
    for (size_t i = 0; i < want.count; i++)
        if (!str_starts(want.items[i].path, STR(".gitops-pipe."))) /* names the version, which changes */
            cr_expect(files_find(&f.run.files, want.items[i].path) != NULL, "%.*s is missing",
                      STR_ARG(want.items[i].path));
    for (size_t i = 0; i < f.run.files.count; i++) {
        const struct file *have = &f.run.files.items[i], *kept = files_find(&want, have->path);
        if (str_starts(have->path, STR(".gitops-pipe.")))
            continue;
        cr_assert_not_null(kept, "%.*s is new", STR_ARG(have->path));
        cr_expect(str_eq(kept->bytes, have->bytes), "%.*s is now\n%.*s", STR_ARG(have->path),
                  STR_ARG(have->bytes));
    }
    overlays_fixture_done(&f);
}

Test(overlays, the_order_of_input_does_not_matter)
{
    struct overlays_fixture forward, backward;
    overlays_fixture_init(&forward);
    overlays_fixture_init(&backward);
    stage_case(&forward);
    for (size_t i = forward.bundle.count; i > 0; i--)
        bundle_add(&backward.bundle, &forward.bundle.items[i - 1]);
    backward.config.environments.items[0].hosts_domain = STR("dev.example.org");
    backward.bundle.complete = forward.bundle.complete;
    backward.run.secrets = forward.run.secrets;
    cr_assert(overlays_stage(&backward.run, &backward.bundle, &backward.err), "%s", backward.err.msg);
    cr_assert_eq(forward.run.files.count, backward.run.files.count);
    for (size_t i = 0; i < forward.run.files.count; i++)
        cr_expect(str_eq(forward.run.files.items[i].bytes, backward.run.files.items[i].bytes), "%.*s",
                  STR_ARG(forward.run.files.items[i].path));
    overlays_fixture_done(&backward);
    overlays_fixture_done(&forward);
}

/* Rendered, the base is what went in: nothing is lost and nothing changed on the way through files. */
Test(overlays, an_environment_that_changes_nothing_renders_what_went_in)
{
    struct overlays_fixture f;
    struct bundle rendered;
    overlays_fixture_init(&f);
    f.config.environments.items[0] = (struct config_environment){.name = STR("same")};
    stage_case(&f);
    f.config.environments.items[0].hosts_domain = STR_NONE;
    cr_assert(overlays_stage(&f.run, &f.bundle, &f.err), "%s", f.err.msg);
    overlays_fixture_render(&f, "same", &rendered);
    bundle_sort(&rendered);
    cr_assert_eq(rendered.count, f.bundle.count);
    for (size_t i = 0; i < rendered.count; i++)
        cr_expect(value_equal(rendered.items[i].object, f.bundle.items[i].object), "%.*s",
                  STR_ARG(rendered.items[i].name));
    for (size_t i = 0; i < f.run.files.count; i++)
        cr_expect_not(str_starts(f.run.files.items[i].path, STR("overlays/same/shop/patches/")), "%.*s",
                      STR_ARG(f.run.files.items[i].path));
    overlays_fixture_done(&f);
}

Test(overlays, file_names_never_meet)
{
    struct buf objects CLEANUP(buf_done);
    struct overlays_fixture f;
    struct bundle rendered;
    overlays_fixture_init(&f);
    buf_init(&objects, 1 << 20);
    static const char *const names[] = {"system:a", "system-a", "SYSTEM:A",    "system_a", "a.b", "A.B",
                                        "con",      "-x",       "caf\xc3\xa9", "a b",      "..",  "x:y:z"};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        buf_fmt(
            &objects,
            "---\n{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: \"%s\"}}\n",
            names[i]);
    static const char *const groups[] = {"v1", "serving.knative.dev/v1", "Serving.example.com/v1"};
    for (size_t i = 0; i < COUNT_OF(groups); i++)
        buf_fmt(&objects, "---\n{apiVersion: %s, kind: Service, metadata: {name: web, namespace: shop}}\n",
                groups[i]);
    for (int last = 'a'; last <= 'b'; last++) {
        buf_text(&objects, "---\n{apiVersion: v1, kind: ConfigMap, metadata: {namespace: shop, name: ");
        buf_repeat(&objects, 'n', 252);
        buf_fmt(&objects, "%c}}\n", last);
    }
    overlays_fixture_stage(&f, str_c(f.arena, buf_view(&objects)));
    overlays_fixture_render(&f, "prod", &rendered);
    cr_expect_eq(rendered.count, COUNT_OF(names) + COUNT_OF(groups) + 2);
    for (size_t i = 0; i < f.run.files.count; i++) {
        struct str path = f.run.files.items[i].path, name = str_from(path, str_rfind(path, '/') + 1);
        cr_expect_leq(name.len, 200, "%.*s", STR_ARG(path));
        for (size_t c = 0; c < name.len && !str_starts(path, STR("README")); c++)
            cr_expect((name.ptr[c] >= 'a' && name.ptr[c] <= 'z') ||
                          (name.ptr[c] >= '0' && name.ptr[c] <= '9') || name.ptr[c] == '.' ||
                          name.ptr[c] == '-' || name.ptr[c] == '_',
                      "%.*s", STR_ARG(path));
    }
    overlays_fixture_done(&f);
}

Test(overlays, argo_cd_gets_waves_by_patches_and_leaves_autoscaled_replicas_alone)
{
    struct overlays_fixture f;
    overlays_fixture_init(&f);
    stage_case(&f);
    const struct value *spec = value_key(parsed(&f, "argocd/prod.yaml", 0), "spec");
    const struct value *ignored = value_item(value_key(spec, "ignoreDifferences"), 0);
    cr_expect(str_is(value_str(value_key(ignored, "name")), "web"));
    cr_expect(str_is(value_str(value_item(value_key(ignored, "jsonPointers"), 0)), "/spec/replicas"));
    cr_expect_eq(value_count(value_key(spec, "ignoreDifferences")), 1);
    bool definitions_first = false, gates_last = false;
    VALUE_EACH(patch, value_in(spec, PATH("source", "kustomize", "patches"))) {
        struct str kind = value_str_in(patch, PATH("target", "kind")),
                   text = value_str(value_key(patch, "patch"));
        definitions_first = definitions_first || (str_is(kind, "CustomResourceDefinition") &&
                                                  str_contains(text, STR("sync-wave: \"-4\"")));
        gates_last = gates_last || (str_is(kind, "ValidatingWebhookConfiguration") &&
                                    str_contains(text, STR("sync-wave: \"1\"")));
    }
    cr_expect(definitions_first && gates_last);
    struct str home = value_str_in(spec, PATH("destination", "namespace"));
    const struct value *permitted =
        value_in(parsed(&f, "argocd/project.yaml", 0), PATH("spec", "destinations"));
    cr_expect(str_eq(value_str(value_key(value_item(permitted, 0), "namespace")), home));
    overlays_fixture_done(&f);
}

/* The patches of an Application are read by kustomize: they must do what they say when it reads them. */
Test(overlays, the_waves_of_argo_cd_render)
{
    struct overlays_fixture f;
    struct bundle rendered;
    overlays_fixture_init(&f);
    stage_case(&f);
    const struct value *patches =
        value_in(parsed(&f, "argocd/dev.yaml", 0), PATH("spec", "source", "kustomize", "patches"));
    const struct value *top =
        VALUE_MAP(f.arena, {"resources", VALUE_LIST(f.arena, value_cstr(f.arena, "../overlays/dev"))},
                  {"patches", patches});
    cr_assert(
        files_add(f.arena, &f.run.files, STR("waves/kustomization.yaml"), json_text(f.arena, top), &f.err));
    cr_assert(files_sort(&f.run.files, &f.err), "%s", f.err.msg);
    cr_assert(kustomize_build(f.arena, &f.run.files, STR("waves"), &rendered, &f.err), "%s", f.err.msg);
    for (size_t i = 0; i < rendered.count; i++) {
        const struct resource *r = &rendered.items[i];
        int wave = wave_argocd(wave_of(r));
        struct str have =
            value_str_in(r->object, PATH("metadata", "annotations", "argocd.argoproj.io/sync-wave"));
        cr_expect(str_eq(have, wave ? str_fmt(f.arena, "%d", wave) : STR_NONE), "%.*s has wave '%.*s'",
                  STR_ARG(r->kind), STR_ARG(have));
    }
    overlays_fixture_done(&f);
}

Test(overlays, large_environments_become_one_application_per_part)
{
    struct buf objects CLEANUP(buf_done);
    struct overlays_fixture f;
    overlays_fixture_init(&f);
    buf_init(&objects, 1 << 20);
    for (int i = 0; i < 502; i++)
        buf_fmt(&objects, "---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: c%d, namespace: n%d}}\n",
                i, i % 2);
    buf_text(&objects, "---\n{apiVersion: v1, kind: Namespace, metadata: {name: crds}}\n"
                       "---\n{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: "
                       "{name: x.y}}\n");
    overlays_fixture_stage(&f, str_c(f.arena, buf_view(&objects)));
    static const char *const names[] = {"shop-prod-crds", "shop-prod-namespace-crds", "shop-prod-n0",
                                        "shop-prod-n1"};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        cr_expect(str_is(value_str_in(parsed(&f, "argocd/prod.yaml", i), PATH("metadata", "name")), names[i]),
                  "%s", names[i]);
    overlays_fixture_done(&f);
}

Test(overlays, flux_waits_for_what_is_needed)
{
    static const struct {
        const char *file, *name;
        size_t needs;
    } steps[] = {{"10-crds", "dev-crds", 0},
                 {"20-cluster", "dev-cluster", 1},
                 {"30-shop", "dev-shop", 2},
                 {"90-gates", "dev-gates", 3}};
    struct overlays_fixture f;
    overlays_fixture_init(&f);
    stage_case(&f);
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        const struct value *step =
            parsed(&f, str_c(f.arena, str_fmt(f.arena, "flux/dev/%s.yaml", steps[i].file)), 0);
        cr_expect(str_is(value_str_in(step, PATH("metadata", "name")), steps[i].name));
        cr_expect_eq(value_count(value_in(step, PATH("spec", "dependsOn"))), steps[i].needs, "%s",
                     steps[i].file);
    }
    cr_expect(str_is(value_str_in(parsed(&f, "flux/dev/source.yaml", 0), PATH("spec", "url")),
                     "ssh://git@git.example.com/platform/shop.git"));
    overlays_fixture_done(&f);
}

Test(overlays, names_of_objects_fit_a_label)
{
    struct buf objects CLEANUP(buf_done);
    struct overlays_fixture f;
    overlays_fixture_init(&f);
    buf_init(&objects, 1 << 20);
    for (int last = 'a'; last <= 'b'; last++) {
        buf_text(&objects, "---\n{apiVersion: v1, kind: Namespace, metadata: {name: ");
        buf_repeat(&objects, 'n', 62);
        buf_fmt(&objects, "%c}}\n", last);
    }
    overlays_fixture_stage(&f, str_c(f.arena, buf_view(&objects)));
    struct str seen = STR_NONE;
    for (size_t i = 0; i < f.run.files.count; i++) {
        const char *path = str_c(f.arena, f.run.files.items[i].path);
        if (!str_starts(str_of(path), STR("flux/prod/30-")))
            continue;
        struct str name = value_str_in(parsed(&f, path, 0), PATH("metadata", "name"));
        cr_expect_leq(name.len, 63, "%.*s", STR_ARG(name));
        cr_expect_not(str_eq(name, seen), "%.*s comes twice", STR_ARG(name));
        seen = name;
    }
    overlays_fixture_done(&f);
}

Test(overlays, the_report_says_what_was_written_and_what_is_missing)
{
    struct overlays_fixture f;
    overlays_fixture_init(&f);
    stage_case(&f);
    const struct value *section = value_key(run_report(&f.run), "overlays");
    cr_expect(str_is(value_str_in(section, PATH("secrets", "mode")), "omit"));
    cr_expect(
        str_is(value_str(value_key(value_item(value_in(section, PATH("secrets", "toProvide")), 0), "name")),
               "web-tls"));
    cr_expect(str_contains(overlays_fixture_file(&f, "README.md"), STR("| shop | web-tls |")));
    cr_expect(str_contains(overlays_fixture_file(&f, ".gitops-pipe.yaml"), STR("gitops-pipe ")));
    cr_expect_eq(value_count(value_key(section, "environments")), 3);
    overlays_fixture_done(&f);
}

/* The main estate, taken through transform first as convert does. */
Test(overlays, the_estate_renders_whole_in_every_environment)
{
    struct overlays_fixture f;
    struct err err;
    overlays_fixture_init(&f);
    cr_assert(bundle_read_manifests(f.arena, "testdata/estates/production-simulation", &f.bundle, &err), "%s",
              err.msg);
    cr_assert(transform_stage(&f.run, &f.bundle, &err), "%s", err.msg);
    cr_assert(overlays_stage(&f.run, &f.bundle, &err), "%s", err.msg);
    if (getenv("OVERLAYS_TREE") != NULL)
        cr_assert(files_write(&f.run.files, getenv("OVERLAYS_TREE"), &err), "%s", err.msg);
    for (size_t i = 0; i < f.config.environments.count; i++) {
        struct bundle rendered;
        overlays_fixture_render(&f, str_c(f.arena, f.config.environments.items[i].name), &rendered);
        cr_expect_eq(rendered.count, f.bundle.count);
    }
    overlays_fixture_done(&f);
}
