/* Faults of a kustomization: each names the file and the line, nothing is passed over in silence. */
#include <criterion/criterion.h>
#include <string.h>

#include "core/base/json.h"
#include "core/kustomize/kustomize.h"
#include "core/kustomize/target.h"
#include "tests/harness/store_fixture.h"

struct entry {
    const char *path, *text;
};

static void fill(struct arena *arena, struct files *files, const struct entry *entries)
{
    struct err err;
    for (; entries->path != NULL; entries++)
        cr_assert(files_add(arena, files, str_of(entries->path), str_of(entries->text), &err), "%s", err.msg);
    cr_assert(files_sort(files, &err), "%s", err.msg);
}

#define CONFIG_MAP "{apiVersion: v1, kind: ConfigMap, metadata: {name: c}}"
#define WEB                                                                                                  \
    "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {replicas: 2, template: {spec: "   \
    "{containers: [{name: a, ports: [{containerPort: 80}]}]}}}}"

Test(kustomize, a_fault_names_file_and_line)
{
    static const struct {
        struct entry entries[4];
        const char *message;
    } cases[] = {
        {{{"kustomization.yaml", "resources: []\n\nconfigMapGenerator:\n  - name: x\n"}},
         "kustomization.yaml:3: configMapGenerator: this field is not followed here"},
        {{{"kustomization.yaml", "resources: [a.yaml]\n"}}, "there is no 'a.yaml' with a kustomization.yaml"},
        {{{"kustomization.yaml", "kind: Kustomization\nresources:\n  - ../other\n"}},
         "kustomization.yaml:2: resources: '../other' leads outside the tree"},
        {{{"kustomization.yaml", "resources: [\"https://example.com/x\"]\n"}},
         "kustomization.yaml:1: resources: 'https://example.com/x': nothing is fetched from a network"},
        {{{"kustomization.yaml", "resources: [a]\n"}, {"a/kustomization.yaml", "resources: [../]\n"}},
         "a/kustomization.yaml:1: resources: '' is being built already: a loop"},
        {{{"kustomization.yaml", "resources: [.]\n"}}, "is being built already: a loop"},
        {{{"kustomization.yaml", "resources: [a.yaml, b.yaml]\n"},
          {"a.yaml", CONFIG_MAP},
          {"b.yaml", CONFIG_MAP}},
         "kustomization.yaml:1: resources: b.yaml:1: ConfigMap/c is there already, from a.yaml:1"},
        {{{"kustomization.yaml", "resources: [a.yaml]\n"}, {"a.yaml", "\n\nkind: ConfigMap\n"}},
         "a.yaml:3: apiVersion is missing"},
        {{{"kustomization.yaml", "resources: [a.yaml]\n"}, {"a.yaml", "a: [\n"}}, "a.yaml:2"},
        {{{"kustomization.yaml", "resources: {}\n"}},
         "kustomization.yaml:1: resources: a map where a list is needed"},
        {{{"kustomization.yaml", "kind: Component\n"}}, "not kustomize.config.k8s.io/v1beta1 Kustomization"},
        {{{"kustomization.yaml", "[]\n"}}, "not a Kustomization"},
        {{{"kustomization.yaml", "patches: [{path: p.yaml}]\n"}, {"p.yaml", CONFIG_MAP}},
         "kustomization.yaml:1: patches: p.yaml:1: there is no ConfigMap/c (v1) to patch"},
        {{{"kustomization.yaml", "patches: [{path: p.yaml, when: now}]\n"}, {"p.yaml", CONFIG_MAP}},
         "when is not followed here"},
        {{{"kustomization.yaml", "patches: [{}]\n"}}, "a patch has either `patch` or `path`"},
        {{{"kustomization.yaml", "patches: [{patch: '[]'}]\n"}}, "a JSON 6902 patch needs a target"},
        {{{"kustomization.yaml", "patches: [{patch: '[]', target: {name: '\\d+'}}]\n"}},
         "target.name: '\\d+' is no pattern that is read here"},
        {{{"kustomization.yaml", "patches: [{patch: '[]', target: {labelSelector: 'a in'}}]\n"}},
         "'a in' is no label selector"},
        {{{"kustomization.yaml", "resources: [a.yaml]\npatches: [{path: ../p.yaml}]\n"},
          {"a.yaml", CONFIG_MAP}},
         "leads outside the tree"},
        {{{"kustomization.yaml", "resources: [a.yaml]\nreplicas: [{name: none, count: 1}]\n"},
          {"a.yaml", WEB}},
         "kustomization.yaml:2: replicas: there is no 'none' that has replicas"},
        {{{"kustomization.yaml", "resources: [a.yaml]\npatches: [{path: p.yaml}]\n"},
          {"a.yaml", WEB},
          {"p.yaml", "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {template: {spec: "
                     "{containers: [{name: a, ports: [{containerPort: 80, protocol: TCP}]}]}}}}"}},
         "p.yaml: Deployment/web: spec: template: spec: containers: name a: ports: containerPort 80: only "
         "one of"},
        {{{"kustomization.yaml", "resources: [a.yaml]\npatches: [{path: p.yaml}]\n"},
          {"a.yaml", WEB},
          {"p.yaml", "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {template: {spec: "
                     "{containers: [{name: a, $patch: replace}]}}}}"}},
         "kustomize does not follow $patch: replace on an item"},
        {{{"kustomization.yaml", "resources: [a.yaml]\npatches: [{path: p.yaml}]\n"},
          {"a.yaml", WEB},
          {"p.yaml",
           "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {template: [x]}}"}},
         "a list cannot be merged into a map"},
        {{{"kustomization.yaml", "resources: [a.yaml]\npatches: [{path: p.yaml}]\n"},
          {"a.yaml", WEB},
          {"p.yaml",
           "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {$retainKeys: [a]}}"}},
         "'$retainKeys' is a directive that kustomize does not follow"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct arena *arena = arena_new();
        struct files files = {0};
        struct bundle bundle;
        struct err err = {0};
        fill(arena, &files, cases[i].entries);
        cr_expect_not(kustomize_build(arena, &files, STR(""), &bundle, &err), "%s", cases[i].message);
        cr_expect_not_null(strstr(err.msg, cases[i].message), "want '%s', have '%s'", cases[i].message,
                           err.msg);
        arena_free(arena);
    }
}

Test(kustomize, a_patch_outside_the_folder_is_refused_as_kustomize_does)
{
    static const struct entry entries[] = {
        {"a/kustomization.yaml", "resources: [c.yaml]\npatches: [{path: ../p.yaml}]"},
        {"a/c.yaml", CONFIG_MAP},
        {"p.yaml", CONFIG_MAP},
        {NULL, NULL}};
    struct arena *arena = arena_new();
    struct files files = {0};
    struct bundle bundle;
    struct err err;
    fill(arena, &files, entries);
    cr_expect_not(kustomize_build(arena, &files, STR("a"), &bundle, &err));
    cr_expect_not_null(strstr(err.msg, "'p.yaml' is not in this folder or below"), "%s", err.msg);
    arena_free(arena);
}

Test(kustomize, label_selectors_are_read_in_kubectls_form)
{
    struct arena *arena = arena_new();
    struct requirements r;
    struct err err;
    cr_assert(requirements_read(arena, STR("a=b, c != d,e==f,g in (h, i),j notin (k),l,!m"), &r, &err), "%s",
              err.msg);
    cr_assert_eq(r.count, 7);
    cr_expect(r.items[0].operator== LABEL_IN && str_is(r.items[0].key, "a") &&
              str_is(r.items[0].values.items[0], "b"));
    cr_expect(r.items[1].operator== LABEL_NOT_IN && str_is(r.items[1].values.items[0], "d"));
    cr_expect(r.items[2].operator== LABEL_IN && str_is(r.items[2].values.items[0], "f"));
    cr_expect(r.items[3].operator== LABEL_IN && r.items[3].values.count == 2);
    cr_expect(r.items[4].operator== LABEL_NOT_IN && str_is(r.items[4].key, "j"));
    cr_expect_eq(r.items[5].operator, LABEL_EXISTS);
    cr_expect(r.items[6].operator== LABEL_ABSENT && str_is(r.items[6].key, "m"));
    cr_expect_not(requirements_read(arena, STR("a in (b"), &r, &err));
    cr_expect_not(requirements_read(arena, STR("a b"), &r, &err));
    cr_expect_not(requirements_read(arena, STR("=b"), &r, &err));
    arena_free(arena);
}

Test(kustomize, a_folder_on_disk_finds_its_bases_beside_it)
{
    struct arena *arena = arena_new();
    struct files files = {0};
    struct bundle bundle;
    struct err err;
    static const struct entry entries[] = {{"base/kustomization.yaml", "resources: [c.yaml]\n"},
                                           {"base/c.yaml", CONFIG_MAP},
                                           {"overlays/dev/kustomization.yaml", "resources: [../../base]\n"},
                                           {NULL, NULL}};
    char dir[64];
    make_temp_dir(dir, sizeof dir);
    fill(arena, &files, entries);
    cr_assert(files_write(&files, dir, &err), "%s", err.msg);
    const char *overlay = str_c(arena, str_fmt(arena, "%s/overlays/dev", dir));
    cr_expect(kustomize_build_dir(arena, overlay, &bundle, &err), "%s", err.msg);
    cr_expect(bundle.count == 1 && str_is(bundle.items[0].origin, "base/c.yaml:1"));
    cr_expect_not(kustomize_build_dir(arena, "/nowhere/at/all", &bundle, &err));
    cr_expect_eq(err.code, ERR_NOT_FOUND);
    remove_tree(dir);
    arena_free(arena);
}
